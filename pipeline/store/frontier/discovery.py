"""Pages put into the frontier by feeds and backfills."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.model import Address
from pipeline.store.connection.rows import batches, core, ensure_hosts, insert_into, storable, upsert
from pipeline.store.frontier.barred import BARRED_PAGE, barred_urls, is_open
from pipeline.store.schema.tables import PageRow
from pipeline.urls import MAX_URL_LENGTH, host_of


def bring_forward(connection: Connection, page_ids: Sequence[int]) -> None:
    """Take pages that a feed announces out of the queue of a backfill: they are today's."""
    for batch in batches(sorted(set(page_ids))):
        connection.execute(_BRING_FORWARD, {"ids": batch})


def put_addresses(
    connection: Connection, addresses: Iterable[Address], now: datetime, due_at: datetime, backfill: int | None = None
) -> tuple[dict[str, int], set[str]]:
    """Put pages into the frontier, in the queue of a backfill where one is given.

    Returns the ids of all, also of those there already, and the URLs of those that are new. A URL that cannot be stored
    has no id: it is longer than `pipeline.urls.MAX_URL_LENGTH`, or has characters that no database takes.
    """
    rows = {address.url: page_row(address, now, due_at) | {"backfill_id": backfill} for address in addresses}
    return put_pages(connection, rows)


def page_row(address: Address, now: datetime, due_at: datetime) -> dict[str, Any]:
    """The row of a page that waits for its first fetch."""
    return {
        "url": address.url,
        "host": host_of(address.fetch_url or address.url),
        "state": "queued",
        "attempts": 0,
        "next_fetch_at": due_at,
        "published_at": address.published_at,
        "published_from": address.published_from if address.published_at else None,
        "discovered_at": now,
        "backfill_id": None,
        "fetch_url": storable(address.fetch_url),
    }


def put_pages(connection: Connection, rows: Mapping[str, dict[str, Any]]) -> tuple[dict[str, int], set[str]]:
    """Put pages into the frontier, by their URLs; returns what `put_addresses` does."""
    urls = sorted(url for url in rows if len(url) <= MAX_URL_LENGTH and storable(url) == url)
    if not urls:
        return {}, set()
    hosts = {rows[url]["host"] for url in urls} | {host_of(url) for url in urls}
    ensure_hosts(connection, hosts, min(rows[url]["discovered_at"] for url in urls))
    barred = barred_urls(connection, urls)
    ids: dict[str, int] = {}
    for batch in batches([url for url in urls if url not in barred]):
        ids |= dict(connection.execute(_put(connection.dialect.name), [rows[url] for url in batch]).all())
    new = set(ids)
    for url in sorted(barred):  # the ledger says why there is no article
        page = {"url": url, "host": host_of(url), "attempts": 0, "discovered_at": rows[url]["discovered_at"]}
        connection.execute(upsert(connection, PageRow).values(page | BARRED_PAGE).on_conflict_do_nothing())
    for batch in batches([url for url in urls if url not in new]):
        ids |= dict(connection.execute(_IDS, {"urls": batch}).all())
    return ids, new


@cache
def _put(dialect: str) -> Any:  # noqa: ANN401  # either dialect's Insert
    return insert_into(dialect, PageRow).on_conflict_do_nothing().returning(PageRow.url, PageRow.id)


_IDS = sa.select(PageRow.url, PageRow.id).where(PageRow.url.in_(sa.bindparam("urls", expanding=True)))
_BRING_FORWARD = (
    sa.update(core(PageRow))
    .where(PageRow.id.in_(sa.bindparam("ids", expanding=True)))
    .where(PageRow.backfill_id.is_not(None), PageRow.fetch_url.is_(None))
    .values(backfill_id=None)
)


def requeue_pages(connection: Connection, page_ids: Sequence[int], due_at: datetime) -> None:
    """Make pages due again since a feed announced a change; what leads elsewhere makes its target due."""
    for batch in batches(sorted(set(page_ids))):
        targets = sa.select(sa.func.coalesce(PageRow.alias_of, PageRow.id)).where(PageRow.id.in_(batch))
        connection.execute(
            sa.update(PageRow)
            .where(PageRow.id.in_(targets.scalar_subquery()), PageRow.state != "queued", is_open())
            .values(next_fetch_at=due_at, attempts=0)
        )
