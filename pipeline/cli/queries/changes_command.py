"""``news changes``: the log of changes of the archive."""

import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Final

import click
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError

from pipeline.cli.output import format_json, format_value, report_line, write_line
from pipeline.config import Settings
from pipeline.store.connection.engine import open_archive, reading
from pipeline.store.queries.change_log import BEGIN, Change, cursor_at, load_changes, newest_cursor

PAGE: Final = 1000
"""Changes that are read in one transaction."""

PAUSE: Final = 1.0
"""Seconds between two looks when following."""

AWAY_PAUSE: Final = 2.0
"""The same while the database is away."""


class ChangesSince(click.ParamType[str | datetime]):
    """A cursor, a time in ISO 8601 (UTC where it names no zone), or ``now``."""

    name = "cursor|time|now"

    def convert(
        self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> str | datetime:
        """The cursor or ``now`` as text, or the time."""
        if isinstance(value, datetime) or value == "now" or re.fullmatch(r"\d{28}", value, re.ASCII):
            return value
        try:
            time_given = datetime.fromisoformat(value)
        except ValueError:
            self.fail(
                f"{value!r} is neither a cursor (28 digits) nor a time such as 2026-11-22T10:00 nor now", param, ctx
            )
        return time_given if time_given.tzinfo else time_given.replace(tzinfo=UTC)


@click.command()
@click.option("--since", type=ChangesSince(), default=BEGIN, help="After this cursor, or from this time on; else all.")
@click.option("--follow", is_flag=True, help="Wait for more when there are none left.")
@click.option("--limit", type=click.IntRange(1), help="Stop after so many.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs, one object on each line.")
@click.pass_obj
def changes_command(settings: Settings, since: str | datetime, follow: bool, limit: int | None, as_json: bool) -> None:
    """What changed in the archive, in an order that misses nothing and repeats nothing, however many writers there are.

    Each line begins with its cursor: go on from the last one that you have dealt with. Kinds are new, revised, updated,
    duplicate, story, gone, back and deleted (docs/queries.md). Times without a zone are UTC.

    \b
    Examples:
      news changes --since 2026-11-22T06:00
      news changes --since 0000000000120300000000004711 --json
      news changes --since now --follow --json | jq --unbuffered .url
    """
    with open_archive(settings) as engine, suppress(*[KeyboardInterrupt] if follow else []):
        for change in _read(engine, since, limit, follow=follow):
            if as_json:
                write_line(format_json(asdict(change)))
            else:
                # A cursor is to be copied, so lines are never broken or cut.
                kind = f"{change.kind} {change.revision}" if (change.revision or 0) > 1 else change.kind
                article = change.url or change.article_id
                write_line(f"{change.cursor}  {format_value(change.changed_at)}  {kind:10s}  {article}")


def _read(engine: Engine, since: str | datetime, limit: int | None, *, follow: bool) -> Iterator[Change]:
    left = limit
    with reading(engine) as connection:
        if isinstance(since, datetime):
            cursor = cursor_at(connection, since)
        else:
            cursor = newest_cursor(connection) if since == "now" else since
    while left is None or left > 0:
        try:
            with reading(engine) as connection:
                batch = load_changes(connection, cursor, PAGE if left is None else min(PAGE, left))
        except OperationalError as error:
            if not follow:
                raise
            report_line(f"the database is away, and is asked again: {error.orig}")
            time.sleep(AWAY_PAUSE)
            continue
        yield from batch.rows
        cursor = batch.cursor
        left = None if left is None else left - len(batch.rows)
        if not batch.rows:
            if not follow:
                return
            time.sleep(PAUSE)
