"""A small web on loopback: a real HTTP server in a thread, which can also misbehave.

::

    with Web({"/feed.xml": page(FEED, "application/rss+xml")}) as web:
        ...fetch web.url("/feed.xml")...
        assert web.paths == ["/feed.xml"]

A route is a function from `Request` to `Reply`; its key is a path (query left out of account), or ``//host/path``
for one host of several. The web remembers every request it was asked, in order, in `Web.requests`, and in
`Web.most_at_once` how many it had to answer at once (over HTTP/1) at each of its addresses.
"""

import gzip
import socket
import ssl
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from types import TracebackType
from typing import Literal, Self

from tests.support.http2 import Answer, serve_http2

End = Literal["keep", "close", "reset", "hang", "goaway"]


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked. ``headers`` have lower-case names; ``host`` is the Host header without its port."""

    method: str
    target: str
    headers: dict[str, str]
    host: str
    address: str
    connection: int
    version: str = "HTTP/1.1"

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
        end: what becomes of the connection once everything is sent. Over HTTP/2, "reset" ends the stream alone, and
            "goaway" is the polite end of a connection.
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
        tls: serve https with this context; HTTP/2 too, if the context offers it.
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
        self.most_at_once: Counter[str] = Counter()
        self._at_once: Counter[str] = Counter()
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
        for thread in list(self._threads):
            while thread.is_alive():  # a connection may just be about to be accepted, and join the list
                with self._lock:
                    sockets = list(self._sockets)
                for sock in sockets:
                    with suppress(OSError):
                        socket.socket.shutdown(sock, socket.SHUT_RDWR)  # without TLS's farewell, which waits
                thread.join(timeout=0.1)
        for sock in list(self._sockets):
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

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
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
            self._start(self._serve, connection, self.connections)

    def _serve(self, plain: socket.socket, number: int) -> None:
        try:
            # The handshake comes with the first read: by then the socket is known, and can be shut down.
            connection = self._tls.wrap_socket(plain, True, do_handshake_on_connect=False) if self._tls else plain
        except OSError:
            return
        with self._lock:
            self._sockets.add(connection)
        try:
            if isinstance(connection, ssl.SSLSocket):
                connection.do_handshake()
                if connection.selected_alpn_protocol() == "h2":
                    serve_http2(connection, lambda headers: self._http2(connection, number, headers))
                    return
            self._serve_http1(connection, number)
        except (OSError, ValueError):
            return  # the client went away
        finally:
            connection.close()
            with self._lock:
                self._sockets.discard(connection)

    def _serve_http1(self, connection: socket.socket, number: int) -> None:
        with connection.makefile("rb") as stream:
            while request := _read_request(stream, connection, number):
                self.requests.append(request)
                with self._counted(request.address):
                    end = self._answer(connection, self._reply(request), request)
                    if end == "hang":
                        connection.recv(1)  # until the client gives up
                if end == "reset":
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                if end != "keep":
                    return

    @contextmanager
    def _counted(self, address: str) -> Iterator[None]:
        """Count a request that is being answered."""
        with self._lock:
            self._at_once[address] += 1
            self.most_at_once[address] = max(self.most_at_once[address], self._at_once[address])
        try:
            yield
        finally:
            with self._lock:
                self._at_once[address] -= 1

    def _http2(self, connection: socket.socket, number: int, headers: dict[str, str]) -> Answer:
        host = headers[":authority"].rpartition(":")[0]
        target, address = headers[":path"], connection.getsockname()[0]
        request = Request(headers[":method"], target, headers, host, address, number, "HTTP/2")
        self.requests.append(request)
        reply = self._reply(request)
        if reply.end == "hang":
            self._closing.wait()
        pieces = [reply.body] if reply.pieces is None else list(reply.pieces)
        length = {} if reply.length in (None, "none") else {"content-length": str(reply.length)}
        return reply.status, {**reply.headers, **length}, [piece for piece in pieces if piece], reply.end

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
