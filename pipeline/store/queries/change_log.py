"""What changed since a reader last asked: each change once, none left out, however many writers there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.store.schema.views import VIEWS

BEGIN: Final = "0" * 28
"""The cursor before all changes."""

_CHANGES: Final = next(view for view in VIEWS if view.name == "v_changes").table


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the archive.

    Attributes:
        cursor: its place in the order of changes; text of 28 digits that sorts as such.
        kind: ``new``, ``revised``, ``updated``, ``duplicate``, ``story``, ``gone``, ``back`` or ``deleted``.
        revision: its number, of the kinds ``new`` and ``revised``.
        url, site: None of older changes of an article that was deleted since.
        changed_at: by the database's clock; later changes may have an earlier time.
    """

    cursor: str
    kind: str
    article_id: int
    revision: int | None
    url: str | None
    site: str | None
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Changes:
    """A run of changes in their order, and the cursor to ask on with: ``since`` where there are none."""

    rows: Sequence[Change]
    cursor: str


def load_changes(connection: Connection, since: str | None = None, limit: int = 1000) -> Changes:
    """Up to ``limit`` changes after this cursor; all from the first where it is None.

    A reader that continues with the cursor of the answer, in another transaction, gets each change exactly once. A
    committed change is shown as soon as all transactions that wrote before it have ended
    (`pipeline.store.schema.triggers` says why).
    """
    after = since or BEGIN
    rows = connection.execute(
        sa.select(_CHANGES).where(_CHANGES.c.cursor > after).order_by(_CHANGES.c.cursor).limit(limit)
    )
    changes = [Change(**row) for row in rows.mappings()]
    return Changes(changes, changes[-1].cursor if changes else after)


def cursor_at(connection: Connection, time: datetime) -> str:
    """The cursor to begin with for all changes of this time and later; those in between may be a little older."""
    first = connection.scalar(sa.select(sa.func.min(_CHANGES.c.cursor)).where(_CHANGES.c.changed_at >= time))
    return newest_cursor(connection) if first is None else cursor_before(first)


def newest_cursor(connection: Connection) -> str:
    """The cursor of the last change that can be read: what comes from now on is after it."""
    return connection.scalar(sa.select(sa.func.max(_CHANGES.c.cursor))) or BEGIN


def cursor_before(cursor: str) -> str:
    """The cursor right before this one.

    >>> cursor_before("0000000000001200000000000010")
    '0000000000001200000000000009'
    """
    return f"{int(cursor) - 1:028d}"
