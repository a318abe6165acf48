"""Run a backfill from the command line, with the options that all sources share, its progress and its result."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import Any

import click
from rich.progress import TimeRemainingColumn

from pipeline.backfill import BackfillRequest, BackfillResult, begin_job, first_units, run_job
from pipeline.backfill.estimate import estimate_job
from pipeline.cli.options import json_option, parse_period
from pipeline.cli.output import print_counts, print_json, print_line, print_table, report_line
from pipeline.cli.progress import ProgressBar
from pipeline.config import Settings
from pipeline.periods import Period
from pipeline.runtime.events import Event, Tally
from pipeline.store.backfill.jobs import load_job_progress
from pipeline.store.connection.engine import open_archive, reading


@dataclass(frozen=True, slots=True)
class BackfillOptions:
    """The values of these options; a source without one of them leaves its value empty."""

    period: Period
    sites: tuple[str, ...]
    languages: tuple[str, ...]
    undated: bool
    limit: int | None
    rate: float | None
    dry: bool
    as_json: bool


def common_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add the shared options to a command, which receives them as one `BackfillOptions` value."""

    @wraps(function)
    def command(
        settings: Settings,
        *,
        since: str | None,
        until: str | None,
        sites: str | None = None,
        languages: str | None = None,
        undated: bool = False,
        limit: int | None,
        rate: float | None,
        dry_run: bool,
        as_json: bool,
        **given: Any,  # noqa: ANN401  # the command's own arguments
    ) -> None:
        period, words = parse_period(since, until), (parse_words(sites), parse_words(languages))
        function(settings, BackfillOptions(period, *words, undated, limit, rate, dry_run, as_json), **given)

    plain: Callable[..., None] = command
    decorated = json_option(click.pass_obj(plain))
    for option in reversed(_COMMON):
        decorated = option(decorated)
    return decorated


_COMMON = (
    click.option("--since", help="From this day, month or time on, such as 2026-03 or 2026-03-05T12:00+01:00."),
    click.option("--until", help="Up to this one, itself outside."),
    click.option("--limit", type=click.IntRange(min=1), help="Take so many pages at most."),
    click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="Pages a second at most."),
    click.option("--dry-run", is_flag=True, help="Say what it would take, and take nothing."),
)
sites_option = click.option("--sites", help="Only pages of these sites and those below them, comma-separated.")
languages_option = click.option("--languages", help="Only articles in these languages, comma-separated ISO 639-1.")


def parse_words(text: str | None) -> tuple[str, ...]:
    """Split a comma-separated option into lower-case parts without repeats."""
    return tuple(dict.fromkeys(part.strip().lower() for part in (text or "").split(",") if part.strip()))


def start_backfill(settings: Settings, source: str, targets: tuple[str, ...], options: BackfillOptions) -> None:
    """Start a job, or continue the one for the same request, and print its result."""
    wanted = BackfillRequest(
        source,
        targets,
        options.period,
        options.sites,
        options.languages,
        options.limit,
        options.undated,
        options.dry,
    )
    job = begin_job(settings, wanted, first_units(settings, wanted))
    if not job.is_new and not options.as_json:
        report_line(f"Going on with backfill {job.id}.")
    follow_job(settings, job.id, options.rate, options.as_json, dry=options.dry)


def follow_job(settings: Settings, job_id: int, rate: float | None, as_json: bool, *, dry: bool = False) -> None:
    """Do the rest of a job and print its result."""
    with BackfillProgress(settings, job_id, quiet=as_json) as progress:
        result = run_job(settings, job_id, rate=rate, listener=progress)
    if dry:
        expected = estimate_job(settings, result, rate)
        print_json(expected) if as_json else _print_estimate(expected)
    else:
        _report(result, as_json)
    if not result.is_done or result.units.get("failed"):
        raise click.exceptions.Exit(1)


def _report(result: BackfillResult, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "job": result.job,
                "done": result.is_done,
                "counts": result.counts,
                "pages": result.totals.as_dict(),
                "units": result.units,
                "waiting": result.waiting,
                "next_at": result.next_at,
                "troubles": result.troubles,
            }
        )
    else:
        _print_result(result)


class BackfillProgress(ProgressBar):
    """Shows the progress of a backfill, measured against the pages that units have queued, or the bytes of a file."""

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
        counts = (
            f"{self._units} units, {self._done} pages, {self._done / max(seconds, 0.1):.1f}/s: {totals.new} new, "
            f"{totals.duplicate} duplicates, {totals.rejected + totals.failed + totals.retry} without article"
        )
        done, total = self._share or (self._done, max(self._done, self._expected))
        left = seconds * (total - done) / done if done else 0
        self.show(done, total or None, counts, f"{counts}; {left / 60:.0f} min left")


def _waiting(settings: Settings, job_id: int) -> int:
    with open_archive(settings, check_schema=False) as engine, reading(engine) as connection:
        return load_job_progress(connection, job_id, datetime.now(UTC)).waiting


def _print_result(result: BackfillResult) -> None:
    print_counts("units", dict(result.units))
    print_counts("listed", {name: count for name, count in result.counts.items() if count})
    totals = result.totals.as_dict()
    print_counts("pages", {name: count for name, count in totals.items() if count and "entries" not in name})
    if result.troubles:
        rows = [(unit["address"], unit["state"], unit["reason"], unit["detail"]) for unit in result.troubles[:20]]
        print_table(("unit", "state", "reason", "detail"), rows)
    if not result.is_done:
        later = f" from {result.next_at:%Y-%m-%d %H:%M} UTC on" if result.next_at else ""
        print_line(
            f"{result.waiting} pages and {result.units.get('queued', 0)} units are to be tried again{later}: "
            f"news backfill resume {result.job}"
        )


def _print_estimate(expected: Mapping[str, Any]) -> None:
    size = f"{expected['bytes'] / 2**20:,.0f} MiB"
    print_counts(
        "would take", {"pages": expected["pages"], "size": size, "hours": expected["hours"], "hosts": expected["hosts"]}
    )
    print_counts("would not", {name: expected[name] for name in ("known", "outside", "undated")})
    for url in expected["sample"]:
        print_line(f"  {url}")
    if expected["troubles"]:
        rows = [(unit["address"], unit["reason"], unit["detail"]) for unit in expected["troubles"][:20]]
        print_table(("unit", "reason", "detail"), rows)
