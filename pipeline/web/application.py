"""The application: its routes, and what becomes of what goes wrong."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from pipeline.config import Settings
from pipeline.errors import NewsError
from pipeline.web.guard import Guard, Login
from pipeline.web.pages import (
    article_list,
    article_page,
    backfill_pages,
    boilerplate_pages,
    feed_actions,
    feed_pages,
    ledger_pages,
    login_page,
    overview_page,
    raw_copy,
    reader_marks,
    source_pages,
)
from pipeline.web.rendering import render
from pipeline.web.web_context import WebContext

ROUTES: Final = (
    *overview_page.ROUTES,
    *article_list.ROUTES,
    *article_page.ROUTES,
    *reader_marks.ROUTES,
    *raw_copy.ROUTES,
    *feed_pages.ROUTES,
    *feed_actions.ROUTES,
    *ledger_pages.ROUTES,
    *source_pages.ROUTES,
    *boilerplate_pages.ROUTES,
    *backfill_pages.ROUTES,
    *login_page.ROUTES,
    Mount("/static", StaticFiles(packages=[("pipeline.web", "static")]), name="static"),
)


def create_app(
    engine: Engine,
    settings: Settings,
    *,
    reader: Engine | None = None,
    hosts: Sequence[str] | None = None,
    token: str = "",
    can_act: Callable[[Request], bool] = lambda _: True,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Starlette:
    """The application over an archive; it may be mounted below any path.

    Args:
        engine: the archive. The application does not close it.
        settings: for what actions need: intervals, the network, the raw archive.
        reader: the archive as pages are to read it, such as a role that may only read; ``engine`` by default, in
            transactions that only read.
        hosts: names that it may be asked by; None for any, for who mounts it behind a login and names of his own.
        token: what readers must know; empty for a server that only its own machine reaches, or with another login.
        can_act: whether who sent a request may change something.
        clock: what time it is, for pages that show the last days.
    """
    login = Login(token)
    app = Starlette(
        routes=ROUTES,
        middleware=[Middleware(Guard, hosts=hosts, login=login)],
        exception_handlers={
            HTTPException: _answer_status,
            NewsError: _answer_error,
            SQLAlchemyError: _answer_fault,
        },
    )
    app.state.context = WebContext(engine, reader or engine, settings, login, can_act, clock)
    return app


async def _answer_status(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for it
    text = "There is nothing at this address." if error.status_code == 404 else str(error.detail)
    return render(request, "message.html", status=error.status_code, title=f"Error {error.status_code}", text=text)


async def _answer_fault(request: Request, error: Exception) -> Response:
    """The database is away, or a role may not read what a page needs."""
    reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
    text = f"The archive could not be asked: {reason}"
    return render(request, "message.html", status=503, title="Not to be had now", text=text)


async def _answer_error(request: Request, error: Exception) -> Response:
    """What somebody asked for and cannot be had, such as a filter with a value that is none."""
    return render(request, "message.html", status=400, title="Not understood", text=str(error))
