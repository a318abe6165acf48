#!/usr/bin/env bash
# Forget by rule: polls, archived responses and revisions as NEWS_PRUNE_* say, and what Airflow remembers of runs that are
# older than AIRFLOW_KEEP_DAYS. Once a day until it is stopped; with the argument "once", once.
set -euo pipefail
keep_days=${AIRFLOW_KEEP_DAYS:-30}
logs=${AIRFLOW__LOGGING__BASE_LOG_FOLDER:-${AIRFLOW_HOME:-/opt/airflow}/logs}

if [ "${1:-}" = once ]; then
  news prune
  airflow db clean --yes --skip-archive --clean-before-timestamp "$(date --utc --date="-${keep_days} days" +%FT%TZ)"
  find "$logs" -type f -mtime "+${keep_days}" -delete
  find "$logs" -mindepth 1 -type d -empty -delete
  exit
fi

trap 'exit 0' TERM INT
while true; do
  # A day that goes wrong is told in the log, and by the container's health in the end; the next day is another try.
  if "$BASH" "$0" once; then touch /tmp/retention-done; fi
  sleep 86400 &
  wait $!
done
