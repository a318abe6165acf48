"""Alembic's environment: runs the migrations on the engine that the caller gives."""

import os

from alembic import context
from sqlalchemy.engine import Connection, Engine

from pipeline.config import Settings
from pipeline.store.engine import open_engine
from pipeline.tables import Table


def run(connection: Connection) -> None:
    """Run the migrations in one transaction."""
    if connection.dialect.name == "postgresql":
        # Rather fail than stand in the way: a migration that waits for a lock makes all writers behind it wait.
        connection.exec_driver_sql("SET lock_timeout = '10s'")
    # Alembic's own transaction follows: one of ours around it would keep migrations from leaving it, as those must that
    # build an index without a lock.
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=Table.metadata,
        # SQLite cannot alter a table in place: Alembic copies it.
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        compare_server_default=False,
    )
    with context.begin_transaction():
        context.run_migrations()


engine: Engine | None = context.config.attributes.get("engine")
if engine is None:  # called as `alembic`, from a checkout
    engine = open_engine(Settings.from_env(os.environ).database_url)
with engine.connect() as connection:
    run(connection)
