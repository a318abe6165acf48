"""``news prune`` and ``news takedown``: remove old data by rule, or a page or a site for good."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
from sqlalchemy.engine import Engine

from pipeline.cli.opening import open_with_raw
from pipeline.cli.options import Duration, json_option
from pipeline.cli.output import fail_for_busy_files, print_counts, print_json, report_line
from pipeline.cli.progress import count_on_terminal
from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.fetch.response_journal import ResponseJournal
from pipeline.store.articles.expired import RetentionRules, count_expired
from pipeline.store.articles.raw_index import count_copies
from pipeline.store.articles.takedown_rows import TakedownExtent, TakedownTarget
from pipeline.store.connection.engine import reading
from pipeline.text.control_characters import show_controls
from pipeline.upkeep.raw_copies import prune as prune_all
from pipeline.upkeep.removal import measure_extent, take_down


@click.command()
@click.option("--polls-older-than", "polls", type=Duration(), help="Forget polls of this age, such as 90d.")
@click.option("--raw-older-than", "raw", type=Duration(), help="Remove archived responses of this age.")
@click.option("--latest-too", is_flag=True, help="Also the last good copy of each page, which `news reclean` reads.")
@click.option("--revisions-keep", "keep", type=click.IntRange(min=1), help="Leave so many revisions of an article.")
@click.option("--revisions-older-than", "revisions", type=Duration(), help="Forget former revisions of this age.")
@click.option("--dry-run", is_flag=True, help="Say how much it would be, and change nothing.")
@json_option
@click.pass_obj
def prune_command(settings: Settings, /, dry_run: bool, as_json: bool, **limits: Any) -> None:  # noqa: ANN401  # the options
    """Forget by rule: polls, archived responses, former revisions. Without options by NEWS_PRUNE_*; off by default.

    The newest revision of an article is never forgotten, nor is an entry: what still stands in a feed is not taken
    for new. A archived response stays as long as a later one refers to its body.

    \b
    Examples:
      news prune --polls-older-than 90d --raw-older-than 365d --dry-run
      news prune --revisions-keep 20
    """
    rules = _retention_rules(settings, datetime.now(UTC), **limits)
    with open_with_raw(settings) as (engine, folder):
        with reading(engine) as connection:
            counts = count_expired(connection, rules)
        if folder is None and counts.get("copies"):
            raise ConfigError("there are archived responses, and NEWS_ARCHIVE_URL does not say where: they would stay")
        busy: list[str] = []
        if not dry_run:
            with count_on_terminal(sum(counts.values()), "rows", quiet=as_json) as counter:
                counts, busy = prune_all(engine, folder, rules, lambda kind, done: counter.show(done, kind))
    if as_json:
        print_json(counts | {"dry_run": dry_run, "busy": busy})
    else:
        print_counts("would go" if dry_run else "forgotten", counts)
    fail_for_busy_files(busy)


def _retention_rules(
    settings: Settings,
    now: datetime,
    *,
    polls: timedelta | None,
    raw: timedelta | None,
    latest_too: bool,
    keep: int | None,
    revisions: timedelta | None,
) -> RetentionRules:
    """Return the rules given by the options, or by the settings if there are none.

    Raises ConfigError: neither gives any.
    """
    if all(rule is None for rule in (polls, raw, keep, revisions)):
        polls, raw = settings.prune_polls or None, settings.prune_raw or None
        keep = settings.prune_revisions or None
    if all(rule is None for rule in (polls, raw, keep, revisions)):
        raise ConfigError("no rule: give an option, or set NEWS_PRUNE_POLLS, NEWS_PRUNE_RAW or NEWS_PRUNE_REVISIONS")
    return RetentionRules(
        polls_before=now - polls if polls is not None else None,
        raw_before=now - raw if raw is not None else None,
        latest_too=latest_too,
        revisions_kept=keep,
        revisions_before=now - revisions if revisions is not None else None,
    )


@click.command()
@click.argument("target", metavar="URL|SITE")
@click.option("--note", help="Why, to be kept with it.")
@click.option("--dry-run", is_flag=True, help="Say how much it would be, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@click.pass_obj
def takedown_command(
    settings: Settings, target: str, note: str | None, dry_run: bool, yes: bool, as_json: bool
) -> None:
    """Remove a page, or all of a site, from the archive for good, and keep it out.

    The article with its revisions goes, what feeds said of it, and the archived responses of the page and of the feeds'
    documents that announced it. What is left is its URL, as taken down: it is never fetched, stored or backfilled
    again. Feeds of a site that is taken down are paused.

    \b
    Examples:
      news takedown https://example.org/2026/11/22/story.html --note "letter of 3 December"
      news takedown example.org --dry-run
    """
    meant = _parse_target(target)
    with open_with_raw(settings) as (engine, folder):
        extent = measure_extent(engine, meant)
        if folder is None and _has_copies(engine):
            raise ConfigError("there are archived responses, and NEWS_ARCHIVE_URL does not say where: they would stay")
        if dry_run:
            _print_extent(meant, asdict(extent), (), as_json, dry_run=True)
            return
        if not yes:
            _confirm(meant, extent)
        with count_on_terminal(None, "", quiet=as_json) as counter:
            done = take_down(
                engine,
                folder,
                meant,
                datetime.now(UTC),
                note=note,
                max_bytes=settings.max_bytes,
                progress=lambda step: counter.show(description=step),
            )
    _clear_journal(settings)
    if done.aside:
        files = ", ".join(done.aside)
        report_line(f"Bytes of damaged records were set aside, and may be of what was taken down: {files}")
    _print_extent(meant, asdict(done.extent), done.busy, as_json, dry_run=False)
    fail_for_busy_files(done.busy)


def _confirm(target: TakedownTarget, extent: TakedownExtent) -> None:
    counts = f"{extent.pages} pages, {extent.articles} articles, {extent.copies} archived responses"
    question = show_controls(f"This removes {counts} of {target.target} for good. Go on?")
    click.confirm(question, abort=True, err=True)


def _parse_target(target: str) -> TakedownTarget:
    try:
        return TakedownTarget.parse(target)
    except ValueError as error:
        raise ConfigError(f"{target!r}: {error}") from error


def _clear_journal(settings: Settings) -> None:
    """Remove responses left behind by a killed run: one of them may be of what is taken down."""
    if settings.journal_folder is not None and Path(settings.journal_folder).is_dir():
        journal = ResponseJournal(Path(settings.journal_folder))
        journal.open()
        journal.clear()
        journal.close(is_done=True)


def _print_extent(
    target: TakedownTarget, extent: dict[str, int], busy: tuple[str, ...], as_json: bool, *, dry_run: bool
) -> None:
    if as_json:
        print_json({"scope": target.scope, "target": target.target, "dry_run": dry_run, "busy": busy} | extent)
    else:
        print_counts("would go" if dry_run else "taken down", extent)


def _has_copies(engine: Engine) -> bool:
    with reading(engine) as connection:
        return bool(count_copies(connection)["files"])
