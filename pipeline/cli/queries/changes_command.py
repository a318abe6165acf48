"""``news changes``: what changed in the archive since one last asked."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Final

import click
from sqlalchemy.engine import Engine

from pipeline.cli.output import plain, shown
from pipeline.config import Settings
from pipeline.store.changes import BEGIN, Change, changes, cursor_at, newest_cursor
from pipeline.store.engine import open_engine, reading
from pipeline.store.migrate import require_current

PAGE: Final = 1000
"""Changes that are read in one transaction."""

PAUSE: Final = 1.0
"""Seconds between two looks when following."""


class Since(click.ParamType[str | datetime]):
    """A cursor, a time in ISO 8601 (UTC where it names no zone), or ``now``."""

    name = "cursor|time|now"

    def convert(
        self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> str | datetime:
        """The cursor or ``now`` as text, or the time."""
        if isinstance(value, datetime) or value == "now" or re.fullmatch(r"\d{28}", value, re.ASCII):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(
                f"{value!r} is neither a cursor (28 digits) nor a time such as 2026-11-22T10:00 nor now", param, ctx
            )
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@click.command("changes")
@click.option("--since", type=Since(), default=BEGIN, help="After this cursor, or from this time on; else all.")
@click.option("--follow", is_flag=True, help="Wait for more when there are none left.")
@click.option("--limit", type=click.IntRange(1), help="Stop after so many.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs, one object on each line.")
@click.pass_obj
def changes_(settings: Settings, since: str | datetime, follow: bool, limit: int | None, as_json: bool) -> None:
    """What changed in the archive, in an order that misses nothing and repeats nothing, whoever writes meanwhile.

    Each line begins with its cursor: go on from the last one that you have dealt with. Kinds are new, revised, updated,
    duplicate, story, gone, back and deleted (docs/queries.md). Times without a zone are UTC.

    \b
    Examples:
      news changes --since 2026-11-22T06:00
      news changes --since 0000000000120300000000004711 --json
      news changes --since now --follow --json | jq --unbuffered .url
    """
    engine = open_engine(settings.database_url)
    require_current(engine)
    try:
        for change in _read(engine, since, limit, follow=follow):
            if as_json:
                click.echo(json.dumps(asdict(change), default=plain, ensure_ascii=False))
            else:
                # A cursor is to be copied, so lines are never broken or cut.
                told = f"{change.kind} {change.revision}" if (change.revision or 0) > 1 else change.kind
                click.echo(
                    f"{change.cursor}  {shown(change.changed_at)}  {told:10s}  {change.url or change.article_id}"
                )
    except KeyboardInterrupt:
        if not follow:
            raise


def _read(engine: Engine, since: str | datetime, limit: int | None, *, follow: bool) -> Iterator[Change]:
    left = limit
    with reading(engine) as connection:
        if isinstance(since, datetime):
            cursor = cursor_at(connection, since)
        else:
            cursor = newest_cursor(connection) if since == "now" else since
    while left is None or left > 0:
        with reading(engine) as connection:
            found = changes(connection, cursor, PAGE if left is None else min(PAGE, left))
        yield from found.rows
        cursor = found.cursor
        left = None if left is None else left - len(found.rows)
        if not found.rows:
            if not follow:
                return
            time.sleep(PAUSE)
