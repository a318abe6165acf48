"""What a view is: columns with their expressions, and the text that makes it in each of the two dialects."""

import re
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from pipeline.store.schema.tables import Table
from pipeline.store.schema.views.dialect_pieces import PIECES


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a view, with the type in which SQLAlchemy reads it on both databases."""

    name: str
    expression: str
    type: sa.types.TypeEngine[Any]
    comment: str

    def typed(self, dialect: str) -> str:
        """Its expression, with its type where SQLite would know none: ``story_id = '4'`` finds nothing then."""
        if dialect != "sqlite" or _COLUMN.fullmatch(self.expression) or self.expression.startswith("CAST("):
            return self.expression
        # Times and days are text there: as what their names say SQLite would make numbers of them.
        kind = _AFFINITIES.get(getattr(self.type, "python_type", str), "text")
        return f"CAST({self.expression} AS {kind})"


_AFFINITIES = {int: "integer", float: "real", bool: "integer"}
_COLUMN = re.compile(r"(?!d\.)[a-z]\.[a-z_]+")
"""A column of a table, which has its type; ``d`` is a query within."""


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
        columns = ",\n  ".join(f"{column.typed(dialect)} AS {column.name}" for column in self.columns)
        return f"SELECT\n  {columns}\n{self.source}".format_map(PIECES[dialect])

    @property
    def table(self) -> sa.TableClause:
        """The view for SQLAlchemy, its columns typed: times are read as times on SQLite too."""
        return sa.table(self.name, *(sa.column(column.name, column.type) for column in self.columns))


@dataclass(frozen=True, slots=True)
class ViewSource:
    """A table under its alias in a view's query, to take columns from with their types and comments."""

    alias: str
    row: type[Table]

    def __call__(self, name: str, shown_as: str | None = None, comment: str | None = None) -> Column:
        """The column of this name, under another one where given."""
        column = self.row.__table__.columns[name]
        comment_shown = comment or column.comment
        if comment_shown is None:
            raise ValueError(f"{self.row.__tablename__}.{name} has no comment to take over")
        return Column(shown_as or name, f"{self.alias}.{name}", column.type, comment_shown)

    def columns(self, *names: str) -> tuple[Column, ...]:
        """Several columns under their own names."""
        return tuple(self(name) for name in names)
