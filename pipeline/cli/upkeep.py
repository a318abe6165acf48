"""``news takedown``, ``news prune``: what is taken out of an archive."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from sqlalchemy.engine import Engine

from pipeline.archive.place import Place
from pipeline.cli.output import json_option, print_counts, print_json
from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.fetch.inbox import Inbox
from pipeline.ingest.keep import open_place
from pipeline.store.engine import open_engine, reading
from pipeline.store.migrate import require_current
from pipeline.store.prune import Rules, count_old
from pipeline.store.raw import count_copies
from pipeline.store.takedown import Target
from pipeline.upkeep.prune import prune as prune_all
from pipeline.upkeep.takedown import extent_of, take_down


class Duration(click.ParamType[timedelta]):
    """A time such as ``90d``, ``12h``, ``30m`` or ``45s``."""

    name = "duration"
    _units = {"d": 86400, "h": 3600, "m": 60, "s": 1}  # noqa: RUF012

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:  # noqa: ANN401
        """Read it."""
        if isinstance(value, timedelta):
            return value
        found = re.fullmatch(r"(\d{1,6})([dhms])", str(value).strip())
        if found is None:
            self.fail(f"{value!r} is no duration: a number and d, h, m or s, such as 90d", param, ctx)
        return timedelta(seconds=int(found[1]) * self._units[found[2]])


class Day(click.ParamType[datetime]):
    """A time in ISO form; a day alone begins at midnight UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:  # noqa: ANN401
        """Read it."""
        try:
            at = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no time in ISO form, such as 2026-11-22 or 2026-11-22T08:00", param, ctx)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def open_archive(settings: Settings) -> tuple[Engine, Place | None]:
    """The database, at the schema of this version, and where raw copies are.

    Raises:
        ConfigError: one of them cannot be used.
    """
    engine = open_engine(settings.database_url)
    require_current(engine)
    return engine, open_place(settings)


def kept(settings: Settings) -> tuple[Engine, Place]:
    """The same, where there have to be raw copies.

    Raises:
        ConfigError: none are kept.
    """
    engine, place = open_archive(settings)
    if place is None:
        raise ConfigError("no raw copies are kept: NEWS_ARCHIVE_URL says where to keep them")
    return engine, place


def has_copies(engine: Engine) -> bool:
    """Whether there are raw copies of anything."""
    with reading(engine) as connection:
        return bool(count_copies(connection)["files"])


@contextmanager
def bar(total: int | None, what: str, *, quiet: bool = False) -> Iterator[Progress | None]:
    """A progress bar on standard error, where that is a terminal."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    columns = (SpinnerColumn(), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as progress:
        progress.add_task(what, total=total)
        yield progress


@click.command()
@click.argument("target", metavar="URL|SITE")
@click.option("--note", help="Why, to be kept with it.")
@click.option("--dry-run", is_flag=True, help="Say how much it would be, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@click.pass_obj
def takedown(settings: Settings, target: str, note: str | None, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Remove a page, or all of a site, from the archive for good, and keep it out.

    The article with its revisions goes, what feeds said of it, and the raw copies of the page and of the feeds'
    documents that announced it. What is left is its URL, as taken down: it is never fetched, stored or backfilled
    again. Feeds of a site that is taken down are paused.

    \b
    Examples:
      news takedown https://example.org/2026/11/22/story.html --note "letter of 3 December"
      news takedown example.org --dry-run
    """
    engine, place = open_archive(settings)
    try:
        meant = Target.parse(target)
    except ValueError as error:
        raise ConfigError(f"{target!r}: {error}") from error
    extent = extent_of(engine, meant)
    if place is None and has_copies(engine):
        raise ConfigError("there are raw copies, and NEWS_ARCHIVE_URL does not say where: they would be left")
    if dry_run:
        _print_extent(meant, asdict(extent), (), as_json, dry_run=True)
        return
    if not yes:
        told = f"{extent.pages} pages, {extent.articles} articles, {extent.copies} raw copies"
        click.confirm(f"This removes {told} of {meant.target} for good. Go on?", abort=True, err=True)
    with bar(None, "", quiet=as_json) as shown:
        done = take_down(
            engine,
            place,
            meant,
            datetime.now(UTC),
            note=note,
            max_bytes=settings.max_bytes,
            progress=lambda what: shown.update(shown.task_ids[0], description=what) if shown else None,
        )
    _clear_inbox(settings)
    _print_extent(meant, asdict(done.extent), done.busy, as_json, dry_run=False)
    _warn_of_busy(list(done.busy))


