"""What a view is: columns with their expressions, and the text that makes it in each of the two dialects."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from pipeline.tables import Table
from pipeline.views.pieces import PIECES


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
