"""What a view is: columns with their expressions, and the text that makes it in each of the two dialects.

Expressions are written once. Where the dialects differ they name a piece in braces, such as ``{authors}``, that
`PIECES` spells out for each.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from pipeline.tables import Table

PIECES: Mapping[str, Mapping[str, str]] = {
    "postgresql": {
        "authors": "(SELECT string_agg(n.value, '; ' ORDER BY n.place)"
        " FROM jsonb_array_elements_text(a.authors) WITH ORDINALITY AS n(value, place))",
        "tags": "(SELECT string_agg(n.value, '; ' ORDER BY n.place)"
        " FROM jsonb_array_elements_text(a.tags) WITH ORDINALITY AS n(value, place))",
        # Only transactions below every one that still runs: later ones may yet commit before those.
        "settled": "\nWHERE c.cursor <"
        " (SELECT lpad((pg_snapshot_xmin(pg_current_snapshot())::text::bigint + k.shift)::text, 14, '0')"
        " FROM change_clock AS k)",
    },
    "sqlite": {
        # json_each gives the elements in their order, and group_concat takes them as they come.
        "authors": "(SELECT group_concat(n.value, '; ') FROM json_each(a.authors) AS n)",
        "tags": "(SELECT group_concat(n.value, '; ') FROM json_each(a.tags) AS n)",
        # One writer at a time: the order of numbers is that of commits.
        "settled": "",
    },
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a view, with the type in which SQLAlchemy reads it on both databases."""

    name: str
    expression: str
    type: sa.types.TypeEngine[Any]
    comment: str


@dataclass(frozen=True, slots=True)
class View:
    """A view of the contract.

    Attributes:
        comment: one row for each what, and what it is for.
        source: the query from FROM on.
    """

    name: str
    comment: str
    columns: tuple[Column, ...]
    source: str

    def query(self, dialect: str) -> str:
        """The SELECT that the view stands for; dialect is ``sqlite`` or ``postgresql``."""
        columns = ",\n  ".join(f"{column.expression} AS {column.name}" for column in self.columns)
        return f"SELECT\n  {columns}\n{self.source}".format_map(PIECES[dialect])

    @property
    def table(self) -> sa.TableClause:
        """The view for SQLAlchemy, its columns typed: times are read as times on SQLite too."""
        return sa.table(self.name, *(sa.column(column.name, column.type) for column in self.columns))


@dataclass(frozen=True, slots=True)
class Source:
    """A table under its alias in a view's query, to take columns from with their types and comments."""

    alias: str
    row: type[Table]

    def __call__(self, name: str, shown_as: str | None = None, comment: str | None = None) -> Column:
        """The column of this name, under another one where given."""
        column = self.row.__table__.columns[name]
        told = comment or column.comment
        if told is None:
            raise ValueError(f"{self.row.__tablename__}.{name} has no comment to take over")
        return Column(shown_as or name, f"{self.alias}.{name}", column.type, told)

    def columns(self, *names: str) -> tuple[Column, ...]:
        """Several columns under their own names."""
        return tuple(self(name) for name in names)
