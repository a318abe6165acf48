"""What all parts of the store share: upserts of both dialects, and text that every database takes."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any, TypeVar, TypeVarTuple, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.orm import InstrumentedAttribute

from pipeline.store.schema.tables import HostRow, Table, UtcDateTime

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

BATCH = 500
"""Rows for one statement: SQLite before 3.32 takes 999 parameters, and ours have a handful each."""

# PostgreSQL refuses NUL in text, and neither database takes half of a surrogate pair; both stand in real feeds.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(value: T) -> T:
    """The value with characters taken out that no database stores; nested lists and dicts too."""
    if isinstance(value, str):
        if value.isascii():  # most are, and this is known of a string without looking at it
            return value.replace("\0", "") if "\0" in value else value  # type: ignore[return-value]
        try:
            value.encode()  # ten times as fast as to search it
        except UnicodeEncodeError:
            return _UNSTORABLE.sub("", value)  # type: ignore[return-value]
        return value.replace("\0", "")  # type: ignore[return-value]
    if isinstance(value, (list, tuple)):
        return [storable(part) for part in value]  # type: ignore[return-value]
    if isinstance(value, dict):
        return {key: storable(part) for key, part in value.items()}  # type: ignore[return-value]
    return value


def batches(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """The rows in runs that fit into one statement."""
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]


def select_among(
    connection: Connection, query: sa.Select[*Ts], column: InstrumentedAttribute[Any], values: Iterable[Any]
) -> Iterator[sa.Row[*Ts]]:
    """The rows of a query for which a column has one of these values, however many they are."""
    for batch in batches(sorted(set(values))):
        yield from connection.execute(query.where(column.in_(batch)))


def core(table: type[Table]) -> sa.Table:
    """The table without the class: what is written through the class takes the ORM's way through SQLAlchemy."""
    return cast("sa.Table", table.__table__)


def upsert(connection: Connection, table: type[Table]) -> Any:  # noqa: ANN401  # either dialect's Insert
    """An INSERT that knows ON CONFLICT, in the dialect of this connection."""
    return insert_into(connection.dialect.name, table)


def insert_into(dialect: str, table: type[Table]) -> Any:  # noqa: ANN401  # either dialect's Insert
    """The same by the name of the dialect, for statements that are made once.

    Making a statement takes SQLAlchemy longer than most take to run.
    """
    return (postgresql if dialect == "postgresql" else sqlite).insert(core(table))


def among(
    dialect: str, column: sa.ColumnElement[Any] | InstrumentedAttribute[Any], name: str
) -> sa.ColumnElement[bool]:
    """Whether a column has one of the numbers that the parameter of this name lists; there may be thousands."""
    if dialect == "postgresql":
        return column == sa.any_(sa.bindparam(name, type_=postgresql.ARRAY(sa.BigInteger)))
    listed = sa.func.json_each(sa.bindparam(name, type_=sa.JSON)).table_valued("value")
    return column.in_(sa.select(listed.c.value))


def insert_plain(dialect: str, table: type[Table], names: Sequence[str]) -> Any:  # noqa: ANN401  # either's Insert
    """An INSERT of these columns, to be run by `execute_plain`."""
    insert = insert_into(dialect, table)
    if dialect != "postgresql":
        return insert.values({name: sa.bindparam(name) for name in names})
    columns = [sa.column(name, core(table).c[name].type) for name in names]
    listed = sa.func.json_to_recordset(sa.cast(sa.bindparam("rows", type_=sa.Text), postgresql.JSON))
    derived = listed.table_valued(*columns).render_derived(name="r", with_types=True)
    return insert.from_select(list(names), sa.select(*(derived.c[name] for name in names)))


def execute_plain(connection: Connection, statement: sa.Insert, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert thousands of rows of numbers, texts and times by an `insert_plain`.

    Not row by row: SQLAlchemy's types take three times as long for such rows as SQLite does, and PostgreSQL takes twice
    as long for each as for its part of a list.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(statement, {"rows": json.dumps(rows, default=datetime.isoformat)})
        return
    text, values, times = _compiled(statement)
    plain = [list(values(row)) for row in rows]
    for row in plain:
        for index in times:
            row[index] = _plain(row[index])
    connection.exec_driver_sql(text, [tuple(row) for row in plain])


@cache
def _compiled(statement: sa.Insert) -> tuple[str, Callable[[Mapping[str, Any]], tuple[Any, ...]], list[int]]:
    """The statement for SQLite, what takes its values out of a row, and the places of times among them."""
    compiled: Any = statement.compile(dialect=sqlite.dialect())
    names = compiled.positiontup
    times = [index for index, name in enumerate(names) if isinstance(compiled.binds[name].type, UtcDateTime)]
    return compiled.string, itemgetter(*names), times


@lru_cache(maxsize=64)
def _plain(moment: datetime | None) -> str | None:
    """A time as `pipeline.store.schema.tables.UtcDateTime` stores it on SQLite."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}" if moment else None


@cache
def _ensure_host(dialect: str) -> Any:  # noqa: ANN401  # either dialect's Insert
    return insert_into(dialect, HostRow).on_conflict_do_nothing()


def ensure_hosts(connection: Connection, names: Iterable[str], now: datetime) -> None:
    """Make the rows of hosts that are not known yet.

    In order of their names, as all inserts here are: two workers that insert the same rows in another order
    would lock each other out.
    """
    rows = [{"name": storable(name), "next_fetch_at": now, "delay": 0.0, "failures": 0} for name in sorted(set(names))]
    if rows:
        connection.execute(_ensure_host(connection.dialect.name), rows)
