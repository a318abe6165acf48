"""How often a feed is polled: pure decisions, the clock and chance passed in.

The interval of a feed is the shortest that three rules ask for, between a floor and a ceiling:

1. *What it publishes.* For a given number of requests over all feeds, the mean delay from publication to poll is least
   where each interval goes with one over the square root of the feed's rate (minimise the sum of rate times interval
   under a fixed sum of one over interval). Four times the entries are worth twice the polls, not four times.
2. *What its window bears.* A feed shows its last few entries only. When a poll finds a good part of the window new,
   the next comes sooner, so that nothing falls out between two polls; the caution wears off over days.
3. *What was missed.* A poll that shares no entry with the one before came too late: the next comes twice as soon.

A feed that can be asked conditionally is, beyond that, asked about twice for each entry that it brings where that is
sooner: a poll that finds nothing costs its server a 304. Others are not asked more often than each five minutes. What
the dates in its first document say of its pace counts from its first poll on.

Then the servers have their say (`least_pause`), and feeds that fail wait (`pipeline.schedule.feed_failures`).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.model import Rhythm
from pipeline.schedule.feed_failures import DAY, HOUR, RETRY_STEP

EFFORT = timedelta(minutes=65)
"""The interval of a feed with one new entry an hour: the exchange rate between requests and delay. With so much the
feeds of `bench/schedule.py` take fewer requests than a fixed hour, at half of its median delay."""

MEMORY = timedelta(hours=12)
"""The moving average of the rate forgets with this time constant: half a day tells day from night, barely."""

FULL = 0.5
"""Share of the window that may be new at a poll before the feed is asked sooner; the rest is room for a burst."""

CAUTION = timedelta(days=4)
"""The limit that a full window set is twice as long after this time without another one."""

COSTLY = timedelta(minutes=5)
"""The shortest interval of a feed that has to be sent as a whole each time, whatever the settings' floor is."""

ASKED = 2
"""Polls for each entry of a feed that can be asked conditionally: the mean wait is a quarter of the time between."""

TELLING = 6
"""Dated entries from which on a first document tells the pace of its feed."""

LATE = 3
"""A poll after more intervals than this was late by our own fault: it tells nothing that could shorten the interval."""

SLACK = 0.1
"""Part of an interval by which a poll may be early: a feed due at 13:00:10 is polled by the run of 13:00:05."""


@dataclass(frozen=True, slots=True)
class PollPolicy:
    """The settings that the decisions on feeds need: the first interval, the floor and the ceiling of all.

    Attributes:
        retry_step: by what the pause after failures grows with each whole point of strain.
        is_strict: whether the floor holds to the second; where runs begin by a clock, one may come a little early.
    """

    start: timedelta
    shortest: timedelta
    longest: timedelta
    retry_step: timedelta = RETRY_STEP
    is_strict: bool = False

    def clamped(self, interval: timedelta) -> timedelta:
        """The interval between floor and ceiling; the floor wins where they cross."""
        return max(min(interval, self.longest), self.shortest, timedelta(seconds=1))


@dataclass(frozen=True, slots=True)
class PollFacts:
    """What a poll showed that came to an answer.

    Attributes:
        elapsed: since the last such poll; None for the first, which tells nothing of the pace.
        new: entries that the feed never announced before, under whatever guid.
        window: entries in the document; 0 where it was not sent again.
        missed: whether entries were missed: nothing was shared with the poll before.
        is_cheap: whether the next poll can be conditional.
        dated: publication times of a first document's entries, and ``at`` the time of that poll.
    """

    elapsed: timedelta | None
    new: int = 0
    window: int = 0
    missed: bool = False
    is_cheap: bool = False
    dated: tuple[datetime, ...] = ()
    at: datetime | None = None


def first_rhythm(policy: PollPolicy) -> Rhythm:
    """The rhythm of a feed that nothing is known of."""
    interval = policy.clamped(policy.start)
    return Rhythm(interval, rate=(EFFORT / interval) ** 2 * (DAY / HOUR))


