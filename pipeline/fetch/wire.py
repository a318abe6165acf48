"""One request and its answer on the wire, without redirects."""

import asyncio
import logging
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass

import httpx

from pipeline.config import Settings
from pipeline.fetch.connect import GuardedBackend, GuardedTransport
from pipeline.fetch.proxy import ProxiedTransport, ProxyBackend
from pipeline.fetch.transports import Transports
from pipeline.http.answers import is_complete_document
from pipeline.http.codings import BodyDecoder
from pipeline.http.failure import RequestProgress, WireFailure, translate_errors
from pipeline.http.ssrf_guard import SsrfGuard

MAX_RESOLVER_THREADS = 32  # look-ups block a thread each; more at once than this is a storm on the resolver
DRAIN_BYTES = 64 * 1024  # reading the rest of an error page is cheaper than a new TLS handshake, up to here
DRAIN_SECONDS = 1.0

Header = tuple[bytes, bytes]

# What compresses the headers of HTTP/2 logs each with its value on DEBUG: passwords and cookies among them.
logging.getLogger("hpack").setLevel(logging.INFO)


@dataclass(slots=True)
class Exchange:
    """One answer, as far as it has come.

    Attributes:
        keep: whether its body is to be kept as it came.
        sent: the body as it came, once it has been read to its end and where it is kept.
        is_cut: whether that was before the end that was announced.
    """

    response: httpx.Response
    progress: RequestProgress
    keep: bool = False
    sent: bytes | None = None
    is_cut: bool = False

    async def body(self, max_bytes: int, *, takes_cut: bool = False) -> bytes:
        """Read and decode the body; ``takes_cut`` where one that is cut short will do if it is complete in itself.

        Raises Failure: it is broken, or larger than ``max_bytes``.
        """
        headers = self.response.headers
        announced = headers.get("content-length", "")
        if announced.isdecimal() and len(announced) < 20 and int(announced) > max_bytes:
            raise WireFailure("too_large", f"{int(announced):,} bytes announced")
        body = BodyDecoder(headers.get("content-encoding", ""), max_bytes, keep=self.keep)
        try:
            async with aclosing(self.chunks()) as chunks:
                async for chunk in chunks:
                    body.feed(chunk)
            decoded = body.finish()
        except WireFailure as error:
            decoded = body.so_far
            if not takes_cut or error.reason != "truncated" or not is_complete_document(decoded):
                raise
            self.is_cut = True
        if self.keep:
            self.sent = body.as_sent(decoded)
        return decoded

    async def drain(self) -> None:
        """Read what is left of a short body that nobody wants, so that the connection can be used again."""
        drained = bytearray()
        with suppress(TimeoutError, WireFailure):
            async with asyncio.timeout(DRAIN_SECONDS), aclosing(self.chunks()) as chunks:
                async for chunk in chunks:
                    drained += chunk
                    if len(drained) > DRAIN_BYTES:
                        return
            if self.keep:
                self.sent = bytes(drained)

    async def close(self) -> None:
        """Give the connection back, or close it if there is more to come that nobody wants."""
        # What goes wrong here changes nothing about the answer.
        with suppress(Exception):
            if not self.response.is_closed and self.response.http_version == "HTTP/2":
                # httpx does not reset the stream: the server would go on sending, and the connection's window
                # shrink for good. Closing the connection is the only way to be rid of the rest.
                await self.response.extensions["network_stream"].aclose()
        with suppress(Exception):
            await self.response.aclose()

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The body as it comes, in its content codings."""
        with translate_errors(self.progress):
            async for chunk in self.response.aiter_raw():  # closes the response after the last one
                yield chunk


class Wire:
    """Connections, kept and new.

    Args:
        settings: the longest wait for one operation (the connection with its look-up, its TLS, each read and write), a
            proxy to ask through, and how many connections of one host stay open between requests.
        connections: how many at once.
        trust: whose certificates are believed.
    """

    def __init__(self, settings: Settings, guard: SsrfGuard, connections: int, trust: ssl.SSLContext) -> None:
        self._timeout = httpx.Timeout(settings.timeout.total_seconds(), pool=None).as_dict()
        self._resolver = ThreadPoolExecutor(min(connections, MAX_RESOLVER_THREADS), "resolver")
        backend = GuardedBackend(guard, self._resolver)
        through = ProxyBackend(GuardedBackend(guard.opened(), self._resolver))

        def make() -> httpx.AsyncHTTPTransport:
            if settings.proxy:
                return ProxiedTransport(backend, through, settings.proxy, connections, trust)
            return GuardedTransport(backend, connections, trust, settings.host_connections)

        self._transports = Transports(make, most=connections)

    async def close(self) -> None:
        """Close every connection."""
        await self._transports.close()
        # Not waited for: a look-up that hangs ends by itself, with the resolver's own time-out.
        self._resolver.shutdown(wait=False, cancel_futures=True)

    @asynccontextmanager
    async def exchange(
        self, url: httpx.URL, headers: Sequence[Header], form: bytes | None = None
    ) -> AsyncIterator[Exchange]:
        """Ask for the URL; gives the answer as soon as its headers are there.

        It is a POST where there is a form.

        Raises Failure: no answer.
        """
        async with self._transports.of(url) as transport:
            exchange = await self._begin(transport, url, headers, form)
            try:
                yield exchange
            finally:
                await exchange.close()

    async def _begin(
        self, transport: httpx.AsyncBaseTransport, url: httpx.URL, headers: Sequence[Header], form: bytes | None
    ) -> Exchange:
        progress = RequestProgress()
        try:
            return await self._send(transport, url, headers, form, progress)
        except WireFailure as error:
            if progress.connected or not error.lost:
                raise
        # A connection kept from before, which the server has closed meanwhile: that says nothing about the page.
        return await self._send(transport, url, headers, form, RequestProgress())

    async def _send(
        self,
        transport: httpx.AsyncBaseTransport,
        url: httpx.URL,
        headers: Sequence[Header],
        form: bytes | None,
        progress: RequestProgress,
    ) -> Exchange:
        method = "GET" if form is None else "POST"
        extensions = {"timeout": self._timeout, "trace": progress}
        request = httpx.Request(method, url, headers=headers, content=form, extensions=extensions)
        with translate_errors(progress):
            return Exchange(await transport.handle_async_request(request), progress)
