"""Calls that wait at the same time share a transaction, and no call suffers from another."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from pipeline.runtime.database import MAX_CALLS, Database
from pipeline.store.connection.engine import open_engine
from pipeline.store.connection.rows import ensure_hosts
from pipeline.store.schema.tables import HostRow

NOW = datetime(2026, 3, 5, 10, tzinfo=UTC)


def add(connection: Connection, name: str) -> str:
    ensure_hosts(connection, [name], NOW)
    return name


def hosts(connection: Connection) -> list[str]:
    return list(connection.scalars(sa.select(HostRow.name).order_by(HostRow.name)))


def refuse(connection: Connection, name: str) -> None:
    add(connection, name)
    raise LookupError(name)


@contextmanager
def commits_of(engine: Engine) -> Iterator[list[str]]:
    commits: list[str] = []

    def note(_: Connection) -> None:
        commits.append("commit")

    sa.event.listen(engine, "commit", note)
    yield commits
    sa.event.remove(engine, "commit", note)


def run(engine: Engine, work: Callable[[Database], Awaitable[object]]) -> object:
    async def whole() -> object:
        database = Database(engine)
        try:
            return await work(database)
        finally:
            database.close()

    return asyncio.run(whole())


@pytest.fixture
def sqlite_engine(sqlite_url: str) -> Iterator[Engine]:
    engine = open_engine(sqlite_url)
    yield engine
    engine.dispose()


def test_what_is_given_at_once_is_committed_at_once(sqlite_engine):
    with commits_of(sqlite_engine) as commits:
        names = run(sqlite_engine, lambda db: asyncio.gather(*(db.write(add, f"h{i}") for i in range(20))))
    assert names == [f"h{i}" for i in range(20)]
    assert len(commits) == 1


def test_a_transaction_has_a_bounded_number_of_calls(sqlite_engine):
    with commits_of(sqlite_engine) as commits:
        run(sqlite_engine, lambda db: asyncio.gather(*(db.write(add, f"h{i}") for i in range(2 * MAX_CALLS + 1))))
    assert len(commits) == 3


def test_on_postgresql_no_lock_is_held_for_the_calls_of_others(engine):
    with commits_of(engine) as commits:
        run(engine, lambda db: asyncio.gather(*(db.write(add, f"h{i}") for i in range(5))))
    assert len(commits) == (1 if engine.dialect.name == "sqlite" else 5)


def add_each(connection: Connection, names: list[str], prefix: str) -> list[str]:
    if "wrong" in names:
        raise LookupError("wrong")
    return [f"{add(connection, prefix + name)} of {len(names)}" for name in names]


def test_items_that_are_given_at_once_for_one_function_are_one_call_and_one_transaction(engine):
    async def work(db: Database) -> list[object]:
        return await asyncio.gather(
            *(db.write_each(add_each, f"{i}", "a") for i in range(3)), db.write_each(add_each, "3", "b")
        )

    with commits_of(engine) as commits:
        assert run(engine, work) == ["a0 of 3", "a1 of 3", "a2 of 3", "b3 of 1"]
    assert len(commits) == (1 if engine.dialect.name == "sqlite" else 2)


@pytest.mark.parametrize("each", [Database.write_each, Database.read_each])
def test_a_call_has_a_bounded_number_of_items(engine, each):
    def together(_: Connection, items: list[int]) -> list[int]:
        return [len(items)] * len(items)

    async def work(db: Database) -> list[object]:
        return await asyncio.gather(*(each(db, together, item) for item in range(MAX_CALLS + 3)))

    assert run(engine, work) == [*[MAX_CALLS] * MAX_CALLS, 3, 3, 3]


def test_an_item_that_cannot_be_stored_takes_no_other_with_it(engine):
    async def work(db: Database) -> list[object]:
        calls = [db.write_each(add_each, name, "") for name in ("x", "wrong", "y")]
        return await asyncio.gather(*calls, return_exceptions=True)

    before, wrong, after = run(engine, work)
    assert (before, after) == ("x of 1", "y of 1")
    assert isinstance(wrong, LookupError)
    assert run(engine, lambda db: db.read(hosts)) == ["x", "y"]


def test_a_call_that_fails_raises_where_it_was_made_and_takes_no_other_with_it(engine):
    async def work(db: Database) -> list[object]:
        return await asyncio.gather(
            db.write(add, "before"), db.write(refuse, "wrong"), db.write(add, "after"), return_exceptions=True
        )

    before, wrong, after = run(engine, work)
    assert (before, after) == ("before", "after")
    assert isinstance(wrong, LookupError)
    assert run(engine, lambda db: db.read(hosts)) == ["after", "before"]


@pytest.mark.parametrize("error", [GeneratorExit, asyncio.CancelledError, StopIteration])
def test_whatever_a_call_raises_no_call_waits_for_ever(engine, error):
    def end(_: Connection) -> None:
        raise error

    async def work(database: Database) -> list[object]:
        calls = [database.write(add, "a.example"), database.write(end), database.write(add, "b.example")]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        return [*outcomes, await database.read(hosts)]

    first, failure, second, stored = run(engine, work)
    assert (first, second, stored) == ("a.example", "b.example", ["a.example", "b.example"])
    assert isinstance(failure, error) or "StopIteration" in repr(failure)


def test_a_read_sees_what_was_given_to_be_written_before_it(engine):
    async def work(db: Database) -> list[object]:
        return await asyncio.gather(
            db.read(hosts), db.write(add, "a"), db.read(hosts), db.write(add, "b"), db.read(hosts)
        )

    assert run(engine, work) == [[], "a", ["a"], "b", ["a", "b"]]


def test_what_was_given_is_done_although_its_caller_is_cancelled(engine):
    begun, go_on = Event(), Event()

    def slow(connection: Connection) -> None:
        begun.set()
        assert go_on.wait(60)
        add(connection, "slow")

    async def work(db: Database) -> None:
        first = asyncio.create_task(db.write(slow))
        await asyncio.to_thread(begun.wait)
        second = asyncio.create_task(db.write(add, "queued"))
        await asyncio.sleep(0)
        for task in (first, second):
            task.cancel()
        go_on.set()
        assert await asyncio.gather(first, second, return_exceptions=True) != [None, "queued"]

    run(engine, work)
    assert run(engine, lambda db: db.read(hosts)) == ["queued", "slow"]


def test_no_call_returns_before_its_transaction_is_committed(sqlite_engine):
    async def work(db: Database) -> list[str]:
        await db.write(add, "a")
        with sqlite_engine.connect() as other:
            return hosts(other)

    assert run(sqlite_engine, work) == ["a"]


def test_only_one_call_waits_for_a_database_that_is_away():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        engine = open_engine(f"postgresql+psycopg://127.0.0.1:{free.getsockname()[1]}/news", timedelta(seconds=1))
        tries: list[float] = []
        sa.event.listen(engine, "do_connect", lambda *_: tries.append(time.monotonic()))
        outcomes: list[object] = []

        async def work(db: Database) -> None:
            outcomes.extend(await asyncio.gather(*(db.read(hosts) for _ in range(20)), return_exceptions=True))

        run(engine, work)
    assert all(isinstance(outcome, sa.exc.OperationalError) for outcome in outcomes)
    # The first tries for its second, the others once each.
    assert len(tries) < 20 + 6
    engine.dispose()
