"""Who is told when something is wrong: the notifiers that NEWS_ALERTS names, or else the log.

``NEWS_ALERTS`` is a JSON list of notifiers, each with its arguments, which may be templates::

    [["airflow.providers.smtp.notifications.smtp.SmtpNotifier",
      {"to": "desk@example.org", "subject": "{{ dag.dag_id }}", "html_content": "{{ exception }}"}]]

It is read when there is something to tell: another one needs no change of a DAG.
"""

import logging
import os
from typing import Any

log = logging.getLogger("news.alerts")

TIMED_OUT = "timed_out"
"""Why a run has failed, in Airflow's words, when its time was up: its tasks are skipped then, and none fails."""


def alert(context: Any) -> None:  # noqa: ANN401  # Airflow's
    """Tell of a task that failed; a notifier that fails keeps no other from being called."""
    from airflow.sdk.module_loading import import_string

    from pipeline.config import Settings

    log.error("%s", context.get("exception") or context.get("reason") or "a task failed")
    for name, arguments in Settings.from_env(os.environ).alerts:
        try:
            import_string(name)(**arguments)(context)
        except Exception:
            log.exception("The notifier %s failed", name)


def alert_late(context: Any) -> None:  # noqa: ANN401  # Airflow's
    """Tell of a run whose time was up; of others that fail their tasks have told. The dag-processor calls it."""
    if context.get("reason") == TIMED_OUT:
        dag = context["dag"]
        alert({**context, "exception": f"{dag.dag_id}: the run took longer than {dag.dagrun_timeout}"})
