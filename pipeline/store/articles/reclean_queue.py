"""Which pages have archived responses to clean again, and what that changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.model import Article, Page, Validators
from pipeline.store.articles.saving import clean_article, insert_article
from pipeline.store.frontier.aliases import was_announced
from pipeline.store.frontier.barred import is_open
from pipeline.store.frontier.retries import is_of_site, require_known_hosts
from pipeline.store.schema.tables import ArticleRow, PageRow, RawRow

_KEPT_APART = frozenset({"id", "page_id", "first_seen_at", "updated_at", "extractor", "extractor_version"})
COMPARED = tuple(column.name for column in ArticleRow.__table__.columns if column.name not in _KEPT_APART)
"""The columns of an article that cleaning it again may change."""


@dataclass(frozen=True, slots=True)
class CopySelection:
    """Which pages are cleaned again.

    Attributes:
        sites: only those of these hosts and below; empty for all.
        since, until: only those with a copy fetched in this range, its end left out.
        versions: only those whose article was made by one of these versions; None for all pages, also those without
            an article.
    """

    sites: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    versions: tuple[str, ...] | None = None

    def pages(self) -> sa.Select[int]:
        """Ids of the pages, without order."""
        copy, alias = RawRow.__table__.alias(), PageRow.__table__.alias()
        aliases = sa.select(alias.c.id).where(alias.c.alias_of == PageRow.id).scalar_subquery()
        wanted = [copy.c.kind == "page", copy.c.status.between(200, 299), ~copy.c.dropped]
        if self.since is not None:
            wanted.append(copy.c.fetched_at >= self.since)
        if self.until is not None:
            wanted.append(copy.c.fetched_at < self.until)
        own = sa.exists().where(copy.c.page_id == PageRow.id, *wanted)
        through_alias = sa.exists().where(copy.c.page_id.in_(aliases), *wanted)
        query = sa.select(PageRow.id).where(PageRow.alias_of.is_(None), is_open(), sa.or_(own, through_alias))
        if self.sites:
            query = query.where(sa.or_(*(is_of_site(PageRow.host, site) for site in self.sites)))
        if self.versions is not None:
            made = sa.select(ArticleRow.page_id).where(ArticleRow.extractor_version.in_(self.versions))
            query = query.where(PageRow.id.in_(made.scalar_subquery()))
        return query


@dataclass(frozen=True, slots=True)
class GoodCopy:
    """A good answer of a page, and the page as it is to be read for.

    Attributes:
        row: of the table `raw`.
        page: the page that was asked for; what is stored may be of another URL, which it led to.
        opt_out: signals by which rights were reserved when it was last fetched.
    """

    row: dict[str, Any]
    page: Page
    opt_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recleaned:
    """What cleaning a page again came to.

    Attributes:
        kind: ``same``, ``updated`` (other metadata), ``revised`` (another text or title), ``new`` (there was no
            article), ``lost`` (there is one, and our rules find none now: it stays), ``none``, or ``overtaken`` (by a
            fetch meanwhile).
        changed: the columns that changed.
        before, after: title and text.
    """

    kind: str
    changed: tuple[str, ...] = ()
    before: tuple[str, str] = ("", "")
    after: tuple[str, str] = ("", "")


def list_extractor_versions(connection: Connection) -> list[str]:
    """The versions that articles of the archive were made by."""
    return list(connection.scalars(sa.select(ArticleRow.extractor_version).distinct()))


def count_pages(connection: Connection, choice: CopySelection) -> int:
    """How many pages are chosen. Raises ConfigError when no page is of one of the sites."""
    require_known_hosts(connection, choice.sites)
    return connection.scalar(sa.select(sa.func.count()).select_from(choice.pages().subquery())) or 0


def list_next_pages(connection: Connection, choice: CopySelection, after: int, limit: int) -> list[int]:
    """Ids of chosen pages after this one, in order."""
    return list(connection.scalars(choice.pages().where(PageRow.id > after).order_by(PageRow.id).limit(limit)))


def load_good_copies(connection: Connection, home: int, limit: int) -> list[GoodCopy]:
    """The last good answers of a page and its aliases, newest first, each body once."""
    family = sa.or_(PageRow.id == home, PageRow.alias_of == home)
    rows = connection.execute(
        sa.select(
            RawRow.__table__,
            PageRow.url.label("page_url"),
            PageRow.host,
            PageRow.published_at,
            PageRow.published_from,
            PageRow.fetch_url,
            PageRow.opt_out,
            was_announced().label("has_entry"),
        )
        .join(PageRow, PageRow.id == RawRow.page_id)
        .where(family, RawRow.status.between(200, 299), ~RawRow.dropped)
        .order_by(RawRow.id.desc())
    ).mappings()
    copies: dict[int, GoodCopy] = {}
    for row in rows:
        page = Page(
            id=row["page_id"],
            url=row["page_url"],
            host=row["host"],
            validators=Validators(),
            attempts=0,
            published_at=row["published_at"],
            published_from=row["published_from"],
            fetch_url=row["fetch_url"],
            has_entry=bool(row["has_entry"]),
        )
        body = row["refers_to"] or row["id"]
        copies.setdefault(body, GoodCopy(dict(row), page, tuple((row["opt_out"] or "").split())))
        if len(copies) == limit:
            break
    return list(copies.values())


def reclean_page(
    connection: Connection,
    home: int,
    copies: Sequence[GoodCopy],
    read: tuple[GoodCopy, Article] | None,
    now: datetime,
    key: str,
) -> Recleaned:
    """Store what was read from a copy of a page; None where none of the copies holds an article.

    ``key`` names the run, so that it can be gone on with: `is_recleaned` knows these copies by it.
    """
    connection.execute(sa.select(PageRow.id).where(PageRow.id == home).with_for_update())
    newest = load_good_copies(connection, home, 1)
    if not newest or newest[0].row["id"] != copies[0].row["id"]:
        return Recleaned("overtaken")
    connection.execute(sa.update(RawRow).where(RawRow.id == copies[0].row["id"]).values(cleaned_by=key))
    before = _article(connection, home)
    if read is None:
        return Recleaned("lost" if before else "none", before=_shown(before))
    copy, article = read
    if before is None:
        return _add(connection, home, copy, article, now)
    decision = clean_article(connection, home, copy.page, article, now, copy.row["fetched_at"])
    after = _article(connection, home)
    changed = tuple(name for name in COMPARED if after and before[name] != after[name])
    kind = "revised" if decision == "revised" else "updated" if changed else "same"
    return Recleaned(kind, changed, _shown(before), _shown(after))


def _add(connection: Connection, home: int, copy: GoodCopy, article: Article, now: datetime) -> Recleaned:
    page = sa.update(PageRow).where(PageRow.id == home)
    connection.execute(page.values(state="stored", reason=None, detail=None))
    decision = insert_article(connection, home, article, now)
    connection.execute(page.values(outcome=decision))
    return Recleaned("new", COMPARED, after=_shown(_article(connection, home)))


def is_recleaned(copies: Sequence[GoodCopy], key: str) -> bool:
    """Whether the run of this key has cleaned the page of these copies."""
    return bool(copies) and copies[0].row["cleaned_by"] == key


def forget_key(connection: Connection, key: str) -> None:
    """End a run: the next one with the same arguments starts over."""
    connection.execute(sa.update(RawRow).where(RawRow.cleaned_by == key).values(cleaned_by=None))


def _article(connection: Connection, home: int) -> sa.RowMapping | None:
    return connection.execute(sa.select(ArticleRow.__table__).where(ArticleRow.page_id == home)).mappings().first()


def _shown(article: sa.RowMapping | None) -> tuple[str, str]:
    return (article["title"] or "", article["text"]) if article else ("", "")
