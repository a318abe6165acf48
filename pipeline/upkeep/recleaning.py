"""Cleaning stored pages again from their archived responses: what new rules make of old pages."""

import asyncio
import hashlib
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from difflib import SequenceMatcher
from heapq import nlargest

from sqlalchemy.engine import Engine

from pipeline.archive.folder import WarcFolder
from pipeline.config import Settings
from pipeline.errors import ArchiveError, ExtractError
from pipeline.extract import EXTRACTOR_VERSION
from pipeline.ingest.page_results import read_article
from pipeline.model import Article
from pipeline.robots.opt_out import is_refused, signals_of_headers
from pipeline.runtime.database import Database
from pipeline.runtime.workers import Workers
from pipeline.store.articles.reclean_queue import (
    CopySelection,
    GoodCopy,
    Recleaned,
    forget_key,
    is_recleaned,
    list_next_pages,
    load_good_copies,
    reclean_page,
)
from pipeline.upkeep.raw_copies import read_archived_response
from pipeline.urls import host_of

COPIES = 3
"""Responses of a page that are read until one holds an article: the latest may be a bot wall."""

BATCH = 200
LARGEST = 10
"""Differences that a report shows."""


@dataclass(frozen=True, slots=True)
class ArticleDifference:
    """What cleaning again changes in one article; ``size`` is the share of its words that differ."""

    url: str
    kind: str
    changed: tuple[str, ...]
    size: float
    before: tuple[str, str]
    after: tuple[str, str]


@dataclass(slots=True)
class RecleanReport:
    """The outcome of a run.

    Attributes:
        kinds: pages by kind of outcome (`Recleaned.kind`, ``unreadable``, ``failed``; ``done`` by an earlier run).
        sites: the same by site.
        columns: how often each column changed.
        largest: the largest differences.
    """

    kinds: Counter[str] = field(default_factory=Counter)
    sites: dict[str, Counter[str]] = field(default_factory=dict)
    columns: Counter[str] = field(default_factory=Counter)
    largest: list[ArticleDifference] = field(default_factory=list)

    def note(self, url: str, page: Recleaned) -> None:
        """Count one page."""
        self.kinds[page.kind] += 1
        self.sites.setdefault(host_of(url), Counter())[page.kind] += 1
        self.columns.update(page.changed)
        if page.kind in {"revised", "new", "lost", "updated"}:
            size = measure_difference(page.before[1], page.after[1]) if page.kind != "updated" else 0.0
            changes = [*self.largest, ArticleDifference(url, page.kind, page.changed, size, page.before, page.after)]
            self.largest = nlargest(LARGEST, changes, key=lambda change: (change.size, change.kind != "updated"))


def measure_difference(before: str, after: str) -> float:
    """The share of words that two texts do not have in common, order considered.

    >>> measure_difference("one two three", "one two four")
    0.33
    """
    first, second = before.split(), after.split()
    if not first and not second:
        return 0.0
    return round(1 - SequenceMatcher(None, first, second, autojunk=False).ratio(), 2)


def select_older_versions(versions: list[str], than: str) -> tuple[str, ...]:
    """The versions of the extractor that are older than another.

    >>> select_older_versions(["2.3.1+2", "2.3.1+10", "2.2.0+3"], "2.3.1+10")
    ('2.3.1+2', '2.2.0+3')
    """
    return tuple(version for version in versions if _numbers(version) < _numbers(than))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))


class _Undone(Exception):  # noqa: N818  # rolls back the transaction of a dry run
    def __init__(self, recleaned: Recleaned) -> None:
        self.recleaned = recleaned


@dataclass(frozen=True, slots=True)
class RecleanJob:
    """One run over a selection of pages.

    Attributes:
        key: names the run, so that an interrupted one is continued: the same pages, the same extractor.
    """

    settings: Settings
    engine: Engine
    folder: WarcFolder
    choice: CopySelection
    now: Callable[[], datetime]
    dry_run: bool = False
    limit: int | None = None

    @property
    def key(self) -> str:
        """A hash of the selection, the version of the extractor and how it is to read."""
        how = (self.choice, EXTRACTOR_VERSION, self.settings.reading_options)
        return hashlib.sha256(repr(how).encode()).hexdigest()[:40]


def reclean(job: RecleanJob, progress: Callable[[str], None] = lambda kind: None) -> RecleanReport:
    """Clean the pages again; a dry run does all of it too, but rolls each transaction back."""
    return asyncio.run(_reclean(job, progress))


async def _reclean(job: RecleanJob, progress: Callable[[str], None]) -> RecleanReport:
    report, after, left, is_whole = RecleanReport(), 0, job.limit, True
    database = Database(job.engine)
    try:
        async with Workers(job.settings.jobs, job.settings.extract_timeout, **job.settings.reading_options) as workers:
            slots = asyncio.Semaphore(workers.jobs * 4)
            while pages := await database.read(
                list_next_pages, job.choice, after, BATCH if left is None else min(BATCH, left)
            ):
                async with asyncio.TaskGroup() as tasks:
                    for home in pages:
                        await slots.acquire()
                        task = tasks.create_task(_page(job, database, workers, home, report, progress))
                        task.add_done_callback(lambda _: slots.release())
                after = pages[-1]
                left = None if left is None else left - len(pages)
                if left == 0:
                    is_whole = False
                    break
        if is_whole and not job.dry_run:
            await database.write(forget_key, job.key)
    finally:
        database.close()
    return report


async def _page(
    job: RecleanJob,
    database: Database,
    workers: Workers,
    home: int,
    report: RecleanReport,
    progress: Callable[[str], None],
) -> None:
    copies = await database.read(load_good_copies, home, COPIES)
    if not copies:
        return
    url = copies[0].page.url
    if not job.dry_run and is_recleaned(copies, job.key):
        report.kinds["done"] += 1
        progress("done")
        return
    try:
        read = await _read(job, database, workers, copies)
    except (ArchiveError, ExtractError) as error:
        outcome = Recleaned("unreadable" if isinstance(error, ArchiveError) else "failed")
    else:
        outcome = (
            await asyncio.to_thread(_store, job, database, home, copies, read)
            if job.dry_run
            else await database.write(reclean_page, home, copies, read, job.now(), job.key)
        )
    report.note(url, outcome)
    progress(outcome.kind)


def _store(
    job: RecleanJob, database: Database, home: int, copies: list[GoodCopy], read: tuple[GoodCopy, Article] | None
) -> Recleaned:
    try:
        with job.engine.begin() as connection:
            raise _Undone(reclean_page(connection, home, copies, read, job.now(), job.key))  # noqa: TRY301
    except _Undone as undone:
        return undone.recleaned


async def _read(
    job: RecleanJob, database: Database, workers: Workers, copies: list[GoodCopy]
) -> tuple[GoodCopy, Article] | None:
    """The article of the newest copy that holds one."""
    for copy in copies:
        if is_refused(copy.opt_out, job.settings.respect_opt_out):
            return None
        response = await asyncio.to_thread(
            read_archived_response, job.engine, job.folder, copy.row, job.settings.max_bytes
        )
        reserved = signals_of_headers(response.headers, job.settings.user_agent)
        result = await read_article(job.settings, database, workers, copy.page, response, reserved)
        if isinstance(result, Article) and not is_refused(result.opt_out, job.settings.respect_opt_out):
            return copy, result
    return None
