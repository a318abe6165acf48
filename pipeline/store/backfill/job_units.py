"""Units of backfill jobs, claimed by lease as pages are, so that any number of workers share a job.

What a unit brings is stored in one transaction with its progress: a worker that is killed leaves both or neither.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.model import Address
from pipeline.store.backfill.job_values import BackfillJob, BackfillUnit, UnitStep
from pipeline.store.connection.rows import batches, select_among, storable, upsert
from pipeline.store.frontier.discovery import put_addresses
from pipeline.store.frontier.leases import is_free
from pipeline.store.schema.tables import BackfillJobRow, BackfillUnitRow, PageRow

MAX_CLAIMS = 8
"""Claims of a unit without its getting on, before it is given up: it may be what kills its readers."""


def add_units(connection: Connection, job_id: int, units: Iterable[tuple[str, str]], depth: int, now: datetime) -> int:
    """Add what the job has not got yet; returns how many that is."""
    rows = [
        {"job_id": job_id, "kind": kind, "address": storable(address), "depth": depth, "counts": {}, "due_at": now}
        for kind, address in dict.fromkeys(units)
    ]
    made = 0
    for batch in batches(rows):
        insert = upsert(connection, BackfillUnitRow).values(batch).on_conflict_do_nothing()
        made += len(list(connection.scalars(insert.returning(BackfillUnitRow.id))))
    return made


def count_units(connection: Connection, job_id: int) -> int:
    """How many units the job has, done or not."""
    count = sa.select(sa.func.count()).where(BackfillUnitRow.job_id == job_id)
    return connection.scalar(count) or 0


def list_queued_units(connection: Connection, job_id: int) -> list[int]:
    """The ids of the units that are not done, in their order."""
    where = BackfillUnitRow.job_id == job_id, BackfillUnitRow.state == "queued"
    return list(connection.scalars(sa.select(BackfillUnitRow.id).where(*where).order_by(BackfillUnitRow.id)))


def is_cursor_known(connection: Connection, unit: BackfillUnit, cursor: str) -> bool:
    """Whether another unit of the job has left this cursor."""
    where = BackfillUnitRow.job_id == unit.job_id, BackfillUnitRow.id != unit.id, BackfillUnitRow.cursor == cursor
    return bool(connection.scalar(sa.select(sa.exists().where(*where))))


def claim_unit(
    connection: Connection, job_id: int, owner: str, now: datetime, lease: timedelta, ids: Sequence[int] = ()
) -> BackfillUnit | None:
    """Claim a unit that is due, one of these ids first; and count the attempt."""
    row = (
        connection.execute(
            sa.select(BackfillUnitRow.__table__)
            .where(
                BackfillUnitRow.job_id == job_id,
                BackfillUnitRow.state == "queued",
                BackfillUnitRow.due_at <= now,
                is_free(BackfillUnitRow, now),
            )
            .order_by(sa.case((BackfillUnitRow.id.in_(ids), 0), else_=1), BackfillUnitRow.due_at, BackfillUnitRow.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        .mappings()
        .first()
    )
    if row is None:
        return None
    values: dict[str, object] = {"attempts": row["attempts"] + 1, "leased_until": now + lease, "lease_owner": owner}
    if row["attempts"] >= MAX_CLAIMS:
        values |= {"state": "failed", "reason": row["reason"] or "worker_died", "leased_until": None}
        values |= {"lease_owner": None}
    connection.execute(sa.update(BackfillUnitRow).where(BackfillUnitRow.id == row["id"]).values(values))
    if "state" in values:
        return claim_unit(connection, job_id, owner, now, lease, ids)
    names = ("id", "job_id", "kind", "address", "depth", "position", "cursor", "counts")
    return BackfillUnit(**{name: row[name] for name in names}, attempts=row["attempts"] + 1)


def load_unit(connection: Connection, unit: BackfillUnit) -> BackfillUnit:
    """The unit as it is stored by now."""
    row = connection.execute(
        sa.select(
            BackfillUnitRow.position, BackfillUnitRow.cursor, BackfillUnitRow.counts, BackfillUnitRow.attempts
        ).where(BackfillUnitRow.id == unit.id)
    ).one()
    return replace(unit, position=row.position, cursor=row.cursor, counts=row.counts, attempts=row.attempts)


def record_step(
    connection: Connection, job: BackfillJob, unit: BackfillUnit, owner: str, step: UnitStep, now: datetime
) -> Counter[str]:
    """Store how far a unit is with all that this step brought; ends the claim unless there is more to do now.

    Returns what the step came to, ``queued`` and ``known`` pages included; nothing where the claim was lost.
    """
    held = connection.scalar(
        sa.select(BackfillUnitRow.id)
        .where(BackfillUnitRow.id == unit.id, BackfillUnitRow.lease_owner == owner)
        .with_for_update()
    )
    if held is None:
        return Counter({"lost": 1})
    counts = Counter(step.counts)
    if step.addresses:
        counts.update(_queue(connection, job, step.addresses, now))
    if step.children:
        counts["units"] += add_units(connection, job.id, step.children, unit.depth + 1, now)
    goes_on = step.state == "queued" and step.due_at is None
    values: dict[str, object] = {
        "state": step.state,
        "position": step.position,
        "cursor": storable(step.cursor),
        "counts": dict(sorted((Counter(unit.counts) + counts).items())),
        "reason": step.reason,
        "detail": storable(step.detail),
    }
    if step.reason is None or step.position != unit.position:
        values["attempts"] = 0
    if step.due_at is not None:
        values["due_at"] = step.due_at
    if not goes_on:
        values |= {"leased_until": None, "lease_owner": None}
    connection.execute(sa.update(BackfillUnitRow).where(BackfillUnitRow.id == unit.id).values(values))
    return counts


def _queue(connection: Connection, job: BackfillJob, addresses: Sequence[Address], now: datetime) -> dict[str, int]:
    """Put pages into the job's queue, as many as its limit leaves; in a dry run they are only counted."""
    left = addresses if job.wanted.limit is None else addresses[: max(0, job.wanted.limit - _queued(connection, job))]
    counts = {"beyond_limit": len(addresses) - len(left)}
    if job.wanted.dry:
        known = find_ledger_urls(connection, [address.url for address in left])
        new = len({address.url for address in left} - known)
        return counts | {"queued": new, "known": len(left) - new}
    ids, made = put_addresses(connection, left, now, now, job.id)
    usable = sum(address.url in ids for address in left)
    return counts | {"queued": len(made), "known": usable - len(made), "unusable": len(left) - usable}


def _queued(connection: Connection, job: BackfillJob) -> int:
    # Serialises the workers of a job that has a limit, so that they do not exceed it together.
    connection.execute(sa.select(BackfillJobRow.id).where(BackfillJobRow.id == job.id).with_for_update())
    counts = connection.scalars(sa.select(BackfillUnitRow.counts).where(BackfillUnitRow.job_id == job.id))
    return sum(unit_counts.get("queued", 0) + unit_counts.get("read", 0) for unit_counts in counts)


def find_ledger_urls(connection: Connection, urls: Sequence[str]) -> set[str]:
    """Those of the URLs that are in the ledger."""
    return {row.url for row in select_among(connection, sa.select(PageRow.url), PageRow.url, urls)}
