"""``news db``: make and update the database."""

import sys
from pathlib import Path

import click
import sqlalchemy as sa
from rich.console import Console
from rich.progress import Progress
from sqlalchemy.engine import Engine

from pipeline.cli.output import console
from pipeline.config import Settings, masked_url
from pipeline.errors import ConfigError
from pipeline.store import migrate
from pipeline.store.dictionary import dictionary
from pipeline.store.engine import open_engine, reading, write
from pipeline.store.search import rebuild_sqlite, reindex_batch
from pipeline.store.stories import count_missing, forget_all, place_missing
from pipeline.tables import ArticleRow


@click.group()
def db() -> None:
    """Make and update the database that NEWS_DATABASE_URL names."""


@db.command()
@click.argument("revision", default="head")
@click.pass_obj
def upgrade(settings: Settings, revision: str) -> None:
    """Bring the database to the schema of this version; makes it where there is none.

    \b
    Examples:
      news db upgrade
      NEWS_DATABASE_URL=postgresql+psycopg://news@localhost/news news db upgrade
    """
    engine = open_engine(settings.database_url)
    before = migrate.current_revision(engine)
    migrate.upgrade(engine, revision)
    after = migrate.current_revision(engine)
    what = f"already at revision {after}" if before == after else f"{before or 'nothing'} → {after}"
    console().print(f"{masked_url(settings.database_url)}: {what}")


@db.command()
@click.argument("revision")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def downgrade(settings: Settings, revision: str, yes: bool) -> None:
    """Take migrations back to REVISION; `base` drops every table.

    \b
    Example:
      news db downgrade 0001
    """
    if not yes:
        click.confirm(f"This drops data of {masked_url(settings.database_url)}. Go on?", abort=True)
    migrate.downgrade(open_engine(settings.database_url), revision)


@db.command("dictionary")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this file.")
def dictionary_(output: Path | None) -> None:
    """The data dictionary in Markdown: every view and table with its columns. Needs no database.

    \b
    Examples:
      news db dictionary | less
      news db dictionary -o docs/data-dictionary.md
    """
    if output is None:
        click.echo(dictionary(), nl=False)
    else:
        output.write_text(dictionary(), encoding="utf-8")


@db.command()
@click.option("--stories", is_flag=True, help="Find the stories of articles that have none yet.")
@click.option("--anew", is_flag=True, help="With --stories: forget all stories first.")
@click.option("--batch", type=click.IntRange(min=1), default=500, show_default=True, help="Articles of a transaction.")
@click.pass_obj
def reindex(settings: Settings, stories: bool, anew: bool, batch: int) -> None:
    """Make the index of words anew that `news search` looks in, or find the stories of what was stored before.

    Others may go on working. What was broken off goes on where it was with stories, and may be repeated with words.

    \b
    Examples:
      news db reindex
      news db reindex --stories
      news db reindex --stories --anew
    """
    if anew and not stories:
        raise ConfigError("--anew goes with --stories")
    engine = open_engine(settings.database_url)
    migrate.require_current(engine)
    if stories:
        _place_stories(engine, batch, anew=anew)
    else:
        _reindex_words(engine, batch)


def _place_stories(engine: Engine, batch: int, *, anew: bool) -> None:
    if anew:
        write(engine, forget_all)
    with reading(engine) as connection:
        missing = count_missing(connection)
    placed = 0
    with _progress() as bar:
        task = bar.add_task("articles", total=missing)
        after: int | None = 0
        while after is not None:
            after, count = write(engine, place_missing, after, batch)
            placed += count
            bar.update(task, completed=placed)
    console().print(f"{placed} articles placed")


def _reindex_words(engine: Engine, batch: int) -> None:
    with reading(engine) as connection:
        newest = connection.scalar(sa.select(sa.func.max(ArticleRow.id))) or 0
        count = connection.scalar(sa.select(sa.func.count()).select_from(ArticleRow)) or 0
    if engine.dialect.name == "sqlite":
        write(engine, rebuild_sqlite)
    else:
        with _progress() as bar:
            task = bar.add_task("articles", total=newest)
            for after in range(0, newest, batch):
                write(engine, reindex_batch, after, after + batch)
                bar.update(task, completed=min(newest, after + batch))
    console().print(f"{count} articles indexed")


def _progress() -> Progress:
    return Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())
