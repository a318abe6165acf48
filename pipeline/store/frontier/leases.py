"""Claims by lease: who holds a host, feed, page or unit of a backfill, and until when."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.store.schema.tables import BackfillUnitRow, FeedRow, HostRow, PageRow

DIED = "worker_died"
"""The outcome of a page whose worker died while it held it among others."""

LEASED = (HostRow, FeedRow, PageRow, BackfillUnitRow)


def is_free(row: type[Any], now: datetime) -> sa.ColumnElement[bool]:
    """Nobody holds a claim on the row, or the claim has run out."""
    return sa.or_(row.leased_until.is_(None), row.leased_until <= now)


def give_back(connection: Connection, row: type[FeedRow] | type[PageRow], key: int, owner: str) -> None:
    """End a claim of which nothing came: what it was for is due as before, and the claim does not count."""
    values: dict[str, object] = {"leased_until": None, "lease_owner": None}
    if row is PageRow:
        values["attempts"] = sa.case((PageRow.attempts > 0, PageRow.attempts - 1), else_=0)
    connection.execute(sa.update(row).where(row.id == key, row.lease_owner == owner).values(values))


def renew_leases(connection: Connection, owner: str, now: datetime, lease: timedelta) -> None:
    """Make everything that this worker has claimed last longer: its sign of life."""
    for row in LEASED:
        connection.execute(sa.update(row).where(row.lease_owner == owner).values(leased_until=now + lease))


def release_leases(connection: Connection, owner: str, *, count_attempt: bool) -> int:
    """End all claims of a worker that stops, or that is known to be dead; returns how many pages it held.

    A worker that stops on purpose takes its attempts back. Of one that died a page that it held alone has used its
    attempt up; of several at most one is to blame, so each of them is charged only when it sees a second death.
    """
    if count_attempt:
        _spare_bystanders(connection, owner)
    pages = 0
    for row in LEASED:
        values: dict[str, object] = {"leased_until": None, "lease_owner": None}
        if row in {PageRow, BackfillUnitRow} and not count_attempt:
            values["attempts"] = sa.case((row.attempts > 0, row.attempts - 1), else_=0)
        done = connection.execute(sa.update(row).where(row.lease_owner == owner).values(values))
        pages = done.rowcount if row is PageRow else pages
    return pages


def _spare_bystanders(connection: Connection, owner: str) -> None:
    held = PageRow.lease_owner == owner
    if (connection.scalar(sa.select(sa.func.count()).select_from(PageRow).where(held)) or 0) > 1:
        is_first = sa.and_(sa.func.coalesce(PageRow.outcome, "") != DIED, PageRow.attempts > 0)
        attempts = sa.case((is_first, PageRow.attempts - 1), else_=PageRow.attempts)
        connection.execute(sa.update(PageRow).where(held).values(attempts=attempts, outcome=DIED))


def release_dead(connection: Connection, is_dead: Callable[[str], bool], *, count_attempt: bool = True) -> list[str]:
    """End the claims of workers that are known to be dead, without waiting for their leases to run out.

    ``count_attempt`` as in `release_leases`: not where they have died of nothing that they held.
    """
    owners: set[str] = set()
    for row in LEASED:
        owners |= set(connection.scalars(sa.select(row.lease_owner).where(row.lease_owner.is_not(None)).distinct()))
    dead = sorted(owner for owner in owners if is_dead(owner))
    for owner in dead:
        release_leases(connection, owner, count_attempt=count_attempt)
    return dead
