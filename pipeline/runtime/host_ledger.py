"""What is known of hosts, and who may ask them now: in SQL for all workers, or in memory for one command."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from pipeline.runtime.database import Database
from pipeline.schedule.throttle import Pace
from pipeline.store.frontier.hosts import LeasedHost, lease_host, record_pace, record_robots, record_tdm, release_host


class HostLedger(Protocol):
    """Where leases of hosts are taken, and where what they said and bear is kept."""

    async def lease(self, name: str, now: datetime) -> LeasedHost | None:
        """The host, held from now on; None where it may not be asked now, or another holds it."""

    async def release(self, name: str, next_at: datetime, pace: Pace, pause: timedelta) -> None:
        """Give the host back: it may be asked again from ``next_at`` on, at this pace."""

    async def keep_pace(self, name: str, next_at: datetime, pace: Pace, pause: timedelta) -> None:
        """Keep what the host bears at once, for the case that this worker dies."""

    async def keep_robots(self, name: str, now: datetime, text: str, status: int, delay: timedelta) -> None:
        """Keep what the host's robots.txt said."""

    async def keep_tdm(self, name: str, now: datetime, text: str) -> None:
        """Keep what the host's tdmrep.json said."""


@dataclass(frozen=True, slots=True)
class SqlHostLedger:
    """The table ``host``, which all workers on all machines share.

    Attributes:
        owner: what this run signs its leases with.
        duration: how long a lease lasts unless it is renewed.
    """

    database: Database
    owner: str
    duration: timedelta

    async def lease(self, name: str, now: datetime) -> LeasedHost | None:
        """The host, held from now on; None where it may not be asked now, or another holds it."""
        return await self.database.write(lease_host, name, self.owner, now, self.duration)

    async def release(self, name: str, next_at: datetime, pace: Pace, pause: timedelta) -> None:
        """Give the host back."""
        await self.database.write(release_host, name, self.owner, next_at, pace, pause)

    async def keep_pace(self, name: str, next_at: datetime, pace: Pace, pause: timedelta) -> None:
        """Keep what the host bears."""
        await self.database.write(record_pace, name, self.owner, next_at, pace, pause)

    async def keep_robots(self, name: str, now: datetime, text: str, status: int, delay: timedelta) -> None:
        """Keep what the host's robots.txt said."""
        await self.database.write(record_robots, name, now, text=text, status=status, delay=delay)

    async def keep_tdm(self, name: str, now: datetime, text: str) -> None:
        """Keep what the host's tdmrep.json said."""
        await self.database.write(record_tdm, name, now, text)


@dataclass(frozen=True, slots=True)
class MemoryHostLedger:
    """The hosts that one command asks, without an archive."""

    hosts: dict[str, LeasedHost] = field(default_factory=dict)

    async def lease(self, name: str, now: datetime) -> LeasedHost | None:
        """The host; None where it may not be asked now."""
        host = self.hosts.get(name) or LeasedHost(name, now, timedelta(0), 0, None, None, Pace(), None, None)
        self.hosts[name] = host
        return host if host.next_fetch_at <= now else None

    async def release(self, name: str, next_at: datetime, pace: Pace, pause: timedelta) -> None:  # the protocol's
        """Give the host back."""
        self.hosts[name] = replace(self.hosts[name], next_fetch_at=next_at, pace=pace)

    async def keep_pace(self, name: str, next_at: datetime, pace: Pace, pause: timedelta) -> None:
        """Keep what the host bears."""
        await self.release(name, next_at, pace, pause)

    async def keep_robots(
        self, name: str, now: datetime, text: str, status: int, delay: timedelta
    ) -> None:  # the protocol's
        """Keep what the host's robots.txt said."""
        self.hosts[name] = replace(self.hosts[name], robots=text, robots_fetched_at=now, delay=delay)

    async def keep_tdm(self, name: str, now: datetime, text: str) -> None:
        """Keep what the host's tdmrep.json said."""
        self.hosts[name] = replace(self.hosts[name], tdm=text, tdm_fetched_at=now)
