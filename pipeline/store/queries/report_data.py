"""What a look over the archive shows, asked of the views: what came when, what failed, how feeds and fields do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.store.schema.views import VIEWS

FIELDS: Final = (
    "title",
    "authors",
    "published_at",
    "language",
    "section",
    "tags",
    "description",
    "image",
    "publisher",
    "access",
    "kind",
    "captions",
)
"""Whose fill rate is shown."""

DELAYS: Final = (
    ("before its date", 0),
    ("under 5 minutes", 300),
    ("5–15 minutes", 900),
    ("15–60 minutes", 3_600),
    ("1–3 hours", 10_800),
    ("3–24 hours", 86_400),
    ("1–7 days", 604_800),
    ("longer", None),
)
"""Names of stretches of time and their ends, in seconds."""

STORIES: Final = 10
FEEDS: Final = 15
REASONS: Final = 12
_TABLES: Final = {view.name: view.table for view in VIEWS}
_ARTICLE: Final = _TABLES["v_article"].c


@dataclass(frozen=True, slots=True)
class ReportData:
    """An archive over a stretch of time that ends with its newest article.

    Attributes:
        begin, end: the stretch; None where there are no articles.
        totals: of the whole archive, by name.
        hours: articles first stored in each hour (``2026-11-22 13``, UTC) by site: (hour, site, articles).
        delays: articles by the time from publication to storage, in the order of `DELAYS`.
        undated: articles without a known publication.
        reasons: (state, reason, pages) of pages without an article, the most frequent first.
        feed_states: feeds by state.
        feeds: those that do worst, as rows of v_feed_health.
        fill: (day, articles, articles with each of `FIELDS`).
        stories: the largest, as rows of v_story.
    """

    begin: datetime | None
    end: datetime | None
    totals: dict[str, int]
    hours: Sequence[tuple[str, str, int]]
    delays: Sequence[tuple[str, int]]
    undated: int
    reasons: Sequence[tuple[str, str, int]]
    feed_states: dict[str, int]
    feeds: Sequence[dict[str, Any]]
    fill: Sequence[tuple[str, int, tuple[int, ...]]]
    stories: Sequence[dict[str, Any]]


def load_report_data(connection: Connection, stretch: timedelta) -> ReportData:
    """What the views say of the last ``stretch`` of the archive, and of feeds and failures as a whole."""
    newest = connection.scalar(sa.select(sa.func.max(_ARTICLE.first_seen_at)))
    # Whole days: part of a day would look like a fall.
    begin = None if newest is None else (newest - stretch).replace(hour=0, minute=0, second=0, microsecond=0)
    recent = _ARTICLE.first_seen_at >= begin if begin else sa.false()
    delays, undated = _delays(connection, recent)
    return ReportData(
        begin=begin,
        end=newest,
        totals=_totals(connection),
        hours=_hours(connection, recent),
        delays=delays,
        undated=undated,
        reasons=_reasons(connection),
        feed_states=_feed_states(connection),
        feeds=_feeds(connection),
        fill=_fill(connection, recent),
        stories=_stories(connection, recent),
    )


def _totals(connection: Connection) -> dict[str, int]:
    counts = {
        "articles": sa.select(sa.func.count()).select_from(_TABLES["v_article"]),
        # Not count(DISTINCT …), for which SQLite would read every article: its index has the sites.
        "sites": sa.select(sa.func.count()).select_from(sa.select(_ARTICLE.site).distinct().subquery()),
        "revisions": sa.select(sa.func.count()).select_from(_TABLES["v_revision"]),
        "feeds": sa.select(sa.func.count()).select_from(_TABLES["v_feed_health"]),
        "pages": sa.select(sa.func.count()).select_from(_TABLES["v_ledger"]),
    }
    return {name: connection.scalar(query) or 0 for name, query in counts.items()}


def _hours(connection: Connection, recent: sa.ColumnElement[bool]) -> list[tuple[str, str, int]]:
    hour = cut_time(connection, _ARTICLE.first_seen_at, 13)
    query = (
        sa.select(hour.label("hour"), _ARTICLE.site, sa.func.count())
        .where(recent)
        .group_by(hour, _ARTICLE.site)
        .order_by(hour, _ARTICLE.site)
    )
    return [(row[0], row[1], row[2]) for row in connection.execute(query)]


def _delays(connection: Connection, recent: sa.ColumnElement[bool]) -> tuple[list[tuple[str, int]], int]:
    seconds = _seconds_between(connection, _ARTICLE.published_at, _ARTICLE.first_seen_at)
    bins = [(seconds < end, name) for name, end in DELAYS if end is not None]
    bucket = sa.case((_ARTICLE.published_at.is_(None), sa.null()), *bins, else_=DELAYS[-1][0]).label("bucket")
    buckets = sa.select(bucket).where(recent).subquery()
    query = sa.select(buckets.c.bucket, sa.func.count()).group_by(buckets.c.bucket)
    counts = {row[0]: row[1] for row in connection.execute(query)}
    return [(name, counts.get(name, 0)) for name, _ in DELAYS], counts.get(None, 0)


def _reasons(connection: Connection) -> list[tuple[str, str, int]]:
    ledger = _TABLES["v_ledger"].c
    query = (
        sa.select(ledger.state, ledger.reason, sa.func.count().label("pages"))
        .where(ledger.reason.is_not(None), ledger.state.not_in(("stored", "alias")))
        .group_by(ledger.state, ledger.reason)
        .order_by(sa.desc("pages"), ledger.state, ledger.reason)
        .limit(REASONS)
    )
    return [(row[0], row[1], row[2]) for row in connection.execute(query)]


def _feed_states(connection: Connection) -> dict[str, int]:
    feed = _TABLES["v_feed_health"].c
    query = sa.select(feed.state, sa.func.count()).group_by(feed.state).order_by(feed.state)
    return {row[0]: row[1] for row in connection.execute(query)}


def _feeds(connection: Connection) -> list[dict[str, Any]]:
    feed = _TABLES["v_feed_health"].c
    names = ("url", "title", "state", "polls", "failed_polls", "gaps", "news_at", "last_outcome")
    bad = sa.or_(feed.state.in_(("failing", "gone")), feed.failed_polls > 0, feed.gaps > 0)
    query = (
        sa.select(*(feed[name] for name in names))
        .where(bad)
        .order_by(feed.failed_polls.desc(), feed.gaps.desc(), feed.url)
        .limit(FEEDS)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def _fill(connection: Connection, recent: sa.ColumnElement[bool]) -> list[tuple[str, int, tuple[int, ...]]]:
    day = cut_time(connection, _ARTICLE.first_seen_at, 10)
    # Empty texts are as good as none, and so is an access that the page does not declare.
    empty: sa.ColumnElement[str] = sa.literal_column("''")
    unknown: sa.ColumnElement[str] = sa.literal_column("'unknown'")
    values = (
        _ARTICLE[name]
        if name.endswith("_at")
        else sa.func.nullif(_ARTICLE[name], unknown if name == "access" else empty)
        for name in FIELDS
    )
    filled = map(sa.func.count, values)
    query = sa.select(day.label("day"), sa.func.count(), *filled).where(recent).group_by(day).order_by(day)
    return [(row[0], row[1], tuple(row[2:])) for row in connection.execute(query)]


def _stories(connection: Connection, recent: sa.ColumnElement[bool]) -> list[dict[str, Any]]:
    story = _TABLES["v_story"].c
    names = ("title", "url", "site", "articles", "sites", "agency", "first_seen_at")
    query = (
        sa.select(*(story[name] for name in names))
        # Stories of what came lately, not all whose last article did: that would be to look at all stories there are.
        .where(story.articles > 1, story.story_id.in_(sa.select(_ARTICLE.story_id).where(recent)))
        .order_by(story.articles.desc(), story.first_seen_at, story.url)
        .limit(STORIES)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def cut_time(connection: Connection, time: sa.ColumnElement[datetime], length: int) -> sa.ColumnElement[str]:
    """The first characters of a time as ISO text in UTC: 10 for its day, 13 for its hour."""
    if connection.dialect.name == "postgresql":
        form: sa.ColumnElement[str] = sa.literal_column(
            "'YYYY-MM-DD'" if length == len("2026-11-22") else "'YYYY-MM-DD HH24'"
        )
        return sa.func.to_char(sa.func.timezone(sa.literal_column("'UTC'"), time), form)
    return sa.func.substr(time, 1, length, type_=sa.Text())


def _seconds_between(
    connection: Connection, begin: sa.ColumnElement[Any], end: sa.ColumnElement[Any]
) -> sa.ColumnElement[float]:
    if connection.dialect.name == "postgresql":
        between = sa.type_coerce(end, sa.DateTime) - sa.type_coerce(begin, sa.DateTime)
        return sa.type_coerce(sa.extract("epoch", between), sa.Float)
    return sa.type_coerce((sa.func.julianday(end) - sa.func.julianday(begin)) * 86_400.0, sa.Float)
