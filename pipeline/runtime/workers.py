"""Parsing and extraction in processes of their own, one for each core.

A hostile page may hang, crash or eat the memory of whatever reads it: it takes one process with it, which is
replaced, and becomes an outcome like any other.
"""

import asyncio
import gc
import os
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Self

from pipeline.errors import ExtractError, FeedError, SourceError
from pipeline.model import Article, NoArticle, ParsedFeed, Response
from pipeline.periods import Period
from pipeline.runtime.heap import keep_to_one_arena
from pipeline.runtime.readers.reader_pool import ReaderDiedError, ReaderPool
from pipeline.site_rules import reload_rules

if TYPE_CHECKING:
    from concurrent.futures import Future

    from pipeline.parse.listing import Listing


MAX_TASKS = 2000
"""Pages that one process reads before it is replaced: libxml2 and its callers keep some memory for ever."""


def core_count() -> int:
    """The cores that this process may use, which in a container are fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache  # whether anything is frozen already takes 20 ms to ask for in a program as large as Airflow
def _freeze_imported() -> None:
    """Spare the search for reference cycles what was imported."""
    gc.collect()
    gc.freeze()


class Workers:
    """A pool of processes that read feeds and pages.

    Args:
        jobs: processes; 0 means one for each core.
        timeout: the longest that one document may take.
        options: how pages are read (`pipeline.config.Settings.reading_options`).

    Raises:
        ConfigError: the folder of rules holds what is no rule.
    """

    def __init__(self, jobs: int, timeout: timedelta, **options: Any) -> None:  # noqa: ANN401  # those of `PageInput`
        keep_to_one_arena()
        _freeze_imported()
        # The server of readers reads them for itself: here faults are found before anything is fetched.
        reload_rules(options.get("rules_dir", ""))
        self._options = options
        self.jobs = jobs or core_count()
        self._timeout = timeout.total_seconds()
        self._pool = ReaderPool(self.jobs, MAX_TASKS, options.get("rules_dir") or "")

    async def __aenter__(self) -> Self:
        """Nothing to do: processes start with the first document."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the processes, whatever they are doing."""
        self._pool.stop()
        await asyncio.to_thread(self._pool.join)

    async def parse(self, response: Response, url: str) -> ParsedFeed:
        """Read a feed document. Raises FeedError when it is none, or no parser survives it."""
        feed: ParsedFeed = await self._read_feed("pipeline.parse:parse_feed", response, url)
        return feed

    async def read_listing(self, response: Response, url: str, period: Period, undated: bool) -> "Listing":
        """Read what a sitemap or a feed lists, as far as it is of the period.

        Raises:
            FeedError: it lists nothing, or no parser survives it.
        """
        name = "pipeline.parse.listing:read_listing"
        listing: Listing = await self._read_feed(name, response, url, period=period, undated=undated)
        return listing

    async def extract(
        self,
        response: Response,
        url: str,
        published_at: datetime | None,
        learned: frozenset[str] | None = None,
        *,
        is_announced: bool = False,
    ) -> Article | NoArticle:
        """Read a page; ``learned`` and ``is_announced`` are as of `pipeline.extract.PageInput`.

        Raises:
            ExtractError: no parser survives it.
        """
        outcome: Article | NoArticle = await self._call(
            "pipeline.runtime.readers.page_reader:read_page",
            response.body,
            url,
            charset=response.charset,
            published_hint=published_at,
            fetched_at=response.fetched_at,
            learned=learned,
            is_announced=is_announced,
            **self._options,
        )
        return outcome

    async def _read_feed(self, function: str, response: Response, url: str, **options: object) -> Any:  # noqa: ANN401
        options |= {
            "content_type": response.content_type,
            "charset": response.charset,
            "now": response.fetched_at,
        }
        try:
            return await self._call(function, response.body, url, **options)
        except FeedError:
            raise
        except SourceError as error:
            raise FeedError(url, error.reason, str(error)) from error

    async def _call(self, function: str, body: bytes, url: str, **options: object) -> Any:  # noqa: ANN401
        future: Future[Any] = self._pool.schedule(function, args=(body, url), kwargs=options, timeout=self._timeout)
        try:
            return await asyncio.wrap_future(future)
        except TimeoutError as error:
            raise ExtractError(url, "too_slow", f"not read in {self._timeout:g} s") from error
        except ReaderDiedError as error:
            # Perhaps another process took the memory: worth another try, and the attempts are counted.
            raise ExtractError(url, "crashed", f"the reader died: {error}") from error
        except (SourceError, asyncio.CancelledError):
            raise
        except Exception as error:  # lxml and trafilatura may raise anything on hostile bytes
            # Or the fault is ours, and mended by the next release: worth other tries, which are counted.
            raise ExtractError(url, "reader_error", f"{type(error).__name__}: {error}") from error
