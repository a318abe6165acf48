"""The archive: articles, their revisions, and which of them are duplicates."""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.dedup import Stored, decide
from pipeline.model import Article, Cause, Decision, Fetched, Page
from pipeline.schedule import PagePolicy, PageUpdate, after_article
from pipeline.store.barred import BARRED, barred_urls, is_taken_down
from pipeline.store.boilerplate import count_blocks
from pipeline.store.frontier import MAX_URL, record_page
from pipeline.store.rows import ensure_hosts, storable, upsert
from pipeline.store.stories import place_article
from pipeline.tables import ArticleAuthorRow, ArticleCorrectionRow, ArticleRow, ArticleTagRow, PageRow, RevisionRow
from pipeline.urls import host_of

REVISED = ("title", "text", "word_count", "content_hash", "removed", "extractor", "extractor_version")
"""The columns of an article that only a revision changes."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What saving an article came to; ``decision`` is None when the claim was lost to another worker."""

    decision: Decision | None
    url: str


def save_article(
    connection: Connection,
    page: Page,
    owner: str,
    article: Article,
    fetched: Fetched,
    now: datetime,
    policy: PagePolicy,
    cause: Cause = "publisher",
) -> Saved:
    """Store an article and what became of its page, in one transaction.

    Where the page turned out to be another
    URL of an article (a redirect, a canonical link), the article belongs to that URL, and this page becomes an alias.
    """
    held = connection.scalar(
        sa.select(PageRow.id).where(PageRow.id == page.id, PageRow.lease_owner == owner).with_for_update()
    )
    if held is None or is_taken_down(connection, page.id):
        return Saved(None, article.url)
    seen_at = fetched.at or now
    if article.url != page.url and barred_urls(connection, [article.url]):
        record_page(connection, page, owner, BARRED, now)
        return Saved(None, article.url)
    home = _home(connection, page, article, now)
    put = _put(connection, home, page, article, now, seen_at, cause)
    first_seen_at = put.stored["first_seen_at"] if put.stored else seen_at
    update = after_article(put.decision, fetched, put.published_at, first_seen_at, now, policy)
    if home == page.id:
        record_page(connection, page, owner, update, seen_at)
    else:
        _record_alias(connection, page, owner, home, update, seen_at)
    put.place(connection, article)
    if put.decision == "new":
        count_blocks(connection, put.id, article.site, article.blocks, put.published_at or seen_at, now)
    return Saved(put.decision, article.url)


def clean_article(
    connection: Connection, home: int, page: Page, article: Article, now: datetime, fetched_at: datetime
) -> Decision:
    """Store what our rules make of a raw copy now: a revision that it opens is ours, not the publisher's.

    Args:
        connection: in a transaction that holds the page of the article, and does nothing after this.
        home: the page that the article is of.
        page: the page that the copy is of: ``home``, or an alias of it.
        article: as read from the copy.
        now: the time.
        fetched_at: when the copy was fetched: since then at least its page has said so.
    """
    put = _put(connection, home, page, article, now, now, cause="reclean", read_at=fetched_at)
    put.place(connection, article)
    return put.decision


@dataclass(frozen=True, slots=True)
class _Put:
    """An article as it was stored, and what stood there before."""

    id: int
    decision: Decision
    published_at: datetime | None
    stored: sa.RowMapping | None

    def place(self, connection: Connection, article: Article) -> None:
        """Find its story; the last thing that a transaction does."""
        stored = self.stored
        if self.decision != "unchanged" or (stored and stored["published_at"] != self.published_at):
            is_edited = self.decision == "revised" and stored and stored["content_hash"] != article.content_hash
            place_article(connection, self.id, stored["text"] if stored and is_edited else None)


