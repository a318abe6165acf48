"""Pages that come whole: read as a stream, extracted in all processes, stored in order with the progress of their file.

How many are under way is bounded, by number and by size, and with it the memory, however large the file is. A batch is
stored in the transaction that moves the unit on: whoever is killed reads again what was not stored, and no more.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice, takewhile

from sqlalchemy.engine import Connection

from pipeline.backfill.desk import SAMPLE, Desk
from pipeline.errors import ungrouped
from pipeline.ingest.context import Context
from pipeline.ingest.events import Event
from pipeline.ingest.pages import read_page
from pipeline.model import Address, Article, Fetched, Page, Response, Validators
from pipeline.schedule import PagePolicy, PageUpdate
from pipeline.store.backfill import Job, Step, Unit, record_step
from pipeline.store.boilerplate import learned_of
from pipeline.store.intake import Taken, take_in, urls_had
from pipeline.urls import host_of, is_same_site, site_of

READ = 16
"""Items that are read at once, in a thread."""

SAVE = 32
"""Pages of one transaction: enough that its cost does not count, few enough that a kill costs little."""

UNDER_WAY = 24
"""Pages that each extraction process has waiting: while others are stored, it must not be without work."""

MAX_BYTES = 48 * 2**20
"""Bytes of pages that were read and are not stored yet, beside one; what is made of them is smaller. Some two hundred
pages: a slow one at the head must not leave the processes without work."""

DRY = 400
"""Items of a file that a dry run reads, to tell from them what the rest holds."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in a file.

    Attributes:
        end: the unit's position behind it.
        skipped: why it is no page to be taken in; None where it is one.
    """

    end: int
    skipped: str | None = None
    address: Address | None = None
    response: Response | None = None


class LeaseLostError(Exception):
    """Another worker has the unit by now."""


@dataclass(slots=True)
class _Line:
    """What was read and is not stored yet, in the order of the file.

    Attributes:
        task: reads the page, and holds its bytes until it is done.
        size: of the page.
        outcome: what became of what is no page to be read.
    """

    end: int
    outcome: str | None = None
    address: Address | None = None
    had_at: datetime | None = None
    task: asyncio.Task[tuple[Article, Fetched] | PageUpdate] | None = None
    size: int = 0

    @property
    def is_ready(self) -> bool:
        return self.task is None or self.task.done()


@dataclass(slots=True)
class Intake:
    """Takes in the pages of one unit.

    Attributes:
        size: of the file, in the measure of its positions; None where nobody knows.
        left: pages that may still be taken; None for any number.
    """

    desk: Desk
    unit: Unit
    size: int | None = None
    left: int | None = None
    _line: deque[_Line] = field(default_factory=deque)
    _bytes: int = 0
    _tasks: asyncio.TaskGroup = field(default_factory=asyncio.TaskGroup)
    _slots: asyncio.Semaphore = field(init=False)
    _final: Context = field(init=False)

    def __post_init__(self) -> None:
        # Nothing is tried again over the network: the file says what it says.
        context = self.desk.context
        self._slots = asyncio.Semaphore(context.workers.jobs * UNDER_WAY)
        self._final = replace(context, settings=replace(context.settings, max_attempts=1))

    async def run(self, items: Iterable[Item]) -> None:
        """Take in everything, and note that the unit is done; less, where the run is to end.

        Raises:
            LeaseLostError: the unit is another worker's by now.
            Exception: whatever the items raise; what was read before is stored.
        """
        source = iter(items)
        with ungrouped():
            await self._run(source)
        if not self.desk.context.stop.is_asked:
            await self._note(Step("done", self.unit.position), [])

    async def _run(self, source: Iterator[Item]) -> None:
        async with self._tasks:
            try:
                while (self.left is None or self.left > 0) and not self.desk.context.stop.is_asked:
                    batch = await asyncio.to_thread(_some, source)
                    if not batch:
                        break
                    await self._enter(batch)
            finally:
                await self._store_ready(all_of_it=True)

    async def _enter(self, batch: Sequence[Item]) -> None:
        urls = [item.address.url for item in batch if item.address is not None]
        had, learned = await self.desk.context.database.read(look_up, urls) if urls else (set(), {})
        for item in batch:
            line = _Line(item.end, item.skipped, item.address)
            if item.address is not None and item.response is not None:
                if item.address.url in had:
                    line.outcome = "known"
                elif self.left is not None and self.left <= 0:
                    return
                else:
                    await self._make_room()
                    line.had_at, line.size = item.response.fetched_at, len(item.response.body)
                    texts = learned[site_of(item.address.url)]
                    line.task = self._tasks.create_task(self._read(item.address, item.response, texts))
                    self._bytes += line.size
                    self.left = None if self.left is None else self.left - 1
            self._line.append(line)
        await self._store_ready()

    async def _read(
        self, address: Address, response: Response, learned: frozenset[str]
    ) -> tuple[Article, Fetched] | PageUpdate:
        page = Page(
            id=0,
            url=address.url,
            host="",
            validators=Validators(),
            attempts=1,
            published_at=address.published_at,
            published_from=address.published_from,
        )
        try:
            await self._final.pace()
            return await read_page(self._final, page, response, learned=learned)
        finally:
            self._slots.release()

    async def _make_room(self) -> None:
        await self._slots.acquire()
        while self._bytes > MAX_BYTES:
            head = self._line[0].task
            if head is not None:
                await asyncio.wait([head])
            await self._store_ready(least=1)

    async def _store_ready(self, *, least: int = SAVE, all_of_it: bool = False) -> None:
        """Store the head of the line as far as it is ready, if that is enough to be worth it."""
        while self._line:
            if all_of_it:
                tasks = [line.task for line in islice(self._line, SAVE) if line.task is not None]
                if tasks:
                    await asyncio.wait(tasks)
            ready = list(takewhile(lambda line: line.is_ready, islice(self._line, SAVE)))
            if not ready or (len(ready) < least and not all_of_it):
                return
            for line in ready:
                self._line.popleft()
                self._bytes -= line.size
            await self._store(ready)

    async def _store(self, lines: Sequence[_Line]) -> None:
        counts: Counter[str] = Counter()
        pages: list[Taken] = []
        languages = self.desk.job.wanted.languages
        for line in lines:
            if line.task is None or line.address is None or line.had_at is None:
                counts[line.outcome or "unusable"] += 1
                continue
            counts["read"] += 1
            found = line.task.result()
            if not isinstance(found, PageUpdate):
                article, fetched = found
                if languages and (article.language or "") not in languages:
                    counts["other_language"] += 1
                    continue
                found = article, replace(fetched, at=line.had_at)
            pages.append(Taken(line.address, line.had_at, found))
        await self._note(Step("queued", lines[-1].end, counts=counts), pages)

    async def _note(self, step: Step, pages: Sequence[Taken]) -> None:
        context, desk = self.desk.context, self.desk
        counts, outcomes = await context.database.write(
            store_step, desk.job, self.unit, context.owner, step, pages, context.now(), context.policy
        )
        self.unit = replace(self.unit, position=step.position, counts=Counter(self.unit.counts) + counts, attempts=0)
        desk.findings.counts.update(counts)
        for url, outcome in outcomes:
            context.tally.report(Event("page", url, outcome))
        facts = {"size": self.size, "position": step.position}
        outcome = "reading" if step.state == "queued" else step.state
        context.tally.report(Event("unit", self.unit.address, outcome, facts=facts))


def store_step(
    connection: Connection,
    job: Job,
    unit: Unit,
    owner: str,
    step: Step,
    pages: Sequence[Taken],
    now: datetime,
    policy: PagePolicy,
) -> tuple[Counter[str], list[tuple[str, str]]]:
    """Store pages together with the progress of their unit; returns the counts, and what became of each page.

    Raises:
        LeaseLostError: the unit is another worker's by now; nothing is stored.
    """
    outcomes = take_in(connection, pages, owner, now, policy) if pages else []
    told = Counter(step.counts) + Counter(outcome for _, outcome in outcomes)
    counts = record_step(connection, job, unit, owner, replace(step, counts=told), now)
    if "lost" in counts and "lost" not in told:
        raise LeaseLostError(unit.address)
    return counts, outcomes


async def count_only(desk: Desk, unit: Unit, items: Iterable[Item], size: int | None) -> None:
    """What a dry run makes of a file: its beginning is read, and the rest is taken to be like it."""
    begun = await asyncio.to_thread(lambda: list(islice(items, DRY)))
    pages = [item for item in begun if item.address is not None]
    had = await desk.context.database.read(urls_had, [item.address.url for item in pages if item.address])
    counts = Counter(item.skipped for item in begun if item.skipped)
    new = [item for item in pages if item.address and item.address.url not in had]
    counts |= {"read": len(new), "known": len(pages) - len(new)}
    read = begun[-1].end - unit.position if begun else 0
    share = (size - unit.position) / read if len(begun) == DRY and size and read else 1.0
    desk.findings.bytes += size or 0
    for item in new:
        if item.address is not None:
            desk.findings.hosts[host_of(item.address.url)] += 1
            if len(desk.findings.sample) < SAMPLE:
                desk.findings.sample.append(item.address.url)
    await desk.record(unit, Step(counts={name: round(count * share) for name, count in counts.items()}))


def look_up(connection: Connection, urls: Sequence[str]) -> tuple[set[str], dict[str, frozenset[str]]]:
    """Which of the pages are had, and what recurs on the sites of the others."""
    had = urls_had(connection, urls)
    return had, learned_of(connection, {site_of(url) for url in urls if url not in had})


def is_of_sites(url: str, sites: Sequence[str]) -> bool:
    """Whether the page is of one of the sites, or of one below; of any where none is given."""
    return not sites or any(is_same_site(url, f"http://{site}/") for site in sites)


def _some(source: Iterator[Item]) -> list[Item]:
    return list(islice(source, READ))
