"""``news report``: a page to look at instead of numbers to read."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from pipeline.cli.output import console
from pipeline.config import Settings
from pipeline.extras import load
from pipeline.overview import render
from pipeline.store.engine import open_engine
from pipeline.store.migrate import require_current
from pipeline.store.overview import look_over
from pipeline.store.readonly import only_reading


@click.command()
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The HTML file to write.")
@click.option("--days", type=click.IntRange(min=1), default=7, show_default=True, help="Days up to the newest article.")
@click.pass_obj
def report(settings: Settings, out: Path, days: int) -> None:
    """Write a page with plots: what came when, how late, what failed, how feeds and fields do, the largest stories.

    It is one file that asks for nothing else, to be mailed, printed or served as it is. Needs the extra report.

    \b
    Examples:
      news report --out report.html
      news report --days 30 --out month.html
    """
    load("matplotlib", "report")
    engine = open_engine(settings.database_url)
    require_current(engine)
    with only_reading(engine) as connection:
        found = look_over(connection, timedelta(days=days))
    page = render(found, datetime.now(UTC))
    out.parent.mkdir(parents=True, exist_ok=True)
    hidden = out.with_name(f".{out.name}.part")
    hidden.write_text(page, "utf-8")
    hidden.replace(out)
    console().print(f"{out}: {len(page.encode()):,} bytes", markup=False)
