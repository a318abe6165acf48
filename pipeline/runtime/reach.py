"""Whether anybody answers: where no host does, the fault is on our side, and is charged to no page and no feed.

A failure without an answer counts only where another request was answered within a minute before it or, in the same
run, after it. Until that is known it waits here.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipeline.errors import FetchError
from pipeline.errors.failure_reasons import UNREACHED

WINDOW = timedelta(minutes=1)
"""An answer that is no older says that our side was in order when a request failed."""

CUT_OFF_HOSTS = 10
"""Hosts in a row that do not answer, and no other does, after which a run asks no further ones."""


@dataclass(frozen=True, slots=True)
class DoubtfulFailure:
    """A failure of which it is not known yet whose fault it is.

    Attributes:
        charge: records it as the host's.
        spare: puts back what was asked for, as if it had not been.
    """

    host: str
    failed_at: datetime
    charge: Callable[[], Awaitable[None]]
    spare: Callable[[], Awaitable[None]]


@dataclass(slots=True)
class Reach:
    """What a run knows of whether it reaches anybody.

    Attributes:
        answered_at: when a host last answered.
        doubtful: failures since then.
        refused: feeds that our own guard refused, by reason.
    """

    answered_at: datetime | None = None
    doubtful: list[DoubtfulFailure] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)

    def note_answer(self, now: datetime) -> None:
        """A host has answered, whatever it said."""
        self.answered_at = now

    def may_be_ours(self, error: FetchError, now: datetime) -> bool:
        """Whether a failure may be of our side: nothing was answered, and nothing else lately."""
        return is_unanswered(error) and self.is_in_doubt(now)

    def is_in_doubt(self, now: datetime) -> bool:
        """Whether a request that failed without an answer may have failed of our side."""
        return self.answered_at is None or now - self.answered_at > WINDOW

    @property
    def is_cut_off(self) -> bool:
        """Whether so many hosts did not answer that asking others is of no use now."""
        return len({failure.host for failure in self.doubtful}) >= CUT_OFF_HOSTS

    async def settle(self) -> None:
        """Charge the failures after which another host has answered."""
        if self.answered_at is not None and self.doubtful:
            answered_at = self.answered_at
            decided = [failure for failure in self.doubtful if failure.failed_at <= answered_at]
            self.doubtful = [failure for failure in self.doubtful if failure.failed_at > answered_at]
            for failure in decided:
                await failure.charge()

    async def end(self) -> int:
        """Spare what is still in doubt when a run ends; returns how many failures that were."""
        await self.settle()
        spared, self.doubtful = self.doubtful, []
        for failure in spared:
            await failure.spare()
        return len(spared)


def is_unanswered(error: FetchError) -> bool:
    """Whether a request got no answer at all; for robots.txt that cannot be had, the request for it."""
    if error.reason == "robots_unreachable" and isinstance(error.__cause__, FetchError):
        error = error.__cause__
    return error.status is None and error.reason in UNREACHED
