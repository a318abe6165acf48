"""Pages of the frontier, and what announced them."""

from dataclasses import dataclass
from datetime import datetime

from pipeline.model.exchange import FeedAccess, Route, Validators

WEAK_DATES = frozenset({"lastmod", "url", "capture"})
"""What says no more than that a page was not published later: taken where the page itself says nothing."""


NEWS_SOURCES = frozenset({"feed", "news_sitemap"})
"""What dates nothing but news: a page that they announced is hardly anything else."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page that a worker has claimed from the frontier.

    Attributes:
        attempts: how often it was claimed since it last succeeded, this time included.
        stored: whether there is an article of it already.
        published_at: as announced by the first feed.
        published_from: who says so.
        article_published_at, first_seen_at: of the article where there is one: its publication, when it was first
            stored.
        fetch_url: what to fetch instead of the URL: the copy of an archive.
        route: where a redirect of this attempt has led; ``host`` is of that URL then.
        access: what the user gave to ask its origin with.
        since: when something was recorded of it last; an answer from before that is known.
        has_entry: whether an entry of a feed, or a news sitemap, led to it or to an alias of it.
    """

    id: int
    url: str
    host: str
    validators: Validators
    attempts: int
    stored: bool = False
    published_at: datetime | None = None
    published_from: str | None = None
    article_published_at: datetime | None = None
    first_seen_at: datetime | None = None
    fetch_url: str | None = None
    route: Route | None = None
    access: FeedAccess | None = None
    since: datetime | None = None
    has_entry: bool = False

    @property
    def is_announced(self) -> bool:
        """Whether a feed or a news sitemap says that it is news."""
        return self.has_entry or self.published_from in NEWS_SOURCES

    @property
    def address(self) -> str:
        """What is asked for."""
        return self.route.url if self.route else self.home

    @property
    def home(self) -> str:
        """What is asked for first, before any redirect."""
        return self.fetch_url or self.url

    @property
    def published_hint(self) -> datetime | None:
        """The announced time of publication, where it may outweigh what the page itself says.

        A last change, or the day on which an archive took its copy, may be years later.
        """
        return None if self.published_from in WEAK_DATES else self.published_at


@dataclass(frozen=True, slots=True)
class Address:
    """A page that a source lists, to be put into the frontier.

    Attributes:
        url: canonical.
        published_from: who says ``published_at``: ``feed``, ``news_sitemap``, ``lastmod``, ``url``, ``index``,
            ``capture``.
        fetch_url: where to fetch it instead: the copy of an archive.
    """

    url: str
    published_at: datetime | None = None
    published_from: str | None = None
    fetch_url: str | None = None


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a feed carried of a page that cannot be had.

    Attributes:
        reason: why the page cannot be had.
        content: paragraphs joined by a blank line.
        authors: as the feed has them; among them may be the newsroom.
        feed_title: the feed's name: an author of this name is the newsroom.
        opt_out: signals by which the page reserved rights, when it last answered.
    """

    page_id: int
    url: str
    reason: str
    content: str
    title: str | None = None
    summary: str | None = None
    language: str | None = None
    published_at: datetime | None = None
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    feed_title: str | None = None
    opt_out: tuple[str, ...] = ()
