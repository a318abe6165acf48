"""How often a feed is polled: pure decisions, the clock and chance passed in.

The interval of a feed is the shortest that three rules ask for, between a floor and a ceiling:

1. *What it publishes.* For a given number of requests over all feeds, the mean delay from publication to poll is least
   where each interval goes with one over the square root of the feed's rate (minimise the sum of rate times interval
   under a fixed sum of one over interval). Four times the entries are worth twice the polls, not four times.
2. *What its window bears.* A feed shows its last few entries only. When a poll finds a good part of the window new,
   the next comes sooner, so that nothing falls out between two polls; the caution wears off over days.
3. *What was missed.* A poll that shares no entry with the one before came too late: the next comes twice as soon.

Then the servers have their say (`least_pause`), and whoever fails waits (`backoff`).
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pipeline.model import Rhythm

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

EFFORT = timedelta(minutes=65)
"""The interval of a feed with one new entry an hour: the exchange rate between requests and delay. With so much the
feeds of `bench/schedule.py` take fewer requests than a fixed hour, at half of its median delay."""

MEMORY = timedelta(hours=12)
"""The moving average of the rate forgets with this time constant: half a day tells day from night, barely."""

FULL = 0.5
"""Share of the window that may be new at a poll before the feed is asked sooner; the rest is room for a burst."""

CAUTION = timedelta(days=4)
"""The limit that a full window set is twice as long after this time without another one."""

LATE = 3
"""A poll after more intervals than this was late by our own fault: it tells nothing that could shorten the interval."""

SLACK = 0.1
"""Part of an interval by which a poll may be early: a feed due at 13:00:10 is polled by the run of 13:00:05."""

RETRY_STEP = timedelta(hours=1)
"""The pause after failures grows by so much with each whole point of strain, unless the settings say otherwise."""

RETRY_DELAYS = 12
"""Pauses before a page's first retry that make up such a step: with the defaults, an hour."""

OUTAGE = 2.0
"""Up to this strain (eight time-outs, a morning of them) no pause is longer than one step: a busy feed whose server was
down for some hours would lose more entries to our patience than to the outage."""

MAX_BACKOFF = DAY
"""A source that fails is asked at least this often: 404 and DNS failures do recover (Media Cloud)."""

MANY = 30.0
"""Points of strain after which a source is asked once a `RARELY`: a month of not found, four of time-outs."""

RARELY = timedelta(days=7)

JITTER = 0.25
"""Backoff is shortened by up to this part by chance, so that what failed together does not return together."""

ErrorClass = Literal["hard", "soft", "temporary"]
WEIGHTS: dict[ErrorClass, float] = {"hard": 1.0, "soft": 0.5, "temporary": 0.25}

_TEMPORARY_STATUS = frozenset({206, 304, 408, 425, 429, 502, 503, 504})
_TEMPORARY = frozenset({"timeout", "deadline", "connect", "reset", "truncated", "empty", "protocol", "proxy"})
_HARD = frozenset({"bad_url", "bad_redirect", "redirect_loop", "too_many_redirects"})


@dataclass(frozen=True, slots=True)
class PollPolicy:
    """The settings that the decisions on feeds need: the first interval, the floor and the ceiling of all.

    Attributes:
        retry_step: by what the pause after failures grows with each whole point of strain.
    """

    start: timedelta
    shortest: timedelta
    longest: timedelta
    retry_step: timedelta = RETRY_STEP

    def clamped(self, interval: timedelta) -> timedelta:
        """The interval between floor and ceiling; the floor wins where they cross."""
        return max(min(interval, self.longest), self.shortest, timedelta(seconds=1))


@dataclass(frozen=True, slots=True)
class Seen:
    """What a poll showed that came to an answer.

    Attributes:
        elapsed: since the last such poll; None for the first, which tells nothing of the pace.
        new: entries that the feed never announced before, under whatever guid.
        window: entries in the document; 0 where it was not sent again.
        missed: whether entries were missed: nothing was shared with the poll before.
    """

    elapsed: timedelta | None
    new: int = 0
    window: int = 0
    missed: bool = False


def first_rhythm(policy: PollPolicy) -> Rhythm:
    """The rhythm of a feed that nothing is known of."""
    interval = policy.clamped(policy.start)
    return Rhythm(interval, rate=(EFFORT / interval) ** 2 * (DAY / HOUR))


def adapted(rhythm: Rhythm, seen: Seen, policy: PollPolicy) -> Rhythm:
    """The rhythm after a poll: sooner only for new entries, on polls that ran on time; later when there are none."""
    if seen.elapsed is None or seen.elapsed <= timedelta(0):
        return rhythm
    known = rhythm.rate if rhythm.rate is not None else first_rhythm(policy).rate or 0.0
    weight = -math.expm1(-seen.elapsed / MEMORY)
    rate = known + weight * (seen.new / (seen.elapsed / DAY) - known)
    limit = _limit(rhythm.limit, seen, policy)
    if seen.elapsed > LATE * rhythm.interval:
        rate, limit = min(rate, known), _relaxed(rhythm.limit, seen.elapsed, policy)
    interval = policy.longest if rate <= 0 else _square_root(rate, policy)
    return Rhythm(policy.clamped(min(interval, limit or interval)), rate, limit)


