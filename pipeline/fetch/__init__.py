"""Fetching: the one place that opens sockets.

`Fetcher.get` asks for one URL and gives a whole `Response` or a `FetchError`; nothing else comes out of it but
cancellation. How the words of ``FetchError.reason`` come about:

========================================================  =============================================================
``bad_url``, ``blocked_scheme``, ``blocked_credentials``,  refused by us, before or instead of a connection
``blocked_port``, ``blocked_address``
``dns``, ``connect``, ``tls``                              no connection
``timeout``, ``deadline``                                  one step, or the whole request, took too long
``reset``, ``protocol``, ``truncated``, ``bad_encoding``   an answer broken on the way, or no HTTP
``too_large``, ``empty``                                   an answer of no use
``redirect_loop``, ``too_many_redirects``,                 redirects that lead nowhere
``bad_redirect``
``http_STATUS``                                            every status but 2xx and an expected 304
========================================================  =============================================================

httpcore, the transport of httpx, is used without httpx's client on top: the client would read proxies and
passwords from the environment, keep cookies, and inflate bodies without a bound. A proxy taken from the environment
would resolve names itself, behind the guard's back; none is ever used.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

import httpcore
import httpx

from pipeline.config import Settings
from pipeline.errors import ConfigError, FetchError
from pipeline.fetch.answers import REDIRECTS, is_temporary, parse_url, redirect_target, retry_after
from pipeline.fetch.connect import GuardedBackend
from pipeline.fetch.failure import Progress, Refusal, translated
from pipeline.fetch.inflate import ACCEPT_ENCODING, Body
from pipeline.guard import Guard
from pipeline.model import Response, Validators

ACCEPT_PAGE = "text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8"
ACCEPT_FEED = (
    "application/atom+xml, application/rss+xml, application/rdf+xml;q=0.9, application/xml;q=0.8, "
    "text/xml;q=0.8, */*;q=0.1"
)
ACCEPT_TEXT = "text/plain, */*;q=0.5"

MAX_RESOLVER_THREADS = 32  # look-ups block a thread each; more at once than this is a storm on the resolver
KEEP_ALIVE_SECONDS = 15.0  # a host is asked again after its delay of some seconds; idle sockets cost little
DRAIN_BYTES = 64 * 1024  # reading the rest of an error page is cheaper than a new TLS handshake, up to here
DRAIN_SECONDS = 1.0

_NONE = Validators()
_PLAIN_HEADERS = 3  # how many headers a request without validators has


@dataclass(slots=True)
class _Exchange:
    """One answer, as far as it has come."""

    asked: str
    url: str
    response: httpcore.Response
    headers: httpx.Headers
    progress: Progress
    is_complete: bool = False

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The body as it comes from the wire."""
        with translated(self.asked, self.progress):
            async for chunk in self.response.aiter_stream():
                yield chunk
        self.is_complete = True


