"""What every part of a backfill works with: the job, the context of the run, and a way to ask politely."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from pipeline.errors import FetchError
from pipeline.fetch import ACCEPT_TEXT
from pipeline.fetch.download import Download
from pipeline.ingest.context import Context
from pipeline.ingest.events import Event
from pipeline.ingest.visit import VisitOver
from pipeline.model import Address, Capture, Response
from pipeline.robots import Robots, parse_robots, robots_text, robots_verdict
from pipeline.schedule import backoff
from pipeline.store.backfill import Job, Step, Unit, host_facts, load_unit, record_step
from pipeline.store.frontier import lease_host, record_robots, release_host
from pipeline.urls import host_of, is_same_site

SAMPLE = 10
"""Addresses that a dry run shows."""

BUSY_PAUSE = timedelta(seconds=60)
"""The pause after a 429 that names none (RFC 6585 leaves it open)."""

BUSY = 0.5
"""Seconds between two looks at a host that another worker talks to."""


@dataclass(slots=True)
class Findings:
    """What a run has met so far."""

    counts: Counter[str] = field(default_factory=Counter)
    months: Counter[str] = field(default_factory=Counter)
    hosts: Counter[str] = field(default_factory=Counter)
    sample: list[str] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    bytes: int = 0


class Desk:
    """One worker at one job.

    Attributes:
        findings: what this worker has met.
        first: ids of the units that are this worker's before others.
    """

    def __init__(
        self,
        context: Context,
        job: Job,
        first: Sequence[int] = (),
        collect: Callable[[Sequence[Address]], None] | None = None,
    ) -> None:
        self.context = context
        self.job = job
        self.first = tuple(first)
        self.findings = Findings()
        self._collect = collect
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._answers: dict[int, list[Capture]] = defaultdict(list)

    @property
    def now(self) -> datetime:
        """The time."""
        return self.context.now()

    def is_wanted(self, url: str) -> bool:
        """Whether the page is of one of the sites that are asked for."""
        sites = self.job.wanted.sites
        return not sites or any(is_same_site(url, f"http://{site}/") for site in sites)

    async def record(self, unit: Unit, step: Step) -> Counter[str]:
        """Store a step, and report it."""
        if self.job.wanted.dry:  # nothing is stored that would tell what was met before
            marks = {hash(address.url): address for address in step.addresses}
            new = [address for mark, address in marks.items() if mark not in self.findings.seen]
            self.findings.seen.update(marks)
            step = replace(step, addresses=new)
            if self._collect is not None:
                self._collect(new)
        counts = await self.context.database.write(record_step, self.job, unit, self.context.owner, step, self.now)
        self.context.forget(self._answers.pop(unit.id, ()))
        self.findings.counts.update(counts)
        self.note(step.addresses)
        facts = {"kind_of_unit": unit.kind, **{name: count for name, count in counts.items() if count}}
        facts |= {"detail": step.detail} if step.detail else {}
        outcome = step.reason or step.state
        self.context.tally.report(Event("unit", unit.address, outcome, step.reason is not None, facts))
        return counts

    def note(self, addresses: Sequence[Address]) -> None:
        """Take note of pages that were met, for the estimate."""
        for address in addresses:
            self.findings.hosts[host_of(address.fetch_url or address.url)] += 1
            if len(self.findings.sample) < SAMPLE:
                self.findings.sample.append(address.url)

    def after(self, unit: Unit, error: FetchError) -> Step:
        """What becomes of a unit that could not be had: tried again later, or given up."""
        kept = {"position": unit.position, "cursor": unit.cursor, "reason": error.reason, "detail": str(error)}
        if not error.temporary or unit.attempts >= self.context.settings.max_attempts:
            return Step("failed", **kept)  # type: ignore[arg-type]  # each has its field's type
        wait = error.retry_after
        if wait is None:
            is_busy = error.status == 429
            wait = BUSY_PAUSE if is_busy else backoff(unit.attempts, self.context.settings.retry_delay)
        return Step("queued", due_at=self.now + wait, **kept)  # type: ignore[arg-type]  # the same

    async def get(self, unit: Unit, url: str, accept: str) -> Response:
        """Fetch a URL under its host's robots.txt, when the host may be asked, and leave it alone for as long as due.

        A run of this job that was killed may have had the answer; it is forgotten with the next step of the unit.

        Raises:
            FetchError: it came to nothing; ``robots`` where it may not be asked.
            VisitOver: the run is to end.
        """
        host = host_of(url)
        async with self._locks[host]:
            pause = await self._lease(host)
            try:
                pause = await self._allowed(url, host, pause)
                response = await self.context.fetcher.get(url, accept=accept, kept_since=self.job.created_at)
            except FetchError as error:
                self._answers[unit.id] += error.captures
                if error.retry_after is not None or error.status == 429:
                    pause = max(pause, error.retry_after if error.retry_after is not None else BUSY_PAUSE)
                raise
            else:
                self._answers[unit.id] += response.captures
                return response
            finally:
                await self.context.database.write(release_host, host, self.context.owner, self.now + pause)

    @asynccontextmanager
    async def opened(self, url: str, offset: int) -> AsyncIterator[Download]:
        """Open a file under its host's robots.txt, when the host may be asked; it is read without holding the host.

        Raises:
            FetchError: it cannot be had; also while it is read.
        """
        host = host_of(url)
        async with AsyncExitStack() as stack:
            async with self._locks[host]:
                pause = await self._lease(host)
                try:
                    pause = await self._allowed(url, host, pause)
                    download = await stack.enter_async_context(self.context.fetcher.download(url, offset))
                finally:
                    await self.context.database.write(release_host, host, self.context.owner, self.now + pause)
            yield download

    async def reload(self, unit: Unit) -> Unit:
        """The unit as it is stored by now."""
        return await self.context.database.read(load_unit, unit)

    async def _lease(self, host: str) -> timedelta:
        """Wait until the host is ours; the pause that it asks for between two requests.

        Raises:
            VisitOver: the run is to end.
        """
        context = self.context
        self._go_on()
        while not await context.database.write(lease_host, host, context.owner, self.now, context.settings.lease):
            facts = await context.database.read(host_facts, host)
            wait = (facts.next_fetch_at - self.now).total_seconds() if facts else 0
            await context.stop.sleep(wait if 0 < wait < BUSY else BUSY)
            self._go_on()
        facts = await context.database.read(host_facts, host)
        return max(context.settings.host_delay, facts.delay if facts else timedelta(0))

    def _go_on(self) -> None:
        if self.context.stop.is_asked:
            raise VisitOver

    async def _allowed(self, url: str, host: str, pause: timedelta) -> timedelta:
        """Make sure that robots.txt allows the URL; the pause that it asks for.

        Raises:
            FetchError: it does not, or cannot be had.
            VisitOver: the run is to end.
        """
        context = self.context
        facts = await context.database.read(host_facts, host)
        read_at = facts.robots_fetched_at if facts else None
        if facts is not None and read_at is not None and self.now - read_at < context.settings.robots_ttl:
            robots = parse_robots(facts.robots or "")
        else:
            robots = await self._read_robots(url, host)
            pause = max(pause, robots.crawl_delay(context.settings.user_agent) or timedelta(0))
            await context.stop.sleep(pause.total_seconds())
            self._go_on()
        if not robots.may_fetch(url, context.settings.user_agent):
            raise FetchError(url, "robots", "robots.txt forbids this URL", temporary=False)
        return pause

    async def _read_robots(self, url: str, host: str) -> Robots:
        context = self.context
        address, since = f"{url.partition(':')[0]}://{host}/robots.txt", self.now - context.settings.robots_ttl
        try:
            response = await context.fetcher.get(address, accept=ACCEPT_TEXT, kept_since=since)
            text, status, captures = robots_text(response.body), response.status, response.captures
        except FetchError as error:
            if robots_verdict(error) != "allow_all":
                raise FetchError(
                    url, "robots_unreachable", str(error), temporary=True, retry_after=error.retry_after
                ) from error
            text, status, captures = "", error.status or 404, error.captures
        robots = parse_robots(text)
        delay = robots.crawl_delay(context.settings.user_agent) or timedelta(0)
        await context.database.write(record_robots, host, self.now, text=text, status=status, delay=delay)
        context.forget(captures)
        return robots

    async def robots_of(self, url: str) -> Robots:
        """The robots.txt of a URL's host; a request where it is not known yet.

        Raises:
            FetchError: it cannot be had now.
        """
        host = host_of(url)
        async with self._locks[host]:
            facts = await self.context.database.read(host_facts, host)
            if facts is not None and facts.robots_fetched_at is not None:
                return parse_robots(facts.robots or "")
            pause = await self._lease(host)
            try:
                return await self._read_robots(url, host)
            finally:
                await self.context.database.write(release_host, host, self.context.owner, self.now + pause)
