"""A small web on loopback: a real HTTP/1.1 server in a thread, which can also misbehave.

::

    with Web({"/feed.xml": page(FEED, "application/rss+xml")}) as web:
        ...fetch web.url("/feed.xml")...
        assert web.paths == ["/feed.xml"]

A route is a function from `Request` to `Reply`; its key is a path (query left out of account), or ``//host/path``
for one host of several. The web remembers every request it was asked, in order, in `Web.requests`.
"""

import gzip
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from types import TracebackType
from typing import Literal, Self

End = Literal["keep", "close", "reset", "hang"]


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked. ``headers`` have lower-case names; ``host`` is the Host header without its port."""

    method: str
    target: str
    headers: dict[str, str]
    host: str
    address: str
    connection: int

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answers.

    Attributes:
        chunked: send the body chunked, one chunk per piece.
        length: the Content-Length to claim, where it is to be a lie; "none" to leave it out (ends at the close).
        pieces: the body in pieces instead of at once.
        pause: seconds before each piece: a slow drip.
        end: what becomes of the connection once everything is sent.
        raw: exactly these bytes instead of everything above.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    chunked: bool = False
    length: int | Literal["none"] | None = None
    pieces: Iterable[bytes] | None = None
    pause: float = 0.0
    end: End = "keep"
    raw: Iterable[bytes] | None = None


Route = Callable[[Request], Reply]


def page(text: str | bytes, content_type: str = "text/html; charset=utf-8", **headers: str) -> Route:
    """A route that always answers with this body; ``headers`` may be written with underscores."""
    body = text.encode() if isinstance(text, str) else text
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: Reply(body=body, headers={"Content-Type": content_type, **named})


def status(code: int, body: str = "", **headers: str) -> Route:
    """A route that always answers with this status."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: Reply(status=code, body=body.encode(), headers=named)


def redirect(to: str, code: int = 302) -> Route:
    """A route that leads elsewhere."""
    return status(code, Location=to)


def validated(text: str | bytes, etag: str = '"1"', content_type: str = "text/html; charset=utf-8") -> Route:
    """A route with an ETag, which answers 304 to who has it already."""

    def answer(request: Request) -> Reply:
        if request.headers.get("if-none-match") == etag:
            return Reply(status=304, headers={"ETag": etag})
        return page(text, content_type, ETag=etag)(request)

    return answer


def in_turn(*routes: Route) -> Route:
    """A route that answers with each of the routes once, and then with the last for ever."""
    left = list(routes)
    return lambda request: (left.pop(0) if len(left) > 1 else left[0])(request)


def gzipped(route: Route) -> Route:
    """The route with its body compressed."""

    def answer(request: Request) -> Reply:
        reply = route(request)
        return replace(reply, body=gzip.compress(reply.body), headers={**reply.headers, "Content-Encoding": "gzip"})

    return answer


class Web:
    """The server; a context manager.

    Args:
        routes: may be changed while the server runs.
        addresses: loopback addresses to serve on, all at one port.
        tls: serve https with this context.
    """

    def __init__(
        self,
        routes: dict[str, Route] | None = None,
        *,
        addresses: Iterable[str] = ("127.0.0.1",),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.routes = {} if routes is None else routes
        self.requests: list[Request] = []
        self.connections = 0
        self._addresses = tuple(addresses)
        self._tls = tls
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._sockets: set[socket.socket] = set()

    def __enter__(self) -> Self:
        listeners = []
        port = 0
        for address in self._addresses:
            listener = socket.create_server((address, port), backlog=128)
            port = listener.getsockname()[1]
            listeners.append(listener)
        self.port = port
        self._sockets.update(listeners)
        for listener in listeners:
            self._start(self._accept, listener)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._closing.set()
        with self._lock:
            sockets = list(self._sockets)
        for sock in sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join(timeout=10)
            assert not thread.is_alive(), "a connection of the test server does not end"
        for sock in sockets:
            sock.close()

    @property
    def paths(self) -> list[str]:
        """What was asked for, in order, with the query."""
        return [request.target for request in list(self.requests)]

    def asked(self, path: str) -> list[Request]:
        """The requests for one path."""
        return [request for request in list(self.requests) if request.path == path]

    def url(self, path: str = "/", *, host: str | None = None) -> str:
        """The URL of a path here; ``host`` defaults to the first address."""
        return f"{'https' if self._tls else 'http'}://{host or self._addresses[0]}:{self.port}{path}"

    def _start(self, work: Callable[[socket.socket], None], sock: socket.socket) -> None:
        thread = threading.Thread(target=work, args=(sock,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or each small answer takes 40 ms
            with self._lock:
                self.connections += 1
                self._sockets.add(connection)
            self._start(self._serve, connection)

    def _serve(self, plain: socket.socket) -> None:
        number = self.connections
        connection = plain
        try:
            if self._tls:
                connection = self._tls.wrap_socket(plain, server_side=True)
            with connection.makefile("rb") as stream:
                while request := _read_request(stream, connection, number):
                    self.requests.append(request)
                    end = self._answer(connection, self._reply(request), request)
                    if end == "hang":
                        self._closing.wait()
                    if end == "reset":
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    if end != "keep":
                        return
        except (OSError, ValueError):
            return  # the client went away
        finally:
            connection.close()
            with self._lock:
                self._sockets.discard(plain)

    def _reply(self, request: Request) -> Reply:
        route = self.routes.get(f"//{request.host}{request.path}") or self.routes.get(request.path)
        return route(request) if route else Reply(status=404, body=b"not here")

    def _answer(self, connection: socket.socket, reply: Reply, request: Request) -> End:
        for piece in reply.raw if reply.raw is not None else _wire(reply, request):
            if reply.pause and self._closing.wait(reply.pause):
                return "close"
            connection.sendall(piece)
        return "close" if reply.length == "none" and reply.end == "keep" else reply.end


def _read_request(stream: Iterable[bytes], connection: socket.socket, number: int) -> Request | None:
    lines = []
    for line in stream:
        if not line.strip():
            break
        lines.append(line.decode("latin-1").strip())
    if not lines:
        return None
    method, target, _ = lines[0].split(" ")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    host = headers.get("host", "").rpartition(":")[0] or headers.get("host", "")
    return Request(method, target, headers, host, connection.getsockname()[0], number)


def _wire(reply: Reply, request: Request) -> Iterator[bytes]:
    """The bytes of an answer."""
    phrase = HTTPStatus(reply.status).phrase if reply.status in HTTPStatus._value2member_map_ else "Unknown"
    lines = [f"HTTP/1.1 {reply.status} {phrase}", *(f"{name}: {value}" for name, value in reply.headers.items())]
    has_body = request.method != "HEAD" and reply.status not in (204, 304)
    if reply.chunked:
        lines.append("Transfer-Encoding: chunked")
    elif reply.length != "none" and has_body:
        whole = reply.body if reply.pieces is None else b"".join(reply.pieces)
        lines.append(f"Content-Length: {len(whole) if reply.length is None else reply.length}")
    if reply.end != "keep":
        lines.append("Connection: close")
    yield "".join(f"{line}\r\n" for line in [*lines, ""]).encode("utf-8")
    if not has_body:
        return
    for piece in (reply.body,) if reply.pieces is None else reply.pieces:
        if piece:
            yield b"%x\r\n%b\r\n" % (len(piece), piece) if reply.chunked else piece
    if reply.chunked and reply.end == "keep":
        yield b"0\r\n\r\n"
