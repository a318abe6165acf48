"""``news sql``: questions in SQL to the archive, which they cannot change."""

import csv
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import click
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from pipeline.cli.output import console, json_option, plain, print_table
from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.export import duck
from pipeline.store import readonly
from pipeline.store.engine import open_engine
from pipeline.store.migrate import require_current

Rows = Iterator[Sequence[Any]]
Asked = AbstractContextManager[tuple[list[str], Rows]]

CELL = 300
"""Characters of a value that a table shows; --json and --csv have them all."""


@click.command()
@click.argument("statement", required=False)
@click.option("--duckdb", "by_duckdb", is_flag=True, help="Let DuckDB answer (extra export).")
@click.option(
    "--over",
    type=click.Path(path_type=Path, exists=True),
    help="A Parquet file or a folder of them, written by news export: DuckDB answers from these, as v_article.",
)
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@click.option("--limit", type=click.IntRange(min=0), default=200, show_default=True, help="Rows of a table; 0: all.")
@json_option
@click.pass_obj
def sql(
    settings: Settings,
    statement: str | None,
    by_duckdb: bool,
    over: Path | None,
    as_csv: bool,
    limit: int,
    as_json: bool,
) -> None:
    """Run one SQL STATEMENT over the archive's tables and views, and print what it answers.

    It can only read: the database itself refuses to write. Without a statement, it is read from standard input, or, on
    a terminal, the database's own shell is opened (sqlite3 or psql), for reading only.

    \b
    Examples:
      news sql "SELECT site, count(*) AS articles FROM v_article GROUP BY site ORDER BY articles DESC"
      news sql --csv "SELECT url, title FROM v_article WHERE language = 'de'" > german.csv
      news sql --over archive/ "SELECT month(published_at) AS month, count(*) FROM v_article GROUP BY ALL"
      news sql
    """
    if as_csv and as_json:
        raise ConfigError("--csv and --json: choose one")
    engine = None if over else _archive(settings)
    answer = _answerer(engine, over, by_duckdb=by_duckdb)
    if statement is None and sys.stdin.isatty():
        if engine is not None and not by_duckdb:
            _open_shell(engine)
        _converse(answer, limit)
        return
    with answer(statement if statement is not None else sys.stdin.read()) as (names, rows):
        if as_json:
            _print_json(names, rows)
        elif as_csv:
            out = csv.writer(sys.stdout)
            out.writerow(names)
            out.writerows([_text(value) for value in row] for row in rows)
        else:
            _print_rows(names, rows, limit)


def _archive(settings: Settings) -> Engine:
    engine = open_engine(settings.database_url)
    require_current(engine)
    return engine


def _answerer(engine: Engine | None, over: Path | None, *, by_duckdb: bool) -> Callable[[str], Asked]:
    """What answers a statement with the names of columns and the rows."""

    @contextmanager
    def by_database(statement: str) -> Iterator[tuple[list[str], Rows]]:
        assert engine is not None  # noqa: S101  # there are exports instead, else
        try:
            with readonly.only_reading(engine) as connection:
                found = readonly.ask(connection, statement)
                if not found.returns_rows:
                    yield [], iter(())
                    return
                yield _distinct(list(found.keys())), (tuple(row) for row in found)
        except DBAPIError as error:  # of the statement, or of a row of its answer
            if error.connection_invalidated:
                raise
            raise ConfigError(str(error.orig).strip()) from error

    @contextmanager
    def by_duck(statement: str) -> Iterator[tuple[list[str], Rows]]:
        opened = duck.exports(over) if over else duck.attached(engine, statement)  # type: ignore[arg-type]
        with opened as connection:
            found = duck.ask(connection, statement)
            names = _distinct([column[0] for column in found.description])
            yield names, (row for rows in iter(lambda: found.fetchmany(readonly.FETCHED), []) for row in rows)

    if over or by_duckdb:
        return by_duck
    return by_database


def _distinct(names: Sequence[str]) -> list[str]:
    """Names of which none is there twice: JSON could not tell the columns apart."""
    found: list[str] = []
    for name in names:
        number, used = 1, name
        while used in found:
            number += 1
            used = f"{name}_{number}"
        found.append(used)
    return found


def _print_rows(names: Sequence[str], rows: Rows, limit: int) -> None:
    shown: list[Sequence[Any]] = []
    for row in rows:
        if limit and len(shown) == limit:
            click.echo(
                f"the first {limit} rows; --limit 0 shows all, --csv and --json print them as they come", err=True
            )
            break
        shown.append([_cut(value) for value in row])
    print_table(names, shown)


def _cut(value: object) -> object:
    text = _text(value)
    return f"{text[: CELL - 1]}…" if len(text) > CELL else text


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=_json)
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)


def _json(value: object) -> object:
    try:
        return plain(value)
    except TypeError:
        return _text(value)  # numeric, uuid, date, bytes: as text, so that none loses a digit


def _print_json(names: Sequence[str], rows: Rows) -> None:
    """An array of objects, printed as the rows come."""
    begin = "["
    for row in rows:
        line = json.dumps(dict(zip(names, row, strict=True)), default=_json, ensure_ascii=False)
        click.echo(f"{begin}\n {line}", nl=False)
        begin = ","
    click.echo("[]" if begin == "[" else "\n]")


def _open_shell(engine: Engine) -> None:
    """Turn into the database's shell; returns where it is not installed."""
    url = engine.url
    if engine.dialect.name == "sqlite":
        if found := shutil.which("sqlite3"):
            os.execv(found, [found, "-readonly", "-header", "-column", str(url.database)])  # noqa: S606
        return
    if found := shutil.which("psql"):
        host = url.query.get("host", url.host)
        given = {"PGHOST": host, "PGPORT": url.port, "PGUSER": url.username, "PGPASSWORD": url.password}
        environ = {name: str(value) for name, value in given.items() if value}
        options = f"{os.environ.get('PGOPTIONS', '')} -c default_transaction_read_only=on".strip()
        os.execve(found, [found, str(url.database)], os.environ | environ | {"PGOPTIONS": options})  # noqa: S606


def _converse(answer: Callable[[str], Asked], limit: int) -> None:
    """Ask for statements, each up to a semicolon, until the end of input."""
    click.echo("Statements end in a semicolon; Ctrl-D ends.", err=True)
    lines: list[str] = []
    while True:
        try:
            lines.append(input("   ...> " if lines else "news> "))
        except EOFError:
            click.echo(err=True)
            return
        if not lines[-1].rstrip().endswith(";"):
            continue
        try:
            with answer("\n".join(lines)) as (names, rows):
                _print_rows(names, rows, limit)
        except (ConfigError, SQLAlchemyError) as error:
            console().print(f"Error: {getattr(error, 'orig', None) or error}", style="red", markup=False)
        lines = []
