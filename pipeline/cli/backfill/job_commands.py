"""``news backfill resume|list|show`` and ``news verify``: continue and inspect jobs, and look for what is missing."""

from datetime import UTC, datetime

import click

from pipeline.backfill.completeness import Completeness, queue_missing, verify_completeness
from pipeline.cli.backfill.job_run import follow_job
from pipeline.cli.options import json_option, parse_period
from pipeline.cli.output import print_counts, print_json, print_line, print_table
from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.store.backfill.jobs import (
    list_failed_units,
    list_job_summaries,
    list_open_jobs,
    load_job,
    load_job_progress,
)
from pipeline.store.connection.engine import open_archive, reading


@click.command("resume")
@click.argument("job", type=int, required=False)
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="Pages a second at most.")
@json_option
@click.pass_obj
def backfill_resume_command(settings: Settings, job: int | None, rate: float | None, as_json: bool) -> None:
    """Go on with a backfill, or with all that are not finished.

    \b
    Example:
      news backfill resume 3
    """
    with open_archive(settings) as engine, reading(engine) as connection:
        unfinished = [row.id for row in list_open_jobs(connection) if not row.wanted.dry]
    left = 0
    for job_id in unfinished if job is None else [job]:
        try:
            follow_job(settings, job_id, rate, as_json)
        except click.exceptions.Exit:
            left += 1
    if left:
        raise click.exceptions.Exit(1)


@click.command("list")
@json_option
@click.pass_obj
def backfill_list_command(settings: Settings, as_json: bool) -> None:
    """List the backfills, the latest first, and how far they are.

    \b
    Example:
      news backfill list
    """
    with open_archive(settings) as engine, reading(engine) as connection:
        rows = list_job_summaries(connection)
    if as_json:
        print_json(rows)
        return
    names = ("id", "source", "targets", "since", "until", "created_at", "finished_at", "units", "waiting")
    print_table(names, [[row[name] for name in names] for row in rows])


@click.command("show")
@click.argument("job", type=int)
@json_option
@click.pass_obj
def backfill_show_command(settings: Settings, job: int, as_json: bool) -> None:
    """Show a backfill: its counts, and the units that something went wrong with.

    \b
    Example:
      news backfill show 3
    """
    with open_archive(settings) as engine, reading(engine) as connection:
        if load_job(connection, job) is None:
            raise ConfigError(f"there is no backfill {job}; `news backfill list` shows those there are")
        state = load_job_progress(connection, job, datetime.now(UTC))
        troubles = list_failed_units(connection, job)
    if as_json:
        print_json(
            {"job": job, "units": state.units, "waiting": state.waiting, "counts": state.counts, "troubles": troubles}
        )
        return
    print_counts("units", {**state.units, "pages waiting": state.waiting})
    print_counts("counts", {name: count for name, count in state.counts.items() if count})
    print_table(("unit", "state", "reason", "detail"), [list(unit.values()) for unit in troubles])


STANDS = ("held", "no_article", "waiting", "failed", "missing")
SHOWN = 10
"""Holes that are shown; with --json all are."""


@click.command()
@click.option("--site", help="Only this site; its sitemaps are read again.")
@click.option("--since", help="Publications from this day, month or time on.")
@click.option("--until", help="Up to this one, itself outside.")
@click.option("--queue", "is_queued", is_flag=True, help="Queue what is missing or failed, behind what is live.")
@json_option
@click.pass_obj
def verify_command(
    settings: Settings, site: str | None, since: str | None, until: str | None, is_queued: bool, as_json: bool
) -> None:
    """Count what each month holds of what its sources announced, and list the holes.

    Without --site, what the feeds announced is compared, without any request. The exit code is 1 where there are holes
    that were not queued, or a sitemap could not be read.

    \b
    Examples:
      news verify --since 2026-01
      news verify --site example.org --since 2026-03 --until 2026-04 --queue
    """
    account = verify_completeness(settings, site, parse_period(since, until))
    job = queue_missing(settings, account, site, datetime.now(UTC)) if is_queued and account.holes else None
    if as_json:
        print_json(_account_as_dict(account, job))
    else:
        _print(account, job)
    if not account.is_whole or (account.holes and job is None):
        raise click.exceptions.Exit(1)


def _account_as_dict(account: Completeness, job: tuple[int, int] | None) -> dict[str, object]:
    months = [
        {"source": source, "month": month, "announced": counts.total()} | {name: counts[name] for name in STANDS}
        for (source, month), counts in sorted(account.months.items())
    ]
    facts: dict[str, object] = {"months": months, "holes": list(account.holes), "whole": account.is_whole}
    return facts | ({"job": job[0], "queued": job[1]} if job else {})


def _print(account: Completeness, job: tuple[int, int] | None) -> None:
    rows = [
        (source, month, counts.total(), *(counts[name] for name in STANDS))
        for (source, month), counts in sorted(account.months.items())
    ]
    print_table(("source", "month", "announced", *(name.replace("_", " ") for name in STANDS)), rows)
    if not account.is_whole:
        print_line("Not every sitemap could be read.")
    if account.holes and job is None:
        print_line(f"{len(account.holes)} holes; --queue has them fetched. The first:")
        for url in list(account.holes)[:SHOWN]:
            print_line(f"  {url}")
    if job is not None:
        print_line(f"{job[1]} pages are queued: news backfill resume {job[0]}")
