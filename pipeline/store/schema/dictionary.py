"""The data dictionary: every view and table with its columns, from the comments that are in the code anyway."""

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from pipeline.store.schema.tables import Table
from pipeline.store.schema.views import VERSION, VIEWS

_HEAD = f"""# Data dictionary

Made by `news db dictionary` from the comments of `pipeline/store/schema/tables/` and
`pipeline/store/schema/views/`; PostgreSQL has
them as comments too. Types are those of PostgreSQL; where SQLite has another one, it follows the stroke.

[Queries](queries.md) shows how views are used. They are the contract, at version {VERSION}; the tables below them may
change with any release.
"""

_DIALECTS: tuple[sa.Dialect, ...] = (postgresql.dialect(), sqlite.dialect())  # type: ignore[no-untyped-call]


def render_dictionary() -> str:
    """The whole page, in Markdown."""
    return "\n".join([_HEAD, "## Views", "", *_views(), "## Tables", "", *_tables()]).rstrip("\n") + "\n"


def _views() -> Iterator[str]:
    for view in VIEWS:
        yield from _heading(view.name, view.comment)
        yield from ("| column | type | what it is |", "| --- | --- | --- |")
        for column in view.columns:
            yield f"| `{column.name}` | {_type(column.type)} | {_cell(column.comment)} |"
        yield ""


def _tables() -> Iterator[str]:
    rows = {mapper.local_table: mapper.class_.__doc__ or "" for mapper in Table.registry.mappers}
    for table in Table.metadata.sorted_tables:
        yield from _heading(table.name, " ".join(rows[table].split("\n\n")[0].split()))
        yield from ("| column | type | null | what it is |", "| --- | --- | --- | --- |")
        for column in table.columns:
            null = "yes" if column.nullable else ""
            yield f"| `{column.name}` | {_type(column.type)} | {null} | {_cell(_told(column))} |"
        yield ""


def _told(column: sa.Column[object]) -> str:
    parts = [column.comment or ("key" if column.primary_key else "")]
    parts += [f"→ `{key.target_fullname}`" for key in column.foreign_keys]
    return " ".join(filter(None, parts))


def _heading(name: str, comment: str) -> Iterator[str]:
    yield from (f"### {name}", "", comment, "")


def _type(kind: sa.types.TypeEngine[object]) -> str:
    """The type in both dialects: ``bigint / integer``."""
    names = [kind.compile(dialect).lower().replace("timestamp with time zone", "timestamptz") for dialect in _DIALECTS]
    return " / ".join(dict.fromkeys(names))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
