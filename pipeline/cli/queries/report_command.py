"""``news report``: a page to look at instead of numbers to read."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from pipeline.cli.output import print_line
from pipeline.config import Settings
from pipeline.export.report_page import render_report
from pipeline.runtime.extras import load_extra
from pipeline.store.connection.engine import open_archive
from pipeline.store.connection.readonly import only_reading
from pipeline.store.queries.report_data import load_report_data
from pipeline.store.search.counts import count_matches


@click.command()
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The HTML file to write.")
@click.option("--days", type=click.IntRange(min=1), default=7, show_default=True, help="Days up to the newest article.")
@click.option("--search", "query", help="Begin with what matches this search, by month and site (news search --help).")
@click.pass_obj
def report_command(settings: Settings, out: Path, days: int, query: str | None) -> None:
    """Write a page with plots: what came when, how late, what failed, how feeds and fields do, the largest stories.

    It is one file that asks for nothing else, to be mailed, printed or served as it is. Needs the extra report.

    \b
    Examples:
      news report --out report.html
      news report --days 30 --out month.html
      news report --search '"harbour board"' --out harbour.html
    """
    load_extra("matplotlib", "report")
    with open_archive(settings) as engine, only_reading(engine) as connection:
        data = load_report_data(connection, timedelta(days=days))
        matches = None
        if query:
            matches = query, count_matches(connection, query, "month"), count_matches(connection, query, "site")
    page = render_report(data, datetime.now(UTC), matches)
    out.parent.mkdir(parents=True, exist_ok=True)
    hidden = out.with_name(f".{out.name}.part")
    hidden.write_text(page, "utf-8")
    hidden.replace(out)
    print_line(f"{out}: {len(page.encode()):,} bytes")
