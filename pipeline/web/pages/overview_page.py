"""The first page: what came, how late, what waits, what fails."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.store.queries.web_overview import HOURS, MOST, load_overview
from pipeline.web.drawing import draw_bars
from pipeline.web.rendering import render
from pipeline.web.web_context import get_context


def show_overview(request: Request) -> Response:
    """The page of the whole archive."""
    with get_context(request).reading() as connection:
        facts = load_overview(connection, get_context(request).clock())
    plot = draw_bars(
        facts["hours"], f"Articles in each of the last {HOURS} hours, the oldest first", height=80, width=10
    )
    return render(request, "overview.html", facts=facts, plot=plot, hours=HOURS, most=MOST)


ROUTES = (Route("/", show_overview),)
