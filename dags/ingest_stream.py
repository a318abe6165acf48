"""Poll feeds as they fall due, and keep what they announce, in runs of five minutes at most, beside `ingest_hourly`.

**What runs.** `ingest` does what is due, goes on with what falls due meanwhile, and ends after five minutes, or sooner
where nothing will be due in the next quarter of a minute. It claims its work through SQL as any other worker does:
`ingest_hourly`, `news watch` and this take nothing twice from each other.

**When.** The asset `news_feeds_due` has a watcher in the triggerer, which asks SQL each five seconds whether anything
is due that nobody is at, and fires; not again for half a minute. A second run begins beside the first where something
has been due for a minute: one worker does not keep up, or died with its machine and Airflow does not know yet. Needs
the triggerer; off until you turn it on.

**What it costs.** Each run starts a process that imports the pipeline and its readers, even where one feed is due.
`news watch` pays that once and takes articles up within seconds: prefer it, unless Airflow is to see each run
(docs/watch.md has figures).

**When it fails**

* *Nothing runs*: the triggerer is not there, or cannot import `dags.feeds_due` (its log says so: the folder above
  `dags` belongs on PYTHONPATH).
* *`ingest` is red*: the database went away, or a `NEWS_*` setting is wrong; the log's last line says which. Nothing is
  lost: it is tried again after five seconds, and the next event, or `ingest_hourly`, goes on. A run that fails alerts
  nobody, since there may be two a minute: `ingest_hourly` and `watch_health` do. One whose time is up does.
* *A worker was killed*: its task is tried again, at once where its machine lives. What it held is free then; of a
  machine that was lost after `NEWS_LEASE` seconds.
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

GOES_ON = timedelta(minutes=5)
"""How long a run takes on what falls due. What waits for `news_articles` hears of it at the end of a run; and between
two runs nothing is polled for some ten seconds."""


@dag(
    schedule=[FEEDS_DUE],
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    is_paused_upon_creation=True,  # turn it on where it is wanted
    max_active_runs=2,  # one that is lost does not hold up the other; leases keep them from doing the same
    dagrun_timeout=timedelta(minutes=55),
    on_failure_callback=alert_late,
    default_args={"owner": "news"},
    description="Poll feeds as they fall due, and keep what they announce.",
    doc_md=__doc__,
    tags=["news"],
)
def ingest_stream() -> None:
    """Ingest."""

    @task(retries=2, retry_delay=timedelta(seconds=5), execution_timeout=timedelta(minutes=45), outlets=[ARTICLES],
          multiple_outputs=False)  # fmt: skip
    def ingest() -> dict[str, int]:
        """Claim, fetch and store what is due and what falls due meanwhile."""
        from pipeline import ingest as flow
        from pipeline.config import Settings

        counts = flow.run_ingest(Settings.from_env(os.environ), goes_on=GOES_ON).as_dict()
        get_current_context()["outlet_events"][ARTICLES].extra = counts
        return counts

    ingest()


ingest_stream()
