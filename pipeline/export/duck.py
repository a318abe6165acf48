"""The archive in DuckDB: its views over Parquet exports, by DuckDB's own connection, or copied in as Arrow batches."""

import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from pipeline.errors import ConfigError
from pipeline.runtime.extras import load_extra
from pipeline.store.connection.readonly import BLANK, FETCHED, explain_timeout, only_reading
from pipeline.store.schema.tables import UtcDateTime
from pipeline.store.schema.views import VIEWS, View

_EXTENSIONS: Final = {"sqlite": "sqlite", "postgresql": "postgres"}
_ASKING: Final = frozenset({"SELECT", "RELATION"})
"""Kinds of statements that read only, as DuckDB's parser names them."""

_EXPLAIN: Final = re.compile(
    rf"{BLANK.pattern}explain{BLANK.pattern}(?:\([^)]*\)|(?:analyze|verbose)\b)?", re.IGNORECASE | re.DOTALL
)

MEMORY: Final = "2GB"
"""Most memory of a question: DuckDB itself would take four fifths of the machine's."""


@contextmanager
def open_exports(path: Path, timeout: timedelta | None = None) -> Iterator[Any]:
    """A DuckDB connection whose view v_article is what Parquet exports hold, all increments put together.

    It can read these files and no other, and stops after ``timeout``.

    Raises ConfigError: DuckDB is not installed, there is no Parquet file, or the time is over.
    """
    files = [path] if path.is_file() else sorted(path.rglob("[!.]*.parquet"))
    if not files:
        raise ConfigError(f"{path} holds no Parquet files; news export parquet writes some")
    listed = ", ".join("'" + str(file.absolute()).replace("'", "''") + "'" for file in files)
    with _connect(timeout) as connection:
        connection.execute(  # the names of files are quoted
            "CREATE VIEW v_article AS SELECT * EXCLUDE (deleted, cursor)"  # noqa: S608
            f" FROM read_parquet([{listed}], union_by_name = true, hive_partitioning = false)"
            " QUALIFY row_number() OVER (PARTITION BY article_id ORDER BY cursor DESC NULLS LAST) = 1 AND NOT deleted"
        )
        _lock(connection, listed)
        yield connection


@contextmanager
def attach_archive(engine: Engine, statement: str, timeout: timedelta | None = None) -> Iterator[Any]:
    """A DuckDB connection that has those views of the archive that the statement names.

    Where DuckDB's extension for the database is installed, it reads the database itself. Else the views are copied
    in, batch by batch: that takes time and memory as they are long. It can read no file, and stops after ``timeout``.

    Raises ConfigError: DuckDB is not installed, or the time is over.
    """
    named = [view for view in VIEWS if re.search(rf"\b{view.name}\b", statement)]
    with _connect(timeout) as connection, only_reading(engine, timeout) as source:
        is_attached = _attach(connection, engine)
        if not is_attached:
            for view in named:
                _copy(connection, source, view)
        # The extension for SQLite opens the file again for each of its threads.
        is_file = is_attached and engine.dialect.name == "sqlite"
        _lock(connection, "'" + str(engine.url.database).replace("'", "''") + "'" if is_file else "")
        yield connection


