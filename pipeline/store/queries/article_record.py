"""All that the views say of one article, each part asked by its key."""

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.store.schema.views import VIEWS

_TABLES: Final = {view.name: view.table for view in VIEWS}

MOST: Final = 200
"""Rows of one part that are shown: copies of a story, revisions of a live blog."""

_REVISION: Final = ("number", "changed", "seen_at", "cause", "word_count", "word_change", "extractor_version", "title")
_ENTRY: Final = ("feed_id", "feed_url", "feed_title", "title", "published_at", "first_seen_at", "changes")
_COPY: Final = ("article_id", "site", "title", "published_at", "first_seen_at")


def load_article_record(connection: Connection, article_id: int) -> dict[str, Any] | None:
    """The article as v_article has it, and under ``removed``, ``provenance`` … what other views say of it.

    None where there is no such article.
    """
    article = _rows(connection, "v_article", article_id)
    if not article:
        return None
    ledger = _rows(connection, "v_ledger", article_id, "page_id")
    return {
        "article": article[0],
        "removed": _rows(connection, "v_removed", article_id, "position"),
        "provenance": _rows(connection, "v_provenance", article_id, "field"),
        "revisions": _rows(connection, "v_revision", article_id, "number", _REVISION, newest=True),
        "corrections": _rows(connection, "v_correction", article_id, "correction_id"),
        "ledger": ledger,
        "entries": _entries(connection, [row["page_id"] for row in ledger]),
        "raw": _rows(connection, "v_raw", article_id, "raw_id", newest=True),
        "story": _copies(connection, article_id),
    }


def load_revisions(connection: Connection, article_id: int, *numbers: int) -> list[dict[str, Any]]:
    """These revisions with their texts, by number."""
    view = _TABLES["v_revision"]
    query = sa.select(view).where(view.c.article_id == article_id, view.c.number.in_(numbers)).order_by(view.c.number)
    return [dict(row) for row in connection.execute(query).mappings()]


def _rows(
    connection: Connection,
    name: str,
    article_id: int,
    order: str = "",
    columns: tuple[str, ...] = (),
    *,
    newest: bool = False,
) -> list[dict[str, Any]]:
    """The rows of one article, in order: of more than `MOST` the first, or the last."""
    view = _TABLES[name]
    shown = [view.c[column] for column in columns or view.c.keys()]
    query = sa.select(*shown).where(view.c.article_id == article_id).limit(MOST)
    if order:
        query = query.order_by(view.c[order].desc() if newest else view.c[order])
    rows = [dict(row) for row in connection.execute(query).mappings()]
    return rows[::-1] if newest else rows


def _entries(connection: Connection, page_ids: list[int]) -> list[dict[str, Any]]:
    """The entries of an article's pages: asked by the article itself, SQLite would look at all entries there are."""
    entry = _TABLES["v_entry"].c
    query = sa.select(*(entry[name] for name in _ENTRY)).where(entry.page_id.in_(page_ids))
    return [dict(row) for row in connection.execute(query.order_by(entry.entry_id).limit(MOST)).mappings()]


def _copies(connection: Connection, article_id: int) -> list[dict[str, Any]]:
    """The other articles of its story, as they came."""
    belongs, article = _TABLES["v_story_article"].c, _TABLES["v_article"].c
    story = sa.select(belongs.story_id).where(belongs.article_id == article_id).scalar_subquery()
    query = (
        sa.select(belongs.role, belongs.similarity, *(article[name] for name in _COPY))
        .select_from(_TABLES["v_story_article"])
        .join(_TABLES["v_article"], article.article_id == belongs.article_id)
        .where(belongs.story_id == story, belongs.article_id != article_id)
        .order_by(article.first_seen_at, article.article_id)
        .limit(MOST)
    )
    return [dict(row) for row in connection.execute(query).mappings()]
