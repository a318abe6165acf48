"""Feeds that a worker claims to poll them."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.model import Feed, Validators
from pipeline.store.connection.rows import core, storable
from pipeline.store.frontier.due_work import Scope, is_feed_due, scope_parameters
from pipeline.store.frontier.routes import route_of
from pipeline.store.frontier.stored_credentials import read_credentials
from pipeline.store.schema.tables import FeedRow


def spare_feed(
    connection: Connection, feed_id: int, owner: str, outcome: str, error: str, due_at: datetime | None = None
) -> None:
    """Give back a feed that failed of our side: no failure counts, and it stays due, or is so from another time on."""
    values: dict[str, object] = {
        "last_outcome": outcome,
        "last_error": storable(error),
        "leased_until": None,
        "lease_owner": None,
    }
    if due_at is not None:
        values["next_poll_at"] = due_at
    held = sa.update(FeedRow).where(FeedRow.id == feed_id, FeedRow.lease_owner == owner)
    connection.execute(held.values(values))


def claim_feeds(
    connection: Connection, scope: Scope, host: str, owner: str, now: datetime, lease: timedelta, limit: int
) -> list[Feed]:
    """Claim up to ``limit`` feeds of this host that are due, the longest waiting first, with two statements for all."""
    values: dict[str, object] = {"until": scope.until, "now": now, "host": host, "limit": limit}
    if scope.feeds is not None:
        values["feeds"] = sorted(scope.feeds)
    rows = connection.execute(_due(scope.feeds is not None), values).mappings().all()
    if rows:
        ids = [row["id"] for row in rows]
        connection.execute(_CLAIM, {"ids": ids, "until": now + lease, "owner": owner})
    return [_claimed_feed(row) for row in rows]


@cache
def _due(is_named: bool) -> sa.Select[Any]:
    named = [FeedRow.id.in_(sa.bindparam("feeds", expanding=True))] if is_named else []
    return (
        sa.select(FeedRow.__table__)
        .where(FeedRow.host == sa.bindparam("host"), is_feed_due(*scope_parameters(is_backfill=False)), *named)
        .order_by(FeedRow.next_poll_at, FeedRow.id)
        .limit(sa.bindparam("limit", type_=sa.Integer))
        .with_for_update(skip_locked=True)
    )


_CLAIM = (
    sa.update(core(FeedRow))
    .where(FeedRow.id.in_(sa.bindparam("ids", expanding=True)))
    .values(leased_until=sa.bindparam("until"), lease_owner=sa.bindparam("owner"))
)
_UNCHANGED = (
    *("id", "url", "host", "failures", "body_hash", "state", "rate", "strain", "missing_since", "answered_at"),
    *("news_at", "window", "rolls", "redirects"),
)
"""Fields of a feed that have the name and value of their column."""


def _claimed_feed(row: sa.RowMapping) -> Feed:
    return Feed(
        **{name: row[name] for name in _UNCHANGED},
        due_at=row["next_poll_at"],
        validators=Validators(row["etag"], row["last_modified"]),
        interval=timedelta(seconds=row["interval"]),
        limit=_seconds(row["longest_interval"]),
        ttl=_seconds(row["ttl"]),
        period=_seconds(row["update_period"]),
        skips=tuple(row["skips"]),
        target=row["target_url"],
        route=route_of(row["route"]),
        access=read_credentials(row),
    )


def _seconds(number: float | None) -> timedelta | None:
    return None if number is None else timedelta(seconds=number)
