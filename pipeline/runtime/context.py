"""What every part of a run works with, passed down in one value."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.config import Settings
from pipeline.fetch import Fetcher
from pipeline.fetch.inbox import Inbox
from pipeline.ingest.database import Database
from pipeline.ingest.events import Tally
from pipeline.ingest.keep import Keeper
from pipeline.ingest.stop import Stop
from pipeline.model import Capture
from pipeline.rhythm import RETRY_DELAYS, PollPolicy
from pipeline.schedule import PagePolicy
from pipeline.store.frontier import Scope
from pipeline.workers import Workers

__all__ = ["Context", "Database", "at_once"]


async def at_once() -> None:
    """Wait for nothing."""


@dataclass(frozen=True, slots=True)
class Context:
    """One run of one process.

    Attributes:
        owner: what this process signs its claims with.
        slots: pages that may be under way between network and archive at once; bounds the memory.
        chance: a number from 0 to 1, another each time.
        pace: waits until a page may be fetched, where a run is to be slower than its hosts allow.
        keeper: keeps answers as they came; None where nobody wants that.
        inbox: where answers wait until what they came to is stored; None where nobody would look for them.
        stop: whether the run is to end.
    """

    settings: Settings
    database: Database
    fetcher: Fetcher
    workers: Workers
    scope: Scope
    owner: str
    tally: Tally
    now: Callable[[], datetime]
    slots: asyncio.Semaphore
    chance: Callable[[], float] = random.random
    pace: Callable[[], Awaitable[None]] = at_once
    keeper: Keeper | None = None
    inbox: Inbox | None = None
    stop: Stop = field(default_factory=Stop)

    async def keep(
        self, captures: Iterable[Capture], *, page_id: int | None = None, feed_id: int | None = None
    ) -> bool:
        """Keep answers of a page or a feed as they came, where that is wanted; before anything is made of them.

        Returns whether the last of them is known to have the same body as the last good one before it.
        """
        return self.keeper is not None and await self.keeper.keep(captures, page_id=page_id, feed_id=feed_id)

    def forget(self, captures: Iterable[Capture]) -> None:
        """What these answers came to is stored: they need not outlive this process any more."""
        if self.inbox is not None:
            self.inbox.forget(captures)

    @property
    def poll_policy(self) -> PollPolicy:
        """What the decisions on feeds go by."""
        settings = self.settings
        return PollPolicy(
            start=settings.poll_interval,
            shortest=settings.min_poll_interval,
            longest=settings.max_poll_interval,
            retry_step=settings.retry_delay * RETRY_DELAYS,
        )

    @property
    def policy(self) -> PagePolicy:
        """What the decisions on pages go by."""
        settings = self.settings
        return PagePolicy(settings.max_attempts, settings.retry_delay, settings.revisits)

    async def pause_until(self, time: datetime) -> None:
        """Wait, if that time is still to come; no longer than until the run is to end."""
        await self.stop.sleep((time - self.now()).total_seconds())
