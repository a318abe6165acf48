"""Taking in whole pages: read as a stream, extracted in all processes, stored in order with the progress of their unit.

The number and size of pages under way is bounded, and with it the memory, however large the file. A batch is stored in
the transaction that moves the unit on: after a kill only what was not stored is read again.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice, takewhile

import structlog

from pipeline.backfill.intake_items import IntakeItem, estimate_items
from pipeline.backfill.intake_store import is_fault_of_page, look_up_pages, store_step
from pipeline.backfill.job_runner import JobRunner
from pipeline.errors import ungrouped
from pipeline.ingest.page_results import judge_response
from pipeline.model import Address, Article, Fetched, Page, Response, Validators
from pipeline.runtime.context import RunContext
from pipeline.runtime.events import Event
from pipeline.schedule.pages import PageUpdate
from pipeline.store.articles.bulk_rows import CapturedPage
from pipeline.store.backfill.job_values import BackfillUnit, UnitStep
from pipeline.store.backfill.jobs import load_job_progress
from pipeline.urls import site_of

log = structlog.get_logger("news")

READ = 16
"""Items that are read at once, in a thread."""

SAVE = 32
"""Pages of one transaction: enough that its cost does not count, few enough that a kill costs little."""

UNDER_WAY = 24
"""Pages that wait for each extraction process, so that it never idles while others are stored."""

MAX_BYTES = 48 * 2**20
"""Bytes of pages that were read and are not stored yet, beside one; what is made of them is smaller. Some two hundred
pages: a slow one at the head must not leave the processes without work."""


@dataclass(slots=True)
class _Line:
    """An item that was read and is not stored yet, in the order of the file.

    Attributes:
        task: reads the page, and holds its bytes until it is done; it gives None for a page that cannot be read at all.
        size: bytes of the page.
        outcome: of an item that is not a page to be read.
    """

    end: int
    outcome: str | None = None
    address: Address | None = None
    had_at: datetime | None = None
    task: asyncio.Task[tuple[Article, Fetched] | PageUpdate | None] | None = None
    size: int = 0

    @property
    def is_ready(self) -> bool:
        return self.task is None or self.task.done()


@dataclass(slots=True)
class Intake:
    """Takes in the pages of one unit.

    Attributes:
        size: of the file, in the unit of its positions; None if unknown.
        left: pages that may still be taken; None for any number.
    """

    runner: JobRunner
    unit: BackfillUnit
    size: int | None = None
    left: int | None = None
    _line: deque[_Line] = field(default_factory=deque)
    _bytes: int = 0
    _tasks: asyncio.TaskGroup = field(default_factory=asyncio.TaskGroup)
    _slots: asyncio.Semaphore = field(init=False)
    _final: RunContext = field(init=False)

    def __post_init__(self) -> None:
        # Nothing is tried again later: a file does not change.
        context = self.runner.context
        self._slots = asyncio.Semaphore(context.workers.jobs * UNDER_WAY)
        self._final = replace(context, settings=replace(context.settings, max_attempts=1))

    async def run(self, items: Iterable[IntakeItem]) -> None:
        """Take in all items and note that the unit is done; stops early when the run is asked to.

        Raises:
            LeaseLostError: the unit is another worker's by now.
            Exception: whatever reading the items raises; what was read before is stored.
        """
        source = iter(items)
        with ungrouped():
            await self._run(source)
        if not self.runner.context.stop.is_asked:
            await self._note(UnitStep("done", self.unit.position), [])

    async def _run(self, source: Iterator[IntakeItem]) -> None:
        async with self._tasks:
            try:
                while (self.left is None or self.left > 0) and not self.runner.context.stop.is_asked:
                    batch = await asyncio.to_thread(_some, source)
                    if not batch:
                        break
                    await self._enter(batch)
            finally:
                await self._store_ready(all_of_it=True)

    async def _enter(self, batch: Sequence[IntakeItem]) -> None:
        urls = [item.address.url for item in batch if item.address is not None]
        had, announced, learned = (
            await self.runner.context.database.read(look_up_pages, urls) if urls else (set(), set(), {})
        )
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
                    line.task = self._tasks.create_task(
                        self._read(item.address, item.response, texts, item.address.url in announced)
                    )
                    self._bytes += line.size
                    self.left = None if self.left is None else self.left - 1
            self._line.append(line)
        await self._store_ready()

    async def _read(
        self, address: Address, response: Response, learned: frozenset[str], has_entry: bool
    ) -> tuple[Article, Fetched] | PageUpdate | None:
        page = Page(
            id=0,
            url=address.url,
            host="",
            validators=Validators(),
            attempts=1,
            published_at=address.published_at,
            published_from=address.published_from,
            has_entry=has_entry,
        )
        try:
            await self._final.client.parts.pace()
            return await judge_response(self._final, page, response, learned=learned)
        except Exception as error:
            if not is_fault_of_page(error):
                raise
            # Strangers' bytes: one bad page never ends a file.
            log.warning("page", url=address.url, outcome="broken", error=repr(error))
            return None
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
        """Store the ready items at the head of the line, if there are enough of them."""
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
        pages: list[CapturedPage] = []
        languages = self.runner.job.wanted.languages
        for line in lines:
            if line.task is None or line.address is None or line.had_at is None:
                counts[line.outcome or "unusable"] += 1
                continue
            result = line.task.result()
            counts["broken" if result is None else "read"] += 1
            if isinstance(result, tuple):
                article, fetched = result
                if languages and (article.language or "") not in languages:
                    counts["other_language"] += 1
                    continue
                result = article, replace(fetched, at=line.had_at)
            if result is not None:
                pages.append(CapturedPage(line.address, line.had_at, result))
        await self._note(UnitStep("queued", lines[-1].end, counts=counts), pages)

    async def _note(self, step: UnitStep, pages: Sequence[CapturedPage]) -> None:
        context, runner = self.runner.context, self.runner
        counts, outcomes = await context.database.write(
            store_step, runner.job, self.unit, context.owner, step, pages, context.now(), context.policy
        )
        self.unit = replace(self.unit, position=step.position, counts=Counter(self.unit.counts) + counts, attempts=0)
        runner.findings.counts.update(counts)
        for url, outcome in outcomes:
            context.tally.report(Event("page", url, outcome))
        facts = {"size": self.size, "position": step.position}
        outcome = "reading" if step.state == "queued" else step.state
        context.tally.report(Event("unit", self.unit.address, outcome, facts=facts))


async def take_in_unit(runner: JobRunner, unit: BackfillUnit, items: Iterable[IntakeItem], size: int | None) -> None:
    """Take in the items of a unit up to the limit of the job; a dry run only estimates them.

    Raises:
        LeaseLostError: the unit is another worker's by now.
        Exception: whatever reading the items raises; what was read before is stored.
    """
    wanted = runner.job.wanted
    if wanted.dry:
        await estimate_items(runner, unit, items, size)
        return
    left = None
    if wanted.limit is not None:
        state = await runner.context.database.read(load_job_progress, runner.job.id, runner.now)
        left = max(0, wanted.limit - state.counts.get("read", 0))
    await Intake(runner, unit, size, left).run(items)


def _some(source: Iterator[IntakeItem]) -> list[IntakeItem]:
    return list(islice(source, READ))
