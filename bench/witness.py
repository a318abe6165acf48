"""The replay server with a witness: a line of JSON for each request, with when its answer was sent to the last byte.

    python -m bench.witness FILE SERVER_OPTION...

Each line has ``host``, ``path``, ``asked_at``, ``sent_at``, and ``status`` where there was an answer. Times are seconds
of this machine's monotonic clock, which all its processes share. An answer counts as sent once the client's system has
confirmed all of it; ``sent_at`` is null where the connection went before that.
"""

import array
import asyncio
import fcntl
import json
import socket
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from bench.replay import server_module

LOOK = 0.002
"""Seconds between two looks at whether the client's system has confirmed what was sent."""

_OURS = "/__"
"""Control of the server itself; not part of the web."""


def witnessed(
    server: Any, site: Any, hosts: dict[str, int], file: TextIO
) -> Callable[[], asyncio.Protocol]:  # a program beside the checkout
    """What makes a connection of the server that writes down what it is asked."""

    class Witnessed(server.Connection):  # type: ignore[misc]  # its base is known at run time only
        """A connection, and what of it is not written down yet."""

        asked: dict[str, Any] | None = None
        looking: asyncio.TimerHandle | None = None

        def next_request(self) -> None:
            """Take note of what is asked for, before it is answered."""
            if b"\r\n\r\n" in self.buffer:
                self._tell(None)
                path = self.buffer.split(b" ", 2)[1].decode("latin-1")
                if not path.startswith(_OURS):
                    self.asked = {"host": self.host, "path": path, "asked_at": time.monotonic()}
            super().next_request()

        def send(self, req: Any, resp: Any) -> None:
            """Answer, and look when that has arrived."""
            asked = self.asked
            super().send(req, resp)  # which goes on with the next request, where that waits already
            if asked is not None and asked is self.asked:
                self.asked = asked | {"status": resp.status}
                self._look()

        def connection_lost(self, exc: Exception | None) -> None:
            """What has not arrived by now never will."""
            self._tell(None)
            super().connection_lost(exc)

        def _look(self) -> None:
            if self.asked is None or self.transport is None:
                return
            if self.transport.get_write_buffer_size() == 0 and unconfirmed(self.transport) == 0:
                self._tell(time.monotonic())
            else:
                self.looking = self.loop.call_later(LOOK, self._look)

        def _tell(self, sent_at: float | None) -> None:
            if self.looking is not None:
                self.looking.cancel()
            if self.asked is not None:
                file.write(json.dumps(self.asked | {"sent_at": sent_at}) + "\n")
            self.asked = None

    return lambda: Witnessed(site, hosts, asyncio.get_running_loop())


def unconfirmed(transport: asyncio.Transport) -> int:
    """Bytes that the system has not got a confirmation for."""
    held = array.array("i", [0])
    fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, held)
    return held[0]


async def serve(server: Any, options: Any, file: TextIO) -> None:
    """Serve until this process is ended."""
    pages = [page for spec in options.corpus for page in server.load_corpus(spec, True, options.max_page_bytes)]
    addresses = server.addresses(options.first_address, options.hosts)
    site = server.Site(options, pages, addresses)
    hosts = {address: number for number, address in enumerate(addresses)}
    await asyncio.get_running_loop().create_server(
        witnessed(server, site, hosts, file), addresses, options.port, backlog=1024, family=socket.AF_INET
    )
    await asyncio.Event().wait()


def main() -> None:
    """Serve."""
    server = server_module()
    with Path(sys.argv[1]).open("w", buffering=1, encoding="utf-8") as file:
        asyncio.run(serve(server, server.parse_args(sys.argv[2:]), file))


if __name__ == "__main__":
    main()
