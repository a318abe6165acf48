"""Feeds that are subscribed to, and feed documents after parsing."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from pipeline.model.exchange import FeedAccess, Route, Validators


@dataclass(frozen=True, slots=True)
class Subscription:
    """A feed that somebody asks for, as a list of subscriptions has it.

    Attributes:
        url: the address as given: feeds are fetched literally.
        title: the subscriber's own name for it.
        site_url: the page that the feed belongs to, as given.
        tags: labels, and folders as paths such as ``"Europe/Germany"``.
    """

    url: str
    title: str | None = None
    site_url: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The pace of a feed.

    Attributes:
        interval: the pause between two polls.
        rate: new entries a day, a moving average; None before it is known.
        limit: the longest interval at which nothing falls out of the feed unseen; None where any will do.
    """

    interval: timedelta
    rate: float | None = None
    limit: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed that a worker has claimed.

    Attributes:
        url: the address as given: feeds are fetched literally.
        due_at: since when it was due. Pages that the poll discovers are due since then too.
        failures: failed polls in a row before this one.
        rate, limit: as in `Rhythm`.
        strain: sum of the weights of these failures.
        missing_since: since when the server says 404 or 410.
        answered_at: when it last answered, with a document or a 304.
        news_at: the last poll that brought new entries.
        window: entries in the last document that was read.
        rolls: whether old entries were seen to fall out as new ones came.
        ttl, period, skips: what the last document said of its pace (`FeedHints`).
        target, redirects: where its address leads to for good, in how many answered polls in a row.
        route: where a redirect of this poll has led; ``host`` is of that URL then.
        access: what the user gave to ask for it with.
    """

    id: int
    url: str
    host: str
    due_at: datetime
    validators: Validators
    interval: timedelta
    failures: int
    body_hash: str | None = None
    state: str = "active"
    rate: float | None = None
    limit: timedelta | None = None
    strain: float = 0.0
    missing_since: datetime | None = None
    answered_at: datetime | None = None
    news_at: datetime | None = None
    window: int = 0
    rolls: bool = False
    ttl: timedelta | None = None
    period: timedelta | None = None
    skips: tuple[str, ...] = ()
    target: str | None = None
    redirects: int = 0
    route: Route | None = None
    access: FeedAccess | None = None

    @property
    def rhythm(self) -> Rhythm:
        """Its pace."""
        return Rhythm(self.interval, self.rate, self.limit)


@dataclass(frozen=True, slots=True)
class HubSubscription:
    """A WebSub subscription: what we want of a hub, and how far it is.

    Attributes:
        feed_id: the feed to poll at a push; None for a subscription that is being ended.
        topic_url: the feed's name at the hub, as asked for.
        token: last part of the callback URL. Who knows it may confirm and push: never shown.
        secret: key of the signatures of pushes; never shown.
        state: ``pending``, ``active``, ``denied`` or ``leaving``.
        attempts: requests to the hub since it last verified one, with the one that was just claimed.
    """

    id: int
    feed_id: int | None
    hub_url: str
    topic_url: str
    token: str = field(repr=False)
    secret: str = field(repr=False)
    state: str
    attempts: int


@dataclass(frozen=True, slots=True)
class FeedHints:
    """What a feed says of its own pace, as written: RSS ``ttl``, ``sy:updatePeriod``, ``sy:updateFrequency``.

    ``skips`` are its ``skipHours`` and ``skipDays`` in UTC: hours as ``0`` to ``23``, days as ``mon`` to ``sun``.
    """

    ttl: str | None = None
    update_period: str | None = None
    update_frequency: str | None = None
    skips: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """What a feed announces.

    Attributes:
        guid: unique within the feed; made up from the other fields where the feed gives none.
        url: canonical URL of the page, or None where the entry links to no http(s) page.
        summary: plain text, without markup.
        content: the whole text, where the feed carries it: paragraphs joined by a blank line.
        hash: of what was announced; another hash for the same guid means that the entry was changed.
        is_future: whether it is dated ahead of the poll that read it, by more than clocks differ.
    """

    guid: str
    url: str | None
    title: str | None = None
    summary: str | None = None
    content: str | None = None
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    published_at: datetime | None = None
    updated_at: datetime | None = None
    hash: str = ""
    is_future: bool = False


FeedFormat = Literal["rss", "atom", "json", "news sitemap", "sitemap", "unknown"]
"""The formats of feeds, of whatever version; the index of sitemaps is a ``sitemap`` too, with ``children``."""


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    """A feed document, read.

    Attributes:
        format: what kind of document it is; ``unknown`` for a feed that does not say.
        skipped: how many entries could not be used (each is logged).
        malformed: what was wrong with the document, where it was readable all the same.
        cut: whether the document ends in the middle. Its entries are good, but its validators must not be kept: the
            next 304 would hide those that were missed.
        hints: what it says of its own pace.
        hub_urls: the WebSub hubs that the feed announces, absolute, in its order.
        self_url: the address that the feed gives itself, absolute.
        children: of a sitemap index, the sitemaps where its entries stand, newest first, absolute.
    """

    title: str | None
    site_url: str | None
    language: str | None
    format: FeedFormat
    entries: tuple[Entry, ...]
    skipped: int = 0
    malformed: str | None = None
    cut: bool = False
    hints: FeedHints = FeedHints()
    hub_urls: tuple[str, ...] = ()
    self_url: str | None = None
    children: tuple[str, ...] = ()
