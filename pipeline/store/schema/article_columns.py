"""What follows from the columns of an article: what v_article shows, what the log of changes and revisions tell.

`pipeline.store.schema.tables.ArticleRow` is the list; the view, the triggers, revisions and exports ask here.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, cast

from pipeline.store.schema.tables import ArticleRow, Json

if TYPE_CHECKING:
    import sqlalchemy as sa

_TABLE: Final = cast("sa.Table", ArticleRow.__table__)


def columns_told_by(kind: str | None) -> tuple[str, ...]:
    """The columns of which a change is told by this kind of change in v_changes; None for those that it is no news of.

    >>> columns_told_by("duplicate")
    ('duplicate_of',)
    """
    return tuple(column.name for column in _TABLE.columns if column.info.get("told_by", "updated") == kind)


SHOWN: Final = tuple(column.name for column in _TABLE.columns if column.info.get("is_shown", True))
"""The columns that v_article has, in the order of the table."""

SEPARATORS: Final[Mapping[str, str]] = {
    name: _TABLE.columns[name].info["joined_by"] for name in SHOWN if isinstance(_TABLE.columns[name].type, type(Json))
}
"""The columns that are lists, with what the view joins them by to one text."""


def comment_of(name: str) -> str:
    """What v_article says of a column: the comment of the table, and how a list is joined."""
    column = _TABLE.columns[name]
    if name not in SEPARATORS:
        return str(column.comment)
    separator = "a blank line" if SEPARATORS[name] == "\n\n" else f"'{SEPARATORS[name]}'"
    return f"{column.info.get('shown_as', column.comment)}, joined by {separator}; null for none"
