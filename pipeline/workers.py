"""Parsing and extraction in processes of their own, one for each core.

A hostile page may hang, crash or eat the memory of whatever reads it: it takes one process with it, which is
replaced, and becomes an outcome like any other.
"""

import asyncio
import ctypes
import gc
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.popen_forkserver import Popen
from multiprocessing.process import AuthenticationString, BaseProcess  # type: ignore[attr-defined]  # typeshed has no key
from types import ModuleType
from typing import Any, Self, TypeVar

from pebble import ProcessExpired, ProcessPool

from pipeline.dedup.likeness import words_of
from pipeline.errors import ExtractError, FeedError, SourceError
from pipeline.extract import extract_article
from pipeline.model import Article, NoArticle, ParsedFeed, Response
from pipeline.parse import parse_feed
from pipeline.parse.listing import Listing, read_listing
from pipeline.periods import Period
from pipeline.rules import load_rules

T = TypeVar("T")

MAX_TASKS = 2000
"""Pages that one process reads before it is replaced: libxml2 and its callers keep some memory for ever."""


_GC_THRESHOLD = 20_000, 20, 20
_ARENA_MAX = -8  # M_ARENA_MAX of glibc's malloc.h


def core_count() -> int:
    """The cores that this process may use, which in a container are fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_STARTING = threading.Lock()


class _Process(ForkServerProcess):
    """A process that does not import the program that started it.

    multiprocessing has every child import the main module of its parent. That is of no use here, and inside an
    Airflow task it is fatal: the main module there is `airflow` itself, which takes seconds to import and, in a
    task, stops at a database URL that is made to be unusable.
    """

    @staticmethod
    def _Popen(process_obj: BaseProcess) -> Popen:  # noqa: N802  # multiprocessing's name
        with _STARTING:
            main, sys.modules["__main__"] = sys.modules["__main__"], ModuleType("__main__")
            try:
                return ForkServerProcess._Popen(process_obj)
            finally:
                sys.modules["__main__"] = main


class _Context(ForkServerContext):
    Process = _Process


def read_page(body: bytes, url: str, **options: Any) -> Article | NoArticle:  # noqa: ANN401  # those of extract_article
    """`pipeline.extract.extract_article`, with all that storing an article needs to know and that asks for no SQL.

    Whoever stores does so for all processes: what it has not to do is time for all of them.
    """
    found = extract_article(body, url, **options)
    if isinstance(found, Article):
        return replace(found, sketch=tuple(words_of(found.text).sketch))
    return found


def keep_to_one_arena() -> None:
    """Have this process take all its memory from one heap, as ``MALLOC_ARENA_MAX=1`` does; another number there holds.

    glibc gives each thread a heap of its own. Pages and articles go from thread to thread here, so that each of these
    heaps grows to what the largest pages took, and is half empty then. To be called before threads are started.
    """
    if "MALLOC_ARENA_MAX" not in os.environ:
        with suppress(AttributeError, OSError, TypeError):  # another C library
            ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


def _leave_out_what_stays() -> None:
    """Spare Python's search for circles of references what was imported: it looks at all of it again and again."""
    if not gc.get_freeze_count():
        gc.collect()
        gc.freeze()


def _begin() -> None:
    """What a process of the pool does before it reads anything.

    Reading a page makes thousands of objects that are gone when it is read, hardly any in a circle. Looking for circles
    took 6 % of the time; here nothing large is ever in one, so that it may be done less often.
    """
    gc.set_threshold(*_GC_THRESHOLD)
    _leave_out_what_stays()
    _end_with_parent()


def _leave_celery() -> None:
    """Make this process one that may have children, where it is a task of a Celery worker.

    Celery's fork of multiprocessing puts its own object for the current process in the place of the original's. That
    one is daemonic, so that multiprocessing refuses to start children, and has a key that cannot be sent to them. The
    reason for the refusal, children that outlive their parent, does not hold here: see `_end_with_parent`.
    """
    process: Any = multiprocessing.current_process()
    if not isinstance(process, BaseProcess):
        process.daemon = False
        process._config["authkey"] = AuthenticationString(process.authkey)


