"""Answers to "how is it going?" and "what is known of this URL?"."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.store.feeds import announcing_feeds
from pipeline.tables import ArticleRow, FeedRow, HostRow, PageRow, PollRow, RevisionRow

DAY = timedelta(days=1)


def status(connection: Connection, now: datetime) -> dict[str, Any]:
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


def _gaps(connection: Connection, now: datetime) -> dict[str, int]:
    """Polls before which entries were missed, and of how many feeds."""
    polls, feeds = connection.execute(
        sa.select(sa.func.count(), sa.func.count(PollRow.feed_id.distinct())).where(
            PollRow.missed, PollRow.polled_at > now - 7 * DAY
        )
    ).one()
    return {"polls": polls, "feeds": feeds}


def reasons(connection: Connection) -> list[dict[str, Any]]:
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


def show(connection: Connection, url: str) -> dict[str, Any] | None:
    """Everything that is known of a canonical URL: ledger, feeds, article, revisions; None for one never seen."""
    asked = connection.execute(sa.select(PageRow.__table__).where(PageRow.url == url)).mappings().first()
    if asked is None:
        return None
    page = asked
    if asked["alias_of"] is not None:
        page = connection.execute(sa.select(PageRow.__table__).where(PageRow.id == asked["alias_of"])).mappings().one()
    article = (
        connection.execute(sa.select(ArticleRow.__table__).where(ArticleRow.page_id == page["id"])).mappings().first()
    )
    return {
        "url": url,
        "page": dict(page),
        "host": _host(connection, page["host"]),
        "alias_of": page["url"] if page is not asked else None,
        "aliases": list(connection.scalars(sa.select(PageRow.url).where(PageRow.alias_of == page["id"]))),
        "announced_by": [dict(row) for row in announcing_feeds(connection, page["id"])],
        "article": dict(article) if article else None,
        "duplicate_of": _url_of(connection, article["duplicate_of"]) if article else None,
        "revisions": _revisions(connection, article["id"]) if article else [],
    }


def _host(connection: Connection, name: str) -> dict[str, Any]:
    """How the server of a page is asked."""
    columns = (
        HostRow.name,
        HostRow.pause,
        HostRow.delay,
        HostRow.strain,
        HostRow.response_time,
        HostRow.next_fetch_at,
        HostRow.robots_status,
        HostRow.robots_fetched_at,
        HostRow.tdm_fetched_at,
    )
    return dict(connection.execute(sa.select(*columns).where(HostRow.name == name)).mappings().one())


def _url_of(connection: Connection, article_id: int | None) -> str | None:
    return connection.scalar(sa.select(ArticleRow.url).where(ArticleRow.id == article_id)) if article_id else None


def _revisions(connection: Connection, article_id: int) -> list[dict[str, Any]]:
    rows = connection.execute(
        sa.select(RevisionRow.__table__).where(RevisionRow.article_id == article_id).order_by(RevisionRow.number)
    )
    return [dict(row) for row in rows.mappings()]


def polls_of(connection: Connection, feed_id: int, limit: int) -> list[dict[str, Any]]:
    """The last polls of a feed, newest first."""
    rows = connection.execute(
        sa.select(PollRow.__table__)
        .where(PollRow.feed_id == feed_id)
        .order_by(PollRow.polled_at.desc(), PollRow.id.desc())
        .limit(limit)
    )
    return [dict(row) for row in rows.mappings()]
