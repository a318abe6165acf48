"""A host that this worker has leased, and the only way to ask it for anything: politely.

No more requests at once than the settings allow, a pause between their beginnings (where one request runs at a time,
between the end of one and the beginning of the next), and none after the host has said that it is enough.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta

from pipeline.errors import FetchError
from pipeline.fetch.request_options import RequestOptions
from pipeline.http.answers import Download
from pipeline.model import Capture, Redirect, Response, Route
from pipeline.robots.robots_txt import Robots
from pipeline.runtime.asking_parts import AskingParts, SessionEnded
from pipeline.runtime.host_bearing import HostBearing
from pipeline.runtime.host_rules import HostRuleBook, HostRules, RulesGetter
from pipeline.runtime.reach import is_unanswered
from pipeline.store.frontier.hosts import LeasedHost
from pipeline.urls import host_of

DOUBT_PAUSE = timedelta(minutes=3)
"""Longer than a run waits for a host."""


class HostSession:
    """What one worker asks a host that it has leased.

    How many requests are under way at once is the caller's to decide (`pipeline.ingest.host_worker`): each of its
    lanes asks for one thing after the other.

    Attributes:
        host: as it was when it was leased.
        bearing: how it bears what it is asked: when it may be asked again, and whether at all in this session.
    """

    def __init__(self, parts: AskingParts, host: LeasedHost, get: RulesGetter) -> None:
        self.host = host
        self._parts = parts
        self.bearing = HostBearing(parts.settings, host)
        self._is_answered = False
        self._is_in_doubt = False
        self._door = asyncio.Lock()
        self._book = HostRuleBook(parts, host, get, lambda delay: self.bearing.set_crawl_delay(delay, parts.now()))

    async def robots(self, url: str) -> Robots:
        """The robots.txt of this host, the last one where it cannot be had now.

        Raises:
            FetchError: it never could be had: nothing may be fetched until it can.
            SessionEnded: the host must not be asked any more.
        """
        try:
            return await self._book.robots(url)
        except FetchError as error:
            if error.reason == "robots_unreachable":
                self.bearing.give_up()
            raise

    async def rules(self, url: str) -> HostRules:
        """The robots.txt and the tdmrep.json of this host; raises what `robots` does."""
        await self.robots(url)
        return await self._book.rules(url)

    async def require_allowed(self, url: str) -> Robots:
        """The robots.txt of this host, which allows the URL.

        Raises:
            FetchError: ``robots`` where it does not; ``robots_unreachable`` where it never could be had.
            SessionEnded: the host must not be asked any more.
        """
        robots = await self.robots(url)
        if not robots.may_fetch(url, self._parts.settings.user_agent):
            raise FetchError(url, "robots", "robots.txt forbids this URL")
        return robots

    async def ask(
        self,
        route: Route,
        asked: RequestOptions,
        *,
        may_follow: Callable[[str], bool] = lambda url: True,
        into_slot: bool = False,
    ) -> Response | Redirect:
        """Ask for a URL of this host, and for those that it redirects to on this host.

        Args:
            route: the URL, and how we came there.
            asked: what is asked with.
            may_follow: whether a redirect may be followed.
            into_slot: wait for one of the slots before the request; the caller releases it, if a response comes back.

        Returns:
            The response; or the redirect that leads to another host, or where it may not be followed.

        Raises:
            FetchError: it came to nothing.
            SessionEnded: the host must not be asked any more.
        """
        captures: tuple[Capture, ...] = ()
        while True:
            answer = await self.step(route, asked, into_slot=into_slot)
            captures = (*captures, *answer.captures)
            answer = replace(answer, captures=captures)
            if isinstance(answer, Response) or not self.has(answer.route.url) or not may_follow(answer.route.url):
                return answer
            route = answer.route

    async def ready(self) -> None:
        """Wait until the host may be asked, as far as that is known now."""
        await self._parts.pause_until(self.bearing.next_at)

    def has(self, url: str) -> bool:
        """Whether a URL is one of this host."""
        with suppress(ValueError):
            return host_of(url) == self.host.name
        return False

    @asynccontextmanager
    async def open(self, url: str, offset: int) -> AsyncIterator[Download]:
        """Open a file of any size of this host, to be read from a byte on, also when the session has ended.

        Raises:
            FetchError: it cannot be had; also while it is read.
            SessionEnded: the host must not be asked any more.
        """
        async with AsyncExitStack() as stack:
            async with self._request():
                download = await stack.enter_async_context(self._parts.fetcher.download(url, offset))
            yield download

    async def post(self, url: str, form: bytes) -> int:
        """Send a form to this host; returns the status, which is 2xx.

        Raises:
            FetchError: it was not taken, or that is not known.
            SessionEnded: the host must not be asked any more.
        """
        async with self._request():
            return await self._parts.fetcher.post(url, form)

    def rest_after(self) -> None:
        """Have nobody ask the host again in this run once the session has ended: the fault may be on our side."""
        self._is_in_doubt = True

    async def end(self) -> None:
        """Give the host back; the next who asks it waits as long as we would have.

        A host that never answered while no other did has shown nothing of what it bears.
        """
        if not self._is_answered and self._parts.reach.is_in_doubt(self._parts.now()):
            self.bearing.forget()
        if self._is_in_doubt:
            self.bearing.rest(self._parts.now() + DOUBT_PAUSE)
        await self._parts.ledger.release(self.host.name, *self.bearing.state)

    async def step(self, route: Route, asked: RequestOptions, *, into_slot: bool = False) -> Response | Redirect:
        """Ask once; a redirect is not followed, wherever it leads.

        Raises:
            FetchError: it came to nothing.
            SessionEnded: the host must not be asked any more.
        """
        answer: Response | Redirect | None = None
        async with self._request(into_slot=into_slot):
            try:
                answer = await self._parts.fetcher.step(route, asked)
            finally:
                if into_slot and not isinstance(answer, Response):
                    self._parts.slots.release()
        return answer

    @asynccontextmanager
    async def _request(self, *, into_slot: bool = False) -> AsyncIterator[None]:
        """Wait for the turn of a request, and take note of how the host bore it."""
        async with self._door:
            await self._wait(into_slot)
        began = asyncio.get_running_loop().time()
        try:
            yield
        except FetchError as error:
            await self._note_refusal(error)
            raise
        self._note_reached()
        elapsed = timedelta(seconds=asyncio.get_running_loop().time() - began)
        self.bearing.note_answer(elapsed, self._parts.now())

    async def _wait(self, into_slot: bool) -> None:
        parts = self._parts
        if into_slot:
            await parts.pace()
        while not self._is_to_end and parts.now() < self.bearing.next_at:
            await parts.pause_until(self.bearing.next_at)
        if into_slot and not self._is_to_end:
            await parts.slots.acquire()
            if self._is_to_end:
                parts.slots.release()
        if self._is_to_end:
            raise SessionEnded
        if not self.bearing.is_one_at_a_time:
            self.bearing.rest(parts.now() + self.bearing.pause)

    @property
    def _is_to_end(self) -> bool:
        return self.bearing.over or self._parts.stop.is_asked

    async def _note_refusal(self, error: FetchError) -> None:
        """Take note of a failure: when the host may be asked again, and whether in this session."""
        if not is_unanswered(error) and not error.reason.startswith("blocked_"):
            self._note_reached()
        if self.bearing.note_refusal(error, self._parts.now()):
            # At once: a worker may die, and the next one must not begin as fast.
            await self._parts.ledger.keep_pace(self.host.name, *self.bearing.state)

    def _note_reached(self) -> None:
        self._is_answered = True
        self._parts.reach.note_answer(self._parts.now())
