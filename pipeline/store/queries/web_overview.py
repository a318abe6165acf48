"""What the first page shows: what came in a day, how late, what waits and what fails, each from an index."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.store.queries.report_data import cut_time
from pipeline.store.schema.tables import ArticleRow, FeedRow, PageRow, PollRow

HOURS: Final = 48
"""Of the plot of what came."""

MOST: Final = 10_000
"""Rows that are counted of what waits; more are said to be more."""


def load_overview(connection: Connection, now: datetime) -> dict[str, Any]:
    """Numbers of the last day, and articles of each of the last `HOURS`, the oldest first."""
    day = now - timedelta(days=1)
    hours = _hours(connection, now)
    states = connection.execute(sa.select(FeedRow.state, sa.func.count()).group_by(FeedRow.state)).all()
    polls = sa.select(
        sa.func.count(),
        sa.func.count().filter(PollRow.outcome.not_in(("read", "unchanged"))),
        sa.func.count().filter(PollRow.missed),
        # By the index of each feed's polls, of which there are too many to look at all.
    ).where(PollRow.polled_at > day, PollRow.feed_id.in_(sa.select(FeedRow.id)))
    polled, failed, gaps = connection.execute(polls).one()
    return {
        "hours": hours,
        "articles": sum(hours[-24:]),
        "newest": connection.scalar(sa.select(sa.func.max(ArticleRow.first_seen_at))),
        "delay": _median_delay(connection, day),
        "feeds": dict(states),
        "polls": polled,
        "failed_polls": failed,
        "gaps": gaps,
        "due": _count_up_to(connection, PageRow.next_fetch_at <= now),
        "failed_pages": _count_up_to(connection, PageRow.state == "failed"),
    }


def _hours(connection: Connection, now: datetime) -> list[int]:
    """Articles of each hour (of the clock, in UTC) up to the present one."""
    first = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)
    hour = cut_time(connection, ArticleRow.__table__.c.first_seen_at, 13)
    query = sa.select(hour, sa.func.count()).where(ArticleRow.first_seen_at >= first).group_by(hour)
    counts = {row[0]: row[1] for row in connection.execute(query)}
    return [counts.get(f"{first + timedelta(hours=number):%Y-%m-%d %H}", 0) for number in range(HOURS)]


def _median_delay(connection: Connection, since: datetime) -> float | None:
    """Seconds from publication to row that half of the newest articles took at most, of those dated within the day."""
    rows = connection.execute(
        sa.select(ArticleRow.first_seen_at, ArticleRow.published_at)
        .where(ArticleRow.first_seen_at > since, ArticleRow.published_at > since)
        .order_by(ArticleRow.first_seen_at.desc())
        .limit(1000)
    )
    delays = sorted((stored - published).total_seconds() for stored, published in rows if published)
    return delays[(len(delays) - 1) // 2] if delays else None


def _count_up_to(connection: Connection, *where: sa.ColumnElement[bool]) -> int:
    some = sa.select(sa.literal(1)).select_from(PageRow).where(*where).limit(MOST).subquery()
    return connection.scalar(sa.select(sa.func.count()).select_from(some)) or 0
