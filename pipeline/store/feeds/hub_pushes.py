"""Pushes of WebSub hubs, counted, and the feeds that they make due."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.model import HubSubscription
from pipeline.store.feeds.hub_subscriptions import PUSHED_STATES
from pipeline.store.schema.tables import FeedRow, SubscriptionRow


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
