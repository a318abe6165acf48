"""Feeds: the list with how they do, one feed with its polls and entries, and the list as OPML."""

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup
from sqlalchemy.engine import Connection
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.parse.opml import write_opml
from pipeline.store.feeds.feed_addresses import list_former_addresses
from pipeline.store.feeds.subscriptions import load_subscriptions
from pipeline.store.queries.known_lists import ENTRIES, FEEDS, POLLS
from pipeline.store.queries.recent_entries import DAYS, count_recent_entries
from pipeline.store.queries.view_lists import load_rows
from pipeline.store.schema.tables import FEED_STATES
from pipeline.web.drawing import draw_bars
from pipeline.web.rendering import render
from pipeline.web.row_lists import answer_list
from pipeline.web.web_context import get_context


def list_feeds_page(request: Request) -> Response:
    """The feeds, each with a plot of what it brought."""

    def more(connection: Connection, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        counts = count_recent_entries(connection, [row["feed_id"] for row in rows], get_context(request).clock())
        return {"plots": {feed_id: _plot(values) for feed_id, values in counts.items()}}

    return answer_list(request, FEEDS, "feeds.html", more=more, states=FEED_STATES)


def _plot(values: list[int]) -> Markup:
    label = f"New entries on each of the last {DAYS} days: {', '.join(map(str, values))}"
    return draw_bars(values, label, height=20, width=4)


def show_feed(request: Request) -> Response:
    """One feed: how it does, its last polls and entries, its former addresses."""
    feed_id = request.path_params["feed_id"]
    with get_context(request).reading() as connection:
        feeds = load_rows(connection, FEEDS, {"feed": str(feed_id)}, 1).rows if feed_id < 2**63 else []
        if not feeds:
            raise HTTPException(404)
        given = {"feed": str(feed_id)}
        return render(
            request,
            "feed.html",
            feed=feeds[0],
            polls=load_rows(connection, POLLS, given, 20).rows,
            entries=load_rows(connection, ENTRIES, given, 20).rows,
            former=list_former_addresses(connection, feed_id),
            plot=_plot(count_recent_entries(connection, [feed_id], get_context(request).clock())[feed_id]),
        )


def list_polls_page(request: Request) -> Response:
    """The log of polls, of all feeds or one."""
    return answer_list(request, POLLS, "rows.html", title="Polls")


def list_entries_page(request: Request) -> Response:
    """What feeds announced, all or one."""
    return answer_list(request, ENTRIES, "rows.html", title="Entries")


def export_opml(request: Request) -> Response:
    """All subscriptions as OPML, which other readers take in; without passwords."""
    with get_context(request).reading() as connection:
        document = write_opml(load_subscriptions(connection))
    headers = {"Content-Disposition": 'attachment; filename="feeds.opml"'}
    return Response(document, media_type="text/x-opml", headers=headers)


ROUTES = (
    Route("/feeds", list_feeds_page),
    Route("/feeds.opml", export_opml),
    Route("/feeds/{feed_id:int}", show_feed),
    Route("/polls", list_polls_page),
    Route("/entries", list_entries_page),
)
