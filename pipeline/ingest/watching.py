"""The run that does not end: what falls due is taken up as it falls due, until somebody asks it to stop.

It is made of the parts of any other run, one client and one pool of readers for all of its life. SQL says what is due
every second or two, and so new subscriptions, pushes of hubs and what other processes discover need no restart.
"""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy.exc import DBAPIError

from pipeline.config import Settings
from pipeline.errors import ConfigError, NewsError, ungrouped
from pipeline.ingest.announcements import take_from_feeds
from pipeline.ingest.database_outages import survive_outages
from pipeline.ingest.run_budget import Budget
from pipeline.ingest.service_manager import ServiceManager
from pipeline.ingest.work_loop import end_doubts, stay_alive, take_turn
from pipeline.runtime.context import RunContext
from pipeline.runtime.events import Listener, Tally, Totals
from pipeline.runtime.run import Clock, open_run, recover_leases, recover_own_leases, utc_now
from pipeline.runtime.stop import Stop, start_task
from pipeline.site_rules import reload_rules
from pipeline.store.connection.engine import open_archive, tell_losses
from pipeline.store.frontier.due_work import Scope
from pipeline.store.frontier.hosts import claim_hosts, next_host_at
from pipeline.store.frontier.leases import release_leases

log = structlog.get_logger("news")

Companion = Callable[[RunContext], Coroutine[Any, Any, None]]
"""A service that runs beside, with the same context, until its run is told to end."""

BUSY_LOOK, IDLE_LOOK, RARE_LOOK = 0.5, 2.0, 10.0
"""Seconds between two looks at what is due: while hosts are being asked; while none is; at most, where looking takes
long. A look that finds nothing takes a fiftieth of its pause at most."""

CHORES_EVERY = timedelta(minutes=5)
"""Between two rounds of what any other run does once: putting back what dead workers held, taking texts from feeds."""

DOUBT = timedelta(minutes=2)
"""How long it is waited for an answer of anybody before failures are put down to our own side, and tried again."""

REOPEN_PAUSE = 2.0
"""Seconds before everything is opened again where the database is away just when settings were read."""

AWAY = {"WATCHDOG": 1, "STATUS": "the database is away; it is tried again"}
"""What the manager is told meanwhile."""


def run_watch(
    settings: Settings,
    *,
    reread: Callable[[], Settings] | None = None,
    companions: Sequence[Companion] = (),
    listener: Listener | None = None,
    manager: ServiceManager | None = None,
    now: Clock = utc_now,
) -> Totals:
    """Poll, fetch and store what is due until SIGTERM or SIGINT, then finish what is under way, and return the counts.

    Args:
        settings: where the archive is, and the limits.
        reread: what gives the settings anew on SIGHUP; None where that is not heeded.
        companions: services that run beside.
        listener: called with every outcome.
        manager: is told when all is ready, that it lives, and that it ends.
        now: the clock.

    Raises:
        ConfigError: the database is not there, or a companion cannot start.
        SystemExit: a second signal ended it at once. Nothing is lost: the claims end by themselves.
    """
    watch = _Watch(settings, reread, companions, Tally(listener), manager or ServiceManager({}), now)
    with ungrouped():
        try:
            asyncio.run(watch.run())
        except asyncio.CancelledError:
            raise SystemExit(128 + (watch.stop.signal or signal.SIGTERM)) from None
    return watch.tally.totals