def _put(
    connection: Connection,
    home: int,
    page: Page,
    article: Article,
    now: datetime,
    seen_at: datetime,
    cause: Cause = "publisher",
    read_at: datetime | None = None,
) -> _Put:
    _lock_text(connection, article.content_hash)
    stored = connection.execute(sa.select(ArticleRow.__table__).where(ArticleRow.page_id == home)).mappings().first()
    first = _first_with_text(connection, article.content_hash, home)
    before = Stored(stored["title"], stored["content_hash"], stored["text"]) if stored else None
    is_less = stored is not None and _is_less(stored, article)
    decision = "unchanged" if is_less else decide(before, article, first)
    published_at = article.published_at or page.published_at
    # What announced the page has its say through the article already, or stands in for it.
    announced = page.published_from or "feed"
    sources = (article.published_from or "").split("+") if article.published_at else ["feed"]
    published_from = "+".join(announced if source == "feed" else source for source in sources)[:40]
    values = _columns(article) | {
        "page_id": home,
        "published_at": published_at,
        "published_from": (published_from or None) if published_at else None,
    }
    if published_at is None and stored:
        # A date that a page no longer shows is still its article's.
        published_at = stored["published_at"]
        values |= {name: stored[name] for name in ("published_at", "published_from", "published_precision")}
    if decision == "revised" and stored and cause == "publisher" and _is_older(connection, stored["id"], seen_at):
        # What another address of the page had before is no edit of what it has since.
        return _Put(stored["id"], "unchanged", stored["published_at"], stored)
    if decision == "unchanged":
        # The text differs in layout at most: it stays together with what it was made by, as in its revision.
        values = {name: value for name, value in values.items() if name not in REVISED}
        values |= {"source": stored["source"]} if stored and is_less else {}
    else:
        # An edit may make a copy of an article, or make it differ from the one that it was a copy of.
        values["duplicate_of"] = first
        values["title"] = values["title"] or (before.title if before else None)
    article_id = _write_article(connection, stored, values, decision, now, seen_at, cause, read_at)
    return _Put(article_id, decision, published_at, stored)


def _is_less(stored: sa.RowMapping, article: Article) -> bool:
    """Whether the page shows but the beginning of what a feed carried whole."""
    words: int = stored["word_count"]
    return stored["source"] == "feed" and article.page_class == "paywall" and article.word_count < words


def _is_older(connection: Connection, article_id: int, seen_at: datetime) -> bool:
    """Whether the page was fetched before what is stored was."""
    newest = sa.select(sa.func.max(RevisionRow.seen_at)).where(RevisionRow.article_id == article_id)
    last = connection.scalar(newest)
    return last is not None and seen_at < last


def insert_article(connection: Connection, page_id: int, article: Article, now: datetime) -> Decision | None:
    """Store the first article of a page that no worker holds; None where it has one."""
    if connection.scalar(sa.select(ArticleRow.id).where(ArticleRow.page_id == page_id)) is not None:
        return None
    _lock_text(connection, article.content_hash)
    first = _first_with_text(connection, article.content_hash, page_id)
    decision = decide(None, article, first)
    values = _columns(article) | {"page_id": page_id, "duplicate_of": first}
    article_id = _write_article(connection, None, values, decision, now, now)
    place_article(connection, article_id)
    if decision == "new":
        count_blocks(connection, article_id, article.site, article.blocks, article.published_at or now, now)
    return decision


def _first_with_text(connection: Connection, content_hash: str, page_id: int) -> int | None:
    """The id of the oldest article of another page with this text."""
    return connection.scalar(
        sa.select(ArticleRow.id)
        .where(ArticleRow.content_hash == content_hash, ArticleRow.page_id != page_id)
        .order_by(ArticleRow.duplicate_of.is_not(None), ArticleRow.id)
        .limit(1)
    )


def _home(connection: Connection, page: Page, article: Article, now: datetime) -> int:
    """The id of the page that the article belongs to."""
    if article.url == page.url or page.stored or len(article.url) > MAX_URL:
        return page.id  # an article that is stored never moves
    ensure_hosts(connection, [host_of(article.url)], now)
    connection.execute(
        upsert(connection, PageRow)
        .values(
            url=article.url,
            host=host_of(article.url),
            state="queued",
            attempts=0,
            next_fetch_at=now,
            published_at=page.published_at,
            discovered_at=now,
        )
        .on_conflict_do_nothing()
    )
    row = connection.execute(
        sa.select(PageRow.id, PageRow.alias_of).where(PageRow.url == article.url).with_for_update()
    ).one()
    # Two pages that each name the other as canonical must not become aliases of each other.
    target: int = row.alias_of or row.id
    return target


