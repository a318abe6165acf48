"""Backfill jobs and their units: what was asked for, how far it is, and who is at it.

A unit is claimed by lease as pages are, so that any number of workers share a job. What a unit brings is stored in one
transaction with its progress: whoever is killed leaves either both or neither.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.model import Address
from pipeline.periods import Period
from pipeline.store.frontier import free, put
from pipeline.store.rows import batches, storable, upsert
from pipeline.tables import BackfillJobRow, BackfillUnitRow, HostRow, PageRow

MAX_CLAIMS = 8
"""Claims of a unit without its getting on, before it is given up: it may be what kills its readers."""


ALWAYS = Period()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a backfill.

    Attributes:
        source: ``sitemap``, ``warc``, ``ccnews``, ``wayback``, ``feed``, ``html`` or ``verify``.
        targets: sites, addresses or files.
        sites: only pages of these sites and those below them; empty for all.
        languages: only articles in these; empty for all.
        limit: pages at most; None for any number.
        undated: whether pages are taken of which the source tells no date.
        dry: whether to count only.
    """

    source: str
    targets: tuple[str, ...]
    period: Period = ALWAYS
    sites: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    limit: int | None = None
    undated: bool = False
    dry: bool = False

    @property
    def options(self) -> dict[str, Any]:
        """What is stored of it beside source, targets and period."""
        return {
            "sites": list(self.sites),
            "languages": list(self.languages),
            "limit": self.limit,
            "undated": self.undated,
            "dry": self.dry,
        }

    @property
    def key(self) -> str:
        """The same for the same question."""
        bounds = [at.isoformat() if at else None for at in (self.period.since, self.period.until)]
        text = json.dumps([self.source, sorted(self.targets), bounds, self.options], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Job:
    """A backfill that is under way."""

    id: int
    wanted: Wanted
    created_at: datetime
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Unit:
    """A part of a job that a worker has claimed; fields as in `pipeline.tables.BackfillUnitRow`."""

    id: int
    job_id: int
    kind: str
    address: str
    depth: int = 0
    position: int = 0
    cursor: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """How far a unit has come, and what that brought.

    Attributes:
        state: ``queued`` where there is more of it, ``done`` or ``failed``.
        counts: of this step, by outcome; added to what the unit came to before.
        addresses: pages to be fetched.
        children: units that it leads to: (kind, address).
        due_at: not to be gone on with before this time.
    """

    state: str = "done"
    position: int = 0
    cursor: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    addresses: Sequence[Address] = ()
    children: Sequence[tuple[str, str]] = ()
    reason: str | None = None
    detail: str | None = None
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class State:
    """How far a job is.

    Attributes:
        units: number by state.
        waiting: pages in its queue.
        next_unit_at, next_page_at: when the next of each is due that nobody holds; None for none.
        held: whether somebody is at a unit or a page of it.
        counts: the sum of all units' counts.
    """

    units: Mapping[str, int]
    waiting: int
    next_unit_at: datetime | None
    next_page_at: datetime | None
    held: bool
    counts: Mapping[str, int]

    @property
    def is_done(self) -> bool:
        """Whether nothing is left."""
        return not self.units.get("queued") and not self.waiting


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What is known of a host: when it may be asked, the pause it asks for, its robots.txt."""

    next_fetch_at: datetime
    delay: timedelta
    robots: str | None
    robots_fetched_at: datetime | None


def open_job(connection: Connection, wanted: Wanted, units: Iterable[tuple[str, str]], now: datetime) -> Job:
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
        return Job(made, wanted, now, is_new=True)
    row = connection.execute(
        sa.select(BackfillJobRow.id, BackfillJobRow.created_at).where(BackfillJobRow.key == wanted.key)
    ).one()
    return Job(row.id, wanted, row.created_at)


def load_job(connection: Connection, job_id: int) -> Job | None:
    """The job with this id, finished or not."""
    row = connection.execute(sa.select(BackfillJobRow.__table__).where(BackfillJobRow.id == job_id)).mappings().first()
    return None if row is None else Job(row["id"], _wanted(row), row["created_at"])


def open_jobs(connection: Connection) -> list[Job]:
    """The jobs that are not finished, the oldest first."""
    query = sa.select(BackfillJobRow.__table__).where(BackfillJobRow.finished_at.is_(None)).order_by(BackfillJobRow.id)
    rows = connection.execute(query).mappings()
    return [Job(row["id"], _wanted(row), row["created_at"]) for row in rows]


def _wanted(row: sa.RowMapping) -> Wanted:
    options = row["options"]
    return Wanted(
        row["source"],
        tuple(row["targets"]),
        Period(row["since"], row["until"]),
        tuple(options.get("sites", ())),
        tuple(options.get("languages", ())),
        options.get("limit"),
        bool(options.get("undated")),
        bool(options.get("dry")),
    )


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


def queued_units(connection: Connection, job_id: int) -> list[int]:
    """The ids of the units that are not done, in their order."""
    where = BackfillUnitRow.job_id == job_id, BackfillUnitRow.state == "queued"
    return list(connection.scalars(sa.select(BackfillUnitRow.id).where(*where).order_by(BackfillUnitRow.id)))


def known_in_job(connection: Connection, unit: Unit, cursor: str) -> bool:
    """Whether another unit of the job has left this cursor."""
    where = BackfillUnitRow.job_id == unit.job_id, BackfillUnitRow.id != unit.id, BackfillUnitRow.cursor == cursor
    return bool(connection.scalar(sa.select(sa.exists().where(*where))))


def claim_unit(
    connection: Connection, job_id: int, owner: str, now: datetime, lease: timedelta, ids: Sequence[int] = ()
) -> Unit | None:
    """Claim a unit that is due, one of these ids first; and count the attempt."""
    row = (
        connection.execute(
            sa.select(BackfillUnitRow.__table__)
            .where(
                BackfillUnitRow.job_id == job_id,
                BackfillUnitRow.state == "queued",
                BackfillUnitRow.due_at <= now,
                free(BackfillUnitRow, now),
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
    return Unit(**{name: row[name] for name in names}, attempts=row["attempts"] + 1)


def load_unit(connection: Connection, unit: Unit) -> Unit:
    """The unit as it is stored by now."""
    row = connection.execute(
        sa.select(
            BackfillUnitRow.position, BackfillUnitRow.cursor, BackfillUnitRow.counts, BackfillUnitRow.attempts
        ).where(BackfillUnitRow.id == unit.id)
    ).one()
    return replace(unit, position=row.position, cursor=row.cursor, counts=row.counts, attempts=row.attempts)


def record_step(connection: Connection, job: Job, unit: Unit, owner: str, step: Step, now: datetime) -> Counter[str]:
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


def _queue(connection: Connection, job: Job, addresses: Sequence[Address], now: datetime) -> dict[str, int]:
    """Put pages into the job's queue, as many as its limit leaves; in a dry run they are only counted."""
    left = addresses if job.wanted.limit is None else addresses[: max(0, job.wanted.limit - _queued(connection, job))]
    if job.wanted.dry:
        known = known_urls(connection, [address.url for address in left])
        new = len({address.url for address in left} - known)
    else:
        ids, made = put(connection, left, now, now, job.id)
        new = len(made)
        left = [address for address in left if address.url in ids]
    return {"queued": new, "known": len(left) - new, "beyond_limit": len(addresses) - len(left)}


def _queued(connection: Connection, job: Job) -> int:
    # Serialises the workers of a job that has a limit, so that they do not exceed it together.
    connection.execute(sa.select(BackfillJobRow.id).where(BackfillJobRow.id == job.id).with_for_update())
    counts = connection.scalars(sa.select(BackfillUnitRow.counts).where(BackfillUnitRow.job_id == job.id))
    return sum(each.get("queued", 0) + each.get("read", 0) for each in counts)


def known_urls(connection: Connection, urls: Sequence[str]) -> set[str]:
    """Those of the URLs that are in the ledger."""
    found: set[str] = set()
    for batch in batches(sorted(set(urls))):
        found |= set(connection.scalars(sa.select(PageRow.url).where(PageRow.url.in_(batch))))
    return found


def job_state(connection: Connection, job_id: int, now: datetime) -> State:
    """How far the job is."""
    units = sa.and_(BackfillUnitRow.job_id == job_id)
    states = connection.execute(
        sa.select(BackfillUnitRow.state, sa.func.count()).where(units).group_by(BackfillUnitRow.state)
    ).all()
    counts: Counter[str] = Counter()
    for each in connection.scalars(sa.select(BackfillUnitRow.counts).where(units)):
        counts.update(each)
    unit_waits = sa.and_(units, BackfillUnitRow.state == "queued")
    page_waits = sa.and_(PageRow.backfill_id == job_id, PageRow.next_fetch_at.is_not(None))
    held = sa.or_(
        sa.exists().where(unit_waits, ~free(BackfillUnitRow, now)), sa.exists().where(page_waits, ~free(PageRow, now))
    )
    earliest = sa.func.min
    return State(
        units={row[0]: row[1] for row in states},
        waiting=connection.scalar(sa.select(sa.func.count()).where(page_waits)) or 0,
        next_unit_at=connection.scalar(
            sa.select(earliest(BackfillUnitRow.due_at)).where(unit_waits, free(BackfillUnitRow, now))
        ),
        next_page_at=connection.scalar(
            sa.select(earliest(PageRow.next_fetch_at)).where(page_waits, free(PageRow, now))
        ),
        held=bool(connection.scalar(sa.select(held))),
        counts=counts,
    )


def finish_job(connection: Connection, job: Job, now: datetime) -> None:
    """Note that nothing is left of the job, so that the same can be asked for anew; a dry run leaves nothing behind."""
    if job.wanted.dry:
        connection.execute(sa.delete(BackfillUnitRow).where(BackfillUnitRow.job_id == job.id))
        connection.execute(sa.delete(BackfillJobRow).where(BackfillJobRow.id == job.id))
        return
    values = {"finished_at": now, "key": None}
    connection.execute(sa.update(BackfillJobRow).where(BackfillJobRow.id == job.id).values(values))


def host_facts(connection: Connection, name: str) -> HostFacts | None:
    """What is known of a host, whoever holds it."""
    row = connection.execute(
        sa.select(HostRow.next_fetch_at, HostRow.delay, HostRow.robots, HostRow.robots_fetched_at).where(
            HostRow.name == name
        )
    ).first()
    if row is None:
        return None
    return HostFacts(row.next_fetch_at, timedelta(seconds=row.delay), row.robots, row.robots_fetched_at)


def failed_units(connection: Connection, job_id: int) -> list[dict[str, Any]]:
    """The units that something went wrong with, and what."""
    query = (
        sa.select(BackfillUnitRow.address, BackfillUnitRow.state, BackfillUnitRow.reason, BackfillUnitRow.detail)
        .where(BackfillUnitRow.job_id == job_id, BackfillUnitRow.reason.is_not(None))
        .order_by(BackfillUnitRow.id)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def summaries(connection: Connection, limit: int = 100) -> list[dict[str, Any]]:
    """The latest jobs, the newest first: what was asked for, units done of all, pages that wait."""
    done = sa.func.sum(sa.case((BackfillUnitRow.state == "done", 1), else_=0))
    units = (
        sa.select(BackfillUnitRow.job_id, done.label("done"), sa.func.count().label("units"))
        .group_by(BackfillUnitRow.job_id)
        .subquery()
    )
    query = (
        sa.select(BackfillJobRow.__table__, units.c.done, units.c.units)
        .outerjoin(units, units.c.job_id == BackfillJobRow.id)
        .order_by(BackfillJobRow.id.desc())
        .limit(limit)
    )
    names = ("id", "source", "targets", "since", "until", "created_at", "finished_at")
    return [
        {name: row[name] for name in names}
        | {"units": f"{row['done'] or 0} of {row['units'] or 0}", "waiting": _pages_waiting(connection, row["id"])}
        for row in connection.execute(query).mappings()
    ]


def _pages_waiting(connection: Connection, job_id: int) -> int:
    waits = PageRow.backfill_id == job_id, PageRow.next_fetch_at.is_not(None)
    return connection.scalar(sa.select(sa.func.count()).where(*waits)) or 0
