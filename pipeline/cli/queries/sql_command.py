"""``news sql``: read-only SQL over the archive."""

import csv
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import click
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from pipeline.cli.options import json_option
from pipeline.cli.output import encode_value, format_json, print_line, print_table, report_line, write_line
from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.export import duck
from pipeline.export.formats import guard_cell
from pipeline.store.connection import readonly
from pipeline.store.connection.engine import open_archive
from pipeline.store.search.in_sql import put_searches
from pipeline.text.control_characters import show_controls

RowStream = Iterator[Sequence[Any]]
Answer = AbstractContextManager[tuple[list[str], RowStream]]

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
@click.option("--excel", is_flag=True, help="Of CSV: no cell is a formula to a spreadsheet.")
@click.option("--limit", type=click.IntRange(min=0), help="Rows at most: 200 of a table, all of CSV and JSON; 0: all.")
@click.option(
    "--timeout", type=click.FloatRange(min=0), default=300, show_default=True, help="Seconds at most; 0: any number."
)
@json_option
@click.pass_obj
def sql_command(
    settings: Settings,
    statement: str | None,
    by_duckdb: bool,
    over: Path | None,
    as_csv: bool,
    excel: bool,
    limit: int | None,
    timeout: float,
    as_json: bool,
) -> None:
    """Run one SQL STATEMENT over the archive's tables and views, and print what it answers.

    news_search('…') in it stands for the articles that a search finds, with article_id and rank.
    It can only read: the database itself refuses to write, and DuckDB reads no other file. Without a statement, it is
    read from standard input, or, on a terminal, the database's own shell is opened (sqlite3 or psql), for reading only.

    \b
    Examples:
      news sql "SELECT site, count(*) AS articles FROM v_article GROUP BY site ORDER BY articles DESC"
      news sql --csv "SELECT url, title FROM v_article WHERE language = 'de'" > german.csv
      news sql "SELECT min(published_at) AS first FROM news_search('harbour board') JOIN v_article USING (article_id)"
      news sql --over archive/ "SELECT month(published_at) AS month, count(*) FROM v_article GROUP BY ALL"
      news sql
    """
    show = _choose_printer(as_csv=as_csv, excel=excel, as_json=as_json)
    if limit is None:
        limit = 0 if as_csv or as_json else 200
    with nullcontext() if over else open_archive(settings) as engine:
        answer = _answerer(engine, over, timedelta(seconds=timeout) or None, by_duckdb=by_duckdb)
        if statement is None and sys.stdin.isatty():
            if engine is not None and not by_duckdb:
                _open_shell(engine)
            _converse(answer, limit)
            return
        with answer(statement if statement is not None else sys.stdin.read()) as (names, rows):
            show(names, _up_to(rows, limit))


def _choose_printer(*, as_csv: bool, excel: bool, as_json: bool) -> Callable[[list[str], RowStream], None]:
    if as_csv and as_json:
        raise ConfigError("--csv and --json: choose one")
    if excel and not as_csv:
        raise ConfigError("--excel is for --csv")
    if as_json:
        return _print_json
    return partial(_print_csv, is_for_excel=excel) if as_csv else _print_rows


def _answerer(
    engine: Engine | None, over: Path | None, timeout: timedelta | None, *, by_duckdb: bool
) -> Callable[[str], Answer]:
    """What answers a statement with the names of columns and the rows."""

    @contextmanager
    def by_database(statement: str) -> Iterator[tuple[list[str], RowStream]]:
        assert engine is not None  # noqa: S101  # there are exports instead, else
        try:
            with readonly.only_reading(engine, timeout) as connection:
                result = readonly.run_readonly_query(connection, put_searches(statement, connection.dialect.name))
                if not result.returns_rows:
                    yield [], iter(())
                    return
                yield _distinct(list(result.keys())), (tuple(row) for row in result)
        except DBAPIError as error:  # of the statement, or of a row of its answer
            if error.connection_invalidated:
                raise
            raise ConfigError(str(error.orig).strip()) from error

    @contextmanager
    def by_duck(statement: str) -> Iterator[tuple[list[str], RowStream]]:
        with (
            duck.open_exports(over, timeout) if over else duck.attach_archive(engine, statement, timeout)  # type: ignore[arg-type]
        ) as connection:
            result = duck.query_duckdb(connection, statement)
            names = _distinct([column[0] for column in result.description])
            yield names, (row for rows in iter(lambda: result.fetchmany(readonly.FETCHED), []) for row in rows)

    if over or by_duckdb:
        return by_duck
    return by_database


