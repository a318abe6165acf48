"""Archived responses: shown as text or saved, and never as a page of this origin."""

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.responses import Response as Answer
from starlette.routing import Route

from pipeline.errors import ArchiveError, ConfigError
from pipeline.html.encodings import decode
from pipeline.model import Response
from pipeline.runtime.raw_recorder import open_raw_folder
from pipeline.store.articles.raw_index import load_raw_row
from pipeline.upkeep.raw_copies import read_archived_response
from pipeline.web.web_context import get_context

LOCKED = {"Content-Security-Policy": "sandbox; default-src 'none'"}
"""Of what a stranger wrote: should a browser take it for a page after all, it could do nothing."""


def show_raw(request: Request) -> Answer:
    """The body of an archived response, as text; with ``download`` byte for byte as a file."""
    response = load_copy(request, request.path_params["raw_id"])
    if response is None:
        raise HTTPException(404)
    if "download" in request.query_params:
        name = f"response-{request.path_params['raw_id']}.bin"
        headers = LOCKED | {"Content-Disposition": f'attachment; filename="{name}"'}
        return Answer(response.body, media_type="application/octet-stream", headers=headers)
    return PlainTextResponse(page_text(response), headers=LOCKED)


def load_copy(request: Request, raw_id: int) -> Response | None:
    """An archived response; None where there is none, or none are kept here.

    Raises ArchiveError: it cannot be read.
    """
    context = get_context(request)
    folder = open_raw_folder(context.settings)
    if folder is None or raw_id >= 2**63:
        return None
    with context.reading() as connection:
        row = load_raw_row(connection, raw_id)
    return None if row is None else read_archived_response(context.engine, folder, row, context.settings.max_bytes)


def find_page_copy(request: Request, record: dict[str, Any]) -> Response | None:
    """The newest archived response that an article was read from; None where there is none that can be read."""
    good = [row for row in record["raw"] if 200 <= row["status"] < 300]
    if not good:
        return None
    try:
        return load_copy(request, max(good, key=lambda row: (row["fetched_at"], row["raw_id"]))["raw_id"])
    except (ArchiveError, ConfigError):
        return None  # the article is shown without it


def load_page_text(request: Request, record: dict[str, Any]) -> str | None:
    """The HTML of an article's page as text; None where it is not kept."""
    response = find_page_copy(request, record)
    return None if response is None else page_text(response)


def page_text(response: Response) -> str:
    """A body as text, in the encoding that it is in as far as one can tell."""
    return decode(response.body, response.charset)[0]


ROUTES = (Route("/raw/{raw_id:int}", show_raw),)
