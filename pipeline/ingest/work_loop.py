"""One worker process: it leases hosts and gives each a turn, many at once.

The network never waits for the processor, nor the processor for the network: pages that were fetched go on to
extraction and storing in tasks of their own. How many are under way is bounded, and with it the memory.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from pipeline.ingest.announced import take_from_feeds
from pipeline.ingest.context import Context
from pipeline.ingest.turn import Budget, Turn
from pipeline.store.frontier import (
    Host,
    claim_hosts,
    next_host_at,
    release_leases,
    renew_leases,
)

PATIENCE = timedelta(minutes=2)
"""A run waits so long for a host that asked for a pause; what takes longer is the next run's."""

RECLAIM = 1.0
"""Seconds after which a run that is busy looks for more hosts: its own polls discover pages on others."""


async def work(context: Context, max_pages: int | None) -> None:
    """Work until nothing in scope is left that nobody else is doing, the pages are spent, or the run is to end.

    Raises:
        ExceptionGroup: of what is no outcome of a source: the database is away, or there is a bug.
    """
    try:
        async with staying_alive(context), asyncio.TaskGroup() as tasks:
            await _take_turns(context, Budget(max_pages), tasks)
        if context.scope.crawl and context.scope.backfill is None and not context.stop.is_asked:
            await take_from_feeds(context)
    finally:
        await context.database.write(release_leases, context.owner, count_attempt=False)


async def _take_turns(context: Context, budget: Budget, tasks: asyncio.TaskGroup) -> None:
    turns: set[asyncio.Task[None]] = set()
    while not context.stop.is_asked:
        free = context.settings.concurrency - len(turns)
        if free and not budget.is_spent:
            for host in await context.database.write(
                claim_hosts, context.scope, context.owner, context.now(), context.settings.lease, free
            ):
                turns.add(tasks.create_task(_take_turn(context, host, budget, tasks)))
        if turns:
            _, turns = await asyncio.wait(turns, return_when=asyncio.FIRST_COMPLETED, timeout=RECLAIM)
            continue
        soon = await context.database.read(next_host_at, context.scope, context.now(), PATIENCE)
        if soon is None or budget.is_spent:
            return
        await context.pause_until(soon)


async def _take_turn(context: Context, host: Host, budget: Budget, tasks: asyncio.TaskGroup) -> None:
    turn = Turn(context, host, budget, tasks)
    try:
        if context.scope.poll:
            await turn.poll_feeds()
        if context.scope.crawl:
            await turn.fetch_pages()
    finally:
        await turn.visit.end()


@asynccontextmanager
async def staying_alive(context: Context) -> AsyncIterator[None]:
    """Show signs of life within the block."""
    heartbeat = asyncio.create_task(_stay_alive(context))
    try:
        yield
    finally:
        heartbeat.cancel()


async def _stay_alive(context: Context) -> None:
    """Renew this worker's claims while it lives; when it dies they run out, and others take over."""
    while True:
        await asyncio.sleep(context.settings.lease.total_seconds() / 3)
        await context.database.write(renew_leases, context.owner, context.now(), context.settings.lease)
        if context.inbox is not None:
            context.inbox.sweep()  # of workers that died meanwhile: their claims have run out, or soon will
