"""The server of readers as the program sees it, and the handing on of one from a pool to the next.

What it imports takes half a second of a processor, more than all that many a run does. Where runs follow one another
in a program, as marks that readers make in `news serve`, only the first pays for that.
"""

import atexit
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress

_PROGRAM = (
    "import sys; sys.path[:] = {path!r}\n"
    "from pipeline.runtime.readers.reader_server import serve_readers; serve_readers({fd}, {rules!r})"
)


class ServerProcess:
    """A process that forks readers (`pipeline.runtime.readers.reader_server`), for one pool at a time.

    Args:
        rules_dir: of the rules of sites, which it reads as it starts; its readers inherit them.
    """

    def __init__(self, rules_dir: str) -> None:
        self._rules_dir, self._path = rules_dir, [*sys.path]
        self._control, theirs = socket.socketpair()
        with theirs:
            program = _PROGRAM.format(path=self._path, fd=theirs.fileno(), rules=rules_dir)
            self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and program
                [sys.executable, "-c", program],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    @property
    def may_serve_others(self) -> bool:
        """Whether it lives, and a new one would be no different: a folder of rules may have changed since."""
        return not self._rules_dir and self._path == sys.path and self._process.poll() is None

    def fork_reader(self, sock: socket.socket) -> None:
        """Ask for a reader at the other end of this socket; where the server is dead, reading from that tells."""
        with suppress(OSError):
            socket.send_fds(self._control, [b"+"], [sock.fileno()])

    def end(self) -> None:
        """Kill it and its readers."""
        with suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)  # it leads the group of its readers
        self._process.wait()
        self._control.close()


_idle: list[ServerProcess] = []
"""What pools have left: one at most, but for the moment in which two leave theirs."""


def take_server(rules_dir: str) -> ServerProcess:
    """A server for one pool: what another has left, or a new one."""
    while not rules_dir and _idle:
        with suppress(IndexError):  # another thread was quicker
            server = _idle.pop()
            if server.may_serve_others:
                return server
            server.end()
    return ServerProcess(rules_dir)


def leave_server(server: ServerProcess) -> None:
    """Keep a server without readers for the next pool of this program; one that is left already is enough."""
    if server.may_serve_others and not _idle:
        _idle.append(server)
    else:
        server.end()


def end_idle_server() -> None:
    """End what is kept for a next pool."""
    while _idle:
        _idle.pop().end()


atexit.register(end_idle_server)
# It is its parent's, and ends when nobody holds the other end of its socket.
os.register_at_fork(after_in_child=_idle.clear)
