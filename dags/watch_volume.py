"""Alert when a source brings far less than it uses to: each day, for the day before.

**What runs.** `compare` reads the view `v_source_daily` for the UTC day of the data interval: what each source stored,
beside the mean of the same weekday in the four weeks before. `judge` fails where a source fell below the share of it
that the params say, or where nothing came from anywhere, and its notifiers say which sources and by how much.

**Who is told.** The notifiers of `NEWS_ALERTS` (`dags/alerts.py`): any of Airflow's (mail, Slack, a web hook …);
without any, the task's log. A red run in the UI is an alert, too.

**When it fails**

* *`compare` is red*: the database cannot be reached or was not migrated (`news db upgrade`).
* *`judge` is red*: that is the alert. `news status --why` says what failed; `news feeds list` which feeds are failing
  or gone. Announced but not stored: the pages changed, or the site keeps programs out. Not announced: the feed died or
  moved (`news feeds discover URL`). A holiday is no fault: raise `share` or mark the run as good.
"""

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import CronDataIntervalTimetable, Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

sys.path.append(str(Path(__file__).resolve().parents[1]))  # a checkout in which the package is not installed

from dags.alerts import alert, alert_late

SHOWN = 20
"""Sources that an alert names; it counts the others."""


@dag(
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    is_paused_upon_creation=True,  # turn it on where it is wanted
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=1),
    on_failure_callback=alert_late,
    params={
        "share": Param(
            0.5,
            type="number",
            exclusiveMinimum=0,
            maximum=1,
            title="Share",
            description="Alert where less than this share of what was expected came.",
        ),
        "least": Param(
            10,
            type="number",
            minimum=1,
            title="Least",
            description="Leave out sources from which fewer articles a day are expected.",
        ),
    },
    default_args={"owner": "news"},
    description="Alert when a source brings far less than it uses to.",
    doc_md=__doc__,
    tags=["news"],
)
def watch_volume() -> None:
    """Compare, judge."""

    @task(
        retries=2,
        retry_delay=timedelta(minutes=5),
        on_failure_callback=alert,
        execution_timeout=timedelta(minutes=30),
        multiple_outputs=False,
    )
    def compare(params: dict[str, Any]) -> dict[str, Any]:
        """What fell on the day in which the data interval begins."""
        from dataclasses import asdict

        from pipeline.config import Settings
        from pipeline.store.connection.engine import open_archive, reading
        from pipeline.store.queries.volume import load_volume

        context = get_current_context()
        begin = context.get("data_interval_start") or context["dag_run"].run_after
        with open_archive(Settings.from_env(os.environ)) as engine, reading(engine) as connection:
            volume = load_volume(connection, begin.astimezone(UTC).date())
        drops = [asdict(source) for source in volume.drops(params["share"], params["least"])]
        return {
            "day": volume.day.isoformat(),
            "sources": len(volume.sources),
            "silent": volume.is_silent,
            "drops": drops[:SHOWN],
            "dropped": len(drops),
        }

    @task(retries=0, on_failure_callback=alert, execution_timeout=timedelta(minutes=5))
    def judge(volume: dict[str, Any]) -> None:
        """Fail where there is something to tell."""
        if warning := verdict(volume):
            raise AirflowFailException(warning)

    judge(compare())


def verdict(volume: dict[str, Any]) -> str | None:
    """The alert; None where all is as expected."""
    if volume["silent"]:
        return f"{volume['day']}: no source announced anything. Is the ingestion running?"
    if not volume["dropped"]:
        return None
    lines = [
        f"{drop['source']}: {drop['stored']} of {drop['expected']:.0f} expected"
        f" ({drop['announced']} announced, {drop['failed']} failed)"
        for drop in volume["drops"]
    ]
    more = volume["dropped"] - len(lines)
    lines += [f"and {more} more"] if more else []
    return f"{volume['day']}: {volume['dropped']} of {volume['sources']} sources fell\n" + "\n".join(lines)


watch_volume()
