"""Subscriptions: added, listed, claimed to be polled."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.errors import ConfigError
from pipeline.http.credentials import CredentialsChange, describe_credentials, origin_of
from pipeline.model import Subscription
from pipeline.store.connection.rows import ensure_hosts, storable, upsert
from pipeline.store.feeds.feed_addresses import find_present_addresses
from pipeline.store.frontier.stored_credentials import read_credentials, store_credentials
from pipeline.store.schema.tables import FEED_SECRETS, POLLED_STATES, EntryRow, FeedRow, PageRow
from pipeline.urls import host_of

WEEK = timedelta(days=7)


def add_feeds(
    connection: Connection,
    subscriptions: Iterable[Subscription],
    now: datetime,
    interval: timedelta,
    access: Mapping[str, CredentialsChange] = MappingProxyType({}),
) -> int:
    """Subscribe to feeds; those there already keep their state, and take over a title or tags newly given.

    A former address stands for the feed that has it no more. ``access`` has what to ask some of the feeds with, by the
    addresses as given.

    Raises ConfigError: what to ask with cannot be sent, or was given for a server that the feed has left.
    """
    wanted = {feed.url: feed for feed in subscriptions}
    present = find_present_addresses(connection, wanted)
    for url in access:
        if origin_of(present.get(url, url)) != origin_of(url):
            raise ConfigError(f"{url} has moved to {present[url]}: say with `news feeds set` what to ask for that with")
    wanted = {present.get(url, url): feed for url, feed in wanted.items()}
    known = set(connection.scalars(sa.select(FeedRow.url)))
    ensure_hosts(connection, (host_of(url) for url in wanted), now)
    rows = [_new_feed(url, feed, now, interval) for url, feed in sorted(wanted.items())]
    for given, group in groupby(sorted(rows, key=_given_names), key=_given_names):
        insert = upsert(connection, FeedRow)
        update = {name: insert.excluded[name] for name in given}
        statement = insert.on_conflict_do_update(index_elements=["url"], set_=update) if given else None
        connection.execute(insert.on_conflict_do_nothing() if statement is None else statement, list(group))
    for url, change in access.items():
        store_credentials(connection, find_feed(connection, present.get(url, url)), change, now)
    return len(wanted.keys() - known)


def _new_feed(url: str, feed: Subscription, now: datetime, interval: timedelta) -> dict[str, Any]:
    return {
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


def _given_names(row: dict[str, Any]) -> tuple[str, ...]:
    """What the subscriber gave, and a feed that is there already takes over."""
    return tuple(name for name in ("title", "site_url", "tags") if row[name])


def list_feeds(connection: Connection, state: str | None = None, now: datetime | None = None) -> list[dict[str, Any]]:
    """All feeds with their numbers of entries, by title; ``access`` says what they are asked with, without secrets.

    ``per_day`` is how many entries came in the last week, those of the first poll left out, for each day of it that the
    feed is known; None before a second poll could bring any.
    """
    now = now or datetime.now(UTC)
    first = sa.func.min(EntryRow.first_seen_at).label("begun_at")
    begun = sa.select(EntryRow.feed_id, first).group_by(EntryRow.feed_id).subquery("begun")
    is_recent = sa.and_(EntryRow.first_seen_at > begun.c.begun_at, EntryRow.first_seen_at > now - WEEK)
    counted = (
        sa.select(EntryRow.feed_id, begun.c.begun_at, sa.func.count().label("entries"))
        .add_columns(sa.func.sum(sa.case((is_recent, 1), else_=0)).label("recent"))
        .join(begun, begun.c.feed_id == EntryRow.feed_id)
        .group_by(EntryRow.feed_id, begun.c.begun_at)
        .subquery("counted")
    )
    query = (
        sa.select(FeedRow.__table__, sa.func.coalesce(counted.c.entries, 0).label("entries"))
        .add_columns(counted.c.recent, counted.c.begun_at)
        .outerjoin(counted, counted.c.feed_id == FeedRow.id)
        .order_by(FeedRow.title, FeedRow.url)
    )
    if state:
        query = query.where(FeedRow.state == state)
    return [_shown(row) | {"per_day": _per_day(row, now)} for row in connection.execute(query).mappings()]


def _per_day(row: sa.RowMapping, now: datetime) -> float | None:
    if row["begun_at"] is None or row["answered_at"] is None or row["answered_at"] <= row["begun_at"]:
        return None
    # In its first day a feed is given the whole of it: what came in some minutes says nothing of a day.
    days = min(max(now - row["begun_at"], timedelta(days=1)), WEEK) / timedelta(days=1)
    return float(round(row["recent"] / days, 1))


def _shown(row: sa.RowMapping) -> dict[str, Any]:
    hidden = {*FEED_SECRETS, "access_origin", "access_pages", "recent", "begun_at"}
    return {name: row[name] for name in row if name not in hidden} | {
        "access": describe_credentials(read_credentials(row))
    }


def find_feed(connection: Connection, name: str) -> int:
    """The id of the feed with this address or this id."""
    by = FeedRow.id == int(name) if name.isdecimal() and len(name) < 19 else FeedRow.url == name
    feed_id = connection.scalar(sa.select(FeedRow.id).where(by))
    if feed_id is None:
        raise ConfigError(f"no feed {name!r}: give its address or its number as `news feeds list` shows them")
    return feed_id


def set_feed_state(connection: Connection, feed_id: int, state: str, now: datetime) -> None:
    """Pause or resume a feed; a resumed feed is due at once, its failures forgotten."""
    values: dict[str, object] = {"state": state}
    if state == "active":
        forgotten = {"missing_since": None, "rediscover_at": None, "moved_to": None}
        values |= {"failures": 0, "strain": 0.0, "next_poll_at": now, **forgotten}
    connection.execute(sa.update(FeedRow).where(FeedRow.id == feed_id).values(values))


def make_feed_due(connection: Connection, feed_id: int, now: datetime) -> None:
    """Have a feed polled by the next run, or by the one that goes on, whatever its failures demand."""
    connection.execute(sa.update(FeedRow).where(FeedRow.id == feed_id).values(next_poll_at=now))


def edit_feed(connection: Connection, feed_id: int, title: str, tags: Sequence[str]) -> None:
    """Give a feed the subscriber's title and tags; without a title it is shown by its own from its next poll on."""
    values = {"title": storable(title) or None, "tags": storable(list(tags))}
    connection.execute(sa.update(FeedRow).where(FeedRow.id == feed_id).values(values))


