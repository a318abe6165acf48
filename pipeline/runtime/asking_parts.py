"""What sessions with hosts are made of, the same for all of a run."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.config import Settings
from pipeline.fetch import Fetcher
from pipeline.fetch.response_journal import ResponseJournal
from pipeline.runtime.host_ledger import HostLedger
from pipeline.runtime.reach import Reach
from pipeline.runtime.stop import Stop


class SessionEnded(Exception):  # noqa: N818  # nothing went wrong: what waited for its turn is not to be asked any more
    """The host must not be asked again, in this session or since the run is to end: what waited is to be given back."""


async def without_pause() -> None:
    """Wait for nothing."""


@dataclass(frozen=True, slots=True)
class AskingParts:
    """What sessions with hosts are made of.

    Attributes:
        ledger: where hosts are leased, and what is known of them.
        slots: pages that may be under way between network and archive at once; bounds the memory.
        pace: waits until a page may be fetched, where a run is to be slower than its hosts allow.
        journal: where answers wait until they are stored; None where nobody would look for them.
        reach: whether anybody answers.
    """

    settings: Settings
    fetcher: Fetcher
    ledger: HostLedger
    now: Callable[[], datetime]
    stop: Stop = field(default_factory=Stop)
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    pace: Callable[[], Awaitable[None]] = without_pause
    journal: ResponseJournal | None = None
    reach: Reach = field(default_factory=Reach)

    async def pause_until(self, time: datetime) -> None:
        """Wait, if that time is still to come; no longer than until the run is to end."""
        await self.stop.sleep((time - self.now()).total_seconds())
