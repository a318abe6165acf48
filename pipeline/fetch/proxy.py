"""Asking through a proxy that the user named: the guard judges what is asked for, before the proxy is asked.

For http the proxy is asked for the whole URL, for https to open a tunnel (RFC 9110, 9.3.6), through which TLS is spoken
with the site itself. Either way it is the proxy that connects, to an address that it finds by itself: the look-up here
says what a name means now and for us, and no more. So all addresses of a name have to be permitted, not just one.
"""

import ssl
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes, urlsplit, urlunsplit

import httpcore
import httpx

from pipeline.fetch.connect import GuardedBackend, SocketOption
from pipeline.fetch.transports import KEEP_ALIVE_SECONDS
from pipeline.http.failure import WireFailure


class ProxyBackend(httpcore.AsyncNetworkBackend):
    """Opens connections to the proxy; what goes wrong says so, since no site is to blame.

    Args:
        connector: permits the addresses of the proxy: the user named it.
    """

    def __init__(self, connector: GuardedBackend) -> None:
        self._connector = connector

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the proxy. Raises WireFailure when it cannot be reached."""
        try:
            return await self._connector.connect_tcp(host, port, timeout, local_address, socket_options)
        except (WireFailure, httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            words = str(error) or type(error).__name__
            raise WireFailure("proxy", f"the proxy cannot be reached: {words}") from error

    async def sleep(self, seconds: float) -> None:
        """Wait; httpcore calls this between attempts."""
        await self._connector.sleep(seconds)


class ProxiedTransport(httpx.AsyncHTTPTransport):
    """The transport of httpx for one origin, through a proxy.

    Args:
        gate: judges what is asked for.
        proxy: its URL, which may have a user name and a password.
        trust: whose certificates are believed, of sites and of the proxy.
    """

    def __init__(
        self, gate: GuardedBackend, backend: ProxyBackend, proxy: str, connections: int, trust: ssl.SSLContext
    ) -> None:
        super().__init__(verify=trust, trust_env=False)
        # As for `GuardedTransport`: httpx has no way to pass a backend on.
        if not isinstance(self._pool, httpcore.AsyncConnectionPool):
            raise TypeError("this release of httpx keeps its connections elsewhere")
        self._gate = gate
        address, credentials = split_credentials(proxy)
        self._pool = httpcore.AsyncHTTPProxy(
            address,
            proxy_auth=credentials,
            proxy_ssl_context=trust if address.startswith("https:") else None,
            ssl_context=trust,
            max_connections=connections,
            max_keepalive_connections=1,  # of this origin
            keepalive_expiry=KEEP_ALIVE_SECONDS,
            http2=True,
            network_backend=backend,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Ask the proxy, if the guard has nothing against the host.

        Raises Failure: it has, or the host has no address here, or the proxy wants other credentials.
        """
        host = request.url.raw_host.decode("ascii")
        if ":" in host and request.url.scheme == "https":
            raise WireFailure("proxy", "httpcore cannot ask a proxy for a tunnel to an IPv6 literal", temporary=False)
        port = request.url.port or {"http": 80, "https": 443}[request.url.scheme]
        await self._gate.require_permitted(host, port, request.extensions.get("timeout", {}).get("connect"))
        response = await super().handle_async_request(request)
        if response.status_code == httpx.codes.PROXY_AUTHENTICATION_REQUIRED and request.url.scheme == "http":
            await response.aclose()
            raise WireFailure("proxy", f"407 {response.reason_phrase}: it wants other credentials")
        return response


def split_credentials(proxy: str) -> tuple[str, tuple[bytes, bytes] | None]:
    """The address of a proxy without the user's name and password, and these.

    >>> split_credentials("http://me:p%40ss@proxy.example:3128")
    ('http://proxy.example:3128', (b'me', b'p@ss'))
    """
    parts = urlsplit(proxy)
    given, at, host = parts.netloc.rpartition("@")
    if not at:
        return proxy, None
    user, _, password = given.partition(":")
    return urlunsplit(parts._replace(netloc=host)), (unquote_to_bytes(user), unquote_to_bytes(password))
