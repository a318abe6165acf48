"""Cleaning stored pages again, from their raw copies: what new rules make of old pages."""

import asyncio
import hashlib
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from difflib import SequenceMatcher
from heapq import nlargest

from sqlalchemy.engine import Connection, Engine

from pipeline.archive.place import Place
from pipeline.config import Settings
from pipeline.errors import ArchiveError, ExtractError
from pipeline.extract import EXTRACTOR_VERSION
from pipeline.ingest.database import Database
from pipeline.ingest.pages import read_article
from pipeline.model import Article
from pipeline.rights import is_refused, signals_of_headers
from pipeline.store.reclean import (
    Choice,
    Copy,
    Recleaned,
    clean_again,
    forget_key,
    good_copies,
    is_done,
    next_pages,
)
from pipeline.upkeep.copies import read_copy
from pipeline.urls import host_of
from pipeline.workers import Workers

COPIES = 3
"""Answers of a page that are read until one holds an article: the last may be a wall that came after it."""

BATCH = 200
LARGEST = 10
"""Differences that are shown, of those that are kept while the run goes."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What cleaning again changes of one article; ``size`` is the share of its words that are others."""

    url: str
    kind: str
    changed: tuple[str, ...]
    size: float
    before: tuple[str, str]
    after: tuple[str, str]


@dataclass(slots=True)
class Report:
    """What a run came to.

    Attributes:
        kinds: pages by kind of outcome (`Recleaned.kind`, ``unreadable``, ``failed``; ``done`` by a run before).
        sites: for each site, its pages by kind.
        columns: how often each column changed.
        largest: the largest differences.
    """

    kinds: Counter[str] = field(default_factory=Counter)
    sites: dict[str, Counter[str]] = field(default_factory=dict)
    columns: Counter[str] = field(default_factory=Counter)
    largest: list[Difference] = field(default_factory=list)

    def note(self, url: str, found: Recleaned) -> None:
        """Count one page."""
        self.kinds[found.kind] += 1
        self.sites.setdefault(host_of(url), Counter())[found.kind] += 1
        self.columns.update(found.changed)
        if found.kind in {"revised", "new", "lost", "updated"}:
            size = difference(found.before[1], found.after[1]) if found.kind != "updated" else 0.0
            one = Difference(url, found.kind, found.changed, size, found.before, found.after)
            self.largest = nlargest(LARGEST, [*self.largest, one], key=lambda one: (one.size, one.kind != "updated"))


def difference(before: str, after: str) -> float:
    """The share of words that two texts do not have in common, in order.

    >>> difference("one two three", "one two four")
    0.33
    """
    first, second = before.split(), after.split()
    if not first and not second:
        return 0.0
    return round(1 - SequenceMatcher(None, first, second, autojunk=False).ratio(), 2)


def older_versions(versions: list[str], than: str) -> tuple[str, ...]:
    """Those of these extractor versions that are older.

    >>> older_versions(["2.3.1+2", "2.3.1+10", "2.2.0+3"], "2.3.1+10")
    ('2.3.1+2', '2.2.0+3')
    """
    return tuple(version for version in versions if _numbers(version) < _numbers(than))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))


class _Undone(Exception):  # noqa: N818  # how a transaction that only looks is rolled back
    def __init__(self, found: Recleaned) -> None:
        self.found = found


@dataclass(frozen=True, slots=True)
class Job:
    """One run over the pages of a choice.

    Attributes:
        key: names the run, so that one that was broken off is gone on with: the same pages, the same extractor.
    """

    settings: Settings
    engine: Engine
    place: Place
    choice: Choice
    now: Callable[[], datetime]
    dry_run: bool = False
    limit: int | None = None

    @property
    def key(self) -> str:
        """Of this choice and this version of the extractor."""
        return hashlib.sha256(repr((self.choice, EXTRACTOR_VERSION)).encode()).hexdigest()[:40]


def reclean(job: Job, progress: Callable[[str], None] = lambda kind: None) -> Report:
    """Clean the pages again; a dry run reports what would change, and changes nothing.

    What would change is what changes: the dry run does all of it, and rolls each transaction back.
    """
    return asyncio.run(_reclean(job, progress))


async def _reclean(job: Job, progress: Callable[[str], None]) -> Report:
    report, after, left, is_whole = Report(), 0, job.limit, True
    database = Database(job.engine)
    try:
        async with Workers(job.settings.jobs, job.settings.extract_timeout, job.settings.rules_dir) as workers:
            slots = asyncio.Semaphore(workers.jobs * 4)
            while pages := await database.read(
                next_pages, job.choice, after, BATCH if left is None else min(BATCH, left)
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
    job: Job, database: Database, workers: Workers, home: int, report: Report, progress: Callable[[str], None]
) -> None:
    copies = await database.read(good_copies, home, COPIES)
    if not copies:
        return
    url = copies[0].page.url
    if not job.dry_run and is_done(copies, job.key):
        report.kinds["done"] += 1
        progress("done")
        return
    try:
        read = await _read(job, database, workers, copies)
    except (ArchiveError, ExtractError) as error:
        kind = "unreadable" if isinstance(error, ArchiveError) else "failed"
        found = Recleaned(kind)
    else:
        found = (
            await asyncio.to_thread(_store, job, database, home, copies, read)
            if job.dry_run
            else await database.write(clean_again, home, copies, read, job.now(), job.key)
        )
    report.note(url, found)
    progress(found.kind)


def _store(job: Job, database: Database, home: int, copies: list[Copy], read: tuple[Copy, Article] | None) -> Recleaned:
    def look(connection: Connection) -> None:
        raise _Undone(clean_again(connection, home, copies, read, job.now(), job.key))

    try:
        with job.engine.begin() as connection:
            look(connection)
    except _Undone as undone:
        return undone.found
    raise AssertionError("unreachable")


async def _read(job: Job, database: Database, workers: Workers, copies: list[Copy]) -> tuple[Copy, Article] | None:
    """The article of the newest copy that holds one."""
    for copy in copies:
        if is_refused(copy.opt_out, job.settings.respect_opt_out):
            return None
        response = await asyncio.to_thread(read_copy, job.engine, job.place, copy.row, job.settings.max_bytes)
        reserved = signals_of_headers(response.headers, job.settings.user_agent)
        found = await read_article(job.settings, database, workers, copy.page, response, reserved)
        if isinstance(found, Article) and not is_refused(found.opt_out, job.settings.respect_opt_out):
            return copy, found
    return None
