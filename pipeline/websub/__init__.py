"""WebSub (W3C Recommendation, 23 January 2018): hubs say when a feed has something new, instead of being asked.

::

    protocol    what the Recommendation says: pure
    server      HTTP for the callbacks, with bounds
    service     the steps of the subscriber
    (here)      the clockwork: when each step is taken, and how it all ends

Polling goes on beside it: a hub that forgets us costs delay, never an entry.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

import structlog

from pipeline.config import Settings
from pipeline.errors import ConfigError, ungrouped
from pipeline.ingest.database_outages import survive_outages
from pipeline.runtime.context import Database, RunContext
from pipeline.runtime.events import Listener, Tally
from pipeline.runtime.polite_client import PoliteClient
from pipeline.runtime.run import open_run, recover_own_leases, utc_now
from pipeline.runtime.stop import Stop, start_task
from pipeline.store.connection.engine import open_archive
from pipeline.store.feeds.hub_subscriptions import list_subscriptions
from pipeline.store.frontier.due_work import Scope
from pipeline.websub.protocol import callback_base
from pipeline.websub.server import Server
from pipeline.websub.service import Subscriber

__all__ = ["serve", "take_pushes"]

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

    Callbacks lie below ``base``, a public address that leads to this server. ``listening`` is called with the port
    once calls are taken; port 0 is any. Subscriptions stay at the end unless ``unsubscribe`` is set: hubs try again
    what they could not deliver, so that a restart misses nothing.

    Raises ConfigError: the address cannot be used, or the database is not ready.
    """
    callback_base(base)
    with open_archive(settings) as engine, ungrouped():

        async def run() -> None:
            scope = Scope(until=utc_now(), max_attempts=settings.max_attempts, crawl=False)
            async with open_run(settings, engine, scope, Tally(listener), Stop()) as context:
                await take_pushes(
                    context, base, (host, port), unsubscribe=unsubscribe, is_alone=True, listening=listening
                )

        asyncio.run(run())


async def take_pushes(
    context: RunContext,
    base: str,
    address: tuple[str, int],
    *,
    unsubscribe: bool = False,
    is_alone: bool = False,
    listening: Callable[[int], None] = lambda port: None,
) -> None:
    """Run the subscriber beside whatever else works with this context, until its run is told to end.

    Arguments are those of `serve`. Where it ``is_alone`` in its process it outlives outages of the database, answering
    calls meanwhile, with 500: hubs try again. Else they are an error for whoever works beside it.
    """
    subscriber = Subscriber(context, callback_base(base))
    server = Server(subscriber.answer, context.settings.max_bytes, _report)
    try:
        port = await server.listen(*address)
    except OSError as error:
        raise ConfigError(f"cannot listen on {address[0]}:{address[1]}: {error}") from error
    try:
        listening(port)
        if is_alone:
            await survive_outages(partial(_begin_again, subscriber, context), context.stop)
        else:
            await _run(subscriber, context.stop)
        if unsubscribe:
            subscriber.use(_unstopped(context))
            await _say_farewell(subscriber, context.database)
    finally:
        await server.close()


def _unstopped(context: RunContext) -> RunContext:
    """The same run as if nobody had asked it to end: for what is to be said at the end."""
    return replace(context, client=PoliteClient(replace(context.client.parts, stop=Stop())))


async def _begin_again(subscriber: Subscriber, context: RunContext) -> None:
    await context.database.write(recover_own_leases)
    await _run(subscriber, context.stop)


async def _run(subscriber: Subscriber, stop: Stop) -> None:
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
            start_task(polls, subscriber.poll_pushed())
            with suppress(TimeoutError):
                await asyncio.wait_for(subscriber.pushed.wait(), PUSH_SECONDS)


async def _say_farewell(subscriber: Subscriber, database: Database) -> None:
    """Ask hubs to end the subscriptions, and wait for them to verify that we mean it."""
    with suppress(TimeoutError):
        async with asyncio.timeout(FAREWELL_SECONDS):
            await subscriber.leave()
            while True:
                subscriber.changed.clear()
                if not await database.read(list_subscriptions):
                    return
                await subscriber.changed.wait()


def _report(error: Exception) -> None:
    log.error("callback", error=f"{type(error).__name__}: {error}")
