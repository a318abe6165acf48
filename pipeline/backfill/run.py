"""The flow of a backfill: claim units until none is left, then fetch what they queued; any number of workers share it.

List, then fetch: pages of one host are asked for one at a time anyhow, and an archive's index is mostly read long
before its pages are. A worker that finds nothing to claim waits for the others while they are at the job.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Engine

from pipeline.backfill.ccnews import read_month
from pipeline.backfill.desk import Desk, Findings
from pipeline.backfill.feeds import read_feed
from pipeline.backfill.saved import read_folder
from pipeline.backfill.sitemaps import read_site, read_sitemap
from pipeline.backfill.warc import read_file
from pipeline.backfill.wayback import read_query
from pipeline.config import Settings
from pipeline.errors import ConfigError, ungrouped
from pipeline.ingest import Clock, Listener, Totals, open_context, recover, utc_now
from pipeline.ingest.context import at_once
from pipeline.ingest.events import Tally
from pipeline.ingest.stop import Stop, terminable
from pipeline.ingest.visit import VisitOver
from pipeline.ingest.worker import PATIENCE, staying_alive, work
from pipeline.model import Address
from pipeline.store.backfill import (
    Job,
    State,
    Unit,
    Wanted,
    claim_unit,
    failed_units,
    finish_job,
    job_state,
    load_job,
    open_job,
)
from pipeline.store.engine import open_engine, reading, write
from pipeline.store.frontier import Scope, release_leases
from pipeline.store.migrate import require_current

Reader = Callable[[Desk, Unit], Awaitable[None]]

READERS: Mapping[str, Reader] = {
    "site": read_site,
    "sitemap": read_sitemap,
    "file": read_file,
    "folder": read_folder,
    "query": read_query,
    "month": read_month,
    "feed": read_feed,
}
"""Who reads a unit of a kind; each records what it came to, and raises nothing that is the source's."""

WHOLE = frozenset({"file", "folder"})
"""Kinds of units that hold the pages themselves: one at a time keeps all cores busy."""

