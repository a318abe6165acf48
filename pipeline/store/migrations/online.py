"""Runs migrations while writers are at work, and what migrations need for that.

On PostgreSQL a change of a table waits for all transactions that use it, and later ones wait behind it. So no step
waits for a lock longer than `LOCK_TIMEOUT`: it gives way, and tries again. Each migration is a transaction of its own;
indexes are built, and rows changed, outside of one (`create_index`, `in_batches`). On SQLite, which has one writer at a
time, all is one transaction: it is done or it is not.
"""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from alembic import op
from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from pipeline.store.migrations import contract

LOCK_TIMEOUT: Final = timedelta(milliseconds=400)
"""How long a step waits for a lock, and writers behind it: our transactions take some hundredths of a second.

Well below the second after which PostgreSQL looks for deadlocks: of a migration of two tables and a writer of both, the
migration gives way.
"""

PAUSES: Final = tuple(min(2**attempt / 10, 5.0) for attempt in range(60))
"""Seconds before each further try, nearly five minutes in all: a report may hold a table for long."""

BATCH: Final = 5_000
"""Rows that a batch changes: locks on them are held for some tenths of a second."""

# SQLSTATE of what another try may pass: lock_not_available, deadlock_detected.
_TRY_AGAIN: Final = frozenset({"55P03", "40P01"})

_UPGRADES: Final = 0x6E657773  # "news"; the number of the advisory lock that lets one upgrade run at a time

_TABLE: Final = re.compile(r"\s*ALTER TABLE (?:IF EXISTS )?(\w+)")

T = TypeVar("T")


def run_migrations(
    connection: Connection, migrate: Callable[[], None], is_newest: Callable[[], bool], *, keep_log: bool
) -> None:
    """Run the migrations, with the views taken away before and, at the newest schema, made again after.

    The connection is in no transaction: each step begins its own. ``migrate`` lets Alembic do its part; changes are
    logged meanwhile with ``keep_log``, which is not where the log itself may go.
    """
    steps = _run_sqlite if connection.dialect.name == "sqlite" else _run_postgresql
    steps(connection, migrate, is_newest, keep_log=keep_log)


def _run_sqlite(
    connection: Connection, migrate: Callable[[], None], is_newest: Callable[[], bool], *, keep_log: bool
) -> None:
    # Nothing is written beside us, so nothing is missed, whether changes are logged or not.
    del keep_log
    with _without_foreign_keys(connection), connection.begin():
        contract.drop_views(connection)
        migrate()
        if is_newest():
            contract.make_contract(connection)
            after: int | None = 0
            while after is not None:
                after = contract.log_earlier_articles(connection, after)


def _run_postgresql(
    connection: Connection, migrate: Callable[[], None], is_newest: Callable[[], bool], *, keep_log: bool
) -> None:
    milliseconds = LOCK_TIMEOUT // timedelta(milliseconds=1)
    locks: list[str] = []
    event.listen(connection, "before_cursor_execute", _let_builds_wait)
    event.listen(connection, "before_cursor_execute", lambda *args: _lock_first(locks, *args))
    event.listen(connection, "after_cursor_execute", lambda *args: _after_build(milliseconds, *args))
    with _alone(connection):
        connection.exec_driver_sql(f"SET lock_timeout = {milliseconds}")
        connection.commit()
        grants = patiently(connection, lambda: contract.drop_views(connection))
        if not keep_log:
            patiently(connection, lambda: contract.drop_triggers(connection))
        patiently(connection, migrate, begin=False, locks=locks)
        connection.commit()  # of what Alembic read after its last transaction
        if patiently(connection, is_newest):
            patiently(connection, lambda: contract.make_contract(connection, grants))
            after: int | None = 0
            while after is not None:
                after = patiently(connection, partial(contract.log_earlier_articles, connection, after))


def patiently(
    connection: Connection, step: Callable[[], T], *, begin: bool = True, locks: list[str] | None = None
) -> T:
    """Do this step in a transaction, again after a pause where it cannot have its locks; the last failure is raised.

    The table that could not be had is put first into ``locks``, to be asked for while nothing else is held.
    """
    for pause in (*PAUSES, None):
        try:
            if not begin:
                return step()
            with connection.begin():
                return step()
        except DBAPIError as error:
            connection.rollback()
            if pause is None or getattr(error.orig, "sqlstate", None) not in _TRY_AGAIN:
                raise
            if locks is not None and (named := _TABLE.match(error.statement or "")):
                locks[:] = [named[1], *(name for name in locks if name != named[1])]
            time.sleep(pause)
    raise AssertionError("unreachable")


