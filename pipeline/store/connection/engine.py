"""Connections and transactions, the same on SQLite and PostgreSQL."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from pipeline.config import masked_url
from pipeline.errors import ConfigError

BUSY_TIMEOUT_MS = 60_000
"""How long SQLite waits for another process's write; ours are some milliseconds long."""

MAX_TRIES = 5
"""Of one transaction that lost a deadlock or a serialisation conflict: the next try nearly always succeeds."""

# SQLSTATE of what PostgreSQL asks to be tried again: serialization_failure, deadlock_detected.
_TRY_AGAIN = frozenset({"40001", "40P01"})

_READ_ONLY = "news_read_only"

P = ParamSpec("P")
T = TypeVar("T")


def open_engine(url: str) -> Engine:
    """An engine for the archive at this SQLAlchemy URL.

    Raises:
        ConfigError: the URL cannot be used.
    """
    try:
        parsed = sa.make_url(url)
        backend = parsed.get_backend_name()
        if backend == "postgresql" and parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        if backend not in {"sqlite", "postgresql"}:
            raise ConfigError(f"NEWS_DATABASE_URL: {backend} is not supported; use sqlite:/// or postgresql+psycopg://")
        if backend == "sqlite" and parsed.database in {None, "", ":memory:"}:
            raise ConfigError("NEWS_DATABASE_URL: SQLite needs a file, such as sqlite:///news.db: workers share it")
        if backend == "sqlite" and parsed.database:
            Path(parsed.database).expanduser().parent.mkdir(parents=True, exist_ok=True)
        # Errors are logged and shown, and among the parameters of statements are passwords of feeds.
        engine = sa.create_engine(parsed, pool_pre_ping=backend == "postgresql", hide_parameters=True)
    except (ArgumentError, NoSuchModuleError, OSError) as error:
        raise ConfigError(f"NEWS_DATABASE_URL={masked_url(url)!r} cannot be used: {error}") from error
    if backend == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401  # sqlite3.Connection
    # The driver must not open transactions by itself: _begin_sqlite says which kind.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    # In WAL mode NORMAL loses no committed transaction when a process dies, only, perhaps, when the power fails;
    # what is lost then is fetched again.
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that turns into a writer can fail at once with "database is locked"; an immediate
    # one waits for its turn.
    reading = connection.get_execution_options().get(_READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads, and so never waits for a writer."""
    with engine.connect().execution_options(**{_READ_ONLY: True}) as connection, connection.begin():
        yield connection


def write(engine: Engine, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call the function in a transaction of its own; again when the database asks for it after a conflict."""
    for left in reversed(range(MAX_TRIES)):
        try:
            with engine.begin() as connection:
                return function(connection, *args, **kwargs)
        except DBAPIError as error:
            if not left or getattr(error.orig, "sqlstate", None) not in _TRY_AGAIN:
                raise
    raise AssertionError("unreachable")
