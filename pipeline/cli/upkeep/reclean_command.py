"""``news reclean``: clean stored pages again with the rules of this version."""

from dataclasses import asdict
from datetime import UTC, datetime
from difflib import unified_diff

import click

from pipeline.cli.opening import require_raw
from pipeline.cli.options import Day, json_option
from pipeline.cli.output import as_text, print_counts, print_json, print_line, print_table
from pipeline.cli.progress import count_on_terminal
from pipeline.config import Settings
from pipeline.store.articles.reclean_queue import CopySelection, count_pages, list_extractor_versions
from pipeline.store.connection.engine import reading
from pipeline.upkeep.recleaning import RecleanJob, RecleanReport, select_older_versions
from pipeline.upkeep.recleaning import reclean as reclean_all

SAMPLE_LINES = 12
"""Lines of one difference that are shown."""


@click.command()
@click.option("--site", "sites", multiple=True, help="Only pages of this host and those below it; several times.")
@click.option("--since", type=Day(), help="Only pages with a archived response fetched at this time or later.")
@click.option("--until", type=Day(), help="Only pages with a archived response fetched before this time.")
@click.option("--extractor-older-than", "older_than", help="Only articles that an older version made, such as 2.3.1+3.")
@click.option("--limit", type=click.IntRange(min=1), help="No more pages than this.")
@click.option("--dry-run", is_flag=True, help="Report what would change, with the largest differences; change nothing.")
@json_option
@click.pass_obj
def reclean_command(
    settings: Settings,
    sites: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    older_than: str | None,
    limit: int | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Clean stored pages again from their archived responses, without the network.

    What the rules of this version read otherwise becomes a revision whose cause is `reclean`, so that nobody takes it
    for an edit of the publisher. An article that the rules find no more stays as it is. May be stopped at any time:
    the same command goes on where it was.

    \b
    Examples:
      news reclean --dry-run
      news reclean --site example.org --since 2026-11-01 --dry-run --json
      news reclean --extractor-older-than 2.3.1+3
    """
    with require_raw(settings) as (engine, folder):
        with reading(engine) as connection:
            versions = (
                None if older_than is None else select_older_versions(list_extractor_versions(connection), older_than)
            )
            choice = CopySelection(tuple(sorted(site.lower() for site in sites)), since, until, versions)
            total = count_pages(connection, choice)
        job = RecleanJob(settings, engine, folder, choice, lambda: datetime.now(UTC), dry_run, limit)
        with count_on_terminal(min(total, limit or total), "pages", quiet=as_json) as counter:
            report = reclean_all(job, counter.advance)
    _print_report(report, dry_run, as_json)
    if bad := report.kinds["unreadable"] + report.kinds["failed"]:
        raise click.ClickException(f"{bad} pages could not be read again; `news archive check` says more")


def _print_report(report: RecleanReport, dry_run: bool, as_json: bool) -> None:
    if as_json:
        facts = {"dry_run": dry_run, "pages": dict(report.kinds), "columns": dict(report.columns)}
        sites = {site: dict(kinds) for site, kinds in sorted(report.sites.items())}
        print_json(facts | {"sites": sites, "largest": [asdict(change) for change in report.largest]})
        return
    print_counts("would be" if dry_run else "pages", report.kinds)
    if report.columns:
        print_counts("columns", report.columns)
    changed = [(site, kinds) for site, kinds in report.sites.items() if kinds.keys() - {"same", "none"}]
    if changed:
        names = sorted({kind for _, kinds in changed for kind in kinds})
        changed.sort(key=lambda row: -sum(number for kind, number in row[1].items() if kind not in {"same", "none"}))
        print_table(["site", *names], ([site, *(kinds[name] for name in names)] for site, kinds in changed[:20]))
    for change in report.largest:
        print_line()
        print_line(as_text(change.kind, "bold"), f" {change.size:.0%} {change.url}  ({', '.join(change.changed)})")
        before, after = ([title, *text.split("\n\n")] for title, text in (change.before, change.after))
        lines = [
            line for line in unified_diff(before, after, lineterm="", n=0) if not line.startswith(("---", "+++", "@@"))
        ]
        for line in lines[:SAMPLE_LINES]:
            print_line(f"  {line[:200]}")
        if len(lines) > SAMPLE_LINES:
            print_line(f"    and {len(lines) - SAMPLE_LINES} more")
