"""The archive: articles that were read from pages, stored with what became of the pages.

Any number of them go in one transaction, with a handful of statements for all: making and sending a statement costs
more than most rows do. What has to do with one another (two addresses of one article, two copies of one text) is stored
one after the other all the same, so that the outcome is that of as many transactions.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.model import Article, Cause, Decision, Fetched, Page
from pipeline.schedule import PagePolicy, PageUpdate, after_article
from pipeline.store.barred import BARRED, TAKEN_DOWN, barred_urls
from pipeline.store.blocks import Counted, count_blocks
from pipeline.store.frontier import MAX_URL, record_page, record_pages
from pipeline.store.rows import batches, core, ensure_hosts, insert_into
from pipeline.store.stories import Placing, place_articles
from pipeline.store.versions import Put, Version, lock_texts, put_versions
from pipeline.tables import ArticleRow, PageRow
from pipeline.urls import host_of


@dataclass(frozen=True, slots=True)
class Finding:
    """An article that was read from a page that a worker holds.

    Attributes:
        fetched: what the ledger keeps of the answer.
        cause: who changed the article, should it differ from what is stored.
    """

    page: Page
    article: Article
    fetched: Fetched
    cause: Cause = "publisher"


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
    return save_articles(connection, [Finding(page, article, fetched, cause)], owner, now, policy)[0]


def save_articles(
    connection: Connection, findings: Sequence[Finding], owner: str, now: datetime, policy: PagePolicy
) -> list[Saved]:
    """The same for several pages, each of which is among them once; it ends the transaction but for its commit."""
    if not findings:
        return []
    held = _held(connection, owner, [finding.page.id for finding in findings])
    elsewhere = [one.article.url for one in findings if one.article.url != one.page.url]
    barred = barred_urls(connection, elsewhere) if elsewhere else set()
    saved: dict[int, Saved] = {}
    wanted: list[Finding] = []
    for finding in findings:
        page, article = finding.page, finding.article
        if page.id not in held:
            saved[page.id] = Saved(None, article.url)
        elif article.url in barred and article.url != page.url:
            record_page(connection, page, owner, BARRED, now)
            saved[page.id] = Saved(None, article.url)
        else:
            wanted.append(finding)
    lock_texts(connection, [finding.article.content_hash for finding in wanted])
    puts: list[Put] = []
    for run in _runs(wanted):
        puts += _save_run(connection, run, owner, now, policy)
    for finding, put in zip(wanted, puts, strict=True):
        saved[finding.page.id] = Saved(put.decision, finding.article.url)
    _finish(connection, puts, now)
    return [saved[finding.page.id] for finding in findings]


_HELD = (
    sa.select(PageRow.id, PageRow.reason)
    .where(PageRow.id.in_(sa.bindparam("ids", expanding=True)), PageRow.lease_owner == sa.bindparam("owner"))
    # In order of their ids: two workers that lock the same pages in another order would lock each other out.
    .order_by(PageRow.id)
    .with_for_update()
)


def _held(connection: Connection, owner: str, ids: Sequence[int]) -> set[int]:
    """Those of these pages that the worker holds, and that were not taken down."""
    found: set[int] = set()
    for batch in batches(sorted(ids)):
        rows = connection.execute(_HELD, {"ids": batch, "owner": owner})
        found |= {row.id for row in rows if row.reason != TAKEN_DOWN}
    return found


def _runs(findings: Sequence[Finding]) -> Iterator[list[Finding]]:
    """The findings in order, in runs of which no two have an address or a text in common."""
    run: list[Finding] = []
    met: set[str] = set()
    for finding in findings:
        marks = {finding.page.url, finding.article.url, finding.article.content_hash}
        if not met.isdisjoint(marks):
            yield run
            run, met = [], set()
        run.append(finding)
        met |= marks
    if run:
        yield run


def _save_run(
    connection: Connection, run: Sequence[Finding], owner: str, now: datetime, policy: PagePolicy
) -> list[Put]:
    homes = _homes(connection, run, now)
    touched = [{finding.page.id, homes[finding.page.id]} for finding in run]
    if len(run) > 1 and sum(map(len, touched)) > len(set().union(*touched)):
        # Some lead to one page after all, by an address that is an alias by now.
        return [put for finding in run for put in _save_run(connection, [finding], owner, now, policy)]
    puts = put_versions(connection, [_version(one, homes[one.page.id], now) for one in run], now)
    updates: list[tuple[Page, PageUpdate, datetime]] = []
    for finding, put in zip(run, puts, strict=True):
        page, seen_at = finding.page, put.version.seen_at
        first_seen_at = put.stored["first_seen_at"] if put.stored else seen_at
        update = after_article(put.decision, finding.fetched, put.published_at, first_seen_at, now, policy)
        if put.version.home == page.id:
            updates.append((page, update, seen_at))
        else:
            _record_alias(connection, page, owner, put.version.home, update, seen_at)
    record_pages(connection, owner, updates)
    return puts


def _version(finding: Finding, home: int, now: datetime) -> Version:
    page, seen_at = finding.page, finding.fetched.at or now
    return Version(home, finding.article, seen_at, finding.cause, page.published_at, page.published_from)


def _finish(connection: Connection, puts: Sequence[Put], now: datetime) -> None:
    """Count blocks and find stories: the last that a transaction does, since all others wait to do it then."""
    counted = [
        Counted(put.id, put.version.article.site, put.version.article.blocks, put.published_at or put.version.seen_at)
        for put in puts
        if put.decision == "new"
    ]
    count_blocks(connection, counted, now)
    placings = [
        # What is stored of an article that is unchanged may be more than was read now.
        Placing(put.id, put.former_text, put.version.article.sketch if put.decision != "unchanged" else ())
        for put in puts
        if put.decision != "unchanged" or (put.stored and put.stored["published_at"] != put.published_at)
    ]
    if placings:
        place_articles(connection, placings)


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
    version = Version(home, article, now, "reclean", page.published_at, page.published_from, read_at=fetched_at)
    return _put_one(connection, version, now).decision


def insert_article(connection: Connection, page_id: int, article: Article, now: datetime) -> Decision | None:
    """Store the first article of a page that no worker holds; None where it has one."""
    if connection.scalar(sa.select(ArticleRow.id).where(ArticleRow.page_id == page_id)) is not None:
        return None
    return _put_one(connection, Version(page_id, article, now), now).decision


def _put_one(connection: Connection, version: Version, now: datetime) -> Put:
    lock_texts(connection, [version.article.content_hash])
    (put,) = put_versions(connection, [version], now)
    _finish(connection, [put], now)
    return put


def _homes(connection: Connection, findings: Sequence[Finding], now: datetime) -> dict[int, int]:
    """The id of the page that each article belongs to, by that of the page that it was read from."""
    homes = {finding.page.id: finding.page.id for finding in findings}
    elsewhere: dict[str, Finding] = {}
    for finding in findings:
        page, url = finding.page, finding.article.url
        if url != page.url and not page.stored and len(url) <= MAX_URL:  # an article that is stored never moves
            elsewhere[url] = finding
    if not elsewhere:
        return homes
    ensure_hosts(connection, map(host_of, elsewhere), now)
    rows = [_home_row(url, elsewhere[url].page, now) for url in sorted(elsewhere)]
    connection.execute(insert_into(connection.dialect.name, PageRow).on_conflict_do_nothing(), rows)
    for batch in batches(sorted(elsewhere)):
        for row in connection.execute(_TARGETS, {"urls": batch}):
            # Two pages that each name the other as canonical must not become aliases of each other.
            homes[elsewhere[row.url].page.id] = row.alias_of or row.id
    return homes


_TARGETS = (
    sa.select(PageRow.url, PageRow.id, PageRow.alias_of)
    .where(PageRow.url.in_(sa.bindparam("urls", expanding=True)))
    .order_by(PageRow.id)
    .with_for_update()
)


def _home_row(url: str, page: Page, now: datetime) -> dict[str, object]:
    return {
        "url": url,
        "host": host_of(url),
        "state": "queued",
        "attempts": 0,
        "next_fetch_at": now,
        "published_at": page.published_at,
        "discovered_at": now,
    }


def _record_alias(connection: Connection, page: Page, owner: str, home: int, update: PageUpdate, now: datetime) -> None:
    pages = sa.update(core(PageRow))
    connection.execute(
        pages.where(PageRow.id == home).values(
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
    # Whatever led to this page leads to its home now: aliases are never more than one step long.
    connection.execute(pages.where(sa.or_(PageRow.id == page.id, PageRow.alias_of == page.id)).values(alias_of=home))
