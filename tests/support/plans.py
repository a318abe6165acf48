"""Which tables a statement would read from one end to the other, as the database itself plans it."""

import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy.engine import Engine

from pipeline.store.connection.engine import reading
from pipeline.store.schema.tables import Table
from pipeline.store.schema.views import VIEWS

_WHOLE = re.compile(
    # A virtual table is scanned where it is given nothing to look up: json_each always is.
    r"SCAN (\w+)(?: USING (?:COVERING )?INDEX \w+| VIRTUAL TABLE INDEX 0:)?(?: LEFT-JOIN)?"
    # An index that is made for this one statement is made of all rows.
    r"|SEARCH (\w+) USING AUTOMATIC (?:PARTIAL )?(?:COVERING )?INDEX .*"
)
"""A step of a plan of SQLite that reads a whole table or index."""

_NAMED = re.compile(rf"\b({'|'.join(Table.metadata.tables)}|article_search) AS ([a-z]\w*)")


def scanned_tables(engine: Engine, statement: str) -> set[str]:
    """The tables of which all rows, or all of an index, would be read; none where an index leads to what is wanted."""
    with reading(engine) as connection:
        if engine.dialect.name == "postgresql":
            (plan,) = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement.replace('%', '%%')}").scalar_one()
            return set(_scans(plan["Plan"], is_first_only=False))
        steps = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}")]
    text = "\n".join([statement, *(view.query("sqlite") for view in VIEWS if view.name in statement)])
    found: set[str] = set()
    for step in steps:
        if scan := _WHOLE.fullmatch(step):
            name = scan[1] or scan[2]
            found |= {table for table, alias in _NAMED.findall(text) if alias == name}
            found |= {name} & {*Table.metadata.tables}
    return found


def _scans(node: dict[str, Any], *, is_first_only: bool) -> Iterator[str]:
    """Scans of a plan of PostgreSQL; an index that is read in its order up to a limit is none."""
    kind = node["Node Type"]
    is_whole = kind == "Seq Scan" or (kind in {"Index Scan", "Index Only Scan"} and "Index Cond" not in node)
    if is_whole and not (is_first_only and kind != "Seq Scan" and "Filter" not in node):
        yield node["Relation Name"]
    if kind == "Bitmap Heap Scan" and any("Index Cond" not in part for part in _bitmaps(node)):
        yield node["Relation Name"]
    for part in node.get("Plans", ()):
        yield from _scans(part, is_first_only=kind == "Limit")


def _bitmaps(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for part in node.get("Plans", ()):
        if part["Node Type"] == "Bitmap Index Scan":
            yield part
        yield from _bitmaps(part)