def load_subscriptions(connection: Connection) -> list[Subscription]:
    """All subscriptions as a list of them has them; those that were merged into others are left out."""
    query = sa.select(FeedRow.url, FeedRow.title, FeedRow.site_url, FeedRow.tags).where(FeedRow.state != "moved")
    rows = connection.execute(query.order_by(FeedRow.title, FeedRow.url))
    return [Subscription(url=row.url, title=row.title, site_url=row.site_url, tags=tuple(row.tags)) for row in rows]


def remove_feed(connection: Connection, feed_id: int) -> None:
    """Unsubscribe: the feed, its log and its entries go; pages and articles stay."""
    connection.execute(sa.delete(FeedRow).where(FeedRow.id == feed_id))


def make_feeds_due(connection: Connection, now: datetime, *, even_failing: bool = False) -> int:
    """Make every healthy feed due now: active, which means that its last poll was answered, or that it had none.

    Feeds that fail or have gone wait as their failures and the server demand, unless ``even_failing`` says otherwise.
    """
    states = POLLED_STATES if even_failing else ("active",)
    done = connection.execute(
        sa.update(FeedRow).where(FeedRow.state.in_(states), FeedRow.next_poll_at > now).values(next_poll_at=now)
    )
    return done.rowcount


def list_announcing_feeds(connection: Connection, page_id: int) -> Sequence[sa.RowMapping]:
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
