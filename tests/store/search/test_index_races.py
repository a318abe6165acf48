"""The full-text index on PostgreSQL is filled while others work: with two connections, one waits or gives way."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from pipeline.store.connection.engine import open_engine, write
from pipeline.store.search import search_articles
from pipeline.store.search.index_build import clear_index, count_unindexed, index_missing
from tests.support.archive import Archive

pytestmark = pytest.mark.postgres


@pytest.fixture
def archive(postgres_url: str) -> Iterator[Archive]:
    """An article that is not in the index."""
    engine = open_engine(postgres_url)
    archive = Archive(engine)
    archive.store("https://one.example/1", text="The harbour is closed.")
    archive(clear_index)
    yield archive
    engine.dispose()


def update(connection: Connection) -> None:
    connection.exec_driver_sql("UPDATE article SET text = 'The seagulls are back.'")


def delete(connection: Connection) -> None:
    connection.exec_driver_sql("DELETE FROM article")


def fill(connection: Connection) -> None:
    index_missing(connection, None, 100)


@contextmanager
def while_uncommitted(engine: Engine, first: Callable[[Connection], None], second: Callable[[Connection], None]):
    """Run the second on another connection once the first is done, and commit the first when that waits or is done."""
    with ThreadPoolExecutor(1) as pool, engine.connect() as holding:
        holding.begin()
        first(holding)
        begun, pid = Event(), []

        def follow(connection: Connection) -> None:
            pid.append(connection.scalar(sa.text("SELECT pg_backend_pid()")))
            begun.set()
            second(connection)

        follower = pool.submit(write, engine, follow)
        assert begun.wait(60)
        wait_until_blocked(engine, pid[0], follower)
        holding.commit()
        follower.result()
        yield


def wait_until_blocked(engine: Engine, pid: int, follower: Future[None]) -> None:
    blocked = sa.text("SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = :pid")
    while not follower.done():
        with engine.connect() as looking:
            if looking.scalar(blocked, {"pid": pid}):
                return


def found(archive: Archive, word: str) -> int:
    with archive.engine.connect() as connection:
        return len(search_articles(connection, word).hits)


@pytest.mark.parametrize(("first", "second"), [(update, fill), (fill, update)], ids=["update first", "filler first"])
def test_what_changes_while_it_is_indexed_is_found_by_what_it_says_then(archive, first, second):
    with while_uncommitted(archive.engine, first, second):
        assert (found(archive, "seagulls"), found(archive, "harbour")) == (1, 0)


@pytest.mark.parametrize(("first", "second"), [(delete, fill), (fill, delete)], ids=["deletion first", "filler first"])
def test_what_goes_while_it_is_indexed_is_gone(archive, first, second):
    with while_uncommitted(archive.engine, first, second), archive.engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM article_search")) == 0


def test_two_may_fill_the_index_at_once(archive):
    with while_uncommitted(archive.engine, fill, fill):
        assert found(archive, "harbour") == 1


def test_a_change_does_not_index_what_is_not_in_the_index_yet(archive):
    archive(update)
    with archive.engine.connect() as connection:
        assert count_unindexed(connection) == 1
