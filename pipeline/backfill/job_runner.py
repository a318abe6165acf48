"""What every part of a backfill works with: the job, the context of the run, and a way to request politely."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from pipeline.errors import FetchError
from pipeline.model import Address, Capture, Response
from pipeline.runtime.context import RunContext
from pipeline.runtime.events import Event
from pipeline.schedule.pages import page_retry_pause
from pipeline.store.backfill.job_units import load_unit, record_step
from pipeline.store.backfill.job_values import BackfillJob, BackfillUnit, UnitStep
from pipeline.urls import host_of, is_on_site

SAMPLE = 10
"""Addresses that a dry run shows."""

BUSY_PAUSE = timedelta(seconds=60)
"""The pause after a 429 that names none (RFC 6585 leaves it open)."""


@dataclass(slots=True)
class Findings:
    """What a run has come across so far, for reports and estimates."""

    counts: Counter[str] = field(default_factory=Counter)
    months: Counter[str] = field(default_factory=Counter)
    hosts: Counter[str] = field(default_factory=Counter)
    sample: list[str] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    bytes: int = 0


def is_of_sites(url: str, sites: Sequence[str]) -> bool:
    """Whether the page is on one of the sites or below one; always true if none is given."""
    return not sites or any(is_on_site(url, site) for site in sites)


class JobRunner:
    """One worker at one job.

    Attributes:
        findings: what this worker has come across.
        first: ids of the units that this worker claims first.
    """

    def __init__(
        self,
        context: RunContext,
        job: BackfillJob,
        first: Sequence[int] = (),
        collect: Callable[[Sequence[Address]], None] | None = None,
    ) -> None:
        self.context = context
        self.job = job
        self.first = tuple(first)
        self.findings = Findings()
        self._collect = collect
        self._answers: dict[int, list[Capture]] = defaultdict(list)

    @property
    def now(self) -> datetime:
        """The time."""
        return self.context.now()

    def is_wanted(self, url: str) -> bool:
        """Whether the page is on one of the requested sites."""
        return is_of_sites(url, self.job.wanted.sites)

    async def record(self, unit: BackfillUnit, step: UnitStep) -> Counter[str]:
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
        """Take note of pages for the estimate."""
        for address in addresses:
            self.findings.hosts[host_of(address.fetch_url or address.url)] += 1
            if len(self.findings.sample) < SAMPLE:
                self.findings.sample.append(address.url)

    def after(self, unit: BackfillUnit, error: FetchError) -> UnitStep:
        """Make the step for a unit that could not be fetched: it is tried again later, or given up."""
        kept = {"position": unit.position, "cursor": unit.cursor, "reason": error.reason, "detail": str(error)}
        if not error.temporary or unit.attempts >= self.context.settings.max_attempts:
            return UnitStep("failed", **kept)  # type: ignore[arg-type]  # each has its field's type
        wait = error.retry_after
        if wait is None:
            is_busy = error.status == 429
            wait = BUSY_PAUSE if is_busy else page_retry_pause(unit.attempts, self.context.settings.retry_delay)
        return UnitStep("queued", due_at=self.now + wait, **kept)  # type: ignore[arg-type]  # the same

    async def get(self, unit: BackfillUnit, url: str, accept: str) -> Response:
        """Fetch a URL under its host's robots.txt, when the host may be asked, and leave it alone for as long as due.

        A run of this job that was killed may have had the answer; it is forgotten with the next step of the unit.

        Raises:
            FetchError: it could not be fetched; ``robots`` if robots.txt forbids it.
            SessionEnded: the run is asked to stop.
        """
        try:
            response = await self.context.client.get(url, accept=accept, kept_since=self.job.created_at)
        except FetchError as error:
            self._answers[unit.id] += error.captures
            raise
        self._answers[unit.id] += response.captures
        return response

    async def reload(self, unit: BackfillUnit) -> BackfillUnit:
        """The unit as it is stored by now."""
        return await self.context.database.read(load_unit, unit)
