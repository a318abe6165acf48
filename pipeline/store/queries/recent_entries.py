"""How many entries feeds brought on each of the last days, for the small plots beside them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.store.schema.tables import PollRow

DAYS: Final = 14


def count_recent_entries(connection: Connection, feed_ids: Sequence[int], now: datetime) -> dict[int, list[int]]:
    """New entries of these feeds by day, the oldest of `DAYS` days up to now first."""
    begin = now - timedelta(days=DAYS)
    counts = {feed_id: [0] * DAYS for feed_id in feed_ids}
    rows = connection.execute(
        sa.select(PollRow.feed_id, PollRow.polled_at, PollRow.entries_new).where(
            PollRow.feed_id.in_(feed_ids), PollRow.polled_at > begin, PollRow.entries_new > 0
        )
    )
    for feed_id, at, entries in rows:
        counts[feed_id][min(int((at - begin) / timedelta(days=1)), DAYS - 1)] += entries
    return counts
