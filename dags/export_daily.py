"""Write the articles that were first stored on a day into a Parquet file, each day.

**What runs.** `export` writes `day=YYYY-MM-DD/articles.parquet` below the folder `NEWS_EXPORT_DIR`, one file for the
UTC day of the data interval, as it is now: later edits of an article are in the export by cursor (`news export
--cursor`), not here. The file appears when it is whole, and the asset `news_daily_files` is told its name and counts.

**When.** Daily, after midnight UTC. Days that were missed are made up for by a backfill:
`airflow backfill create --dag-id export_daily --from-date 2026-11-01 --to-date 2026-11-30`.

**When it fails**

* *A `NEWS_*` setting, or a library that is missing* (`pip install duckdb pyarrow`): the log's last line says
  which; it is not tried again.
* *The database or the disk*: it is tried twice more. What was there before stays: a day is replaced as a whole.

The notifiers of `NEWS_ALERTS` (`dags/alerts.py`) are told of it.

Running it again is always safe: a day is one file, and the same day makes the same rows.
"""

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import Asset, CronDataIntervalTimetable, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

sys.path.append(str(Path(__file__).resolve().parents[1]))  # a checkout in which the package is not installed

from dags.alerts import alert, alert_late

FILES = Asset("news_daily_files")
"""Updated when the file of a day is there; its event carries the path, the counts and the data interval."""


@dag(
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    is_paused_upon_creation=True,  # turn it on where it is wanted
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=4),
    on_failure_callback=alert_late,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5), "owner": "news"},
    description="Write a Parquet file for each day.",
    doc_md=__doc__,
    tags=["news"],
)
def export_daily() -> None:
    """One task."""

    @task(on_failure_callback=alert, execution_timeout=timedelta(hours=1), outlets=[FILES], multiple_outputs=False)
    def export() -> dict[str, Any]:
        """Write the file of the day in which the data interval begins."""
        from pipeline.config import Settings
        from pipeline.errors import ConfigError
        from pipeline.export import export_day

        context = get_current_context()
        begin = context.get("data_interval_start") or context["dag_run"].run_after
        try:
            done = export_day(Settings.from_env(os.environ), begin.astimezone(UTC).date())
        except ConfigError as error:
            raise AirflowFailException(str(error)) from error
        told = {"day": f"{begin:%Y-%m-%d}", "rows": done.rows, "bytes": done.bytes, "file": str(done.files[0])}
        context["outlet_events"][FILES].extra = told
        return told

    export()


export_daily()
