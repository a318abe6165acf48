"""What a backfill would take: pages, bytes, hours at the present politeness."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.backfill.run import Result
from pipeline.config import Settings
from pipeline.store.backfill import host_facts
from pipeline.store.engine import open_engine, reading
from pipeline.tables import PageRow

USUAL_BYTES = 120_000
"""Size of a news page after decompression, where none of its site is known: the median of some hundred sites."""


def estimate(settings: Settings, result: Result, rate: float | None) -> dict[str, Any]:
    """What the dry run of a job says of the real one.

    ``pages`` are those that are not in the ledger yet, ``known`` those that are; ``hours`` is the time that the host
    with most of them takes at its pause, or all of them at the rate, if that is longer.
    """
    counts, findings = result.counts, result.findings
    new = counts.get("queued", 0) + counts.get("read", 0)
    met = sum(findings.hosts.values()) or 1
    engine = open_engine(settings.database_url)
    try:
        with reading(engine) as connection:
            size = _mean_bytes(connection, findings.hosts)
            seconds = max(
                (
                    number * new / met * _pause(connection, host, settings).total_seconds()
                    for host, number in findings.hosts.items()
                ),
                default=0.0,
            )
    finally:
        engine.dispose()
    return {
        "pages": new,
        "known": counts.get("known", 0),
        "outside": counts.get("outside", 0),
        "undated": counts.get("undated", 0),
        "bytes": findings.bytes or int(new * size),
        "hours": round(max(seconds, new / rate if rate else 0.0) / 3600, 3),
        "hosts": len(findings.hosts),
        "units": sum(result.units.values()),
        "sample": findings.sample,
        "troubles": result.troubles,
    }


def _pause(connection: Connection, host: str, settings: Settings) -> timedelta:
    facts = host_facts(connection, host)
    return max(settings.host_delay, facts.delay if facts else timedelta(0))


def _mean_bytes(connection: Connection, hosts: Mapping[str, int]) -> float:
    if not hosts:
        return 0.0
    mean = connection.scalar(sa.select(sa.func.avg(PageRow.bytes)).where(PageRow.host.in_(list(hosts)[:500])))
    return float(mean or USUAL_BYTES)
