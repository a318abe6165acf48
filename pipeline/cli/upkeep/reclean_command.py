"""``news reclean``: stored pages, cleaned by the rules of this version."""

from dataclasses import asdict
from datetime import UTC, datetime
from difflib import unified_diff

import click

from pipeline.cli.output import console, json_option, print_counts, print_json, print_table
from pipeline.cli.upkeep import Day, bar, kept
from pipeline.config import Settings
from pipeline.store.engine import reading
from pipeline.store.reclean import Choice, count_pages, extractor_versions
from pipeline.upkeep.reclean import Job, Report, older_versions
from pipeline.upkeep.reclean import reclean as reclean_all

SAMPLE_LINES = 12
"""Lines of one difference that are shown."""


@click.command()
@click.option("--site", "sites", multiple=True, help="Only pages of this host and those below it; several times.")
@click.option("--since", type=Day(), help="Only pages with a raw copy fetched at this time or later.")
@click.option("--until", type=Day(), help="Only pages with a raw copy fetched before this time.")
@click.option("--extractor-older-than", "older_than", help="Only articles that an older version made, such as 2.3.1+3.")
@click.option("--limit", type=click.IntRange(min=1), help="No more pages than this.")
@click.option("--dry-run", is_flag=True, help="Report what would change, with the largest differences; change nothing.")
@json_option
@click.pass_obj
def reclean(
    settings: Settings,
    sites: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    older_than: str | None,
    limit: int | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Clean stored pages again from their raw copies, without the network.

    What the rules of this version read otherwise becomes a revision whose cause is `reclean`, so that nobody takes it
    for an edit of the publisher. An article that the rules find no more stays as it is. May be stopped at any time:
    the same command goes on where it was.

    \b
    Examples:
      news reclean --dry-run
      news reclean --site example.org --since 2026-11-01 --dry-run --json
      news reclean --extractor-older-than 2.3.1+3
    """
    engine, place = kept(settings)
    versions = None
    if older_than is not None:
        with reading(engine) as connection:
            versions = older_versions(extractor_versions(connection), older_than)
    choice = Choice(tuple(sorted(site.lower() for site in sites)), since, until, versions)
    job = Job(settings, engine, place, choice, lambda: datetime.now(UTC), dry_run, limit)
    with reading(engine) as connection:
        total = count_pages(connection, choice)
    with bar(min(total, limit or total), "pages", quiet=as_json) as shown:
        report = reclean_all(job, lambda kind: shown.advance(shown.task_ids[0]) if shown else None)
    _print_report(report, dry_run, as_json)
    if bad := report.kinds["unreadable"] + report.kinds["failed"]:
        raise click.ClickException(f"{bad} pages could not be read again; `news archive check` says more")


def _print_report(report: Report, dry_run: bool, as_json: bool) -> None:
    if as_json:
        told = {"dry_run": dry_run, "pages": dict(report.kinds), "columns": dict(report.columns)}
        sites = {site: dict(kinds) for site, kinds in sorted(report.sites.items())}
        print_json(told | {"sites": sites, "largest": [asdict(one) for one in report.largest]})
        return
    print_counts("would be" if dry_run else "pages", report.kinds)
    if report.columns:
        print_counts("columns", report.columns)
    changed = [(site, kinds) for site, kinds in report.sites.items() if kinds.keys() - {"same", "none"}]
    if changed:
        names = sorted({kind for _, kinds in changed for kind in kinds})
        changed.sort(key=lambda row: -sum(number for kind, number in row[1].items() if kind not in {"same", "none"}))
        print_table(["site", *names], ([site, *(kinds[name] for name in names)] for site, kinds in changed[:20]))
    out = console()
    for one in report.largest:
        out.print(f"\n[bold]{one.kind}[/bold] {one.size:.0%} ", end="")
        out.print(f"{one.url}  ({', '.join(one.changed)})", markup=False)
        before, after = ([title, *text.split("\n\n")] for title, text in (one.before, one.after))
        lines = [
            line for line in unified_diff(before, after, lineterm="", n=0) if not line.startswith(("---", "+++", "@@"))
        ]
        for line in lines[:SAMPLE_LINES]:
            out.print(f"  {line[:200]}", markup=False)
        if len(lines) > SAMPLE_LINES:
            out.print(f"    and {len(lines) - SAMPLE_LINES} more", markup=False)
