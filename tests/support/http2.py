"""The HTTP/2 half of `tests.support.web`: one connection at a time, answers in the order of the requests."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext, create_default_context

import h2.config
import h2.connection
import h2.events

_TLS = Path(__file__).parent / "tls"

Answer = tuple[int, dict[str, str], list[bytes], str]
"""Status (0 to send none), headers, body in pieces, and the end: "keep", "reset" (the stream), "goaway" or "close"."""


def server_context(*protocols: str) -> SSLContext:
    """For serving https as news.test and every name below it."""
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_TLS / "server.pem")
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


def trusting_context() -> SSLContext:
    """For a client that believes the test authority and no other."""
    return create_default_context(cafile=str(_TLS / "authority.pem"))


def serve_http2(connection: socket.socket, answer: Callable[[dict[str, str]], Answer]) -> None:
    """Answer requests until the client goes away or an answer ends the connection."""
    state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    state.initiate_connection()
    connection.sendall(state.data_to_send())
    while data := connection.recv(65_536):
        for event in state.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                headers = {bytes(name).decode(): bytes(value).decode() for name, value in event.headers or []}
                if not _respond(connection, state, event.stream_id, answer(headers)):
                    return
        connection.sendall(state.data_to_send())


def _respond(connection: socket.socket, state: h2.connection.H2Connection, stream: int | None, answer: Answer) -> bool:
    assert stream is not None
    status, headers, pieces, end = answer
    if status:
        fields = [(":status", str(status)), *((name.lower(), value) for name, value in headers.items())]
        state.send_headers(stream, fields, end_stream=not pieces and end == "keep")
    for frame, is_last in _frames(pieces, state.max_outbound_frame_size):
        # The tests' bodies fit into the window that the client opens at once; a larger one would be an error here.
        state.send_data(stream, frame, end_stream=is_last and end in ("keep", "goaway"))
    if end == "reset":
        state.reset_stream(stream)
    if end == "goaway":
        state.close_connection()
    connection.sendall(state.data_to_send())
    return end in ("keep", "reset")


def _frames(pieces: list[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    whole = b"".join(pieces)
    for start in range(0, len(whole), size):
        yield whole[start : start + size], start + size >= len(whole)
