"""Poll the feeds that are due, fetch the pages that they announce, keep the articles: every hour.

**What runs.** `plan` counts what is due and how many workers that calls for (one for each fifty pages, or for as many
hosts as a worker talks to at once, and no more than there are hosts); `ingest` runs once for each worker; `report` adds
up what they did and says whether the run is green. Workers are equal: each claims due hosts through SQL until nothing
is left, at first no more than its part of them.
There is no list of feeds to hand out, so a worker that dies holds nobody up. Only counts pass between the tasks.

**When.** Hourly, with the hour as data interval; one run at a time; hours that were missed are not made up for (a feed
shows its present, not its past). A run with nothing due is green after a few seconds.

**By hand.** *Trigger* asks for the number of workers, a page budget, and whether to poll every feed now, due or not.

**When it fails**

* *`plan` is red*: the news database cannot be reached, was not migrated (`news db upgrade`), or a `NEWS_*` setting is
  wrong (`news config`). The log's last line says which. Nothing was claimed.
* *One `ingest` is red, the run is green*: a worker was killed or ran out of time. Nothing is lost: its claims lapse
  after `NEWS_LEASE` seconds and another worker, or the next run, takes them. Look at its log if it happens again.
* *All `ingest` are red*: the database went away, the disk is full, or there is a bug; the log has the traceback.
  A database that is away is tried again twice; a wrong setting or a bug (`ValueError`, `TypeError`) is not.
* *`report` is red, `ingest` is green*: more than half of the polls failed. One broken feed never does that; no way
  out to the network does. `news status` lists the failures by reason.
* *The run is red, its tasks are skipped*: its 55 minutes were over, since tasks waited for a place, or for a worker
  that had died.
* *A worker runs out of time each hour*: more is due than fits into the hour. Give a page budget (`pages`), so that the
  run ends by itself, or more workers on other machines.

Running it again is always safe: what is stored is not stored twice. The asset `news_articles` is updated by green runs
only; a DAG that is scheduled on it should ask SQL what changed since it last looked.
"""

import logging
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypedDict

from airflow.sdk import (
    Asset,
    CronDataIntervalTimetable,
    ExceptionRetryPolicy,
    Param,
    RetryAction,
    RetryRule,
    dag,
    get_current_context,
    task,
)
from airflow.sdk.exceptions import AirflowFailException

sys.path.append(str(Path(__file__).resolve().parents[1]))  # a checkout in which the package is not installed

from dags.alerts import alert, alert_late

ARTICLES = Asset("news_articles")
"""Updated by each green run; its event carries the counts and the data interval."""

MAX_FAILED_POLLS = 0.5
"""Share of polls that may fail in a green run: feeds break one by one, a network breaks for all of them."""

MIN_POLLS = 10
"""Fewest polls that the share is taken of: below, a few broken feeds that happen to be due together would be red."""

RETRIES = ExceptionRetryPolicy(
    rules=[
        RetryRule(
            exception=[ValueError, TypeError, "pipeline.errors.ConfigError", "sqlalchemy.exc.ProgrammingError"],
            action=RetryAction.FAIL,
            reason="trying again cannot help: a setting, a migration or the code is wrong",
        ),
        RetryRule(
            exception="airflow.sdk.exceptions.AirflowTaskTimeout",
            action=RetryAction.FAIL,
            reason="the hour is used up; the next run goes on with what is left",
        ),
        RetryRule(
            exception=["sqlalchemy.exc.DBAPIError", ConnectionError, TimeoutError],
            retry_delay=timedelta(seconds=30),
            reason="the database or the network is away",
        ),
    ]
)

log = logging.getLogger(__name__)


TASK_PAGES = 50
"""Pages that are worth a task of their own: fetching and reading them takes longer than starting it."""

FEED_PAGES = 10
"""Pages that a due feed counts for: what it announces is not known yet."""


class Share(TypedDict):
    """What one worker is told: its number, of how many, its part of the page budget (None: no budget) and of the hosts.

    The hosts are those that it takes on at once while others may still be starting.
    """

    worker: int
    of: int
    pages: int | None
    hosts: int


