"""The process that forks readers, and what a reader does: it imports once, so that each reader starts at once.

It is started anew (`pipeline.runtime.readers.reader_pool`), never forked from a process with threads, and has none
itself: a fork inherits no lock that nobody will ever release. Readers share the memory of what was imported.

It leads a session of its own, so that no signal meant for the program that started it ends a reader, and ends with all
its readers when that program is gone, however it went: nobody else would end one that hangs.
"""

import gc
import os
import pickle
import pkgutil
import select
import signal
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any

_LENGTH = struct.Struct("!Q")

GC_THRESHOLD = 20_000, 20, 20
"""Reading a page makes thousands of objects that are gone when it is read, hardly any in a cycle. Looking for cycles
took 6 % of the time; nothing large is ever in one here, so that it may be done less often."""

LOOK_SECONDS = 1.0
"""Between two looks at whether the parent lives: a fork of it may hold the control socket open after its end."""


def send_message(sock: socket.socket, message: Any) -> None:  # noqa: ANN401  # whatever can be pickled
    """Send an object over a socket. Raises OSError when the other side is gone."""
    data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    sock.sendall(_LENGTH.pack(len(data)))
    sock.sendall(data)


def receive_message(sock: socket.socket) -> Any:  # noqa: ANN401  # the same
    """The next object from a socket; raises EOFError where the other side is gone, TimeoutError by its time-out."""
    return pickle.loads(_receive(sock, _LENGTH.unpack(_receive(sock, _LENGTH.size))[0]))  # noqa: S301  # our own readers


def _receive(sock: socket.socket, size: int) -> bytearray:
    data = bytearray(size)
    view, have = memoryview(data), 0
    while have < size:
        try:
            count = sock.recv_into(view[have:])
        except ConnectionError:
            count = 0
        if not count:
            raise EOFError
        have += count
    return data


def serve_readers(control_fd: int, rules_dir: str = "") -> None:
    """Fork a reader for each socket that comes over the control socket, until the parent is gone."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    parent = os.getppid()
    import pipeline.parse.listing  # noqa: F401  # what readers need
    from pipeline.errors import ConfigError
    from pipeline.runtime.readers.page_reader import warm_up
    from pipeline.site_rules import load_rules

    warm_up()
    with suppress(ConfigError):  # readers inherit the rules of now, whatever becomes of their files
        load_rules(rules_dir)
    gc.collect()
    gc.freeze()  # spares the readers' search for cycles what stays, and their memory a copy of it
    gc.set_threshold(*GC_THRESHOLD)
    control = socket.socket(fileno=control_fd)
    while os.getppid() == parent:
        with suppress(ChildProcessError):  # not left to the system: the time that readers took would count for nobody
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not select.select([control], [], [], LOOK_SECONDS)[0]:
            continue
        data, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not data:
            break
        if os.fork() == 0:
            control.close()
            read_documents(socket.socket(fileno=descriptors[0]))
        os.close(descriptors[0])
    os.killpg(0, signal.SIGKILL)


def read_documents(sock: socket.socket) -> None:
    """Call what is sent, and send back what it came to; never returns."""
    try:
        send_message(sock, os.getpid())
        while True:
            function, args, kwargs = receive_message(sock)
            send_message(sock, _call(function, args, kwargs))
    except (EOFError, OSError):
        pass
    finally:
        os._exit(0)


def _call(function: Callable[..., Any] | str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[bool, Any]:
    try:
        called = pkgutil.resolve_name(function) if isinstance(function, str) else function
        return True, called(*args, **kwargs)
    except BaseException as error:  # noqa: BLE001  # whatever it is, it is the caller's to judge
        try:
            pickle.dumps(error)
        except Exception:  # noqa: BLE001  # an exception may hold anything
            return False, RuntimeError(f"{type(error).__name__}: {error}")
        return False, error
