"""The rows of a version of an article: its columns, authors, tags, revisions and corrections."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.model import Article
from pipeline.store.articles.version_values import PlannedVersion, Values
from pipeline.store.connection.rows import batches, core, select_among, storable
from pipeline.store.schema.article_columns import columns_told_by
from pipeline.store.schema.tables import ArticleAuthorRow, ArticleCorrectionRow, ArticleRow, ArticleTagRow, RevisionRow

REVISED = columns_told_by("revised")
"""The columns of an article that only a revision changes."""

_COLUMNS = tuple(field.name for field in fields(Article) if field.name in ArticleRow.__table__.columns)


def article_columns(article: Article) -> Values:
    """The values of the columns of ``article`` that an article brings along, as they are stored."""
    # NUL and half surrogates have no place in SQL; what is compared must be what is stored.
    values = {name: storable(getattr(article, name)) for name in _COLUMNS if name != "removed"}
    return values | {
        "removed": [{"text": storable(paragraph.text), "reason": paragraph.reason} for paragraph in article.removed]
    }


_NEW = sa.insert(core(ArticleRow)).returning(ArticleRow.page_id, ArticleRow.id)


def insert_articles(connection: Connection, plans: Sequence[PlannedVersion], now: datetime) -> dict[int, int]:
    """Make the rows of new articles; returns their ids by their pages."""
    rows = [plan.values | {"first_seen_at": plan.version.seen_at, "updated_at": now} for plan in plans]
    return dict(connection.execute(_NEW, rows).all()) if rows else {}


def update_article(connection: Connection, stored: sa.RowMapping, values: Values, now: datetime) -> bool:
    """Whether there is something new to be written of an article."""
    if all(stored[name] == value for name, value in values.items()):
        return False
    update = sa.update(core(ArticleRow)).where(ArticleRow.id == stored["id"])
    connection.execute(update.values(values | {"updated_at": now}))
    return True


def write_lists(connection: Connection, plans: Mapping[int, PlannedVersion]) -> None:
    """The rows of authors and tags, which SQL groups by."""
    for batch in batches([article_id for article_id, plan in plans.items() if plan.stored is not None]):
        connection.execute(sa.delete(ArticleAuthorRow).where(ArticleAuthorRow.article_id.in_(batch)))
        connection.execute(sa.delete(ArticleTagRow).where(ArticleTagRow.article_id.in_(batch)))
    authors, tags = [], []
    for article_id, plan in plans.items():
        names, words = cast("list[str]", plan.values["authors"]), cast("list[str]", plan.values["tags"])
        authors += [
            {"article_id": article_id, "position": position, "name": name} for position, name in enumerate(names)
        ]
        tags += [{"article_id": article_id, "tag": tag} for tag in dict.fromkeys(words)]
    if authors:
        connection.execute(_AUTHORS, authors)
    if tags:
        connection.execute(_TAGS, tags)


_AUTHORS, _TAGS = sa.insert(core(ArticleAuthorRow)), sa.insert(core(ArticleTagRow))

_REVISION = sa.insert(core(RevisionRow))


def write_revisions(connection: Connection, plans: Mapping[int, PlannedVersion]) -> None:
    """A revision for each article that is new, or of which the text or title changed."""
    revised = {key: plan for key, plan in plans.items() if plan.stored is None or plan.decision == "revised"}
    numbers = _numbers(connection, [key for key, plan in revised.items() if plan.stored is not None])
    rows = [
        {name: plan.values[name] for name in (*REVISED, "corrections", "shape")}
        | {"article_id": article_id, "number": numbers.get(article_id, 0) + 1}
        | {"changed": _changed(plan.stored, plan.values), "cause": plan.version.cause, "seen_at": plan.version.seen_at}
        for article_id, plan in revised.items()
    ]
    if rows:
        connection.execute(_REVISION, rows)


_SHAPE = sa.update(core(RevisionRow)).where(
    RevisionRow.article_id == sa.bindparam("of"), RevisionRow.text == sa.bindparam("said")
)


def write_shapes(connection: Connection, plans: Mapping[int, PlannedVersion]) -> None:
    """Give revisions the shape that was found of their text since."""
    rows = [
        {"of": article_id, "said": plan.stored["text"], "shape": plan.values["shape"]}
        for article_id, plan in plans.items()
        if plan.stored is not None and plan.decision == "unchanged" and "shape" in plan.values
    ]
    if rows:
        connection.execute(_SHAPE.values(shape=sa.bindparam("shape")), rows)


def _numbers(connection: Connection, article_ids: Sequence[int]) -> dict[int, int]:
    query = sa.select(RevisionRow.article_id, sa.func.max(RevisionRow.number)).group_by(RevisionRow.article_id)
    return {row[0]: row[1] for row in select_among(connection, query, RevisionRow.article_id, article_ids)}


def write_corrections(connection: Connection, plans: Mapping[int, PlannedVersion]) -> None:
    """The rows of notices; those that a page no longer has stay."""
    if not plans:
        return
    query = sa.select(ArticleCorrectionRow.article_id, ArticleCorrectionRow.notice)
    known = {(row[0], row[1]) for row in select_among(connection, query, ArticleCorrectionRow.article_id, plans)}
    numbers = _numbers(connection, sorted(plans))
    rows = [
        {"article_id": article_id, "revision": numbers[article_id], "notice": notice}
        | {"seen_at": plan.version.read_at or plan.version.seen_at}
        for article_id, plan in plans.items()
        for notice in dict.fromkeys(cast("list[str]", plan.values["corrections"]))
        if (article_id, notice) not in known
    ]
    if rows:
        connection.execute(sa.insert(core(ArticleCorrectionRow)), rows)


def _changed(stored: sa.RowMapping | None, values: Values) -> str:
    if stored is None:
        return "first"
    text = stored["content_hash"] != values["content_hash"]
    title = stored["title"] != values["title"]
    return "both" if title and text else "text" if text else "title"