class Fetcher:
    """Fetches URLs; an asynchronous context manager, to be used within one event loop.

    Args:
        settings: limits, timeouts, networks.
        ssl_context: whom to trust; by default the authorities of certifi and of the system.
        clock: the time, in UTC.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        ssl_context: ssl.SSLContext | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        agent = settings.full_user_agent
        if not (agent.isascii() and agent.isprintable()):
            raise ConfigError(f"user agent and contact must be plain ASCII to be sent in a header: {agent!r}")
        self._settings = settings
        self._clock = clock
        self._guard = Guard(settings.allow_networks, settings.resolve)
        self._slots = asyncio.Semaphore(settings.concurrency)
        self._resolver = ThreadPoolExecutor(min(settings.concurrency, MAX_RESOLVER_THREADS), "resolver")
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl_context or _trusting_context(),
            max_connections=settings.concurrency,
            max_keepalive_connections=settings.concurrency,
            keepalive_expiry=KEEP_ALIVE_SECONDS,
            http2=True,
            network_backend=GuardedBackend(self._guard, self._resolver),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._pool.aclose()
        # Not waited for: a look-up that hangs ends by itself, with the resolver's own time-out.
        self._resolver.shutdown(wait=False, cancel_futures=True)

    async def get(self, url: str, *, validators: Validators = _NONE, accept: str = ACCEPT_PAGE) -> Response:
        """Fetch one URL, following redirects.

        Args:
            url: an absolute http(s) URL.
            validators: of the copy that we have; with them the answer may be a 304 without a body.
            accept: value of the ``Accept`` header.

        Raises:
            FetchError: it came to nothing; ``url`` is the URL given here.
        """
        async with self._slots:  # so that waiting for our own queue is not held against the server
            began = asyncio.get_running_loop().time()
            try:
                async with asyncio.timeout(self._settings.deadline.total_seconds()):
                    answer = await self._follow(url, validators, accept)
            except TimeoutError as error:
                limit = f"not done in {self._settings.deadline.total_seconds():g} s"
                raise FetchError(url, "deadline", limit, temporary=True) from error
            ended = asyncio.get_running_loop().time()
        exchange, body, redirects = answer
        return Response(
            url=exchange.url if redirects else url,
            status=exchange.response.status,
            headers=dict(exchange.headers),
            body=body,
            fetched_at=self._clock(),
            elapsed=timedelta(seconds=ended - began),
            redirects=redirects,
        )

    async def _follow(
        self, url: str, validators: Validators, accept: str
    ) -> tuple[_Exchange, bytes, tuple[tuple[str, int], ...]]:
        hops: dict[str, int] = {}
        headers = self._headers(validators, accept)
        try:
            target = parse_url(url)
        except ValueError as error:
            raise FetchError(url, "bad_url", str(error), temporary=False) from error
        while True:
            self._check(url, target)
            async with self._exchange(url, target, headers) as exchange:
                status = exchange.response.status
                if status not in REDIRECTS:
                    body = await self._read(url, exchange, conditional=len(headers) > _PLAIN_HEADERS)
                    return exchange, body, tuple(hops.items())
                hops[str(target)] = status
                await _drain(exchange)
            target = self._next(url, target, exchange.headers.get("location"), hops)

    def _check(self, url: str, target: httpx.URL) -> None:
        """Ask the guard about the URL in the very form in which it will be sent: no two parsers to play off."""
        try:
            self._guard.check_url(str(target))
        except FetchError as error:
            message = str(error).removeprefix(f"{error.reason}: ")
            raise FetchError(url, error.reason, f"{target}: {message}", temporary=False) from error

    def _next(self, url: str, target: httpx.URL, location: str | None, hops: dict[str, int]) -> httpx.URL:
        try:
            target = redirect_target(target, location)
        except ValueError as error:
            raise FetchError(url, "bad_redirect", f"{location!r}: {error}", temporary=False) from error
        if str(target) in hops:
            raise FetchError(url, "redirect_loop", f"back to {target}", temporary=False)
        if len(hops) > self._settings.max_redirects:
            raise FetchError(url, "too_many_redirects", f"more than {self._settings.max_redirects}", temporary=False)
        return target

    def _headers(self, validators: Validators, accept: str) -> list[tuple[bytes, bytes]]:
        headers = [
            (b"User-Agent", self._settings.full_user_agent.encode()),
            (b"Accept", accept.encode()),
            (b"Accept-Encoding", ACCEPT_ENCODING.encode()),
        ]
        for name, value in ((b"If-None-Match", validators.etag), (b"If-Modified-Since", validators.last_modified)):
            # What a server once sent may be anything; what cannot stand in a header is as good as absent.
            if value and value.isprintable():
                headers.append((name, value.encode("utf-8", "ignore")))
        return headers

    @asynccontextmanager
    async def _exchange(
        self, url: str, target: httpx.URL, headers: list[tuple[bytes, bytes]]
    ) -> AsyncIterator[_Exchange]:
        """Send one request; the connection goes back to the pool, or is closed, at the end."""
        response, progress = await self._send(url, target, headers)
        exchange = _Exchange(url, str(target), response, httpx.Headers(response.headers), progress)
        try:
            yield exchange
        finally:
            if not exchange.is_complete and response.extensions.get("http_version") == b"HTTP/2":
                # httpcore does not reset the stream: the server would go on sending, and the connection's window
                # would shrink for good. Closing it is the only way to be rid of the rest.
                with suppress(Exception):
                    await response.extensions["network_stream"].aclose()
            with translated(url, progress):
                await response.aclose()

    async def _send(
        self, url: str, target: httpx.URL, headers: list[tuple[bytes, bytes]]
    ) -> tuple[httpcore.Response, Progress]:
        step = self._settings.timeout.total_seconds()
        progress = Progress()
        request = httpcore.Request(
            b"GET",
            httpcore.URL(scheme=target.raw_scheme, host=target.raw_host, port=target.port, target=target.raw_path),
            headers=[(b"Host", target.netloc), *headers],
            extensions={"timeout": {"connect": step, "read": step, "write": step}, "trace": progress},
        )
        try:
            with translated(url, progress):
                return await self._pool.handle_async_request(request), progress
        except FetchError as error:
            if progress.connected or error.reason not in ("reset", "protocol"):
                raise
        # A connection kept from before, which the server has closed meanwhile: says nothing about the page.
        with translated(url, progress):
            return await self._pool.handle_async_request(request), progress

    async def _read(self, url: str, exchange: _Exchange, *, conditional: bool) -> bytes:
        status = exchange.response.status
        if status == 304 and conditional:
            await _drain(exchange)
            return b""
        if not 200 <= status < 300 or status == 206:  # 206 answers a Range, and we sent none: part of a page
            await _drain(exchange)
            wait = exchange.headers.get("retry-after") if status in (429, 503) else None
            raise FetchError(
                url,
                f"http_{status}",
                exchange.response.extensions.get("reason_phrase", b"").decode("latin-1"),
                temporary=is_temporary(status) or status in (206, 304),
                status=status,
                retry_after=retry_after(wait, self._clock()),
            )
        try:
            body = await self._collect(exchange)
        except Refusal as error:
            raise FetchError(url, error.reason, str(error), temporary=error.temporary, status=status) from error
        if not body:
            raise FetchError(url, "empty", f"status {status} without a body", temporary=True, status=status)
        return body

    async def _collect(self, exchange: _Exchange) -> bytes:
        limit = self._settings.max_bytes
        announced = exchange.headers.get("content-length", "")
        if announced.isdecimal() and len(announced) < 20 and int(announced) > limit:
            raise Refusal("too_large", f"{int(announced):,} bytes announced", temporary=False)
        body = Body(exchange.headers.get("content-encoding", ""), limit)
        async with aclosing(exchange.chunks()) as chunks:
            async for chunk in chunks:
                body.feed(chunk)
        return body.finish()


async def _drain(exchange: _Exchange) -> None:
    """Read what is left of a short body that nobody wants, so that the connection can be used again."""
    size = 0
    with suppress(TimeoutError, FetchError):
        async with asyncio.timeout(DRAIN_SECONDS), aclosing(exchange.chunks()) as chunks:
            async for chunk in chunks:
                size += len(chunk)
                if size > DRAIN_BYTES:
                    return


def _trusting_context() -> ssl.SSLContext:
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context
