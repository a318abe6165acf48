"""What lists of rows are narrowed down by: conditions on a column of a view, for values that readers give."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, Final

import sqlalchemy as sa

from pipeline.periods import read_period
from pipeline.store.schema.tables import UtcDateTime
from pipeline.store.schema.views import VIEWS
from pipeline.urls import canonical_url

Rows = sa.FromClause

Condition = Callable[[Rows, str], sa.ColumnElement[bool]]
"""What a filter asks of a view, for a value that a reader gave. Raises ValueError: it is no such value."""

_STORIES: Final = next(view for view in VIEWS if view.name == "v_story_article").table


def kind_of(column: sa.ColumnElement[Any]) -> type:
    """The type of a column's values in Python."""
    return datetime if isinstance(column.type, UtcDateTime) else column.type.python_type


def equals(column: str) -> Condition:
    """The column has this value; of numbers, ValueError where it is none."""

    def condition(view: Rows, value: str) -> sa.ColumnElement[bool]:
        kind = kind_of(view.c[column])
        if kind is int and not (value.isdecimal() and len(value) < 19):
            raise ValueError(f"{value!r} is no number")
        return sa.and_(view.c[column] == (date.fromisoformat(value) if kind is date else kind(value)))

    return condition


def contains(*columns: str) -> Condition:
    """One of the columns has this text in it, in capitals or not."""

    def condition(view: Rows, value: str) -> sa.ColumnElement[bool]:
        return sa.or_(*(view.c[name].icontains(value, autoescape=True) for name in columns))

    return condition


def is_since(column: str) -> Condition:
    """The time or day is then or later: 2026-11, 2026-11-22 or 2026-11-22T08:00."""

    def condition(view: Rows, value: str) -> sa.ColumnElement[bool]:
        return sa.and_(view.c[column] >= _as_column(view, column, read_period(value, None).since))

    return condition


def is_until(column: str) -> Condition:
    """The time or day is before it."""

    def condition(view: Rows, value: str) -> sa.ColumnElement[bool]:
        return sa.and_(view.c[column] < _as_column(view, column, read_period(None, value).until))

    return condition


def _as_column(view: Rows, column: str, at: datetime | None) -> Any:  # noqa: ANN401  # a time or day
    moment = (at or datetime.min.replace(tzinfo=UTC)).astimezone(UTC)
    return moment.date() if kind_of(view.c[column]) is date else moment


def has_tag(column: str) -> Condition:
    """One of the labels that are joined by ``; `` in the column is this."""

    def condition(view: Rows, value: str) -> sa.ColumnElement[bool]:
        listed = sa.literal("; ") + view.c[column] + sa.literal("; ")
        return sa.and_(listed.contains(f"; {value}; ", autoescape=True))

    return condition


def is_page(column: str) -> Condition:
    """The column has this address, in whatever spelling it is given."""

    def condition(view: Rows, value: str) -> sa.ColumnElement[bool]:
        return sa.and_(view.c[column] == canonical_url(value))

    return condition


def of_story(view: Rows, value: str) -> sa.ColumnElement[bool]:
    """The article belongs to the story with this number."""
    return view.c.article_id.in_(sa.select(_STORIES.c.article_id).where(equals("story_id")(_STORIES, value)))


def of_language(view: Rows, value: str) -> sa.ColumnElement[bool]:
    """The article is in this language, as ``ix_article_known_language`` has it."""
    return sa.and_(sa.func.coalesce(view.c.language, sa.literal_column("''")) == value)


def of_class(view: Rows, value: str) -> sa.ColumnElement[bool]:
    """The article's page is of this class; of a rare one as ``ix_article_rare_class`` has it."""
    is_class = view.c.page_class == value
    return sa.and_(is_class, *([] if value == "article" else [view.c.page_class != sa.literal_column("'article'")]))
