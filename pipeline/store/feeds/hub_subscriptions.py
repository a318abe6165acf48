"""WebSub subscriptions: which are wanted, what hubs agreed to, and what their pushes made due."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.model import HubSubscription
from pipeline.store.rows import batches, storable, upsert
from pipeline.tables import FeedRow, SubscriptionRow

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
        leave(connection, now, SubscriptionRow.id.in_(batch))
    connection.execute(
        sa.update(SubscriptionRow)
        .where(SubscriptionRow.state == "active", SubscriptionRow.expires_at <= now)
        .values(state="pending", next_request_at=now, last_error="the lease ran out")
    )
    lacking = connection.execute(
        sa.select(FeedRow.id, FeedRow.hub_url, topic.label("topic"))
        .where(wanted, ~sa.exists().where(SubscriptionRow.feed_id == FeedRow.id))
        .order_by(FeedRow.id)
    ).all()
    for row in lacking:
        connection.execute(
            upsert(connection, SubscriptionRow)
            .values(
                feed_id=row.id,
                hub_url=row.hub_url,
                topic_url=row.topic,
                token=chance(TOKEN_BYTES),
                secret=chance(TOKEN_BYTES),
                next_request_at=now,
                created_at=now,
            )
            .on_conflict_do_nothing()
        )


def leave(connection: Connection, now: datetime, *where: sa.ColumnElement[bool]) -> None:
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

    Args:
        connection: within a transaction that may write.
        now: the time.
        limit: how many at most.
        again_at: when to ask again, after so many attempts, unless the hub verifies one before.
        chance: so many bytes of it, as text.
    """
    rows = connection.execute(
        sa.select(*_TABLE.columns, *_HUBS)
        .outerjoin(FeedRow, FeedRow.id == SubscriptionRow.feed_id)
        .where(SubscriptionRow.next_request_at <= now)
        .order_by(SubscriptionRow.next_request_at, SubscriptionRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=_TABLE)
    ).mappings()
    claimed = []
    for row in rows:
        subscription = _subscription(row, attempts=row["attempts"] + 1)
        hub = _next_hub(row, row["hub_url"]) if row["attempts"] and row["state"] in ("pending", "denied") else None
        if hub not in (None, row["hub_url"]):
            subscription = replace(subscription, hub_url=hub, token=chance(TOKEN_BYTES), secret=chance(TOKEN_BYTES))
        claimed.append(subscription)
    for subscription in claimed:
        connection.execute(
            sa.update(SubscriptionRow)
            .where(SubscriptionRow.id == subscription.id)
            .values(
                attempts=subscription.attempts,
                next_request_at=again_at(subscription.attempts),
                hub_url=subscription.hub_url,
                token=subscription.token,
                secret=subscription.secret,
                state=sa.case((SubscriptionRow.state == "denied", "pending"), else_=SubscriptionRow.state),
            )
        )
    return claimed


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


def forget(connection: Connection, subscription: HubSubscription) -> None:
    """A subscription that is being ended has ended, or the hub does not answer: nothing is left to ask for."""
    connection.execute(
        sa.delete(SubscriptionRow).where(SubscriptionRow.id == subscription.id, SubscriptionRow.state == "leaving")
    )


def record_push(
    connection: Connection, subscription: HubSubscription, now: datetime, pause: timedelta, *, genuine: bool
) -> None:
    """Count a push, and make its feed due if it is genuine, unless it was polled less than ``pause`` ago.

    What is not due yet is left to `claim_pushed`. A feed that fails stays where its failures, or its server's
    Retry-After, have put it: the push is not lost, for that poll finds what it announced.
    """
    if not genuine:
        values: dict[str, object] = {"pushes_refused": SubscriptionRow.pushes_refused + 1}
    else:
        values = {"pushes": SubscriptionRow.pushes + 1, "last_push_at": now}
    connection.execute(sa.update(SubscriptionRow).where(SubscriptionRow.id == subscription.id).values(values))
    if genuine:
        _make_due(connection, now, pause, SubscriptionRow.id == subscription.id)


def claim_pushed(connection: Connection, now: datetime, pause: timedelta) -> frozenset[int]:
    """The feeds that were pushed since they were last polled, and may be polled now; they are due.

    A push that came while its feed was being polled counts: that poll may have been too early for it.
    """
    _make_due(connection, now, pause)
    query = sa.select(FeedRow.id).where(FeedRow.next_poll_at <= now, _pushed())
    return frozenset(connection.scalars(query))


def _make_due(connection: Connection, now: datetime, pause: timedelta, *where: sa.ColumnElement[bool]) -> None:
    rested = sa.or_(FeedRow.last_polled_at.is_(None), FeedRow.last_polled_at <= now - pause)
    connection.execute(
        sa.update(FeedRow)
        .where(FeedRow.failures == 0, FeedRow.next_poll_at > now, rested, _pushed(*where))
        .values(next_poll_at=now)
    )


def _pushed(*where: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """The feed is polled, and there is a push that no poll has followed yet."""
    unheard = sa.or_(FeedRow.last_polled_at.is_(None), FeedRow.last_polled_at < SubscriptionRow.last_push_at)
    push = sa.exists().where(
        SubscriptionRow.feed_id == FeedRow.id, SubscriptionRow.last_push_at.is_not(None), unheard, *where
    )
    return sa.and_(FeedRow.state.in_(PUSHED_STATES), push)


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
    return HubSubscription(
        id=row["id"],
        feed_id=row["feed_id"],
        hub_url=row["hub_url"],
        topic_url=row["topic_url"],
        token=row["token"],
        secret=row["secret"],
        state=row["state"],
        attempts=attempts,
    )
