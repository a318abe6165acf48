"""The contract with readers of the database: views whose columns stay, whatever becomes of the tables.

`VERSION` is of the contract: its first number changes where something that was promised goes or means something else,
its second where something is added. Nothing here opens a connection; `pipeline.store.migrations.contract` makes the
views.
"""

import hashlib

import sqlalchemy as sa

from pipeline.store.schema.search_function import POSTGRESQL_SEARCH
from pipeline.store.schema.views.article_views import ARTICLE, ARTICLE_AUTHOR, ARTICLE_TAG
from pipeline.store.schema.views.detail_views import (
    ARTICLE_BLOCK,
    ARTICLE_LINK,
    ARTICLE_LOCAL,
    ARTICLE_PICTURE,
    ENTRY,
    RAW,
    REMOVED,
)
from pipeline.store.schema.views.dialect_pieces import PIECES
from pipeline.store.schema.views.history_views import ARTICLE_VERSION, AS_OF, CHANGES, CORRECTION, REVISION
from pipeline.store.schema.views.provenance_views import ALTERNATIVE, PROVENANCE
from pipeline.store.schema.views.source_views import FEED_DELAY, FEED_HEALTH, LEDGER, SOURCE_DAILY
from pipeline.store.schema.views.story_views import STORY, STORY_ARTICLE
from pipeline.store.schema.views.view_shape import Column, View

VERSION, COLUMNS = "1.6", 276
"""The version, and how many columns its views have: a test counts, so that nobody adds one and forgets to raise it."""

__all__ = ["AS_OF", "COLUMNS", "DEFINITION", "VERSION", "VIEWS", "Column", "View"]

_CONTENT = (
    ARTICLE,
    ARTICLE_AUTHOR,
    ARTICLE_TAG,
    REVISION,
    ARTICLE_VERSION,
    CORRECTION,
    PROVENANCE,
    ALTERNATIVE,
    CHANGES,
    STORY,
    STORY_ARTICLE,
    FEED_HEALTH,
    FEED_DELAY,
    SOURCE_DAILY,
    LEDGER,
    ENTRY,
    REMOVED,
    RAW,
    ARTICLE_LOCAL,
    ARTICLE_BLOCK,
    ARTICLE_LINK,
    ARTICLE_PICTURE,
)


def _definition() -> str:
    views = [(view.name, view.comment, [view.query(dialect) for dialect in PIECES]) for view in _CONTENT]
    comments = [(column.name, column.comment) for view in _CONTENT for column in view.columns]
    return hashlib.sha256(repr((views, comments, AS_OF, POSTGRESQL_SEARCH)).encode()).hexdigest()


DEFINITION = _definition()
"""Hash of all that the views are made of; a database that has another one needs them made again."""

CONTRACT = View(
    "v_contract",
    "One row: which version of the contract the database has.",
    (
        Column("version", f"CAST('{VERSION}' AS text)", sa.Text(), "version of the contract, such as 1.1"),
        Column(
            "definition",
            f"CAST('{DEFINITION}' AS text)",
            sa.Text(),
            "hash of the views' definitions; another one says that they were made anew",
        ),
    ),
    "",
)

VIEWS: tuple[View, ...] = (*_CONTENT, CONTRACT)
"""In the order in which they can be made."""
