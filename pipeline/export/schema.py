"""The schema of exported files: fixed, numbered, and the same in Parquet, JSON lines and CSV.

Names, order and meaning are those of the view `v_article`, with two differences: what the view joins to text are
lists, and two columns at the end serve incremental exports. `docs/export.md` prints this table.
"""

from dataclasses import dataclass
from typing import Final, Literal

from pipeline.store.selection import LISTS
from pipeline.tables import ArticleRow
from pipeline.views import VIEWS

VERSION: Final = "1"
"""Of the schema. A new one where a column goes, changes its type, or means something else; not for new columns."""

Kind = Literal["int64", "string", "list<string>", "timestamp", "bool"]


@dataclass(frozen=True, slots=True)
class Field:
    """A column of an exported file; timestamps are in UTC, in microseconds."""

    name: str
    kind: Kind
    is_required: bool
    comment: str


_KINDS: Final[tuple[tuple[str, Kind, bool], ...]] = (
    ("article_id", "int64", True),
    ("page_id", "int64", False),
    ("url", "string", False),
    ("site", "string", False),
    ("title", "string", False),
    ("text", "string", False),
    ("authors", "list<string>", False),
    ("tags", "list<string>", False),
    ("published_at", "timestamp", False),
    ("published_from", "string", False),
    ("modified_at", "timestamp", False),
    ("language", "string", False),
    ("section", "string", False),
    ("description", "string", False),
    ("image", "string", False),
    ("word_count", "int64", False),
    ("content_hash", "string", False),
    ("duplicate_of", "int64", False),
    ("story_id", "int64", False),
    ("story_role", "string", False),
    ("agency", "string", False),
    ("page_class", "string", False),
    ("source", "string", False),
    ("extractor", "string", False),
    ("extractor_version", "string", False),
    ("first_seen_at", "timestamp", False),
    ("updated_at", "timestamp", False),
    ("gone_at", "timestamp", False),
    ("published_precision", "string", False),
    ("site_name", "string", False),
    ("publisher", "string", False),
    ("access", "string", False),
    ("kind", "string", False),
    ("captions", "list<string>", False),
    ("corrections", "list<string>", False),
)
_ARTICLE: Final = next(view for view in VIEWS if view.name == "v_article")
_COMMENTS: Final = {column.name: column.comment for column in _ARTICLE.columns}
# The view joins lists to text, and says so; files have what the table has.
_LISTS: Final = {name: str(ArticleRow.__table__.columns[name].comment) for name in LISTS}

FIELDS: Final = (
    *(Field(name, kind, is_required, (_COMMENTS | _LISTS)[name]) for name, kind, is_required in _KINDS),
    Field(
        "deleted",
        "bool",
        True,
        "whether the article was taken down since the export before: then all but article_id, url and site is null",
    ),
    Field(
        "cursor",
        "string",
        False,
        "where in the changes of the archive this export stands; of several rows of an article the highest holds."
        " Null in exports without a cursor",
    ),
)
"""The columns of exported files, in order."""

NAMES: Final = tuple(field.name for field in FIELDS)
SELECTED: Final = NAMES[:-2]
"""What is read of the view; the other two are the export's own."""
