"""What feeds brought on each of the last days: by UTC days, of the feeds that are asked for alone."""

from datetime import UTC, datetime, timedelta, timezone

import sqlalchemy as sa

from pipeline.store.connection.engine import reading
from pipeline.store.queries.recent_entries import DAYS, count_recent_entries
from pipeline.store.schema.tables import PollRow
from tests.support.archive import Archive, entry

MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def test_entries_are_counted_by_their_days(engine):
    archive = Archive(engine)
    for feed in ("https://a.example/feed", "https://b.example/feed", "https://c.example/feed"):
        archive.poll(entry(), url=feed, now=MIDNIGHT - 99 * DAY)
    brought = [
        *((1, MIDNIGHT - DAYS * DAY + DAY - SECOND, 100), (1, MIDNIGHT - DAYS * DAY + DAY, 1)),
        *((1, MIDNIGHT - SECOND, 2), (1, MIDNIGHT - 2 * SECOND, 3), (1, MIDNIGHT, 4), (1, MIDNIGHT + DAY, 100)),
        *((2, MIDNIGHT - 3 * DAY, 7), (3, MIDNIGHT, 9)),
    ]
    with engine.begin() as connection:
        for feed_id, at, entries in brought:
            poll = {"feed_id": feed_id, "polled_at": at, "outcome": "read", "entries_new": entries}
            connection.execute(sa.insert(PollRow).values(poll))
    now = (MIDNIGHT + 5 * SECOND).astimezone(timezone(timedelta(hours=-8)))
    with reading(engine) as connection:
        counts = count_recent_entries(connection, [1, 2], now)
    assert counts == {1: [1, *[0] * (DAYS - 3), 5, 4], 2: [*[0] * (DAYS - 4), 7, 0, 0, 0]}
