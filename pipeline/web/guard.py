"""What stands before every page: the names it may be asked by, the login, and headers that browsers are bound by."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import quote

from itsdangerous import BadSignature, TimestampSigner
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")

LOGIN_SECONDS: Final = 30 * 24 * 3600
"""How long a login lasts."""

MIN_TOKEN: Final = 16
"""Characters of a token: fewer could be guessed."""

MAX_PATH: Final = 2000
"""Characters of a path: the longest of ours has a few hundred, and numbers of thousands of digits are no numbers."""

LOGIN_COOKIE: Final = "news_login"

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'self'; connect-src 'self'"
)
"""Nothing inline, nothing from elsewhere, and no frame but of our own origin, which Airflow's is where it serves us."""

HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "same-origin",  # with none at all browsers send forms without their origin, too
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
"""Of every answer; a page may be read by its reader alone, and is another after each run."""


@dataclass(frozen=True, slots=True)
class Login:
    """A token that readers must know; an empty one asks for none."""

    token: str = ""

    @property
    def is_needed(self) -> bool:
        """Whether anybody must log in."""
        return bool(self.token)

    def accepts(self, token: str) -> bool:
        """Whether this is the token; takes the same time for every wrong one."""
        return hmac.compare_digest(token.encode(), self.token.encode())

    def issue(self) -> str:
        """The value of a cookie that says that the token was known."""
        return self._signer().sign(b"reader").decode()

    def allows(self, request: Request) -> bool:
        """Whether the request has that cookie, or the token itself as a bearer of it has."""
        if not self.is_needed:
            return True
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.accepts(given.strip())
        try:
            self._signer().unsign(request.cookies.get(LOGIN_COOKIE, ""), max_age=LOGIN_SECONDS)
        except BadSignature:
            return False
        return True

    def _signer(self) -> TimestampSigner:
        return TimestampSigner(self.token, salt="news login")


class Guard:
    """Lets through what is asked of a known name by who may read, and puts `HEADERS` on every answer.

    Args:
        app: what is guarded.
        hosts: names that the server may be asked by, so that no other site can have its name lead here (DNS
            rebinding); None for any, where who serves the application has its own login.
        login: who may read.
    """

    def __init__(self, app: ASGIApp, *, hosts: Sequence[str] | None, login: Login) -> None:
        self._app = app
        self._hosts = None if hosts is None else frozenset(name.lower().strip("[]") for name in hosts)
        self._login = login

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        answer: ASGIApp = self._refusal(Request(scope)) or self._app
        await answer(scope, receive, send_with_headers)

    def _refusal(self, request: Request) -> Response | None:
        if "\0" in request.scope["path"] or b"%00" in request.scope["query_string"]:
            return PlainTextResponse("No text has a NUL in it.", 400)
        if self._hosts is not None and host_name(request.headers) not in self._hosts:
            return PlainTextResponse("This name is not known here: NEWS_WEB_HOSTS lists those that are.", 421)
        if len(request.scope["path"]) > MAX_PATH:
            return PlainTextResponse("There is nothing at so long an address.", 404)
        path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
        if self._login.allows(request) or path == "/login" or path.startswith("/static/"):
            return None
        if request.method in {"GET", "HEAD"} and "text/html" in request.headers.get("accept", ""):
            root = request.scope.get("root_path", "")
            asked = path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"{root}/login?next={quote(asked)}", 303)
        return PlainTextResponse("Log in first, or give the token as a bearer.", 401, {"WWW-Authenticate": "Bearer"})


def host_name(headers: Headers) -> str:
    """The name in the Host header, without port and brackets."""
    host = headers.get("host", "").lower()
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]


def is_loopback(bind: str) -> bool:
    """Whether nobody beyond this machine reaches a server that is bound to this address."""
    try:
        return ip_address(bind).is_loopback
    except ValueError:
        return bind == "localhost"
