"""``news verify``: whether the archive holds what its sources announced."""

from datetime import UTC, datetime

import click

from pipeline.backfill.verify import Account, queue, verify
from pipeline.cli.backfill import period_from
from pipeline.cli.output import console, json_option, print_json, print_table
from pipeline.config import Settings

STANDS = ("held", "no_article", "waiting", "failed", "missing")
SHOWN = 10
"""Holes that are shown; with --json all are."""


@click.command(name="verify")
@click.option("--site", help="Only this site; its sitemaps are read anew.")
@click.option("--since", help="Publications from this day, month or time on.")
@click.option("--until", help="Up to this one, itself outside.")
@click.option("--queue", "is_queued", is_flag=True, help="Queue what is missing or failed, behind what is live.")
@json_option
@click.pass_obj
def verify_(
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
    account = verify(settings, site, period_from(since, until))
    job = queue(settings, account, site, datetime.now(UTC)) if is_queued and account.holes else None
    if as_json:
        print_json(_told(account, job))
    else:
        _print(account, job)
    if not account.is_whole or (account.holes and job is None):
        raise click.exceptions.Exit(1)


def _told(account: Account, job: tuple[int, int] | None) -> dict[str, object]:
    months = [
        {"source": source, "month": month, "announced": counts.total()} | {name: counts[name] for name in STANDS}
        for (source, month), counts in sorted(account.months.items())
    ]
    told: dict[str, object] = {"months": months, "holes": list(account.holes), "whole": account.is_whole}
    return told | ({"job": job[0], "queued": job[1]} if job else {})


def _print(account: Account, job: tuple[int, int] | None) -> None:
    rows = [
        (source, month, counts.total(), *(counts[name] for name in STANDS))
        for (source, month), counts in sorted(account.months.items())
    ]
    print_table(("source", "month", "announced", *(name.replace("_", " ") for name in STANDS)), rows)
    if not account.is_whole:
        console().print("Not every sitemap could be read.")
    if account.holes and job is None:
        console().print(f"{len(account.holes)} holes; --queue has them fetched. The first:")
        for url in list(account.holes)[:SHOWN]:
            console().print(f"  {url}")
    if job is not None:
        console().print(f"{job[1]} pages are queued: news backfill resume {job[0]}")
