"""The things of the pipeline, one type for each stage that a thing goes through.

::

    Feed ─fetch→ Response ─parse→ ParsedFeed ∋ Entry ─frontier→ Page ─fetch→ Response ─extract→ Article

All are frozen values. All times are zone-aware and in UTC; all durations are ``timedelta``; all URLs in a
field called ``url`` are canonical (`pipeline.urls.canonical_url`) unless said otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

Decision = Literal["new", "revised", "unchanged", "duplicate"]
"""What storing an article came to (`pipeline.dedup.decide`)."""

Cause = Literal["publisher", "reclean"]
"""Who changed an article: its publisher, or we, by reading the same page otherwise."""

WEAK_DATES = frozenset({"lastmod", "url", "capture"})
"""What says no more than that a page was not published later: taken where the page itself says nothing."""


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
class Validators:
    """What a conditional GET sends back to the server (RFC 9110, 13.1)."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class FeedAccess:
    """What the user gave to ask one origin with; any value of it may be a secret, and none is shown in a repr.

    Attributes:
        origin: scheme, host and port that it is for (`pipeline.access.origin_of`); nobody else is sent it.
        headers: values of request headers by name.
        cookies: values of cookies by name.
        user_agent: in place of our own.
        auth: ``user:password`` of Basic authentication.
        pages: whether pages of this origin are asked for with it too, and not the feed alone.
    """

    origin: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)
    user_agent: str | None = field(default=None, repr=False)
    auth: str | None = field(default=None, repr=False)
    pages: bool = False


@dataclass(frozen=True, slots=True)
class FeedHints:
    """What a feed says of its own pace, as written: RSS ``ttl``, ``sy:updatePeriod``, ``sy:updateFrequency``."""

    ttl: str | None = None
    update_period: str | None = None
    update_frequency: str | None = None


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
class Route:
    """Where a redirect to another host leads: it is asked for there under that host's lease and rules.

    Attributes:
        url: to ask for next, as the redirect gave it.
        hops: the URLs before, in order, each with its status.
    """

    url: str
    hops: tuple[tuple[str, int], ...] = ()


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
        ttl, period: what the last document said of its pace.
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
    target: str | None = None
    redirects: int = 0
    route: Route | None = None
    access: FeedAccess | None = None

    @property
    def rhythm(self) -> Rhythm:
        """Its pace."""
        return Rhythm(self.interval, self.rate, self.limit)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What the ledger keeps of a response.

    Attributes:
        opt_out: signals by which rights are reserved.
        at: when it was had, where that was long before it is stored: a record of an archive.
    """

    status: int
    validators: Validators
    bytes: int
    opt_out: tuple[str, ...] = ()
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Capture:
    """One request and its answer as they went over the wire, to be kept.

    Attributes:
        url: as requested, ASCII.
        version: ``HTTP/1.1`` or ``HTTP/2``.
        headers: of the answer as sent, in order.
        body: as sent, in its content codings; the chunks of HTTP/1.1 and the frames of HTTP/2 are put together.
        is_whole: whether the body is all that was sent; errors and redirects are read as far as comes at once.
        request: headers of the request that are no secret.
        address: the IP address that answered.
        receipt: where it waits until what it came to is stored (`pipeline.fetch.inbox`); None where it does not.
        is_again: whether a run had it that was killed, and it may be in the raw archive already.
    """

    url: str
    status: int
    phrase: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    fetched_at: datetime
    version: str = "HTTP/1.1"
    is_whole: bool = True
    request: tuple[tuple[bytes, bytes], ...] = ()
    address: str | None = None
    receipt: str | None = None
    is_again: bool = False


@dataclass(frozen=True, slots=True)
class Response:
    """What a server answered, whole.

    Attributes:
        url: the final URL after redirects, as it was requested.
        status: 2xx, or 304 with validators; every other status is a `FetchError`.
        headers: names in lower case.
        body: decompressed bytes; empty for a 304.
        redirects: the URLs before the last, in order, each with its status.
        elapsed: from the first request to the last byte.
        captures: the answers as they came, those of redirects first; empty where they are not to be kept.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    fetched_at: datetime
    elapsed: timedelta
    redirects: tuple[tuple[str, int], ...] = ()
    captures: tuple[Capture, ...] = ()

    @property
    def is_delta(self) -> bool:
        """Whether it holds what is new since the copy that we have, and not all of it (226, RFC 3229)."""
        return self.status == 226

    @property
    def validators(self) -> Validators:
        """The validators to send with the next request of the same URL."""
        return Validators(self.headers.get("etag"), self.headers.get("last-modified"))

    @property
    def fetched(self) -> Fetched:
        """What the ledger keeps of it."""
        return Fetched(self.status, self.validators, len(self.body))

    @property
    def content_type(self) -> str:
        """The media type without its parameters, in lower case; empty when there is none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def charset(self) -> str | None:
        """The charset parameter of the content type, as sent."""
        for part in self.headers.get("content-type", "").split(";")[1:]:
            name, _, value = part.partition("=")
            if name.strip().lower() == "charset":
                return value.strip().strip("\"'") or None
        return None


@dataclass(frozen=True, slots=True)
class Redirect:
    """What a server answered where that leads elsewhere, and was not followed.

    Attributes:
        route: where it leads, and how we came there.
        elapsed: from the request to the end of the answer.
        captures: as of `Response`.
    """

    route: Route
    elapsed: timedelta
    captures: tuple[Capture, ...] = ()


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


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    """A feed document, read.

    Attributes:
        version: name of the format: feedparser's, such as ``rss20`` or ``atom10``, or ``json1``, ``json11``, ``json``,
            ``sitemap``, ``newssitemap``, ``sitemapindex``.
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
    version: str
    entries: tuple[Entry, ...]
    skipped: int = 0
    malformed: str | None = None
    cut: bool = False
    hints: FeedHints = FeedHints()
    hub_urls: tuple[str, ...] = ()
    self_url: str | None = None
    children: tuple[str, ...] = ()


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


