"""The flow of a backfill: claim units until none is left, then fetch what they queued; any number of workers share it.

Units are listed first and pages fetched afterwards: the pages of one host are requested one at a time anyway, and an
archive's index is mostly read long before its pages are. A worker that finds nothing to claim waits while others work.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from pipeline.backfill.archived_feeds import read_feed_unit
from pipeline.backfill.ccnews import read_month_unit
from pipeline.backfill.job_runner import Findings, JobRunner
from pipeline.backfill.saved_pages import read_folder_unit
from pipeline.backfill.sitemaps import read_site_unit, read_sitemap_unit
from pipeline.backfill.warc_files import read_file_unit
from pipeline.backfill.wayback import read_query_unit
from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.ingest.work_loop import PATIENCE, renewing_leases, work_through
from pipeline.model import Address
from pipeline.runtime.asking_parts import SessionEnded, without_pause
from pipeline.runtime.events import Listener, Tally, Totals
from pipeline.runtime.run import Clock, complete_run, open_run, recover_leases, utc_now
from pipeline.runtime.stop import Stop, start_task
from pipeline.store.backfill.job_units import claim_unit
from pipeline.store.backfill.job_values import BackfillJob, BackfillRequest, BackfillUnit, JobProgress
from pipeline.store.backfill.jobs import finish_job, list_failed_units, load_job, load_job_progress, open_job
from pipeline.store.connection.engine import open_archive, reading, write
from pipeline.store.frontier.due_work import Scope
from pipeline.store.frontier.leases import release_leases

Reader = Callable[[JobRunner, BackfillUnit], Awaitable[None]]

READERS: Mapping[str, Reader] = {
    "site": read_site_unit,
    "sitemap": read_sitemap_unit,
    "file": read_file_unit,
    "folder": read_folder_unit,
    "query": read_query_unit,
    "month": read_month_unit,
    "feed": read_feed_unit,
}
"""The reader of each kind of unit; it records the outcome, and raises no error that is the source's fault."""

WHOLE = frozenset({"file", "folder"})
"""Kinds of units that hold the pages themselves: reading one at a time keeps all cores busy."""

LOOK = 1.0
"""Seconds between two checks of what the other workers of a job have left."""


@dataclass(frozen=True, slots=True)
class BackfillResult:
    """The outcome of one run of a backfill.

    Attributes:
        counts: outcomes of all units of the job, added up.
        totals: what this run fetched and stored.
        findings: what this run came across.
        units: the job's units by state.
        waiting: pages of the job that are to be tried later.
        next_at: when the next unit or page is due; None when nothing is left.
        troubles: the units that failed.
    """

    job: int
    is_done: bool
    counts: Mapping[str, int]
    totals: Totals
    findings: Findings
    units: Mapping[str, int]
    waiting: int
    next_at: datetime | None
    troubles: list[dict[str, Any]] = field(default_factory=list)


class RateLimit:
    """Lets a given number of pages per second through, evenly spaced."""

    def __init__(self, rate: float, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]]) -> None:
        self._step = 1 / rate
        self._clock = clock
        self._sleep = sleep
        self._next = 0.0

    async def __call__(self) -> None:
        """Wait until the next page may go."""
        now = self._clock()
        self._next = max(self._next + self._step, now)
        await self._sleep(self._next - now)


def begin_job(
    settings: Settings, wanted: BackfillRequest, units: Iterable[tuple[str, str]], *, now: Clock = utc_now
) -> BackfillJob:
    """The unfinished job with this request, or a new one that starts with these units.

    Raises ConfigError: the database is not there, or not at the schema of this version.
    """
    with open_archive(settings) as engine:
        return write(engine, open_job, wanted, units, now())


