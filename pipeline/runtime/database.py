"""The archive as the event loop sees it: calls that wait at the same time share one transaction and one trip to it."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from pipeline.runtime.metrics import SQL, timing
from pipeline.store.connection.engine import is_lost, read, without_patience, write

P = ParamSpec("P")
T = TypeVar("T")
Item = TypeVar("Item")

MAX_CALLS = 64
"""Calls of one transaction: it holds SQLite's only write lock, and other processes want it too."""

GATHER_SECONDS = 0.005
"""How long a call that others may join waits for them: little beside any answer of a host, and at a hundred feeds a
second enough to share a statement with some."""


@dataclass(slots=True)
class _Call:
    """A function to be called on a connection: by itself, or once for all items that were given for it."""

    function: Callable[..., Any]
    is_write: bool
    done: list[asyncio.Future[Any]] = field(default_factory=list)
    items: list[Any] | None = None

    def __call__(self, connection: Connection) -> list[Any]:
        if self.items is None:
            return [self.function(connection)]
        results = self.function(connection, self.items)
        return [result for _, result in zip(self.items, results, strict=True)]

    def parts(self) -> "list[_Call]":
        items = self.items or []
        return [_Call(self.function, self.is_write, [done], [i]) for done, i in zip(self.done, items, strict=True)]


class Database:
    """Runs functions on connections, in one thread made for it, in the order in which they are given.

    The loop never waits for the database, and SQLite, which has one writer at a time, is never asked by two of our
    own threads at once. What is given while the thread is busy runs as one transaction afterwards (group commit):
    beginning, committing and the way between two threads cost more than most statements. No call returns before its
    transaction is committed. On PostgreSQL each call has a transaction of its own, for locks that were held longer
    would make other workers wait. Calls of a function for many items (`write_each`) become one call on both.

    A call whose connection was lost waits for the database as long as the engine's patience lasts. Where that was in
    vain, those after it fail at once, until one succeeds: else each would wait for as long again, one after the other.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine, self._at_once = engine, without_patience(engine)
        self._is_away = False
        self._may_share = engine.dialect.name == "sqlite"
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sql")
        self._waiting: list[_Call] = []
        self._open: dict[object, _Call] = {}  # those that more items may join
        self._is_busy = False

    async def write(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the function in a transaction that may write; it is done even if the caller is cancelled meanwhile.

        The function may be called again, after a conflict, or because another one in its transaction failed.
        """
        result: T = await asyncio.shield(self._put(_Call(partial(_call, function, args, kwargs), is_write=True)))
        return result

    async def read(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the function in a transaction that only reads; it sees what earlier calls have written."""
        result: T = await asyncio.shield(self._put(_Call(partial(_call, function, args, kwargs), is_write=False)))
        return result

    async def write_each(
        self,
        function: Callable[Concatenate[Connection, list[Item], P], Sequence[T]],
        item: Item,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Call the function with this item and all others that wait for it, with equal arguments; what this one got.

        The function gives a result for each item, in order. It is called again with each of them alone where it fails.
        """
        return await self._join(function, item, args, kwargs, is_write=True)

    async def read_each(
        self,
        function: Callable[Concatenate[Connection, list[Item], P], Sequence[T]],
        item: Item,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """The same in a transaction that only reads."""
        return await self._join(function, item, args, kwargs, is_write=False)

    def close(self) -> None:
        """Do what was given, then end the thread."""
        if self._waiting:
            self._submit(self._waiting)
            self._waiting = []
        self._thread.shutdown(wait=True)

    async def _join(
        self,
        function: Callable[..., Sequence[T]],
        item: object,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        *,
        is_write: bool,
    ) -> T:
        key = function, args, tuple(kwargs.items())
        call = self._open.get(key)
        if call is None or call.items is None or len(call.items) >= MAX_CALLS:
            call = self._open[key] = _Call(partial(_call_for_items, function, args, kwargs), is_write, [], [])
        result: T = await asyncio.shield(self._put(call, item))
        return result

    def _put(self, call: _Call, *items: object) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()
        # What it raises after its caller was cancelled is nobody's any more: the run has failed of something else.
        done.add_done_callback(lambda future: future.cancelled() or future.exception())
        if not self._is_busy and call.items is None:
            loop.call_soon(self._send_off)  # after all that is given in this turn of the loop
        elif not self._is_busy and not self._waiting:
            loop.call_later(GATHER_SECONDS, self._send_off)
        if not call.done:
            self._waiting.append(call)
        call.done.append(done)
        if call.items is not None:
            call.items.extend(items)
        return done

    def _send_off(self) -> None:
        if self._waiting and not self._is_busy:
            calls, self._waiting = self._waiting[:MAX_CALLS], self._waiting[MAX_CALLS:]
            self._open.clear()
            self._submit(calls)

    def _submit(self, calls: Sequence[_Call]) -> None:
        self._is_busy = True
        self._thread.submit(self._run, calls, calls[0].done[0].get_loop())

    def _run(self, calls: Sequence[_Call], loop: asyncio.AbstractEventLoop) -> None:
        try:
            with timing(SQL, "write" if any(call.is_write for call in calls) else "read"):
                outcomes = self._run_together(calls) if self._may_share else [self._run_alone(call) for call in calls]
        except BaseException as error:  # noqa: BLE001  # whatever it is: a call that gets no answer hangs the run
            outcomes = [[_Failure(error)] * len(call.done) for call in calls]
        with suppress(RuntimeError):  # the loop has ended: nobody waits
            loop.call_soon_threadsafe(self._deliver, calls, outcomes)

    def _deliver(self, calls: Sequence[_Call], outcomes: Sequence[Sequence[Any]]) -> None:
        self._is_busy = False
        for call, results in zip(calls, outcomes, strict=True):
            for done, outcome in zip(call.done, results, strict=True):
                if isinstance(outcome, _Failure):
                    error = outcome.error  # a future takes no StopIteration
                    done.set_exception(RuntimeError(repr(error)) if isinstance(error, StopIteration) else error)
                else:
                    done.set_result(outcome)
        self._send_off()

    def _run_together(self, calls: Sequence[_Call]) -> list[list[Any]]:
        if len(calls) == 1 or not any(call.is_write for call in calls):
            return [self._run_alone(call) for call in calls]
        try:
            return self._ask(write, lambda connection: [call(connection) for call in calls])
        except sa.exc.OperationalError as error:  # the disk is full, the file is gone: each would fail alike
            return [[_Failure(error)] * len(call.done) for call in calls]
        except BaseException:  # noqa: BLE001  # one of them has failed, and takes none of the others with it
            return [self._run_alone(call) for call in calls]

    def _ask(self, ask: Callable[..., T], function: Callable[[Connection], T]) -> T:
        try:
            result = ask(self._at_once if self._is_away else self._engine, function)
        except sa.exc.DBAPIError as error:
            self._is_away = is_lost(error)
            raise
        self._is_away = False
        return result

    def _run_alone(self, call: _Call) -> list[Any]:
        try:
            return self._ask(write if call.is_write else read, call)
        except BaseException as error:  # noqa: BLE001  # raised where it was called
            if len(call.done) > 1 and not isinstance(error, sa.exc.OperationalError):
                return [self._run_alone(part)[0] for part in call.parts()]
            return [_Failure(error)] * len(call.done)


@dataclass(frozen=True, slots=True)
class _Failure:
    error: BaseException


def _call(function: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any], connection: Connection) -> T:
    return function(connection, *args, **kwargs)


def _call_for_items(
    function: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any], connection: Connection, items: list[Any]
) -> T:
    return function(connection, items, *args, **kwargs)
