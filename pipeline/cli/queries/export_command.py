"""``news export``: articles as files, whole or what changed since the last export."""

import sys
from pathlib import Path
from types import TracebackType
from typing import Self, get_args

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from pipeline.cli.output import console, json_option, print_json
from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.export import Plan
from pipeline.export import export as write_files
from pipeline.export.formats import Compression, Format
from pipeline.periods import read_period
from pipeline.store.engine import open_engine
from pipeline.store.migrate import require_current
from pipeline.store.selection import Partition, Selection, Time


@click.command()
@click.argument("format_", metavar="FORMAT", type=click.Choice(get_args(Format)))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The file, or the folder for files.")
@click.option("--since", help="From this day, month or time on, such as 2026-03 or 2026-03-05T12:00+01:00.")
@click.option("--until", help="Up to this one, itself outside.")
@click.option(
    "--time",
    type=click.Choice(get_args(Time)),
    default="published",
    show_default=True,
    help="What --since, --until, days and months go by: publication (where unknown, when first stored), when first"
    " stored, or when last changed.",
)
@click.option("--site", "sites", multiple=True, help="Only of this site; may be given several times.")
@click.option("--language", "languages", multiple=True, help="Only in this language (ISO 639-1); likewise.")
@click.option("--where", help="Only where this condition in SQL holds, over the columns of v_article.")
@click.option("--partition-by", "partition", type=click.Choice(get_args(Partition)), help="A folder for each, as Hive.")
@click.option(
    "--compress",
    "compression",
    type=click.Choice(get_args(Compression)),
    default="none",
    help="Of jsonl and csv in a folder. A file is compressed by its name, Parquet always (zstd, inside).",
)
@click.option(
    "--cursor",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Export only what changed since this file was last moved; it is moved when the files are whole.",
)
@json_option
@click.pass_obj
def export(
    settings: Settings,
    format_: Format,
    out: Path,
    since: str | None,
    until: str | None,
    time: Time,
    sites: tuple[str, ...],
    languages: tuple[str, ...],
    where: str | None,
    partition: Partition | None,
    compression: Compression,
    cursor: Path | None,
    as_json: bool,
) -> None:
    """Write articles as parquet, jsonl or csv, as many as there are, in little memory.

    The columns are those of the view v_article (docs/export.md). Files appear when they are whole. Days and times
    without a zone are UTC.

    \b
    Examples:
      news export parquet --out articles.parquet
      news export parquet --out archive/ --partition-by day --since 2026-11-01 --until 2026-12-01
      news export jsonl --out english.jsonl.zst --language en --where "word_count >= 300"
      news export parquet --out changes/ --cursor changes/cursor.json     what changed since the last time
    """
    try:
        period = read_period(since, until)
    except ValueError as error:
        raise ConfigError(f"--since and --until: {error}") from error
    selection = Selection(period.since, period.until, time, sites, languages, where)
    plan = Plan(format_, out, selection, partition, compression, cursor)
    engine = open_engine(settings.database_url)
    require_current(engine)
    with _Rows() as told:
        done = write_files(engine, plan, told)
    if as_json:
        print_json(
            {
                "rows": done.rows,
                "deleted": done.deleted,
                "bytes": done.bytes,
                "cursor": done.cursor,
                "files": [str(file) for file in done.files],
            }
        )
        return
    gone = f", {done.deleted} taken down" if done.deleted else ""
    files = "1 file" if len(done.files) == 1 else f"{len(done.files)} files"
    console().print(f"{done.rows} articles{gone} in {files}, {done.bytes:,} bytes", markup=False)


class _Rows:
    """Shows on a terminal how many rows there are so far."""

    def __init__(self) -> None:
        columns = (SpinnerColumn(), TextColumn("{task.completed:,} articles"), TimeElapsedColumn())
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    def __call__(self, rows: int) -> None:
        self._bar.update(self._task, completed=rows)
