"""The one place that prints: tables and lines for people, JSON for programs.

Most of what is printed was written by strangers: titles, authors, addresses, messages of servers. It is printed as
text. Nothing in it is taken for markup, a hyperlink or an emoji, and control characters, those of writing direction
too, are shown as escapes (`pipeline.text.control_characters`). Commands hand over values, and print nothing themselves.
"""

import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from datetime import datetime, timedelta
from io import StringIO
from typing import BinaryIO

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from pipeline.text.control_characters import escape_in_json, show_controls

_drawing: ContextVar[Console | None] = ContextVar("drawing", default=None)
"""What is drawn to in place of standard output, while a live view is made."""


def show_live(draw: Callable[[], None], seconds: float) -> None:
    """Show what a function prints, printed anew each so many seconds, until Ctrl-C; on a terminal in place."""
    with suppress(KeyboardInterrupt), Live(console=Console(), auto_refresh=False, screen=sys.stdout.isatty()) as live:
        while True:
            page = Console(
                file=StringIO(),
                force_terminal=True,
                width=live.console.width,
                highlight=False,
                markup=False,
                emoji=False,
            )
            token = _drawing.set(page)
            try:
                draw()
            finally:
                _drawing.reset(token)
            live.update(Text.from_ansi(page.file.getvalue()), refresh=True)  # type: ignore[attr-defined]  # StringIO
            time.sleep(seconds)


def _console() -> Console:
    """Return the console for results; 200 columns wide if there is no terminal, so that files are not cut off."""
    if (drawing := _drawing.get()) is not None:
        return drawing
    if sys.stdout.isatty():
        return Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    return Console(highlight=False, markup=False, emoji=False, width=200)


def format_json(value: object, *, indent: int | None = None, encode: Callable[[object], object] | None = None) -> str:
    """Format a value as JSON with every control character escaped; parsing it returns the value unchanged."""
    return escape_in_json(json.dumps(value, default=encode or encode_value, ensure_ascii=False, indent=indent))


def print_json(value: object) -> None:
    """Print a value as JSON."""
    write_line(format_json(value, indent=2))


def encode_value(value: object) -> object:
    """Encode times as ISO 8601 and durations as seconds, for `json.dumps`. Raises TypeError where it is neither."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    raise TypeError(f"no JSON form for {type(value).__name__}")


def format_value(value: object) -> str:
    """Format a value for people: times to the minute, lists comma-separated, None as nothing."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, list | tuple):
        return ", ".join(map(format_value, value))
    return "" if value is None else str(value)


def as_text(value: object, style: str = "", *, multiline: bool = False) -> Text:
    """Return a value as text that is safe to print, whoever wrote it."""
    return Text(show_controls(format_value(value), multiline=multiline), style)


def print_line(*pieces: object, style: str = "") -> None:
    """Print a line made of pieces; those that are `Text` keep their style."""
    line = Text(style=style)
    for piece in pieces:
        line.append_text(piece if isinstance(piece, Text) else as_text(piece))
    _console().print(line, soft_wrap=True)


def print_text(text: str) -> None:
    """Print a text of several lines."""
    _console().print(as_text(text, multiline=True), soft_wrap=True)


def print_table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Print rows under headings."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(as_text(name), overflow="fold")
    for row in rows:
        table.add_row(*(as_text(value, multiline=True) for value in row))
    _console().print(table)


def print_columns(names: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Print these columns of rows under headings made of their names."""
    print_table([name.replace("_", " ") for name in names], ([row[name] for name in names] for row in rows))


def print_counts(title: str, counts: Mapping[str, object]) -> None:
    """Print one line: a title and its counts."""
    listed = "  ".join(f"{name.replace('_', ' ')} {format_value(value)}" for name, value in counts.items())
    print_line(as_text(f"{title:10s}", "bold"), " ", listed or "none")


def print_facts(facts: Mapping[str, object], width: int = 14) -> None:
    """Print a line for each fact: its name, padded to a width, and its value."""
    for name, value in facts.items():
        print_line(f"{name:{width}s}", value)


def write_document(data: bytes, file: BinaryIO | None = None) -> None:
    """Write a document unchanged to standard output or a file; to a terminal as text with escaped controls."""
    stdout = sys.stdout.buffer
    if sys.stdout.isatty() and (file is None or file.fileno() == stdout.fileno()):
        print_text(data.decode("utf-8", "replace"))
        return
    (file or stdout).write(data)
    (file or stdout).flush()


def write_line(line: str, *, end: str = "\n") -> None:
    """Write a line without wrapping or styling it, such as JSON, or a cursor that is to be copied."""
    click.echo(show_controls(line, multiline=True) + end, nl=False)


def report_line(line: str = "", *, error: bool = True) -> None:
    """Write a message that is no result, on standard error by default."""
    click.echo(show_controls(line), err=error)


def progress_console() -> Console:
    """Return the console for progress bars, on standard error."""
    return Console(stderr=True, markup=False, emoji=False, highlight=False)


def fail_for_busy_files(files: Sequence[str]) -> None:
    """Fail the command if archive files could not be rewritten because a process is still writing to them."""
    if files:
        raise click.ClickException(
            f"{len(files)} files are being written to and still hold copies; `news archive check` removes them later"
        )