def shares(hosts: int, at_once: int, work: int, workers: int, pages: int | None) -> list[Share]:
    """One share for each worker that is called for, at most ``workers``; none where nothing is due.

    ``work`` is what is due, in pages; a worker talks to ``at_once`` hosts at the same time, and a host to one worker
    only: more workers than hosts would find nothing to claim. No worker gets an empty budget.
    """
    called_for = max(-(-work // TASK_PAGES), -(-hosts // at_once))
    count = min(workers, hosts, called_for, workers if pages is None else pages)
    return [
        Share(
            worker=n + 1,
            of=count,
            pages=None if pages is None else (pages + count - 1 - n) // count,
            hosts=-(-hosts // count),
        )
        for n in range(count)
    ]


@dag(
    schedule=CronDataIntervalTimetable("0 * * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(minutes=55),
    on_failure_callback=alert_late,
    default_args={"retries": 2, "retry_delay": timedelta(seconds=30), "retry_policy": RETRIES, "owner": "news"},
    description="Poll the feeds that are due, fetch what they announce, keep the articles.",
    params={
        "workers": Param(
            4, type="integer", minimum=1, maximum=16, title="Workers", description="At most this many at once."
        ),
        "pages": Param(
            None,
            type=["integer", "null"],
            minimum=1,
            title="Page budget",
            description="Pages to fetch in this run, all workers together. Empty: all that are due.",
        ),
        "poll_all": Param(
            False, type="boolean", title="Poll every feed now", description="Whether its time has come or not."
        ),
    },
    doc_md=__doc__,
    tags=["news"],
)
def ingest_hourly() -> None:
    """Plan, ingest (mapped over the workers), report."""

    @task(execution_timeout=timedelta(minutes=5), multiple_outputs=False)
    def plan(params: dict[str, Any]) -> list[Share]:
        """Count what is due; one share for each worker that it calls for."""
        from pipeline import ingest as flow
        from pipeline.config import Settings

        settings = Settings.from_env(os.environ)
        due = flow.plan_ingest(settings, poll_all=params["poll_all"])
        work = due.pages + FEED_PAGES * due.feeds
        parts = shares(due.hosts, settings.concurrency, work, params["workers"], params["pages"])
        log.info("%d feeds and %d pages on %d hosts are due: %d workers", due.feeds, due.pages, due.hosts, len(parts))
        return parts

    # The time-out leaves room for `plan`, `report` and a late start within the run's own.
    @task(execution_timeout=timedelta(minutes=45), map_index_template="{{ worker }}", multiple_outputs=False)
    def ingest(share: Share) -> dict[str, int]:
        """Claim, fetch and store until nothing is due or the budget is spent."""
        get_current_context()["worker"] = f"worker {share['worker']} of {share['of']}"  # type: ignore[typeddict-unknown-key]
        from pipeline import ingest as flow
        from pipeline.config import Settings

        settings, hosts = Settings.from_env(os.environ), share["hosts"] if share["of"] > 1 else None
        return flow.run_ingest(settings, max_pages=share["pages"], first_hosts=hosts).as_dict()

    @task(
        trigger_rule="all_done",
        on_failure_callback=alert,
        execution_timeout=timedelta(minutes=5),
        outlets=[ARTICLES],
        multiple_outputs=False,
    )
    def report(planned: list[Share] | None, done: list[dict[str, int]] | None) -> dict[str, int]:
        """Add up the counts, tell the asset, and fail where the run was not good enough."""
        if planned is None:
            raise AirflowFailException("plan failed: its log says why")
        counts = add_up(list(done or []))
        verdict = judge(len(planned), counts)
        log.info("%s: %s", verdict or "good", counts)
        if verdict:
            raise AirflowFailException(verdict)
        context = get_current_context()
        interval = {name: _iso(context.get(name)) for name in ("data_interval_start", "data_interval_end")}
        context["outlet_events"][ARTICLES].extra = {**counts, **interval}
        return counts

    planned = plan()
    report(planned, ingest.expand(share=planned))


def add_up(done: list[dict[str, int]]) -> dict[str, int]:
    """The workers' counts summed by name, and under ``workers`` how many of them came to their end."""
    counts = {"workers": len(done)}
    for part in done:
        for name, count in part.items():
            counts[name] = counts.get(name, 0) + count
    return counts


def judge(workers: int, counts: dict[str, int]) -> str | None:
    """Why the run is red; None when it is green."""
    if workers and not counts["workers"]:
        return f"none of the {workers} workers came to its end"
    polls, failed = counts.get("polls", 0), counts.get("polls_failed", 0)
    if polls >= MIN_POLLS and failed > MAX_FAILED_POLLS * polls:
        return f"{failed} of {polls} polls failed: is there a way out to the network? See `news status`"
    return None


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


ingest_hourly()
