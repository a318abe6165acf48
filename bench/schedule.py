"""The adaptive schedule against a fixed hour: 30 simulated days, 2,000 feeds, no network, no clock, no database.

    python -m bench.schedule                   the whole table, both ways of starting runs
    python -m bench/schedule.py --feeds 200 --days 10 --seed 7

The decisions are the pipeline's own (`pipeline.schedule.feeds`); only the web is made up: for each feed when it
publishes, how
many entries it shows, when its server fails and how long it asks to be left alone. Both schedules poll the same web.
A poll happens at the first start of a run after the feed is due: every five minutes (`news ingest --due` from cron), or
every hour (`ingest_hourly`). *Delay* is the time from the publication of an entry to the poll that finds it; an entry
is *missed* when it fell out of the feed between two polls.
"""

import argparse
import math
import random
import statistics
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pipeline.schedule.feed_failures import feed_retry_pause, strain_of
from pipeline.schedule.feeds import PollFacts, PollPolicy, adapt_rhythm, first_rhythm, least_pause, next_poll_at

EPOCH = datetime(2026, 6, 1, tzinfo=UTC)  # a Monday
HOUR = timedelta(hours=1)
ALL = "all feeds"
POLICY = PollPolicy(start=timedelta(minutes=30), shortest=timedelta(minutes=5), longest=timedelta(hours=24))


@dataclass(frozen=True)
class Kind:
    """A sort of feed: how many entries a day it brings (from the least to the most), and how it is served."""

    name: str
    share: float
    least: float
    most: float
    windows: tuple[int, ...]
    night: float = 0.2
    weekend: float = 0.5
    burst: float = 0.0
    ttl: tuple[int, ...] = ()
    dies: float = 0.0


# Shares and rates: no feed list is like another; this one has the long tail of all of them (a few feeds bring most
# entries, many bring hardly any, and a tenth is dead), as Media Cloud reports of its own.
KINDS = (
    Kind("wire, round the clock", 0.04, 80, 400, (50, 100, 200), night=0.6, weekend=0.8),
    Kind("daily paper", 0.25, 15, 80, (20, 30, 50), night=0.1),
    Kind("daily paper with a ttl", 0.08, 15, 80, (20, 30, 50), night=0.1, ttl=(15, 30, 60)),
    Kind("tiny window", 0.05, 20, 100, (5, 8, 10), night=0.1),
    Kind("news sitemap", 0.03, 50, 400, (1000,), night=0.1),
    Kind("bursts (agenda, results)", 0.05, 2, 10, (10, 15, 25), burst=0.5),
    Kind("section or small site", 0.25, 1, 10, (10, 15, 20), night=0.05, weekend=0.3),
    Kind("blog", 0.15, 0.03, 0.7, (10, 15), night=0.2, weekend=0.7),
    Kind("dead from the start", 0.06, 0, 0, (10,), dies=1.0),
    Kind("dies within the month", 0.04, 1, 20, (10, 20), dies=0.5),
)


@dataclass
class Source:
    """One feed of the made-up web; times are hours since the beginning."""

    kind: Kind
    window: int
    ttl: timedelta | None
    published: list[float]
    dead_from: float
    outages: list[tuple[float, float]]

    def is_down(self, at: float) -> bool:
        """Whether the server does not answer."""
        return any(start <= at < end for start, end in self.outages)


@dataclass
class Result:
    """What one schedule came to."""

    requests: int = 0
    missed: int = 0
    delays: list[float] = field(default_factory=list)

    def add(self, other: "Result") -> None:
        """Count another feed's in."""
        self.requests += other.requests
        self.missed += other.missed
        self.delays += other.delays

    def percentile(self, part: float) -> float:
        """In minutes."""
        if len(self.delays) < 2:
            return math.nan
        return statistics.quantiles(self.delays, n=100, method="inclusive")[round(part * 100) - 1] * 60


def web(feeds: int, days: int, seed: int) -> list[Source]:
    """The same feeds for the same seed."""
    chance = random.Random(seed)
    kinds = [kind for kind in KINDS for _ in range(round(kind.share * feeds))]
    return [_source(kind, days, chance) for kind in kinds]


def _source(kind: Kind, days: int, chance: random.Random) -> Source:
    daily = kind.least * (kind.most / kind.least) ** chance.random() if kind.least else 0.0
    dead_from = math.inf
    if kind.dies:
        dead_from = 0.0 if kind.dies == 1 else chance.uniform(0, days * 24)
    outages = []
    for _ in range(days):
        if chance.random() < 0.03:  # once a month, for minutes to half a day
            start = chance.uniform(0, days * 24)
            outages.append((start, start + chance.expovariate(1 / 2)))
    return Source(
        kind=kind,
        window=chance.choice(kind.windows),
        ttl=timedelta(minutes=chance.choice(kind.ttl)) if kind.ttl else None,
        published=[at for at in sorted(_publications(kind, daily, days, chance)) if at < dead_from],
        dead_from=dead_from,
        outages=outages,
    )


def _publications(kind: Kind, daily: float, days: int, chance: random.Random) -> Iterator[float]:
    shift = chance.uniform(-9, 9)  # time zones
    by_hour = [kind.night if (hour + shift) % 24 < 7 else 1.0 for hour in range(24)]
    scale = 24 / sum(by_hour) * (1 - kind.burst)
    for hour in range(days * 24):
        weekend = kind.weekend if hour // 24 % 7 >= 5 else 1.0
        for _ in range(_poisson(daily / 24 * by_hour[hour % 24] * scale * weekend, chance)):
            yield hour + chance.random()
    if kind.burst:
        for day in range(days):
            if chance.random() < 0.3:  # what the steady part leaves out comes at once, within the hour
                start = day * 24 + chance.uniform(0, 24)
                for _ in range(_poisson(daily * kind.burst / 0.3, chance)):
                    yield start + chance.random()


