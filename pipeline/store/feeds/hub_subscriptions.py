"""WebSub subscriptions: which are wanted, and what hubs agreed to."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.model import HubSubscription
from pipeline.store.connection.rows import batches, storable, upsert
from pipeline.store.schema.tables import FeedRow, SubscriptionRow

TOKEN_BYTES = 32
"""Of chance in a callback URL and in a secret: neither can be guessed (WebSub, 5.1: less than 200 bytes)."""

PUSHED_STATES = ("active", "failing")
"""States of the feeds whose hubs are subscribed to; one that fails may well recover before its lease ends."""

_TABLE = SubscriptionRow.__table__

_HUBS = (FeedRow.hub_url.label("first_hub"), FeedRow.further_hubs)


def sync_subscriptions(
    connection: Connection, now: datetime, chance: Callable[[int], str] = secrets.token_urlsafe
) -> None:
    """Bring the subscriptions in line with the feeds: one for each polled feed that announces a hub, and no other.

    What is no longer wanted is to be ended at its hub, or forgotten where the hub never agreed to it.
    """
    topic = sa.func.coalesce(FeedRow.topic_url, FeedRow.url)
    wanted = sa.and_(FeedRow.state.in_(PUSHED_STATES), FeedRow.hub_url.is_not(None))
    kept = connection.execute(
        sa.select(SubscriptionRow.id, SubscriptionRow.hub_url, SubscriptionRow.topic_url, *_HUBS, topic.label("topic"))
        .join(FeedRow, FeedRow.id == SubscriptionRow.feed_id)
        .where(wanted)
    ).mappings()
    fitting = {row["id"] for row in kept if row["hub_url"] in _hubs(row) and row["topic_url"] == row["topic"]}
    present = connection.scalars(sa.select(SubscriptionRow.id).where(SubscriptionRow.state != "leaving"))
    for batch in batches(sorted(set(present) - fitting)):
        leave_hubs(connection, now, SubscriptionRow.id.in_(batch))
    connection.execute(
        sa.update(SubscriptionRow)
        .where(SubscriptionRow.state == "active", SubscriptionRow.expires_at <= now)
        .values(state="pending", next_request_at=now, last_error="the lease ran out")
    )
    lacking = sa.select(FeedRow.id, FeedRow.hub_url, topic.label("topic")).order_by(FeedRow.id)
    lacking = lacking.where(wanted, ~sa.exists().where(SubscriptionRow.feed_id == FeedRow.id))
    rows = [
        {"feed_id": row.id, "hub_url": row.hub_url, "topic_url": row.topic, "next_request_at": now, "created_at": now}
        | {"token": chance(TOKEN_BYTES), "secret": chance(TOKEN_BYTES)}
        for row in connection.execute(lacking)
    ]
    if rows:
        connection.execute(upsert(connection, SubscriptionRow).on_conflict_do_nothing(), rows)


def leave_hubs(connection: Connection, now: datetime, *where: sa.ColumnElement[bool]) -> None:
    """End these subscriptions, or all: the hub is to be asked for it where it ever agreed to one."""
    connection.execute(
        sa.delete(SubscriptionRow).where(
            SubscriptionRow.state != "leaving",
            sa.or_(SubscriptionRow.verified_at.is_(None), SubscriptionRow.state == "denied"),
            *where,
        )
    )
    connection.execute(
        sa.update(SubscriptionRow)
        .where(SubscriptionRow.state != "leaving", *where)
        .values(state="leaving", feed_id=None, attempts=0, next_request_at=now)
    )


def claim_requests(
    connection: Connection,
    now: datetime,
    limit: int,
    again_at: Callable[[int], datetime],
    chance: Callable[[int], str] = secrets.token_urlsafe,
) -> list[HubSubscription]:
    """The subscriptions whose hub is to be asked now, each counted and put off before anything is sent.

    What a hub did not agree to is asked of the feed's next hub, if it has several, with another callback and another
    secret: neither is the other hub's business.

    After so many attempts each is asked again at ``again_at``, unless the hub verifies it before. ``chance`` gives
    so many bytes, as text.
    """
    rows = connection.execute(
        sa.select(*_TABLE.columns, *_HUBS)
        .outerjoin(FeedRow, FeedRow.id == SubscriptionRow.feed_id)
        .where(SubscriptionRow.next_request_at <= now)
        .order_by(SubscriptionRow.next_request_at, SubscriptionRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=_TABLE)
    ).mappings()
    claimed = [_subscription_to_request(row, chance) for row in rows]
    for subscription in claimed:
        values = {name: getattr(subscription, name) for name in ("attempts", "hub_url", "token", "secret")}
        state = sa.case((SubscriptionRow.state == "denied", "pending"), else_=SubscriptionRow.state)
        connection.execute(
            sa.update(SubscriptionRow)
            .where(SubscriptionRow.id == subscription.id)
            .values(values | {"next_request_at": again_at(subscription.attempts), "state": state})
        )
    return claimed


def _subscription_to_request(row: sa.RowMapping, chance: Callable[[int], str]) -> HubSubscription:
    """What is asked for now: of the feed's next hub where the last one did not agree."""
    subscription = _subscription(row, attempts=row["attempts"] + 1)
    hub = _next_hub(row, row["hub_url"]) if row["attempts"] and row["state"] in ("pending", "denied") else None
    if hub is None or hub == row["hub_url"]:
        return subscription
    return replace(subscription, hub_url=hub, token=chance(TOKEN_BYTES), secret=chance(TOKEN_BYTES))