def _clear_inbox(settings: Settings) -> None:
    """Remove answers that a run which was killed has left: one may be of what is taken down."""
    if settings.inbox_place is not None and Path(settings.inbox_place).is_dir():
        inbox = Inbox(Path(settings.inbox_place))
        inbox.open()
        inbox.clear()
        inbox.close(is_done=True)


def _print_extent(
    target: Target, extent: dict[str, int], busy: tuple[str, ...], as_json: bool, *, dry_run: bool
) -> None:
    if as_json:
        print_json({"scope": target.scope, "target": target.target, "dry_run": dry_run, "busy": busy} | extent)
    else:
        print_counts("would go" if dry_run else "taken down", extent)


def _warn_of_busy(files: list[str]) -> None:
    if files:
        raise click.ClickException(
            f"{len(files)} files are being written to and still hold copies; `news archive check` removes them later"
        )


@click.command()
@click.option("--polls-older-than", "polls", type=Duration(), help="Forget polls of this age, such as 90d.")
@click.option("--raw-older-than", "raw", type=Duration(), help="Remove raw copies of this age.")
@click.option("--latest-too", is_flag=True, help="Also the last good copy of each page, which `news reclean` reads.")
@click.option("--revisions-keep", "keep", type=click.IntRange(min=1), help="Leave so many revisions of an article.")
@click.option("--revisions-older-than", "revisions", type=Duration(), help="Forget former revisions of this age.")
@click.option("--dry-run", is_flag=True, help="Say how much it would be, and change nothing.")
@json_option
@click.pass_obj
def prune(
    settings: Settings,
    polls: timedelta | None,
    raw: timedelta | None,
    latest_too: bool,
    keep: int | None,
    revisions: timedelta | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Forget by rule: polls, raw copies, former revisions. Without options by NEWS_PRUNE_*, which are off by default.

    The newest revision of an article is never forgotten, nor is an entry: what still stands in a feed is not taken
    for new. A raw copy stays as long as a later one refers to its body.

    \b
    Examples:
      news prune --polls-older-than 90d --raw-older-than 365d --dry-run
      news prune --revisions-keep 20
    """
    engine, place = open_archive(settings)
    if all(rule is None for rule in (polls, raw, keep, revisions)):
        polls, raw = settings.prune_polls or None, settings.prune_raw or None
        keep = settings.prune_revisions or None
    if all(rule is None for rule in (polls, raw, keep, revisions)):
        raise ConfigError("no rule: give an option, or set NEWS_PRUNE_POLLS, NEWS_PRUNE_RAW or NEWS_PRUNE_REVISIONS")
    now = datetime.now(UTC)
    rules = Rules(
        polls_before=now - polls if polls is not None else None,
        raw_before=now - raw if raw is not None else None,
        latest_too=latest_too,
        revisions_kept=keep,
        revisions_before=now - revisions if revisions is not None else None,
    )
    with reading(engine) as connection:
        found = count_old(connection, rules)
    if place is None and found.get("copies"):
        raise ConfigError("there are raw copies, and NEWS_ARCHIVE_URL does not say where: they would be left")
    busy: list[str] = []
    if not dry_run:
        with bar(sum(found.values()), "rows", quiet=as_json) as shown:
            found, busy = prune_all(
                engine,
                place,
                rules,
                lambda kind, done: shown.update(shown.task_ids[0], completed=done, description=kind) if shown else None,
            )
    if as_json:
        print_json(found | {"dry_run": dry_run, "busy": busy})
    else:
        print_counts("would go" if dry_run else "forgotten", found)
    _warn_of_busy(busy)
