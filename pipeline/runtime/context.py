"""What every part of a run works with, passed down in one value."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.config import Settings
from pipeline.fetch.response_journal import ResponseJournal
from pipeline.model import Capture
from pipeline.runtime.database import Database
from pipeline.runtime.events import Tally
from pipeline.runtime.host_ledger import SqlHostLedger
from pipeline.runtime.polite_client import PoliteClient
from pipeline.runtime.raw_recorder import RawRecorder
from pipeline.runtime.reach import Reach
from pipeline.runtime.stop import Stop
from pipeline.runtime.workers import Workers
from pipeline.schedule.feed_failures import RETRY_DELAYS
from pipeline.schedule.feeds import PollPolicy
from pipeline.schedule.pages import PagePolicy
from pipeline.store.frontier.due_work import Scope

__all__ = ["Database", "RunContext"]


@dataclass(frozen=True, slots=True)
class RunContext:
    """One run of one process.

    Attributes:
        client: what every host is asked through.
        owner: what this process signs its claims with.
        recorder: keeps answers as they came; None where nobody wants that.
        chance: a number from 0 to 1, another each time.
    """

    settings: Settings
    database: Database
    client: PoliteClient
    workers: Workers
    scope: Scope
    owner: str
    tally: Tally
    recorder: RawRecorder | None = None
    chance: Callable[[], float] = random.random

    @property
    def now(self) -> Callable[[], datetime]:
        """The clock."""
        return self.client.parts.now

    @property
    def stop(self) -> Stop:
        """Whether the run is to end."""
        return self.client.parts.stop

    @property
    def reach(self) -> Reach:
        """Whether anybody answers."""
        return self.client.parts.reach

    @property
    def journal(self) -> ResponseJournal | None:
        """Where answers wait until what they came to is stored."""
        return self.client.parts.journal

    def as_owner(self, owner: str, scope: Scope) -> "RunContext":
        """The same run under another name and with other work, beside this one."""
        ledger = SqlHostLedger(self.database, owner, self.settings.lease)
        return replace(self, owner=owner, scope=scope, client=self.client.signing(ledger))

    async def keep(
        self, captures: Iterable[Capture], *, page_id: int | None = None, feed_id: int | None = None
    ) -> bool:
        """Keep answers of a page or a feed as they came, where that is wanted; before anything is made of them.

        Returns whether the last of them is known to have the same body as the last good one before it.
        """
        return self.recorder is not None and await self.recorder.keep(captures, page_id=page_id, feed_id=feed_id)

    def forget(self, captures: Iterable[Capture]) -> None:
        """What these answers came to is stored: they need not outlive this process any more."""
        if self.journal is not None:
            self.journal.forget(captures)

    @property
    def poll_policy(self) -> PollPolicy:
        """What the decisions on feeds go by."""
        settings = self.settings
        return PollPolicy(
            start=settings.poll_interval,
            shortest=settings.min_poll_interval,
            longest=settings.max_poll_interval,
            retry_step=settings.retry_delay * RETRY_DELAYS,
            is_strict=self.scope.is_endless,
        )

    @property
    def policy(self) -> PagePolicy:
        """What the decisions on pages go by."""
        settings = self.settings
        return PagePolicy(settings.max_attempts, settings.retry_delay, settings.revisits)

    async def pause_until(self, time: datetime) -> None:
        """Wait, if that time is still to come; no longer than until the run is to end."""
        await self.client.parts.pause_until(time)
