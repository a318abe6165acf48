"""``news retry``: put failed pages back into the frontier."""

from datetime import UTC, datetime

import click

from pipeline.cli.options import json_option
from pipeline.cli.output import print_json, print_line
from pipeline.config import Settings
from pipeline.store.connection.engine import open_archive, reading, write
from pipeline.store.frontier.retries import FailureSelection, count_failures, retry_pages
from pipeline.store.schema.tables import PAGE_STATES


@click.command()
@click.option("--reason", required=True, help="The reason, as `news status --why` names it.")
@click.option(
    "--state", type=click.Choice([name for name in PAGE_STATES if name != "alias"]), help="Only in this state."
)
@click.option("--site", help="Only pages of this host and those below it.")
@click.option("--limit", type=click.IntRange(min=1), help="No more than this, those seen first.")
@click.option("--dry-run", is_flag=True, help="Say how many pages it would be, and change nothing.")
@json_option
@click.pass_obj
def retry_command(
    settings: Settings,
    reason: str,
    state: str | None,
    site: str | None,
    limit: int | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Put pages that failed for a reason back into the frontier: due now, as if never tried.

    They are fetched by the next `news crawl`, `news ingest` or run of the DAG. Articles that are stored stay.

    \b
    Examples:
      news status --why
      news retry --reason http_503 --dry-run
      news retry --reason bot_wall --state failed --site example.org --limit 100
    """
    failures = FailureSelection(reason=reason, state=state, site=site, limit=limit)
    now = datetime.now(UTC)
    with open_archive(settings) as engine:
        if dry_run:
            with reading(engine) as connection:
                pages = count_failures(connection, failures, now)
        else:
            pages = write(engine, retry_pages, failures, now)
    if as_json:
        print_json({"pages": pages, "dry_run": dry_run})
    elif not pages:
        print_line("no such pages; `news status --why` lists the reasons there are")
    else:
        print_line(
            f"{pages} pages would be put back" if dry_run else f"{pages} pages put back; `news crawl` fetches them"
        )
