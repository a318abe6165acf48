"""A copy of the archive to hand on: the views' data in one SQLite file, for Datasette and anything that reads SQLite.

What only the archive's keeper should know stays out: addresses of feeds, which may hold keys, settings of access, where
files lie, and the reasons of failures. Times are declared as such, in UTC, so that pandas, polars, DuckDB and
SQLAlchemy read them as times.
"""

import json
import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from pipeline.errors import ConfigError
from pipeline.store.connection.readonly import FETCHED, only_reading
from pipeline.store.schema.tables import UtcDateTime
from pipeline.store.schema.views import VIEWS, Column, View

PUBLISHED: Final = (
    *("v_article", "v_article_author", "v_article_tag", "v_article_local", "v_article_link", "v_article_picture"),
    *("v_revision", "v_correction"),
    *("v_story", "v_story_article", "v_source_daily", "v_contract"),
)
"""Views that become tables, under their names without ``v_``."""

_TEXTS: Final = frozenset({"text", "captions", "description"})
_INDEXED: Final = (
    "article_id",
    "story_id",
    "site",
    "language",
    "published_at",
    "first_seen_at",
    "author",
    "tag",
    "url",
    "target_url",
    "target_site",
)
_FACETS: Final = {
    "article": ["site", "language", "section", "kind", "access"],
    "article_author": ["author", "site"],
    "article_tag": ["tag", "site"],
    "article_link": ["site", "target_site"],
    "revision": ["site", "changed"],
    "source_daily": ["source"],
}
_DECLARED: Final = ((bool, "BOOLEAN"), (int, "INTEGER"), (float, "REAL"), (datetime, "TIMESTAMP"), (date, "DATE"))


@dataclass(frozen=True, slots=True)
class Publication:
    """What was written: the files, and how many rows each table has."""

    files: Sequence[Path]
    rows: dict[str, int]


def publish_archive(engine: Engine, out: Path, *, with_texts: bool = True) -> Publication:
    """Write the copy, what Datasette shows of it, and a card that describes it.

    Beside ``out``, a name that ends in ``.db``, stand ``.metadata.json`` and ``.md``. Files that are there are replaced
    when the new ones are whole.

    Raises:
        ConfigError: the name is another one, or the file is the archive itself.
    """
    if out.suffix != ".db":
        raise ConfigError(f"{out}: give the copy a name that ends in .db")
    if engine.dialect.name == "sqlite" and out.exists() and out.samefile(str(engine.url.database)):
        raise ConfigError(f"{out} is the archive itself: choose another name for the copy")
    out.parent.mkdir(parents=True, exist_ok=True)
    hidden = out.with_name(f".{out.name}.{os.getpid()}.part")
    hidden.unlink(missing_ok=True)
    views = [(view, _columns(view, with_texts=with_texts)) for view in VIEWS if view.name in PUBLISHED]
    try:
        with only_reading(engine) as connection, closing(sqlite3.connect(hidden, isolation_level=None)) as copy:
            copy.execute("PRAGMA journal_mode=OFF")
            copy.execute("PRAGMA synchronous=OFF")
            rows = {view.name[2:]: _copy(connection, copy, view, columns) for view, columns in views}
            copy.execute(
                f"CREATE VIRTUAL TABLE article_fts USING fts5(title{', text' * with_texts}, content='article',"
                " content_rowid='article_id', tokenize='unicode61 remove_diacritics 2')"
            )
            copy.execute("INSERT INTO article_fts (article_fts) VALUES ('rebuild')")
            copy.execute("ANALYZE")
            card = _card(copy, rows, with_texts=with_texts)
        hidden.replace(out)
    finally:
        hidden.unlink(missing_ok=True)
    metadata, described = out.with_suffix(".metadata.json"), out.with_suffix(".md")
    metadata.write_text(json.dumps(_metadata(out.stem, views), indent=1, ensure_ascii=False), "utf-8")
    described.write_text(card, "utf-8")
    return Publication([out, metadata, described], rows)


def _columns(view: View, *, with_texts: bool) -> list[Column]:
    return [column for column in view.columns if with_texts or column.name not in _TEXTS]


