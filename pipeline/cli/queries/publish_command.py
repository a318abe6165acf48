"""``news publish``: a copy of the archive to hand on."""

from pathlib import Path

import click

from pipeline.cli.options import json_option
from pipeline.cli.output import print_json, print_line
from pipeline.config import Settings
from pipeline.export.publish import publish_archive
from pipeline.store.connection.engine import open_archive


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--without-text", is_flag=True, help="Leave out texts, descriptions and captions.")
@json_option
@click.pass_obj
def publish_command(settings: Settings, file: Path, without_text: bool, as_json: bool) -> None:
    """Write a copy of the archive's views to FILE, a SQLite database without secrets, ready for Datasette.

    Beside it stand what Datasette shows (.metadata.json) and a card with counts and period (.md). Addresses of feeds,
    settings of access and reasons of failures are not in it.

    \b
    Examples:
      news publish news-2026.db && datasette news-2026.db -m news-2026.metadata.json
      news publish public.db --without-text
    """
    with open_archive(settings) as engine:
        done = publish_archive(engine, file, with_texts=not without_text)
    if as_json:
        print_json({"files": [str(name) for name in done.files], "rows": done.rows})
        return
    print_line(f"{done.rows['article']} articles, {file.stat().st_size:,} bytes: {', '.join(map(str, done.files))}")
