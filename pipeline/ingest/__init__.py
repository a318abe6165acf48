"""The flow: poll what is due, fetch what is due, store what comes of it; the clock and the transactions live here.

A run takes on what was due when it began, and what its own polls discover. It may be run any number of times, by any
number of processes on any number of machines at once: all of them claim work from the same database.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.engine import Connection, Engine

from pipeline.config import Settings
from pipeline.errors import ungrouped
from pipeline.fetch import Fetcher
from pipeline.fetch.inbox import Inbox
from pipeline.ingest.context import Context, Database, at_once
from pipeline.ingest.events import Event, Listener, Tally, Totals
from pipeline.ingest.keep import keeping
from pipeline.ingest.owner import Owner, is_dead
from pipeline.ingest.stop import SIGNALS, Stop, terminable
from pipeline.ingest.worker import work
from pipeline.store.engine import open_engine, reading, write
from pipeline.store.feeds import make_feeds_due
from pipeline.store.frontier import Due, Scope, count_due, give_up, release_dead
from pipeline.store.migrate import require_current
from pipeline.workers import Workers

__all__ = ["Due", "Event", "Listener", "Totals", "plan", "run"]

Clock = Callable[[], datetime]
KINDS = frozenset({"poll", "crawl"})

SLOTS_PER_JOB = 4
"""Pages between network and archive for each extraction process: enough to keep it busy, few enough to keep memory
flat."""


def utc_now() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)


def plan(settings: Settings, *, poll_all: bool = False, kinds: frozenset[str] = KINDS, now: Clock = utc_now) -> Due:
    """How much work is due, after putting back what dead workers left behind.

    Args:
        settings: where the archive is, and the limits.
        poll_all: first make every active feed due that is not failing, whatever its interval says.
        kinds: ``poll``, ``crawl`` or both.
        now: the clock.

    Raises:
        ConfigError: the database is not there, or not at the schema of this version.
    """
    engine = open_engine(settings.database_url)
    try:
        require_current(engine)
        write(engine, recover, now(), settings.max_attempts)
        if poll_all:
            write(engine, make_feeds_due, now())
        with reading(engine) as connection:
            return count_due(connection, _scope(settings, kinds, now()), now())
    finally:
        engine.dispose()


def run(
    settings: Settings,
    *,
    kinds: frozenset[str] = KINDS,
    max_pages: int | None = None,
    listener: Listener | None = None,
    now: Clock = utc_now,
) -> Totals:
    """Do what is due, and return the counts when nothing is left to do.

    Args:
        settings: where the archive is, and the limits.
        kinds: ``poll`` for feeds, ``crawl`` for pages, or both.
        max_pages: fetch no more pages than this; the others stay due.
        listener: called with every outcome, in the thread of the run.
        now: the clock.

    Raises:
        ConfigError: the database is not there, or not at the schema of this version.
        sqlalchemy.exc.SQLAlchemyError: the database went away. Nothing is lost: the claims of this run end by
            themselves, and the next run goes on.
    """
    engine = open_engine(settings.database_url)
    try:
        require_current(engine)
        write(engine, recover, now(), settings.max_attempts)
        tally, stop = Tally(listener), Stop()
        with terminable(stop), ungrouped():
            asyncio.run(_run(settings, engine, _scope(settings, kinds, now()), max_pages, tally, now, stop))
        return tally.totals
    finally:
        engine.dispose()


async def _run(
    settings: Settings, engine: Engine, scope: Scope, max_pages: int | None, tally: Tally, now: Clock, stop: Stop
) -> None:
    async with open_context(settings, engine, scope, tally, now, stop) as context:
        await work(context, max_pages)


@asynccontextmanager
async def open_context(
    settings: Settings,
    engine: Engine,
    scope: Scope,
    tally: Tally,
    now: Clock,
    stop: Stop,
    pace: Callable[[], Awaitable[None]] = at_once,
) -> AsyncIterator[Context]:
    """Everything that a run works with, closed in order; within an event loop."""
    _listen(stop, tally)
    database = Database(engine)
    try:
        async with (
            keeping(settings, database, now) as keeper,
            receiving(settings, stop) as inbox,
            Fetcher(settings, keep=keeper is not None, inbox=inbox) as fetcher,
            Workers(settings.jobs, settings.extract_timeout, settings.rules_dir) as workers,
        ):
            yield Context(
                settings,
                database,
                fetcher,
                workers,
                scope,
                owner=str(Owner.new()),
                tally=tally,
                now=now,
                slots=asyncio.Semaphore(workers.jobs * SLOTS_PER_JOB),
                pace=pace,
                keeper=keeper,
                inbox=inbox,
                stop=stop,
            )
    finally:
        database.close()


@asynccontextmanager
async def receiving(settings: Settings, stop: Stop) -> AsyncIterator[Inbox | None]:
    """A place where answers wait for one run, with those that a process which died has left."""
    place = settings.inbox_place
    if place is None:
        yield None
        return
    inbox = Inbox(Path(place))
    inbox.open()
    is_done = False
    try:
        yield inbox
        is_done = not stop.is_asked
    finally:
        inbox.close(is_done=is_done)


def _listen(stop: Stop, tally: Tally) -> None:
    """End the run in order when a signal asks for it, and at once when one does so again."""
    task = asyncio.current_task()

    def told(number: int) -> None:
        if stop.is_asked and task is not None:
            task.cancel()
            return
        stop.ask(number)
        tally.report(Event("run", "", "stopping"))

    for number in SIGNALS:
        # Elsewhere than in the main thread, or on a system without signals, there is no handler to set.
        with suppress(RuntimeError, ValueError, NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(number, told, number)


def _scope(settings: Settings, kinds: frozenset[str], until: datetime) -> Scope:
    if not kinds or not kinds <= KINDS:
        raise ValueError(f"kinds must be some of {sorted(KINDS)}, not {sorted(kinds)}")
    return Scope(until=until, max_attempts=settings.max_attempts, poll="poll" in kinds, crawl="crawl" in kinds)


def recover(connection: Connection, now: datetime, max_attempts: int) -> None:
    """Put back what dead workers left behind, and give up what has had all its attempts."""
    release_dead(connection, is_dead)
    give_up(connection, now, max_attempts)
