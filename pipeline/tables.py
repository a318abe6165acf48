"""The schema: what is stored, in SQLAlchemy's typed declarative form, the same on SQLite and PostgreSQL.

Every comment below is also the column's documentation. The migrations in ``migrations/`` build exactly this;
a test compares them. Nothing here opens a connection.

Four kinds of tables: what is subscribed to (`FeedRow`, `AddressRow`, `SubscriptionRow`, `PollRow`, `EntryRow`), the
frontier, which is the ledger too (`HostRow`, `PageRow`), the archive (`ArticleRow`, `ArticleAuthorRow`,
`ArticleTagRow`, `ArticleCorrectionRow`, `RevisionRow`, `RawRow`), and what was taken out of it (`TakedownRow`).
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

FEED_STATES = ("active", "failing", "gone", "moved", "paused")
POLLED_STATES = ("active", "failing", "gone")
FEED_SECRETS = ("headers", "cookies", "user_agent", "auth")  # columns of a feed that no command prints or exports
PAGE_STATES = ("queued", "stored", "alias", "rejected", "failed", "blocked", "gone")
SUBSCRIPTION_STATES = ("pending", "active", "denied", "leaving")
STORY_ROLES = ("first", "copy", "edited", "shortened", "extended")
REVISION_KINDS = ("first", "title", "text", "both")
CHANGE_KINDS = ("new", "revised", "updated", "duplicate", "story", "gone", "back", "deleted")
UNIT_STATES = ("queued", "done", "failed")
RAW_KINDS = ("page", "feed")
TAKEDOWN_SCOPES = ("url", "site")
BLOCK_VERDICTS = ("kept", "dropped")


class UtcDateTime(TypeDecorator[datetime]):
    """A zone-aware time in UTC. SQLite has no such type: there it is ISO text in UTC, which sorts as time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: D102
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone cannot be stored: {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: D102
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# SQLite gives row ids of its own only to INTEGER keys; PostgreSQL needs the room of BIGINT.
Key = BigInteger().with_variant(Integer, "sqlite")
Json = JSON().with_variant(JSONB, "postgresql")
# For columns that mostly are null: Python's None is SQL's NULL there, not JSON's.
JsonOrNull = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def _one_of(column: str, words: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


class Table(DeclarativeBase):
    """Root of all tables; the naming convention gives every constraint a name that migrations can use."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: Json, list[Any]: Json, str: Text}  # noqa: RUF012


class HostRow(Table):
    """A server that is fetched from: the unit of politeness, leased to one worker at a time."""

    __tablename__ = "host"

    name: Mapped[str] = mapped_column(
        String(320), primary_key=True, comment="authority in lower case: host, and port where not the default"
    )
    next_fetch_at: Mapped[datetime] = mapped_column(comment="no request to this host before this time")
    delay: Mapped[float] = mapped_column(
        default=0.0,
        server_default=text("0"),
        comment="seconds between requests that the host asks for (crawl-delay)",
    )
    pause: Mapped[float] = mapped_column(
        default=0.0,
        server_default=text("0"),
        comment="seconds that were last left between requests: NEWS_HOST_DELAY or delay at least, longer for slow ones",
    )
    strain: Mapped[float] = mapped_column(
        default=1.0,
        server_default=text("1"),
        comment="factor that the pause is widened by: doubled by each 429, 503, time-out; good answers lower it to 1",
    )
    response_time: Mapped[float | None] = mapped_column(comment="seconds that an answer takes, a moving average")
    failures: Mapped[int] = mapped_column(
        default=0, server_default=text("0"), comment="robots.txt fetches in a row that failed"
    )
    robots: Mapped[str | None] = mapped_column(comment="the last robots.txt; empty where there is none")
    robots_status: Mapped[int | None] = mapped_column(comment="HTTP status of the last robots.txt")
    robots_fetched_at: Mapped[datetime | None] = mapped_column(comment="when robots.txt was last read")
    tdm: Mapped[str | None] = mapped_column(comment="the last /.well-known/tdmrep.json; empty where there is none")
    tdm_fetched_at: Mapped[datetime | None] = mapped_column(comment="when that was last asked for")
    leased_until: Mapped[datetime | None] = mapped_column(comment="the claim on this host ends then")
    lease_owner: Mapped[str | None] = mapped_column(comment="the worker that holds the claim")

    __table_args__ = (Index("ix_host_next_fetch_at", "next_fetch_at"),)


class FeedRow(Table):
    """A subscribed feed."""

    __tablename__ = "feed"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    url: Mapped[str] = mapped_column(unique=True, comment="address as subscribed; fetched literally")
    host: Mapped[str] = mapped_column(
        ForeignKey("host.name"), index=True, comment="server of the address; that of route while there is one"
    )
    route: Mapped[dict[str, Any] | None] = mapped_column(
        JsonOrNull, comment="where a redirect to another host leads, until that has been asked: url, hops so far"
    )
    title: Mapped[str | None] = mapped_column(comment="title: the subscriber's if given, else the feed's own")
    site_url: Mapped[str | None] = mapped_column(comment="the page that the feed belongs to")
    tags: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'"), comment="folders and labels")
    language: Mapped[str | None] = mapped_column(comment="language that the feed declares")
    state: Mapped[str] = mapped_column(
        String(16),
        default="active",
        server_default=text("'active'"),
        comment="active (its last poll was answered), failing (it was not), gone (404 or 410 for long; asked rarely),"
        " moved (merged into the feed in moved_to), paused (by the user)",
    )
    etag: Mapped[str | None] = mapped_column(comment="validator for the next conditional GET")
    last_modified: Mapped[str | None] = mapped_column(comment="validator for the next conditional GET")
    body_hash: Mapped[str | None] = mapped_column(String(64), comment="SHA-256 of the last document that was read")
    hub_url: Mapped[str | None] = mapped_column(comment="WebSub hub that the feed announces")
    further_hubs: Mapped[list[Any]] = mapped_column(
        default=list, server_default=text("'[]'"), comment="further WebSub hubs, in the order of the announcement"
    )
    topic_url: Mapped[str | None] = mapped_column(comment="the feed's own name at the hub, where it gives one")
    headers: Mapped[dict[str, Any]] = mapped_column(
        default=dict, server_default=text("'{}'"), comment="request headers of the user's; their values are secrets"
    )
    cookies: Mapped[dict[str, Any]] = mapped_column(
        default=dict, server_default=text("'{}'"), comment="cookies of the user's; their values are secrets"
    )
    user_agent: Mapped[str | None] = mapped_column(comment="sent in place of NEWS_USER_AGENT; a secret")
    auth: Mapped[str | None] = mapped_column(comment="user:password of Basic authentication, in clear; a secret")
    access_origin: Mapped[str | None] = mapped_column(
        comment="scheme, host and port that these four are for: nobody else is sent them"
    )
    access_pages: Mapped[bool] = mapped_column(
        default=False,
        server_default=text("false"),
        comment="whether they are sent for pages there too, and not for the feed alone",
    )
    moved_to: Mapped[int | None] = mapped_column(
        ForeignKey("feed.id", ondelete="SET NULL"), index=True, comment="the feed that this one was merged into"
    )
    interval: Mapped[float] = mapped_column(comment="seconds between two polls; adapted to what the feed publishes")
    rate: Mapped[float | None] = mapped_column(comment="new entries a day, a moving average")
    longest_interval: Mapped[float | None] = mapped_column(
        comment="seconds after which entries might fall out of the feed unseen; null where there is no such danger"
    )
    ttl: Mapped[float | None] = mapped_column(comment="seconds for which the feed says that it may be kept (ttl)")
    update_period: Mapped[float | None] = mapped_column(comment="seconds between two updates by the feed's word (sy:)")
    next_poll_at: Mapped[datetime] = mapped_column(index=True, comment="due from this time on")
    failures: Mapped[int] = mapped_column(default=0, server_default=text("0"), comment="failed polls in a row")
    strain: Mapped[float] = mapped_column(
        default=0.0, server_default=text("0"), comment="weight of these failures: hard 1, soft 1/2, temporary 1/4 each"
    )
    missing_since: Mapped[datetime | None] = mapped_column(comment="since when the server says 404 or 410")
    rediscover_at: Mapped[datetime | None] = mapped_column(
        comment="for a feed that has gone: when its site is to be searched for another address"
    )
    target_url: Mapped[str | None] = mapped_column(comment="where the address leads to for good (301, 308), if it does")
    redirects: Mapped[int] = mapped_column(
        default=0, server_default=text("0"), comment="answered polls in a row that led there; after some it is adopted"
    )
    window: Mapped[int] = mapped_column(
        default=0, server_default=text("0"), comment="entries in the last document that was read"
    )
    rolls: Mapped[bool] = mapped_column(
        default=False, server_default=text("false"), comment="whether old entries fall out as new ones come"
    )
    answered_at: Mapped[datetime | None] = mapped_column(comment="last poll that was answered")
    news_at: Mapped[datetime | None] = mapped_column(comment="last poll that brought new entries")
    last_polled_at: Mapped[datetime | None] = mapped_column(comment="when it was last polled")
    last_outcome: Mapped[str | None] = mapped_column(String(40), comment="outcome of the last poll")
    last_error: Mapped[str | None] = mapped_column(comment="what went wrong in the last poll")
    leased_until: Mapped[datetime | None] = mapped_column(comment="the claim on this feed ends then")
    lease_owner: Mapped[str | None] = mapped_column(comment="the worker that holds the claim")
    created_at: Mapped[datetime] = mapped_column(comment="when it was subscribed to")

    __table_args__ = (_one_of("state", FEED_STATES),)


class AddressRow(Table):
    """A former address of a feed: its entries and polls of then are the feed's still."""

    __tablename__ = "address"

    url: Mapped[str] = mapped_column(primary_key=True, comment="the former address")
    feed_id: Mapped[int] = mapped_column(ForeignKey("feed.id", ondelete="CASCADE"), index=True, comment="the feed")
    reason: Mapped[str] = mapped_column(String(40), comment="redirect (301 or 308), merged or rediscovered")
    detail: Mapped[str | None] = mapped_column(comment="what the change of address rests on")
    left_at: Mapped[datetime] = mapped_column(comment="when the feed took another address")


class SubscriptionRow(Table):
    """A WebSub subscription: what a hub was asked for, and what it agreed to."""

    __tablename__ = "subscription"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    feed_id: Mapped[int | None] = mapped_column(
        ForeignKey("feed.id", ondelete="SET NULL"),
        unique=True,
        comment="the feed to poll at a push; null for one that is being ended",
    )
    hub_url: Mapped[str] = mapped_column(comment="the hub")
    topic_url: Mapped[str] = mapped_column(comment="what is subscribed to, as asked of the hub")
    token: Mapped[str] = mapped_column(String(64), unique=True, comment="last part of the callback URL; a secret too")
    secret: Mapped[str] = mapped_column(String(128), comment="key of the signatures of pushes")
    state: Mapped[str] = mapped_column(
        String(16),
        default="pending",
        server_default=text("'pending'"),
        comment="pending (asked for), active (verified), denied (the hub refuses), leaving (being ended)",
    )
    attempts: Mapped[int] = mapped_column(
        default=0, server_default=text("0"), comment="requests to the hub since it last verified one"
    )
    next_request_at: Mapped[datetime] = mapped_column(
        index=True, comment="when the hub is to be asked (again), or the lease to be renewed"
    )
    verified_at: Mapped[datetime | None] = mapped_column(comment="when the hub last verified the intent")
    expires_at: Mapped[datetime | None] = mapped_column(comment="end of the lease")
    pushes: Mapped[int] = mapped_column(default=0, server_default=text("0"), comment="pushes with a good signature")
    pushes_refused: Mapped[int] = mapped_column(
        default=0, server_default=text("0"), comment="pushes ignored for a bad signature or none"
    )
    last_push_at: Mapped[datetime | None] = mapped_column(comment="when the last good push came")
    last_error: Mapped[str | None] = mapped_column(comment="what the hub last refused, or what went wrong")
    created_at: Mapped[datetime] = mapped_column(comment="when it was first wanted")

    __table_args__ = (_one_of("state", SUBSCRIPTION_STATES),)


class PollRow(Table):
    """The log of polls: one row for each request of a feed."""

    __tablename__ = "poll"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    feed_id: Mapped[int] = mapped_column(ForeignKey("feed.id", ondelete="CASCADE"), comment="the feed polled")
    polled_at: Mapped[datetime] = mapped_column(comment="when the request began")
    status: Mapped[int | None] = mapped_column(comment="HTTP status; null when there was no answer")
    outcome: Mapped[str] = mapped_column(String(40), comment="read, unchanged, or the reason of the failure")
    entries_seen: Mapped[int] = mapped_column(default=0, comment="entries in the document")
    entries_new: Mapped[int] = mapped_column(default=0, comment="entries never seen before in this feed")
    entries_changed: Mapped[int] = mapped_column(default=0, comment="entries announced otherwise than before")
    entries_skipped: Mapped[int] = mapped_column(default=0, comment="entries that could not be used")
    missed: Mapped[bool] = mapped_column(
        default=False,
        server_default=text("false"),
        comment="whether entries were missed before this poll: it shares none with the poll before, and the feed rolls",
    )
    bytes: Mapped[int] = mapped_column(default=0, comment="size of the document after decompression")
    duration: Mapped[float | None] = mapped_column(comment="seconds from request to last byte")
    error: Mapped[str | None] = mapped_column(comment="what went wrong, or what was malformed")

    __table_args__ = (
        Index("ix_poll_feed_id_polled_at", "feed_id", "polled_at"),
        Index(
            "ix_poll_missed",
            "polled_at",
            sqlite_where=text("missed"),
            postgresql_where=text("missed"),
        ),
    )


class PageRow(Table):
    """The frontier and the ledger: every URL ever discovered, once, with its one current status."""

    __tablename__ = "page"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    url: Mapped[str] = mapped_column(unique=True, comment="canonical URL")
    host: Mapped[str] = mapped_column(
        ForeignKey("host.name"), comment="server of the URL; that of route while there is one"
    )
    route: Mapped[dict[str, Any] | None] = mapped_column(
        JsonOrNull, comment="where a redirect to another host leads, until that has been asked: url, hops so far"
    )
    state: Mapped[str] = mapped_column(
        String(16),
        default="queued",
        server_default=text("'queued'"),
        comment="queued (not yet fetched with success), stored (article in the archive), alias (another URL of the page"
        " in alias_of), rejected (holds no article), failed (given up), blocked (robots.txt), gone (404 or 410)",
    )
    outcome: Mapped[str | None] = mapped_column(
        String(40),
        comment="what the last fetch came to: new, revised, unchanged, duplicate, not_modified, error",
    )
    reason: Mapped[str | None] = mapped_column(String(40), comment="why the state is what it is, one word to group by")
    detail: Mapped[str | None] = mapped_column(comment="the reason in words")
    attempts: Mapped[int] = mapped_column(
        default=0,
        server_default=text("0"),
        comment="claims since the last success; a claim counts before it fetches",
    )
    next_fetch_at: Mapped[datetime | None] = mapped_column(
        comment="due from this time on, for the first fetch, a retry or a revisit; null: never again by itself"
    )
    leased_until: Mapped[datetime | None] = mapped_column(comment="the claim on this page ends then")
    lease_owner: Mapped[str | None] = mapped_column(comment="the worker that holds the claim")
    status: Mapped[int | None] = mapped_column(comment="HTTP status of the last answer")
    etag: Mapped[str | None] = mapped_column(comment="validator for the next conditional GET")
    last_modified: Mapped[str | None] = mapped_column(comment="validator for the next conditional GET")
    bytes: Mapped[int | None] = mapped_column(comment="size of the last body after decompression")
    robots: Mapped[str | None] = mapped_column(
        String(16), comment="what robots.txt said at the last fetch: allowed, forbidden or unreachable"
    )
    opt_out: Mapped[str | None] = mapped_column(
        comment="signals of the last answer that reserve rights, separated by blanks: noai, noarchive, noimageai, tdm;"
        " empty for none, null before the first answer"
    )
    published_at: Mapped[datetime | None] = mapped_column(comment="publication as announced by the first feed")
    published_from: Mapped[str | None] = mapped_column(
        String(40),
        comment="who says published_at: feed, news_sitemap, lastmod, url, index or capture; null for a feed of before",
    )
    discovered_at: Mapped[datetime] = mapped_column(comment="when the URL was first seen")
    fetched_at: Mapped[datetime | None] = mapped_column(comment="when it was last asked for")
    gone_at: Mapped[datetime | None] = mapped_column(comment="since when the server says that it has gone")
    alias_of: Mapped[int | None] = mapped_column(
        ForeignKey("page.id"), comment="the page that this URL leads to (redirect or rel=canonical)"
    )
    backfill_id: Mapped[int | None] = mapped_column(
        Key, comment="the backfill job in whose queue it waits, behind what is live; null for none"
    )
    fetch_url: Mapped[str | None] = mapped_column(
        comment="an archive's copy that a backfill fetches, or has fetched, instead of the URL"
    )

    __table_args__ = (
        _one_of("state", PAGE_STATES),
        Index(
            "ix_page_due",
            "backfill_id",
            "host",
            "next_fetch_at",
            sqlite_where=text("next_fetch_at IS NOT NULL"),
            postgresql_where=text("next_fetch_at IS NOT NULL"),
        ),
        Index("ix_page_state_reason", "state", "reason"),
        Index(
            "ix_page_leased_until",
            "leased_until",
            sqlite_where=text("leased_until IS NOT NULL"),
            postgresql_where=text("leased_until IS NOT NULL"),
        ),
        Index("ix_page_alias_of", "alias_of"),
        # For v_source_daily; as PostgreSQL writes it. SQLite has its own expressions (pipeline.views.pieces).
        Index(
            "ix_page_source_day",
            text(r"regexp_replace(split_part(host::text, ':'::text, 1), '^www\.(?=.*\.)'::text, ''::text)"),
            text("(timezone('UTC'::text, discovered_at)::date)"),
        ),
    )


class EntryRow(Table):
    """What a feed announced. Several feeds may announce one page: each has its own entry."""

    __tablename__ = "entry"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    feed_id: Mapped[int] = mapped_column(ForeignKey("feed.id", ondelete="CASCADE"), comment="the feed")
    guid: Mapped[str] = mapped_column(comment="the entry's identity within the feed")
    page_id: Mapped[int | None] = mapped_column(
        ForeignKey("page.id"),
        index=True,
        comment="the page announced; null where the entry has no usable link",
    )
    title: Mapped[str | None] = mapped_column(comment="title as announced")
    summary: Mapped[str | None] = mapped_column(comment="summary as announced, plain text")
    content: Mapped[str | None] = mapped_column(
        comment="full text as announced, paragraphs joined by a blank line; stands in for a page that cannot be had"
    )
    authors: Mapped[list[Any]] = mapped_column(
        default=list, server_default=text("'[]'"), comment="authors as announced"
    )
    tags: Mapped[list[Any]] = mapped_column(
        default=list, server_default=text("'[]'"), comment="tags and categories as announced"
    )
    published_at: Mapped[datetime | None] = mapped_column(comment="publication as announced")
    updated_at: Mapped[datetime | None] = mapped_column(comment="last change as announced")
    is_future: Mapped[bool] = mapped_column(
        default=False, server_default=text("false"), comment="whether it was dated ahead of the poll that stored it"
    )
    hash: Mapped[str] = mapped_column(String(64), comment="of what was announced, to notice a change")
    changes: Mapped[int] = mapped_column(
        default=0, server_default=text("0"), comment="how often the announcement was changed"
    )
    first_seen_at: Mapped[datetime] = mapped_column(comment="poll in which it first appeared")
    last_seen_at: Mapped[datetime] = mapped_column(comment="last poll in which it stood with a new or changed content")

    __table_args__ = (UniqueConstraint("feed_id", "guid"),)


class ArticleRow(Table):
    """The archive: the current text and metadata of each page that holds an article."""

    __tablename__ = "article"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    page_id: Mapped[int] = mapped_column(ForeignKey("page.id"), unique=True, comment="the page that it is on")
    url: Mapped[str] = mapped_column(comment="canonical URL")
    site: Mapped[str] = mapped_column(index=True, comment="host name without www., to group by")
    title: Mapped[str | None] = mapped_column(comment="headline")
    text: Mapped[str] = mapped_column(comment="cleaned text, paragraphs joined by a blank line")
    authors: Mapped[list[Any]] = mapped_column(comment="names in order (article_author has a row for each)")
    tags: Mapped[list[Any]] = mapped_column(comment="as the page has them (article_tag has a row for each)")
    published_at: Mapped[datetime | None] = mapped_column(index=True, comment="publication, as the page or feed says")
    published_from: Mapped[str | None] = mapped_column(
        String(40),
        comment="what says published_at: json-ld, url … of the page, or what announced it (page.published_from)",
    )
    modified_at: Mapped[datetime | None] = mapped_column(comment="last change, as the page says")
    language: Mapped[str | None] = mapped_column(String(16), comment="ISO 639-1")
    section: Mapped[str | None] = mapped_column(comment="section or desk")
    description: Mapped[str | None] = mapped_column(comment="the page's own summary")
    image: Mapped[str | None] = mapped_column(comment="URL of the main picture")
    word_count: Mapped[int] = mapped_column(comment="words in the text")
    content_hash: Mapped[str] = mapped_column(String(64), index=True, comment="SHA-256 of the normalised text")
    duplicate_of: Mapped[int | None] = mapped_column(
        ForeignKey("article.id"),
        comment="the first article with the same text; null for the first itself",
    )
    removed: Mapped[list[Any]] = mapped_column(comment='what cleaning took out: [{"text": …, "reason": …}]')
    extractor: Mapped[str] = mapped_column(String(40), comment="what made the text")
    extractor_version: Mapped[str] = mapped_column(String(40), comment="its version")
    page_class: Mapped[str] = mapped_column(
        String(16),
        default="article",
        server_default="article",
        comment="article, paywall (only the beginning of it) or live_blog",
    )
    source: Mapped[str] = mapped_column(
        String(16),
        default="page",
        server_default="page",
        comment="page, or feed where the page cannot be had and the feed carried the text",
    )
    agency: Mapped[str | None] = mapped_column(comment="the news agency that it is from, where known")
    published_precision: Mapped[str | None] = mapped_column(
        String(8), comment="time, or day where published_at knows but that"
    )
    site_name: Mapped[str | None] = mapped_column(comment="what the site calls itself")
    publisher: Mapped[str | None] = mapped_column(comment="who publishes it, as the page says")
    access: Mapped[str] = mapped_column(
        String(16),
        default="unknown",
        server_default="unknown",
        comment="free, metered, paid or unknown, as the page declares",
    )
    kind: Mapped[str | None] = mapped_column(
        comment="type of article by schema.org, without article: news, opinionnews, blogposting …"
    )
    captions: Mapped[list[Any]] = mapped_column(
        default=list, server_default="[]", comment="captions of its figures, which are no part of the text"
    )
    corrections: Mapped[list[Any]] = mapped_column(
        default=list, server_default="[]", comment="notices of corrections and changes, apart from the text"
    )
    provenance: Mapped[dict[str, Any]] = mapped_column(
        default=dict,
        server_default="{}",
        comment='for each field where it came from: {"title": {"from": …, "sure": 0–1, "others": [[source, value]]}}',
    )
    first_seen_at: Mapped[datetime] = mapped_column(index=True, comment="when it was first stored")
    updated_at: Mapped[datetime] = mapped_column(index=True, comment="when anything of it last changed")


# Of copies alone: SQLite would take an index of all articles for a quick way to those that are none.
Index(
    "ix_article_copies",
    ArticleRow.duplicate_of,
    sqlite_where=ArticleRow.duplicate_of.is_not(None),
    postgresql_where=ArticleRow.duplicate_of.is_not(None),
)
# For v_ledger, which asks for the article of each page: without reading that.
Index("ix_article_page_id_id", ArticleRow.page_id, ArticleRow.id)
Index("ix_article_site_at", ArticleRow.site, func.coalesce(ArticleRow.published_at, ArticleRow.first_seen_at))


class ArticleAuthorRow(Table):
    """One row for each author of an article."""

    __tablename__ = "article_author"

    article_id: Mapped[int] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True, comment="place in the by-line, from 0")
    name: Mapped[str] = mapped_column(index=True, comment="the person's name")


class ArticleTagRow(Table):
    """One row for each tag of an article."""

    __tablename__ = "article_tag"

    article_id: Mapped[int] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(primary_key=True, index=True, comment="as the page or the feed has it")


class ArticleCorrectionRow(Table):
    """One row for each notice of a correction that an article has carried; it stays where the notice goes."""

    __tablename__ = "article_correction"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    article_id: Mapped[int] = mapped_column(
        ForeignKey("article.id", ondelete="CASCADE"), index=True, comment="the article"
    )
    revision: Mapped[int] = mapped_column(comment="number of the revision that it first stood beside")
    notice: Mapped[str] = mapped_column(comment="what the publisher says of the error or change")
    seen_at: Mapped[datetime] = mapped_column(index=True, comment="when the page was fetched that first had it")


class ArticleStoryRow(Table):
    """Which story each article belongs to: articles of one text, or nearly so, share it."""

    __tablename__ = "article_story"

    article_id: Mapped[int] = mapped_column(
        ForeignKey("article.id", ondelete="CASCADE"), primary_key=True, autoincrement=False, comment="the article"
    )
    story_id: Mapped[int | None] = mapped_column(
        ForeignKey("article.id", ondelete="SET NULL"),
        index=True,
        comment="the first article of its story, its own id where it is that; null until it is settled anew",
    )
    role: Mapped[str] = mapped_column(
        String(16),
        default="first",
        server_default="first",
        comment="beside the first article: first, copy (same text), edited, shortened (a third and more is missing)"
        " or extended",
    )
    similarity: Mapped[float | None] = mapped_column(
        comment="share of the shorter text that also stands in the first's; 1 for a copy"
    )

    __table_args__ = (
        _one_of("role", STORY_ROLES),
        Index(
            "ix_article_story_copies",
            "story_id",
            sqlite_where=text("story_id <> article_id"),
            postgresql_where=text("story_id <> article_id"),
        ),
    )


class SketchRow(Table):
    """A few runs of words of each article's text, by which articles that share text are found.

    Keyed by the hash alone: rows of an article that is gone are harmless, and are found by its text.
    """

    __tablename__ = "article_sketch"

    hash: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="of a run of words in its text"
    )
    article_id: Mapped[int] = mapped_column(
        Key, primary_key=True, autoincrement=False, comment="an article that has it"
    )

    __table_args__ = ({"sqlite_with_rowid": False},)


