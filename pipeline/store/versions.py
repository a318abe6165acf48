"""What an article says now and what it said before: rows of articles, their authors, tags and revisions."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.dedup import Stored, decide
from pipeline.model import Article, Cause, Decision
from pipeline.store.rows import batches, core, storable
from pipeline.tables import ArticleAuthorRow, ArticleCorrectionRow, ArticleRow, ArticleTagRow, RevisionRow

REVISED = ("title", "text", "word_count", "content_hash", "removed", "extractor", "extractor_version")
"""The columns of an article that only a revision changes."""

_COLUMNS = tuple(field.name for field in fields(Article) if field.name in ArticleRow.__table__.columns)

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Version:
    """An article as it was read now.

    Attributes:
        home: the page that it is of.
        seen_at: when it was fetched.
        announced_at, announced_from: what announced its page says of its publication, and who that is.
        read_at: when its page was fetched, if not at ``seen_at``.
    """

    home: int
    article: Article
    seen_at: datetime
    cause: Cause = "publisher"
    announced_at: datetime | None = None
    announced_from: str | None = None
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Put:
    """An article as it was stored, and what stood there before."""

    version: Version
    id: int
    decision: Decision
    published_at: datetime | None
    stored: sa.RowMapping | None

    @property
    def former_text(self) -> str | None:
        """The text that it had before, where that was another."""
        is_edited = self.stored is not None and self.stored["content_hash"] != self.version.article.content_hash
        return self.stored["text"] if self.stored and is_edited and self.decision == "revised" else None


@dataclass(frozen=True, slots=True)
class _Planned:
    """What is to be written of a version."""

    version: Version
    decision: Decision
    published_at: datetime | None
    stored: sa.RowMapping | None
    values: Values


def lock_texts(connection: Connection, hashes: Collection[str]) -> None:
    """Let workers store equal texts one after the other, so that the second sees the first.

    In one order, or they would lock each other out. SQLite has one writer at a time anyway.
    """
    if connection.dialect.name == "postgresql" and hashes:
        connection.execute(_LOCK_ALL, {"keys": sorted({int(one[:15], 16) for one in hashes})})


_LOCK_ALL = sa.text("SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(:keys AS bigint[])) AS k(key)")


def put_versions(connection: Connection, versions: Sequence[Version], now: datetime) -> list[Put]:
    """Decide what each version comes to, and write what is new of it.

    No two of them are of one page or have one text, and `lock_texts` has locked their texts.
    """
    stored = _stored(connection, [version.home for version in versions])
    firsts = _firsts(connection, versions)
    plans = [_plan(version, stored.get(version.home), firsts.get(version.home)) for version in versions]
    plans = _without_older(connection, plans)
    ids = _insert(connection, [plan for plan in plans if plan.stored is None], now)
    ids |= {plan.version.home: plan.stored["id"] for plan in plans if plan.stored is not None}
    changed = [plan for plan in plans if plan.stored is None or _update(connection, plan.stored, plan.values, now)]
    _write_lists(connection, {ids[plan.version.home]: plan for plan in changed})
    _write_revisions(connection, {ids[plan.version.home]: plan for plan in changed})
    _write_corrections(connection, {ids[plan.version.home]: plan for plan in changed if plan.values["corrections"]})
    return [Put(one.version, ids[one.version.home], one.decision, one.published_at, one.stored) for one in plans]


_STORED = sa.select(ArticleRow.__table__).where(ArticleRow.page_id.in_(sa.bindparam("pages", expanding=True)))


def _stored(connection: Connection, pages: Sequence[int]) -> dict[int, sa.RowMapping]:
    found: dict[int, sa.RowMapping] = {}
    for batch in batches(pages):
        found |= {row["page_id"]: row for row in connection.execute(_STORED, {"pages": batch}).mappings()}
    return found


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


def _firsts(connection: Connection, versions: Sequence[Version]) -> dict[int, int]:
    """For each page the id of the oldest article of another page with the same text, where there is one."""
    homes = {version.article.content_hash: version.home for version in versions}
    found: dict[int, int] = {}
    for batch in batches(sorted(homes)):
        for content_hash, article_id, page_id in connection.execute(_FIRST_TWO, {"hashes": batch}):
            if page_id != homes[content_hash]:
                found.setdefault(homes[content_hash], article_id)
    return found


def _plan(version: Version, stored: sa.RowMapping | None, first: int | None) -> _Planned:
    article = version.article
    before = Stored(stored["title"], stored["content_hash"], stored["text"]) if stored else None
    is_less = stored is not None and _is_less(stored, article)
    decision = "unchanged" if is_less else decide(before, article, first)
    published_at = article.published_at or version.announced_at
    # What announced the page has its say through the article already, or stands in for it.
    announced = version.announced_from or "feed"
    sources = (article.published_from or "").split("+") if article.published_at else ["feed"]
    published_from = "+".join(announced if source == "feed" else source for source in sources)[:40]
    values = _columns(article) | {
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
        values = {name: value for name, value in values.items() if name not in REVISED}
        values |= {"source": stored["source"]} if stored and is_less else {}
    else:
        # An edit may make a copy of an article, or make it differ from the one that it was a copy of.
        values["duplicate_of"] = first
        values["title"] = values["title"] or (before.title if before else None)
    return _Planned(version, decision, published_at, stored, values)


def _without_older(connection: Connection, plans: Sequence[_Planned]) -> list[_Planned]:
    """The plans, nothing to be written by those whose page was fetched before what is stored was.

    What another address of the page had before is no edit of what it has since.
    """
    edits = {
        plan.stored["id"]: plan
        for plan in plans
        if plan.stored is not None and plan.decision == "revised" and plan.version.cause == "publisher"
    }
    older: set[int] = set()
    for batch in batches(sorted(edits)):
        query = sa.select(RevisionRow.article_id, sa.func.max(RevisionRow.seen_at))
        for article_id, last in connection.execute(
            query.where(RevisionRow.article_id.in_(batch)).group_by(RevisionRow.article_id)
        ):
            if edits[article_id].version.seen_at < last:
                older.add(edits[article_id].version.home)
    return [
        _Planned(plan.version, "unchanged", plan.stored["published_at"], plan.stored, {})
        if plan.stored is not None and plan.version.home in older
        else plan
        for plan in plans
    ]


def _is_less(stored: sa.RowMapping, article: Article) -> bool:
    """Whether the page shows but the beginning of what a feed carried whole."""
    words: int = stored["word_count"]
    return stored["source"] == "feed" and article.page_class == "paywall" and article.word_count < words


def _columns(article: Article) -> Values:
    # NUL and half surrogates have no place in SQL; what is compared must be what is stored.
    values = {name: storable(getattr(article, name)) for name in _COLUMNS if name != "removed"}
    return values | {"removed": [{"text": storable(one.text), "reason": one.reason} for one in article.removed]}


_NEW = sa.insert(core(ArticleRow)).returning(ArticleRow.page_id, ArticleRow.id)


def _insert(connection: Connection, plans: Sequence[_Planned], now: datetime) -> dict[int, int]:
    """Make the rows of new articles; returns their ids by their pages."""
    rows = [plan.values | {"first_seen_at": plan.version.seen_at, "updated_at": now} for plan in plans]
    return dict(connection.execute(_NEW, rows).all()) if rows else {}


def _update(connection: Connection, stored: sa.RowMapping, values: Values, now: datetime) -> bool:
    """Whether there is something new to be written of an article."""
    if all(stored[name] == value for name, value in values.items()):
        return False
    update = sa.update(core(ArticleRow)).where(ArticleRow.id == stored["id"])
    connection.execute(update.values(values | {"updated_at": now}))
    return True


def _write_lists(connection: Connection, plans: Mapping[int, _Planned]) -> None:
    """The rows of authors and tags, which SQL groups by."""
    for batch in batches([article_id for article_id, plan in plans.items() if plan.stored is not None]):
        connection.execute(sa.delete(ArticleAuthorRow).where(ArticleAuthorRow.article_id.in_(batch)))
        connection.execute(sa.delete(ArticleTagRow).where(ArticleTagRow.article_id.in_(batch)))
    authors, tags = [], []
    for article_id, plan in plans.items():
        names, words = cast("list[str]", plan.values["authors"]), cast("list[str]", plan.values["tags"])
        authors += [{"article_id": article_id, "position": place, "name": name} for place, name in enumerate(names)]
        tags += [{"article_id": article_id, "tag": tag} for tag in dict.fromkeys(words)]
    if authors:
        connection.execute(_AUTHORS, authors)
    if tags:
        connection.execute(_TAGS, tags)


_AUTHORS, _TAGS = sa.insert(core(ArticleAuthorRow)), sa.insert(core(ArticleTagRow))
_REVISION = sa.insert(core(RevisionRow))


def _write_revisions(connection: Connection, plans: Mapping[int, _Planned]) -> None:
    revised = {key: plan for key, plan in plans.items() if plan.stored is None or plan.decision == "revised"}
    numbers = _numbers(connection, [key for key, plan in revised.items() if plan.stored is not None])
    rows = [
        {name: plan.values[name] for name in (*REVISED, "corrections")}
        | {"article_id": article_id, "number": numbers.get(article_id, 0) + 1}
        | {"changed": _changed(plan.stored, plan.values), "cause": plan.version.cause, "seen_at": plan.version.seen_at}
        for article_id, plan in revised.items()
    ]
    if rows:
        connection.execute(_REVISION, rows)


def _numbers(connection: Connection, article_ids: Sequence[int]) -> dict[int, int]:
    """The number of the last revision of each article."""
    found: dict[int, int] = {}
    for batch in batches(article_ids):
        query = sa.select(RevisionRow.article_id, sa.func.max(RevisionRow.number))
        grouped = query.where(RevisionRow.article_id.in_(batch)).group_by(RevisionRow.article_id)
        found |= dict(connection.execute(grouped).all())
    return found


def _write_corrections(connection: Connection, plans: Mapping[int, _Planned]) -> None:
    """The rows of notices; those that a page no longer has stay."""
    if not plans:
        return
    known: set[tuple[int, str]] = set()
    for batch in batches(sorted(plans)):
        query = sa.select(ArticleCorrectionRow.article_id, ArticleCorrectionRow.notice)
        known |= {
            (row[0], row[1]) for row in connection.execute(query.where(ArticleCorrectionRow.article_id.in_(batch)))
        }
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