def _lock_text(connection: Connection, content_hash: str) -> None:
    """Let workers store equal texts one after the other, so that the second sees the first.

    SQLite has one writer at a time anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(int(content_hash[:15], 16))))


def _columns(article: Article) -> dict[str, object]:
    values = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(replace(article, blocks=())).items()
        if name in ArticleRow.__table__.columns
    }
    # NUL and half surrogates have no place in SQL; what is compared must be what is stored.
    return {name: storable(value) for name, value in values.items()}


def _write_article(
    connection: Connection,
    stored: sa.RowMapping | None,
    values: dict[str, object],
    decision: Decision,
    now: datetime,
    seen_at: datetime,
    cause: Cause = "publisher",
    read_at: datetime | None = None,
) -> int:
    """Write what is new of it; returns the article's id. ``read_at``: when its page was fetched, if not ``seen_at``."""
    article_id: int
    if stored is None:
        number = 1
        article_id = connection.execute(
            sa.insert(ArticleRow)
            .values(values | {"first_seen_at": seen_at, "updated_at": now})
            .returning(ArticleRow.id)
        ).scalar_one()
    else:
        article_id = stored["id"]
        if all(stored[name] == value for name, value in values.items()):
            return article_id
        connection.execute(
            sa.update(ArticleRow).where(ArticleRow.id == article_id).values(values | {"updated_at": now})
        )
        number = (
            1
            + connection.scalars(
                sa.select(sa.func.max(RevisionRow.number)).where(RevisionRow.article_id == article_id)
            ).one()
        )
    _write_lists(connection, article_id, values)
    is_revision = stored is None or decision == "revised"
    _write_corrections(connection, article_id, values, number if is_revision else number - 1, read_at or seen_at)
    if is_revision:
        connection.execute(
            sa.insert(RevisionRow).values(
                {name: values[name] for name in (*REVISED, "corrections")}
                | {"article_id": article_id, "number": number, "changed": _changed(stored, values), "seen_at": seen_at}
                | {"cause": cause}
            )
        )
    return article_id


def _changed(stored: sa.RowMapping | None, values: dict[str, object]) -> str:
    if stored is None:
        return "first"
    text = stored["content_hash"] != values["content_hash"]
    title = stored["title"] != values["title"]
    return "both" if title and text else "text" if text else "title"


def _write_lists(connection: Connection, article_id: int, values: dict[str, object]) -> None:
    """The rows of authors and tags, which SQL groups by."""
    authors, tags = cast("list[str]", values["authors"]), cast("list[str]", values["tags"])
    connection.execute(sa.delete(ArticleAuthorRow).where(ArticleAuthorRow.article_id == article_id))
    connection.execute(sa.delete(ArticleTagRow).where(ArticleTagRow.article_id == article_id))
    rows = [{"article_id": article_id, "position": place, "name": name} for place, name in enumerate(authors)]
    if rows:
        connection.execute(sa.insert(ArticleAuthorRow), rows)
    named = [{"article_id": article_id, "tag": tag} for tag in dict.fromkeys(tags)]
    if named:
        connection.execute(sa.insert(ArticleTagRow), named)


def _write_corrections(
    connection: Connection, article_id: int, values: dict[str, object], revision: int, seen_at: datetime
) -> None:
    """The rows of its notices; those that the page no longer has stay."""
    notices = cast("list[str]", values["corrections"])
    if not notices:
        return
    mine = sa.select(ArticleCorrectionRow.notice).where(ArticleCorrectionRow.article_id == article_id)
    known = set(connection.scalars(mine))
    rows = [
        {"article_id": article_id, "revision": revision, "notice": notice, "seen_at": seen_at}
        for notice in dict.fromkeys(notices)
        if notice not in known
    ]
    if rows:
        connection.execute(sa.insert(ArticleCorrectionRow), rows)


def _record_alias(connection: Connection, page: Page, owner: str, home: int, update: PageUpdate, now: datetime) -> None:
    connection.execute(
        sa.update(PageRow)
        .where(PageRow.id == home)
        .values(
            state="stored",
            outcome=update.outcome,
            reason=None,
            detail=None,
            attempts=0,
            next_fetch_at=update.next_fetch_at,
            backfill_id=None,
            fetched_at=now,
            gone_at=None,
        )
    )
    alias = PageUpdate(state="alias", outcome=update.outcome, next_fetch_at=None, status=update.status)
    record_page(connection, page, owner, alias, now)
    connection.execute(sa.update(PageRow).where(PageRow.id == page.id).values(alias_of=home))
    # Whatever led to this page leads to its home now: aliases are never more than one step long.
    connection.execute(sa.update(PageRow).where(PageRow.alias_of == page.id).values(alias_of=home))
