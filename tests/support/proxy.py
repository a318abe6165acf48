"""A real HTTP proxy on loopback: it forwards requests for http, and opens tunnels for https (RFC 9112, 3.2).

::

    with Proxy({"news.test": "127.0.0.1"}) as proxy, Web(...) as web:
        ...fetch web.url() through proxy.url...
        assert proxy.asked == [f"GET http://news.test:{web.port}/"]

It finds addresses by itself, in ``names``, as a proxy does; what is not in there is asked for as it is.
"""

import socket
import threading
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


class Proxy:
    """The proxy; a context manager.

    Args:
        names: addresses of names.
        credentials: ``user:password`` that it wants; None for none.
        refusal: the status with which it refuses every tunnel; None to open them.

    Attributes:
        asked: method and target of every request, in order.
        authorizations: what came with each as ``Proxy-Authorization``; empty where nothing did.
    """

    def __init__(
        self, names: Mapping[str, str] | None = None, *, credentials: str | None = None, refusal: int | None = None
    ) -> None:
        self.asked: list[str] = []
        self.authorizations: list[str] = []
        self._names = names or {}
        self._credentials = credentials
        self._refusal = refusal
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for sock in [self._listener, *self._sockets]:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    @property
    def url(self) -> str:
        """What to set NEWS_PROXY to."""
        user = f"{self._credentials}@" if self._credentials else ""
        return f"http://{user}127.0.0.1:{self.port}"

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client.makefile("rb") as stream:
            while head := _head(stream):
                method, target, _ = head[0].split(" ", 2)
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
                self.asked.append(f"{method} {target}")
                self.authorizations.append(headers.get("proxy-authorization", ""))
                if not self._admits(headers):
                    client.sendall(_answer(407, "Proxy Authentication Required", "Proxy-Authenticate: Basic\r\n"))
                elif method != "CONNECT":
                    client.sendall(self._forwarded(method, target, head[1:]))
                elif self._refusal:
                    client.sendall(_answer(self._refusal, "No Tunnel"))
                else:
                    self._tunnel(client, target)
                    return

    def _admits(self, headers: Mapping[str, str]) -> bool:
        if self._credentials is None:
            return True
        return headers.get("proxy-authorization") == f"Basic {b64encode(self._credentials.encode()).decode()}"

    def _connect(self, host: str, port: int) -> socket.socket:
        server = socket.create_connection((self._names.get(host, host), port), timeout=10)
        self._sockets.append(server)
        return server

    def _forwarded(self, method: str, target: str, headers: list[str]) -> bytes:
        """The whole answer of the server; nothing of what was meant for the proxy goes on to it."""
        parts = urlsplit(target)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        kept = [line for line in headers if not line.lower().startswith(("proxy-", "connection:"))]
        lines = [f"{method} {path} HTTP/1.1", *kept, "Connection: close", "", ""]
        with self._connect(parts.hostname or "", parts.port or 80) as server, server.makefile("rb") as stream:
            server.sendall("\r\n".join(lines).encode("latin-1"))
            answer = _head(stream)
            length = next((int(line.split(":")[1]) for line in answer if line.lower().startswith("content-length")), 0)
            return "\r\n".join([*answer, "", ""]).encode("latin-1") + stream.read(length)

    def _tunnel(self, client: socket.socket, target: str) -> None:
        host, _, port = target.rpartition(":")
        with self._connect(host, int(port)) as server:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pass_on, args=(server, client), daemon=True)
            back.start()
            _pass_on(client, server)
            back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _head(stream: object) -> list[str]:
    lines = []
    for line in stream:  # type: ignore[attr-defined]
        if not line.strip():
            break
        lines.append(line.decode("latin-1").strip())
    return lines


def _answer(status: int, phrase: str, headers: str = "") -> bytes:
    return f"HTTP/1.1 {status} {phrase}\r\n{headers}Content-Length: 0\r\n\r\n".encode()