class _Watch:
    def __init__(
        self,
        settings: Settings,
        reread: Callable[[], Settings] | None,
        companions: Sequence[Companion],
        tally: Tally,
        manager: ServiceManager,
        now: Clock,
    ) -> None:
        self._settings, self._reread, self._companions = settings, reread, companions
        self.tally, self._manager, self._now = tally, manager, now
        self.stop = Stop()
        self._proven: Settings | None = None  # the last that everything opened with
        self._is_open = False

    async def run(self) -> None:
        """Work with the settings of now, and again with those of each SIGHUP, until told to end."""
        if self._reread is not None:
            with suppress(RuntimeError, ValueError, NotImplementedError):  # not in the main thread
                asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._take_settings)
        while True:
            before, self.stop, self._is_open = self.stop, Stop(), False
            try:
                await self._work_with(self._settings, before)
            except (NewsError, OSError, DBAPIError) as error:
                if self._is_open or self._proven is None:
                    raise
                self.stop = before  # the one that heeds signals until all is open
                await self._go_back(error)
            if self.stop.signal != signal.SIGHUP:
                return

    def _take_settings(self) -> None:
        try:
            settings = self._reread() if self._reread is not None else self._settings
            reload_rules(settings.rules_dir)
        except ConfigError as error:
            self._keep_settings(error)
            return
        self._settings = settings
        self._manager.tell_reloading()
        if not self.stop.is_asked:
            self.stop.ask(signal.SIGHUP)

    async def _go_back(self, error: Exception) -> None:
        """Take the settings of before where new ones do not open; where those do not, the database is away: wait."""
        proven = self._proven or self._settings
        is_away = isinstance(error, DBAPIError) and self._settings.database_url == proven.database_url
        if self._settings is not proven and not is_away:
            self._keep_settings(error)
            return
        log.warning("database", outcome="away", error=str(error), again_in=REOPEN_PAUSE)
        self._manager.tell(**AWAY)
        await asyncio.sleep(REOPEN_PAUSE)

    def _keep_settings(self, error: Exception) -> None:
        log.warning("settings", outcome="refused", error=str(error), detail="those of before hold")
        self._settings = self._proven or self._settings

    async def _work_with(self, settings: Settings, before: Stop) -> None:
        with open_archive(settings) as engine:
            tell_losses(
                engine, lambda: self._manager.tell(**AWAY)
            )  # trying again may take longer than a watchdog waits
            scope = Scope(until=self._now(), max_attempts=settings.max_attempts, is_endless=True)
            async with open_run(
                settings, engine, scope, self.tally, self.stop, self._now, serve_metrics=True
            ) as context:
                if before.signal not in {None, signal.SIGHUP}:  # it came while the settings were read
                    self.stop.ask(before.signal or signal.SIGTERM)
                self._proven, self._is_open = settings, True

                async def work() -> None:
                    await context.database.write(recover_own_leases)
                    await context.database.write(recover_leases, context.now(), settings.max_attempts)
                    await watch_through(context, self._companions, self._manager)

                await survive_outages(work, self.stop, lambda: self._manager.tell(**AWAY))
                if self.stop.signal != signal.SIGHUP:
                    self._manager.tell(STOPPING=1)


async def watch_through(context: RunContext, companions: Sequence[Companion], manager: ServiceManager) -> None:
    """Work until the run is told to end, and then until nothing is under way.

    Raises ExceptionGroup: of what is no outcome of a source: the database is away, or there is a bug.
    """
    try:
        async with asyncio.TaskGroup() as beside:
            helpers = [beside.create_task(stay_alive(context)), beside.create_task(_do_chores(context))]
            for companion in companions:
                beside.create_task(companion(context))
            async with asyncio.TaskGroup() as tasks:
                await _take_turns(context, manager, tasks)
            await end_doubts(context)
            for helper in helpers:
                helper.cancel()
    finally:
        await context.database.write(release_leases, context.owner, count_attempt=False)


async def _take_turns(context: RunContext, manager: ServiceManager, tasks: asyncio.TaskGroup) -> None:
    loop, turns, is_ready = asyncio.get_running_loop(), set[asyncio.Task[None]](), False
    while not context.stop.is_asked:
        began = loop.time()
        await _settle_doubts(context)
        turns = {turn for turn in turns if not turn.done()}
        current = replace(context, scope=replace(context.scope, until=context.now()))
        free = 0 if context.reach.is_cut_off else context.settings.concurrency - len(turns)
        scope, asked_at = current.scope, context.now()
        if free and await context.database.read(next_host_at, scope, asked_at, timedelta(0)) is not None:
            for host in await context.database.write(
                claim_hosts, scope, context.owner, asked_at, context.settings.lease, free
            ):
                turns.add(start_task(tasks, take_turn(current, host, Budget(None), tasks)))
        totals = context.tally.totals
        status = f"{totals.polls} polls, {totals.pages} pages, {totals.new} new articles; {len(turns)} hosts under way"
        manager.tell(**({} if is_ready else {"READY": 1}), WATCHDOG=1, STATUS=status)
        is_ready = True
        took = loop.time() - began
        await context.stop.sleep(BUSY_LOOK if turns else min(max(IDLE_LOOK, 50 * took), RARE_LOOK))


async def _settle_doubts(context: RunContext) -> None:
    """Charge failures to hosts once another has answered; to ourselves where nobody has for a while."""
    reach = context.reach
    await reach.settle()
    if reach.refused or any(context.now() - failure.failed_at > DOUBT for failure in reach.doubtful):
        await end_doubts(context)
        reach.refused.clear()


async def _do_chores(context: RunContext) -> None:
    """Do now and then what any other run does at its beginning and its end."""
    counted = context.tally.totals.as_dict()
    while True:
        await asyncio.sleep(CHORES_EVERY.total_seconds())
        await context.database.write(recover_leases, context.now(), context.settings.max_attempts)
        await take_from_feeds(context)
        counts = context.tally.totals.as_dict()
        log.info("watch", outcome="working", **{name: counts[name] - counted[name] for name in counts})
        counted = counts
