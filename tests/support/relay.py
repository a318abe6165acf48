"""A relay between a client and a server on loopback that can hold back what the client sends."""

import socket
import threading
from contextlib import suppress

PIECE = 16 * 1024


class Relay:
    """Passes bytes on, both ways; of what clients send only so many, once it is told to.

    Attributes:
        port: where it listens on loopback.
        is_held: set once bytes are being held back.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._left: int | None = None
        self._lock = threading.Lock()
        self._free = threading.Event()
        self._free.set()
        self.is_held = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def hold_after(self, size: int) -> None:
        """Let clients send so many more bytes, then none."""
        self._left = size
        self._free.clear()
        self.is_held.clear()

    def let_go(self) -> None:
        """Pass on everything again."""
        self._left = None
        self._free.set()

    def close(self) -> None:
        """Take no more connections."""
        self.let_go()
        self._server.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                threading.Thread(target=self._pass, args=(client, server, True), daemon=True).start()
                threading.Thread(target=self._pass, args=(server, client, False), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, is_upload: bool) -> None:
        with suppress(OSError):
            while data := source.recv(PIECE):
                if is_upload and not self._may_pass(len(data)):
                    self.is_held.set()
                    self._free.wait()
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _may_pass(self, size: int) -> bool:
        with self._lock:
            if self._left is None:
                return True
            self._left -= size
            return self._left >= 0
