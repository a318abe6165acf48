"""``news export``: articles as files, whole or what changed since the last export."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import click
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

from pipeline.cli.options import json_option, parse_period
from pipeline.cli.output import print_json, print_line, report_line
from pipeline.cli.progress import count_on_terminal
from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.export import ExportPlan, stream_articles
from pipeline.export import export_articles as write_files
from pipeline.export.formats import Compression, Format
from pipeline.export.text_forms import TextForm
from pipeline.store.connection.engine import open_archive
from pipeline.store.queries.sampling import MAX_SAMPLE, STRATA, Sample
from pipeline.store.queries.selection import Partition, Selection, Time


@click.command()
@click.argument("format", metavar="FORMAT", type=click.Choice(get_args(Format)))
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="The file, or the folder for files; - for standard output.",
)
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
@click.option(
    "--add",
    "forms",
    multiple=True,
    callback=lambda _context, _option, forms: tuple(dict.fromkeys(forms)),
    type=click.Choice(get_args(TextForm)),
    help="A further column: the article as Markdown, or the text as blocks with kind and level; once for each.",
)
@click.option("--excel", "is_for_excel", is_flag=True, help="Of csv: no cell is a formula to a spreadsheet.")
@click.option("--sample", type=click.IntRange(1, MAX_SAMPLE), help="Only so many of them, by lot.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of --sample: another one draws others.")
@click.option(
    "--stratify", help=f"Of --sample: what it is spread evenly over, such as site,month ({', '.join(STRATA)})."
)
@json_option
@click.pass_obj
def export_command(
    settings: Settings,
    /,
    as_json: bool,
    **given: Any,  # noqa: ANN401  # what the selection and the plan are made of
) -> None:
    """Write articles as parquet, jsonl or csv, as many as there are, in little memory.

    The columns are those of the view v_article (docs/export.md). Files appear when they are whole. Days and times
    without a zone are UTC.

    \b
    Examples:
      news export parquet --out articles.parquet
      news export parquet --out archive/ --partition-by day --since 2026-11-01 --until 2026-12-01
      news export jsonl --out english.jsonl.zst --language en --where "word_count >= 300"
      news export csv --out sample.csv --sample 500 --seed 7 --stratify site,month
      news export jsonl --out blocks.jsonl --add blocks
      news export parquet --out changes/ --cursor changes/cursor.json     what changed since the last time
    """
    plan = _plan(**given)
    if plan.out == Path("-"):
        with open_archive(settings) as engine:
            done = stream_articles(engine, plan, sys.stdout.buffer)
        report_line(f"{done.rows} articles, {done.bytes:,} bytes")
        return
    columns = (SpinnerColumn(), TextColumn("{task.completed:,} articles"), TimeElapsedColumn())
    with open_archive(settings) as engine, count_on_terminal(None, "", *columns) as counter:
        done = write_files(engine, plan, counter.show)
    if as_json:
        print_json(asdict(done) | {"files": [str(file) for file in done.files]})
        return
    gone = f", {done.deleted} taken down" if done.deleted else ""
    files = "1 file" if len(done.files) == 1 else f"{len(done.files)} files"
    print_line(f"{done.rows} articles{gone} in {files}, {done.bytes:,} bytes")


def _plan(
    *,
    since: str | None,
    until: str | None,
    sample: int | None,
    seed: int,
    stratify: str | None,
    **given: Any,  # noqa: ANN401
) -> ExportPlan:
    """The plan of these options.

    Raises:
        ConfigError: times or strata are none, or options exclude each other.
    """
    period = parse_period(since, until)
    named = stratify.split(",") if stratify else []
    strata = tuple(name for name in STRATA if name in named)
    if unknown := set(named).difference(STRATA):
        raise ConfigError(f"--stratify {unknown.pop()}: it takes {', '.join(STRATA)}, with commas between")
    if sample is None and (strata or seed):
        raise ConfigError("--seed and --stratify are for --sample")
    if sample and given["cursor"]:
        raise ConfigError("--sample and --cursor: choose one, since what changed is exported whole")
    drawn = Sample(sample, seed, strata) if sample else None
    chosen = {name: given.pop(name) for name in ("time", "sites", "languages", "where")}
    return ExportPlan(selection=Selection(period.since, period.until, **chosen, sample=drawn), **given)
