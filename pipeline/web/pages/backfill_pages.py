"""Backfills: what was asked for, how far each is, and what went wrong with its units."""

from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.store.backfill.jobs import (
    list_failed_units,
    list_job_summaries,
    load_job,
    load_job_progress,
    select_failed_units,
)
from pipeline.store.queries.known_lists import BACKFILLS
from pipeline.web.rendering import render
from pipeline.web.row_lists import answer_rows, answer_sql, cut_page, format_links, read_limit
from pipeline.web.web_context import get_context

NAMES: Final = ("id", "source", "targets", "since", "until", "created_at", "finished_at", "units", "waiting")

MOST: Final = 10_000
"""Waiting pages that are counted of one backfill; more are said to be more."""


def list_backfills(request: Request) -> Response:
    """The backfills, the latest first."""
    limit, after = read_limit(request), request.query_params.get("after", "")
    if (answer := answer_sql(request, lambda: BACKFILLS.select({}, limit, after))) is not None:
        return answer
    below = BACKFILLS.read_key(after, BACKFILLS.key)[0] if after else None
    with get_context(request).reading() as connection:
        summaries = list_job_summaries(connection, limit + 1, below=below, most=MOST)
    rows, following = cut_page(request, summaries, BACKFILLS.key)
    if (answer := answer_rows(request, NAMES, rows, following)) is not None:
        return answer
    page: dict[str, Any] = {"formats": format_links(request), "following": following, "is_first": not after}
    return render(request, "backfills.html", rows=rows, most=MOST, **page)


def show_backfill(request: Request) -> Response:
    """One backfill: its counts, and the units that something went wrong with."""
    job_id = request.path_params["job_id"]
    if (answer := answer_sql(request, lambda: select_failed_units(job_id, read_limit(request)))) is not None:
        return answer
    with get_context(request).reading() as connection:
        job = load_job(connection, job_id) if job_id < 2**63 else None
        if job is None:
            raise HTTPException(404)
        progress = load_job_progress(connection, job_id, get_context(request).clock())
        troubles = list_failed_units(connection, job_id, read_limit(request))
    if (answer := answer_rows(request, ("address", "state", "reason", "detail"), troubles)) is not None:
        return answer
    values: dict[str, Any] = {"job": job, "progress": progress, "troubles": troubles, "formats": format_links(request)}
    return render(request, "backfill.html", **values)


ROUTES = (Route("/backfills", list_backfills), Route("/backfills/{job_id:int}", show_backfill))
