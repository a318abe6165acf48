"""Pages of a backfill whose answer is kept, and of which nothing was made: whoever fetched them was killed."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.store.frontier import free
from pipeline.tables import PageRow, RawRow


def kept_unread(connection: Connection, job_id: int, now: datetime, limit: int) -> list[dict[str, Any]]:
    """Pages of the job that wait although a good answer was kept since they were last recorded, and where it is."""
    page = (PageRow.id.label("page_id"), PageRow.url.label("page_url"), PageRow.host, PageRow.attempts)
    dates = (PageRow.published_at, PageRow.published_from, PageRow.fetch_url)
    copy = (RawRow.file, RawRow.file_offset, RawRow.file_length, RawRow.record_id)
    query = (
        sa.select(*page, *dates, *copy)
        .join(RawRow, RawRow.page_id == PageRow.id)
        .where(
            PageRow.backfill_id == job_id,
            PageRow.next_fetch_at.is_not(None),
            PageRow.attempts > 0,
            free(PageRow, now),
            RawRow.status == 200,
            RawRow.refers_to.is_(None),
            ~RawRow.dropped,
            sa.or_(PageRow.fetched_at.is_(None), RawRow.fetched_at > PageRow.fetched_at),
            RawRow.fetched_at >= PageRow.discovered_at,  # not a copy of times before, which an archive was found with
        )
        .order_by(RawRow.id)
        .limit(limit)
    )
    latest = {row["page_id"]: dict(row) for row in connection.execute(query).mappings()}
    return list(latest.values())


def claim_kept(connection: Connection, page_id: int, owner: str, now: datetime, lease: timedelta) -> bool:
    """Claim a page that is still waiting; False where another worker has it. It counts as the attempt that it was."""
    done = connection.execute(
        sa.update(PageRow)
        .where(PageRow.id == page_id, PageRow.state == "queued", free(PageRow, now))
        .values(leased_until=now + lease, lease_owner=owner)
    )
    return done.rowcount == 1
