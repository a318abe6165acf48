"""How long to leave a host alone between two requests: adapted to how it answers, never under what it asks for.

Two ideas put together. Scrapy's AutoThrottle: the pause follows the moving average of the response time (divided by
the requests that may run at once), so that a slow host is left as much time as it works for us, and bad answers, which
are often quick, never shorten it. And TCP's: a server that says that it is busy (429, 503) or does not answer in time
doubles its pause, good answers take a tenth of that back each (RFC 5681 halves and creeps up likewise; a tenth, so that
a server that refuses one request in ten is found its pace, and a single slip is forgotten after seven pages).
Heritrix's factor of five on the response time was weighed: for archives without a hurry; news is wanted the same hour.

Where the floor is zero, no pause is asked for and none is made: loopback, intranets.
"""

from dataclasses import dataclass
from datetime import timedelta

WIDER = 2.0
NARROWER = 0.9

WEIGHT = 0.3
"""Of the newest answer in the average: one slow page does not make a slow host, four in a row do."""

MAX_STRAIN = 64.0
"""Six busy answers in a row; more would take too many good ones to forget."""

BUSY_STATUSES = frozenset({429, 503})
SLOW = frozenset({"timeout", "deadline"})


@dataclass(frozen=True, slots=True)
class Pace:
    """What is known of how much a host bears.

    Attributes:
        strain: factor that its pause is widened by, from 1 to `MAX_STRAIN`.
        response_time: moving average; None before the first answer.
    """

    strain: float = 1.0
    response_time: timedelta | None = None


@dataclass(frozen=True, slots=True)
class PacePolicy:
    """The settings of a pause.

    Attributes:
        floor: what we, or the host's crawl-delay, ask for at least.
        ceiling: no pause is made longer than this by us; a crawl-delay may be.
        connections: requests that may run at once.
    """

    floor: timedelta
    ceiling: timedelta
    connections: int = 1


def pause_of(pace: Pace, policy: PacePolicy) -> timedelta:
    """The time to leave between two requests.

    >>> second = timedelta(seconds=1)
    >>> pause_of(Pace(4.0, 2 * second), PacePolicy(second, 60 * second))
    datetime.timedelta(seconds=8)
    """
    if not policy.floor:
        return timedelta(0)
    wanted = max(policy.floor, (pace.response_time or timedelta(0)) / policy.connections) * pace.strain
    return min(wanted, max(policy.ceiling, policy.floor))


def pace_after_answer(pace: Pace, elapsed: timedelta) -> Pace:
    """The host answered as it should."""
    before = pace.response_time
    average = elapsed if before is None else before + (elapsed - before) * WEIGHT
    return Pace(max(1.0, pace.strain * NARROWER), average)


def pace_after_refusal(pace: Pace, status: int | None, reason: str) -> Pace:
    """A request failed: a busy host, or one that does not answer in time, is left alone for longer; others are not."""
    if status in BUSY_STATUSES or (status is None and reason in SLOW):
        return Pace(min(pace.strain * WIDER, MAX_STRAIN), pace.response_time)
    return pace
