"""Fetching: the one place that opens sockets.

`Fetcher.step` asks for one URL and gives a whole `Response`, a `Redirect` or a `FetchError`; nothing else comes out of
it but cancellation. What the words of ``FetchError.reason`` mean is said in `pipeline.errors.failure_reasons`.

httpx does the asking: requests, answers and transports are its own. Its client is left out, as it keeps cookies and
takes every ``Location`` apart, followed or not, and raises on a bad one; and its decoders, as they inflate without a
bound. A proxy resolves names itself, behind the guard's back: one is used only where the settings name it, never one
of the environment (`pipeline.fetch.proxy`).
"""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from functools import cache
from types import TracebackType
from typing import Self

import httpx

from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.fetch.documents import take_step
from pipeline.fetch.downloads import open_download, post_form
from pipeline.fetch.parts import FetchParts
from pipeline.fetch.request_options import ACCEPT_FEED, ACCEPT_PAGE, ACCEPT_TEXT, RequestOptions
from pipeline.fetch.response_journal import ResponseJournal
from pipeline.fetch.wire import Wire
from pipeline.http.answers import Download
from pipeline.http.ssrf_guard import SsrfGuard
from pipeline.model import Redirect, Response, Route

__all__ = ["ACCEPT_FEED", "ACCEPT_PAGE", "ACCEPT_TEXT", "Fetcher"]


class Fetcher:
    """Fetches URLs; an asynchronous context manager, to be used within one event loop.

    Args:
        trust: whose certificates are believed; by default the authorities of certifi and of the system.
        keep: whether responses and errors are to carry the answers as they came (`Response.captures`).
        journal: where answers wait for what is made of them, for the case that this process is killed; responses carry
            them then, too.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        trust: ssl.SSLContext | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        keep: bool = False,
        journal: ResponseJournal | None = None,
    ) -> None:
        agent = settings.full_user_agent
        if not (agent.isascii() and agent.isprintable()):
            raise ConfigError(f"user agent and contact must be plain ASCII to be sent in a header: {agent!r}")
        guard = SsrfGuard(settings.allow_networks, settings.resolve)
        at_once = settings.concurrency * settings.host_connections
        trust = trust or _public_trust()
        wire = Wire(settings, guard, at_once, trust)
        keeps = keep or journal is not None
        self._parts = FetchParts(settings, clock, guard, wire, asyncio.Semaphore(at_once), keeps, journal)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._parts.wire.close()

    async def step(self, route: Route, asked: RequestOptions) -> Response | Redirect:
        """Ask once for where a route leads: a redirect is not followed, but checked, and given back.

        The hops that led to the route count towards loops and the longest chain.

        Raises FetchError: it came to nothing, or leads nowhere or where nobody may go; its ``url`` is the
        route's.
        """
        return await take_step(self._parts, route, asked)

    def download(self, url: str, offset: int = 0) -> AbstractAsyncContextManager[Download]:
        """Open a file of any size, following redirects, to be read as it comes from a byte on.

        Neither its size nor the time that it takes is bounded, only the wait for each read. The bytes are as sent: a
        gzip file stays one.

        Raises FetchError: it cannot be had, or breaks off; also while it is read.
        """
        return open_download(self._parts, url, offset)

    async def post(self, url: str, form: bytes) -> int:
        """Send a form, following the redirects that keep it one (307 and 308); returns the status, which is 2xx.

        Raises FetchError: it was not taken, or that is not known; the message has the server's first words.
        """
        return await post_form(self._parts, url, form)


@cache
def _public_trust() -> ssl.SSLContext:
    """The authorities of certifi and of the system, read once: that takes 40 ms, and no fetcher changes them."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context
