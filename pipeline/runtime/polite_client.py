"""Asking any host politely: each under a lease of its own, at its pace, as its robots.txt allows.

Pages and feeds that redirect to another host wait there until it is its turn (`pipeline.store.frontier.routes`). What
must be known at once — a robots.txt, a list of a backfill, a page that somebody looks for feeds on — cannot wait so
long: it holds the other host for a moment, as soon as that is free.
"""

import asyncio
import copy
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from pipeline.errors import FetchError
from pipeline.fetch import ACCEPT_PAGE
from pipeline.fetch.request_options import RequestOptions
from pipeline.http.answers import Download
from pipeline.model import Capture, FeedAccess, Response, Route, Validators
from pipeline.robots.robots_txt import Robots, parse_robots
from pipeline.runtime.asking_parts import AskingParts, SessionEnded
from pipeline.runtime.host_ledger import HostLedger
from pipeline.runtime.host_session import HostSession
from pipeline.store.frontier.hosts import LeasedHost
from pipeline.urls import host_of

STEP = timedelta(milliseconds=250)
"""How often a host that another worker, or another turn, holds is tried again."""

PATIENCE = timedelta(seconds=60)
"""How long to wait for another host that a robots.txt redirects to: about as long as for an answer."""

_NONE = Validators()


class PoliteClient:
    """Asks hosts, each through a `HostSession` that lasts for one request.

    Args:
        patience: how long to wait for a host that is held by others, or wants to be left alone; None for as long as
            that takes.
    """

    def __init__(self, parts: AskingParts, patience: timedelta | None = None) -> None:
        self.parts = parts
        self._patience = patience
        self._held: HostSession | None = None
        self._doors: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._free_at: dict[str, datetime] = {}
        self._robots: dict[str, Robots] = {}

    def signing(self, ledger: HostLedger) -> "PoliteClient":
        """A client that takes its leases from another ledger, such as that of another owner."""
        return PoliteClient(replace(self.parts, ledger=ledger), self._patience)

    def holding(self, session: HostSession, patience: timedelta = timedelta(0)) -> "PoliteClient":
        """A client that asks the host of this session through it, and waits only so long for others."""
        client = copy.copy(self)
        client._held, client._patience = session, patience
        return client

    def begin_session(self, host: LeasedHost) -> HostSession:
        """A session with a host that is leased."""

        async def get(url: str, accept: str, kept_since: datetime) -> Response:
            client = self.holding(session, PATIENCE)
            return await client.get(url, accept=accept, kept_since=kept_since, heed_robots=False)

        session = HostSession(self.parts, host, get)
        return session

    async def get(
        self,
        url: str,
        *,
        accept: str = ACCEPT_PAGE,
        validators: Validators = _NONE,
        access: FeedAccess | None = None,
        kept_since: datetime | None = None,
        heed_robots: bool = True,
    ) -> Response:
        """Ask for a URL, following redirects to whatever hosts.

        Args:
            url: an absolute http(s) URL.
            accept: value of the ``Accept`` header.
            validators: of the copy that we have.
            access: what a user gave for one origin; nobody else is sent it.
            kept_since: as of `RequestOptions`.
            heed_robots: whether each URL on the way must be allowed by its host's robots.txt; not for robots.txt
                itself, and for what a user asked for by name.

        Raises:
            FetchError: it came to nothing; ``robots`` where a robots.txt forbids it, ``host_busy`` where a host is held
                by others, or wants to be left alone.
            SessionEnded: the run is to end.
        """
        route, asked = Route(url), RequestOptions(accept, validators, access, kept_since=kept_since)
        agent = self.parts.settings.user_agent
        captures: tuple[Capture, ...] = ()
        while True:
            async with self._session(route.url) as session:
                robots = parse_robots("")
                if heed_robots:
                    robots = self._robots[session.host.name] = await session.require_allowed(route.url)
                answer = await session.ask(route, asked, may_follow=partial(robots.may_fetch, user_agent=agent))
            captures += answer.captures
            if isinstance(answer, Response):
                return replace(answer, captures=captures)
            route = answer.route

    @asynccontextmanager
    async def open(self, url: str, offset: int = 0) -> AsyncIterator[Download]:
        """Open a file of any size under its host's robots.txt; it is read without holding the host.

        Raises:
            FetchError: it cannot be had; also while it is read.
            SessionEnded: the run is to end.
        """
        async with AsyncExitStack() as stack:
            async with self._session(url) as session:
                await session.require_allowed(url)
                download = await stack.enter_async_context(session.open(url, offset))
            yield download

    async def post(self, url: str, form: bytes) -> int:
        """Send a form; returns the status, which is 2xx. robots.txt is not asked: the address was given to be called.

        Raises:
            FetchError: it was not taken, or that is not known.
            SessionEnded: the run is to end.
        """
        async with self._session(url) as session:
            return await session.post(url, form)

    async def robots(self, url: str) -> Robots:
        """The robots.txt of a URL's host, as this client has read it before, the last one where it cannot be had now.

        Raises:
            FetchError: it never could be had.
            SessionEnded: the run is to end.
        """
        with suppress(ValueError):
            if (robots := self._robots.get(host_of(url))) is not None:
                return robots
        async with self._session(url) as session:
            robots = self._robots[session.host.name] = await session.robots(url)
            return robots

    @asynccontextmanager
    async def _session(self, url: str) -> AsyncIterator[HostSession]:
        try:
            name = host_of(url)
        except ValueError as error:
            raise FetchError(url, "bad_url", str(error)) from error
        try:
            if self._held is not None and self._held.host.name == name:
                yield self._held
                return
            async with self._doors[name]:
                session = self.begin_session(await self._lease(name, url))
                try:
                    yield session
                finally:
                    self._free_at[name] = session.bearing.next_at
                    await session.end()
        except SessionEnded:
            if self.parts.stop.is_asked:
                raise
            raise FetchError(url, "host_busy", "it wants to be left alone") from None

    async def _lease(self, name: str, url: str) -> LeasedHost:
        """Wait until the host may be asked and is held by nobody else."""
        parts = self.parts
        until = None if self._patience is None else parts.now() + self._patience
        while True:
            if parts.stop.is_asked:
                raise SessionEnded
            now = parts.now()
            free_at = self._free_at.get(name, now)
            host = await parts.ledger.lease(name, now) if free_at <= now else None
            if host is not None:
                return host
            if until is not None and (now >= until or free_at > until):
                raise FetchError(url, "host_busy", "another worker talks to it, or it wants to be left alone")
            wake_at = free_at if free_at > now else now + STEP
            await parts.pause_until(wake_at if until is None else min(wake_at, until))
