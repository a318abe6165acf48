"""Documents: pages and feeds, asked for in steps, one for each hop of a chain of redirects."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import replace
from datetime import datetime, timedelta

import httpx

from pipeline.fetch.parts import FetchParts, parse_target, readable_headers
from pipeline.fetch.request_options import NO_VALIDATORS, RequestOptions
from pipeline.fetch.response_journal import request_key
from pipeline.fetch.wire import DRAIN_BYTES, DRAIN_SECONDS, Exchange, Header
from pipeline.http.answers import REDIRECTS
from pipeline.http.failure import RequestProgress, WireFailure
from pipeline.http.redirect_chains import cookie_header, refresh_target, take_cookies
from pipeline.model import Capture, Redirect, Response, Route

TELLING = frozenset(
    {
        b"a-im",
        b"accept",
        b"accept-encoding",
        b"accept-language",
        b"host",
        b"if-modified-since",
        b"if-none-match",
        b"range",
        b"user-agent",
    }
)
"""The request headers that are kept. Not a list of what is secret: a header of an unknown name may well be a key."""


def make_capture(exchange: Exchange, target: httpx.URL, headers: Sequence[Header], at: datetime) -> Capture | None:
    """The exchange, to be kept; None where a good answer broke off: part of a page is not the page.

    Of errors and redirects the body is left out where it could not be had at once.
    """
    answer = exchange.response
    if exchange.sent is None and 200 <= answer.status_code < 300:
        return None
    request = [(name, value) for name, value in headers if name.lower() in TELLING]
    if target.netloc and not any(name.lower() == b"host" for name, _ in request):
        request.insert(0, (b"Host", target.netloc))
    # Who was let in by a secret is given secrets in return.
    is_secret = any(name.lower() not in TELLING for name, _ in headers)
    return Capture(
        url=str(target),
        status=answer.status_code,
        phrase=answer.reason_phrase,
        headers=tuple(
            (name, value) for name, value in answer.headers.raw if not (is_secret and name.lower() == b"set-cookie")
        ),
        body=exchange.sent or b"",
        fetched_at=at,
        version=answer.http_version,
        is_whole=exchange.sent is not None,
        request=tuple(request),
        address=_address(answer),
    )


def _address(answer: httpx.Response) -> str | None:
    try:
        address = answer.extensions["network_stream"].get_extra_info("server_addr")
        return str(address[0]) if address else None
    except Exception:  # noqa: BLE001  # a socket that is closed already tells nothing, each library in its own way
        return None


async def take_step(parts: FetchParts, route: Route, asked: RequestOptions) -> Response | Redirect:
    """`pipeline.fetch.Fetcher.step`, with the parts of a fetcher."""
    trail = [hop for hop, _ in route.hops]
    captures: list[Capture] = []
    async with parts.in_time(route.url, trail, captures):
        answer = await _ask(parts, route, asked, trail, captures)
        if isinstance(answer, Redirect):
            try:
                parts.check(parse_target(answer.route.url))
            except WireFailure as error:
                error.status = answer.route.hops[-1][1]  # there was an answer: this host may be asked
                raise
    return answer


async def _ask(
    parts: FetchParts, route: Route, asked: RequestOptions, trail: list[str], captures: list[Capture]
) -> Response | Redirect:
    """Make one request; ``trail`` and ``captures`` are added to, whatever happens."""
    began = asyncio.get_running_loop().time()
    target = parse_target(route.url)
    parts.check(target)
    trail.append(str(target))
    async with _exchange(parts, target, route, asked, captures) as exchange:
        answer = exchange.response
        body = None if answer.status_code in REDIRECTS else await _read_body(parts, exchange, asked)
        if body is None:
            await exchange.drain()
    elapsed = timedelta(seconds=asyncio.get_running_loop().time() - began)
    location = answer.headers.get("location") if body is None else _refresh(exchange, asked, body, trail[-1])
    if body is None or location is not None:
        cookies = take_cookies(route.cookies, answer.headers.get_list("set-cookie"), trail[-1])
        # Once more where there are cookies: a site that sets one leads back to see whether it is sent.
        further = str(parts.follow(target, location, trail, may_return=bool(cookies)))
        return Redirect(
            Route(further, (*route.hops, (trail[-1], answer.status_code)), cookies), elapsed, tuple(captures)
        )
    return Response(
        url=trail[-1] if route.hops else route.url,
        status=answer.status_code,
        body=body,
        headers=readable_headers(answer.headers),
        fetched_at=captures[-1].fetched_at if captures else parts.clock(),
        elapsed=elapsed,
        redirects=route.hops,
        captures=tuple(captures),
        is_cut=exchange.is_cut,
    )


def _refresh(exchange: Exchange, asked: RequestOptions, body: bytes, url: str) -> str | None:
    """Where a page sends its readers on by itself."""
    answer = exchange.response
    if answer.status_code != 200 or not asked.follows_refresh:
        return None
    content_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    return refresh_target(answer.headers.get("refresh"), content_type, body, url)


@asynccontextmanager
async def _exchange(
    parts: FetchParts, target: httpx.URL, route: Route, asked: RequestOptions, captures: list[Capture]
) -> AsyncIterator[Exchange]:
    """Ask, or take the answer that a run has left which was killed.

    The answer is added to the captures once it has been read, also where that ends in a failure.
    """
    agent, since, journal = parts.settings.full_user_agent, asked.kept_since, parts.journal
    headers = asked.headers(agent, str(target), cookie_header(route.cookies, str(target)))
    key = request_key(str(target), headers)
    left = journal.take(key, since) if journal is not None and since is not None else None
    async with parts.wire.exchange(target, headers) if left is None else nullcontext(_again(left)) as exchange:
        exchange.keep = parts.keep
        try:
            yield exchange
        finally:
            capture = left or (
                make_capture(exchange, target, asked.shown(headers, agent), parts.clock()) if parts.keep else None
            )
            if capture is not None:
                if journal is not None and since is not None and left is None:
                    capture = replace(capture, receipt=journal.put(key, capture))
                captures.append(capture)


async def _read_body(parts: FetchParts, exchange: Exchange, asked: RequestOptions) -> bytes:
    answer = exchange.response
    status = answer.status_code
    if status == 304 and asked.validators != NO_VALIDATORS:
        await exchange.drain()
        return b""
    if not asked.is_answered(status, answer.headers.get("im", "")):
        failure = parts.refusal(answer)
        failure.headers, failure.body = readable_headers(answer.headers), await _excerpt(exchange)
        raise failure
    try:
        body = await exchange.body(parts.settings.max_bytes, takes_cut=asked.takes_cut)
    except WireFailure as error:
        error.status = status
        raise
    if not body:
        raise WireFailure("empty", f"status {status} without a body", status=status)
    return body


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
    return Exchange(response, RequestProgress())


async def _excerpt(exchange: Exchange) -> bytes:
    """What an error page says, if that is short and comes at once; having read it, the connection can be used again."""
    with suppress(TimeoutError, WireFailure):
        async with asyncio.timeout(DRAIN_SECONDS):
            return await exchange.body(DRAIN_BYTES)
    return b""
