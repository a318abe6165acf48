"""Hosts: leased to one worker at a time, so that politeness holds however many workers and machines there are."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.schedule.throttle import Pace
from pipeline.store.connection.rows import batches, core, ensure_hosts, storable
from pipeline.store.frontier.due_work import Scope
from pipeline.store.frontier.leases import is_free
from pipeline.store.schema.tables import HostRow


@dataclass(frozen=True, slots=True)
class LeasedHost:
    """A host that a worker has leased."""

    name: str
    next_fetch_at: datetime
    delay: timedelta
    failures: int
    robots: str | None
    robots_fetched_at: datetime | None
    pace: Pace
    tdm: str | None
    tdm_fetched_at: datetime | None


def claim_hosts(
    connection: Connection, scope: Scope, owner: str, now: datetime, lease: timedelta, limit: int
) -> list[LeasedHost]:
    """Lease up to ``limit`` hosts that have work and may be asked now, the longest waiting first."""
    rows = (
        connection.execute(
            sa.select(HostRow.__table__)
            .where(HostRow.next_fetch_at <= now, is_free(HostRow, now), scope.has_work(now))
            .order_by(HostRow.next_fetch_at, HostRow.name)
            .limit(limit)
            .with_for_update(skip_locked=True, of=HostRow.__table__)
        )
        .mappings()
        .all()
    )
    for batch in batches([row["name"] for row in rows]):
        connection.execute(
            sa.update(HostRow).where(HostRow.name.in_(batch)).values(leased_until=now + lease, lease_owner=owner)
        )
    return [_host(row) for row in rows]


def lease_host(connection: Connection, name: str, owner: str, now: datetime, lease: timedelta) -> LeasedHost | None:
    """Lease one host, whether it has work or not; None where it may not be asked now, or another worker holds it."""
    ensure_hosts(connection, [name], now)
    done = connection.execute(
        sa.update(HostRow)
        .where(HostRow.name == name, HostRow.next_fetch_at <= now, is_free(HostRow, now))
        .values(leased_until=now + lease, lease_owner=owner)
    )
    if done.rowcount != 1:
        return None
    return _host(connection.execute(sa.select(HostRow.__table__).where(HostRow.name == name)).mappings().one())


def _host(row: sa.RowMapping) -> LeasedHost:
    average = row["response_time"]
    return LeasedHost(
        name=row["name"],
        next_fetch_at=row["next_fetch_at"],
        delay=timedelta(seconds=row["delay"]),
        failures=row["failures"],
        robots=row["robots"],
        robots_fetched_at=row["robots_fetched_at"],
        pace=Pace(row["strain"], None if average is None else timedelta(seconds=average)),
        tdm=row["tdm"],
        tdm_fetched_at=row["tdm_fetched_at"],
    )


def delay_host(connection: Connection, name: str, until: datetime) -> None:
    """Have nobody ask a host before this time."""
    connection.execute(
        sa.update(HostRow).where(HostRow.name == name, HostRow.next_fetch_at < until).values(next_fetch_at=until)
    )


def hasten_host(connection: Connection, name: str, now: datetime) -> None:
    """Let a host be asked at once."""
    connection.execute(
        sa.update(HostRow).where(HostRow.name == name, HostRow.next_fetch_at > now).values(next_fetch_at=now)
    )


def next_host_at(connection: Connection, scope: Scope, now: datetime, patience: timedelta) -> datetime | None:
    """When the next host with work may be asked, if that is soon; None where there is nothing to wait for.

    Hosts that another worker holds do not count: that worker does their work.
    """
    return connection.scalar(
        sa.select(sa.func.min(HostRow.next_fetch_at)).where(
            HostRow.next_fetch_at <= now + patience, is_free(HostRow, now), scope.has_work(now)
        )
    )


def record_robots(
    connection: Connection, host: str, now: datetime, *, text: str, status: int | None, delay: timedelta
) -> None:
    """Keep what robots.txt said, and the pause that it asks for."""
    connection.execute(
        sa.update(HostRow)
        .where(HostRow.name == host)
        .values(
            robots=storable(text), robots_status=status, robots_fetched_at=now, delay=delay.total_seconds(), failures=0
        )
    )


def record_tdm(connection: Connection, host: str, now: datetime, text: str) -> None:
    """Keep what a host's tdmrep.json said."""
    connection.execute(sa.update(HostRow).where(HostRow.name == host).values(tdm=storable(text), tdm_fetched_at=now))


def record_pace(
    connection: Connection, host: str, owner: str, next_fetch_at: datetime, pace: Pace, pause: timedelta
) -> None:
    """Keep what a host bears, for the worker that asks it next, even if that is because this worker dies."""
    connection.execute(_HELD, {"held_name": host, "held_by": owner} | _paced(next_fetch_at, pace, pause))


def release_host(
    connection: Connection,
    host: str,
    owner: str,
    next_fetch_at: datetime,
    pace: Pace | None = None,
    pause: timedelta = timedelta(0),
) -> None:
    """End the lease of a host; it is asked again from ``next_fetch_at`` on, at its pace where that is known."""
    values: dict[str, object] = {"next_fetch_at": next_fetch_at, "leased_until": None, "lease_owner": None}
    if pace is not None:
        values |= _paced(next_fetch_at, pace, pause)
    connection.execute(_HELD, {"held_name": host, "held_by": owner} | values)


_HELD = sa.update(core(HostRow)).where(
    HostRow.name == sa.bindparam("held_name"), HostRow.lease_owner == sa.bindparam("held_by")
)


def _paced(next_fetch_at: datetime, pace: Pace, pause: timedelta) -> dict[str, object]:
    average = pace.response_time
    return {
        "next_fetch_at": next_fetch_at,
        "strain": pace.strain,
        "response_time": None if average is None else average.total_seconds(),
        "pause": pause.total_seconds(),
    }
