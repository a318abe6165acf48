"""Poll feeds as they fall due, and keep what they announce: a run each half minute at most, beside `ingest_hourly`.

**What runs.** `ingest` does what is due and ends. It claims its work through SQL as any other worker does:
`ingest_hourly`, `news watch` and this take nothing twice from each other.

**When.** The asset `news_feeds_due` has a watcher in the triggerer, which asks SQL each five seconds whether anything
is due, and fires; not again for half a minute. One run at a time. Needs the triggerer; off until you turn it on.

**What it costs.** Each run starts a process that imports the pipeline and its readers, even where one feed is due.
`news watch` pays that once and takes articles up within seconds: prefer it, unless Airflow is to see each run
(docs/watch.md has figures).

**When it fails**

* *Nothing runs*: the triggerer is not there, or cannot import `dags.feeds_due` (its log says so: the folder above
  `dags` belongs on PYTHONPATH).
* *`ingest` is red*: the database went away, or a `NEWS_*` setting is wrong; the log's last line says which. Nothing is
  lost: the next event, or `ingest_hourly`, goes on. A run that fails alerts nobody, since there may be one a minute:
  `ingest_hourly` and `watch_health` do. One whose time is up does.
"""

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.sdk import Asset, AssetWatcher, dag, get_current_context, task

sys.path.append(str(Path(__file__).resolve().parents[1]))  # a checkout in which the package is not installed

from dags.alerts import alert_late
from dags.feeds_due import FeedsDueTrigger

FEEDS_DUE = Asset("news_feeds_due", watchers=[AssetWatcher(name="feeds_due", trigger=FeedsDueTrigger())])
ARTICLES = Asset("news_articles")


@dag(
    schedule=[FEEDS_DUE],
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    is_paused_upon_creation=True,  # turn it on where it is wanted
    max_active_runs=1,
    dagrun_timeout=timedelta(minutes=55),
    on_failure_callback=alert_late,
    default_args={"owner": "news"},
    description="Poll feeds as they fall due, and keep what they announce.",
    doc_md=__doc__,
    tags=["news"],
)
def ingest_stream() -> None:
    """Ingest."""

    @task(retries=1, retry_delay=timedelta(seconds=30), execution_timeout=timedelta(minutes=45), outlets=[ARTICLES],
          multiple_outputs=False)  # fmt: skip
    def ingest() -> dict[str, int]:
        """Claim, fetch and store until nothing is due."""
        from pipeline import ingest as flow
        from pipeline.config import Settings

        settings = Settings.from_env(os.environ)
        flow.plan_ingest(settings)
        counts = flow.run_ingest(settings, is_endless=True).as_dict()
        get_current_context()["outlet_events"][ARTICLES].extra = counts
        return counts

    ingest()


ingest_stream()
