"""``news backfill``: fill the archive backwards, from sitemaps, archives of the web, and saved pages."""

import click

from pipeline.cli.lazy_group import LazyGroup


@click.group(cls=LazyGroup, section="backfill")
def backfill_group() -> None:
    """Fill the archive backwards, through the path of live ingestion.

    Whatever it is filled from, a page is stored once, cleaned by the same rules, and what became of it stands in the
    ledger. A backfill that was stopped, or killed, goes on where it was when the same command is given again.

    Ranges are half-open and in UTC: --since 2026-03 --until 2026-04 is March, all of it and nothing else.
    """
