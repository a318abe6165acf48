"""Subscriptions, the log of polls, and the entries that feeds announce."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.errors import ConfigError
from pipeline.model import Entry, Feed, ParsedFeed, Subscription, Validators
from pipeline.store.frontier import Scope, discover, due_feeds, requeue
from pipeline.store.rows import batches, ensure_hosts, storable, upsert
from pipeline.tables import EntryRow, FeedRow, PageRow, PollRow
from pipeline.urls import host_of

MAX_CHANGES = 24
"""An entry that was changed so often is flapping: it no longer causes its page to be fetched (lemon24/reader)."""

MAX_GUID = 1000
"""Longest guid in characters that is stored; PostgreSQL's indexes take 2,704 bytes."""


@dataclass(frozen=True, slots=True)
class Poll:
    """One poll of a feed, as it is logged. ``outcome`` is ``read``, ``unchanged`` or the reason of the failure."""

    feed: Feed
    polled_at: datetime
    outcome: str
    next_poll_at: datetime
    status: int | None = None
    failed: bool = False
    bytes: int = 0
    duration: timedelta | None = None
    error: str | None = None
    validators: Validators | None = None
    body_hash: str | None = None
    parsed: ParsedFeed | None = None


@dataclass(frozen=True, slots=True)
class PollCounts:
    """What a poll brought."""

    seen: int = 0
    new: int = 0
    changed: int = 0


def add_feeds(connection: Connection, subscriptions: Iterable[Subscription], now: datetime, interval: timedelta) -> int:
    """Subscribe to feeds; those there already keep their state, and take over a title or tags newly given."""
    wanted = {feed.url: feed for feed in subscriptions}
    known = set(connection.scalars(sa.select(FeedRow.url)))
    ensure_hosts(connection, (host_of(url) for url in wanted), now)
    for url, feed in sorted(wanted.items()):
        row = {
            "url": url,
            "host": host_of(url),
            "title": storable(feed.title),
            "site_url": storable(feed.site_url),
            "tags": storable(list(feed.tags)),
            "state": "active",
            "interval": interval.total_seconds(),
            "next_poll_at": now,
            "failures": 0,
            "created_at": now,
        }
        given = {name: row[name] for name in ("title", "site_url", "tags") if row[name]}
        statement = upsert(connection, FeedRow).values(row)
        connection.execute(
            statement.on_conflict_do_update(index_elements=["url"], set_=given)
            if given
            else statement.on_conflict_do_nothing()
        )
    return len(wanted.keys() - known)


def list_feeds(connection: Connection, state: str | None = None) -> Sequence[sa.RowMapping]:
    """All feeds with their numbers of entries, by title."""
    entries = (
        sa.select(EntryRow.feed_id, sa.func.count().label("entries")).group_by(EntryRow.feed_id).subquery("counted")
    )
    query = (
        sa.select(FeedRow.__table__, sa.func.coalesce(entries.c.entries, 0).label("entries"))
        .outerjoin(entries, entries.c.feed_id == FeedRow.id)
        .order_by(FeedRow.title, FeedRow.url)
    )
    if state:
        query = query.where(FeedRow.state == state)
    return connection.execute(query).mappings().all()


def find_feed(connection: Connection, name: str) -> int:
    """The id of the feed with this address or this id."""
    by = FeedRow.id == int(name) if name.isdecimal() and len(name) < 19 else FeedRow.url == name
    found = connection.scalar(sa.select(FeedRow.id).where(by))
    if found is None:
        raise ConfigError(f"no feed {name!r}: give its address or its number as `news feeds list` shows them")
    return found


def set_feed_state(connection: Connection, feed_id: int, state: str, now: datetime) -> None:
    """Pause or resume a feed; a resumed feed is due at once, its failures forgotten."""
    values: dict[str, object] = {"state": state}
    if state == "active":
        values |= {"failures": 0, "next_poll_at": now}
    connection.execute(sa.update(FeedRow).where(FeedRow.id == feed_id).values(values))


def remove_feed(connection: Connection, feed_id: int) -> None:
    """Unsubscribe: the feed, its log and its entries go; pages and articles stay."""
    connection.execute(sa.delete(FeedRow).where(FeedRow.id == feed_id))


def make_feeds_due(connection: Connection, now: datetime) -> int:
    """Make every active feed due now, save those that fail: they wait as their failures or the server demand."""
    done = connection.execute(
        sa.update(FeedRow)
        .where(FeedRow.state == "active", FeedRow.failures == 0, FeedRow.next_poll_at > now)
        .values(next_poll_at=now)
    )
    return done.rowcount