def _hubs(row: sa.RowMapping) -> list[str]:
    """The hubs that a feed announces, in its order."""
    return [row["first_hub"], *row["further_hubs"]] if row["first_hub"] else []


def _next_hub(row: sa.RowMapping, hub: str) -> str | None:
    """The hub to ask after this one; after the last the first again; None where the feed announces it no more."""
    hubs = _hubs(row)
    return hubs[(hubs.index(hub) + 1) % len(hubs)] if hub in hubs else None


def find_subscription(connection: Connection, token: str) -> HubSubscription | None:
    """The subscription with this callback, if there is one."""
    row = connection.execute(sa.select(_TABLE).where(SubscriptionRow.token == token)).mappings().first()
    return None if row is None else _subscription(row, attempts=row["attempts"])


def record_verified(
    connection: Connection, subscription: HubSubscription, now: datetime, expires_at: datetime, renew_at: datetime
) -> None:
    """The hub verified that we want this subscription: it is active until the lease ends."""
    connection.execute(
        sa.update(SubscriptionRow)
        .where(SubscriptionRow.id == subscription.id, SubscriptionRow.state != "leaving")
        .values(
            state="active",
            attempts=0,
            verified_at=now,
            expires_at=expires_at,
            next_request_at=renew_at,
            last_error=None,
        )
    )


def record_refused(
    connection: Connection,
    subscription: HubSubscription,
    error: str,
    now: datetime,
    retry_at: datetime,
    *,
    denied: bool,
) -> None:
    """The hub does not take the request, or (``denied``) does not want the subscription at all.

    The next hub of the feed is asked at once, this one, or the first of several, from ``retry_at`` on. A hub that only
    cannot renew now what it agreed to is not given up before the lease ends.
    """
    row = connection.execute(sa.select(*_HUBS).where(FeedRow.id == subscription.feed_id)).mappings().first()
    is_last = row is None or subscription.hub_url not in _hubs(row)[:-1]
    may_change = denied or subscription.state != "active"
    due = now if may_change and not is_last else retry_at
    values: dict[str, object] = {"last_error": storable(error), "next_request_at": due}
    if denied:
        values["state"] = "denied"
    connection.execute(
        sa.update(SubscriptionRow)
        .where(SubscriptionRow.id == subscription.id, SubscriptionRow.state != "leaving")
        .values(values)
    )


def forget_subscription(connection: Connection, subscription: HubSubscription) -> None:
    """A subscription that is being ended has ended, or the hub does not answer: nothing is left to ask for."""
    connection.execute(
        sa.delete(SubscriptionRow).where(SubscriptionRow.id == subscription.id, SubscriptionRow.state == "leaving")
    )


def list_subscriptions(connection: Connection) -> Sequence[sa.RowMapping]:
    """All subscriptions with their feeds, by address; without what must stay secret."""
    secret = {"token", "secret"}
    columns = [column for column in _TABLE.columns if column.name not in secret]
    query = (
        sa.select(FeedRow.url.label("feed"), *columns)
        .select_from(_TABLE.outerjoin(FeedRow.__table__, FeedRow.id == SubscriptionRow.feed_id))
        .order_by(SubscriptionRow.topic_url, SubscriptionRow.id)
    )
    return connection.execute(query).mappings().all()


def _subscription(row: sa.RowMapping, attempts: int) -> HubSubscription:
    names = ("id", "feed_id", "hub_url", "topic_url", "token", "secret", "state")
    return HubSubscription(**{name: row[name] for name in names}, attempts=attempts)
