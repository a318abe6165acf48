"""Lists of rows to leaf through: filtered, a page at a time by key, and as SQL that anyone can run.

A page begins after the last row of the one before (by its key), so that the thousandth costs what the first does, and
nothing is counted.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from pipeline.errors import ConfigError
from pipeline.store.connection.rows import storable
from pipeline.store.queries.list_filters import Condition, Rows, kind_of
from pipeline.store.schema.tables import BackfillJobRow, PollRow, SiteBlockRow, SiteRow
from pipeline.store.schema.views import VIEWS

MAX_ROWS: Final = 1000
"""Of one page of a list; programs follow its link to the next."""

_TABLES: Final[Mapping[str, sa.FromClause]] = {view.name: view.table for view in VIEWS} | {
    row.__tablename__: row.__table__ for row in (BackfillJobRow, PollRow, SiteBlockRow, SiteRow)
}
_DIALECTS: Final = {"sqlite": sqlite.dialect, "postgresql": postgresql.dialect}


@dataclass(frozen=True, slots=True)
class ViewList:
    """A list of rows of a view.

    Attributes:
        view: the view of the contract that has them, or the table where there is no view.
        columns: those that are shown.
        key: columns that it is ordered by, which are never null and together name one row.
        filters: what readers may narrow it down by.
        sorts: other keys to order by, by name; a name that begins with - is the same with the greatest first.
        unique: a column that alone names one row, where there is one: the rows of a page are found by it first, and
            looked at whole afterwards, which spares databases to compute what nobody sees.
        keys: what it is ordered by, the greatest first, where a filter is used that makes `key` slow: rows that
            were published long ago would be looked for among all that came since.
        alone: what a filter asks instead where no other is used, in the form in which an index answers it.
    """

    view: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    filters: Mapping[str, Condition] = field(default_factory=dict)
    sorts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    alone: Mapping[str, Condition] = field(default_factory=dict)
    unique: str = ""

    @property
    def table(self) -> Rows:
        """The view for SQLAlchemy."""
        return _TABLES[self.view]

    def order(self, given: Mapping[str, str], sort: str = "") -> tuple[tuple[str, ...], bool]:
        """The key for a name of `sorts`, or else for these filters, and whether the smallest comes first.

        Raises ConfigError: there is no such name.
        """
        name = sort.removeprefix("-")
        if name and name not in self.sorts:
            raise ConfigError(f"sort={sort!r}: there are {', '.join(self.sorts)}")
        if name:
            return self.sorts[name], not sort.startswith("-")
        return next((key for used, key in self.keys.items() if used in given), self.key), False

    def select(self, given: Mapping[str, str], limit: int, after: str = "", sort: str = "") -> sa.Select[Any]:
        """The query for one page.

        Raises ConfigError: a filter has a value that is none, ``after`` is no key, or ``sort`` no order.
        """
        names, ascending = self.order(given, sort)
        key = [self.table.c[name] for name in names]
        query = sa.select(self.table.c[self.unique]) if self.unique else self._whole()
        conditions = {**self.filters, **(self.alone if len(given) == 1 else {})}
        for name, value in given.items():
            try:
                query = query.where(conditions[name](self.table, value))
            except ValueError as error:
                raise ConfigError(f"{name}: {error}") from error
        if after:
            query = query.where(_is_beyond(key, self.read_key(after, names), ascending=ascending))
        order = [column if ascending else column.desc() for column in key]
        page = query.order_by(*order).limit(limit)
        if not self.unique:
            return page
        shown = page.subquery("shown")
        return self._whole().join(shown, shown.c[self.unique] == self.table.c[self.unique]).order_by(*order)

    def _whole(self) -> sa.Select[Any]:
        return sa.select(*(self.table.c[name] for name in self.columns)).select_from(self.table)

    def read_key(self, text: str, names: Sequence[str]) -> list[Any]:
        """The values of these columns that ``after`` has. Raises ConfigError: it is no place of this list."""
        try:
            values = json.loads(text)
            kinds = [kind_of(self.table.c[name]) for name in names]
            return [_read_value(kind, value) for kind, value in zip(kinds, values, strict=True)]
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise ConfigError(f"after={text!r} is no place of this list") from error


def _is_beyond(key: Sequence[Any], values: Sequence[Any], *, ascending: bool) -> sa.ColumnElement[bool]:
    bound = [sa.literal(value, column.type) for column, value in zip(key, values, strict=True)]
    left: Any = sa.tuple_(*key) if len(key) > 1 else key[0]
    right: Any = sa.tuple_(*bound) if len(key) > 1 else bound[0]
    return sa.and_(left > right if ascending else left < right)


def _read_value(kind: type, value: Any) -> Any:  # noqa: ANN401  # of any column
    if kind is datetime:
        return datetime.fromisoformat(value).astimezone(UTC)
    if kind is int and not -(2**63) <= int(value) < 2**63:
        raise ValueError("no number that a row could have")
    if isinstance(value, str) and storable(value) != value:
        raise ValueError("no text that a row could have")
    return date.fromisoformat(value) if kind is date else kind(value)


@dataclass(frozen=True, slots=True)
class ListedRows:
    """One page of a list; ``next`` is what begins the page after it, None where this is the last."""

    names: tuple[str, ...]
    rows: Sequence[dict[str, Any]]
    next: str | None


def load_rows(
    connection: Connection,
    view_list: ViewList,
    given: Mapping[str, str],
    limit: int = 50,
    after: str = "",
    sort: str = "",
) -> ListedRows:
    """One page of a list.

    Raises ConfigError: as `ViewList.select` does.
    """
    limit = min(max(limit, 1), MAX_ROWS)
    mappings = connection.execute(view_list.select(given, limit + 1, after, sort)).mappings().all()
    rows = [dict(row) for row in mappings[:limit]]
    if len(mappings) <= limit:
        return ListedRows(view_list.columns, rows, None)
    names, _ = view_list.order(given, sort)
    return ListedRows(view_list.columns, rows, json.dumps([rows[-1][name] for name in names], default=str))


def write_sql(statement: sa.Select[Any], dialect: str) -> str:
    """The statement as text for the database's own shell or `news sql`, its values written out."""
    # Not with the driver's style of parameters, which doubles each % of a text.
    made = _DIALECTS[dialect](paramstyle="named")
    text = str(statement.compile(dialect=made, compile_kwargs={"literal_binds": True}))
    return "\n".join(line.rstrip() for line in text.splitlines())
