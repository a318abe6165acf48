"""The archive as the event loop sees it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy.engine import Connection, Engine

from pipeline.store.engine import reading, write

P = ParamSpec("P")
T = TypeVar("T")


class Database:
    """The archive as the event loop sees it: each call is one transaction, in one thread made for it.

    The loop never waits for the database, and SQLite, which has one writer at a time, is never asked by two of our
    own threads at once.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sql")

    async def write(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the function in a transaction that may write; once begun it ends, even if the caller is cancelled."""
        call = asyncio.get_running_loop().run_in_executor(
            self._thread, partial(write, self._engine, function, *args, **kwargs)
        )
        # What it raises after a cancellation is nobody's any more: the run has failed of something else.
        call.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(call)

    async def read(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the function in a transaction that only reads."""

        def call() -> T:
            with reading(self._engine) as connection:
                return function(connection, *args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def close(self) -> None:
        """End the thread once it has done what it was given."""
        self._thread.shutdown(wait=True)
