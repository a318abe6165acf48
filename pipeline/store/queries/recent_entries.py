"""How many entries feeds brought on each of the last days, for the small plots beside them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.store.queries.report_data import cut_time
from pipeline.store.schema.tables import PollRow

DAYS: Final = 14


def count_recent_entries(connection: Connection, feed_ids: Sequence[int], now: datetime) -> dict[int, list[int]]:
    """New entries of these feeds on each of the last `DAYS` days (UTC), the oldest first and that of ``now`` last."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [today - timedelta(days=DAYS - 1 - number) for number in range(DAYS)]
    day = cut_time(connection, PollRow.__table__.c.polled_at, 10)
    rows = connection.execute(
        sa.select(PollRow.feed_id, day, sa.func.sum(PollRow.entries_new))
        .where(PollRow.feed_id.in_(feed_ids), PollRow.polled_at >= days[0], PollRow.polled_at < today + timedelta(1))
        .group_by(PollRow.feed_id, day)
    )
    counts = {(row[0], row[1]): int(row[2]) for row in rows}
    return {feed_id: [counts.get((feed_id, f"{one:%Y-%m-%d}"), 0) for one in days] for feed_id in feed_ids}
