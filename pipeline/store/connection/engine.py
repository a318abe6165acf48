"""Opening the archive, its connections and transactions, the same on SQLite and PostgreSQL."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError

from pipeline.config import Settings, masked_url
from pipeline.errors import ConfigError
from pipeline.store.migrations.upgrade import require_current
from pipeline.store.schema.fulltext import sqlite_facets
from pipeline.text.search_form import search_form

BUSY_TIMEOUT_MS = 60_000
"""How long SQLite waits for another process's write; ours are some milliseconds long."""

MAX_TRIES = 5
"""Of one transaction that lost a deadlock or a serialisation conflict: the next try nearly always succeeds."""

# SQLSTATE of what PostgreSQL asks to be tried again: serialization_failure, deadlock_detected.
_TRY_AGAIN = frozenset({"40001", "40P01"})

# SQLSTATE of a server that ends, or is not ready: admin_shutdown, crash_shutdown, cannot_connect_now.
_GONE_AWAY = frozenset({"57P01", "57P02", "57P03"})

RECONNECT_PAUSES = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds before each further try after a connection was lost, as long as the engine's patience lasts."""

PATIENCE = timedelta(seconds=30)
"""For so long a connection is tried again where no settings say otherwise: a server restarts in that time."""

_READ_ONLY = "news_read_only"
_PATIENCE = "news_patience"
_TELL_LOSS = "news_tell_loss"

P = ParamSpec("P")
T = TypeVar("T")


CONNECT_SECONDS = 20
"""Longest wait for a connection to each address of a server: one that is off answers nothing, and the driver's own
limit is beyond what a service's watchdog waits for."""


def open_engine(url: str, patience: timedelta = PATIENCE) -> Engine:
    """An engine for the archive at this SQLAlchemy URL.

    For as long as ``patience`` `read` and `write` try again after a connection was lost.

    Raises ConfigError: the URL cannot be used.
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
        if backend == "postgresql" and "connect_timeout" not in parsed.query:
            parsed = parsed.update_query_dict({"connect_timeout": str(CONNECT_SECONDS)})
        # Errors are logged and shown, and among the parameters of statements are passwords of feeds.
        engine = sa.create_engine(
            parsed,
            pool_pre_ping=backend == "postgresql",
            hide_parameters=True,
            execution_options={_PATIENCE: patience.total_seconds()},
        )
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
    # What the triggers of the full-text index call.
    connection.create_function("news_search_text", 1, search_form, deterministic=True)
    connection.create_function("news_search_facets", 4, sqlite_facets, deterministic=True)


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


def read(engine: Engine, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call the function in a transaction that only reads; again on another connection where one was lost."""

    def call() -> T:
        with reading(engine) as connection:
            return function(connection, *args, **kwargs)

    return _try_again(engine, call)


def write(engine: Engine, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call the function in a transaction of its own; again when the database asks for it, or went away meanwhile.

    A connection that is lost while a transaction is committed leaves open whether it was: the function may be called
    once more than it took effect. Ours bear that: what they store is found again by its URL or its digest, and a claim
    that is made twice is the same worker's.
    """

    def call() -> T:
        with engine.begin() as connection:
            return function(connection, *args, **kwargs)

    return _try_again(engine, call)


def tell_losses(engine: Engine, tell: Callable[[], None]) -> None:
    """Have somebody told each time that `read` or `write` has lost a connection and tries again, in their thread."""
    engine.update_execution_options(**{_TELL_LOSS: tell})


def _try_again(engine: Engine, call: Callable[[], T]) -> T:
    options = engine.get_execution_options()
    patience, tell = options.get(_PATIENCE, PATIENCE.total_seconds()), options.get(_TELL_LOSS)
    conflicts = losses = 0
    began = time.monotonic()
    while True:
        try:
            return call()
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) in _TRY_AGAIN and conflicts < MAX_TRIES - 1:
                conflicts += 1
            elif is_lost(error) and (left := began + patience - time.monotonic()) > 0:  # silence takes 20 s a try
                if tell is not None:
                    tell()
                time.sleep(min(RECONNECT_PAUSES[min(losses, len(RECONNECT_PAUSES) - 1)], left))
                losses += 1
            else:
                raise


def is_lost(error: DBAPIError) -> bool:
    """Whether a connection to PostgreSQL was cut, or could not be made while its server restarts."""
    state = getattr(error.orig, "sqlstate", None) or ""
    is_refused = isinstance(error, OperationalError) and not state and type(error.orig).__module__.startswith("psycopg")
    return error.connection_invalidated or state in _GONE_AWAY or state.startswith("08") or is_refused


def without_patience(engine: Engine) -> Engine:
    """The same engine, with which `read` and `write` raise at once where a connection was lost."""
    return engine.execution_options(**{_PATIENCE: 0.0})


@contextmanager
def open_archive(settings: Settings, *, check_schema: bool = True) -> Iterator[Engine]:
    """The engine of the archive's database; its connections are closed at the end of the block.

    The schema must be that of this version, unless ``check_schema`` is off: for the commands that bring it there,
    and where the caller has just checked.

    Raises:
        ConfigError: the database cannot be used, is not there, or not at the schema of this version.
    """
    engine = open_engine(settings.database_url, settings.database_patience)
    try:
        if check_schema:
            require_current(engine)
        yield engine
    finally:
        engine.dispose()
