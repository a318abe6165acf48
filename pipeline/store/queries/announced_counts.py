"""What the archive holds of what its sources announced."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.model import Address
from pipeline.periods import Period
from pipeline.store.connection.rows import batches, select_among
from pipeline.store.frontier.discovery import put_addresses
from pipeline.store.frontier.leases import is_free
from pipeline.store.schema.tables import EntryRow, FeedRow, PageRow
from pipeline.urls import is_on_site

STANDS = {
    "stored": "held",
    "alias": "held",
    "rejected": "no_article",
    "queued": "waiting",
    "failed": "failed",
    "blocked": "failed",
    "gone": "held",
}
"""What the state of a page means for who asks whether it was had; an article whose page has gone is held."""

HOLES = ("missing", "failed")


def load_stands(connection: Connection, urls: Sequence[str]) -> dict[str, str]:
    """How each URL stands: ``held``, ``no_article``, ``waiting``, ``failed`` or ``missing``."""
    rows = select_among(connection, sa.select(PageRow.url, PageRow.state), PageRow.url, urls)
    return dict.fromkeys(urls, "missing") | {row.url: STANDS[row.state] for row in rows}


def list_announced(
    connection: Connection, period: Period, site: str | None
) -> Iterator[tuple[str, datetime | None, str, str]]:
    """What the feeds announced of the period: feed, time of publication, URL, and how the page stands.

    An entry without a date counts as published when it was first seen.
    """
    published_at = sa.func.coalesce(EntryRow.published_at, EntryRow.first_seen_at, type_=EntryRow.first_seen_at.type)
    where = [published_at >= period.since] if period.since is not None else []
    where += [published_at < period.until] if period.until is not None else []
    query = (
        sa.select(FeedRow.url.label("feed"), published_at.label("at"), PageRow.url, PageRow.state)
        .join(FeedRow, FeedRow.id == EntryRow.feed_id)
        .join(PageRow, PageRow.id == EntryRow.page_id)
        .where(*where)
        .order_by(FeedRow.url, EntryRow.id)
        .execution_options(yield_per=2000)
    )
    for row in connection.execute(query):
        if site is None or is_on_site(row.url, site) or is_on_site(row.feed, site):
            yield row.feed, row.at, row.url, STANDS[row.state]


def queue_holes(connection: Connection, holes: Iterable[Address], now: datetime, job_id: int) -> int:
    """Put pages into the queue of a job, those that failed with all their attempts before them; returns how many."""
    addresses = list(holes)
    ids, _ = put_addresses(connection, addresses, now, now, job_id)
    queued = 0
    for batch in batches(sorted(ids.values())):
        again = PageRow.id.in_(batch), PageRow.state.in_(("failed", "blocked")), is_free(PageRow, now)
        values = {"state": "queued", "attempts": 0, "next_fetch_at": now, "backfill_id": job_id}
        connection.execute(sa.update(PageRow).where(*again).values(values))
        mine = PageRow.id.in_(batch), PageRow.backfill_id == job_id
        queued += connection.scalar(sa.select(sa.func.count()).select_from(PageRow).where(*mine)) or 0
    return queued
