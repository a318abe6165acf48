"""Backfill jobs: opened, looked at and finished."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.periods import Period
from pipeline.store.backfill.job_units import add_units
from pipeline.store.backfill.job_values import BackfillJob, BackfillRequest, JobProgress
from pipeline.store.connection.rows import storable, upsert
from pipeline.store.frontier.leases import is_free
from pipeline.store.schema.tables import BackfillJobRow, BackfillUnitRow, PageRow


def open_job(
    connection: Connection, wanted: BackfillRequest, units: Iterable[tuple[str, str]], now: datetime
) -> BackfillJob:
    """The job that asks for exactly this and is not finished, or a new one with these units (kind, address)."""
    made = connection.scalar(
        upsert(connection, BackfillJobRow)
        .values(
            key=wanted.key,
            source=wanted.source,
            targets=storable(list(wanted.targets)),
            since=wanted.period.since,
            until=wanted.period.until,
            options=storable(wanted.options),
            created_at=now,
        )
        .on_conflict_do_nothing()
        .returning(BackfillJobRow.id)
    )
    if made is not None:
        add_units(connection, made, units, 0, now)
        return BackfillJob(made, wanted, now, is_new=True)
    row = connection.execute(
        sa.select(BackfillJobRow.id, BackfillJobRow.created_at).where(BackfillJobRow.key == wanted.key)
    ).one()
    return BackfillJob(row.id, wanted, row.created_at)


def load_job(connection: Connection, job_id: int) -> BackfillJob | None:
    """The job with this id, finished or not."""
    row = connection.execute(sa.select(BackfillJobRow.__table__).where(BackfillJobRow.id == job_id)).mappings().first()
    return None if row is None else BackfillJob(row["id"], _wanted(row), row["created_at"])


def list_open_jobs(connection: Connection) -> list[BackfillJob]:
    """The jobs that are not finished, the oldest first."""
    query = sa.select(BackfillJobRow.__table__).where(BackfillJobRow.finished_at.is_(None)).order_by(BackfillJobRow.id)
    rows = connection.execute(query).mappings()
    return [BackfillJob(row["id"], _wanted(row), row["created_at"]) for row in rows]


def _wanted(row: sa.RowMapping) -> BackfillRequest:
    options = row["options"]
    return BackfillRequest(
        row["source"],
        tuple(row["targets"]),
        Period(row["since"], row["until"]),
        tuple(options.get("sites", ())),
        tuple(options.get("languages", ())),
        options.get("limit"),
        bool(options.get("undated")),
        bool(options.get("dry")),
    )


def load_job_progress(connection: Connection, job_id: int, now: datetime) -> JobProgress:
    """How far the job is."""
    units = sa.and_(BackfillUnitRow.job_id == job_id)
    states = connection.execute(
        sa.select(BackfillUnitRow.state, sa.func.count()).where(units).group_by(BackfillUnitRow.state)
    ).all()
    counts: Counter[str] = Counter()
    for unit_counts in connection.scalars(sa.select(BackfillUnitRow.counts).where(units)):
        counts.update(unit_counts)
    unit_waits = sa.and_(units, BackfillUnitRow.state == "queued")
    page_waits = sa.and_(PageRow.backfill_id == job_id, PageRow.next_fetch_at.is_not(None))
    held = sa.or_(
        sa.exists().where(unit_waits, ~is_free(BackfillUnitRow, now)),
        sa.exists().where(page_waits, ~is_free(PageRow, now)),
    )
    earliest = sa.func.min
    return JobProgress(
        units={row[0]: row[1] for row in states},
        waiting=connection.scalar(sa.select(sa.func.count()).where(page_waits)) or 0,
        next_unit_at=connection.scalar(
            sa.select(earliest(BackfillUnitRow.due_at)).where(unit_waits, is_free(BackfillUnitRow, now))
        ),
        next_page_at=connection.scalar(
            sa.select(earliest(PageRow.next_fetch_at)).where(page_waits, is_free(PageRow, now))
        ),
        held=bool(connection.scalar(sa.select(held))),
        counts=counts,
    )


def finish_job(connection: Connection, job: BackfillJob, now: datetime) -> None:
    """Note that nothing is left of the job, so that the same can be asked for again; a dry run leaves nothing."""
    if job.wanted.dry:
        connection.execute(sa.delete(BackfillUnitRow).where(BackfillUnitRow.job_id == job.id))
        connection.execute(sa.delete(BackfillJobRow).where(BackfillJobRow.id == job.id))
        return
    values = {"finished_at": now, "key": None}
    connection.execute(sa.update(BackfillJobRow).where(BackfillJobRow.id == job.id).values(values))


def list_failed_units(connection: Connection, job_id: int, limit: int | None = None) -> list[dict[str, Any]]:
    """The units that something went wrong with, and what; the first so many."""
    return [dict(row) for row in connection.execute(select_failed_units(job_id, limit)).mappings()]


def select_failed_units(job_id: int, limit: int | None = None) -> sa.Select[*tuple[Any, ...]]:
    """The query of `list_failed_units`."""
    return (
        sa.select(BackfillUnitRow.address, BackfillUnitRow.state, BackfillUnitRow.reason, BackfillUnitRow.detail)
        .where(BackfillUnitRow.job_id == job_id, BackfillUnitRow.reason.is_not(None))
        .order_by(BackfillUnitRow.id)
        .limit(limit)
    )


def list_job_summaries(
    connection: Connection, limit: int = 100, *, below: int | None = None, most: int | None = None
) -> list[dict[str, Any]]:
    """The latest jobs, the newest first: what was asked for, units done of all, pages that wait.

    Args:
        connection: to the archive.
        limit: jobs at most.
        below: only jobs with a smaller number.
        most: count so many waiting pages of each job at most.
    """
    names = ("id", "source", "targets", "since", "until", "created_at", "finished_at")
    query = sa.select(*(BackfillJobRow.__table__.c[name] for name in names)).order_by(BackfillJobRow.id.desc())
    if below is not None:
        query = query.where(BackfillJobRow.id < below)
    jobs = connection.execute(query.limit(limit)).mappings().all()
    done = sa.func.sum(sa.case((BackfillUnitRow.state == "done", 1), else_=0))
    of_jobs = BackfillUnitRow.job_id.in_([job["id"] for job in jobs])
    counted = sa.select(BackfillUnitRow.job_id, done, sa.func.count()).where(of_jobs).group_by(BackfillUnitRow.job_id)
    units = {row[0]: f"{row[1]} of {row[2]}" for row in connection.execute(counted)}
    return [
        dict(job) | {"units": units.get(job["id"], "0 of 0"), "waiting": _count_waiting(connection, job["id"], most)}
        for job in jobs
    ]


def _count_waiting(connection: Connection, job_id: int, most: int | None) -> int:
    waits = PageRow.backfill_id == job_id, PageRow.next_fetch_at.is_not(None)
    some = sa.select(sa.literal(1)).select_from(PageRow).where(*waits).limit(most).subquery()
    return connection.scalar(sa.select(sa.func.count()).select_from(some)) or 0
