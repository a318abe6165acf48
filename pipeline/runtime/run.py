"""Starting a run: everything that it works with, opened in order and closed again, and its end by a signal."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import structlog
from sqlalchemy.engine import Connection, Engine

from pipeline.config import Settings
from pipeline.errors import ungrouped
from pipeline.fetch import Fetcher
from pipeline.fetch.response_journal import ResponseJournal
from pipeline.runtime.asking_parts import AskingParts, without_pause
from pipeline.runtime.context import Database, RunContext
from pipeline.runtime.events import Event, Tally
from pipeline.runtime.host_ledger import MemoryHostLedger, SqlHostLedger
from pipeline.runtime.lease_owner import LeaseOwner, is_dead, is_of_this_process
from pipeline.runtime.metrics import exporting
from pipeline.runtime.polite_client import PATIENCE, PoliteClient
from pipeline.runtime.raw_recorder import open_recorder
from pipeline.runtime.stop import SIGNALS, Stop, exit_by_signal
from pipeline.runtime.workers import Workers
from pipeline.store.connection.engine import read
from pipeline.store.frontier.due_work import Scope, load_queue
from pipeline.store.frontier.leases import release_dead
from pipeline.store.frontier.page_outcomes import give_up_pages
from pipeline.store.frontier.retries import hasten_after_clock, revive_pages

log = structlog.get_logger("news")

Clock = Callable[[], datetime]
T = TypeVar("T")

SLOTS_PER_JOB = 4
"""Pages between network and archive for each extraction process: enough to keep it busy, few enough to keep memory
flat."""


def utc_now() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)


def complete_run(body: Callable[[Stop], Coroutine[Any, Any, T]]) -> T:
    """What the body returns, run in an event loop of its own; a run that a signal ended exits as one does.

    The body is to open its context with the `Stop` that it is given.
    """
    stop = Stop()
    with exit_by_signal(stop), ungrouped():
        return asyncio.run(body(stop))
    raise AssertionError("a run that was stopped exits")


@asynccontextmanager
async def open_run(
    settings: Settings,
    engine: Engine,
    scope: Scope,
    tally: Tally,
    stop: Stop,
    now: Clock = utc_now,
    pace: Callable[[], Awaitable[None]] = without_pause,
    *,
    serve_metrics: bool = False,
) -> AsyncIterator[RunContext]:
    """The context of one run, within an event loop; signals ask its ``stop`` from here on.

    ``pace`` waits until a page may be fetched, where the run is to be slower than its hosts allow. ``serve_metrics``
    lets Prometheus ask for what is measured, where the settings say so.

    Raises:
        ConfigError: metrics cannot go where the settings want them.
    """
    _heed_signals(stop, tally)
    database, owner = Database(engine), str(LeaseOwner.new())
    try:
        async with (
            _open_metrics(settings, engine, scope, now, serve=serve_metrics),
            open_recorder(settings, database, now) as recorder,
            _open_journal(settings, stop) as journal,
            Fetcher(settings, keep=recorder is not None, journal=journal) as fetcher,
            Workers(settings.jobs, settings.extract_timeout, **settings.reading_options) as workers,
        ):
            ledger, slots = (
                SqlHostLedger(database, owner, settings.lease),
                asyncio.Semaphore(workers.jobs * SLOTS_PER_JOB),
            )
            parts = AskingParts(settings, fetcher, ledger, now, stop, slots, pace, journal)
            yield RunContext(settings, database, PoliteClient(parts), workers, scope, owner, tally, recorder)
    finally:
        database.close()


@asynccontextmanager
async def open_client(settings: Settings) -> AsyncIterator[PoliteClient]:
    """A polite client for one command, which needs no archive: what it knows of hosts ends with it."""
    async with Fetcher(settings) as fetcher:
        yield PoliteClient(AskingParts(settings, fetcher, MemoryHostLedger(), utc_now), PATIENCE)


def recover_leases(connection: Connection, now: datetime, max_attempts: int) -> None:
    """Put back what dead workers left behind and what may be had again, and give up what has had all its attempts.

    Where the clock has gone back, what waits for a time that it showed before is due now; that is logged.
    """
    release_dead(connection, is_dead)
    if ahead := hasten_after_clock(connection, now):
        log.warning(
            "run", outcome="clock_ahead", rows=ahead, detail="the clock was ahead: what waited for it is due now"
        )
    give_up_pages(connection, now, max_attempts)
    revive_pages(connection, now, max_attempts)


def recover_own_leases(connection: Connection) -> None:
    """Put back what this process holds, of which nothing is under way: it could not when the database went away."""
    release_dead(connection, is_of_this_process, count_attempt=False)


@asynccontextmanager
async def _open_metrics(
    settings: Settings, engine: Engine, scope: Scope, now: Clock, *, serve: bool
) -> AsyncIterator[None]:
    def load() -> dict[str, float]:
        at = now()
        return read(engine, load_queue, replace(scope, until=at), at)

    with exporting(settings, load, serve=serve):
        yield


@asynccontextmanager
async def _open_journal(settings: Settings, stop: Stop) -> AsyncIterator[ResponseJournal | None]:
    """A journal for one run, with the answers that a process which died has left."""
    folder = settings.journal_folder
    if folder is None:
        yield None
        return
    journal = ResponseJournal(Path(folder))
    journal.open()
    is_done = False
    try:
        yield journal
        is_done = not stop.is_asked
    finally:
        journal.close(is_done=is_done)


def _heed_signals(stop: Stop, tally: Tally) -> None:
    """End the run in order when a signal asks for it, and at once when one does so again."""
    task = asyncio.current_task()

    def end(number: int) -> None:
        if stop.signal in SIGNALS and task is not None:
            task.cancel()
            return
        stop.ask(number)
        tally.report(Event("run", "", "stopping"))

    for number in SIGNALS:
        # Elsewhere than in the main thread, or on a system without signals, there is no handler to set.
        with suppress(RuntimeError, ValueError, NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(number, end, number)