def adapt_rhythm(rhythm: Rhythm, seen: PollFacts, policy: PollPolicy) -> Rhythm:
    """The rhythm after a poll: sooner only for new entries, on polls that ran on time; later when there are none."""
    if seen.elapsed is None or seen.elapsed <= timedelta(0):
        dated_rate = rate_of_dates(seen.dated, seen.at) if seen.at else None
        if dated_rate is None or dated_rate <= _known_rate(
            rhythm, seen, policy
        ):  # dates that are wrong, or old, put nothing off
            return rhythm
        return Rhythm(_interval(dated_rate, seen, policy), dated_rate, rhythm.limit)
    known = _known_rate(rhythm, seen, policy)
    weight = -math.expm1(-seen.elapsed / MEMORY)
    rate = known + weight * (seen.new / (seen.elapsed / DAY) - known)
    limit = _limit(rhythm.limit, seen, policy)
    if seen.elapsed > LATE * rhythm.interval:
        rate, limit = min(rate, known), _relaxed(rhythm.limit, seen.elapsed, policy)
    interval = _interval(rate, seen, policy)
    return Rhythm(_affordable(min(interval, limit or interval), seen, policy), rate, limit)


def rate_of_dates(times: Iterable[datetime], now: datetime) -> float | None:
    """New entries a day, by the dates of the newer half of a document; None where they are too few, or all the same.

    >>> now = datetime(2026, 11, 22, 12)
    >>> rate_of_dates([now - timedelta(hours=n) for n in range(1, 13)], now)
    24.0
    """
    past = sorted((time for time in times if time <= now), reverse=True)
    newer = past[: len(past) // 2]
    if len(past) < TELLING or newer[0] - newer[-1] < timedelta(minutes=1):
        return None
    return len(newer) / ((now - newer[-1]) / DAY)


def _interval(rate: float, seen: PollFacts, policy: PollPolicy) -> timedelta:
    interval = policy.longest if rate <= 0 else _square_root(rate, policy)
    often = DAY / rate / ASKED if seen.is_cheap and rate > 1 else interval
    return _affordable(min(interval, often), seen, policy)


def _affordable(interval: timedelta, seen: PollFacts, policy: PollPolicy) -> timedelta:
    return policy.clamped(interval if seen.is_cheap else max(interval, COSTLY))


def _known_rate(rhythm: Rhythm, seen: PollFacts, policy: PollPolicy) -> float:
    """The rate before a poll; of a feed that is not known yet, the one at which it would be asked as at first."""
    if rhythm.rate is not None:
        return rhythm.rate
    first = first_rhythm(policy)
    return min(first.rate or 0.0, DAY / first.interval / ASKED) if seen.is_cheap else first.rate or 0.0


def _square_root(rate: float, policy: PollPolicy) -> timedelta:
    # Not the root of rate / 24, which is zero for the least rates that there are.
    hours = EFFORT / HOUR * math.sqrt(24 / rate)
    return timedelta(hours=hours) if hours < policy.longest / HOUR else policy.longest


def _limit(limit: timedelta | None, seen: PollFacts, policy: PollPolicy) -> timedelta | None:
    """The longest interval that the window bears; None where it bears any."""
    elapsed = seen.elapsed or policy.longest
    relaxed = _relaxed(limit, elapsed, policy)
    # One or two new entries of a short feed are chance.
    share = seen.new / seen.window if seen.window and (seen.new > 2 or seen.missed) else 0.0
    if seen.missed:
        seen_limit = elapsed / 2 * FULL
    elif share > FULL:
        seen_limit = elapsed * (FULL / share)
    else:
        return relaxed
    return max(min(seen_limit, relaxed or seen_limit), policy.shortest)


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
        cache: how long the answer is fresh (`pipeline.http.freshness.cache_hint`).
        ttl: how long the feed may be kept by its own word.
        period: how often the feed says that it is updated.
    """
    if period is not None and (rhythm.rate or 0.0) * (period / DAY) > 1:
        period = None
    asked = max((hint for hint in (cache, ttl, period) if hint is not None), default=timedelta(0))
    return min(asked, rhythm.limit or policy.longest, policy.longest)