def _end_with_parent() -> None:
    """Exit when the process that the results are for is gone, however it went: nobody else would end a hung reader."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            wait([parent.sentinel])
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


class Workers:
    """A pool of processes that read feeds and pages.

    Args:
        jobs: processes; 0 means one for each core.
        timeout: the longest that one document may take.
        rules_dir: the user's folder with rules of sites.

    Raises:
        ConfigError: that folder holds what is no rule.
    """

    def __init__(self, jobs: int, timeout: timedelta, rules_dir: str = "") -> None:
        keep_to_one_arena()
        _leave_out_what_stays()
        load_rules(rules_dir)  # each process reads it for itself: here its faults are found before anything is fetched
        self._rules_dir = rules_dir
        self.jobs = jobs or core_count()
        self._timeout = timeout.total_seconds()
        # Not fork: this process has threads, and a fork of them may inherit a lock that nobody will ever release.
        _leave_celery()
        context = _Context()
        context.set_forkserver_preload(["pipeline.extract", "pipeline.parse"])
        self._pool = ProcessPool(max_workers=self.jobs, max_tasks=MAX_TASKS, context=context, initializer=_begin)
        self._starting: asyncio.Task[bool] | None = None

    async def __aenter__(self) -> Self:
        """Nothing to do: processes start with the first document."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the processes, whatever they are doing."""
        if self._starting is not None:
            await asyncio.wait([self._starting])  # a pool that is stopped before it has started starts all the same
        self._pool.stop()  # type: ignore[no-untyped-call]
        await asyncio.to_thread(self._pool.join)

    async def parse(self, response: Response, url: str) -> ParsedFeed:
        """Read a feed document.

        Raises:
            FeedError: it is none, or no parser survives it.
        """
        try:
            return await self._call(
                parse_feed,
                response.body,
                url,
                content_type=response.content_type,
                charset=response.charset,
                now=response.fetched_at,
            )
        except FeedError:
            raise
        except SourceError as error:
            raise FeedError(url, error.reason, str(error)) from error

    async def read_listing(self, response: Response, url: str, period: Period, undated: bool) -> Listing:
        """Read what a sitemap or a feed lists, as far as it is of the period.

        Raises:
            FeedError: it lists nothing, or no parser survives it.
        """
        try:
            return await self._call(
                read_listing,
                response.body,
                url,
                content_type=response.content_type,
                charset=response.charset,
                now=response.fetched_at,
                period=period,
                undated=undated,
            )
        except FeedError:
            raise
        except SourceError as error:
            raise FeedError(url, error.reason, str(error)) from error

    async def extract(
        self, response: Response, url: str, published_at: datetime | None, learned: frozenset[str] | None = None
    ) -> Article | NoArticle:
        """Read a page; ``learned`` is what recurs on its site, None where nobody counts that.

        Raises:
            ExtractError: no parser survives it.
        """
        return await self._call(
            read_page,
            response.body,
            url,
            charset=response.charset,
            published_hint=published_at,
            fetched_at=response.fetched_at,
            rules_dir=self._rules_dir,
            learned=learned,
        )

    async def _start(self) -> None:
        """Start the processes if there are none, in a thread: what they import takes seconds.

        In the loop these would be seconds in which no answer is read, and requests run into their time-outs.
        """
        if self._starting is None:
            self._starting = asyncio.create_task(asyncio.to_thread(lambda: self._pool.active))
        await asyncio.shield(self._starting)

    async def _call(self, function: Callable[..., T], body: bytes, url: str, **options: object) -> T:
        await self._start()
        future = self._pool.schedule(function, args=(body, url), kwargs=options, timeout=self._timeout)
        try:
            result: T = await asyncio.wrap_future(future)
        except FutureTimeoutError as error:
            raise ExtractError(url, "too_slow", f"not read in {self._timeout:g} s") from error
        except ProcessExpired as error:
            # Perhaps another process took the memory: worth another try, and the attempts are counted.
            raise ExtractError(url, "crashed", f"the reader died ({error})", temporary=True) from error
        except (SourceError, asyncio.CancelledError):
            raise
        except Exception as error:  # lxml and trafilatura may raise anything on hostile bytes
            # Or the fault is ours, and mended by the next release: worth other tries, which are counted.
            raise ExtractError(url, "reader_error", f"{type(error).__name__}: {error}", temporary=True) from error
        return result
