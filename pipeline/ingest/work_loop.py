"""One worker process: it leases hosts and gives each a turn, many at once.

The network never waits for the processor, nor the processor for the network: pages that were fetched go on to
extraction and storing in tasks of their own. How many are under way is bounded, and with it the memory.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

from pipeline.ingest.announcements import take_from_feeds
from pipeline.ingest.host_worker import HostWorker
from pipeline.ingest.run_budget import Budget
from pipeline.runtime.context import RunContext
from pipeline.runtime.events import Event
from pipeline.runtime.stop import start_task
from pipeline.store.frontier.due_work import count_due
from pipeline.store.frontier.hosts import LeasedHost, claim_hosts, next_host_at
from pipeline.store.frontier.leases import release_leases, renew_leases

PATIENCE = timedelta(minutes=2)
"""A run waits so long for a host that asked for a pause; what takes longer is the next run's."""

RECLAIM = 1.0
"""Seconds after which a run that is busy looks for more hosts: its own polls discover pages on others."""


GRACE = timedelta(seconds=30)
"""How long a run leaves hosts to others that start with it: tasks of a scheduler start some seconds apart."""

LINGER = timedelta(seconds=15)
"""A run that goes on waits so long for what falls due next: about as long as another one takes to start."""


async def work_through(
    context: RunContext, max_pages: int | None, first_hosts: int | None = None, goes_on: timedelta | None = None
) -> None:
    """Work until nothing in scope is left that nobody else is doing, the pages are spent, or the run is to end.

    No more than ``first_hosts`` are held at once at first. Where the run ``goes_on``, it takes on what falls due
    meanwhile, for so long, and ends sooner only where nothing does; what is not begun by then is left to the next run.

    Raises ExceptionGroup: of what is no outcome of a source: the database is away, or there is a bug.
    """
    try:
        async with renewing_leases(context), asyncio.TaskGroup() as tasks:
            ends_at = None if goes_on is None else context.now() + goes_on
            await _take_turns(context, Budget(max_pages, ends_at), tasks, first_hosts)
        await end_doubts(context)
        if context.scope.crawl and context.scope.backfill is None and not context.stop.is_asked:
            await take_from_feeds(context)
    finally:
        await context.database.write(release_leases, context.owner, count_attempt=False)


async def end_doubts(context: RunContext) -> None:
    """Leave what failed of our side to the next run, and say what waits, and why."""
    for reason, feeds in context.reach.refused.items():
        context.tally.report(Event("run", "", "refused", failed=True, facts={"feeds": feeds, "reason": reason}))
    if await context.reach.end():
        due = await context.database.read(count_due, context.scope, context.now())
        facts = {"feeds": due.feeds, "pages": due.pages, "reason": "outage"}
        context.tally.report(Event("run", "", "outage", failed=True, facts=facts))


async def _take_turns(context: RunContext, budget: Budget, tasks: asyncio.TaskGroup, first_hosts: int | None) -> None:
    turns: set[asyncio.Task[None]] = set()
    most, all_from = context.settings.concurrency, context.now() + GRACE
    while not context.stop.is_asked:
        await context.reach.settle()
        now, ahead = context.now(), context.scope
        if budget.ends_at is not None:
            ahead = replace(context.scope, until=now + LINGER)
            context = replace(context, scope=replace(context.scope, until=now))
        is_spent = budget.is_spent or budget.is_over(now)
        at_once = min(most, first_hosts or most) if now < all_from else most
        free = 0 if context.reach.is_cut_off else at_once - len(turns)
        if free > 0 and not is_spent:
            for host in await context.database.write(
                claim_hosts, context.scope, context.owner, now, context.settings.lease, free
            ):
                turns.add(start_task(tasks, take_turn(context, host, budget, tasks)))
        if turns:
            _, turns = await asyncio.wait(turns, return_when=asyncio.FIRST_COMPLETED, timeout=RECLAIM)
            continue
        soon = await context.database.read(next_host_at, ahead, context.now(), PATIENCE)
        if soon is None or is_spent or context.reach.is_cut_off:
            return
        await context.pause_until(soon if budget.ends_at is None else now + timedelta(seconds=RECLAIM))


async def take_turn(context: RunContext, host: LeasedHost, budget: Budget, tasks: asyncio.TaskGroup) -> None:
    """Poll the feeds of a leased host that are due, fetch its pages, and give it back."""
    turn = HostWorker(context, host, budget, tasks)
    try:
        if context.scope.poll:
            await turn.poll_feeds()
        if context.scope.crawl:
            await turn.fetch_pages()
    finally:
        await turn.session.end()


@asynccontextmanager
async def renewing_leases(context: RunContext) -> AsyncIterator[None]:
    """Show signs of life within the block, which ends where they do: others would take up what it holds.

    Raises ExceptionGroup: of what the block raises, and what ended the signs of life.
    """
    async with asyncio.TaskGroup() as beside:
        heartbeat = beside.create_task(stay_alive(context))
        try:
            yield
        finally:
            heartbeat.cancel()


async def stay_alive(context: RunContext) -> None:
    """Renew this worker's claims while it lives; when it dies they run out, and others take over."""
    while True:
        await asyncio.sleep(context.settings.lease.total_seconds() / 3)
        await context.database.write(renew_leases, context.owner, context.now(), context.settings.lease)
        if context.journal is not None:
            context.journal.sweep()  # of workers that died meanwhile: their claims have run out, or soon will
