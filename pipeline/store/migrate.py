"""Bring a database to the schema of this version, and say whether it is there."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Engine

from pipeline.config import masked_url
from pipeline.errors import ConfigError
from pipeline.store import contract
from pipeline.store.engine import reading


def _config(engine: Engine) -> Config:
    # In a wheel the migrations lie in the package, in a checkout beside it.
    package = Path(__file__).resolve().parents[1]
    inside = package / "migrations"
    config = Config()
    config.set_main_option("script_location", str(inside if inside.is_dir() else package.parent / "migrations"))
    config.attributes["engine"] = engine
    return config


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Run the migrations that are missing; nothing happens where none is."""
    command.upgrade(_config(engine), revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Take migrations back, down to this revision; ``base`` empties the database."""
    command.downgrade(_config(engine), revision)


def current_revision(engine: Engine) -> str | None:
    """The revision that the database is at; None for one without our tables."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def require_current(engine: Engine) -> None:
    """Make sure that the database has the schema of this version.

    Raises:
        ConfigError: it has not; the message says what to run.
    """
    found, head = current_revision(engine), ScriptDirectory.from_config(_config(engine)).get_current_head()
    if found != head:
        what = "has no tables yet" if found is None else f"is at revision {found}, this version needs {head}"
        raise ConfigError(f"the database {masked_url(str(engine.url))} {what}; run: news db upgrade")
    with reading(engine) as connection:
        if not contract.is_current(connection):
            what = "has views of another version, or was moved here from another server"
            raise ConfigError(f"the database {masked_url(str(engine.url))} {what}; run: news db upgrade")
