"""The contract with whoever reads the database: views whose columns stay, whatever becomes of the tables.

`VERSION` is of the contract: its first number changes where something that was promised goes or means something else,
its second where something is added. Nothing here opens a connection; `pipeline.store.contract` makes the views.
"""

import hashlib

import sqlalchemy as sa

from pipeline.views.articles import ARTICLE, ARTICLE_AUTHOR, ARTICLE_TAG
from pipeline.views.history import ARTICLE_VERSION, AS_OF, CHANGES, CORRECTION, REVISION
from pipeline.views.pieces import PIECES
from pipeline.views.provenance import ALTERNATIVE, PROVENANCE
from pipeline.views.shape import Column, View
from pipeline.views.sources import FEED_HEALTH, LEDGER, SOURCE_DAILY
from pipeline.views.stories import STORY

VERSION = "1.1"

__all__ = ["AS_OF", "DEFINITION", "VERSION", "VIEWS", "Column", "View"]

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
    FEED_HEALTH,
    SOURCE_DAILY,
    LEDGER,
)


def _definition() -> str:
    told = [(view.name, view.comment, [view.query(dialect) for dialect in PIECES]) for view in _CONTENT]
    comments = [(column.name, column.comment) for view in _CONTENT for column in view.columns]
    return hashlib.sha256(repr((told, comments, AS_OF)).encode()).hexdigest()


DEFINITION = _definition()
"""Hash of all that the views are made of; a database that has another one needs them anew."""

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
