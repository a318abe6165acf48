"""Estimate what a backfill would take: pages, bytes, hours at the present politeness."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.backfill.flow import BackfillResult
from pipeline.config import Settings
from pipeline.store.connection.engine import open_archive, reading
from pipeline.store.schema.tables import HostRow, PageRow

USUAL_BYTES = 120_000
"""Decompressed size of a news page of an unknown site: the median over some hundred sites."""


def estimate_job(settings: Settings, result: BackfillResult, rate: float | None) -> dict[str, Any]:
    """Estimate a job by its dry run.

    ``pages`` counts those that are not in the ledger yet, ``known`` those that are. ``hours`` is the time for the
    slowest host at its pause, or for all pages at the rate if that is longer.
    """
    counts, findings = result.counts, result.findings
    new = counts.get("queued", 0) + counts.get("read", 0)
    met = sum(findings.hosts.values()) or 1
    with open_archive(settings, check_schema=False) as engine, reading(engine) as connection:
        size = _mean_bytes(connection, findings.hosts)
        pauses = {host: _pause(connection, host, settings).total_seconds() for host in findings.hosts}
    seconds = max((number * new / met * pauses[host] for host, number in findings.hosts.items()), default=0.0)
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
    delay = connection.scalar(sa.select(HostRow.delay).where(HostRow.name == host))
    return max(settings.host_delay, timedelta(seconds=delay or 0.0))


def _mean_bytes(connection: Connection, hosts: Mapping[str, int]) -> float:
    if not hosts:
        return 0.0
    mean = connection.scalar(sa.select(sa.func.avg(PageRow.bytes)).where(PageRow.host.in_(list(hosts)[:500])))
    return float(mean or USUAL_BYTES)