def run_job(
    settings: Settings,
    job_id: int,
    *,
    rate: float | None = None,
    first: Sequence[int] = (),
    listener: Listener | None = None,
    now: Clock = utc_now,
    collect: Callable[[Sequence[Address]], None] | None = None,
) -> BackfillResult:
    """Work on a job until nothing is left, or what is left has to be tried later.

    At most ``rate`` pages per second are asked for over all hosts, in addition to the politeness towards each.
    Units of ``first`` are begun with, when several workers share a job. ``collect`` is called with the pages that
    the units of a dry run list.

    Raises ConfigError: the database is not there, or there is no such job.
    """
    with open_archive(settings) as engine:
        write(engine, recover_leases, now(), settings.max_attempts)
        with reading(engine) as connection:
            job = load_job(connection, job_id)
        if job is None:
            raise ConfigError(f"there is no backfill {job_id}; `news backfill list` shows those there are")
        scope = Scope(now(), settings.max_attempts, poll=False, backfill=job.id)

        async def run(stop: Stop) -> BackfillResult:
            pace = RateLimit(rate, asyncio.get_running_loop().time, stop.sleep) if rate else without_pause
            async with open_run(settings, engine, scope, Tally(listener), stop, now, pace) as context:
                return await _run(JobRunner(context, job, first, collect))

        return complete_run(run)


async def _run(runner: JobRunner) -> BackfillResult:
    state = await _work(runner)
    troubles = await runner.context.database.read(list_failed_units, runner.job.id)
    if state.is_done:
        await runner.context.database.write(finish_job, runner.job, runner.now)
    due = [at for at in (state.next_unit_at, state.next_page_at) if at is not None]
    return BackfillResult(
        job=runner.job.id,
        is_done=state.is_done,
        counts=state.counts,
        totals=runner.context.tally.totals,
        findings=runner.findings,
        units=state.units,
        waiting=state.waiting,
        next_at=min(due, default=None),
        troubles=troubles,
    )


async def _work(runner: JobRunner) -> JobProgress:
    """Work until nothing is left that is due soon, or the run is asked to stop."""
    context = runner.context
    while True:
        await _read_units(runner)
        if not runner.job.wanted.dry:
            await work_through(replace(context, scope=replace(context.scope, until=runner.now)), None)
        state = await context.database.read(load_job_progress, runner.job.id, runner.now)
        pages_at = None if runner.job.wanted.dry else state.next_page_at
        due = min((at for at in (state.next_unit_at, pages_at) if at is not None), default=None)
        if state.is_done or context.stop.is_asked or (not state.held and (due is None or due > runner.now + PATIENCE)):
            return state
        if due is not None and due <= runner.now + PATIENCE:
            # Due, and yet not claimed: another worker holds its host.
            await context.stop.sleep(min(max((due - runner.now).total_seconds(), 0.1), PATIENCE.total_seconds()))
        else:
            await context.stop.sleep(LOOK)


async def _read_units(runner: JobRunner) -> None:
    """Claim and read units, several at a time, until no more are due."""
    tasks: set[asyncio.Task[None]] = set()
    context = runner.context
    most = context.settings.concurrency
    async with renewing_leases(context), asyncio.TaskGroup() as group:
        try:
            while True:
                unit = await _claim(runner) if len(tasks) < most and not context.stop.is_asked else None
                if unit is not None:
                    most = 1 if unit.kind in WHOLE else context.settings.concurrency
                    tasks.add(start_task(group, _read(runner, unit)))
                elif tasks:
                    _, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                else:
                    return
        finally:
            await context.database.write(release_leases, context.owner, count_attempt=False)


async def _claim(runner: JobRunner) -> BackfillUnit | None:
    context = runner.context
    return await context.database.write(
        claim_unit, runner.job.id, context.owner, runner.now, context.settings.lease, runner.first
    )


async def _read(runner: JobRunner, unit: BackfillUnit) -> None:
    with suppress(SessionEnded):  # the run stops, and gives back what it has claimed
        await READERS[unit.kind](runner, unit)


def sum_counts(results: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Add up counts by name."""
    total: Counter[str] = Counter()
    for counts in results:
        total.update(counts)
    return dict(total)
