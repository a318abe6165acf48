"""Opening connections, with the guard where it cannot be got around: between the name and the socket."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from itertools import chain, zip_longest
from typing import Any

import httpcore
import httpx

from pipeline.fetch.transports import KEEP_ALIVE_SECONDS
from pipeline.http.failure import WireFailure
from pipeline.http.response_head import HEAD_END, MAX_HEAD, repair_head
from pipeline.http.ssrf_guard import SsrfGuard

_BEGINNINGS = (b"http", b"icy")


class LenientStream(httpcore.AsyncNetworkStream):
    """Repairs the head of each answer: what is read first after something was written. HTTP/2 is left alone."""

    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner
        self._is_in_head = False
        self._ready = b""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109  # httpcore's interface
        """The next bytes; of a head, all of it at once."""
        if self._ready:
            ready, self._ready = self._ready[:max_bytes], self._ready[max_bytes:]
            return ready
        if not self._is_in_head:
            return await self._inner.read(max_bytes, timeout)
        head = b""
        while self._is_in_head:
            data = await self._inner.read(max_bytes, timeout)
            head += data
            self._take(head, is_over=not data)
        ready, self._ready = self._ready[:max_bytes], self._ready[max_bytes:]
        return ready

    def _take(self, head: bytes, *, is_over: bool) -> None:
        """Have what has come of a head ready to be read, once it is whole, or is no head."""
        text = head.lstrip(b"\r\n")
        if is_over or len(head) > MAX_HEAD or (len(text) >= 4 and not text[:4].lower().startswith(_BEGINNINGS)):
            self._ready, self._is_in_head = head, False
            return
        repaired = b""
        while (end := HEAD_END.search(text)) is not None:
            block, text = text[: end.end()], text[end.end() :]
            repaired += repair_head(block)
            if block.split(None, 2)[1:2] != [b"100"] and block.split(None, 2)[1:2] != [b"103"]:
                # What comes before the answer itself, such as "100 Continue", has a head of its own.
                self._ready, self._is_in_head = repaired + text, False
                return

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109  # httpcore's interface
        """Send; an answer comes next."""
        self._is_in_head = True
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's interface
    ) -> httpcore.AsyncNetworkStream:
        """The same connection encrypted: as it is where both sides chose HTTP/2."""
        stream = await self._inner.start_tls(ssl_context, server_hostname, timeout)
        secured = stream.get_extra_info("ssl_object")
        is_http2 = secured is not None and secured.selected_alpn_protocol() == "h2"
        return stream if is_http2 else LenientStream(stream)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  # httpcore's interface
        """What the connection tells of itself."""
        return self._inner.get_extra_info(info)


MAX_ADDRESSES = 4  # enough for both families twice; a name with fifty dead addresses must not cost fifty time-outs
PATIENCE_SECONDS = 3.0  # for an address when there is another to try: broken IPv6 is common, and hangs (RFC 8305)

LookUp = Callable[[bytes, int], list[str]]
SocketOption = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Opens TCP connections to permitted addresses only.

    It resolves the name itself and connects to the very address that was checked, so that no second look-up can
    give another (DNS rebinding). TLS is verified against the name all the same: httpcore asks for that later.

    Args:
        resolver: threads to look names up in.
        look_up: what to call there, with a name and a port; by default the system's resolver.
    """

    def __init__(self, guard: SsrfGuard, resolver: Executor, look_up: LookUp | None = None) -> None:
        self._guard = guard
        self._resolver = resolver
        self._look_up = look_up or _look_up
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first permitted address of the host that answers.

        Raises:
            Failure: the port or every address is forbidden, or the name cannot be resolved.
            httpcore.ConnectError: no address could be reached.
            httpcore.ConnectTimeout: the time was over first.
        """
        self._require_port(port)
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + (timeout if timeout is not None else float("inf"))
        addresses = await self._permitted_addresses(host, port, timeout)
        for left, address in zip(range(len(addresses) - 1, -1, -1), addresses, strict=True):
            remaining = max(0.0, ends_at - loop.time())
            limit = min(remaining, PATIENCE_SECONDS) if left else remaining
            try:
                stream = await self._inner.connect_tcp(
                    address, port, None if limit == float("inf") else limit, local_address, socket_options
                )
                return LenientStream(stream)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if not left:
                    raise
        raise AssertionError("unreachable: there is always a last address")

    async def require_permitted(self, host: str, port: int, limit: float | None = None) -> None:
        """Return if the port and all addresses of the host are permitted, where a proxy connects in our place.

        Raises Failure: they are not, or the name cannot be resolved within ``limit`` seconds.
        """
        self._require_port(port)
        addresses = await self._addresses(host, port, limit)
        if forbidden := [address for address in addresses if not self._guard.permitted(address)]:
            raise WireFailure("blocked_address", f"{host} is {', '.join(forbidden)}: no public address")

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's interface
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Refuse: no news comes from a socket of this machine."""
        raise WireFailure("blocked_address", f"unix socket {path}")

    async def sleep(self, seconds: float) -> None:
        """Wait; httpcore calls this between attempts."""
        await asyncio.sleep(seconds)

    def _require_port(self, port: int) -> None:
        if not self._guard.permitted_port(port):
            raise WireFailure("blocked_port", f"port {port} is not one of the web")

    async def _permitted_addresses(self, host: str, port: int, limit: float | None) -> list[str]:
        addresses = await self._addresses(host, port, limit)
        permitted = [address for address in addresses if self._guard.permitted(address)]
        if not permitted:
            raise WireFailure("blocked_address", f"{host} is {', '.join(addresses)}: no public address")
        return _families_in_turn(permitted)[:MAX_ADDRESSES]

    async def _addresses(self, host: str, port: int, limit: float | None) -> list[str]:
        fixed = self._guard.fixed_address(host)
        if fixed is not None:
            return [fixed]
        if _is_address(host):
            return [host]
        try:
            async with asyncio.timeout(limit):
                # As bytes: Python's IDNA codec raises on names that are merely odd; httpx has encoded it already.
                answers = await asyncio.get_running_loop().run_in_executor(
                    self._resolver, self._look_up, host.encode("ascii", "replace"), port
                )
        except TimeoutError as error:
            raise WireFailure("dns", f"no answer about {host} in time") from error
        except (OSError, ValueError) as error:
            # A name that is unknown today is often a resolver that is ill today; retries are bounded anyway.
            raise WireFailure("dns", f"{host}: {error}") from error
        return list(dict.fromkeys(answers))


