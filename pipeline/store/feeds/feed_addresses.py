"""Feeds that take another address: adopted, or merged with the feed that is there already; nothing is lost."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.orm import aliased

from pipeline.store.connection.rows import batches, ensure_hosts, storable, upsert
from pipeline.store.schema.tables import AddressRow, EntryRow, FeedRow, PollRow, SubscriptionRow
from pipeline.urls import MAX_URL_LENGTH, canonical_url, host_of


@dataclass(frozen=True, slots=True)
class GoneFeed:
    """A feed that has gone: its address, the page that it belonged to, and its title."""

    url: str
    site_url: str
    title: str | None


def find_present_addresses(connection: Connection, urls: Iterable[str]) -> dict[str, str]:
    """The present address of the feed for each of these that is a former one, of a feed that moved or was merged."""
    present: dict[str, str] = {}
    there = FeedRow.__table__.alias("there")
    for batch in batches(sorted(urls)):
        former = (
            sa.select(AddressRow.url, FeedRow.url)
            .join(FeedRow, FeedRow.id == AddressRow.feed_id)
            .where(AddressRow.url.in_(batch))
        )
        merged = (
            sa.select(FeedRow.url, there.c.url)
            .join(there, there.c.id == FeedRow.moved_to)
            .where(FeedRow.url.in_(batch), FeedRow.state == "moved")
        )
        for query in (former, merged):
            present |= {row[0]: row[1] for row in connection.execute(query)}
    return present


def list_former_addresses(connection: Connection, feed_id: int) -> list[dict[str, Any]]:
    """The addresses that a feed had before, the last one first; those of feeds merged into it too."""
    rows = connection.execute(
        sa.select(AddressRow.url, AddressRow.reason, AddressRow.detail, AddressRow.left_at)
        .where(AddressRow.feed_id == feed_id)
        .order_by(AddressRow.left_at.desc(), AddressRow.url)
    )
    return [dict(row) for row in rows.mappings()]


def claim_feed_search(connection: Connection, feed_id: int, now: datetime, again_after: timedelta) -> GoneFeed | None:
    """What to search for where the search for a feed that has gone is due; the next one is due after that time."""
    wanted = [FeedRow.id == feed_id, FeedRow.state == "gone", FeedRow.rediscover_at <= now]
    query = sa.select(FeedRow.url, FeedRow.site_url, FeedRow.title).where(*wanted, FeedRow.site_url.is_not(None))
    row = connection.execute(query).mappings().first()
    connection.execute(sa.update(FeedRow).where(*wanted).values(rediscover_at=now + again_after))
    return GoneFeed(row["url"], row["site_url"], row["title"]) if row else None


def adopt_address(
    connection: Connection, feed_id: int, url: str, now: datetime, reason: str, detail: str | None = None
) -> str | None:
    """Give a feed another address, or merge it into the feed that has this address already.

    Returns ``moved`` for a merged feed, ``active`` for one with a new address, and None where the address cannot be
    taken: it cannot be stored, or its feed is paused, and a merged feed would fall silent with it.
    """
    if not _is_usable(url):
        return None
    there = connection.execute(sa.select(FeedRow.id, FeedRow.state).where(FeedRow.url == url)).mappings().first()
    if there is None:
        _move(connection, feed_id, url, now, reason, detail)
        return "active"
    if there["id"] == feed_id or there["state"] in {"paused", "moved"}:
        return None
    _merge(connection, feed_id, there["id"], now, detail)
    return "moved"


def _is_usable(url: str) -> bool:
    try:
        canonical_url(url)
    except ValueError:
        return False
    return len(url) <= MAX_URL_LENGTH and storable(url) == url and "@" not in url.split("/")[2]


def _move(connection: Connection, feed_id: int, url: str, now: datetime, reason: str, detail: str | None) -> None:
    former = connection.execute(sa.select(FeedRow.url).where(FeedRow.id == feed_id)).scalar_one()
    # The feed that had this address before has it no longer: an address stands for one feed.
    connection.execute(sa.delete(AddressRow).where(AddressRow.url == url))
    _remember(connection, feed_id, former, now, reason, detail)
    ensure_hosts(connection, [host_of(url)], now)
    connection.execute(
        sa.update(FeedRow)
        .where(FeedRow.id == feed_id)
        .values(
            url=url, host=host_of(url), target_url=None, redirects=0, strain=0.0, missing_since=None, rediscover_at=None
        )
    )
    # What was found elsewhere after it had gone need not wait for its old address's next turn.
    connection.execute(
        sa.update(FeedRow)
        .where(FeedRow.id == feed_id, FeedRow.state == "gone")
        .values(state="failing", next_poll_at=now)
    )


def _remember(connection: Connection, feed_id: int, url: str, now: datetime, reason: str, detail: str | None) -> None:
    row = {"url": url, "feed_id": feed_id, "reason": reason, "detail": storable(detail), "left_at": now}
    statement = upsert(connection, AddressRow).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=["url"], set_=row))


def _merge(connection: Connection, feed_id: int, into: int, now: datetime, detail: str | None) -> None:
    """Give entries, polls and former addresses to the other feed, each entry once; the emptied feed stays as moved."""
    rows = connection.execute(
        sa.select(FeedRow.__table__).where(FeedRow.id.in_([feed_id, into])).order_by(FeedRow.id).with_for_update()
    ).mappings()
    both = {row["id"]: row for row in rows}
    moved, home = both[feed_id], both[into]
    twin = aliased(EntryRow)
    # Both announced it: the earlier sighting counts.
    earlier = (
        sa.select(twin.first_seen_at)
        .where(twin.feed_id == feed_id, twin.guid == EntryRow.guid, twin.first_seen_at < EntryRow.first_seen_at)
        .scalar_subquery()
    )
    connection.execute(
        sa.update(EntryRow)
        .where(EntryRow.feed_id == into)
        .values(first_seen_at=sa.func.coalesce(earlier, EntryRow.first_seen_at))
    )
    guids = sa.select(twin.guid).where(twin.feed_id == into)
    connection.execute(sa.delete(EntryRow).where(EntryRow.feed_id == feed_id, EntryRow.guid.in_(guids)))
    for table in (EntryRow, PollRow, AddressRow):
        connection.execute(sa.update(table).where(table.feed_id == feed_id).values(feed_id=into))
    connection.execute(sa.update(FeedRow).where(FeedRow.moved_to == feed_id).values(moved_to=into))
    tags = list(dict.fromkeys([*home["tags"], *moved["tags"]]))
    values: dict[str, object] = {"tags": tags}
    if home["state"] != "active":
        values["next_poll_at"] = now  # it has just answered under its other address
    connection.execute(sa.update(FeedRow).where(FeedRow.id == into).values(values))
    connection.execute(
        sa.update(SubscriptionRow)
        .where(SubscriptionRow.feed_id == feed_id)
        .values(feed_id=None, state="leaving", next_request_at=now)
    )
    _remember(connection, into, moved["url"], now, "merged", detail)
    connection.execute(
        sa.update(FeedRow)
        .where(FeedRow.id == feed_id)
        .values(state="moved", moved_to=into, target_url=None, redirects=0, leased_until=None, lease_owner=None)
    )