class RevisionRow(Table):
    """Append-only: what an article said, a new row only when its cleaned text or title changed."""

    __tablename__ = "revision"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"), comment="the article")
    number: Mapped[int] = mapped_column(comment="1 for what was first stored")
    changed: Mapped[str] = mapped_column(String(16), comment="first, title, text or both")
    title: Mapped[str | None] = mapped_column(comment="headline as of this revision")
    text: Mapped[str] = mapped_column(comment="cleaned text as of this revision")
    word_count: Mapped[int] = mapped_column(comment="words in the text")
    content_hash: Mapped[str] = mapped_column(String(64), comment="SHA-256 of the normalised text")
    removed: Mapped[list[Any]] = mapped_column(comment="what cleaning took out then")
    corrections: Mapped[list[Any]] = mapped_column(
        default=list, server_default="[]", comment="notices of corrections and changes that it carried"
    )
    extractor: Mapped[str] = mapped_column(String(40), comment="what made the text")
    extractor_version: Mapped[str] = mapped_column(String(40), comment="its version")
    cause: Mapped[str] = mapped_column(
        String(16),
        default="publisher",
        server_default="publisher",
        comment="who changed it: publisher, or reclean where our rules read the same page otherwise",
    )
    seen_at: Mapped[datetime] = mapped_column(index=True, comment="when this revision was fetched")

    __table_args__ = (UniqueConstraint("article_id", "number"), _one_of("changed", REVISION_KINDS))


