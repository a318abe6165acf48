"""Which states and reasons pages have, and how many of each up to a bound: from the index, however long the ledger."""

from collections.abc import Iterator
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.store.queries.known_lists import LEDGER
from pipeline.store.schema.tables import PAGE_STATES, PageRow

MOST: Final = 1000
"""Pages that are counted of one reason; more are said to be more."""


def list_reasons(connection: Connection) -> list[dict[str, Any]]:
    """Each state and reason that pages have, the most frequent first."""
    counted = [
        {"state": state, "reason": reason, "pages": _count(connection, state, reason)}
        for state in PAGE_STATES
        for reason in _reasons_of(connection, state)
    ]
    return sorted(counted, key=lambda row: (-row["pages"], row["state"], row["reason"]))


def select_reasons() -> sa.Select[Any]:
    """The same for anyone to run, from the view and without a bound: it reads the whole ledger."""
    ledger = LEDGER.table.c
    pages = sa.func.count().label("pages")
    query = sa.select(ledger.state, ledger.reason, pages).where(ledger.reason != "")
    return query.group_by(ledger.state, ledger.reason).order_by(pages.desc(), ledger.state, ledger.reason)


def _reasons_of(connection: Connection, state: str) -> Iterator[str]:
    """The reasons of a state, each by a look into the index behind the one before."""
    last = ""
    query = sa.select(PageRow.reason).where(PageRow.state == state, PageRow.reason > sa.bindparam("last"))
    query = query.order_by(PageRow.reason).limit(1)
    while (reason := connection.scalar(query, {"last": last})) is not None:
        yield reason
        last = reason


def _count(connection: Connection, state: str, reason: str) -> int:
    some = sa.select(sa.literal(1)).select_from(PageRow).where(PageRow.state == state, PageRow.reason == reason)
    return connection.scalar(sa.select(sa.func.count()).select_from(some.limit(MOST).subquery())) or 0
