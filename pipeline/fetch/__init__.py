"""Fetching: the one place that opens sockets.

`Fetcher.get` asks for one URL and gives a whole `Response` or a `FetchError`; nothing else comes out of it but
cancellation. How the words of ``FetchError.reason`` come about:

========================================================  =============================================================
``bad_url``, ``blocked_scheme``, ``blocked_credentials``,  refused by us, before or instead of a connection
``blocked_port``, ``blocked_address``
``dns``, ``connect``, ``tls``                              no connection
``proxy``                                                  no connection to the proxy, or it refuses
``timeout``, ``deadline``                                  one step, or the whole request, took too long
``reset``, ``protocol``, ``truncated``, ``bad_encoding``   an answer broken on the way, or no HTTP
``too_large``, ``empty``                                   an answer of no use
``redirect_loop``, ``too_many_redirects``,                 redirects that lead nowhere
``bad_redirect``
``http_STATUS``                                            every status but 2xx and an expected 304
========================================================  =============================================================

httpx does the asking: requests, answers and transports are its own. Its client is left out, as it keeps cookies and
takes every ``Location`` apart, followed or not, and raises on a bad one; and its decoders, as they inflate without a
bound. A proxy resolves names itself, behind the guard's back: one is used only where the settings name it, never one
of the environment (`pipeline.fetch.proxy`).
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager, nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

import httpx

from pipeline.config import Settings
from pipeline.errors import ConfigError, FetchError
from pipeline.fetch.answers import KEEPING_REDIRECTS, REDIRECTS, is_temporary, parse_url, redirect_target, retry_after
from pipeline.fetch.asked import Asked
from pipeline.fetch.capture import capture_of
from pipeline.fetch.download import Download, begins_at, size_of
from pipeline.fetch.failure import Failure, Progress
from pipeline.fetch.inbox import Inbox, key_of
from pipeline.fetch.wire import DRAIN_BYTES, DRAIN_SECONDS, Exchange, Wire
from pipeline.guard import Guard
from pipeline.model import Capture, FeedAccess, Redirect, Response, Route, Validators

ACCEPT_PAGE = "text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8"
ACCEPT_FEED = (
    "application/atom+xml, application/rss+xml, application/feed+json;q=0.9, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, */*;q=0.1"
)
ACCEPT_TEXT = "text/plain, */*;q=0.5"

MAX_WORDS = 200
"""Characters of what a server says against a form that are kept."""

_NONE = Validators()


class Fetcher:
    """Fetches URLs; an asynchronous context manager, to be used within one event loop.

    Args:
        settings: limits, timeouts, networks.
        trust: whose certificates are believed; by default the authorities of certifi and of the system.
        clock: the time, in UTC.
        keep: whether responses and errors are to carry the answers as they came (`Response.captures`).
        inbox: where answers wait for what is made of them, in case that this process is killed; they are carried then.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        trust: ssl.SSLContext | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        keep: bool = False,
        inbox: Inbox | None = None,
    ) -> None:
        agent = settings.full_user_agent
        if not (agent.isascii() and agent.isprintable()):
            raise ConfigError(f"user agent and contact must be plain ASCII to be sent in a header: {agent!r}")
        self._settings = settings
        self._clock = clock
        self._keep = keep or inbox is not None
        self._inbox = inbox
        self._guard = Guard(settings.allow_networks, settings.resolve)
        at_once = settings.concurrency * settings.host_connections
        self._slots = asyncio.Semaphore(at_once)
        self._wire = Wire(
            self._guard,
            at_once,
            settings.timeout,
            trust or _public_trust(),
            settings.proxy,
            settings.host_connections,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._wire.close()

    async def get(
        self,
        url: str,
        *,
        validators: Validators = _NONE,
        accept: str = ACCEPT_PAGE,
        access: FeedAccess | None = None,
        delta: bool = False,
        kept_since: datetime | None = None,
    ) -> Response:
        """Fetch one URL, following redirects.

        Args:
            url: an absolute http(s) URL.
            validators: of the copy that we have; with them the answer may be a 304 without a body.
            accept: value of the ``Accept`` header: which media types are preferred.
            access: what the user gave to ask with; sent to its origin, and to no other that a redirect leads to.
            delta: whether a feed's new entries alone will do, where the server can tell them by our validators
                (RFC 3229); the answer is a 226 then.
            kept_since: as of `Asked`.

        Raises:
            FetchError: it came to nothing; its ``url`` is the one given here.
        """
        trail: list[str] = []
        captures: list[Capture] = []
        async with self._in_time(url, trail, captures):
            return await self._follow(url, Asked(accept, validators, access, delta, kept_since), trail, captures)

    async def step(self, route: Route, asked: Asked) -> Response | Redirect:
        """Ask once for where a route leads: a redirect is not followed, but checked, and given back.

        Args:
            route: a URL, and the hops that led to it; they count towards loops and the longest chain.
            asked: what is asked with.

        Raises:
            FetchError: it came to nothing, or leads nowhere or where nobody may go; its ``url`` is the route's.
        """
        trail = [hop for hop, _ in route.hops]
        captures: list[Capture] = []
        async with self._in_time(route.url, trail, captures):
            answer = await self._ask(route, asked, trail, captures)
            if isinstance(answer, Redirect):
                try:
                    self._check(_parsed(answer.route.url))
                except Failure as error:
                    error.status = answer.route.hops[-1][1]  # there was an answer: this host may be asked
                    raise
            return answer

    @asynccontextmanager
    async def download(self, url: str, offset: int = 0) -> AsyncIterator[Download]:
        """Open a file of any size, following redirects, to be read as it comes from a byte on.

        Neither its size nor the time that it takes is bounded, only the wait for each read. The bytes are as sent: a
        gzip file stays one.

        Raises:
            FetchError: it cannot be had, or breaks off; also while it is read.
        """
        trail: list[str] = []
        target = _parsed(url)
        async with self._slots, AsyncExitStack() as stack:
            with self._told(url, trail):
                while True:
                    self._check(target)
                    trail.append(str(target))
                    headers = Asked("*/*").headers(self._settings.full_user_agent, trail[-1])
                    headers = [one for one in headers if one[0].lower() != b"accept-encoding"]
                    headers += [(b"Accept-Encoding", b"identity")]
                    headers += [(b"Range", b"bytes=%d-" % offset)] if offset else []
                    exchange = await stack.enter_async_context(self._wire.exchange(target, headers))
                    if exchange.response.status_code not in REDIRECTS:
                        break
                    await exchange.drain()
                    target = self._next(target, exchange.response.headers.get("location"), trail)
                status, answered = exchange.response.status_code, exchange.response.headers
                begin = begins_at(status, answered.get("content-range"))
                if status not in {200, 206} or begin is None or begin > offset:
                    await self._body(exchange, Asked("*/*")) if status >= 300 else None
                    raise Failure("bad_range", f"status {status}, from byte {begin}", temporary=True, status=status)
            size = size_of(status, answered.get("content-length"), answered.get("content-range"), offset)
            chunks = self._read(exchange, url, trail, skip=offset - begin)
            async with aclosing(chunks):
                yield Download(chunks, size)

    async def _read(self, exchange: Exchange, url: str, trail: list[str], skip: int) -> AsyncGenerator[bytes, None]:
        with self._told(url, trail):
            async with aclosing(exchange.chunks()) as chunks:
                async for chunk in chunks:
                    kept, skip = chunk[skip:], max(0, skip - len(chunk))
                    if kept:
                        yield kept

    async def post(self, url: str, form: bytes) -> int:
        """Send a form, following the redirects that keep it one (307 and 308); returns the status, which is 2xx.

        Raises:
            FetchError: it was not taken, or nobody knows; the message has the server's first words.
        """
        trail: list[str] = []
        async with self._in_time(url, trail):
            return await self._submit(url, form, trail)

    @asynccontextmanager
    async def _in_time(self, url: str, trail: list[str], captures: Sequence[Capture] = ()) -> AsyncIterator[None]:
        """Hold a request to the deadline, and make `FetchError` of what goes wrong."""
        async with self._slots:  # so that waiting in our own queue is not held against the server
            try:
                async with asyncio.timeout(self._settings.deadline.total_seconds()):
                    yield
            except TimeoutError as error:
                limit = f"not done in {self._settings.deadline.total_seconds():g} s"
                raise FetchError(
                    url, "deadline", limit + _place(trail), temporary=True, captures=tuple(captures)
                ) from error
            except Failure as error:
                raise _error(url, error, trail, captures) from error

    @contextmanager
    def _told(self, url: str, trail: list[str]) -> Iterator[None]:
        try:
            yield
        except Failure as error:
            raise _error(url, error, trail, ()) from error

    async def _follow(self, url: str, asked: Asked, trail: list[str], captures: list[Capture]) -> Response:
        """Go from redirect to redirect; ``trail`` and ``captures`` are filled on the way, whatever happens."""
        answer = await self._ask(Route(url), asked, trail, captures)
        elapsed = answer.elapsed
        while isinstance(answer, Redirect):
            answer = await self._ask(answer.route, asked, trail, captures)
            elapsed += answer.elapsed
        return replace(answer, elapsed=elapsed)

    async def _ask(self, route: Route, asked: Asked, trail: list[str], captures: list[Capture]) -> Response | Redirect:
        """Make one request; ``trail`` and ``captures`` are added to, whatever happens."""
        began = asyncio.get_running_loop().time()
        target = _parsed(route.url)
        self._check(target)
        trail.append(str(target))
        async with self._exchange(target, asked, captures) as exchange:
            answer = exchange.response
            body = None if answer.status_code in REDIRECTS else await self._body(exchange, asked)
            if body is None:
                await exchange.drain()
        elapsed = timedelta(seconds=asyncio.get_running_loop().time() - began)
        if body is None:
            further = self._next(target, answer.headers.get("location"), trail)
            hops = (*route.hops, (trail[-1], answer.status_code))
            return Redirect(Route(str(further), hops), elapsed, tuple(captures))
        return Response(
            url=trail[-1] if route.hops else route.url,
            status=answer.status_code,
            body=body,
            headers=_readable(answer.headers),
            fetched_at=captures[-1].fetched_at if captures else self._clock(),
            elapsed=elapsed,
            redirects=route.hops,
            captures=tuple(captures),
        )

    @asynccontextmanager
    async def _exchange(self, target: httpx.URL, asked: Asked, captures: list[Capture]) -> AsyncIterator[Exchange]:
        """Ask, or take the answer that a run has left which was killed.

        The answer is added to the captures once it has been read, also where that ends in a failure.
        """
        agent, since, inbox = self._settings.full_user_agent, asked.kept_since, self._inbox
        headers = asked.headers(agent, str(target))
        key = key_of(str(target), headers)
        had = inbox.take(key, since) if inbox is not None and since is not None else None
        async with self._wire.exchange(target, headers) if had is None else nullcontext(_again(had)) as exchange:
            exchange.keep = self._keep
            try:
                yield exchange
            finally:
                capture = had or (
                    capture_of(exchange, target, asked.shown(headers, agent), self._clock()) if self._keep else None
                )
                if capture is not None:
                    if inbox is not None and since is not None and had is None:
                        capture = replace(capture, receipt=inbox.put(key, capture))
                    captures.append(capture)

    async def _submit(self, url: str, form: bytes, trail: list[str]) -> int:
        headers = Asked(ACCEPT_TEXT).headers(self._settings.full_user_agent, url)
        headers.append((b"Content-Type", b"application/x-www-form-urlencoded"))
        target = _parsed(url)
        while True:
            self._check(target)
            trail.append(str(target))
            async with self._wire.exchange(target, headers, form) as exchange:
                answer = exchange.response
                if answer.status_code not in KEEPING_REDIRECTS:
                    return await self._taken(exchange)
                await exchange.drain()
            target = self._next(target, answer.headers.get("location"), trail)

    async def _taken(self, exchange: Exchange) -> int:
        status, headers = exchange.response.status_code, exchange.response.headers
        if 200 <= status < 300:
            await exchange.drain()
            return status
        try:
            words = (await exchange.body(DRAIN_BYTES)).decode("utf-8", "replace")
        except Failure:
            words = ""
        raise Failure(
            f"http_{status}",
            words.strip()[:MAX_WORDS] or exchange.response.reason_phrase,
            temporary=is_temporary(status),
            status=status,
            retry_after=retry_after(headers.get("retry-after"), self._clock()) if status in (429, 503) else None,
        )

    def _check(self, target: httpx.URL) -> None:
        """Ask the guard about the URL in the very form in which it is sent: no two parsers to play off."""
        try:
            self._guard.check_url(str(target))
        except FetchError as error:
            raise Failure(error.reason, str(error).removeprefix(f"{error.reason}: "), temporary=False) from error

    def _next(self, target: httpx.URL, location: str | None, trail: list[str]) -> httpx.URL:
        try:
            target = redirect_target(target, location)
        except ValueError as error:
            raise Failure("bad_redirect", f"{(location or '')[:200]!r}: {error}", temporary=False) from error
        if str(target) in trail:
            raise Failure("redirect_loop", f"back to {target}", temporary=False)
        if len(trail) > self._settings.max_redirects:
            raise Failure("too_many_redirects", f"more than {self._settings.max_redirects}", temporary=False)
        return target

    async def _body(self, exchange: Exchange, asked: Asked) -> bytes:
        status = exchange.response.status_code
        if status == 304 and asked.validators != _NONE:
            await exchange.drain()
            return b""
        if not asked.is_answered(status, exchange.response.headers.get("im", "")):
            wait = exchange.response.headers.get("retry-after") if status in (429, 503) else None
            failure = Failure(
                f"http_{status}",
                exchange.response.reason_phrase,
                temporary=is_temporary(status),
                status=status,
                retry_after=retry_after(wait, self._clock()),
            )
            failure.headers, failure.body = _readable(exchange.response.headers), await _excerpt(exchange)
            raise failure
        try:
            body = await exchange.body(self._settings.max_bytes)
        except Failure as error:
            error.status = status
            raise
        if not body:
            raise Failure("empty", f"status {status} without a body", temporary=True, status=status)
        return body


def _error(url: str, error: Failure, trail: list[str], captures: Sequence[Capture]) -> FetchError:
    return FetchError(
        url,
        error.reason,
        f"{error}{_place(trail)}",
        temporary=error.temporary,
        status=error.status,
        retry_after=error.retry_after,
        headers=error.headers,
        body=error.body,
        captures=tuple(captures),
    )


def _again(capture: Capture) -> Exchange:
    """The exchange of which this answer was kept."""
    response = httpx.Response(
        capture.status,
        headers=list(capture.headers),
        stream=httpx.ByteStream(capture.body),
        extensions={
            "http_version": capture.version.encode(),
            "reason_phrase": capture.phrase.encode("ascii", "ignore"),
        },
    )
    return Exchange(response, Progress())


async def _excerpt(exchange: Exchange) -> bytes:
    """What an error page says, if that is short and comes at once; having read it, the connection can be used again."""
    with suppress(TimeoutError, Failure):
        async with asyncio.timeout(DRAIN_SECONDS):
            return await exchange.body(DRAIN_BYTES)
    return b""


def _parsed(url: str) -> httpx.URL:
    try:
        return parse_url(url)
    except ValueError as error:
        raise Failure("bad_url", str(error), temporary=False) from error


def _readable(headers: httpx.Headers) -> dict[str, str]:
    """The headers without those whose value cannot be stored or sent back: HTTP/2 lets NUL and line ends through."""
    return {name: value for name, value in headers.items() if not any(mark in value for mark in "\0\r\n")}


def _place(trail: list[str]) -> str:
    return f" (redirected to {trail[-1]})" if len(trail) > 1 else ""


def _public_trust() -> ssl.SSLContext:
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context
