"""Files of any size, read as they come, and forms that are sent."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager

from pipeline.fetch.parts import FetchParts, naming_url, parse_target
from pipeline.fetch.request_options import ACCEPT_TEXT, RequestOptions
from pipeline.fetch.wire import DRAIN_BYTES, Exchange
from pipeline.http.answers import KEEPING_REDIRECTS, REDIRECTS, Download, begins_at, size_of
from pipeline.http.failure import WireFailure


@asynccontextmanager
async def open_download(parts: FetchParts, url: str, offset: int) -> AsyncIterator[Download]:
    """`pipeline.fetch.Fetcher.download`, with the parts of a fetcher."""
    trail: list[str] = []
    target = parse_target(url)
    async with parts.slots, AsyncExitStack() as stack:
        with naming_url(url, trail):
            while True:
                parts.check(target)
                trail.append(str(target))
                headers = _headers(parts, trail[-1], offset)
                exchange = await stack.enter_async_context(parts.wire.exchange(target, headers))
                answer = exchange.response
                if answer.status_code not in REDIRECTS:
                    break
                await exchange.drain()
                target = parts.follow(target, answer.headers.get("location"), trail, may_return=False)
            begin = begins_at(answer.status_code, answer.headers.get("content-range"))
            if answer.status_code not in {200, 206}:
                await exchange.drain()
                raise parts.refusal(answer)
            if begin is None or begin > offset:
                raise WireFailure("bad_range", f"from byte {begin}", status=answer.status_code)
        length, span = answer.headers.get("content-length"), answer.headers.get("content-range")
        chunks = _read(exchange, url, trail, skip=offset - begin)
        async with aclosing(chunks):
            yield Download(chunks, size_of(answer.status_code, length, span, offset))


def _headers(parts: FetchParts, url: str, offset: int) -> list[tuple[bytes, bytes]]:
    headers = RequestOptions("*/*").headers(parts.settings.full_user_agent, url)
    headers = [header for header in headers if header[0].lower() != b"accept-encoding"]
    headers += [(b"Accept-Encoding", b"identity")]
    return headers + ([(b"Range", b"bytes=%d-" % offset)] if offset else [])


async def _read(exchange: Exchange, url: str, trail: list[str], skip: int) -> AsyncGenerator[bytes, None]:
    with naming_url(url, trail):
        async with aclosing(exchange.chunks()) as chunks:
            async for chunk in chunks:
                kept, skip = chunk[skip:], max(0, skip - len(chunk))
                if kept:
                    yield kept


MAX_WORDS = 200
"""Characters of what a server says against a form that are kept."""


async def post_form(parts: FetchParts, url: str, form: bytes) -> int:
    """`pipeline.fetch.Fetcher.post`, with the parts of a fetcher."""
    trail: list[str] = []
    async with parts.in_time(url, trail):
        headers = RequestOptions(ACCEPT_TEXT).headers(parts.settings.full_user_agent, url)
        headers.append((b"Content-Type", b"application/x-www-form-urlencoded"))
        target = parse_target(url)
        while True:
            parts.check(target)
            trail.append(str(target))
            async with parts.wire.exchange(target, headers, form) as exchange:
                answer = exchange.response
                if answer.status_code not in KEEPING_REDIRECTS:
                    return await _read_verdict(parts, exchange)
                await exchange.drain()
            target = parts.follow(target, answer.headers.get("location"), trail, may_return=False)


async def _read_verdict(parts: FetchParts, exchange: Exchange) -> int:
    status = exchange.response.status_code
    if 200 <= status < 300:
        await exchange.drain()
        return status
    try:
        words = (await exchange.body(DRAIN_BYTES)).decode("utf-8", "replace")
    except WireFailure:
        words = ""
    raise parts.refusal(exchange.response, words.strip()[:MAX_WORDS])
