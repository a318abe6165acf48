"""The archive: articles that were read from pages, stored with what became of the pages.

Any number of them go in one transaction, with a handful of statements for all: making and sending a statement costs
more than most rows do. What has to do with one another (two addresses of one article, two copies of one text) is stored
one after the other all the same, so that the outcome is that of as many transactions.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.model import Article, Decision, Page
from pipeline.schedule.pages import PagePolicy, PageUpdate, after_article
from pipeline.store.articles.article_homes import find_homes, record_alias
from pipeline.store.articles.block_counts import CountedArticle, count_blocks
from pipeline.store.articles.stories import Placing, place_articles
from pipeline.store.articles.version_values import ArticleVersion, Finding, SavedArticle, StoredVersion
from pipeline.store.articles.versions import lock_texts, put_versions
from pipeline.store.connection.rows import batches
from pipeline.store.frontier.barred import BARRED, TAKEN_DOWN, barred_urls
from pipeline.store.frontier.page_outcomes import record_page, record_pages
from pipeline.store.schema.tables import ArticleRow, PageRow


def save_articles(
    connection: Connection, findings: Sequence[Finding], owner: str, now: datetime, policy: PagePolicy
) -> list[SavedArticle]:
    """Store articles and what became of their pages, each of which is among them once.

    It ends the transaction but for its commit. Where a page turned out to be another URL of an article (a redirect, a
    canonical link), the article belongs to that URL, and this page becomes an alias.
    """
    if not findings:
        return []
    held = _held(connection, owner, [finding.page.id for finding in findings])
    elsewhere = [finding.article.url for finding in findings if finding.article.url != finding.page.url]
    barred = barred_urls(connection, elsewhere) if elsewhere else set()
    saved: dict[int, SavedArticle] = {}
    wanted: list[Finding] = []
    for finding in findings:
        page, article = finding.page, finding.article
        if page.id not in held:
            saved[page.id] = SavedArticle(None, article.url)
        elif article.url in barred and article.url != page.url:
            record_page(connection, page, owner, BARRED, now)
            saved[page.id] = SavedArticle(None, article.url)
        else:
            wanted.append(finding)
    lock_texts(connection, [finding.article.content_hash for finding in wanted])
    puts: list[StoredVersion] = []
    for run in _runs(wanted):
        puts += _save_run(connection, run, owner, now, policy)
    for finding, put in zip(wanted, puts, strict=True):
        saved[finding.page.id] = SavedArticle(put.decision, finding.article.url)
    _finish(connection, puts, now)
    return [saved[finding.page.id] for finding in findings]


def save_articles_now(
    connection: Connection,
    findings: Sequence[Finding],
    owner: str,
    clock: Callable[[], datetime],
    policy: PagePolicy,
) -> list[SavedArticle]:
    """The same at the time that it is."""
    return save_articles(connection, findings, owner, clock(), policy)


_HELD = (
    sa.select(PageRow.id, PageRow.reason)
    .where(PageRow.id.in_(sa.bindparam("ids", expanding=True)), PageRow.lease_owner == sa.bindparam("owner"))
    # In order of their ids: two workers that lock the same pages in another order would lock each other out.
    .order_by(PageRow.id)
    .with_for_update()
)


def _held(connection: Connection, owner: str, ids: Sequence[int]) -> set[int]:
    """Those of these pages that the worker holds, and that were not taken down."""
    held: set[int] = set()
    for batch in batches(sorted(ids)):
        rows = connection.execute(_HELD, {"ids": batch, "owner": owner})
        held |= {row.id for row in rows if row.reason != TAKEN_DOWN}
    return held


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
) -> list[StoredVersion]:
    homes = find_homes(connection, run, now)
    touched = [{finding.page.id, homes[finding.page.id]} for finding in run]
    if len(run) > 1 and sum(map(len, touched)) > len(set().union(*touched)):
        # Some lead to one page after all, by an address that is an alias by now.
        return [put for finding in run for put in _save_run(connection, [finding], owner, now, policy)]
    puts = put_versions(connection, [_version(finding, homes[finding.page.id], now) for finding in run], now)
    updates: list[tuple[Page, PageUpdate, datetime]] = []
    for finding, put in zip(run, puts, strict=True):
        page, seen_at = finding.page, put.version.seen_at
        first_seen_at = put.stored["first_seen_at"] if put.stored else seen_at
        update = after_article(put.decision, finding.fetched, put.published_at, first_seen_at, now, policy)
        if put.version.home == page.id:
            updates.append((page, update, seen_at))
        else:
            record_alias(connection, page, owner, put.version.home, update, seen_at)
    record_pages(connection, owner, updates)
    return puts


def _version(finding: Finding, home: int, now: datetime) -> ArticleVersion:
    page, seen_at = finding.page, finding.fetched.at or now
    return ArticleVersion(home, finding.article, seen_at, finding.cause, page.published_at, page.published_from)


def _finish(connection: Connection, puts: Sequence[StoredVersion], now: datetime) -> None:
    """Count blocks and find stories: the last that a transaction does, since all others wait to do it then."""
    counted = [
        CountedArticle(
            put.id, put.version.article.site, put.version.article.blocks, put.published_at or put.version.seen_at
        )
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
    """Store what our rules make of a archived response now: a revision that it opens is ours, not the publisher's.

    The transaction holds the page of the article and does nothing after this. ``page``, which the copy is of, is
    ``home`` or an alias of it; since ``fetched_at`` at least it has said so.
    """
    version = ArticleVersion(home, article, now, "reclean", page.published_at, page.published_from, read_at=fetched_at)
    return _put_one(connection, version, now).decision


def insert_article(connection: Connection, page_id: int, article: Article, now: datetime) -> Decision | None:
    """Store the first article of a page that no worker holds; None where it has one."""
    if connection.scalar(sa.select(ArticleRow.id).where(ArticleRow.page_id == page_id)) is not None:
        return None
    return _put_one(connection, ArticleVersion(page_id, article, now), now).decision


def _put_one(connection: Connection, version: ArticleVersion, now: datetime) -> StoredVersion:
    lock_texts(connection, [version.article.content_hash])
    (put,) = put_versions(connection, [version], now)
    _finish(connection, [put], now)
    return put
