#!/bin/sh
# Two databases in one server, each with a user of its own that sees only its own: Airflow's, and the news.
# Run once by the postgres image, on an empty data directory. Passwords come from the environment.
set -eu
: "${AIRFLOW_DB_PASSWORD:?}" "${NEWS_DB_PASSWORD:?}"

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 \
  --username "${POSTGRES_USER:-postgres}" --dbname "${POSTGRES_DB:-postgres}" <<'SQL'
\getenv airflow_password AIRFLOW_DB_PASSWORD
\getenv news_password NEWS_DB_PASSWORD
CREATE ROLE airflow LOGIN PASSWORD :'airflow_password';
CREATE ROLE news LOGIN PASSWORD :'news_password';
CREATE DATABASE airflow OWNER airflow;
CREATE DATABASE news OWNER news;
REVOKE CONNECT ON DATABASE airflow, news FROM PUBLIC;
SQL
