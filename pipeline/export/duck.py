"""The archive in DuckDB: its views over Parquet exports, by DuckDB's own connection, or copied in as Arrow batches."""

import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from pipeline.errors import ConfigError
from pipeline.extras import load
from pipeline.store.readonly import BLANK, FETCHED, only_reading
from pipeline.tables import UtcDateTime
from pipeline.views import VIEWS, View

_EXTENSIONS: Final = {"sqlite": "sqlite", "postgresql": "postgres"}
_ASKING: Final = frozenset({"SELECT", "RELATION"})
"""Kinds of statements that read only, as DuckDB's parser names them."""

_EXPLAIN: Final = re.compile(
    rf"{BLANK.pattern}explain{BLANK.pattern}(?:\([^)]*\)|(?:analyze|verbose)\b)?", re.IGNORECASE | re.DOTALL
)


@contextmanager
def exports(path: Path) -> Iterator[Any]:
    """A DuckDB connection whose view v_article is what Parquet exports hold, all increments put together.

    Raises:
        ConfigError: DuckDB is not installed, or there is no Parquet file.
    """
    duckdb = load("duckdb", "export")
    files = [path] if path.is_file() else sorted(path.rglob("[!.]*.parquet"))
    if not files:
        raise ConfigError(f"{path} holds no Parquet files; news export parquet writes some")
    with closing(duckdb.connect()) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        listed = ", ".join("'" + str(file).replace("'", "''") + "'" for file in files)
        connection.execute(  # the names of files are quoted
            "CREATE VIEW v_article AS SELECT * EXCLUDE (deleted, cursor)"  # noqa: S608
            f" FROM read_parquet([{listed}], union_by_name = true, hive_partitioning = false)"
            " QUALIFY row_number() OVER (PARTITION BY article_id ORDER BY cursor DESC NULLS LAST) = 1 AND NOT deleted"
        )
        yield connection


@contextmanager
def attached(engine: Engine, statement: str) -> Iterator[Any]:
    """A DuckDB connection that has those views of the archive that the statement names.

    Where DuckDB's extension for the database is installed, it reads the database itself. Else the views are copied
    in, batch by batch: that takes time and memory as they are long.

    Raises:
        ConfigError: DuckDB is not installed.
    """
    duckdb = load("duckdb", "export")
    with closing(duckdb.connect()) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        named = [view for view in VIEWS if re.search(rf"\b{view.name}\b", statement)]
        with only_reading(engine) as source:
            if not _attach(duckdb, connection, engine):
                for view in named:
                    _copy(connection, source, view)
            yield connection


def ask(connection: Any, statement: str) -> Any:  # noqa: ANN401  # of duckdb, which need not be there
    """The answer of one statement that reads: has ``description`` and ``fetchmany``.

    Raises:
        ConfigError: it is not one, would write, or is no SQL.
    """
    duckdb = load("duckdb", "export")
    try:
        statements = connection.extract_statements(statement)
        kinds = [found.type.name for found in statements]
        if kinds == ["EXPLAIN"]:  # what it explains, ANALYZE runs: COPY … TO a file, too
            kinds = [found.type.name for found in connection.extract_statements(_EXPLAIN.sub("", statement))]
        if len(kinds) != 1 or kinds[0] not in _ASKING:
            raise ConfigError("only one statement that asks is run: SELECT, WITH …")
        return connection.execute(statements[0])
    except duckdb.Error as error:
        raise ConfigError(f"DuckDB: {error}") from error


def _attach(duckdb: Any, connection: Any, engine: Engine) -> bool:  # noqa: ANN401
    """Whether DuckDB could open the database by an extension that is installed; none is downloaded."""
    extension = _EXTENSIONS[engine.dialect.name]
    try:
        connection.execute("SET autoinstall_known_extensions = false")
        connection.execute(f"LOAD {extension}")
    except duckdb.Error:
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
    arrow = load("pyarrow", "export")
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
        arrow.array([_plain(value) for value in column], field.type)
        for column, field in zip(zip(*rows, strict=True), schema, strict=True)
    ]
    return arrow.record_batch(arrays, schema=schema)


def _plain(value: object) -> object:
    return str(value) if isinstance(value, list | dict) else value


def _arrow_type(arrow: Any, kind: sa.types.TypeEngine[Any]) -> Any:  # noqa: ANN401
    if isinstance(kind, UtcDateTime):
        return arrow.timestamp("us", tz="UTC")
    types = {int: arrow.int64(), float: arrow.float64(), bool: arrow.bool_(), date: arrow.date32()}
    return types.get(kind.python_type, arrow.string())
