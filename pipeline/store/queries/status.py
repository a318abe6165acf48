"""How the archive does, in numbers."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.store.schema.tables import ArticleRow, FeedRow, HostRow, PageRow, PollRow, RevisionRow
from pipeline.store.schema.views import VIEWS

DAY = timedelta(days=1)


def load_status(connection: Connection, now: datetime) -> dict[str, Any]:
    """Counts of feeds, frontier, failures by reason, and articles."""
    count = sa.func.count()
    feeds = connection.execute(sa.select(FeedRow.state, count).group_by(FeedRow.state)).all()
    pages = connection.execute(sa.select(PageRow.state, count).group_by(PageRow.state)).all()
    reasons = connection.execute(
        sa.select(PageRow.state, PageRow.reason, count)
        .where(PageRow.reason.is_not(None))
        .group_by(PageRow.state, PageRow.reason)
        .order_by(count.desc(), PageRow.state, PageRow.reason)
    ).all()
    polls = connection.execute(
        sa.select(PollRow.outcome, count)
        .where(PollRow.polled_at > now - DAY)
        .group_by(PollRow.outcome)
        .order_by(count.desc(), PollRow.outcome)
    ).all()
    return {
        "feeds": {"failing": 0} | dict(feeds),
        "polls_of_the_last_day": dict(polls),
        "gaps_of_the_last_week": _gaps(connection, now),
        "delays_of_the_last_week": _delays(connection),
        "hosts": _hosts(connection, now),
        "pages": dict(pages),
        "pages_due": _count(connection, PageRow.next_fetch_at <= now),
        "pages_claimed": _count(connection, PageRow.leased_until > now),
        "reasons": [{"state": state, "reason": reason, "pages": number} for state, reason, number in reasons],
        "articles": {
            "stored": _count(connection, ArticleRow.id.is_not(None)),
            "duplicates": _count(connection, ArticleRow.duplicate_of.is_not(None)),
            "revised": _count(connection, RevisionRow.number == 2),
            "revisions": _count(connection, RevisionRow.id.is_not(None)),
            "of_the_last_day": _count(connection, ArticleRow.first_seen_at > now - DAY),
            "newest": connection.scalar(sa.select(sa.func.max(ArticleRow.first_seen_at))),
        },
    }


def _hosts(connection: Connection, now: datetime) -> dict[str, int]:
    """How many hosts there are, and of them: asked by a worker now, made us slow down, to be left alone."""
    return {
        "known": _count(connection, HostRow.name.is_not(None)),
        "claimed": _count(connection, HostRow.leased_until > now),
        "slowed": _count(connection, HostRow.strain > 1),
        "waiting": _count(connection, HostRow.next_fetch_at > now + timedelta(minutes=1)),
    }


def list_delays(connection: Connection) -> list[dict[str, Any]]:
    """How long articles of each feed took from publication to row, in seconds; the slowest feeds first."""
    delays = next(view for view in VIEWS if view.name == "v_feed_delay").table
    rows = connection.execute(sa.select(delays).order_by(delays.c.median.desc(), delays.c.feed_id))
    return [dict(row) for row in rows.mappings()]


def _delays(connection: Connection) -> dict[str, float]:
    """Of how many feeds that is known, what half of them take at most for half of their articles, and the worst."""
    rows = list_delays(connection)
    if not rows:
        return {}
    medians = sorted(row["median"] for row in rows)
    worst = max(row["p95"] for row in rows)
    return {"feeds": len(rows), "median": round(medians[(len(rows) - 1) // 2], 1), "worst_p95": round(worst, 1)}


def _gaps(connection: Connection, now: datetime) -> dict[str, int]:
    polls, feeds = connection.execute(
        sa.select(sa.func.count(), sa.func.count(PollRow.feed_id.distinct())).where(
            PollRow.missed, PollRow.polled_at > now - 7 * DAY
        )
    ).one()
    return {"polls": polls, "feeds": feeds}


def count_reasons(connection: Connection) -> list[dict[str, Any]]:
    """Every state and reason that pages have, with how many have it and the newest of them; all pages are counted."""
    grouped = (
        sa.select(
            PageRow.state, PageRow.reason, sa.func.count().label("pages"), sa.func.max(PageRow.id).label("newest")
        )
        .group_by(PageRow.state, PageRow.reason)
        .subquery()
    )
    rows = connection.execute(
        sa.select(grouped.c.state, grouped.c.reason, grouped.c.pages, PageRow.url.label("example"))
        .join(PageRow, PageRow.id == grouped.c.newest)
        .order_by(grouped.c.pages.desc(), grouped.c.state, grouped.c.reason)
    )
    return [dict(row) for row in rows.mappings()]


def _count(connection: Connection, *where: sa.ColumnElement[bool]) -> int:
    return connection.scalar(sa.select(sa.func.count()).where(*where)) or 0


def list_polls(connection: Connection, feed_id: int, limit: int) -> list[dict[str, Any]]:
    """The last polls of a feed, newest first."""
    rows = connection.execute(
        sa.select(PollRow.__table__)
        .where(PollRow.feed_id == feed_id)
        .order_by(PollRow.polled_at.desc(), PollRow.id.desc())
        .limit(limit)
    )
    return [dict(row) for row in rows.mappings()]
