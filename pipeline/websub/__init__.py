"""WebSub (W3C Recommendation, 23 January 2018): hubs say when a feed has something new, instead of being asked.

::

    protocol    what the Recommendation says: pure
    server      HTTP for the callbacks, with bounds
    service     the steps of the subscriber
    (here)      the clockwork: when each step is taken, and how it all ends

Polling goes on beside it: a hub that forgets us costs delay, never an entry.
"""

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import structlog
from sqlalchemy.engine import Engine

from pipeline.config import Settings
from pipeline.errors import ConfigError, ungrouped
from pipeline.fetch import Fetcher
from pipeline.ingest.context import Context, Database
from pipeline.ingest.events import Listener, Tally
from pipeline.ingest.keep import keeping
from pipeline.ingest.owner import Owner
from pipeline.store.engine import open_engine, reading
from pipeline.store.frontier import Scope
from pipeline.store.migrate import require_current
from pipeline.store.websub import list_subscriptions
from pipeline.websub.protocol import callback_base
from pipeline.websub.server import Server
from pipeline.websub.service import Subscriber
from pipeline.workers import Workers

__all__ = ["serve"]

log = structlog.get_logger("news")

KEEP_SECONDS = 30.0
"""Between two looks at which subscriptions are wanted and due."""

PUSH_SECONDS = 10.0
"""Between two looks at pushes that had to wait; one that need not is acted on at once."""

FAREWELL_SECONDS = 30.0
"""The longest wait for hubs to confirm the end of subscriptions; leases end by themselves."""


def serve(
    settings: Settings,
    base: str,
    host: str,
    port: int,
    *,
    unsubscribe: bool = False,
    listening: Callable[[int], None] = lambda port: None,
    listener: Listener | None = None,
) -> None:
    """Run the subscriber until SIGTERM or SIGINT.

    Args:
        settings: where the archive is, and the limits.
        base: public address that leads to this server.
        host: local address to listen on.
        port: local port; 0 for any.
        unsubscribe: end all subscriptions at the end. Otherwise they stay: hubs try again what they could not
            deliver, so that a restart misses nothing.
        listening: called with the port once calls are taken.
        listener: called with the outcome of each poll.

    Raises:
        ConfigError: the address cannot be used, or the database is not ready.
    """
    base = callback_base(base)
    engine = open_engine(settings.database_url)
    try:
        require_current(engine)
        with ungrouped():
            asyncio.run(_serve(settings, engine, base, (host, port), unsubscribe, listening, listener))
    finally:
        engine.dispose()


async def _serve(
    settings: Settings,
    engine: Engine,
    base: str,
    address: tuple[str, int],
    unsubscribe: bool,
    listening: Callable[[int], None],
    listener: Listener | None,
) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        # Elsewhere than in the main thread, or on a system without signals, whoever runs us ends us otherwise.
        with suppress(RuntimeError, ValueError, NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    database = Database(engine)
    try:
        async with (
            keeping(settings, database, lambda: datetime.now(UTC)) as keeper,
            Fetcher(settings, keep=keeper is not None) as fetcher,
            Workers(settings.jobs, settings.extract_timeout, settings.rules_dir) as workers,
        ):
            context = replace(_context(settings, database, fetcher, workers, listener), keeper=keeper)
            subscriber = Subscriber(context, base)
            server = Server(subscriber.answer, settings.max_bytes, _report)
            try:
                port = await server.listen(*address)
            except OSError as error:
                raise ConfigError(f"cannot listen on {address[0]}:{address[1]}: {error}") from error
            listening(port)
            await _run(subscriber, stop)
            if unsubscribe:
                await _say_farewell(subscriber, engine)
            await server.close()
    finally:
        database.close()


def _context(
    settings: Settings, database: Database, fetcher: Fetcher, workers: Workers, listener: Listener | None
) -> Context:
    now = datetime.now(UTC)
    return Context(
        settings=settings,
        database=database,
        fetcher=fetcher,
        workers=workers,
        scope=Scope(until=now, max_attempts=settings.max_attempts, crawl=False),
        owner=str(Owner.new()),
        tally=Tally(listener),
        now=lambda: datetime.now(UTC),
        slots=asyncio.Semaphore(1),
    )


async def _run(subscriber: Subscriber, stop: asyncio.Event) -> None:
    """Take the steps, each when its time has come, until told to stop."""
    async with asyncio.TaskGroup() as tasks:
        steps = [tasks.create_task(_keep(subscriber)), tasks.create_task(_poll(subscriber))]
        await stop.wait()
        for step in steps:
            step.cancel()


async def _keep(subscriber: Subscriber) -> None:
    while True:
        await subscriber.keep()
        await asyncio.sleep(KEEP_SECONDS)


async def _poll(subscriber: Subscriber) -> None:
    async with asyncio.TaskGroup() as polls:
        while True:
            subscriber.pushed.clear()
            # In a task of its own: another push need not wait for a publisher that is slow.
            polls.create_task(subscriber.poll_pushed())
            with suppress(TimeoutError):
                await asyncio.wait_for(subscriber.pushed.wait(), PUSH_SECONDS)


async def _say_farewell(subscriber: Subscriber, engine: Engine) -> None:
    """Ask hubs to end the subscriptions, and wait for them to verify that we mean it."""
    with suppress(TimeoutError):
        async with asyncio.timeout(FAREWELL_SECONDS):
            await subscriber.leave()
            while True:
                subscriber.changed.clear()
                with reading(engine) as connection:
                    if not list_subscriptions(connection):
                        return
                await subscriber.changed.wait()


def _report(error: Exception) -> None:
    log.error("callback", error=f"{type(error).__name__}: {error}")
