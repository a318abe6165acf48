"""Pages that come whole, from a file: put into the ledger and stored in one transaction, without ever being queued."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.model import Address, Article, Fetched, Page, Validators
from pipeline.schedule.pages import PagePolicy, PageUpdate
from pipeline.store.articles.saving import save_articles
from pipeline.store.articles.version_values import Finding
from pipeline.store.connection.rows import batches, core, select_among
from pipeline.store.frontier.aliases import was_announced
from pipeline.store.frontier.barred import TAKEN_DOWN
from pipeline.store.frontier.discovery import put_addresses
from pipeline.store.frontier.page_outcomes import record_pages
from pipeline.store.schema.tables import PageRow

HAD = ("stored", "alias")
"""States of a page that need no copy."""


@dataclass(frozen=True, slots=True)
class CapturedPage:
    """A page of a file that was read.

    Attributes:
        had_at: when it was captured.
        found: its article with what the ledger keeps of the answer, or what becomes of the page without one.
    """

    address: Address
    had_at: datetime
    found: tuple[Article, Fetched] | PageUpdate


def find_archived_urls(connection: Connection, urls: Sequence[str]) -> set[str]:
    """Those of the URLs that lead to an article that is stored."""
    query = sa.select(PageRow.url).where(PageRow.state.in_(HAD))
    return {row.url for row in select_among(connection, query, PageRow.url, urls)}


def find_announced_urls(connection: Connection, urls: Sequence[str]) -> set[str]:
    """Those of the URLs that feeds or news sitemaps announced, or an alias of theirs."""
    return {
        row.url for row in select_among(connection, sa.select(PageRow.url).where(was_announced()), PageRow.url, urls)
    }


_ROWS = (
    sa.select(
        PageRow.id,
        PageRow.url,
        PageRow.host,
        PageRow.state,
        PageRow.reason,
        PageRow.published_at,
        PageRow.published_from,
    )
    .where(PageRow.id.in_(sa.bindparam("ids", expanding=True)))
    # In order of their ids: two workers that lock the same pages in another order would lock each other out.
    .order_by(PageRow.id)
    .with_for_update()
)
_BY_ID = sa.update(core(PageRow)).where(PageRow.id.in_(sa.bindparam("ids", expanding=True)))
_HOLD = _BY_ID.values(lease_owner=sa.bindparam("owner"), leased_until=sa.bindparam("until"), fetch_url=None)
_PASS = _BY_ID.where(PageRow.lease_owner == sa.bindparam("owner")).values(lease_owner=None, leased_until=None)


def store_captured_pages(
    connection: Connection, pages: Sequence[CapturedPage], owner: str, now: datetime, policy: PagePolicy
) -> list[tuple[str, str]]:
    """Store pages that were read from a file; returns what became of each: URL and outcome.

    ``known`` is a page whose article was stored before, ``new``, ``duplicate`` and so on are those of live pages.
    A worker that is just fetching one of them will find that its claim is lost: the page has been had.
    """
    rows = _hold(connection, pages, owner, now)
    outcomes: list[tuple[str, str]] = []
    seen: set[str] = set()  # the pages of this batch, and those that they turned out to be other addresses of
    passed: list[int] = []
    updates: list[tuple[Page, PageUpdate, datetime]] = []
    findings: dict[int, Finding] = {}
    for index, taken in enumerate(pages):
        url = taken.address.url
        row, outcome = rows.get(url), "lost"
        if row is None:
            outcome = "unusable"
        elif row["reason"] == TAKEN_DOWN:
            outcome = "blocked"
        elif row["state"] in HAD or url in seen:
            outcome = "known"
            passed.append(row["id"])
        elif isinstance(taken.found, PageUpdate):
            outcome = taken.found.outcome
            updates.append((_page(taken, row), taken.found, taken.had_at))
            seen.add(url)
        else:
            findings[index] = Finding(_page(taken, row), *taken.found)
            seen |= {url, taken.found[0].url}
        outcomes.append((url, outcome))
    record_pages(connection, owner, updates)
    saved = save_articles(connection, list(findings.values()), owner, now, policy)
    for index, article in zip(findings, saved, strict=True):
        outcomes[index] = outcomes[index][0], article.decision or "lost"
    for batch in batches(passed):
        connection.execute(_PASS, {"ids": batch, "owner": owner})
    return outcomes


def _hold(connection: Connection, pages: Sequence[CapturedPage], owner: str, now: datetime) -> dict[str, sa.RowMapping]:
    """The rows of the pages by URL, those that are to be stored held by this worker."""
    ids, _ = put_addresses(connection, [page.address for page in pages], now, now)
    rows: dict[str, sa.RowMapping] = {}
    for batch in batches(sorted(ids.values())):
        rows |= {row["url"]: row for row in connection.execute(_ROWS, {"ids": batch}).mappings()}
    wanted = [row["id"] for row in rows.values() if row["state"] not in HAD and row["reason"] != TAKEN_DOWN]
    for batch in batches(wanted):
        connection.execute(_HOLD, {"ids": batch, "owner": owner, "until": now})
    return rows


def _page(taken: CapturedPage, row: sa.RowMapping) -> Page:
    announced = row["published_at"] is not None
    return Page(
        id=row["id"],
        url=row["url"],
        host=row["host"],
        validators=Validators(),
        attempts=1,
        published_at=row["published_at"] if announced else taken.address.published_at,
        published_from=row["published_from"] if announced else taken.address.published_from,
    )
