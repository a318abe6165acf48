"""Pages that come whole, from a file: put into the ledger and stored in one transaction, without ever being queued."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.model import Address, Article, Fetched, Page, Validators
from pipeline.schedule import PagePolicy, PageUpdate
from pipeline.store.articles import save_article
from pipeline.store.barred import TAKEN_DOWN
from pipeline.store.frontier import put, record_page
from pipeline.store.rows import batches
from pipeline.tables import PageRow

HAD = ("stored", "alias")
"""States of a page that need no copy."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A page of a file that was read.

    Attributes:
        had_at: when it was captured.
        found: its article with what the ledger keeps of the answer, or what becomes of the page without one.
    """

    address: Address
    had_at: datetime
    found: tuple[Article, Fetched] | PageUpdate


def urls_had(connection: Connection, urls: Sequence[str]) -> set[str]:
    """Those of the URLs that lead to an article that is stored."""
    found: set[str] = set()
    for batch in batches(sorted(set(urls))):
        query = sa.select(PageRow.url).where(PageRow.url.in_(batch), PageRow.state.in_(HAD))
        found |= set(connection.scalars(query))
    return found


def take_in(
    connection: Connection, pages: Sequence[Taken], owner: str, now: datetime, policy: PagePolicy
) -> list[tuple[str, str]]:
    """Store pages that were read from a file; returns what became of each: URL and outcome.

    ``known`` is a page whose article was stored before, ``new``, ``duplicate`` and so on are those of live pages.
    A worker that is just fetching one of them will find that its claim is lost: the page has been had.
    """
    ids, _ = put(connection, [page.address for page in pages], now, now)
    rows: dict[str, sa.RowMapping] = {}
    for batch in batches(sorted(ids.values())):
        query = sa.select(
            PageRow.id,
            PageRow.url,
            PageRow.host,
            PageRow.state,
            PageRow.reason,
            PageRow.published_at,
            PageRow.published_from,
        ).where(PageRow.id.in_(batch))
        # In order of their ids: two workers that lock the same pages in another order would lock each other out.
        locked = query.order_by(PageRow.id).with_for_update()
        rows |= {row["url"]: row for row in connection.execute(locked).mappings()}
    wanted = [row["id"] for row in rows.values() if row["state"] not in HAD and row["reason"] != TAKEN_DOWN]
    for batch in batches(wanted):
        held = {"lease_owner": owner, "leased_until": now, "fetch_url": None}
        connection.execute(sa.update(PageRow).where(PageRow.id.in_(batch)).values(held))
    outcomes: list[tuple[str, str]] = []
    seen: set[str] = set()  # the pages of this batch, and those that they turned out to be other addresses of
    passed: list[int] = []
    for page in pages:
        row = rows.get(page.address.url)
        if row is None:
            outcomes.append((page.address.url, "unusable"))
        elif row["reason"] == TAKEN_DOWN:
            outcomes.append((page.address.url, "blocked"))
        elif row["state"] in HAD or page.address.url in seen:
            outcomes.append((page.address.url, "known"))
            passed.append(row["id"])
        else:
            outcome, home = _take(connection, page, row, owner, now, policy)
            seen |= {page.address.url, home}
            outcomes.append((page.address.url, outcome))
    for batch in batches(passed):
        mine = PageRow.id.in_(batch), PageRow.lease_owner == owner
        connection.execute(sa.update(PageRow).where(*mine).values(lease_owner=None, leased_until=None))
    return outcomes


def _take(
    connection: Connection, taken: Taken, row: sa.RowMapping, owner: str, now: datetime, policy: PagePolicy
) -> tuple[str, str]:
    """What became of the page, and the URL that its article belongs to."""
    announced = row["published_at"] is not None
    page = Page(
        id=row["id"],
        url=row["url"],
        host=row["host"],
        validators=Validators(),
        attempts=1,
        published_at=row["published_at"] if announced else taken.address.published_at,
        published_from=row["published_from"] if announced else taken.address.published_from,
    )
    if isinstance(taken.found, PageUpdate):
        record_page(connection, page, owner, taken.found, taken.had_at)
        return taken.found.outcome, page.url
    article, fetched = taken.found
    saved = save_article(connection, page, owner, article, fetched, now, policy)
    return saved.decision or "lost", saved.url
