"""What the user gave to ask feeds and pages with, as it stands in SQL: in clear, since it has to be sent."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.access import AccessChange, changed, is_for
from pipeline.model import FeedAccess
from pipeline.tables import EntryRow, FeedRow

_COLUMNS = (
    FeedRow.access_origin,
    FeedRow.access_pages,
    FeedRow.headers,
    FeedRow.cookies,
    FeedRow.user_agent,
    FeedRow.auth,
)


def read_access(row: sa.RowMapping) -> FeedAccess | None:
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


def change_access(connection: Connection, feed_id: int, change: AccessChange, now: datetime) -> FeedAccess | None:
    """Change what a feed is asked with; it is due at once, and read anew: another reader may be shown other entries.

    Raises:
        ConfigError: it cannot be sent.
    """
    row = connection.execute(sa.select(FeedRow.url, *_COLUMNS).where(FeedRow.id == feed_id)).mappings().one()
    after = changed(read_access(row), change, row["url"])
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


def access_of_page(connection: Connection, page_id: int, host: str, url: str) -> FeedAccess | None:
    """What to ask for a page of this host with: of a feed of the same origin that says so.

    Of several, of the one that announced the page, else of the one that was subscribed to first.
    """
    announced = sa.exists().where(EntryRow.feed_id == FeedRow.id, EntryRow.page_id == page_id)
    rows = connection.execute(
        sa.select(*_COLUMNS)
        .where(FeedRow.host == host, FeedRow.access_pages, FeedRow.state != "moved")
        .order_by(announced.desc(), FeedRow.id)
    ).mappings()
    return next((access for row in rows if is_for(access := read_access(row), url)), None)