class RawRow(Table):
    """One row for each answer that is kept as it came: where in the raw archive it stands (WARC)."""

    __tablename__ = "raw"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), comment="page, or feed for a document that was polled")
    page_id: Mapped[int | None] = mapped_column(
        ForeignKey("page.id"), index=True, comment="the page that was asked for; null for a feed"
    )
    feed_id: Mapped[int | None] = mapped_column(
        ForeignKey("feed.id", ondelete="SET NULL"), index=True, comment="the feed that was polled"
    )
    url: Mapped[str] = mapped_column(comment="address that gave this answer, as requested")
    status: Mapped[int] = mapped_column(comment="HTTP status; those of redirects on the way have rows too")
    fetched_at: Mapped[datetime] = mapped_column(index=True, comment="when it was fetched")
    file: Mapped[str] = mapped_column(String(200), comment="name of the WARC file below the archive's address")
    file_offset: Mapped[int] = mapped_column(BigInteger, comment="first byte of the record in the file")
    file_length: Mapped[int] = mapped_column(comment="bytes of the record in the file, compressed")
    record_id: Mapped[str] = mapped_column(String(36), comment="the record's WARC-Record-ID: a UUID")
    digest: Mapped[str] = mapped_column(String(48), comment="WARC-Payload-Digest: of the body as it was sent")
    refers_to: Mapped[int | None] = mapped_column(
        ForeignKey("raw.id"), index=True, comment="the earlier row that has the body, where this is a revisit record"
    )
    cleaned_by: Mapped[str | None] = mapped_column(
        String(40), comment="the unfinished run of `news reclean` that is done with it, to be gone on with"
    )
    dropped: Mapped[bool] = mapped_column(
        default=False, server_default=text("false"), comment="whether the record is to be taken out of its file"
    )

    __table_args__ = (
        _one_of("kind", RAW_KINDS),
        Index("ix_raw_file_file_offset", "file", "file_offset"),
        Index("ix_raw_dropped", "file", sqlite_where=text("dropped"), postgresql_where=text("dropped")),
    )


