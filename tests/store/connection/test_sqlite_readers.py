"""Connections that only read stay open from one question to the next, and nothing of a question stays with them."""

import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipeline.errors import ConfigError
from pipeline.store.connection.engine import open_engine
from pipeline.store.connection.readonly import only_reading, run_readonly_query
from pipeline.store.connection.sqlite_readers import reader_of
from tests.support.archive import HOUR, NOW, Archive

COUNT = "SELECT count(*) FROM article"
LONG = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < {}) SELECT max(x) FROM n"
SEARCH = "SELECT count(*) FROM article_search WHERE article_search MATCH 'three'"


@pytest.fixture
def archive(sqlite_url):
    archive = Archive(open_engine(sqlite_url))
    archive.store()
    yield archive
    archive.engine.dispose()


def ask(archive, statement, timeout=None):
    with only_reading(archive.engine, timeout) as connection:
        return run_readonly_query(connection, statement).scalar()


def connection_of(archive):
    with only_reading(archive.engine) as connection:
        return connection.connection.dbapi_connection


def test_the_next_question_has_the_connection_of_the_one_before(archive):
    assert connection_of(archive) is connection_of(archive)


def test_the_next_question_sees_what_was_stored_meanwhile_though_rows_of_the_one_before_were_not_fetched(archive):
    with only_reading(archive.engine) as connection:
        rows = run_readonly_query(
            connection, LONG.format(10_000).replace("max(x)", "x, (SELECT count(*) FROM article)")
        )
        assert rows.fetchone()
    archive.store("https://news.example/2", now=NOW + HOUR, text="Meanwhile.")
    assert ask(archive, COUNT) == 2
    rows.close()


def test_the_next_question_has_a_time_of_its_own(archive):
    with pytest.raises(ConfigError, match="was stopped"):
        ask(archive, LONG.format(10**12), timedelta(milliseconds=1))
    assert ask(archive, LONG.format(100_000)) == 100_000


def test_a_file_that_was_replaced_is_opened_anew(archive, tmp_path):
    assert ask(archive, COUNT) == 1
    file = Path(archive.engine.url.database)
    archive.engine.dispose()
    other = Archive(open_engine(f"sqlite:///{shutil.copy(file, tmp_path / 'other.db')}"))
    other.store("https://news.example/2", now=NOW + HOUR, text="In the other file.")
    other.engine.dispose()
    assert ask(archive, COUNT) == 1
    (tmp_path / "other.db").replace(file)
    assert ask(archive, COUNT) == 2


def test_a_schema_that_was_changed_is_read_anew(archive):
    assert ask(archive, SEARCH) == 1
    with archive.engine.begin() as connection:
        connection.exec_driver_sql("CREATE VIEW v_of_mine AS SELECT 7 AS n")
    assert ask(archive, "SELECT n FROM v_of_mine") == 7
    assert ask(archive, SEARCH) == 1


def test_connections_that_stay_open_refuse_what_writes_or_reads_other_files(archive, tmp_path):
    for statement in (
        "DELETE FROM article",
        "CREATE TEMP TABLE mine (x)",
        f"ATTACH '{tmp_path}/other.db' AS other",
        "PRAGMA query_only=OFF",
        "PRAGMA writable_schema=ON",
    ):
        with (
            only_reading(archive.engine) as connection,
            pytest.raises(sa.exc.DBAPIError, match=r"read-?only|authorized"),
        ):
            connection.exec_driver_sql(statement)
    assert ask(archive, COUNT) == 1


def test_many_may_ask_at_once(archive):
    with ThreadPoolExecutor(20) as threads:
        assert set(threads.map(lambda _: ask(archive, LONG.format(5_000)), range(60))) == {5_000}


def test_the_connections_are_closed_with_the_archives_own(archive):
    raw = connection_of(archive)
    assert reader_of(archive.engine).pool.checkedin() == 1
    archive.engine.dispose()
    with pytest.raises(sqlite3.ProgrammingError, match="closed database"):
        raw.execute("SELECT 1")
    assert [path.name for path in Path(archive.engine.url.database).parent.iterdir()] == ["news.db"], "no log is left"
    assert ask(archive, COUNT) == 1


def test_connections_are_closed_with_an_engine_that_never_had_one_of_its_own(archive, sqlite_url):
    other = open_engine(sqlite_url)
    with only_reading(other) as connection:
        made = connection.connection.dbapi_connection
    other.dispose()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        made.execute("SELECT 1")
