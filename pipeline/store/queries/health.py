"""The numbers that health checks need, each from one query."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.store.schema.tables import FeedRow, PageRow, PollRow

DAY = timedelta(days=1)
HISTORY = timedelta(days=28)
"""How far back a feed is looked at to say that it was busy."""

BUSY_POLLS = 10
"""Polls with new entries in that time that make a feed a busy one: a weekly is not silent after three days."""

SILENCE = timedelta(days=3)
"""How long a busy feed may bring nothing: a weekend with a day of grace."""

_ANSWERED = ("read", "unchanged")


@dataclass(frozen=True, slots=True)
class HealthFacts:
    """The state of an archive at one time.

    Attributes:
        last_work_at: the last poll or fetch, by the clock of that time; None where there was none.
        oldest_due_at: when the page that has waited longest fell due; None where none is. Those of backfills may wait.
        polls, pages: of the last day.
        failed_pages: those that could not be had, whether they are tried again or not.
        gaps: polls of the last day before which entries were missed.
        database_at: the clock of the database's server; None for SQLite, which has none of its own.
    """

    feeds: int
    gone_feeds: int
    silent_feeds: tuple[str, ...]
    polls: int
    failed_polls: int
    pages: int
    failed_pages: int
    gaps: int
    last_work_at: datetime | None
    oldest_due_at: datetime | None
    database_at: datetime | None


def load_health(connection: Connection, now: datetime) -> HealthFacts:
    """Load the facts as of this time."""
    yesterday = now - DAY
    recent_polls = sa.select(
        sa.func.count(),
        sa.func.count().filter(PollRow.outcome.not_in(_ANSWERED)),
        sa.func.count().filter(PollRow.missed),
    ).where(PollRow.polled_at > yesterday)
    polls, failed_polls, gaps = connection.execute(recent_polls).one()
    is_failed = PageRow.outcome.in_(("retry", "failed"))
    pages, failed_pages = connection.execute(
        sa.select(sa.func.count(), sa.func.count().filter(is_failed)).where(PageRow.fetched_at > yesterday)
    ).one()
    times = (
        connection.scalar(sa.select(sa.func.max(PollRow.polled_at))),
        connection.scalar(sa.select(sa.func.max(PageRow.fetched_at))),
    )
    last_work_at = max((time for time in times if time is not None), default=None)
    is_waiting = sa.and_(
        PageRow.next_fetch_at <= now,
        PageRow.backfill_id.is_(None),
        sa.or_(PageRow.leased_until.is_(None), PageRow.leased_until < now),
    )
    return HealthFacts(
        feeds=_count_feeds(connection, FeedRow.state != "paused"),
        gone_feeds=_count_feeds(connection, FeedRow.state == "gone"),
        silent_feeds=_silent_feeds(connection, now),
        polls=polls,
        failed_polls=failed_polls,
        pages=pages,
        failed_pages=failed_pages,
        gaps=gaps,
        last_work_at=last_work_at,
        oldest_due_at=connection.scalar(sa.select(sa.func.min(PageRow.next_fetch_at)).where(is_waiting)),
        database_at=None
        if connection.dialect.name == "sqlite"
        else connection.scalar(sa.select(sa.func.clock_timestamp(type_=sa.DateTime(timezone=True)))),
    )


def _count_feeds(connection: Connection, where: sa.ColumnElement[bool]) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(FeedRow).where(where)) or 0


def _silent_feeds(connection: Connection, now: datetime) -> tuple[str, ...]:
    """List feeds that are polled, were busy until their last new entry, and have had none since."""
    busy = (
        sa.select(sa.func.count())
        .where(
            PollRow.feed_id == FeedRow.id,
            PollRow.entries_new > 0,
            PollRow.polled_at > now - SILENCE - HISTORY,
        )
        .scalar_subquery()
    )
    rows = connection.scalars(
        sa.select(FeedRow.url)
        .where(FeedRow.state.in_(("active", "failing")), FeedRow.news_at < now - SILENCE, busy >= BUSY_POLLS)
        .order_by(FeedRow.url)
    )
    return tuple(rows)
