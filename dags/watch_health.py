"""Alert when the archive is not well: each quarter of an hour, by the checks of `news check`.

**What runs.** `check` looks at what `news check` looks at (docs/checks.md): the last run, the oldest page that waits,
shares of polls and pages that fail, feeds that are gone or fell silent, gaps, disk, clock. It fails where one of them
is as bad as the param `level` says. The limits are settings, `NEWS_CHECK_…`.

**Who is told.** The notifiers of `NEWS_ALERTS` (`dags/alerts.py`); without any, the task's log. A red run in the UI is
an alert, too.

**When it fails**

* *`check` is red with a list of checks*: that is the alert; docs/operations.md says what to do.
* *`check` is red with a traceback*: the database cannot be reached, or was not migrated (`news db upgrade`).
"""

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import CronTriggerTimetable, Param, dag, task
from airflow.sdk.exceptions import AirflowFailException

sys.path.append(str(Path(__file__).resolve().parents[1]))  # a checkout in which the package is not installed

from dags.alerts import alert, alert_late


@dag(
    schedule=CronTriggerTimetable("*/15 * * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    is_paused_upon_creation=True,  # turn it on where it is wanted
    max_active_runs=1,
    dagrun_timeout=timedelta(minutes=10),
    on_failure_callback=alert_late,
    default_args={"owner": "news"},
    params={
        "level": Param(
            "critical",
            enum=["warning", "critical"],
            title="Level",
            description="Alert where a check is so bad.",
        )
    },
    description="Alert when the archive is not well.",
    doc_md=__doc__,
    tags=["news"],
)
def watch_health() -> None:
    """Check."""

    @task(retries=0, on_failure_callback=alert, execution_timeout=timedelta(minutes=5), multiple_outputs=False)
    def check(params: dict[str, Any]) -> dict[str, str]:
        """The level of each check; fails where one is too bad."""
        from pipeline.config import Settings
        from pipeline.store.connection.engine import open_archive
        from pipeline.upkeep.health_checks import check_health

        settings = Settings.from_env(os.environ)
        with open_archive(settings) as engine:
            checks = check_health(engine, settings, datetime.now(UTC))
        told = {"critical"} if params["level"] == "critical" else {"warning", "critical"}
        bad = [f"{found.level} {found.name}: {found.message}" for found in checks if found.level in told]
        if bad:
            raise AirflowFailException("\n".join(bad))
        return {found.name: found.level for found in checks}

    check()


watch_health()