@dataclass(frozen=True)
class Removed:
    """A paragraph that cleaning took out, and why (one word to group by).

    Without slots: two dozen come with each article from another process, and with slots each is packed by Python code.
    """

    text: str
    reason: str


class BodyBlock(NamedTuple):
    """A block of a body as it is counted over the articles of a site (`pipeline.recurrence`).

    A tuple, since some sixty come with each article from another process: they are packed in half the time.

    Attributes:
        text: as it stands there.
        key: 64 bits of a hash of its folded words, signed.
        bands: hashes of pairs of its words, of which variants of a block share some.
        words: how many it has.
        above, below: paragraphs of text before and after it.
        kept: whether it is text itself.
    """

    text: str
    key: int
    bands: tuple[int, ...]
    words: int
    above: int
    below: int
    kept: bool


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Paragraphs after cleaning, in reading order."""

    kept: tuple[str, ...]
    removed: tuple[Removed, ...] = ()


@dataclass(frozen=True, slots=True)
class Article:
    """A cleaned article with its metadata, as extracted from one page.

    Attributes:
        url: canonical URL: what the page says of itself where it may be believed, else where it was found.
        site: host name without ``www.``, to group by.
        text: paragraphs joined by a blank line.
        authors: persons' names, in order.
        language: ISO 639-1 code.
        content_hash: SHA-256 of the normalised text (`pipeline.dedup.content_hash`), hexadecimal.
        extractor: name of what made the text; with its version, what `re-extraction` goes by.
        published_from: what says ``published_at`` (`Provenance.source`).
        page_class: ``article``, or what else was stored as one (`pipeline.classify.STORED`).
        source: ``page``, or ``feed`` where the page cannot be had and the feed carried the text.
        agency: the news agency that it is from, where known.
        opt_out: signals by which the page reserves rights (`pipeline.rights.SIGNALS`).
        published_precision: whether the time of ``published_at`` is known, or only its day.
        kind: type of article by schema.org, as of `Metadata`.
        captions: of its figures, which are no part of the text.
        corrections: what the publisher says of errors and changes, which is no part of the text either.
        provenance: for each field, as JSON: ``from`` (`Provenance.source`), ``sure`` (confidence), and ``others``, what
            other sources say: pairs of source and value.
        blocks: of its body before cleaning, to be counted; nothing of them is stored with the article.
        sketch: of its text (`pipeline.dedup.likeness.Words.sketch`), where that was made already.
    """

    url: str
    site: str
    title: str | None
    text: str
    content_hash: str
    word_count: int
    extractor: str
    extractor_version: str
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    published_at: datetime | None = None
    modified_at: datetime | None = None
    language: str | None = None
    section: str | None = None
    description: str | None = None
    image: str | None = None
    removed: tuple[Removed, ...] = ()
    page_class: str = "article"
    source: str = "page"
    opt_out: tuple[str, ...] = ()
    agency: str | None = None
    published_from: str | None = None
    published_precision: str | None = None
    site_name: str | None = None
    publisher: str | None = None
    access: str = "unknown"
    kind: str | None = None
    captions: tuple[str, ...] = ()
    corrections: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    blocks: tuple[BodyBlock, ...] = field(default=(), repr=False)
    sketch: tuple[int, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a feed carried of a page that cannot be had.

    Attributes:
        page_id: the page.
        url: the page's, canonical.
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


@dataclass(frozen=True, slots=True)
class NoArticle:
    """A page that was read and holds no article; ``opt_out`` as of `Article`."""

    url: str
    reason: str
    message: str = ""
    title: str | None = None
    removed: tuple[Removed, ...] = field(default=())
    opt_out: tuple[str, ...] = ()


Precision = Literal["day", "time"]
Access = Literal["free", "metered", "paid", "unknown"]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a value was found and how sure it is.

    Attributes:
        source: what said it, such as ``json-ld``, ``og:title``, ``h1`` or ``url``; several that agree are joined by
            ``+``.
        confidence: from 0 to 1; what to sort by, no probability.
        alternatives: what other sources say, where they disagree: (source, value), the surest first.
    """

    source: str
    confidence: float
    alternatives: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a page says of its article (`pipeline.metadata.read_metadata`).

    Attributes:
        title: the headline as printed, without the site's name.
        signed: who the by-line names, in order: persons, newsrooms and agencies.
        authors: the persons of it.
        agencies: the news agencies of it, under one name each.
        newsrooms: what is neither: desks, the paper itself.
        published_at: in the zone that the page gives it in; midnight UTC where only the day is known.
        published_precision: whether the time of ``published_at`` is known, or only its day.
        language: ISO 639-1 code.
        url: canonical URL, absolute; the page's own URL where it names no other one that can be believed.
        kind: type of article by schema.org, in lower case without ``article``: ``news``, ``opinionnews``,
            ``blogposting``.
        provenance: for each field that has a value, where it came from.
    """

    url: str
    title: str | None = None
    signed: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    agencies: tuple[str, ...] = ()
    newsrooms: tuple[str, ...] = ()
    published_at: datetime | None = None
    published_precision: Precision | None = None
    modified_at: datetime | None = None
    modified_precision: Precision | None = None
    language: str | None = None
    section: str | None = None
    tags: tuple[str, ...] = ()
    description: str | None = None
    image: str | None = None
    site_name: str | None = None
    publisher: str | None = None
    access: Access = "unknown"
    kind: str | None = None
    provenance: Mapping[str, Provenance] = field(default_factory=dict)