def _lock_first(locks: list[str], connection: Connection, cursor: Any, statement: str, *_: object) -> None:  # noqa: ANN401
    # A migration that holds one table and waits for another, and writers that have the other and wait for the one,
    # would wait for each other at every try.
    raw: Any = connection.connection.dbapi_connection
    if "INTO alembic_version" in statement or "UPDATE alembic_version" in statement:
        locks.clear()  # it is done: the next one may use other tables
    if locks and _TABLE.match(statement) and not raw.autocommit:
        cursor.execute(f"LOCK TABLE {', '.join(locks)} IN ACCESS EXCLUSIVE MODE")


def _let_builds_wait(_connection: Connection, cursor: Any, statement: str, *_: object) -> None:  # noqa: ANN401
    # What is done CONCURRENTLY waits for old transactions without standing in anybody's way, and leaves half an index
    # behind where it gives up.
    if " CONCURRENTLY " in statement:
        cursor.execute("SET lock_timeout = 0")


def _after_build(milliseconds: int, _connection: Connection, cursor: Any, statement: str, *_: object) -> None:  # noqa: ANN401
    if " CONCURRENTLY " in statement:
        cursor.execute(f"SET lock_timeout = {milliseconds}")


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """While no other upgrade runs. Asked for time and again: who waits in a query keeps indexes from being built."""
    held = sa.text("SELECT pg_try_advisory_lock(:key)")
    while not connection.scalar(held, {"key": _UPGRADES}):
        connection.rollback()
        time.sleep(0.5)
    connection.commit()
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": _UPGRADES})
        # The connection goes back to its pool, for work that may wait as long as it takes.
        connection.exec_driver_sql("RESET lock_timeout")
        connection.commit()


@contextmanager
def _without_foreign_keys(connection: Connection) -> Iterator[None]:
    """Copying a table drops the old one, and that would delete what refers to its rows."""
    raw: Any = connection.connection.dbapi_connection
    raw.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        raw.execute("PRAGMA foreign_keys=ON")


# ---------------------------------------------------------------- for migrations


def create_index(name: str, table: str, columns: Sequence[str | sa.TextClause], *, where: str | None = None) -> None:
    """Build an index that nobody waits for; in a migration that does nothing else, since it leaves its transaction.

    May be repeated: a build that was broken off is cleared away first.
    """
    context = op.get_context()
    condition = sa.text(where) if where else None
    if context.dialect.name != "postgresql":
        op.create_index(name, table, list(columns), if_not_exists=True, sqlite_where=condition)
        return
    broken = sa.text("SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(:name) AND NOT indisvalid")
    with context.autocommit_block():
        if op.get_bind().scalar(broken, {"name": name}):
            op.drop_index(name, table, postgresql_concurrently=True)
        op.create_index(
            name, table, list(columns), if_not_exists=True, postgresql_where=condition, postgresql_concurrently=True
        )


def drop_index(name: str, table: str) -> None:
    """Take an index away without waiting for its table; in a migration of its own, like `create_index`."""
    context = op.get_context()
    if context.dialect.name != "postgresql":
        op.drop_index(name, table, if_exists=True)
        return
    with context.autocommit_block():
        op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)


def in_batches(table: str, assignments: str, where: str = "true", size: int = BATCH) -> int:
    """Change the rows of a table with a key ``id``, so many at a time; returns how many were changed.

    Each batch is a transaction of its own on PostgreSQL; in a migration that does nothing else.
    """
    statement = sa.text(f"UPDATE {table} SET {assignments} WHERE id > :after AND id <= :last AND ({where})")  # noqa: S608
    context = op.get_context()
    if context.dialect.name != "postgresql":
        return _update(op.get_bind(), statement, table, size)
    with context.autocommit_block():
        return _update(op.get_bind(), statement, table, size)


def _update(connection: Connection, statement: sa.TextClause, table: str, size: int) -> int:
    changed, after = 0, 0
    newest = connection.scalar(sa.text(f"SELECT max(id) FROM {table}")) or 0  # noqa: S608  # table names are ours
    while after < newest:
        changed += connection.execute(statement, {"after": after, "last": after + size}).rowcount
        after += size
    return changed
