"""Articles as exports select and read them: any number of them, in flat memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.store.queries.sampling import Sample, draw_sample
from pipeline.store.schema.article_columns import SEPARATORS
from pipeline.store.schema.tables import ArticleRow
from pipeline.store.schema.views import VIEWS

Partition = Literal["day", "month", "site", "language"]
Time = Literal["published", "stored", "changed"]

FETCHED: Final = 500
"""Rows that are fetched from the database at once: some MB of text."""

_STREAMED: Final = {"stream_results": True, "yield_per": FETCHED}
_OF_TIME: Final = {"year": 4, "month": 7, "day": 10}
"""Characters of a time that say it."""

_TABLES: Final = {view.name: view.table for view in VIEWS}
_ARTICLE: Final = _TABLES["v_article"]
_CHANGES: Final = _TABLES["v_changes"]


@dataclass(frozen=True, slots=True)
class ChangeSpan:
    """A stretch of the log of changes: after one cursor, up to and with another."""

    after: str
    upto: str


@dataclass(frozen=True, slots=True)
class Selection:
    """Which articles are asked for; what is None or empty asks for all.

    Attributes:
        since, until: bounds of the time that ``time`` names; ``until`` itself is outside.
        time: ``published`` (where unknown, when first stored), ``stored`` (first) or ``changed`` (last).
        where: a condition in SQL over the columns of v_article, in the database's own dialect.
        changed: only articles that have changes in this stretch.
        sample: only so many of them, by lot.
    """

    since: datetime | None = None
    until: datetime | None = None
    time: Time = "published"
    sites: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    where: str | None = None
    changed: ChangeSpan | None = None
    sample: Sample | None = None


EVERYTHING: Final = Selection()


def select_rows(
    connection: Connection, selection: Selection, columns: Sequence[str], partition: Partition | None = None
) -> Iterator[Sequence[tuple[Any, ...]]]:
    """Batches of rows with these columns of v_article, as lists where it joins them to text.

    In the order of the partition's key, so that one partition is whole before the next begins, then by article. The
    transaction has to stay open while they are read. On PostgreSQL a cursor of the server's, on SQLite the statement
    itself is fetched from step by step: memory does not grow with the number of rows.
    """
    # The condition is put in first, where names mean the view's columns only.
    matching = sa.select(_ARTICLE).where(*_conditions(selection))
    if selection.sample is not None:
        ids = ", ".join(map(str, _drawn(connection, selection, selection.sample))) or "NULL"
        matching = matching.where(sa.literal_column(f"article_id IN ({ids})", sa.Boolean))
    chosen = matching.subquery("v_article")
    lists = {name: ArticleRow.__table__.c[name] for name in SEPARATORS}
    query = (
        sa.select(*(lists[name].label(name) if name in lists else chosen.c[name] for name in columns))
        .join_from(chosen, ArticleRow, ArticleRow.id == chosen.c.article_id)
        .order_by(*_order(chosen, selection.time, partition), chosen.c.article_id)
    )
    result = connection.execute(query, execution_options=_STREAMED)
    for rows in result.partitions():
        yield [tuple(row) for row in rows]


def select_deleted(
    connection: Connection, changed: ChangeSpan, sites: Sequence[str]
) -> Iterator[Sequence[sa.Row[int, str | None, str | None]]]:
    """Batches of id, URL and site of the articles that were deleted in this stretch, in the order of sites."""
    query = (
        sa.select(_CHANGES.c.article_id, sa.func.max(_CHANGES.c.url), sa.func.max(_CHANGES.c.site))
        .where(
            _CHANGES.c.kind == "deleted",
            *_within(changed),
            ~sa.exists().where(ArticleRow.id == _CHANGES.c.article_id),
            *([_CHANGES.c.site.in_(sites)] if sites else []),
        )
        .group_by(_CHANGES.c.article_id)
        .order_by(sa.func.max(_CHANGES.c.site), _CHANGES.c.article_id)
    )
    return connection.execute(query, execution_options=_STREAMED).partitions()


def selection_time(row: dict[str, Any], time: Time) -> datetime:
    """The time of a row that bounds and partitions go by."""
    if time == "published":
        time_of_row = row["published_at"] or row["first_seen_at"]
    else:
        time_of_row = row["first_seen_at" if time == "stored" else "updated_at"]
    return time_of_row  # type: ignore[no-any-return]  # a column of times


def _drawn(connection: Connection, selection: Selection, sample: Sample) -> list[int]:
    times = ("published_at", "first_seen_at", "updated_at")
    chosen = sa.select(_ARTICLE).where(*_conditions(selection)).subquery("v_article")
    names = ("article_id", *times, *(name for name in sample.strata if name not in _OF_TIME))
    rows = connection.execute(sa.select(*(chosen.c[name] for name in names)), execution_options=_STREAMED)

    def group(row: dict[str, Any]) -> tuple[Any, ...]:
        at = selection_time(row, selection.time).astimezone(UTC).isoformat()
        return tuple(at[: _OF_TIME[name]] if name in _OF_TIME else row[name] for name in sample.strata)

    return draw_sample(((row["article_id"], group(dict(row))) for row in rows.mappings()), sample)


def _conditions(selection: Selection) -> Iterator[sa.ColumnElement[bool]]:
    if selection.since is not None:
        yield _compared(selection.time, ">=", selection.since)
    if selection.until is not None:
        yield _compared(selection.time, "<", selection.until)
    if selection.sites:
        yield _ARTICLE.c.site.in_(selection.sites)
    if selection.languages:
        yield _ARTICLE.c.language.in_(selection.languages)
    if selection.changed is not None and int(selection.changed.after):
        yield _ARTICLE.c.article_id.in_(sa.select(_CHANGES.c.article_id).where(*_within(selection.changed)))
    if selection.where:
        # A line of its own: a condition may end in a comment.
        yield sa.literal_column(f"({selection.where}\n)", sa.Boolean)


def _compared(time: Time, operator: str, bound: datetime) -> sa.ColumnElement[bool]:
    if time != "published":
        return _ARTICLE.c["first_seen_at" if time == "stored" else "updated_at"].op(operator, is_comparison=True)(bound)
    # Not coalesce(…): this form has indexes for both of its halves.
    published, stored = _ARTICLE.c.published_at, _ARTICLE.c.first_seen_at
    return sa.or_(
        published.op(operator, is_comparison=True)(bound),
        sa.and_(published.is_(None), stored.op(operator, is_comparison=True)(bound)),
    )


def _within(changed: ChangeSpan) -> tuple[sa.ColumnElement[bool], ...]:
    return (_CHANGES.c.cursor > changed.after, _CHANGES.c.cursor <= changed.upto)


def _order(chosen: sa.Subquery, time: Time, partition: Partition | None) -> Iterator[sa.ColumnElement[Any]]:
    if partition in {"day", "month"}:
        if time == "published":
            yield sa.func.coalesce(chosen.c.published_at, chosen.c.first_seen_at)
        else:
            yield chosen.c["first_seen_at" if time == "stored" else "updated_at"]
    elif partition:
        yield chosen.c[partition]
