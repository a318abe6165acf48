"""How a backfill shows itself: a bar with rate and time left, and what it came to."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rich.progress import TimeRemainingColumn

from pipeline.backfill import Result
from pipeline.cli.output import Bar, console, print_counts, print_table
from pipeline.config import Settings
from pipeline.ingest.events import Event, Tally
from pipeline.store.backfill import job_state
from pipeline.store.engine import open_engine, reading


class BackfillProgress(Bar):
    """Shows how a backfill goes. What is expected is what the units queued, and of files their bytes."""

    def __init__(self, settings: Settings, job_id: int, *, quiet: bool = False) -> None:
        self._tally = Tally()
        self._began = time.monotonic()
        self._units = 0
        self._done, self._expected = 0, _waiting(settings, job_id)
        self._share: tuple[float, float] | None = None
        super().__init__(TimeRemainingColumn(), "listing", None, quiet=quiet)

    def __call__(self, event: Event) -> None:
        """Take note of an outcome."""
        if event.kind == "unit":
            self._units += 1
            self._expected += event.facts.get("queued", 0)
            if size := event.facts.get("size"):
                self._share = (event.facts["position"], size)
        elif event.kind == "page":
            self._tally.count(event)
            self._done += 1
        elif event.kind == "run":
            self.say_stopping()
        self._show()

    def _show(self) -> None:
        seconds = time.monotonic() - self._began
        totals = self._tally.totals
        told = (
            f"{self._units} units, {self._done} pages, {self._done / max(seconds, 0.1):.1f}/s: {totals.new} new, "
            f"{totals.duplicate} duplicates, {totals.rejected + totals.failed + totals.retry} without article"
        )
        done, total = self._share or (self._done, max(self._done, self._expected))
        left = seconds * (total - done) / done if done else 0
        self.show(done, total or None, told, f"{told}; {left / 60:.0f} min left")


def _waiting(settings: Settings, job_id: int) -> int:
    engine = open_engine(settings.database_url)
    try:
        with reading(engine) as connection:
            return job_state(connection, job_id, datetime.now(UTC)).waiting
    finally:
        engine.dispose()


def print_result(result: Result) -> None:
    """What a run of a backfill came to."""
    print_counts("units", dict(result.units))
    print_counts("listed", {name: count for name, count in result.counts.items() if count})
    totals = result.totals.as_dict()
    print_counts("pages", {name: count for name, count in totals.items() if count and "entries" not in name})
    if result.troubles:
        rows = [(one["address"], one["state"], one["reason"], one["detail"]) for one in result.troubles[:20]]
        print_table(("unit", "state", "reason", "detail"), rows)
    if not result.is_done:
        later = f" from {result.next_at:%Y-%m-%d %H:%M} UTC on" if result.next_at else ""
        console().print(
            f"{result.waiting} pages and {result.units.get('queued', 0)} units are to be tried again{later}: "
            f"news backfill resume {result.job}"
        )


def print_estimate(told: Mapping[str, Any]) -> None:
    """What a dry run says."""
    size = f"{told['bytes'] / 2**20:,.0f} MiB"
    print_counts("would take", {"pages": told["pages"], "size": size, "hours": told["hours"], "hosts": told["hosts"]})
    print_counts("would not", {name: told[name] for name in ("known", "outside", "undated")})
    for url in told["sample"]:
        console().print(f"  {url}")
    if told["troubles"]:
        rows = [(one["address"], one["reason"], one["detail"]) for one in told["troubles"][:20]]
        print_table(("unit", "reason", "detail"), rows)
