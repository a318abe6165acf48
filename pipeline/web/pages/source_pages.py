"""Sources: what each brought on a day beside what was to be expected, and one source day by day."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy.engine import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.store.queries.known_lists import SOURCES
from pipeline.store.queries.volume import find_last_day
from pipeline.web.drawing import draw_bars
from pipeline.web.row_lists import answer_list
from pipeline.web.web_context import get_context

SHOWN: Final = timedelta(days=49)
"""Days of one source, where nobody says from when on."""

FALLEN: Final = -0.5
"""Deviation from which on a source is marked: half of what was to be expected is missing."""


def list_sources(request: Request) -> Response:
    """All sources on a day, the archive's newest by default; or the days of one source, the newest first."""

    def more(_: Connection, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        values = [row["stored"] for row in reversed(rows)] if request.query_params.get("source") else []
        return {"plot": draw_bars(values, f"Articles a day: {', '.join(map(str, values))}", height=60, width=8)}

    with get_context(request).reading() as connection:
        day = find_last_day(connection) or get_context(request).clock().date()
    given = [name for name in ("day", "since", "until") if request.query_params.get(name, "").strip()]
    if request.query_params.get("source", "").strip():
        assumed = {} if given else {"since": (day - SHOWN).isoformat()}
    else:
        assumed = {} if given else {"day": day.isoformat()}
    return answer_list(request, SOURCES, "sources.html", assumed=assumed, more=more, fallen=FALLEN)


ROUTES = (Route("/sources", list_sources),)