def _distinct(names: Sequence[str]) -> list[str]:
    """Make column names unique, so that JSON objects keep all columns."""
    distinct: list[str] = []
    for name in names:
        number, used = 1, name
        while used in distinct:
            number += 1
            used = f"{name}_{number}"
        distinct.append(used)
    return distinct


def _print_csv(names: Sequence[str], rows: RowStream, *, is_for_excel: bool) -> None:
    guard: Callable[[object], object] = guard_cell if is_for_excel else lambda value: value
    out = csv.writer(sys.stdout)
    out.writerow(map(guard, names))
    shown = show_controls if sys.stdout.isatty() else str
    out.writerows([shown(_text(guard(value))) for value in row] for row in rows)


def _print_rows(names: Sequence[str], rows: RowStream) -> None:
    print_table(names, [[_cut(value) for value in row] for row in rows])


def _up_to(rows: RowStream, limit: int) -> RowStream:
    """The first rows, and a word on standard error where there are more; 0 for all."""
    yield from islice(rows, limit or None)
    if limit and next(rows, None) is not None:
        report_line(f"the first {limit} rows; --limit 0 shows all, --csv and --json print them as they come")


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
        return encode_value(value)
    except TypeError:
        return _text(value)  # numeric, uuid, date, bytes: as text, so that none loses a digit


def _print_json(names: Sequence[str], rows: RowStream) -> None:
    """An array of objects, printed as the rows come."""
    begin = "["
    for row in rows:
        line = format_json(dict(zip(names, row, strict=True)), encode=_json)
        write_line(f"{begin}\n {line}", end="")
        begin = ","
    write_line("[]" if begin == "[" else "\n]")


def _open_shell(engine: Engine) -> None:
    """Replace this process by the shell of the database; returns if it is not installed."""
    url = engine.url
    if engine.dialect.name == "sqlite":
        if shell := shutil.which("sqlite3"):
            os.execv(shell, [shell, "-readonly", "-header", "-column", str(url.database)])  # noqa: S606
        return
    if shell := shutil.which("psql"):
        host = url.query.get("host", url.host)
        given = {"PGHOST": host, "PGPORT": url.port, "PGUSER": url.username, "PGPASSWORD": url.password}
        environ = {name: str(value) for name, value in given.items() if value}
        options = f"{os.environ.get('PGOPTIONS', '')} -c default_transaction_read_only=on".strip()
        os.execve(shell, [shell, str(url.database)], os.environ | environ | {"PGOPTIONS": options})  # noqa: S606


def _converse(answer: Callable[[str], Answer], limit: int) -> None:
    """Read and run statements, each up to a semicolon, until the end of input."""
    report_line("Statements end in a semicolon; Ctrl-D ends.")
    lines: list[str] = []
    while True:
        try:
            lines.append(input("   ...> " if lines else "news> "))
        except EOFError:
            report_line()
            return
        if not lines[-1].rstrip().endswith(";"):
            continue
        try:
            with answer("\n".join(lines)) as (names, rows):
                _print_rows(names, _up_to(rows, limit))
        except (ConfigError, SQLAlchemyError) as error:
            print_line(f"Error: {getattr(error, 'orig', None) or error}", style="red")
        lines = []
