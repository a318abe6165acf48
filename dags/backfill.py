"""Fill the archive backwards, day by day.

**What runs.** `plan` → `fill` (mapped over the units of the source, such as sites or files: a worker for each, up to
the param) → `report`. The source and the site are params; the range of a run is its data interval, one day in UTC,
half-open. Pages go through the same frontier, cleaning and ledger as in `ingest_hourly`; what is had already is neither
fetched nor stored again.

**When.** For a range of days, several at a time, and again as often as you like:

    airflow backfill create --dag-id backfill_archive --max-active-runs 4
        --from-date 2026-03-01 --to-date 2026-03-31 --dag-run-conf '{"source": "sitemap", "site": "example.org"}'

A run started by hand, from the form, takes the last full day. The runs that the scheduler starts each midnight ask for
nothing unless the params are given defaults: they are green at once, skip `report`, and do not update the asset. The
schedule is there because only a DAG with one has days that can be backfilled.
`--reprocess-behavior completed` goes over days again.

**How it shares.** Tasks run in the pool that `NEWS_BACKFILL_POOL` names (made by `airflow pools set news_backfill 4
Backfills`), with less weight than live ones. Hosts are leased through SQL: one request at a time to each, whatever
runs. Pages wait in the frontier behind what is live.

**When it fails.** Tasks are tried again by themselves, and go on where they were: progress is kept per unit, in SQL.
*Every unit failed*: the log of `report` names them with their reasons; so does `news backfill show JOB`. *Red with
"database"*: `news db upgrade`. A run that left pages to be tried later is green; `news backfill resume JOB`, or the
same day again, takes them up. A killed worker's units are free again after `NEWS_LEASE` seconds at most.
"""

import logging
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypedDict

from airflow.sdk import Asset, CronDataIntervalTimetable, Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

sys.path.append(str(Path(__file__).resolve().parents[1]))  # a checkout in which the package is not installed

ARTICLES = Asset("news_articles")
POOL = os.environ.get("NEWS_BACKFILL_POOL", "").strip() or "default_pool"
SOURCES = ["sitemap", "wayback", "feed", "warc", "ccnews", "html"]

log = logging.getLogger(__name__)


class Share(TypedDict):
    """What one worker is told: the job, its first unit, its number, of how many."""

    job: int
    unit: int
    worker: int
    of: int


def shares(job: int, units: list[int], workers: int) -> list[Share]:
    """A share for each unit, up to so many workers; a worker goes on with whatever unit is left."""
    taken = units[:workers]
    return [Share(job=job, unit=unit, worker=n + 1, of=len(taken)) for n, unit in enumerate(taken)]


@dag(
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=datetime(1990, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=8,
    default_args={
        "retries": 2,
        "retry_delay": timedelta(seconds=30),
        "pool": POOL,
        "priority_weight": 1,
        "owner": "news",
    },
    description="Fill the archive with the past, for the days that you ask for.",
    params={
        "source": Param("sitemap", type="string", enum=SOURCES, title="Source"),
        "site": Param(
            "",
            type="string",
            title="Site",
            description="Sites, addresses or files, separated by blanks or commas. Not needed for ccnews.",
        ),
        "sites": Param("", type="string", title="Only of these sites", description="For archives of many sites."),
        "languages": Param("", type="string", title="Only in these languages", description="ISO 639-1, such as en,de."),
        "limit": Param(None, type=["integer", "null"], minimum=1, title="Pages at most"),
        "workers": Param(2, type="integer", minimum=1, maximum=16, title="Workers"),
    },
    doc_md=__doc__,
    tags=["news"],
)
def backfill_archive() -> None:
    """Plan, fill (mapped over the units), report."""

    @task(execution_timeout=timedelta(minutes=10), multiple_outputs=False)
    def plan(params: dict[str, Any]) -> list[Share]:
        """Open the job of this day, or go on with it."""
        from pipeline import backfill
        from pipeline.config import Settings

        context = get_current_context()
        begin, end = context.get("data_interval_start"), context.get("data_interval_end")
        if begin is None or end is None:
            raise AirflowFailException("this run has no data interval: start it with a logical date")
        if not params["site"].strip() and params["source"] != "ccnews":
            log.info("no site is named: there is nothing to fill")
            return []
        settings = Settings.from_env(os.environ)
        job = backfill.begin_day(settings, params, begin, end)
        parts = shares(job, backfill.open_units(settings, job), params["workers"])
        log.info("backfill %d from %s up to %s: %d workers", job, begin, end, len(parts))
        return parts

    @task(execution_timeout=timedelta(hours=12), map_index_template="{{ worker }}", multiple_outputs=False)
    def fill(share: Share) -> dict[str, Any]:
        """Claim units, list, fetch and store until nothing of the job is left that is due."""
        name = f"worker {share['worker']} of {share['of']}"
        get_current_context()["worker"] = name  # type: ignore[typeddict-unknown-key]
        from pipeline import backfill
        from pipeline.config import Settings

        result = backfill.run_job(Settings.from_env(os.environ), share["job"], first=[share["unit"]])
        return {"job": result.job, "pages": result.totals.as_dict(), "units": dict(result.units)}

    @task(trigger_rule="all_done", execution_timeout=timedelta(minutes=10), outlets=[ARTICLES], multiple_outputs=False)
    def report(planned: list[Share] | None, done: list[dict[str, Any]] | None) -> dict[str, int]:
        """Add up what the workers did and update the asset; fail where every unit did, skip where there was none."""
        if planned is None:
            raise AirflowFailException("plan failed: its log says why")
        if not planned:
            raise AirflowSkipException("nothing was to be filled: the asset is not updated")
        from pipeline import backfill

        ended = list(done or [])
        counts = backfill.sum_counts(part["pages"] for part in ended)
        verdict = judge(len(planned), [part["units"] for part in ended])
        log.info("%s: %s", verdict or "good", counts)
        if verdict:
            raise AirflowFailException(verdict)
        context = get_current_context()
        interval = {name: context[name].isoformat() for name in ("data_interval_start", "data_interval_end")}
        context["outlet_events"][ARTICLES].extra = {**counts, **interval}
        return counts

    planned = plan()
    report(planned, fill.expand(share=planned))


def judge(workers: int, units: list[dict[str, int]]) -> str | None:
    """Why the run is red; None when it is green."""
    if workers and not units:
        return f"none of the {workers} workers came to its end"
    if units and all(part.get("failed") and not part.get("done") and not part.get("queued") for part in units):
        return "every unit failed: is the site right, and a way out to the network? See `news backfill show`"
    return None


backfill_archive()
