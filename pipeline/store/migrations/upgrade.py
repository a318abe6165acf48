"""Bring a database to the schema of this version, and say whether it is there."""

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from pipeline.config import masked_url
from pipeline.errors import ConfigError
from pipeline.store.migrations import contract

if TYPE_CHECKING:
    from alembic.config import Config

# Alembic takes longer to import than all that a command like `news status` does: only what migrates imports it.


def _scripts() -> Path:
    """The folder of the migrations: in a wheel it lies in the package, in a checkout beside it."""
    package = Path(__file__).resolve().parents[2]
    inside = package / "migrations"
    return inside if inside.is_dir() else package.parent / "migrations"


def _config(engine: Engine) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_scripts()))
    config.attributes["engine"] = engine
    return config


def upgrade_schema(engine: Engine, revision: str = "head") -> None:
    """Run the migrations that are missing; nothing happens where none is."""
    from alembic import command

    if _is_missing(engine):
        Path(str(engine.url.database)).parent.mkdir(parents=True, exist_ok=True)
    command.upgrade(_config(engine), revision)


def _is_missing(engine: Engine) -> bool:
    """Whether it is a file that is not there yet: SQLite would make it at the first question."""
    return engine.dialect.name == "sqlite" and not Path(str(engine.url.database)).exists()


def downgrade_schema(engine: Engine, revision: str) -> None:
    """Take migrations back, down to this revision; ``base`` empties the database."""
    from alembic import command

    command.downgrade(_config(engine), revision)


def current_revision(engine: Engine) -> str | None:
    """The revision that the database is at; None for one without our tables, or that is not there."""
    if _is_missing(engine):
        return None
    with engine.connect() as connection:
        return _revision(connection)


def _revision(connection: Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return revision


def newest_revision() -> str:
    """The revision that this version needs: migrations are numbered, and their files begin with the number."""
    return max(file.name.partition("_")[0] for file in (_scripts() / "versions").glob("[0-9]*_*.py"))


def require_current(engine: Engine) -> None:
    """Make sure that the database has the schema of this version.

    Raises ConfigError: it has not; the message says what to run.
    """
    if _is_missing(engine):
        raise ConfigError(f"there is no database {masked_url(str(engine.url))} yet; run: news db upgrade")
    head = newest_revision()
    # As `pipeline.store.connection.engine.reading`: on SQLite this must not wait for a writer.
    with engine.connect().execution_options(news_read_only=True) as connection:
        revision = _revision(connection)
        what = ""
        if revision != head:
            what = "has no tables yet" if revision is None else f"is at revision {revision}, this version needs {head}"
        elif not contract.is_current(connection):
            what = "has views of another version, or was moved here from another server"
    if what:
        raise ConfigError(f"the database {masked_url(str(engine.url))} {what}; run: news db upgrade")
