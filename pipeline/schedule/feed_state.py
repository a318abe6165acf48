"""What becomes of a feed after a poll: its state, its pace, its address; pure decisions, clock and chance passed in.

::

    active ──failed──▶ failing ──404 or 410 for long──▶ gone ──answers again──▶ active
       │                  └──answers──▶ active
       └──leads for good to another subscribed feed──▶ moved (merged into that one)

``paused`` is the user's word, and nothing here changes it. No state is for ever but that: what fails, and what has
gone, is still asked now and then, since feeds do come back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.http.freshness import after_skips
from pipeline.model import Feed, Rhythm
from pipeline.schedule.feed_failures import RETRY_STEP, feed_retry_pause, strain_of
from pipeline.schedule.feeds import COSTLY, PollFacts, PollPolicy, adapt_rhythm, least_pause, next_poll_at

ADOPT_AFTER = 3
"""Answered polls in a row that lead for good to one other address before it is adopted: one may be a slip."""

GONE_AFTER = {404: timedelta(days=7), 410: timedelta(days=1)}
"""How long a server must have denied a feed before it counts as gone: 404s of an afternoon are repairs."""

GONE_POLLS = 3
"""Failed polls in a row that it takes besides, where polls are rare."""

PERMANENT = frozenset({301, 308})


@dataclass(frozen=True, slots=True)
class PollAnswer:
    """A poll that came to an answer, a new document or none.

    Attributes:
        cache: how long the answer is fresh by its headers.
        ttl: how long the feed may be kept by its own word, as of the last document that was read.
        period: how often the feed says that it is updated, likewise.
        skips: hours and days in which it asks not to be asked, likewise.
        target: the address that the feed's own leads to for good, where it does.
    """

    seen: PollFacts
    cache: timedelta | None = None
    ttl: timedelta | None = None
    period: timedelta | None = None
    skips: tuple[str, ...] = ()
    target: str | None = None


@dataclass(frozen=True, slots=True)
class FeedUpdate:
    """What the row of a feed becomes after a poll.

    Attributes:
        strain: sum of the weights of the failures since the last answer.
        missing_since: since when the server says 404 or 410, without an answer in between.
        target: where the feed's address leads to for good, and in how many answered polls in a row it did.
        adopt: the address to take over now.
    """

    state: str
    next_poll_at: datetime
    rhythm: Rhythm
    failures: int = 0
    strain: float = 0.0
    missing_since: datetime | None = None
    target: str | None = None
    redirects: int = 0
    adopt: str | None = None


def after_answer(
    feed: Feed, answer: PollAnswer, began_at: datetime, now: datetime, policy: PollPolicy, chance: float
) -> FeedUpdate:
    """The feed answered: it is active, whatever it was before."""
    rhythm = adapt_rhythm(feed.rhythm, answer.seen, policy)
    least = least_pause(rhythm, policy, cache=answer.cache, ttl=answer.ttl, period=answer.period)
    # Runs that begin by a clock may come early of a long floor, by SLACK; a short one holds to the second.
    least = max(least, policy.shortest if policy.is_strict else min(policy.shortest, COSTLY))
    redirects = 0 if answer.target is None else feed.redirects + 1 if answer.target == feed.target else 1
    return FeedUpdate(
        state="active",
        next_poll_at=after_skips(next_poll_at(began_at, now, rhythm.interval, chance, least), answer.skips),
        rhythm=rhythm,
        target=answer.target,
        redirects=redirects,
        adopt=answer.target if redirects >= ADOPT_AFTER else None,
    )


def after_failure(
    feed: Feed,
    reason: str,
    status: int | None,
    retry_after: timedelta | None,
    now: datetime,
    chance: float,
    step: timedelta = RETRY_STEP,
) -> FeedUpdate:
    """The poll failed: the feed waits the longer the more has failed, and is gone when it was denied for long."""
    strain = feed.strain + strain_of(reason, status)
    failures = feed.failures + 1
    # A time-out between two 404 does not say that the feed is there.
    missing_since = feed.missing_since or (now if status in GONE_AFTER else None)
    gone = feed.state == "gone" or (
        missing_since is not None
        and status in GONE_AFTER
        and failures >= GONE_POLLS
        and now - missing_since >= GONE_AFTER[status]
    )
    return FeedUpdate(
        state="gone" if gone else "failing",
        next_poll_at=after_skips(now + feed_retry_pause(strain, feed.interval, chance, retry_after, step), feed.skips),
        rhythm=feed.rhythm,
        failures=failures,
        strain=strain,
        missing_since=missing_since,
        target=feed.target,
        redirects=feed.redirects,
    )


def permanent_target(url: str, redirects: Sequence[tuple[str, int]], final: str) -> str | None:
    """The address that a feed's own leads to for good, as far as the redirects are permanent; None for its own.

    Args:
        url: the feed's address.
        redirects: the URLs before the last, in order, each with its status.
        final: the last URL.

    >>> permanent_target("http://a/f", [("http://a/f", 301), ("https://a/f", 302)], "https://cdn/f?token=1")
    'https://a/f'
    """
    hops = [*(hop for hop, _ in redirects), final]
    permanent = next((i for i, (_, status) in enumerate(redirects) if status not in PERMANENT), len(redirects))
    target = hops[permanent]
    if target in {url, hops[0]}:
        return None
    # Anyone between us and the server can send this answer; encryption is not given up for it.
    return None if url.startswith("https:") and not target.startswith("https:") else target