def _copy(connection: Connection, copy: sqlite3.Connection, view: View, columns: Sequence[Column]) -> int:
    """Make the table of a view; returns how many rows it has."""
    table, names = view.name[2:], [column.name for column in columns]
    declared = ", ".join(f'"{column.name}" {_declared(table, column)}' for column in columns)
    copy.execute(f"CREATE TABLE {table} ({declared})")
    copy.execute("BEGIN")
    there = view.table
    asked = sa.select(*(there.c[name] for name in names))
    result = connection.execute(asked, execution_options={"stream_results": True, "yield_per": FETCHED})
    marks, count = ", ".join("?" * len(names)), 0
    for rows in result.partitions():
        copy.executemany(f"INSERT INTO {table} VALUES ({marks})", map(_plain, rows))  # noqa: S608  # names are ours
        count += len(rows)
    for name in _INDEXED:
        if name in names and (table, name) != ("article", "article_id"):
            copy.execute(f"CREATE INDEX {table}_{name} ON {table} ({name})")
    copy.execute("COMMIT")
    return count


def _declared(table: str, column: Column) -> str:
    kind = datetime if isinstance(column.type, UtcDateTime) else getattr(column.type, "python_type", str)
    declared = next((name for base, name in _DECLARED if issubclass(kind, base)), "TEXT")
    if column.name == "article_id":
        return f"{declared} PRIMARY KEY" if table == "article" else f"{declared} REFERENCES article (article_id)"
    return declared


def _plain(row: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(
        f"{value:%Y-%m-%d %H:%M:%S.%f}"
        if isinstance(value, datetime)
        else value.isoformat()
        if isinstance(value, date)
        else value
        for value in row
    )


def _metadata(name: str, views: Sequence[tuple[View, Sequence[Column]]]) -> dict[str, Any]:
    """What Datasette shows: descriptions of tables and columns, facets, what is newest first."""
    tables = {
        view.name[2:]: {
            "description": view.comment,
            "columns": {column.name: column.comment for column in columns},
            **({"facets": _FACETS[view.name[2:]]} if view.name[2:] in _FACETS else {}),
        }
        for view, columns in views
    }
    tables["article"] |= {"label_column": "title", "sort_desc": "first_seen_at", "fts_table": "article_fts"}
    tables["article"]["fts_pk"] = "article_id"
    return {"databases": {name: {"description": f"A news archive; see {name}.md", "tables": tables}}}


def _card(copy: sqlite3.Connection, rows: dict[str, int], *, with_texts: bool) -> str:
    """The card of the data set, in Markdown: counts, period, sites, languages, what may be done with it."""
    at = "coalesce(published_at, first_seen_at)"
    first, last = copy.execute(f"SELECT substr(min({at}), 1, 10), substr(max({at}), 1, 10) FROM article").fetchone()  # noqa: S608
    counted = "SELECT coalesce({0}, '–'), count(*) FROM article GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 50"
    parts = [
        f"# A news archive: {rows['article']:,} articles",
        f"Published from {first} to {last}. " + ("With texts." if with_texts else "Without texts.")
        if first
        else "Empty.",
        "Times are UTC. Tables are those of the views of the same names in the archive; columns are described in the"
        " metadata beside this file: `datasette FILE.db -m FILE.metadata.json`.",
        _table("table", rows.items()),
        *(_table(by, copy.execute(counted.format(by))) for by in ("site", "language", "access")),
        "Licences: the archive records none. Texts and headlines belong to their publishers, and this copy may be"
        " passed on as far as their terms and the law allow; `access` says what pages declare of payment.",
    ]
    return "\n\n".join(parts) + "\n"


def _table(heading: str, rows: Any) -> str:  # noqa: ANN401  # pairs, of a dictionary or a cursor
    lines = [f"| {heading} | {'rows' if heading == 'table' else 'articles'} |", "| --- | --- |"]
    return "\n".join([*lines, *(f"| {str(name).replace('|', chr(92) + '|')} | {count:,} |" for name, count in rows)])
