"""Subscriptions: added, listed, claimed to be polled."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.access import AccessChange, described, origin_of
from pipeline.errors import ConfigError
from pipeline.model import Feed, Subscription, Validators
from pipeline.store.access import change_access, read_access
from pipeline.store.addresses import feeds_at
from pipeline.store.frontier import Scope, due_feeds
from pipeline.store.routes import route_of
from pipeline.store.rows import ensure_hosts, storable, upsert
from pipeline.tables import FEED_SECRETS, EntryRow, FeedRow, PageRow
from pipeline.urls import host_of


def add_feeds(
    connection: Connection,
    subscriptions: Iterable[Subscription],
    now: datetime,
    interval: timedelta,
    access: Mapping[str, AccessChange] = MappingProxyType({}),
) -> int:
    """Subscribe to feeds; those there already keep their state, and take over a title or tags newly given.

    A former address stands for the feed that has it no more. ``access`` has what to ask some of the feeds with, by the
    addresses as given.

    Raises:
        ConfigError: what to ask with cannot be sent, or was given for a server that the feed has left.
    """
    wanted = {feed.url: feed for feed in subscriptions}
    present = feeds_at(connection, wanted)
    for url in access:
        if origin_of(present.get(url, url)) != origin_of(url):
            raise ConfigError(f"{url} has moved to {present[url]}: say with `news feeds set` what to ask for that with")
    wanted = {present.get(url, url): feed for url, feed in wanted.items()}
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
    for url, change in access.items():
        change_access(connection, find_feed(connection, present.get(url, url)), change, now)
    return len(wanted.keys() - known)


def list_feeds(connection: Connection, state: str | None = None) -> list[dict[str, Any]]:
    """All feeds with their numbers of entries, by title; ``access`` says what they are asked with, without secrets."""
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
    return [_shown(row) for row in connection.execute(query).mappings()]


def _shown(row: sa.RowMapping) -> dict[str, Any]:
    hidden = {*FEED_SECRETS, "access_origin", "access_pages"}
    return {name: row[name] for name in row if name not in hidden} | {"access": described(read_access(row))}


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
        forgotten = {"missing_since": None, "rediscover_at": None, "moved_to": None}
        values |= {"failures": 0, "strain": 0.0, "next_poll_at": now, **forgotten}
    connection.execute(sa.update(FeedRow).where(FeedRow.id == feed_id).values(values))


def remove_feed(connection: Connection, feed_id: int) -> None:
    """Unsubscribe: the feed, its log and its entries go; pages and articles stay."""
    connection.execute(sa.delete(FeedRow).where(FeedRow.id == feed_id))


def make_feeds_due(connection: Connection, now: datetime) -> int:
    """Make every healthy feed due now: active, which means that its last poll was answered, or that it had none.

    Feeds that fail or have gone wait as their failures and the server demand.
    """
    done = connection.execute(
        sa.update(FeedRow).where(FeedRow.state == "active", FeedRow.next_poll_at > now).values(next_poll_at=now)
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
        state=row["state"],
        rate=row["rate"],
        limit=_seconds(row["longest_interval"]),
        strain=row["strain"],
        missing_since=row["missing_since"],
        answered_at=row["answered_at"],
        news_at=row["news_at"],
        window=row["window"],
        rolls=row["rolls"],
        ttl=_seconds(row["ttl"]),
        period=_seconds(row["update_period"]),
        target=row["target_url"],
        redirects=row["redirects"],
        route=route_of(row["route"]),
        access=read_access(row),
    )


def _seconds(number: float | None) -> timedelta | None:
    return None if number is None else timedelta(seconds=number)


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
