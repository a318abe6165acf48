"""Taking down: what is held of a page or a site goes, and what it is known by stays, so that it stays gone."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.orm import InstrumentedAttribute

from pipeline.store.articles.stories import leave_stories
from pipeline.store.connection.rows import batches, ensure_hosts, select_among, storable, upsert
from pipeline.store.frontier.barred import BARRED_PAGE, is_open
from pipeline.store.frontier.retries import is_of_site
from pipeline.store.schema.tables import (
    ArticleRow,
    EntryRow,
    FeedRow,
    PageRow,
    RawRow,
    RevisionRow,
    SiteBlockRow,
    SiteRow,
    TakedownRow,
)
from pipeline.urls import canonical_url, host_of, site_of

SILENCED: dict[str, object] = {
    "title": None,
    "summary": None,
    "content": None,
    "authors": [],
    "tags": [],
    "published_at": None,
    "updated_at": None,
}
"""What an entry says of a page that was taken down; its guid and hash stay, so that it is not taken for a new one."""

BATCH = 200
"""Pages of one transaction: taking down a site of a million must not block the others."""


@dataclass(frozen=True, slots=True)
class TakedownTarget:
    """What is to be taken down: a canonical URL, or a host name with those below it."""

    scope: str
    target: str

    @classmethod
    def parse(cls, text: str) -> "TakedownTarget":
        """The target that a URL or the name of a site means. Raises ValueError when it is neither."""
        text = text.strip()
        if "://" in text:
            return cls("url", canonical_url(text))
        name = site_of(canonical_url(f"https://{text}/"))
        if "." not in name or "/" in text.rstrip("/"):
            raise ValueError("neither a URL nor the host name of a site")
        return cls("site", name)

    def has(self, url: InstrumentedAttribute[str]) -> sa.ColumnElement[bool]:
        """The URL is it, or of it."""
        if self.scope == "url":
            return url == self.target
        return url.regexp_match(rf"^https?://([^/]*\.)?{re.escape(self.target)}(:[0-9]+)?/")


@dataclass(frozen=True, slots=True)
class TakedownExtent:
    """How much is taken down."""

    pages: int = 0
    articles: int = 0
    revisions: int = 0
    entries: int = 0
    copies: int = 0
    feeds: int = 0

    def __add__(self, other: "TakedownExtent") -> "TakedownExtent":
        names = ("pages", "articles", "revisions", "entries", "copies", "feeds")
        return TakedownExtent(**{name: getattr(self, name) + getattr(other, name) for name in names})


def bar_target(connection: Connection, target: TakedownTarget, now: datetime, note: str | None) -> int:
    """Keep the target from being fetched or stored from now on; returns how many feeds of it were paused for that."""
    row = {"scope": target.scope, "target": target.target, "note": storable(note), "taken_down_at": now}
    connection.execute(upsert(connection, TakedownRow).values(row).on_conflict_do_nothing())
    if target.scope == "site":
        connection.execute(sa.delete(SiteBlockRow).where(is_of_site(SiteBlockRow.site, target.target)))
        connection.execute(sa.delete(SiteRow).where(is_of_site(SiteRow.name, target.target)))
        paused = sa.update(FeedRow).where(
            is_of_site(FeedRow.host, target.target), FeedRow.state.not_in(("paused", "moved"))
        )
        return connection.execute(paused.values(state="paused")).rowcount
    # A page that was never seen has its row too: the ledger says why there is no article.
    host = host_of(target.target)
    ensure_hosts(connection, [host], now)
    page = {"url": target.target, "host": host, "attempts": 0, "discovered_at": now}
    connection.execute(upsert(connection, PageRow).values(page | BARRED_PAGE).on_conflict_do_nothing())
    return 0


def list_target_pages(
    connection: Connection, target: TakedownTarget, after: int, *, done_too: bool = False
) -> list[int]:
    """Ids of the pages of the target, in order, with all aliases of each; those that are not taken down yet, or all."""
    if target.scope == "url":
        home = sa.select(sa.func.coalesce(PageRow.alias_of, PageRow.id)).where(PageRow.url == target.target)
        home_id = connection.scalar(home)
        is_it = sa.or_(PageRow.id == home_id, PageRow.alias_of == home_id)
    else:
        # A copy at an archive has the archive's host; an article may be on a page of another site that leads here.
        articles = sa.select(ArticleRow.page_id).where(is_of_site(ArticleRow.site, target.target))
        there = target.has(PageRow.url)
        mine = sa.or_(
            is_of_site(PageRow.host, target.target),
            PageRow.id.in_(articles.scalar_subquery()),
            sa.and_(PageRow.fetch_url.is_not(None), there),
        )
        homes = sa.select(PageRow.id).where(mine).scalar_subquery()
        is_it = sa.or_(mine, PageRow.alias_of.in_(homes))
    held = sa.or_(is_open(), sa.exists().where(RawRow.page_id == PageRow.id, ~RawRow.dropped))
    query = sa.select(PageRow.id).where(PageRow.id > after, is_it).order_by(PageRow.id).limit(BATCH)
    query = query if done_too else query.where(held)
    return list(connection.scalars(query))


def measure_takedown(connection: Connection, page_ids: Sequence[int]) -> TakedownExtent:
    """What there is of these pages."""
    articles = sa.select(ArticleRow.id).where(ArticleRow.page_id.in_(page_ids)).scalar_subquery()

    def count(*where: sa.ColumnElement[bool]) -> int:
        return connection.scalar(sa.select(sa.func.count()).where(*where)) or 0

    return TakedownExtent(
        pages=len(page_ids),
        articles=count(ArticleRow.page_id.in_(page_ids)),
        revisions=count(RevisionRow.article_id.in_(articles)),
        entries=count(EntryRow.page_id.in_(page_ids)),
        copies=count(RawRow.page_id.in_(page_ids), ~RawRow.dropped),
    )


def take_down_pages(connection: Connection, page_ids: Sequence[int]) -> TakedownExtent:
    """Remove all that these pages brought, and mark their archived responses to be taken out of their files."""
    extent = measure_takedown(connection, page_ids)
    articles = list(connection.scalars(sa.select(ArticleRow.id).where(ArticleRow.page_id.in_(page_ids))))
    connection.execute(sa.update(PageRow).where(PageRow.id.in_(page_ids)).values(BARRED_PAGE))
    connection.execute(sa.update(EntryRow).where(EntryRow.page_id.in_(page_ids)).values(SILENCED))
    connection.execute(sa.update(RawRow).where(RawRow.page_id.in_(page_ids)).values(dropped=True))
    for article_id in articles:
        _hand_on_copies(connection, article_id, articles)
    if articles:
        leave_stories(connection, articles)
        connection.execute(sa.delete(ArticleRow).where(ArticleRow.id.in_(articles)))
    return extent


def _hand_on_copies(connection: Connection, article_id: int, going: Collection[int]) -> None:
    """Articles with the same text as one that goes are copies of the first that is left."""
    rest = sa.select(ArticleRow.id).where(ArticleRow.duplicate_of == article_id, ArticleRow.id.not_in(going))
    left = list(connection.scalars(rest.order_by(ArticleRow.id)))
    mine = sa.update(ArticleRow).where(ArticleRow.duplicate_of == article_id)
    connection.execute(mine.values(duplicate_of=left[0] if left else None))
    if left:
        connection.execute(sa.update(ArticleRow).where(ArticleRow.id == left[0]).values(duplicate_of=None))


def find_announced_words(connection: Connection, page_ids: Sequence[int]) -> dict[int, set[str]]:
    """By feed, what its documents that announced one of these pages have in them: the page's URL or the guid."""
    words: dict[int, set[str]] = {}
    query = sa.select(EntryRow.feed_id, EntryRow.guid, PageRow.url).join(PageRow, PageRow.id == EntryRow.page_id)
    for row in select_among(connection, query, EntryRow.page_id, page_ids):
        words.setdefault(row.feed_id, set()).update((row.guid, row.url))
    return words