def _poisson(mean: float, chance: random.Random) -> int:
    limit, product, count = math.exp(-mean), chance.random(), 0
    while product > limit:
        product *= chance.random()
        count += 1
    return count


class Adaptive:
    """The pipeline's decisions for one feed."""

    def __init__(self, source: Source, chance: random.Random) -> None:
        self._source, self._chance = source, chance
        self._rhythm = first_rhythm(POLICY)
        self._last: datetime | None = None
        self._strain = 0.0

    def after_failure(self, now: datetime, reason: str, status: int | None) -> datetime:
        """When to ask again."""
        self._strain += strain_of(reason, status)
        return now + feed_retry_pause(self._strain, self._rhythm.interval, self._chance.random())

    def after_answer(self, now: datetime, new: int, missed: bool) -> datetime:
        """When to ask again."""
        seen = PollFacts(now - self._last if self._last else None, new, self._source.window if new else 0, missed)
        self._rhythm = adapt_rhythm(self._rhythm, seen, POLICY)
        self._last, self._strain = now, 0.0
        least = least_pause(self._rhythm, POLICY, ttl=self._source.ttl)
        return next_poll_at(now, now, self._rhythm.interval, self._chance.random(), least)


class FixedHour:
    """What it is compared with."""

    def __init__(self, source: Source, chance: random.Random) -> None:
        del source, chance

    def after_failure(self, now: datetime, reason: str, status: int | None) -> datetime:
        """In an hour."""
        del reason, status
        return now + HOUR

    def after_answer(self, now: datetime, new: int, missed: bool) -> datetime:
        """In an hour."""
        del new, missed
        return now + HOUR


def simulate(
    source: Source, schedule: type[Adaptive] | type[FixedHour], days: int, every: timedelta, chance: random.Random
) -> Result:
    """Poll one feed for so many days, with runs that start so often."""
    plan, result = schedule(source, chance), Result()
    read, has_read = 0, False
    due = EPOCH + chance.random() * HOUR
    while (at := _next_run(due, every)) < EPOCH + timedelta(days=days):
        result.requests += 1
        hours = (at - EPOCH) / HOUR
        if hours >= source.dead_from:
            due = plan.after_failure(at, "http_404", 404)
        elif source.is_down(hours) or chance.random() < 0.003:
            due = plan.after_failure(at, "timeout", None)
        else:
            upto = bisect_right(source.published, hours)
            new = min(upto - read, source.window)
            missed = has_read and upto - read >= source.window
            if has_read:  # what stood there when the feed was subscribed to has no delay
                result.missed += upto - read - new
                result.delays += [hours - published for published in source.published[upto - new : upto]]
            due = plan.after_answer(at, new if has_read else 0, missed)
            read, has_read = upto, True
    return result


def _next_run(due: datetime, every: timedelta) -> datetime:
    return EPOCH + math.ceil((due - EPOCH) / every) * every


def compare(feeds: int, days: int, seed: int, every: timedelta) -> dict[str, tuple[Result, Result]]:
    """Results of the fixed and of the adaptive schedule, by kind of feed and for all together."""
    found: dict[str, tuple[Result, Result]] = {}
    for number, source in enumerate(web(feeds, days, seed)):
        for name in (source.kind.name, ALL):
            found.setdefault(name, (Result(), Result()))
        for place, schedule in enumerate((FixedHour, Adaptive)):
            result = simulate(source, schedule, days, every, random.Random(f"{seed} {number}"))
            found[source.kind.name][place].add(result)
            found[ALL][place].add(result)
    return found


def table(found: dict[str, tuple[Result, Result]]) -> str:
    """The comparison as text."""
    head = f"{'':26s}{'requests':>22s}{'median delay, min':>24s}{'95th percentile, min':>24s}{'missed':>20s}"
    lines = [head, f"{'':26s}" + f"{'fixed → adaptive':>22s}" + f"{'':>24s}" * 2]
    for name in [*(name for name in found if name != ALL), ALL]:
        fixed, ours = found[name]
        cells = [
            _cell(fixed.requests, ours.requests, 22, "d"),
            _cell(fixed.percentile(0.5), ours.percentile(0.5), 24, ".1f"),
            _cell(fixed.percentile(0.95), ours.percentile(0.95), 24, ".1f"),
            f"{fixed.missed:d} → {ours.missed:d}".rjust(20),
        ]
        lines.append(f"{name:26s}" + "".join(cells))
    return "\n".join(lines)


def _cell(fixed: float, ours: float, width: int, form: str) -> str:
    if math.isnan(fixed) or math.isnan(ours):
        return "–".rjust(width)
    ratio = f" ×{ours / fixed:.2f}" if fixed else ""
    return f"{fixed:{form}} → {ours:{form}}{ratio}".rjust(width)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--feeds", type=int, default=2000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    for minutes in (5, 60):
        found = compare(given.feeds, given.days, given.seed, timedelta(minutes=minutes))
        entries = len(found[ALL][0].delays) + found[ALL][0].missed
        print(f"{given.feeds} feeds, {given.days} days, {entries} entries; a run starts every {minutes} minutes\n")
        print(table(found), end="\n\n")


if __name__ == "__main__":
    main()
