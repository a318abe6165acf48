"""The page that an article belongs to, where it was read at another of its addresses."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.model import Page
from pipeline.schedule.pages import PageUpdate
from pipeline.store.articles.version_values import Finding
from pipeline.store.connection.rows import batches, core, ensure_hosts, insert_into
from pipeline.store.frontier.page_outcomes import record_page
from pipeline.store.schema.tables import PageRow
from pipeline.urls import MAX_URL_LENGTH, host_of


def find_homes(connection: Connection, findings: Sequence[Finding], now: datetime) -> dict[int, int]:
    """The id of the page that each article belongs to, by that of the page that it was read from."""
    homes = {finding.page.id: finding.page.id for finding in findings}
    elsewhere: dict[str, Finding] = {}
    for finding in findings:
        page, url = finding.page, finding.article.url
        if url != page.url and not page.stored and len(url) <= MAX_URL_LENGTH:  # an article that is stored never moves
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


def record_alias(connection: Connection, page: Page, owner: str, home: int, update: PageUpdate, now: datetime) -> None:
    """Make the page an alias of the page that its article belongs to, and note there what became of it."""
    """Make the page an alias of the page that its article belongs to, and note there what became of it."""
    pages = sa.update(core(PageRow))
    connection.execute(
        pages.where(PageRow.id == home).values(
            state="stored",
            outcome=update.outcome,
            reason=update.reason,
            detail=update.detail,
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