def claim_feed(
    connection: Connection, scope: Scope, host: str, owner: str, now: datetime, lease: timedelta
) -> Feed | None:
    """Claim a feed of this host that is due, if there is one."""
    row = (
        connection.execute(
            sa.select(FeedRow.__table__)
            .where(FeedRow.host == host, due_feeds(scope, now))
            .order_by(FeedRow.next_poll_at, FeedRow.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        .mappings()
        .first()
    )
    if row is None:
        return None
    connection.execute(
        sa.update(FeedRow).where(FeedRow.id == row["id"]).values(leased_until=now + lease, lease_owner=owner)
    )
    return Feed(
        id=row["id"],
        url=row["url"],
        host=row["host"],
        due_at=row["next_poll_at"],
        validators=Validators(row["etag"], row["last_modified"]),
        interval=timedelta(seconds=row["interval"]),
        failures=row["failures"],
        body_hash=row["body_hash"],
    )


def record_poll(connection: Connection, poll: Poll) -> PollCounts:
    """Store a poll with everything that it brought, in one transaction, and end the claim on the feed.

    New entries put their pages into the frontier; changed ones put them there again.
    """
    counts = PollCounts()
    if poll.parsed is not None:
        counts = _store_entries(connection, poll.feed, poll.parsed.entries, poll.polled_at)
    values: dict[str, object] = {
        "last_polled_at": poll.polled_at,
        "last_outcome": poll.outcome,
        "last_error": storable(poll.error),
        "next_poll_at": poll.next_poll_at,
        "failures": FeedRow.failures + 1 if poll.failed else 0,
        "leased_until": None,
        "lease_owner": None,
    }
    if poll.validators is not None:
        values |= {"etag": storable(poll.validators.etag), "last_modified": storable(poll.validators.last_modified)}
    if poll.body_hash is not None:
        values["body_hash"] = poll.body_hash
    if poll.parsed is not None:
        # What the subscriber gave stands; what the feed says of itself fills the gaps.
        for name in ("title", "site_url", "language"):
            column = getattr(FeedRow, name)
            values[name] = sa.func.coalesce(column, storable(getattr(poll.parsed, name)))
        values |= {"hub_url": storable(poll.parsed.hub_url), "topic_url": storable(poll.parsed.self_url)}
    connection.execute(sa.update(FeedRow).where(FeedRow.id == poll.feed.id).values(values))
    connection.execute(
        sa.insert(PollRow).values(
            feed_id=poll.feed.id,
            polled_at=poll.polled_at,
            status=poll.status,
            outcome=poll.outcome,
            entries_seen=counts.seen,
            entries_new=counts.new,
            entries_changed=counts.changed,
            entries_skipped=poll.parsed.skipped if poll.parsed else 0,
            bytes=poll.bytes,
            duration=poll.duration.total_seconds() if poll.duration is not None else None,
            error=storable(poll.error),
        )
    )
    return counts


def _store_entries(connection: Connection, feed: Feed, entries: Sequence[Entry], now: datetime) -> PollCounts:
    announced = {storable(entry.guid)[:MAX_GUID]: entry for entry in reversed(entries)}
    known: dict[str, sa.RowMapping] = {}
    for batch in batches(list(announced)):
        rows = connection.execute(
            sa.select(EntryRow.id, EntryRow.guid, EntryRow.hash, EntryRow.changes).where(
                EntryRow.feed_id == feed.id, EntryRow.guid.in_(batch)
            )
        ).mappings()
        known |= {row["guid"]: row for row in rows}
    new = [guid for guid in announced if guid not in known]
    changed = [guid for guid, row in known.items() if row["hash"] != announced[guid].hash]
    pages = discover(connection, [announced[guid] for guid in (*new, *changed)], now, feed.due_at)
    rows_new = [
        _announced(announced[guid], pages, now) | {"feed_id": feed.id, "guid": guid, "changes": 0, "first_seen_at": now}
        for guid in sorted(new)
    ]
    for rows_batch in batches(rows_new):
        connection.execute(upsert(connection, EntryRow).values(rows_batch).on_conflict_do_nothing())
    for guid in changed:
        connection.execute(
            sa.update(EntryRow)
            .where(EntryRow.id == known[guid]["id"])
            .values(_announced(announced[guid], pages, now) | {"changes": EntryRow.changes + 1})
        )
    again = [
        pages[url]
        for guid in changed
        if known[guid]["changes"] < MAX_CHANGES and (url := announced[guid].url) is not None and url in pages
    ]
    requeue(connection, again, feed.due_at)
    return PollCounts(seen=len(announced), new=len(new), changed=len(changed))


def _announced(entry: Entry, pages: dict[str, int], now: datetime) -> dict[str, object]:
    return {
        "page_id": pages.get(entry.url) if entry.url else None,
        "title": storable(entry.title),
        "summary": storable(entry.summary),
        "published_at": entry.published_at,
        "updated_at": entry.updated_at,
        "hash": entry.hash,
        "last_seen_at": now,
    }


def announcing_feeds(connection: Connection, page_id: int) -> Sequence[sa.RowMapping]:
    """The entries, with their feeds, that announced this page or a URL that leads to it."""
    aliases = sa.select(PageRow.id).where(sa.or_(PageRow.id == page_id, PageRow.alias_of == page_id))
    query = (
        sa.select(
            FeedRow.url.label("feed"),
            FeedRow.title.label("feed_title"),
            EntryRow.title,
            EntryRow.published_at,
            EntryRow.updated_at,
            EntryRow.changes,
            EntryRow.first_seen_at,
        )
        .join(FeedRow, FeedRow.id == EntryRow.feed_id)
        .where(EntryRow.page_id.in_(aliases))
        .order_by(EntryRow.first_seen_at, EntryRow.id)
    )
    return connection.execute(query).mappings().all()
