"""Alembic's environment: runs the migrations on the engine that the caller gives, and makes the views after them."""

import os

from alembic import context
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.engine import Connection, Engine

from pipeline.config import Settings
from pipeline.store.connection.engine import open_engine
from pipeline.store.migrations import contract, online
from pipeline.store.schema import fulltext
from pipeline.store.schema.tables import Table


def run(connection: Connection) -> None:
    """Run what the command asks for."""
    head = ScriptDirectory.from_config(context.config).get_current_head()
    asked = destination()

    def is_newest() -> bool:
        return MigrationContext.configure(connection).get_current_revision() == head

    is_done = asked == head and is_newest() and contract.is_current(connection)
    connection.rollback()
    if asked == "" or is_done:  # a command that only looks, or nothing to do
        migrate(connection)
    else:
        online.run_migrations(connection, lambda: migrate(connection), is_newest, keep_log=asked == head)


def destination() -> str | None:
    """The revision that an upgrade or downgrade leads to, None for the base; empty for other commands."""
    try:
        return str(revision) if (revision := context.get_revision_argument()) else None
    except KeyError:
        return ""
    except CommandError:  # a step up or down from where it is
        return "relative"


def migrate(connection: Connection) -> None:
    """Let Alembic do its part; on PostgreSQL each migration is a transaction of its own."""
    context.configure(
        connection=connection,
        target_metadata=Table.metadata,
        # SQLite cannot alter a table in place: Alembic copies it.
        render_as_batch=connection.dialect.name == "sqlite",
        transaction_per_migration=connection.dialect.name == "postgresql",
        compare_type=True,
        compare_server_default=False,
        include_name=fulltext.is_in_models,
    )
    with context.begin_transaction():
        context.run_migrations()


engine: Engine | None = context.config.attributes.get("engine")
if engine is None:  # called as `alembic`, from a checkout
    engine = open_engine(Settings.from_env(os.environ).database_url)
with engine.connect() as connection:
    run(connection)