LOOK = 1.0
"""Seconds between two looks at what the other workers of a job have left."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a run of a backfill came to.

    Attributes:
        counts: what the job's units came to altogether, by outcome.
        totals: what this run fetched and stored.
        findings: what this run met.
        units: the job's units by state.
        waiting: pages of the job that are to be tried later.
        next_at: when the next of what is left is due; None where nothing is left.
        troubles: units that something went wrong with.
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


class Pace:
    """Lets so many pages a second pass, evenly."""

    def __init__(self, rate: float, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]]) -> None:
        self._step = 1 / rate
        self._clock = clock
        self._sleep = sleep
        self._next = 0.0

    async def __call__(self) -> None:
        """Wait for the turn."""
        now = self._clock()
        self._next = max(self._next + self._step, now)
        await self._sleep(self._next - now)


def begin(settings: Settings, wanted: Wanted, units: Iterable[tuple[str, str]], *, now: Clock = utc_now) -> Job:
    """The job that asks for this: the one that is under way, or a new one with these first units.

    Raises:
        ConfigError: the database is not there, or not at the schema of this version.
    """
    engine = open_engine(settings.database_url)
    try:
        require_current(engine)
        return write(engine, open_job, wanted, units, now())
    finally:
        engine.dispose()


def run(
    settings: Settings,
    job_id: int,
    *,
    rate: float | None = None,
    first: Sequence[int] = (),
    listener: Listener | None = None,
    now: Clock = utc_now,
    collect: Callable[[Sequence[Address]], None] | None = None,
) -> Result:
    """Do what is left of a job, until nothing is or it has to be tried later.

    Args:
        settings: where the archive is, and the limits.
        job_id: of `begin`.
        rate: pages a second at most, over all hosts; politeness towards each holds besides.
        first: ids of units to begin with, where several workers share a job.
        listener: called with every outcome.
        now: the clock.
        collect: called with the pages that the units of a dry run list.

    Raises:
        ConfigError: the database is not there, or there is no such job.
    """
    engine = open_engine(settings.database_url)
    try:
        require_current(engine)
        write(engine, recover, now(), settings.max_attempts)
        with reading(engine) as connection:
            job = load_job(connection, job_id)
        if job is None:
            raise ConfigError(f"there is no backfill {job_id}; `news backfill list` shows those there are")
        tally, stop = Tally(listener), Stop()
        with terminable(stop), ungrouped():
            return asyncio.run(_run(settings, engine, job, rate, first, tally, now, collect, stop))
        raise AssertionError("a run that was stopped exits")
    finally:
        engine.dispose()


async def _run(
    settings: Settings,
    engine: Engine,
    job: Job,
    rate: float | None,
    first: Sequence[int],
    tally: Tally,
    now: Clock,
    collect: Callable[[Sequence[Address]], None] | None,
    stop: Stop,
) -> Result:
    pace = Pace(rate, asyncio.get_running_loop().time, stop.sleep) if rate else at_once
    scope = Scope(now(), settings.max_attempts, poll=False, backfill=job.id)
    async with open_context(settings, engine, scope, tally, now, stop, pace) as context:
        desk = Desk(context, job, first, collect)
        state = await _work(desk)
        troubles = await context.database.read(failed_units, job.id)
        if state.is_done:
            await context.database.write(finish_job, job, now())
        return _result(desk, state, troubles)


def _result(desk: Desk, state: State, troubles: list[dict[str, Any]]) -> Result:
    due = [at for at in (state.next_unit_at, state.next_page_at) if at is not None]
    return Result(
        job=desk.job.id,
        is_done=state.is_done,
        counts=state.counts,
        totals=desk.context.tally.totals,
        findings=desk.findings,
        units=state.units,
        waiting=state.waiting,
        next_at=min(due, default=None),
        troubles=troubles,
    )


async def _work(desk: Desk) -> State:
    """Work until nothing is left, nothing that is due soon, or the run is to end."""
    context = desk.context
    while True:
        await _read_units(desk)
        if not desk.job.wanted.dry:
            await work(replace(context, scope=replace(context.scope, until=desk.now)), None)
        state = await context.database.read(job_state, desk.job.id, desk.now)
        pages_at = None if desk.job.wanted.dry else state.next_page_at
        due = min((at for at in (state.next_unit_at, pages_at) if at is not None), default=None)
        if state.is_done or context.stop.is_asked or (not state.held and (due is None or due > desk.now + PATIENCE)):
            return state
        if due is not None and due <= desk.now + PATIENCE:
            # Due, and yet not taken: another worker talks to its host.
            await context.stop.sleep(min(max((due - desk.now).total_seconds(), 0.1), PATIENCE.total_seconds()))
        else:
            await context.stop.sleep(LOOK)


async def _read_units(desk: Desk) -> None:
    """Claim and read units, several at a time, until no more are due."""
    tasks: set[asyncio.Task[None]] = set()
    context = desk.context
    most = context.settings.concurrency
    async with staying_alive(context), asyncio.TaskGroup() as group:
        try:
            while True:
                unit = await _claim(desk) if len(tasks) < most and not context.stop.is_asked else None
                if unit is not None:
                    most = 1 if unit.kind in WHOLE else context.settings.concurrency
                    tasks.add(group.create_task(_read(desk, unit)))
                elif tasks:
                    _, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                else:
                    return
        finally:
            await context.database.write(release_leases, context.owner, count_attempt=False)


async def _claim(desk: Desk) -> Unit | None:
    context = desk.context
    return await context.database.write(
        claim_unit, desk.job.id, context.owner, desk.now, context.settings.lease, desk.first
    )


async def _read(desk: Desk, unit: Unit) -> None:
    with suppress(VisitOver):  # the run is to end, and gives back what it has claimed
        await READERS[unit.kind](desk, unit)


def summed(results: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Counts added up by name."""
    total: Counter[str] = Counter()
    for each in results:
        total.update(each)
    return dict(total)
