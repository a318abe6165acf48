"""A small HTTP server for callbacks: one request for each connection, with bounds on everything that a stranger sends.

Nothing of a body is kept: it goes by in pieces. TLS is left to the proxy in front.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from http import HTTPStatus

import h11

MAX_HEAD_BYTES = 16 * 1024
"""Of request line and headers together."""

MAX_CONNECTIONS = 100
"""At once; a further one is turned away with 503, and the hub tries again."""

REQUEST_SECONDS = 30.0
"""For a whole request: who sends a byte a second is not waited for."""

LINGER_BYTES = 1024 * 1024
"""Read after an answer that came before the end of the request: closing at once would make the client lose it."""

PIECE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class CallbackRequest:
    """A request. ``headers`` have lower-case names; ``body`` may raise `TooLarge`."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class CallbackReply:
    """What to answer: a status and plain text."""

    status: int
    text: str = ""


class TooLarge(Exception):  # noqa: N818  # becomes an answer, and never leaves this module
    """The body is larger than the server takes."""


class Server:
    """Serves callbacks; an asynchronous context manager.

    Args:
        answer: what to answer to a call; an exception of it is answered with 500, and reported to ``failed``.
        max_bytes: the largest body.
        failed: is told what went wrong with us.
    """

    def __init__(
        self,
        answer: Callable[[CallbackRequest], Awaitable[CallbackReply]],
        max_bytes: int,
        failed: Callable[[Exception], None],
    ) -> None:
        self._answer = answer
        self._max_bytes = max_bytes
        self._failed = failed
        self._open = 0
        self._server: asyncio.Server | None = None

    async def listen(self, host: str, port: int) -> int:
        """Begin to serve; returns the port, which matters where 0 was asked for.

        Raises OSError: the address cannot be served on.
        """
        self._server = await asyncio.start_server(self._serve, host, port, limit=PIECE_BYTES)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Take no more calls."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                await self._exchange(reader, writer)
        except (TimeoutError, OSError, h11.ProtocolError):
            pass  # the client is gone, too slow, or speaks no HTTP
        finally:
            self._open -= 1
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD_BYTES)
        try:
            answer = await self._answered(connection, reader, writer)
        except h11.RemoteProtocolError as error:
            answer = CallbackReply(error.error_status_hint, "not understood")
        if connection.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        body = answer.text.encode()
        headers = [
            ("Content-Type", "text/plain; charset=utf-8"),  # a challenge is echoed: never as HTML (5.3.1)
            ("X-Content-Type-Options", "nosniff"),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
        ]
        phrase = HTTPStatus(answer.status).phrase
        for event in (
            h11.Response(status_code=answer.status, headers=headers, reason=phrase),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            writer.write(connection.send(event) or b"")
        await writer.drain()
        await _linger(connection, reader, writer)

    async def _answered(
        self, connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> CallbackReply:
        request = await _next_event(connection, reader, writer)
        if not isinstance(request, h11.Request):
            raise ConnectionResetError
        if self._open > MAX_CONNECTIONS:
            return CallbackReply(503, "busy")
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers}
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > self._max_bytes:
            return CallbackReply(413, "too large")
        body = self._body(connection, reader, writer)
        method = request.method.decode()
        try:
            answer = await self._answer(CallbackRequest(method, request.target.decode(), headers, body))
            return replace(answer, text="") if method == "HEAD" else answer
        except TooLarge:
            return CallbackReply(413, "too large")
        except (OSError, h11.RemoteProtocolError):
            raise
        except Exception as error:  # noqa: BLE001  # the hub tries again after a 500; the service must go on
            self._failed(error)
            return CallbackReply(500, "out of order")

    async def _body(
        self, connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> AsyncIterator[bytes]:
        size = 0
        while isinstance(event := await _next_event(connection, reader, writer), h11.Data):
            size += len(event.data)
            if size > self._max_bytes:
                raise TooLarge
            yield bytes(event.data)


async def _next_event(
    connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
    while (event := connection.next_event()) is h11.NEED_DATA:
        if connection.they_are_waiting_for_100_continue:
            go_on = h11.InformationalResponse(status_code=100, headers=[], reason="Continue")
            writer.write(connection.send(go_on) or b"")
        connection.receive_data(await reader.read(PIECE_BYTES))
    return event


async def _linger(connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read a bounded part of what the client still sends, so that it gets to reading the answer."""
    if connection.their_state is not h11.SEND_BODY or not writer.can_write_eof():
        return
    writer.write_eof()
    left = LINGER_BYTES
    while left > 0 and (piece := await reader.read(PIECE_BYTES)):
        left -= len(piece)
