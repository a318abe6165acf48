"""The frontier, which is the ledger too, its hosts and archived responses, and what was taken out of it."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.schema.tables.column_types import JsonOrNull, Key, Table, check_words, filled_column

PAGE_STATES = ("queued", "stored", "alias", "rejected", "failed", "blocked", "gone")

TAKEDOWN_SCOPES = ("url", "site")


class PageRow(Table):
    """The frontier and the ledger: every URL ever discovered, once, with its one current status."""

    __tablename__ = "page"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    url: Mapped[str] = mapped_column(unique=True, comment="canonical URL")
    host: Mapped[str] = mapped_column(
        ForeignKey("host.name"), index=True, comment="server of the URL; that of route while there is one"
    )
    route: Mapped[dict[str, Any] | None] = mapped_column(
        JsonOrNull, comment="where a redirect to another host leads, until that has been asked: url, hops so far"
    )
    state: Mapped[str] = filled_column(
        "queued",
        String(16),
        comment="queued (not yet fetched with success), stored (article in the archive), alias (another URL of the page"
        " in alias_of), rejected (holds no article), failed (given up), blocked (robots.txt), gone (404 or 410)",
    )
    outcome: Mapped[str | None] = mapped_column(
        String(40), comment="what the last fetch came to: new, revised, unchanged, duplicate, not_modified, error"
    )
    reason: Mapped[str | None] = mapped_column(String(40), comment="why the state is what it is, one word to group by")
    detail: Mapped[str | None] = mapped_column(comment="the reason in words")
    attempts: Mapped[int] = filled_column(0, comment="claims since the last success; a claim counts before it fetches")
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
        check_words("state", PAGE_STATES),
        Index(
            "ix_page_due",
            "backfill_id",
            "host",
            "next_fetch_at",
            sqlite_where=text("next_fetch_at IS NOT NULL"),
            postgresql_where=text("next_fetch_at IS NOT NULL"),
        ),
        Index("ix_page_state_reason_id", "state", "reason", "id"),
        Index(
            "ix_page_leased_until",
            "leased_until",
            sqlite_where=text("leased_until IS NOT NULL"),
            postgresql_where=text("leased_until IS NOT NULL"),
        ),
        Index("ix_page_alias_of", "alias_of"),
        Index("ix_page_home", text("coalesce(alias_of, id)")),  # for v_ledger, asked by its article
        # For v_source_daily; as PostgreSQL writes it. SQLite has its own expressions
        # (pipeline.store.schema.views.view_shape).
        Index(
            "ix_page_source_day",
            text(r"regexp_replace(split_part(host::text, ':'::text, 1), '^www\.(?=.*\.)'::text, ''::text)"),
            text("(timezone('UTC'::text, discovered_at)::date)"),
        ),
    )


class TakedownRow(Table):
    """What was taken down on request: never fetched, stored or backfilled again."""

    __tablename__ = "takedown"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    scope: Mapped[str] = mapped_column(String(16), comment="url, or site for a host name and those below it")
    target: Mapped[str] = mapped_column(comment="the canonical URL or the host name")
    note: Mapped[str | None] = mapped_column(comment="why, in the words of whoever did it")
    taken_down_at: Mapped[datetime] = mapped_column(comment="when it was done")

    __table_args__ = (UniqueConstraint("target", "scope"), check_words("scope", TAKEDOWN_SCOPES))


class HostRow(Table):
    """A server that is fetched from: the unit of politeness, leased to one worker at a time."""

    __tablename__ = "host"

    name: Mapped[str] = mapped_column(
        String(320), primary_key=True, comment="authority in lower case: host, and port where not the default"
    )
    next_fetch_at: Mapped[datetime] = mapped_column(comment="no request to this host before this time")
    delay: Mapped[float] = filled_column(0.0, comment="seconds between requests that the host asks for (crawl-delay)")
    pause: Mapped[float] = filled_column(
        0.0,
        comment="seconds that were last left between requests: NEWS_HOST_DELAY or delay at least, longer for slow ones",
    )
    strain: Mapped[float] = filled_column(
        1.0,
        comment="factor that the pause is widened by: doubled by each 429, 503, time-out; good answers lower it to 1",
    )
    response_time: Mapped[float | None] = mapped_column(comment="seconds that an answer takes, a moving average")
    failures: Mapped[int] = filled_column(0, comment="robots.txt fetches in a row that failed")
    robots: Mapped[str | None] = mapped_column(comment="the last robots.txt; empty where there is none")
    robots_status: Mapped[int | None] = mapped_column(comment="HTTP status of the last robots.txt")
    robots_fetched_at: Mapped[datetime | None] = mapped_column(comment="when robots.txt was last read")
    tdm: Mapped[str | None] = mapped_column(comment="the last /.well-known/tdmrep.json; empty where there is none")
    tdm_fetched_at: Mapped[datetime | None] = mapped_column(comment="when that was last asked for")
    leased_until: Mapped[datetime | None] = mapped_column(comment="the claim on this host ends then")
    lease_owner: Mapped[str | None] = mapped_column(comment="the worker that holds the claim")

    __table_args__ = (Index("ix_host_next_fetch_at", "next_fetch_at"),)


RAW_KINDS = ("page", "feed")


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
    dropped: Mapped[bool] = filled_column(False, comment="whether the record is to be taken out of its file")

    __table_args__ = (
        check_words("kind", RAW_KINDS),
        Index("ix_raw_file_file_offset", "file", "file_offset"),
        Index("ix_raw_dropped", "file", sqlite_where=text("dropped"), postgresql_where=text("dropped")),
    )
