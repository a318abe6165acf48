"""What every page works with: the archive, the settings, who may act, and the cookies of its reader."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.engine import Connection, Engine
from starlette.requests import Request
from starlette.responses import Response

from pipeline.config import Settings
from pipeline.store.connection.readonly import only_reading
from pipeline.web.guard import Login

CSRF_COOKIE: Final = "news_form"
CSRF_FIELD: Final = "form_token"

READ_SECONDS: Final = timedelta(seconds=30)
"""How long the queries of one page may take."""


@dataclass(frozen=True, slots=True)
class WebContext:
    """What pages work with.

    Attributes:
        engine: the archive, to write to.
        reader: the archive for pages that read: the same, or that of a role which may only read.
        can_act: whether who sent a request may change something.
        clock: what time it is.
    """

    engine: Engine
    reader: Engine
    settings: Settings
    login: Login
    can_act: Callable[[Request], bool]
    clock: Callable[[], datetime]

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that the database itself lets write nothing, and that ends after `READ_SECONDS`."""
        with only_reading(self.reader, READ_SECONDS) as connection:
            yield connection


def get_context(request: Request) -> WebContext:
    """The context of the application that answers."""
    context: WebContext = request.app.state.context
    return context


def root_of(request: Request) -> str:
    """The path that the application is mounted at, without a stroke at its end."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def csrf_token(request: Request) -> str:
    """The token that forms of this answer carry: that of the reader's cookie, or a new one."""
    if not hasattr(request.state, "csrf"):
        request.state.csrf = request.cookies.get(CSRF_COOKIE) or secrets.token_urlsafe(24)
    return str(request.state.csrf)


def put_cookie(request: Request, response: Response, name: str, value: str, max_age: int | None = None) -> None:
    """Set a cookie that no script reads and no other site's request sends."""
    response.set_cookie(
        *(name, value, max_age),
        path=root_of(request) or "/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
