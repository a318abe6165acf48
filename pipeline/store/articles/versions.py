"""What a version of an article comes to, beside what is stored: new, revised, unchanged or a copy."""

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.model import Article
from pipeline.store.articles.version_rows import (
    REVISED,
    article_columns,
    insert_articles,
    update_article,
    write_corrections,
    write_lists,
    write_revisions,
    write_shapes,
)
from pipeline.store.articles.version_values import ArticleVersion, PlannedVersion, StoredVersion, Values
from pipeline.store.connection.rows import batches, select_among
from pipeline.store.schema.tables import ArticleRow, RevisionRow
from pipeline.text.duplicates import StoredState, decide_version


def lock_texts(connection: Connection, hashes: Collection[str]) -> None:
    """Let workers store equal texts one after the other, so that the second sees the first.

    In one order, or they would lock each other out. SQLite has one writer at a time anyway.
    """
    if connection.dialect.name == "postgresql" and hashes:
        connection.execute(_LOCK_ALL, {"keys": sorted({int(content_hash[:15], 16) for content_hash in hashes})})


_LOCK_ALL = sa.text("SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(:keys AS bigint[])) AS k(key)")


def put_versions(connection: Connection, versions: Sequence[ArticleVersion], now: datetime) -> list[StoredVersion]:
    """Decide what each version comes to, and write what is new of it.

    No two of them are of one page or have one text, and `lock_texts` has locked their texts.
    """
    stored = _stored(connection, [version.home for version in versions])
    firsts = _firsts(connection, versions)
    plans = [_plan(version, stored.get(version.home), firsts.get(version.home)) for version in versions]
    plans = _without_older(connection, plans)
    ids = insert_articles(connection, [plan for plan in plans if plan.stored is None], now)
    ids |= {plan.version.home: plan.stored["id"] for plan in plans if plan.stored is not None}
    changed = [
        plan for plan in plans if plan.stored is None or update_article(connection, plan.stored, plan.values, now)
    ]
    write_lists(connection, {ids[plan.version.home]: plan for plan in changed})
    write_revisions(connection, {ids[plan.version.home]: plan for plan in changed})
    write_shapes(connection, {ids[plan.version.home]: plan for plan in changed})
    write_corrections(connection, {ids[plan.version.home]: plan for plan in changed if plan.values["corrections"]})
    return [
        StoredVersion(plan.version, ids[plan.version.home], plan.decision, plan.published_at, plan.stored)
        for plan in plans
    ]


_STORED = sa.select(ArticleRow.__table__).where(ArticleRow.page_id.in_(sa.bindparam("pages", expanding=True)))


def _stored(connection: Connection, pages: Sequence[int]) -> dict[int, sa.RowMapping]:
    rows: dict[int, sa.RowMapping] = {}
    for batch in batches(pages):
        rows |= {row["page_id"]: row for row in connection.execute(_STORED, {"pages": batch}).mappings()}
    return rows


_RANKED = (
    sa.select(
        ArticleRow.content_hash,
        ArticleRow.id,
        ArticleRow.page_id,
        sa.func.row_number()
        .over(partition_by=ArticleRow.content_hash, order_by=(ArticleRow.duplicate_of.is_not(None), ArticleRow.id))
        .label("place"),
    )
    .where(ArticleRow.content_hash.in_(sa.bindparam("hashes", expanding=True)))
    .subquery()
)

# One of the first two may be the article that is asked for itself.
_FIRST_TWO = sa.select(_RANKED.c.content_hash, _RANKED.c.id, _RANKED.c.page_id).where(_RANKED.c.place <= 2)

_FIRST_TWO = _FIRST_TWO.order_by(_RANKED.c.place)


def _firsts(connection: Connection, versions: Sequence[ArticleVersion]) -> dict[int, int]:
    """For each page the id of the oldest article of another page with the same text, where there is one."""
    homes = {version.article.content_hash: version.home for version in versions}
    firsts: dict[int, int] = {}
    for batch in batches(sorted(homes)):
        for content_hash, article_id, page_id in connection.execute(_FIRST_TWO, {"hashes": batch}):
            if page_id != homes[content_hash]:
                firsts.setdefault(homes[content_hash], article_id)
    return firsts


def _plan(version: ArticleVersion, stored: sa.RowMapping | None, first: int | None) -> PlannedVersion:
    article = version.article
    before = StoredState(stored["title"], stored["content_hash"], stored["text"]) if stored else None
    is_less = stored is not None and _is_less(stored, article)
    decision = "unchanged" if is_less else decide_version(before, article, first)
    published_at = article.published_at or version.announced_at
    # What announced the page has its say through the article already, or stands in for it.
    announced = version.announced_from or "feed"
    sources = (article.published_from or "").split("+") if article.published_at else ["feed"]
    published_from = "+".join(announced if source == "feed" else source for source in sources)[:40]
    values = article_columns(article) | {
        "page_id": version.home,
        "published_at": published_at,
        "published_from": (published_from or None) if published_at else None,
    }
    if published_at is None and stored:
        # A date that a page no longer shows is still its article's.
        published_at = stored["published_at"]
        values |= {name: stored[name] for name in ("published_at", "published_from", "published_precision")}
    if decision == "unchanged":
        # The text differs in layout at most: it stays together with what it was made by, as in its revision.
        kept = REVISED if _has_shape(stored, values) else (*REVISED, "shape")
        if is_less or article.links is None:
            kept = (*kept, "links", "pictures")
        values = {name: value for name, value in values.items() if name not in kept}
        values |= {"source": stored["source"]} if stored and is_less else {}
    else:
        # An edit may make a copy of an article, or make it differ from the one that it was a copy of.
        values["duplicate_of"] = first
        values["title"] = values["title"] or (before.title if before else None)
    return PlannedVersion(version, decision, published_at, stored, values)


def _has_shape(stored: sa.RowMapping | None, values: Values) -> bool:
    """Whether a shape was read that is another one, and of the text as it is stored."""
    shape = values["shape"]
    return stored is not None and shape not in (None, stored["shape"]) and values["text"] == stored["text"]


def _without_older(connection: Connection, plans: Sequence[PlannedVersion]) -> list[PlannedVersion]:
    """The plans, nothing to be written by those whose page was fetched before what is stored was.

    What another address of the page had before is no edit of what it has since.
    """
    edits = {
        plan.stored["id"]: plan
        for plan in plans
        if plan.stored is not None and plan.decision == "revised" and plan.version.cause == "publisher"
    }
    older: set[int] = set()
    query = sa.select(RevisionRow.article_id, sa.func.max(RevisionRow.seen_at)).group_by(RevisionRow.article_id)
    for article_id, last in select_among(connection, query, RevisionRow.article_id, edits):
        if edits[article_id].version.seen_at < last:
            older.add(edits[article_id].version.home)
    return [
        PlannedVersion(plan.version, "unchanged", plan.stored["published_at"], plan.stored, {})
        if plan.stored is not None and plan.version.home in older
        else plan
        for plan in plans
    ]


def _is_less(stored: sa.RowMapping, article: Article) -> bool:
    """Whether the page shows but the beginning of what a feed carried whole."""
    words: int = stored["word_count"]
    return stored["source"] == "feed" and article.page_class == "paywall" and article.word_count < words
