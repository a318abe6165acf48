"""``news db``: make and update the database."""

from pathlib import Path

import click

from pipeline.cli.output import console
from pipeline.config import Settings, masked_url
from pipeline.store import migrate
from pipeline.store.dictionary import dictionary
from pipeline.store.engine import open_engine


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
