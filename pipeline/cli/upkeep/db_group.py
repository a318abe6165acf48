"""``news db``: make and update the database."""

from pathlib import Path

import click
from sqlalchemy.engine import Engine

from pipeline.cli.output import print_line, write_line
from pipeline.cli.progress import count_on_terminal
from pipeline.config import Settings, masked_url
from pipeline.errors import ConfigError
from pipeline.store.articles.stories import count_missing, forget_stories, place_missing
from pipeline.store.connection.engine import open_archive, reading, write
from pipeline.store.migrations import upgrade as migrations
from pipeline.store.schema.dictionary import render_dictionary
from pipeline.store.search.index_build import clear_index, count_unindexed, index_missing


@click.group()
def db_group() -> None:
    """Make and update the database that NEWS_DATABASE_URL names."""


@db_group.command("upgrade")
@click.argument("revision", default="head")
@click.pass_obj
def db_upgrade_command(settings: Settings, revision: str) -> None:
    """Bring the database to the schema of this version; makes it where there is none.

    Where the full-text index has to be made anew, that is done at the end, in steps, from the newest article on, while
    others may work. What was broken off goes on where it was; until all is done, searches are refused.

    \b
    Examples:
      news db upgrade
      NEWS_DATABASE_URL=postgresql+psycopg://news@localhost/news news db upgrade
    """
    with open_archive(settings, check_schema=False) as engine:
        before = migrations.current_revision(engine)
        migrations.upgrade_schema(engine, revision)
        after = migrations.current_revision(engine)
        indexed = _index_words(engine) if after == migrations.newest_revision() else 0
    what = f"already at revision {after}" if before == after else f"{before or 'nothing'} → {after}"
    print_line(f"{masked_url(settings.database_url)}: {what}")
    if indexed:
        print_line(f"{indexed} articles indexed for searching")


@db_group.command("downgrade")
@click.argument("revision")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def db_downgrade_command(settings: Settings, revision: str, yes: bool) -> None:
    """Take migrations back to REVISION; `base` drops every table.

    \b
    Example:
      news db downgrade 0001
    """
    if not yes:
        click.confirm(f"This drops data of {masked_url(settings.database_url)}. Go on?", abort=True)
    with open_archive(settings, check_schema=False) as engine:
        migrations.downgrade_schema(engine, revision)


@db_group.command("dictionary")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this file.")
def db_dictionary_command(output: Path | None) -> None:
    """The data dictionary in Markdown: every view and table with its columns. Needs no database.

    \b
    Examples:
      news db dictionary | less
      news db dictionary -o docs/data-dictionary.md
    """
    if output is None:
        write_line(render_dictionary(), end="")
    else:
        output.write_text(render_dictionary(), encoding="utf-8")


@db_group.command("reindex")
@click.option("--stories", is_flag=True, help="Find the stories of articles that have none yet.")
@click.option("--anew", is_flag=True, help="With --stories: forget all stories first.")
@click.option("--batch", type=click.IntRange(min=1), default=500, show_default=True, help="Articles of a transaction.")
@click.pass_obj
def db_reindex_command(settings: Settings, stories: bool, anew: bool, batch: int) -> None:
    """Rebuild the full-text index that `news search` uses, or find the stories of what was stored before.

    Others may go on working, and searches are refused meanwhile. What was broken off goes on where it was: words with
    news db upgrade, stories with this command.

    \b
    Examples:
      news db reindex
      news db reindex --stories
      news db reindex --stories --anew
    """
    if anew and not stories:
        raise ConfigError("--anew goes with --stories")
    with open_archive(settings) as engine:
        if stories:
            _place_stories(engine, batch, anew=anew)
        else:
            write(engine, clear_index)
            print_line(f"{_index_words(engine, batch)} articles indexed")


def _place_stories(engine: Engine, batch: int, *, anew: bool) -> None:
    if anew:
        write(engine, forget_stories)
    with reading(engine) as connection:
        missing = count_missing(connection)
    placed = 0
    with count_on_terminal(missing, "articles") as counter:
        after: int | None = 0
        while after is not None:
            after, count = write(engine, place_missing, after, batch)
            placed += count
            counter.show(placed)
    print_line(f"{placed} articles placed")


def _index_words(engine: Engine, batch: int = 500) -> int:
    """Index what is not in the full-text index; returns how many articles that were."""
    with reading(engine) as connection:
        missing = count_unindexed(connection)
    indexed, below = 0, None
    with count_on_terminal(missing, "articles") as counter:
        while True:
            below, count = write(engine, index_missing, below, batch)
            if below is None:
                return indexed
            indexed += count
            counter.show(indexed)