class TakedownRow(Table):
    """What was taken down on request: never fetched, stored or backfilled again."""

    __tablename__ = "takedown"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    scope: Mapped[str] = mapped_column(String(16), comment="url, or site for a host name and those below it")
    target: Mapped[str] = mapped_column(comment="the canonical URL or the host name")
    note: Mapped[str | None] = mapped_column(comment="why, in the words of whoever did it")
    taken_down_at: Mapped[datetime] = mapped_column(comment="when it was done")

    __table_args__ = (UniqueConstraint("target", "scope"), _one_of("scope", TAKEDOWN_SCOPES))


class SiteRow(Table):
    """A site whose recurring blocks are counted."""

    __tablename__ = "site"

    name: Mapped[str] = mapped_column(primary_key=True, comment="as in article.site")
    articles: Mapped[int] = mapped_column(comment="articles whose blocks were counted")


class SiteBlockRow(Table):
    """A block of text that was seen in articles of a site; those that recur by rule are boilerplate.

    At most 2,000 of a site; those least often and longest ago seen go first.
    """

    __tablename__ = "site_block"

    site: Mapped[str] = mapped_column(primary_key=True, comment="as in article.site")
    key: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="hash of its folded words: numbers and dates are one"
    )
    band_1: Mapped[int] = mapped_column(comment="hash of a pair of its words, by which variants are found")
    band_2: Mapped[int] = mapped_column(comment="another")
    band_3: Mapped[int] = mapped_column(comment="another")
    band_4: Mapped[int] = mapped_column(comment="another")
    words: Mapped[int] = mapped_column(comment="words in it")
    sample: Mapped[str | None] = mapped_column(comment="its text; null where it was seen but once, or is too long")
    articles: Mapped[int] = mapped_column(comment="different articles that it stood in, copies left out")
    days: Mapped[int] = mapped_column(
        BigInteger, comment="days on which those were published, a bit each (days since year 1, modulo 63)"
    )
    first_number: Mapped[int] = mapped_column(comment="site.articles when it was first seen")
    last_number: Mapped[int] = mapped_column(comment="site.articles when it was last seen")
    first_article: Mapped[int] = mapped_column(BigInteger, comment="the article that it was first seen in")
    last_article: Mapped[int] = mapped_column(BigInteger, comment="the article that it was last seen in")
    above: Mapped[int] = mapped_column(comment="sum over articles of the paragraphs of text before it")
    below: Mapped[int] = mapped_column(comment="sum over articles of the paragraphs of text after it")
    first_seen_at: Mapped[datetime] = mapped_column(comment="when it was first seen")
    last_seen_at: Mapped[datetime] = mapped_column(comment="when it was last seen")
    verdict: Mapped[str | None] = mapped_column(
        String(16), comment="what the user said: kept (it is text) or dropped; null where the rule decides"
    )

    __table_args__ = (
        _one_of("verdict", BLOCK_VERDICTS),
        Index(
            "ix_site_block_recurring",
            "site",
            sqlite_where=text("articles >= 5 OR verdict IS NOT NULL"),
            postgresql_where=text("articles >= 5 OR verdict IS NOT NULL"),
        ),
        {"sqlite_with_rowid": False},
    )