class GuardedTransport(httpx.AsyncHTTPTransport):
    """The transport of httpx for one origin, whose connections the guarded backend opens.

    Args:
        trust: whose certificates are believed.
        kept: how many stay open between requests.
    """

    def __init__(self, backend: GuardedBackend, connections: int, trust: ssl.SSLContext, kept: int = 1) -> None:
        super().__init__(verify=trust, trust_env=False)
        # The one private name that we touch: httpx has no public way to pass a backend on to the pool that it makes.
        # It is read first, so that under another name it would raise rather than leave requests to that pool.
        if not isinstance(self._pool, httpcore.AsyncConnectionPool):
            raise TypeError("this release of httpx keeps its connections elsewhere")
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=trust,
            max_connections=connections,
            max_keepalive_connections=kept,
            keepalive_expiry=KEEP_ALIVE_SECONDS,
            http2=True,
            network_backend=backend,
        )


def _look_up(host: bytes, port: int) -> list[str]:
    return [str(answer[4][0]) for answer in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _families_in_turn(addresses: list[str]) -> list[str]:
    """The addresses with the two families alternating, the resolver's first choice first."""
    first_kind = ":" in addresses[0]
    same = [address for address in addresses if (":" in address) == first_kind]
    others = [address for address in addresses if (":" in address) != first_kind]
    return [address for address in chain.from_iterable(zip_longest(same, others)) if address is not None]
