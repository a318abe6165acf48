"""Pages and feeds that a redirect leads to another host: they wait there, and are asked for under that host's lease.

The row stays what it is, one page or feed with its own URL; only its ``host``, the server that is asked next, becomes
that of the route. Whatever the attempt comes to, it ends on the row, and the next one begins at its own URL again.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.model import ChainCookie, Feed, Page, Route
from pipeline.store.connection.rows import ensure_hosts
from pipeline.store.schema.tables import FeedRow, PageRow
from pipeline.urls import host_of


def route_of(stored: dict[str, Any] | None) -> Route | None:
    """The route of a row."""
    if not stored:
        return None
    cookies = tuple(ChainCookie(**cookie) for cookie in stored.get("cookies", ()))
    return Route(stored["url"], tuple((url, status) for url, status in stored["hops"]), cookies)


def send_page_on(connection: Connection, page: Page, owner: str, route: Route, now: datetime) -> bool:
    """Let a page wait at the host that its redirect leads to, due as before; False when the claim was lost.

    The claim is not counted as an attempt: the one at the other host is.

    Raises ValueError: the route leads to no host.
    """
    url, status = route.hops[-1]
    done = connection.execute(
        sa.update(PageRow)
        .where(PageRow.id == page.id, PageRow.lease_owner == owner)
        .values(
            _leading(connection, route, now)
            | {
                "attempts": sa.case((PageRow.attempts > 0, PageRow.attempts - 1), else_=0),
                "outcome": "redirected",
                "reason": "redirect",
                "detail": f"{status} from {url} to {route.url}, which is asked next",
                "fetched_at": now,
            }
        )
    )
    return done.rowcount == 1


def send_feed_on(connection: Connection, feed: Feed, owner: str, route: Route, now: datetime) -> bool:
    """Let a feed wait at the host that its redirect leads to, due as before; False when the claim was lost.

    Raises ValueError: the route leads to no host.
    """
    done = connection.execute(
        sa.update(FeedRow)
        .where(FeedRow.id == feed.id, FeedRow.lease_owner == owner)
        .values(_leading(connection, route, now))
    )
    return done.rowcount == 1


def find_strayed_pages(connection: Connection, *where: sa.ColumnElement[bool]) -> list[tuple[int, str]]:
    """Pages that wait at another host than their own, with their own."""
    rows = connection.execute(
        sa.select(PageRow.id, PageRow.url, PageRow.fetch_url).where(PageRow.route.is_not(None), *where)
    )
    return [(row.id, host_of(row.fetch_url or row.url)) for row in rows]


def send_pages_home(connection: Connection, pages: Sequence[tuple[int, str]]) -> None:
    """Begin at their own URLs again with these."""
    for page_id, host in pages:
        connection.execute(sa.update(PageRow).where(PageRow.id == page_id).values(host=host, route=None))


def _leading(connection: Connection, route: Route, now: datetime) -> dict[str, object]:
    host = host_of(route.url)
    ensure_hosts(connection, [host], now)
    stored: dict[str, object] = {"url": route.url, "hops": [[url, status] for url, status in route.hops]}
    if route.cookies:
        stored["cookies"] = [asdict(cookie) for cookie in route.cookies]
    return {"host": host, "route": stored, "leased_until": None, "lease_owner": None}
