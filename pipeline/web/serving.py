"""Serving the application by itself: where it may listen, and by which names it may be asked."""

import socket
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.web.guard import LOOPBACK, MIN_TOKEN, is_loopback


def require_token(settings: Settings, bind: str) -> None:
    """Make sure that nobody reaches the pages from elsewhere without a token.

    Raises ConfigError: a token is needed and there is none, or it could be guessed.
    """
    if not settings.web_token and not is_loopback(bind):
        raise ConfigError(f"{bind} is reached from other machines: set NEWS_WEB_TOKEN, which readers must know then")
    if settings.web_token and len(settings.web_token) < MIN_TOKEN:
        raise ConfigError(f"NEWS_WEB_TOKEN has less than {MIN_TOKEN} characters, and could be guessed")


def allowed_hosts(settings: Settings, bind: str) -> tuple[str, ...]:
    """Names and addresses that the server may be asked by."""
    return (*LOOPBACK, bind, *settings.web_hosts)


class UnderPath:
    """The application below a path, whether a proxy in front passes that path on or strips it."""

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        self._app, self._root = app, root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            path = scope["path"]
            path = path if f"{path}/".startswith(f"{self._root}/") else self._root + path
            scope = {**scope, "root_path": self._root, "path": path}
        await self._app(scope, receive, send)


def run_server(app: ASGIApp, bind: str, port: int, root_path: str, listening: Callable[[str], None]) -> None:
    """Serve until stopped; ``listening`` is told the address that the pages are at.

    Raises ConfigError: the address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    try:
        server_socket = socket.create_server((bind, port), family=family)
    except OSError as error:
        raise ConfigError(f"{bind}:{port} cannot be listened on: {error.strerror or error}") from error
    with server_socket:
        name = f"[{bind}]" if ":" in bind else bind
        listening(f"http://{name}:{server_socket.getsockname()[1]}{root_path}/")
        served = UnderPath(app, root_path) if root_path else app
        config = uvicorn.Config(served, log_level="warning", server_header=False, ws="none")
        uvicorn.Server(config).run(sockets=[server_socket])