@contextmanager
def _connect(timeout: timedelta | None) -> Iterator[Any]:
    """A connection that installs and loads nothing by itself, and is interrupted once its time is over."""
    duckdb = load_extra("duckdb", "export")
    settings = {"autoinstall_known_extensions": False, "autoload_known_extensions": False, "memory_limit": MEMORY}
    with closing(duckdb.connect(config=settings)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        is_over = Event()

        def watch(seconds: float) -> None:
            # Again and again: what is interrupted is the statement of that moment, and there may be none.
            while not is_over.wait(seconds):
                connection.interrupt()
                seconds = 0.2

        watcher = Thread(target=watch, args=(timeout.total_seconds(),), daemon=True) if timeout else None
        try:
            if watcher:
                watcher.start()
            yield connection
        except duckdb.InterruptException as error:
            raise ConfigError(explain_timeout(timeout)) from error
        except duckdb.Error as error:  # of a row of the answer
            raise ConfigError(f"DuckDB: {error}") from error
        finally:
            is_over.set()
            if watcher:
                watcher.join()


def _lock(connection: Any, listed: str) -> None:  # noqa: ANN401
    """From here on only these files can be read, nothing be written, loaded or set."""
    settings = ("python_enable_replacements = false", "enable_external_access = false", "lock_configuration = true")
    for setting in (f"allowed_paths = [{listed}]", "temp_directory = ''", *settings):
        connection.execute(f"SET {setting}")


def query_duckdb(connection: Any, statement: str) -> Any:  # noqa: ANN401  # of duckdb, which need not be there
    """The answer of one statement that reads: has ``description`` and ``fetchmany``.

    Raises ConfigError: it is not one, would write, or is no SQL.
    """
    duckdb = load_extra("duckdb", "export")
    try:
        statements = connection.extract_statements(statement)
        kinds = [parsed.type.name for parsed in statements]
        if kinds == ["EXPLAIN"]:  # what it explains, ANALYZE runs: COPY … TO a file, too
            kinds = [parsed.type.name for parsed in connection.extract_statements(_EXPLAIN.sub("", statement))]
        if len(kinds) != 1 or kinds[0] not in _ASKING:
            raise ConfigError("only one statement that asks is run: SELECT, WITH …")
        return connection.execute(statements[0])
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        raise ConfigError(f"DuckDB: {error}") from error


def _attach(connection: Any, engine: Engine) -> bool:  # noqa: ANN401
    """Whether DuckDB could open the database by an extension that is installed; none is downloaded."""
    extension = _EXTENSIONS[engine.dialect.name]
    try:
        connection.execute(f"LOAD {extension}")
    except load_extra("duckdb", "export").Error:
        return False
    url = engine.url
    where = str(url.database) if extension == "sqlite" else _conninfo(url)
    connection.execute(f"ATTACH '{where.replace(chr(39), chr(39) * 2)}' AS news (TYPE {extension}, READ_ONLY)")
    connection.execute("USE news")
    return True


def _conninfo(url: sa.URL) -> str:
    host = url.query.get("host", url.host)
    parts = {"host": host, "port": url.port, "user": url.username, "password": url.password, "dbname": url.database}
    return " ".join(f"{name}={value}" for name, value in parts.items() if value)


def _copy(connection: Any, source: Connection, view: View) -> None:  # noqa: ANN401
    arrow = load_extra("pyarrow", "export")
    schema = arrow.schema([arrow.field(column.name, _arrow_type(arrow, column.type)) for column in view.columns])

    def batches() -> Iterator[Any]:
        rows = source.execute(sa.select(view.table), execution_options={"stream_results": True, "yield_per": FETCHED})
        for part in rows.partitions():
            yield _batch(arrow, schema, part)

    # DuckDB reads the stream to its end here, and finds it by the name of this variable.
    stream = arrow.RecordBatchReader.from_batches(schema, batches())
    connection.register("copied", stream)
    connection.execute(f"CREATE TABLE {view.name} AS SELECT * FROM copied")  # noqa: S608  # a view of ours
    connection.unregister("copied")


def _batch(arrow: Any, schema: Any, rows: Sequence[Sequence[Any]]) -> Any:  # noqa: ANN401
    arrays = [
        arrow.array([str(value) if isinstance(value, list | dict) else value for value in column], field.type)
        for column, field in zip(zip(*rows, strict=True), schema, strict=True)
    ]
    return arrow.record_batch(arrays, schema=schema)


def _arrow_type(arrow: Any, kind: sa.types.TypeEngine[Any]) -> Any:  # noqa: ANN401
    if isinstance(kind, UtcDateTime):
        return arrow.timestamp("us", tz="UTC")
    types = {int: arrow.int64(), float: arrow.float64(), bool: arrow.bool_(), date: arrow.date32()}
    return types.get(kind.python_type, arrow.string())