class BackfillJobRow(Table):
    """One call of a backfill: what was asked for. Its units say how far it is."""

    __tablename__ = "backfill_job"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    key: Mapped[str | None] = mapped_column(
        String(64),
        unique=True,
        comment="hash of what was asked for: the same again goes on; null once finished, so that it may be asked anew",
    )
    source: Mapped[str] = mapped_column(
        String(16), comment="sitemap, warc, ccnews, wayback, feed, html, or verify (holes that were queued)"
    )
    targets: Mapped[list[Any]] = mapped_column(comment="sites, addresses or files, as given")
    since: Mapped[datetime | None] = mapped_column(comment="begin of the range; null for none")
    until: Mapped[datetime | None] = mapped_column(comment="end of the range, itself outside; null for none")
    options: Mapped[dict[str, Any]] = mapped_column(comment="the other options: sites, languages, limit …")
    created_at: Mapped[datetime] = mapped_column(comment="when it was first asked for")
    finished_at: Mapped[datetime | None] = mapped_column(comment="when its last unit and page were done")


class BackfillUnitRow(Table):
    """A part of a backfill job that is done by itself: a sitemap, a page of an index, a file."""

    __tablename__ = "backfill_unit"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("backfill_job.id", ondelete="CASCADE"), comment="the job")
    kind: Mapped[str] = mapped_column(String(16), comment="site, sitemap, month, file, query, feed or folder")
    address: Mapped[str] = mapped_column(comment="its URL or path")
    depth: Mapped[int] = mapped_column(default=0, server_default=text("0"), comment="indexes above it")
    state: Mapped[str] = mapped_column(
        String(16),
        default="queued",
        server_default=text("'queued'"),
        comment="queued (not yet, or in part), done, failed (given up)",
    )
    position: Mapped[int] = mapped_column(
        BigInteger,
        default=0,
        server_default=text("0"),
        comment="how much of it is done: the byte of a file, the number of a page or line",
    )
    cursor: Mapped[str | None] = mapped_column(comment="what to ask for next, where a server says so")
    counts: Mapped[dict[str, Any]] = mapped_column(comment="what it came to so far: numbers by outcome")
    attempts: Mapped[int] = mapped_column(
        default=0, server_default=text("0"), comment="claims since it last got on; a claim counts before it reads"
    )
    due_at: Mapped[datetime] = mapped_column(comment="not before this time")
    reason: Mapped[str | None] = mapped_column(String(40), comment="what went wrong last, one word to group by")
    detail: Mapped[str | None] = mapped_column(comment="the reason in words")
    leased_until: Mapped[datetime | None] = mapped_column(comment="the claim on this unit ends then")
    lease_owner: Mapped[str | None] = mapped_column(comment="the worker that holds the claim")

    __table_args__ = (
        UniqueConstraint("job_id", "address"),
        Index("ix_backfill_unit_job_id_state_due_at", "job_id", "state", "due_at"),
        _one_of("state", UNIT_STATES),
    )


class ChangeRow(Table):
    """The log of what changed in the archive, written by triggers; v_changes shows what may be read of it."""

    __tablename__ = "change"

    cursor: Mapped[str] = mapped_column(
        String(28),
        primary_key=True,
        comment="place in the order of changes: 14 digits of the transaction (0 on SQLite), 14 of the change itself",
    )
    kind: Mapped[str] = mapped_column(
        String(16),
        comment="new, revised (text or title), updated (other fields), duplicate (a copy of another article, or no"
        " longer one), story (belongs to another one), gone (the page went), back (it returned), deleted (taken down)",
    )
    article_id: Mapped[int] = mapped_column(BigInteger, index=True, comment="the article; when deleted, its former id")
    revision: Mapped[int | None] = mapped_column(comment="number of the revision, of the kinds new and revised")
    url: Mapped[str | None] = mapped_column(comment="canonical URL that it had; only of kind deleted")
    site: Mapped[str | None] = mapped_column(comment="site that it was of; only of kind deleted")
    changed_at: Mapped[datetime] = mapped_column(
        index=True, comment="when the change was written, by the database's clock"
    )

    __table_args__ = (_one_of("kind", CHANGE_KINDS),)


class ChangeClockRow(Table):
    """One row: what makes the numbers of transactions go on where a database is moved to another PostgreSQL server."""

    __tablename__ = "change_clock"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    shift: Mapped[int] = mapped_column(
        BigInteger, server_default=text("0"), comment="what is added to the server's transaction numbers"
    )
    server: Mapped[str | None] = mapped_column(
        String(40), comment="the server that the shift is for: its system identifier"
    )
