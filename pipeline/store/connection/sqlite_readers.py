"""Connections to a SQLite file that can only read, kept open from one question to the next.

To open one takes longer than most questions: SQLite reads the whole schema, and the full-text index sets itself up.
"""

import sqlite3
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote
from weakref import WeakKeyDictionary, WeakSet

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DisconnectionError

from pipeline.store.connection.engine import BUSY_TIMEOUT_MS

_PRAGMAS: Final = frozenset(
    {
        "compile_options",
        "data_version",
        "database_list",
        "foreign_key_list",
        "function_list",
        "index_info",
        "index_list",
        "index_xinfo",
        "page_count",
        "page_size",
        "schema_version",
        "table_info",
        "table_list",
        "table_xinfo",
        "user_version",
    }
)
_ALLOWED: Final = frozenset(
    (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE)
)

MAX_VALUE: Final = 64 * 2**20
"""Bytes of a value that SQLite makes for a question; printf and zeroblob would make a thousand million of them."""

_READERS: Final[WeakKeyDictionary[Engine, Engine]] = WeakKeyDictionary()
_MAKING: Final = threading.Lock()


def reader_of(engine: Engine) -> Engine:
    """An engine on the same file whose connections can only read, and attach no other file; always the same one.

    Nothing that a question may say outlasts its transaction. The connections are closed with those of ``engine``, and
    replaced where the file was, or its schema.
    """
    with _MAKING:
        reader = _READERS.get(engine)
        if reader is None:
            path = str(engine.url.database)
            # As many as there are threads that ask at once.
            reader = sa.create_engine(
                "sqlite://", creator=lambda: _Reading(path), poolclass=sa.QueuePool, max_overflow=-1
            )
            event.listen(reader, "connect", _close_to_writers)
            event.listen(reader, "checkout", _refuse_if_replaced)
            event.listen(reader, "checkin", _forget)
            # Before those that write: the last one to go moves what is in the log beside the file into it.
            event.listen(engine.pool, "close", lambda *_, reader=reader: reader.dispose())
            event.listen(engine, "engine_disposed", lambda *_, reader=reader: reader.dispose())  # has none of its own
            _READERS[engine] = reader
        return reader


class _Reading(sqlite3.Connection):
    """A connection that knows which file it has open, and with which schema it was set up."""

    def __init__(self, path: str) -> None:
        self.path, self.file, self.schema = path, _identify(path), -1
        self.cursors: WeakSet[sqlite3.Cursor] = WeakSet()
        # Who reads the rows may do so in a thread of its own, as DuckDB does: one after the other, never at once.
        super().__init__(
            *(f"file:{quote(path)}?mode=ro", BUSY_TIMEOUT_MS / 1000),
            isolation_level=None,
            check_same_thread=False,
            uri=True,
        )
        self.execute("PRAGMA query_only=ON")

    def cursor(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # as of sqlite3
        """A cursor, which is closed at the latest with the question that it is for."""
        made = super().cursor(*args, **kwargs)
        self.cursors.add(made)
        return made

    def ask_schema(self) -> int:
        """The number of the schema that the file has now."""
        return int(self.execute("PRAGMA schema_version").fetchone()[0])


def _identify(path: str) -> tuple[int, int] | None:
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _close_to_writers(connection: Any, _record: object) -> None:  # noqa: ANN401  # a _Reading
    """Only now: SQLAlchemy asks a new connection for things that others have no business with."""
    # The full-text index sets itself up at its first use, with statements that are refused from here on.
    with suppress(sqlite3.OperationalError):
        connection.execute("SELECT 1 FROM article_search LIMIT 0").close()
    connection.schema = connection.ask_schema()
    connection.set_authorizer(_authorize)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE)


def _refuse_if_replaced(connection: Any, _record: object, _proxy: object) -> None:  # noqa: ANN401  # a _Reading
    """Have the pool open another connection where the file is another one, or has another schema."""
    if (connection.file, connection.schema) != (_identify(connection.path), connection.ask_schema()):
        raise DisconnectionError


def _forget(connection: Any, _record: object) -> None:  # noqa: ANN401  # a _Reading, or None where it is lost
    """Leave nothing of a question: neither its time, nor rows not fetched, which hold on to the moment they are of."""
    if connection is not None:
        connection.set_progress_handler(None, 0)
        for cursor in tuple(connection.cursors):
            cursor.close()


def _authorize(action: int, first: str | None, *_: object) -> int:
    if action in _ALLOWED or (action == sqlite3.SQLITE_TRANSACTION and first in {"BEGIN", "ROLLBACK"}):
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_PRAGMA and str(first).lower() in _PRAGMAS:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY
