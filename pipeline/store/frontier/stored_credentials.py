"""What the user gave to ask feeds and pages with, as it stands in SQL: in clear, since it has to be sent."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.http.credentials import CredentialsChange, change_credentials, is_sent_to
from pipeline.model import FeedAccess, Page
from pipeline.store.schema.tables import EntryRow, FeedRow

_COLUMNS = (
    FeedRow.access_origin,
    FeedRow.access_pages,
    FeedRow.headers,
    FeedRow.cookies,
    FeedRow.user_agent,
    FeedRow.auth,
)


def read_credentials(row: sa.RowMapping) -> FeedAccess | None:
    """What a row of the table ``feed`` says of it."""
    if row["access_origin"] is None:
        return None
    return FeedAccess(
        origin=row["access_origin"],
        headers=row["headers"],
        cookies=row["cookies"],
        user_agent=row["user_agent"],
        auth=row["auth"],
        pages=row["access_pages"],
    )


def store_credentials(
    connection: Connection, feed_id: int, change: CredentialsChange, now: datetime
) -> FeedAccess | None:
    """Change what a feed is asked with; it is due at once, and read again: another reader may be shown other entries.

    Raises ConfigError: it cannot be sent.
    """
    row = connection.execute(sa.select(FeedRow.url, *_COLUMNS).where(FeedRow.id == feed_id)).mappings().one()
    after = change_credentials(read_credentials(row), change, row["url"])
    connection.execute(
        sa.update(FeedRow)
        .where(FeedRow.id == feed_id)
        .values(
            access_origin=after.origin if after else None,
            access_pages=after.pages if after else False,
            headers=dict(after.headers) if after else {},
            cookies=dict(after.cookies) if after else {},
            user_agent=after.user_agent if after else None,
            auth=after.auth if after else None,
            etag=None,
            last_modified=None,
            next_poll_at=now,
        )
    )
    return after


def load_page_credentials(connection: Connection, host: str, pages: Sequence[Page]) -> dict[int, FeedAccess]:
    """What to ask for pages of this host with, by their ids: of a feed of the same origin that says so.

    Of several, of the one that announced the page, else of the one that was subscribed to first.
    """
    feeds = {row["id"]: row for row in connection.execute(_SHARING, {"host": host}).mappings()}
    if not feeds:  # nearly always
        return {}
    query = sa.select(EntryRow.page_id, EntryRow.feed_id).where(EntryRow.feed_id.in_(feeds))
    pairs = connection.execute(query.where(EntryRow.page_id.in_([page.id for page in pages]))).all()
    announced = {(page_id, feed_id) for page_id, feed_id in pairs}
    credentials: dict[int, FeedAccess] = {}
    for page in pages:
        order = sorted(((page.id, feed_id) not in announced, feed_id) for feed_id in feeds)
        accesses = (read_credentials(feeds[feed_id]) for _, feed_id in order)
        access = next((access for access in accesses if is_sent_to(access, page.address)), None)
        if access is not None:
            credentials[page.id] = access
    return credentials


_SHARING = sa.select(FeedRow.id, *_COLUMNS).where(
    FeedRow.host == sa.bindparam("host"), FeedRow.access_pages, FeedRow.state != "moved"
)
