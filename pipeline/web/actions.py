"""What changes something: a form with a token, sent from a page of ours by who may act."""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from pipeline.errors import NewsError
from pipeline.web.rendering import SAID_COOKIE, render
from pipeline.web.web_context import CSRF_COOKIE, CSRF_FIELD, get_context, put_cookie, root_of

MAX_FORM_BYTES: Final = 8 * 2**20
"""Of what is sent to an action; an OPML file of ten thousand feeds has two million."""


@dataclass(frozen=True, slots=True)
class Done:
    """What an action came to: where to go on, and what to say there."""

    path: str
    message: str = ""


Action = Callable[[Request, FormData], Done | Response]


def act(action: Action, *, needs_right: bool = True) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of an action, which is refused without the token of a form, or to who may not act.

    The action is run in a thread; what it raises as `NewsError` is shown.
    """

    async def endpoint(request: Request) -> Response:
        length = request.headers.get("content-length", "")
        if not length.isdecimal() or int(length) > MAX_FORM_BYTES:
            return render(request, "message.html", status=413, title="Too large", text="The form is too large.")
        if not _is_same_origin(request):
            return render(request, "message.html", status=403, title="Refused", text="The form is of another site.")
        async with request.form(max_files=1, max_fields=200) as form:
            if any("\0" in value for _, value in form.multi_items() if isinstance(value, str)):
                return render(request, "message.html", status=400, title="Not understood", text="A field holds NUL.")
            if not _is_token_right(request, form):
                text = "The form is too old, or of another site: load the page again."
                return render(request, "message.html", status=403, title="Refused", text=text)
            if needs_right and not get_context(request).can_act(request):
                text = "You may look, and change nothing."
                return render(request, "message.html", status=403, title="Refused", text=text)
            try:
                done = await run_in_threadpool(action, request, form)
            except NewsError as error:
                return render(request, "message.html", status=400, title="Not done", text=str(error))
        return done if isinstance(done, Response) else _go_on(request, done)

    return endpoint


def _go_on(request: Request, done: Done) -> Response:
    response = RedirectResponse(f"{root_of(request)}{done.path}", 303)
    if done.message:
        put_cookie(request, response, SAID_COOKIE, quote(done.message))
    return response


def _is_same_origin(request: Request) -> bool:
    """Whether the browser says that the form is of our own origin, where it says anything."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:  # where a proxy in front changes the Host header, this holds all the same
        return site in {"same-origin", "none"}
    origin, host = request.headers.get("origin"), request.headers.get("host", "")
    return origin is None or origin.lower().partition("://")[2] == host.lower() != ""


def _is_token_right(request: Request, form: FormData) -> bool:
    cookie, given = request.cookies.get(CSRF_COOKIE, ""), form.get(CSRF_FIELD)
    return bool(cookie) and isinstance(given, str) and hmac.compare_digest(cookie.encode(), given.encode())
