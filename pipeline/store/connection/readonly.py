"""Connections that cannot write, whatever statement they are given: for questions that others have written."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

from sqlalchemy.engine import Connection, CursorResult, Engine
from sqlalchemy.exc import DBAPIError

from pipeline.errors import ConfigError
from pipeline.store.connection.sqlite_readers import reader_of

FETCHED: Final = 500
"""Rows that are fetched at once."""

_ASKING: Final = ("select", "with", "values", "table", "explain", "show", "pragma")
"""First words of statements that ask. What they name can still not be written: that is the database's to see to."""

BLANK: Final = re.compile(r"(?:\s+|--[^\n]*(?:\n|$)|/\*.*?\*/)*+", re.DOTALL)
"""White space and comments."""

_LEADING: Final = re.compile(rf"(?:{BLANK.pattern}\()*{BLANK.pattern}", re.DOTALL)

_STEPS: Final = 10_000
"""Of SQLite's machine between two looks at the clock: about a millisecond."""


@contextmanager
def only_reading(engine: Engine, timeout: timedelta | None = None) -> Iterator[Connection]:
    """A transaction on the engine's database in which nothing can be written, and that ends after ``timeout``.

    PostgreSQL refuses by the transaction's mode; SQLite opens the file for reading only, and may not attach others.

    Raises ConfigError: the time is over.
    """
    reading = _reading_sqlite if engine.dialect.name == "sqlite" else _reading_postgresql
    try:
        with reading(engine, timeout) as connection:
            yield connection
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == _CANCELED or str(error.orig) == "interrupted":
            raise ConfigError(explain_timeout(timeout)) from error
        raise


_CANCELED: Final = "57014"
"""SQLSTATE query_canceled."""


def explain_timeout(timeout: timedelta | None) -> str:
    """What is said of a statement whose time is over."""
    seconds = f" after {timeout.total_seconds():g} seconds" if timeout else ""
    return f"the statement was stopped{seconds}: narrow it down, or give it more time with --timeout"


@contextmanager
def _reading_sqlite(engine: Engine, timeout: timedelta | None) -> Iterator[Connection]:
    with reader_of(engine).connect() as connection:
        raw: Any = connection.connection.dbapi_connection
        if timeout:
            end = time.monotonic() + timeout.total_seconds()
            raw.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
        # One moment of the archive for all that is asked, as in any transaction that reads.
        connection.exec_driver_sql("BEGIN")
        yield connection


@contextmanager
def _reading_postgresql(engine: Engine, timeout: timedelta | None) -> Iterator[Connection]:
    with engine.connect() as connection, connection.begin():
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        if timeout:
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {timeout // timedelta(milliseconds=1)}")
        yield connection


def run_readonly_query(connection: Connection, statement: str) -> CursorResult[Any]:
    """The answer of one statement, to be read row by row in flat memory; the connection is of `only_reading`.

    Raises ConfigError: the statement is none that asks.
    """
    word = re.match(r"\w*", statement[_LEADING.match(statement).end() :])  # type: ignore[union-attr]  # matches ""
    first = word.group().lower() if word else ""
    if first not in _ASKING or (first == "pragma" and connection.dialect.name != "sqlite"):
        raise ConfigError(f"{first.upper() or 'nothing'}: only one statement that asks is run: SELECT, WITH …")
    options: dict[str, Any] = {"no_parameters": True}
    if first in {"select", "with", "values", "table"}:
        # A cursor of PostgreSQL's server is declared for one query; what else the text may hold is refused.
        options |= {"stream_results": True, "yield_per": FETCHED}
    elif connection.dialect.name == "postgresql" and ";" in statement.rstrip().rstrip(";"):
        # These have no cursor, and the driver would send several statements as one.
        raise ConfigError("only one statement can be run")
    return connection.exec_driver_sql(statement.rstrip().rstrip(";"), execution_options=options)
