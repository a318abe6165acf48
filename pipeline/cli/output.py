"""Printing: tables for people, JSON for programs, progress on a terminal, plain lines elsewhere."""

import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self, TypeVar

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from pipeline.ingest.events import Event, Tally

F = TypeVar("F", bound=Callable[..., Any])

LINE_EVERY = 10.0
"""Seconds between two lines of progress where no terminal shows a bar."""


def json_option(function: F) -> F:
    """The option ``--json``, the same for all commands that have it."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(function)


def console() -> Console:
    """Where results go; wide where no terminal sets a width, so that nothing is cut off in a file."""
    return Console(highlight=False, soft_wrap=True) if sys.stdout.isatty() else Console(width=200, highlight=False)


def print_json(value: object) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(value, default=plain, ensure_ascii=False, indent=2))


def plain(value: object) -> object:
    """What JSON has no form for, in the usual one."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    raise TypeError(f"no JSON form for {type(value).__name__}")


def shown(value: object) -> str:
    """A value as people read it in a table."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, list | tuple):
        return ", ".join(map(shown, value))
    return "" if value is None else str(value)


def print_table(columns: Iterable[str], rows: Iterable[Iterable[object]], title: str | None = None) -> None:
    """Print rows under headings."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(shown(value) for value in row))
    console().print(table)


def print_counts(title: str, counts: Mapping[str, object]) -> None:
    """Print one line: a title and its counts."""
    told = "  ".join(f"{name.replace('_', ' ')} {shown(value)}" for name, value in counts.items())
    console().print(f"[bold]{title:10s}[/bold] {told or 'none'}")


class Bar(AbstractContextManager["Bar"]):
    """A bar on a terminal, a line now and then elsewhere; everything goes to standard error."""

    def __init__(self, time_column: ProgressColumn, description: str, total: float | None, *, quiet: bool) -> None:
        self._last_line = time.monotonic()
        self._quiet = quiet
        self._bar: Progress | None = None
        if not quiet and sys.stderr.isatty():
            self._bar = Progress(
                SpinnerColumn(),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.description}"),
                time_column,
                console=Console(stderr=True),
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

    def show(self, done: float, total: float | None, told: str, line: str) -> None:
        """Move on: what is told beside the bar, and the line where there is none."""
        if self._bar:
            self._bar.update(self._task, completed=done, total=total, description=told)
        elif not self._quiet and time.monotonic() - self._last_line >= LINE_EVERY:
            self._last_line = time.monotonic()
            click.echo(line, err=True)

    def say(self, line: str) -> None:
        """Say something beside the bar, or where it would be."""
        if self._bar:
            self._bar.console.print(line)
        else:
            click.echo(line, err=True)

    def say_stopping(self) -> None:
        """Say that a signal has arrived."""
        self.say("Stopping: what is on its way is stored first; the same again ends at once.")


class RunProgress(Bar):
    """Shows how a run goes."""

    def __init__(self, feeds: int, pages: int, *, quiet: bool = False) -> None:
        self._expected = feeds + pages
        self._tally = Tally()
        super().__init__(TimeElapsedColumn(), "starting", self._expected or None, quiet=quiet)

    def __call__(self, event: Event) -> None:
        """Take note of an outcome."""
        if event.kind == "run":
            self.say_stopping()
        self._tally.count(event)
        totals = self._tally.totals
        if event.kind == "poll":
            self._expected += event.facts.get("new", 0) + event.facts.get("changed", 0)
        done = totals.polls + totals.pages
        told = (
            f"{totals.polls} polls, {totals.pages} pages: {totals.new} new, {totals.revised} revised, "
            f"{totals.duplicate} duplicates, {totals.rejected + totals.failed + totals.retry} without article"
        )
        total = max(self._expected, done)
        self.show(done, total, told, f"{done} of {total}: {told}")
