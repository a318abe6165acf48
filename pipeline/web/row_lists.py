"""Lists of rows, each at one address as a page, as CSV, as JSON and as the SQL behind it."""

import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlencode

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from pipeline.errors import ConfigError
from pipeline.export.formats import guard_cell
from pipeline.store.queries.view_lists import MAX_ROWS, ViewList, load_rows, write_sql
from pipeline.text.control_characters import escape_in_json
from pipeline.web.rendering import render
from pipeline.web.web_context import get_context

PAGE_ROWS: Final = 50
"""Rows of a page, where nobody asks for more."""

FORMATS: Final = ("csv", "json", "sql")

More = Callable[[Connection, Sequence[dict[str, Any]]], dict[str, Any]]


def answer_list(
    request: Request,
    view_list: ViewList,
    template: str,
    *,
    assumed: Mapping[str, str] = MappingProxyType({}),
    sort: str = "",
    more: More = lambda connection, rows: {},
    **values: Any,  # noqa: ANN401  # of any kind
) -> Response:
    """A list in the form that the request asks for; ``template`` is of the page, which is given ``values`` too.

    ``assumed`` has filters that the request leaves out, and ``sort`` is its order where it names none; ``more`` loads
    what else the page needs to know of its rows.

    Raises ConfigError: a parameter of it cannot be used.
    """
    query, context = request.query_params, get_context(request)
    given = {name: query[name].strip() for name in view_list.filters if query.get(name, "").strip()}
    given = dict(assumed) | given
    position = (read_limit(request), query.get("after", ""), query.get("sort", sort))
    if (answer := answer_sql(request, lambda: view_list.select(given, *position))) is not None:
        return answer
    with context.reading() as connection:
        listed = load_rows(connection, view_list, given, *position)
        following = None if listed.next is None else with_query(request, after=listed.next)
        if (answer := answer_rows(request, listed.names, listed.rows, following)) is not None:
            return answer
        values |= more(connection, listed.rows)
    page: dict[str, Any] = {
        "listed": listed,
        "given": dict.fromkeys(view_list.filters, "") | given,
        "sort": position[2],
    }
    page |= {"following": following, "formats": format_links(request), "is_first": not position[1]}
    return render(request, template, **page, **values)


def answer_sql(request: Request, select: Callable[[], sa.Select[Any]]) -> Response | None:
    """The statement that ``select`` makes, as text for `news sql`, where the request asks for the SQL of a list."""
    if request.query_params.get("format") != "sql":
        return None
    return PlainTextResponse(write_sql(select(), get_context(request).reader.dialect.name) + ";\n")


def answer_rows(
    request: Request, names: Sequence[str], rows: Sequence[dict[str, Any]], following: str | None = None
) -> Response | None:
    """The rows as CSV or JSON where the request asks for one of them; with a link to the rows that follow."""
    form = request.query_params.get("format", "")
    if form not in FORMATS[:2]:
        if form:
            raise ConfigError(f"format={form!r}: there are {', '.join(FORMATS)}")
        return None
    headers = {"Link": f'<{following}>; rel="next"'} if following else {}
    if form == "json":
        text = json.dumps([{name: row[name] for name in names} for row in rows], default=_plain, ensure_ascii=False)
        return Response(escape_in_json(text) + "\n", media_type="application/json", headers=headers)
    name = re.sub(r"[^\w.-]", "_", request.url.path.strip("/").split("/")[-1], flags=re.ASCII)
    headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return Response(_write_csv(names, rows), media_type="text/csv", headers=headers)


def _write_csv(names: Sequence[str], rows: Sequence[dict[str, Any]]) -> str:
    out = io.StringIO()
    lines = csv.writer(out)
    lines.writerow(names)
    # Browsers hand these to spreadsheets, which would run what strangers wrote as a formula.
    lines.writerows([guard_cell(_cell(row[name])) for name in names] for row in rows)
    return out.getvalue()


def _cell(value: object) -> object:
    return json.dumps(value, ensure_ascii=False, default=_plain) if isinstance(value, list | dict) else _plain(value)


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    return value if value is None or isinstance(value, int | float | str) else str(value)


def read_limit(request: Request) -> int:
    """How many rows are asked for. Raises ConfigError: it is no number of rows."""
    text = request.query_params.get("limit") or str(PAGE_ROWS)
    if not (text.isdecimal() and len(text) < 6 and 0 < int(text) <= MAX_ROWS):
        raise ConfigError(f"limit={text!r}: give a number from 1 to {MAX_ROWS}")
    return int(text)


def cut_page(
    request: Request, rows: Sequence[dict[str, Any]], key: Sequence[str]
) -> tuple[Sequence[dict[str, Any]], str | None]:
    """The rows of a page, of which one more was asked for, and the address of those that follow; None for none.

    ``key`` names the columns by which the list goes on.
    """
    limit = read_limit(request)
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], with_query(request, after=json.dumps([rows[limit - 1][name] for name in key]))


def format_links(request: Request) -> dict[str, str]:
    """Where the same list is in its other forms."""
    return {form: with_query(request, format=form) for form in FORMATS}


def with_query(request: Request, **changed: str) -> str:
    """The address of a request with some parameters changed, relative to its server."""
    query = {name: value for name, value in request.query_params.items() if value} | changed
    return f"{request.url.path}?{urlencode(query)}"
