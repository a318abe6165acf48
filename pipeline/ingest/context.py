"""What every part of a run works with, passed down in one value."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy.engine import Connection, Engine

from pipeline.config import Settings
from pipeline.fetch import Fetcher
from pipeline.ingest.events import Tally
from pipeline.rhythm import RETRY_DELAYS, PollPolicy
from pipeline.schedule import PagePolicy
from pipeline.store.engine import reading, write
from pipeline.store.frontier import Scope
from pipeline.workers import Workers

P = ParamSpec("P")
T = TypeVar("T")


async def at_once() -> None:
    """Wait for nothing."""


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
        call = partial(write, self._engine, function, *args, **kwargs)
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._thread, call))

    async def read(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the function in a transaction that only reads."""

        def call() -> T:
            with reading(self._engine) as connection:
                return function(connection, *args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def close(self) -> None:
        """End the thread once it has done what it was given."""
        self._thread.shutdown(wait=True)


@dataclass(frozen=True, slots=True)
class Context:
    """One run of one process.

    Attributes:
        owner: what this process signs its claims with.
        slots: pages that may be under way between network and archive at once; bounds the memory.
        chance: a number from 0 to 1, another each time.
        pace: waits until a page may be fetched, where a run is to be slower than its hosts allow.
    """

    settings: Settings
    database: Database
    fetcher: Fetcher
    workers: Workers
    scope: Scope
    owner: str
    tally: Tally
    now: Callable[[], datetime]
    slots: asyncio.Semaphore
    chance: Callable[[], float] = random.random
    pace: Callable[[], Awaitable[None]] = at_once

    @property
    def poll_policy(self) -> PollPolicy:
        """What the decisions on feeds go by."""
        settings = self.settings
        return PollPolicy(
            start=settings.poll_interval,
            shortest=settings.min_poll_interval,
            longest=settings.max_poll_interval,
            retry_step=settings.retry_delay * RETRY_DELAYS,
        )

    @property
    def policy(self) -> PagePolicy:
        """What the decisions on pages go by."""
        settings = self.settings
        return PagePolicy(settings.max_attempts, settings.retry_delay, settings.revisits)

    async def pause_until(self, time: datetime) -> None:
        """Wait, if that time is still to come."""
        seconds = (time - self.now()).total_seconds()
        if seconds > 0:
            await asyncio.sleep(seconds)
