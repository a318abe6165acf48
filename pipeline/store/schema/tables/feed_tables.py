"""Subscribed feeds with their former addresses, WebSub subscriptions, polls and entries."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.schema.tables.column_types import JsonOrNull, Key, Table, check_words, filled_column

FEED_STATES = ("active", "failing", "gone", "moved", "paused")

POLLED_STATES = ("active", "failing", "gone")

FEED_SECRETS = ("headers", "cookies", "user_agent", "auth")  # columns of a feed that no command prints or exports

SUBSCRIPTION_STATES = ("pending", "active", "denied", "leaving")


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
    tags: Mapped[list[Any]] = filled_column(list, comment="folders and labels")
    language: Mapped[str | None] = mapped_column(comment="language that the feed declares")
    state: Mapped[str] = filled_column(
        "active",
        String(16),
        comment="active (its last poll was answered), failing (it was not), gone (404 or 410 for long; asked rarely),"
        " moved (merged into the feed in moved_to), paused (by the user)",
    )
    etag: Mapped[str | None] = mapped_column(comment="validator for the next conditional GET")
    last_modified: Mapped[str | None] = mapped_column(comment="validator for the next conditional GET")
    body_hash: Mapped[str | None] = mapped_column(String(64), comment="SHA-256 of the last document that was read")
    hub_url: Mapped[str | None] = mapped_column(comment="WebSub hub that the feed announces")
    further_hubs: Mapped[list[Any]] = filled_column(
        list, comment="further WebSub hubs, in the order of the announcement"
    )
    topic_url: Mapped[str | None] = mapped_column(comment="the feed's own name at the hub, where it gives one")
    headers: Mapped[dict[str, Any]] = filled_column(
        dict, comment="request headers of the user's; their values are secrets"
    )
    cookies: Mapped[dict[str, Any]] = filled_column(dict, comment="cookies of the user's; their values are secrets")
    user_agent: Mapped[str | None] = mapped_column(comment="sent in place of NEWS_USER_AGENT; a secret")
    auth: Mapped[str | None] = mapped_column(comment="user:password of Basic authentication, in clear; a secret")
    access_origin: Mapped[str | None] = mapped_column(
        comment="scheme, host and port that these four are for: nobody else is sent them"
    )
    access_pages: Mapped[bool] = filled_column(
        False, comment="whether they are sent for pages there too, and not for the feed alone"
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
    skips: Mapped[list[Any]] = filled_column(
        list,
        comment="hours (0 to 23, UTC), days (mon to sun) in which the feed is to be left alone (skipHours, skipDays)",
    )
    next_poll_at: Mapped[datetime] = mapped_column(index=True, comment="due from this time on")
    failures: Mapped[int] = filled_column(0, comment="failed polls in a row")
    strain: Mapped[float] = filled_column(0.0, comment="weight of these failures: hard 1, soft 1/2, temporary 1/4 each")
    missing_since: Mapped[datetime | None] = mapped_column(comment="since when the server says 404 or 410")
    rediscover_at: Mapped[datetime | None] = mapped_column(
        comment="for a feed that has gone: when its site is to be searched for another address"
    )
    target_url: Mapped[str | None] = mapped_column(comment="where the address leads to for good (301, 308), if it does")
    redirects: Mapped[int] = filled_column(
        0, comment="answered polls in a row that led there; after some it is adopted"
    )
    window: Mapped[int] = filled_column(0, comment="entries in the last document that was read")
    rolls: Mapped[bool] = filled_column(False, comment="whether old entries fall out as new ones come")
    answered_at: Mapped[datetime | None] = mapped_column(comment="last poll that was answered")
    news_at: Mapped[datetime | None] = mapped_column(comment="last poll that brought new entries")
    last_polled_at: Mapped[datetime | None] = mapped_column(comment="when it was last polled")
    last_outcome: Mapped[str | None] = mapped_column(String(40), comment="outcome of the last poll")
    last_error: Mapped[str | None] = mapped_column(comment="what went wrong in the last poll")
    leased_until: Mapped[datetime | None] = mapped_column(comment="the claim on this feed ends then")
    lease_owner: Mapped[str | None] = mapped_column(comment="the worker that holds the claim")
    created_at: Mapped[datetime] = mapped_column(comment="when it was subscribed to")

    __table_args__ = (check_words("state", FEED_STATES),)


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
    state: Mapped[str] = filled_column(
        "pending",
        String(16),
        comment="pending (asked for), active (verified), denied (the hub refuses), leaving (being ended)",
    )
    attempts: Mapped[int] = filled_column(0, comment="requests to the hub since it last verified one")
    next_request_at: Mapped[datetime] = mapped_column(
        index=True, comment="when the hub is to be asked (again), or the lease to be renewed"
    )
    verified_at: Mapped[datetime | None] = mapped_column(comment="when the hub last verified the intent")
    expires_at: Mapped[datetime | None] = mapped_column(comment="end of the lease")
    pushes: Mapped[int] = filled_column(0, comment="pushes with a good signature")
    pushes_refused: Mapped[int] = filled_column(0, comment="pushes ignored for a bad signature or none")
    last_push_at: Mapped[datetime | None] = mapped_column(comment="when the last good push came")
    last_error: Mapped[str | None] = mapped_column(comment="what the hub last refused, or what went wrong")
    created_at: Mapped[datetime] = mapped_column(comment="when it was first wanted")

    __table_args__ = (check_words("state", SUBSCRIPTION_STATES),)


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
    entries_without_page: Mapped[int] = filled_column(
        0, comment="new entries that no page stands for: without a link, or with one that cannot be fetched or stored"
    )
    missed: Mapped[bool] = filled_column(
        False,
        comment="whether entries were missed before this poll: it shares none with the poll before, and the feed rolls",
    )
    bytes: Mapped[int] = mapped_column(default=0, comment="size of the document after decompression")
    duration: Mapped[float | None] = mapped_column(comment="seconds from request to last byte")
    error: Mapped[str | None] = mapped_column(comment="what went wrong, or what was malformed")

    __table_args__ = (
        # With the number of entries, from which plots of many polls are summed: without reading these.
        Index("ix_poll_feed_id_polled_at_entries", "feed_id", "polled_at", "entries_new"),
        Index("ix_poll_missed", "polled_at", sqlite_where=text("missed"), postgresql_where=text("missed")),
    )


class EntryRow(Table):
    """What a feed announced. Several feeds may announce one page: each has its own entry."""

    __tablename__ = "entry"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    feed_id: Mapped[int] = mapped_column(ForeignKey("feed.id", ondelete="CASCADE"), comment="the feed")
    guid: Mapped[str] = mapped_column(comment="the entry's identity within the feed")
    page_id: Mapped[int | None] = mapped_column(
        ForeignKey("page.id"), index=True, comment="the page announced; null where the entry has no usable link"
    )
    title: Mapped[str | None] = mapped_column(comment="title as announced")
    summary: Mapped[str | None] = mapped_column(comment="summary as announced, plain text")
    content: Mapped[str | None] = mapped_column(
        comment="full text as announced, paragraphs joined by a blank line; stands in for a page that cannot be had"
    )
    authors: Mapped[list[Any]] = filled_column(list, comment="authors as announced")
    tags: Mapped[list[Any]] = filled_column(list, comment="tags and categories as announced")
    published_at: Mapped[datetime | None] = mapped_column(comment="publication as announced")
    updated_at: Mapped[datetime | None] = mapped_column(comment="last change as announced")
    is_future: Mapped[bool] = filled_column(False, comment="whether it was dated ahead of the poll that stored it")
    hash: Mapped[str] = mapped_column(String(64), comment="of what was announced, to notice a change")
    changes: Mapped[int] = filled_column(0, comment="how often the announcement was changed")
    first_seen_at: Mapped[datetime] = mapped_column(comment="poll in which it first appeared")
    last_seen_at: Mapped[datetime] = mapped_column(comment="last poll in which it stood with a new or changed content")

    __table_args__ = (
        UniqueConstraint("feed_id", "guid"),
        # For the list of a feed's entries, the newest first.
        Index("ix_entry_feed_id_first_seen_at", "feed_id", "first_seen_at", "id"),
    )