def _square_root(rate: float, policy: PollPolicy) -> timedelta:
    # Not the root of rate / 24, which is zero for the least rates that there are.
    hours = EFFORT / HOUR * math.sqrt(24 / rate)
    return timedelta(hours=hours) if hours < policy.longest / HOUR else policy.longest


def _limit(limit: timedelta | None, seen: Seen, policy: PollPolicy) -> timedelta | None:
    """The longest interval that the window bears; None where it bears any."""
    elapsed = seen.elapsed or policy.longest
    relaxed = _relaxed(limit, elapsed, policy)
    # One or two new entries of a short feed are chance.
    share = seen.new / seen.window if seen.window and (seen.new > 2 or seen.missed) else 0.0
    if seen.missed:
        found = elapsed / 2 * FULL
    elif share > FULL:
        found = elapsed * (FULL / share)
    else:
        return relaxed
    return max(min(found, relaxed or found), policy.shortest)


def _relaxed(limit: timedelta | None, elapsed: timedelta, policy: PollPolicy) -> timedelta | None:
    if limit is None:
        return None
    relaxed = limit * 2 ** min(elapsed / CAUTION, 20.0)
    return relaxed if relaxed < policy.longest else None


def next_poll_at(
    began_at: datetime, now: datetime, interval: timedelta, chance: float, least: timedelta = timedelta(0)
) -> datetime:
    """When a feed that answered is due again.

    Counted from the beginning of the run, not from the poll: in a run of half an hour the feed would else fall behind
    the next hourly run every other time. Always after the run's beginning, so that a run never polls a feed twice.

    Args:
        began_at: when the run began that polled it.
        now: the time of the poll.
        interval: the feed's.
        chance: from 0 to 1: feeds subscribed to together drift apart.
        least: what the server asks for (`least_pause`), counted from the poll.
    """
    early = interval * (1 - SLACK * (1 + chance) / 2)
    return max(began_at + early, now + interval / 2, now + least)


def least_pause(
    rhythm: Rhythm,
    policy: PollPolicy,
    *,
    cache: timedelta | None = None,
    ttl: timedelta | None = None,
    period: timedelta | None = None,
) -> timedelta:
    """How long the server and the feed ask to be left alone; zero where they ask for nothing.

    The longest of what is asked for counts, up to our ceiling. Two reservations: a feed that brings more entries than
    it claims (``hourly`` stands in every feed of WordPress) is not taken at its word; and what would make entries
    fall out of the feed unseen is not waited for.

    Args:
        rhythm: the feed's, after this poll.
        policy: the ceiling.
        cache: how long the answer is fresh (`pipeline.hints.cache_hint`).
        ttl: how long the feed may be kept by its own word.
        period: how often the feed says that it is updated.
    """
    if period is not None and (rhythm.rate or 0.0) * (period / DAY) > 1:
        period = None
    asked = max((hint for hint in (cache, ttl, period) if hint is not None), default=timedelta(0))
    return min(asked, rhythm.limit or policy.longest, policy.longest)


def error_class(reason: str, status: int | None) -> ErrorClass:
    """How much a failure says against a feed.

    Hard: the server denies it (4xx), or the address cannot work. Temporary: what passes by itself, overload and
    accidents of the network. Soft is all between: HTML in place of the feed, an unreadable document, 500, DNS.
    """
    if reason in _HARD or reason.startswith("blocked_"):
        return "hard"
    if status is not None and status >= 300:
        if status in _TEMPORARY_STATUS:
            return "temporary"
        return "hard" if 400 <= status < 500 and status != 403 else "soft"  # 403 mostly is a bot wall's bad moment
    return "temporary" if reason in _TEMPORARY else "soft"


def strain_of(reason: str, status: int | None) -> float:
    """The weight of one failure; their sum since the last success is the feed's strain."""
    return WEIGHTS[error_class(reason, status)]


def backoff(
    strain: float,
    interval: timedelta,
    chance: float,
    retry_after: timedelta | None = None,
    step: timedelta = RETRY_STEP,
) -> timedelta:
    """The pause after failures of this weight in all: longer with each, a day at most, a week after very many.

    Args:
        strain: sum of the weights of the failures since the last success.
        interval: the feed's own; it is never asked more often than when it works.
        chance: from 0 to 1.
        retry_after: what the server asks for is kept, even where it is more (88 hours were seen).
        step: by what the pause grows with each whole point of strain.
    """
    if strain > MANY:
        pause, least = RARELY, DAY
    else:
        steps = min(strain, 1.0) + max(strain - OUTAGE, 0.0)
        pause, least = min(step * steps, MAX_BACKOFF), interval
    return max(pause * (1 - JITTER * chance), least, retry_after or timedelta(0))
