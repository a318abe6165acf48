"""The migrations build what the models say, and can be taken back."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from pipeline.errors import ConfigError
from pipeline.store.connection.engine import open_engine
from pipeline.store.migrations.upgrade import (
    current_revision,
    downgrade_schema,
    newest_revision,
    require_current,
    upgrade_schema,
)
from pipeline.store.schema.fulltext import is_in_models
from pipeline.store.schema.tables import Table
from pipeline.store.search.index_build import clear_index


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty_engine(request, tmp_path):
    url = f"sqlite:///{tmp_path}/new/news.db" if request.param == "sqlite" else None
    engine = open_engine(url or request.getfixturevalue("empty_postgres_url"))
    yield engine
    engine.dispose()


def test_the_migrated_schema_equals_the_models(engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": is_in_models})
        assert compare_metadata(context, Table.metadata) == []


def test_check_constraints_and_comments_are_in_the_database(engine):
    inspector = sa.inspect(engine)
    assert {check["name"] for check in inspector.get_check_constraints("page")} == {"ck_page_state"}
    if engine.dialect.name == "postgresql":
        missing = [
            f"{table.name}.{column.name}"
            for table in Table.metadata.sorted_tables
            for column in table.columns
            if column.comment and not column_comment(inspector, table.name, column.name)
        ]
        assert missing == []


def column_comment(inspector, table, name):
    return next(column["comment"] for column in inspector.get_columns(table) if column["name"] == name)


def test_the_newest_revision_is_the_head_of_the_migrations():
    scripts = ScriptDirectory(str(Path(__file__).resolve().parents[3] / "migrations"))
    assert scripts.get_heads() == [newest_revision()]


def test_up_down_and_up_again(empty_engine):
    assert current_revision(empty_engine) is None
    upgrade_schema(empty_engine)
    require_current(empty_engine)
    assert {"feed", "page", "article", "revision"} <= set(sa.inspect(empty_engine).get_table_names())
    downgrade_schema(empty_engine, "base")
    assert set(sa.inspect(empty_engine).get_table_names()) == {"alembic_version"}
    upgrade_schema(empty_engine)
    upgrade_schema(empty_engine)  # nothing left to do
    require_current(empty_engine)


def test_the_index_of_words_on_sqlite_is_merged_less_often_also_after_it_was_made_anew(engine):
    if engine.dialect.name != "sqlite":
        pytest.skip("only FTS5 has this setting")
    with engine.begin() as connection:
        clear_index(connection)
        settings = dict(connection.exec_driver_sql("SELECT k, v FROM article_search_config").fetchall())
    assert (settings["automerge"], settings["crisismerge"]) == (16, 64)


def test_a_database_without_tables_is_refused_with_the_command_that_helps(empty_engine):
    with pytest.raises(ConfigError, match="run: news db upgrade"):
        require_current(empty_engine)
