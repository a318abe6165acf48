"""What all parts of the store share: upserts of both dialects, and text that every database takes."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from pipeline.tables import HostRow, Table

T = TypeVar("T")

BATCH = 500
"""Rows for one statement: SQLite before 3.32 takes 999 parameters, and ours have a handful each."""

# PostgreSQL refuses NUL in text, and neither database takes half of a surrogate pair; both stand in real feeds.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(value: T) -> T:
    """The value with characters taken out that no database stores; nested lists and dicts too."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("", value) if _UNSTORABLE.search(value) else value  # type: ignore[return-value]
    if isinstance(value, list | tuple):
        return [storable(part) for part in value]  # type: ignore[return-value]
    if isinstance(value, dict):
        return {key: storable(part) for key, part in value.items()}  # type: ignore[return-value]
    return value


def batches(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """The rows in runs that fit into one statement."""
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]


def upsert(connection: Connection, table: type[Table]) -> Any:  # noqa: ANN401  # either dialect's Insert
    """An INSERT that knows ON CONFLICT, in the dialect of this connection."""
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)


def ensure_hosts(connection: Connection, names: Iterable[str], now: datetime) -> None:
    """Make the rows of hosts that are not known yet.

    In order of their names, as all inserts here are: two workers that insert the same rows in another order
    would lock each other out.
    """
    rows = [{"name": storable(name), "next_fetch_at": now, "delay": 0.0, "failures": 0} for name in sorted(set(names))]
    for batch in batches(rows):
        connection.execute(upsert(connection, HostRow).values(batch).on_conflict_do_nothing())
