"""Progress on standard error: a bar on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Self

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from pipeline.cli.output import progress_console, report_line
from pipeline.errors.failure_reasons import find_reason
from pipeline.runtime.events import Event, Tally
from pipeline.text.control_characters import show_controls

LINE_EVERY = 10.0
"""Seconds between two lines of progress where no terminal shows a bar."""


class ProgressCount:
    """A progress bar that counts one thing; shows nothing if standard error is not a terminal."""

    def __init__(self, progress: Progress | None, total: int | None, description: str) -> None:
        self._progress = progress
        self._task = progress.add_task(description, total=total) if progress else None

    def advance(self, *_: object) -> None:
        """Count one more."""
        if self._progress and self._task is not None:
            self._progress.advance(self._task)

    def show(self, done: int | None = None, description: str | None = None) -> None:
        """Update how many are done, and the description."""
        if self._progress and self._task is not None:
            self._progress.update(self._task, completed=done, description=description and show_controls(description))


@contextmanager
def count_on_terminal(
    total: int | None, description: str, *columns: str | ProgressColumn, quiet: bool = False
) -> Iterator[ProgressCount]:
    """Show a counter on standard error while the block runs.

    The bar consists of ``columns``, where it is not the usual one; ``total`` is None where nobody knows it.
    """
    if quiet or not sys.stderr.isatty():
        yield ProgressCount(None, total, description)
        return
    usual = (
        SpinnerColumn(),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}", markup=False),
        TimeRemainingColumn(),
    )
    with Progress(*(columns or usual), console=progress_console(), transient=True) as progress:
        yield ProgressCount(progress, total, description)


class ProgressBar(AbstractContextManager["ProgressBar"]):
    """A progress bar on a terminal, or an occasional line elsewhere; always on standard error."""

    def __init__(self, time_column: ProgressColumn, description: str, total: float | None, *, quiet: bool) -> None:
        self._last_line = time.monotonic()
        self._quiet = quiet
        self._bar: Progress | None = None
        if not quiet and sys.stderr.isatty():
            self._bar = Progress(
                SpinnerColumn(),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.description}", markup=False),
                time_column,
                console=progress_console(),
                transient=True,
            )
            self._task = self._bar.add_task(description, total=total)

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def show(self, done: float, total: float | None, description: str, line: str) -> None:
        """Update the bar with a description, or print the line if there is no bar."""
        if self._bar:
            self._bar.update(self._task, completed=done, total=total, description=show_controls(description))
        elif not self._quiet and time.monotonic() - self._last_line >= LINE_EVERY:
            self._last_line = time.monotonic()
            report_line(line)

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        if self._bar:
            self._bar.console.print(show_controls(line))
        else:
            report_line(line)

    def say_stopping(self) -> None:
        """Say that a signal has arrived."""
        self.say("Stopping: what is on its way is stored first; the same again ends at once.")


class RunProgress(ProgressBar):
    """Shows the progress of a run."""

    def __init__(self, feeds: int, pages: int, *, quiet: bool = False) -> None:
        self._expected = feeds + pages
        self._tally = Tally()
        super().__init__(TimeElapsedColumn(), "starting", self._expected or None, quiet=quiet)

    def __call__(self, event: Event) -> None:
        """Take note of an outcome."""
        if event.kind == "run":
            self._say_of_run(event)
        self._tally.count(event)
        totals = self._tally.totals
        if event.kind == "poll":
            self._expected += event.facts.get("new", 0) + event.facts.get("changed", 0)
        done = totals.polls + totals.pages
        counts = (
            f"{totals.polls} polls, {totals.pages} pages: {totals.new} new, {totals.revised} revised, "
            f"{totals.duplicate} duplicates, {totals.rejected + totals.failed + totals.retry} without article"
        )
        total = max(self._expected, done)
        self.show(done, total, counts, f"{done} of {total}: {counts}")

    def _say_of_run(self, event: Event) -> None:
        if event.outcome == "stopping":
            self.say_stopping()
            return
        waiting = ", ".join(f"{event.facts[kind]} {kind}" for kind in ("feeds", "pages") if kind in event.facts)
        self.say(
            f"Left to the next run: {waiting}: {event.facts['reason']}: {find_reason(event.facts['reason']).advice}"
        )
