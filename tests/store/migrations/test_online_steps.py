"""The steps that migrations are made of, on both databases."""

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from pipeline.store.migrations.online import create_index, drop_index, in_batches
from tests.support.archive import Archive, entry


@pytest.fixture
def migrating(engine):
    """A connection as a migration has it, over an archive of five pages."""
    Archive(engine).poll(*(entry(number) for number in range(5)))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"transaction_per_migration": True})
        with Operations.context(context):
            yield connection, context


def indexes(connection):
    connection.rollback()
    return {index["name"] for index in sa.inspect(connection).get_indexes("page")}


def step(context, function, *args, **kwargs):
    with context.begin_transaction(_per_migration=True):
        return function(*args, **kwargs)


def test_an_index_may_be_built_and_taken_away_again_and_again(migrating):
    connection, context = migrating
    for _ in range(2):
        step(context, create_index, "ix_new", "page", ["state", "status"], where="status IS NOT NULL")
        assert "ix_new" in indexes(connection)
        connection.rollback()
    for _ in range(2):
        step(context, drop_index, "ix_new", "page")
        assert "ix_new" not in indexes(connection)
        connection.rollback()


@pytest.mark.postgres
def test_what_a_build_that_was_broken_off_left_is_built_anew(migrating):
    connection, context = migrating
    if connection.dialect.name != "postgresql":
        pytest.skip("SQLite builds an index or does not")
    step(context, create_index, "ix_new", "page", ["state"])
    connection.exec_driver_sql("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_new'::regclass")
    connection.commit()
    step(context, create_index, "ix_new", "page", ["state"])
    valid = sa.text("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_new'::regclass")
    assert connection.scalar(valid) is True


def test_rows_are_changed_in_batches_all_of_them_and_no_others(migrating):
    connection, context = migrating
    assert step(context, in_batches, "page", "detail = 'seen'", "url NOT LIKE '%/3'", size=2) == 4
    connection.rollback()
    query = sa.text("SELECT url FROM page WHERE detail IS NULL")
    assert [url[-2:] for url in connection.scalars(query)] == ["/3"]
