"""A pool of processes that call functions, each in its turn: with a time-out by kill, and replaced when one dies."""

import os
import queue
import signal
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from pipeline.runtime.metrics import EXTRACTION, timing
from pipeline.runtime.readers.reader_server import receive_message, send_message
from pipeline.runtime.readers.server_process import ServerProcess, leave_server, take_server

T = TypeVar("T")

MAX_TRIES = 2
"""Of a call whose process died: it may have been killed for another's sake, by the system or by hand."""


class ReaderDiedError(Exception):
    """The process died of the call, twice."""


class _Stopped(Exception):  # noqa: N818  # the pool ends
    pass


@dataclass(frozen=True, slots=True)
class _Call:
    future: Future[Any]
    message: tuple[Callable[..., Any] | str, tuple[Any, ...], dict[str, Any]]
    timeout: float | None


class _Reader:
    """One process, as its thread in this process sees it."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.pid: int = receive_message(sock)
        self.calls = 0

    def call(self, call: _Call) -> tuple[bool, Any]:
        self.calls += 1
        self._sock.settimeout(call.timeout)
        try:
            send_message(self._sock, call.message)
            result: tuple[bool, Any] = receive_message(self._sock)
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise
            raise EOFError from error
        return result

    def kill(self) -> None:
        self._sock.close()
        with suppress(OSError):
            os.kill(self.pid, signal.SIGKILL)


class ReaderPool:
    """Calls functions in processes of its own, which are started with the first call.

    Args:
        max_calls: calls after which a process is replaced.
        rules_dir: of the rules of sites (`pipeline.site_rules`), which all processes read when the first is started.
    """

    def __init__(self, size: int, max_calls: int, rules_dir: str = "") -> None:
        self._max_calls, self._rules_dir = max_calls, rules_dir
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._server: ServerProcess | None = None
        self._readers: set[_Reader] = set()
        self._forking = 0  # readers that the server was asked for, and that have not reported yet
        self._is_stopped = False
        self._threads = [threading.Thread(target=self._work, name=f"reader-{n}", daemon=True) for n in range(size)]

    def schedule(
        self,
        function: Callable[..., T] | str,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
        timeout: float | None = None,
    ) -> Future[T]:
        """What the function will have returned; it must be importable by its name.

        Given by that name, as ``package.module:function``, it need not be imported here.

        Raises, from the future:
            TimeoutError: it took longer than ``timeout`` seconds; its process was killed.
            ReaderDiedError: its process died, and so did another that tried it again.
        """
        future: Future[T] = Future()
        self._calls.put(_Call(future, (function, args, kwargs or {}), timeout))
        for thread in self._threads:
            if thread.ident is None:
                with self._lock, suppress(RuntimeError):  # another caller was quicker
                    thread.start()
        return future

    def stop(self) -> None:
        """End the processes, whatever they are doing."""
        with self._lock:
            self._is_stopped = True
            for reader in self._readers:
                reader.kill()
            if self._server is not None and not self._forking:
                leave_server(self._server)
                self._server = None
            self._end_server()
        for _ in self._threads:
            self._calls.put(None)

    def join(self) -> None:
        """Wait for the end of what `stop` has ended."""
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def _work(self) -> None:
        reader: _Reader | None = None
        while (call := self._calls.get()) is not None and not self._is_stopped:
            if call.future.set_running_or_notify_cancel():
                reader = self._serve(call, reader)
        if reader is not None:
            self._drop(reader)

    def _serve(self, call: _Call, reader: _Reader | None) -> _Reader | None:
        """Have a call done by a process, and return the process that is left for the next."""
        for left in reversed(range(MAX_TRIES)):
            try:
                reader = reader or self._start()
                with timing(EXTRACTION, str(call.message[0]).rpartition(":")[2]):
                    is_good, result = reader.call(call)
            except _Stopped:
                call.future.cancel()
                return None
            except Exception as error:  # noqa: BLE001  # what cannot be sent, or be had, is the call's
                if reader is not None:
                    self._drop(reader)
                    reader = None
                if isinstance(error, EOFError) and left and not self._is_stopped:
                    continue
                died = ReaderDiedError("its process died") if isinstance(error, EOFError) else error
                call.future.set_exception(died)
                return None
            if is_good:
                call.future.set_result(result)
            else:
                call.future.set_exception(result)
            break
        if reader is not None and reader.calls >= self._max_calls:
            self._drop(reader)
            return None
        return reader

    def _start(self) -> _Reader:
        try:
            reader = self._fork()
        except (OSError, EOFError):  # the server died, before it heard of us or after: once more with another
            reader = self._fork()
        with self._lock:
            self._readers.add(reader)
            if self._is_stopped:
                reader.kill()
        return reader

    def _fork(self) -> _Reader:
        """Have the server fork a process; a server that does not is ended, so that the next call starts another."""
        ours, theirs = socket.socketpair()
        with theirs, self._lock:
            if self._is_stopped:
                raise _Stopped
            server = self._server = self._server or take_server(self._rules_dir)
            server.fork_reader(theirs)
            self._forking += 1
        try:
            return _Reader(ours)
        except (OSError, EOFError):
            ours.close()
            with self._lock:
                if self._server is server:  # no other thread was quicker
                    self._end_server()
            raise
        finally:
            with self._lock:
                self._forking -= 1

    def _drop(self, reader: _Reader) -> None:
        with self._lock:
            self._readers.discard(reader)
        reader.kill()

    def _end_server(self) -> None:
        if self._server is not None:
            self._server.end()
            self._server = None