def list_site_feeds(connection: Connection, site: str) -> list[int]:
    """The feeds that are served by a site."""
    return list(connection.scalars(sa.select(FeedRow.id).where(is_of_site(FeedRow.host, site))))


def list_feed_bodies(connection: Connection, feed_id: int | None) -> list[int]:
    """Ids of the copies of a feed that have a body of their own; None for those of feeds that were removed."""
    mine = [RawRow.kind == "feed", RawRow.feed_id.is_not_distinct_from(feed_id)]
    query = sa.select(RawRow.id).where(*mine, RawRow.refers_to.is_(None), ~RawRow.dropped)
    return list(connection.scalars(query.order_by(RawRow.id)))


def list_stray_copies(connection: Connection, target: TakedownTarget) -> list[int]:
    """Ids of copies of the target that no page of it owns: an answer that another page led to, or that nobody knows."""
    return list(connection.scalars(sa.select(RawRow.id).where(target.has(RawRow.url), ~RawRow.dropped)))


def drop_copies(connection: Connection, row_ids: Iterable[int]) -> int:
    """Mark copies to be taken out of their files, with those that refer to them; returns how many they are."""
    dropped = 0
    for batch in batches(sorted(row_ids)):
        meant = sa.or_(RawRow.id.in_(batch), RawRow.refers_to.in_(batch))
        dropped += connection.execute(sa.update(RawRow).where(meant, ~RawRow.dropped).values(dropped=True)).rowcount
    return dropped
