"""A host that this worker has leased, and the only way to ask it for anything: politely.

No more requests at once than the settings allow, a pause between their beginnings (where one request runs at a time,
between the end of one and the beginning of the next), and none after the host has said that it is enough.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from pipeline.errors import FetchError
from pipeline.fetch.asked import Asked
from pipeline.ingest.context import Context
from pipeline.model import Capture, Redirect, Response, Route
from pipeline.pace import Pace, PacePolicy, after_answer, after_refusal, pause_of
from pipeline.store.frontier import Host, record_pace, release_host
from pipeline.urls import host_of

STRIKES = 6
"""Requests in a row without an answer, or with a 503, after which a host is left alone until later."""

BUSY_PAUSE = timedelta(seconds=60)
"""The pause after a 429 that names none (RFC 6585 leaves it open)."""

_PACED = frozenset({429, 503})
_ANSWERED = frozenset({"bad_redirect", "redirect_loop", "too_many_redirects"})


class VisitOver(Exception):  # noqa: N818  # nothing went wrong: who waited for its turn is not to be asked for any more
    """The host must not be asked again, in this visit or since the run is to end: what waited is to be given back."""


class Visit:
    """What one worker asks a host that it has leased.

    How many requests are under way at once is what whoever asks decides (`pipeline.ingest.turn`): each asks for one
    thing after the other.

    Attributes:
        host: as it was when it was leased.
        next_at: no request before this time.
        over: the host must not be asked again in this visit.
        is_in_vain: since it does not answer.
    """

    def __init__(self, context: Context, host: Host) -> None:
        settings = context.settings
        self.host = host
        self.next_at = host.next_fetch_at
        self.over = False
        self.is_in_vain = False
        self._context = context
        self._pace = host.pace
        self._policy = PacePolicy(
            max(settings.host_delay, host.delay), settings.host_max_delay, settings.host_connections
        )
        self._strikes = 0
        self._door = asyncio.Lock()

    @property
    def pause(self) -> timedelta:
        """The time between two requests now."""
        return pause_of(self._pace, self._policy)

    def set_crawl_delay(self, delay: timedelta) -> None:
        """Leave at least this time between requests from now on."""
        self._policy = replace(self._policy, floor=max(self._context.settings.host_delay, delay))
        self.next_at = max(self.next_at, self._context.now() + self.pause)

    async def ask(
        self,
        route: Route,
        asked: Asked,
        *,
        may_follow: Callable[[str], bool] = lambda url: True,
        into_slot: bool = False,
    ) -> Response | Redirect:
        """Ask for a URL of this host, and for those that it redirects to on this host.

        Args:
            route: the URL, and how we came there.
            asked: what is asked with.
            may_follow: whether a redirect may be followed.
            into_slot: wait for one of the context's slots before the request; the caller releases it, if a response
                comes back.

        Returns:
            The response; or the redirect that leads to another host, or where it may not be followed.

        Raises:
            FetchError: it came to nothing.
            VisitOver: the host must not be asked any more.
        """
        captures: tuple[Capture, ...] = ()
        while True:
            answer = await self._step(route, asked, into_slot)
            captures = (*captures, *answer.captures)
            answer = replace(answer, captures=captures)
            if isinstance(answer, Response) or not self.has(answer.route.url) or not may_follow(answer.route.url):
                return answer
            route = answer.route

    async def ready(self) -> None:
        """Wait until the host may be asked, as far as that is known now."""
        await self._context.pause_until(self.next_at)

    def has(self, url: str) -> bool:
        """Whether a URL is one of this host."""
        with suppress(ValueError):
            return host_of(url) == self.host.name
        return False

    async def end(self) -> None:
        """Give the host back; whoever asks it next waits as long as we would have."""
        await self._context.database.write(release_host, *self._state)

    async def _step(self, route: Route, asked: Asked, into_slot: bool) -> Response | Redirect:
        context = self._context
        async with self._door:
            await self._wait(into_slot)
        answer: Response | Redirect | None = None
        try:
            answer = await context.fetcher.step(route, asked)
        except FetchError as error:
            await self._refused(error)
            raise
        finally:
            if into_slot and not isinstance(answer, Response):
                context.slots.release()
        self._answered(answer)
        return answer

    async def _wait(self, into_slot: bool) -> None:
        context = self._context
        if into_slot:
            await context.pace()
        while not self._is_to_end and context.now() < self.next_at:
            await context.pause_until(self.next_at)
        if into_slot and not self._is_to_end:
            await context.slots.acquire()
            if self._is_to_end:
                context.slots.release()
        if self._is_to_end:
            raise VisitOver
        if self._policy.connections > 1:
            self._rest(context.now() + self.pause)

    @property
    def _is_to_end(self) -> bool:
        return self.over or self._context.stop.is_asked

    def _answered(self, answer: Response | Redirect) -> None:
        self._strikes = 0
        self._pace = after_answer(self._pace, answer.elapsed)
        if self._policy.connections == 1:
            self._rest(self._context.now() + self.pause)

    async def _refused(self, error: FetchError) -> None:
        """Take note of a failure: when the host may be asked again, and whether in this visit."""
        self._pace = after_refusal(self._pace, error.status, error.reason)
        self._strikes = self._strikes + 1 if _is_strike(error) else 0
        pause = self.pause
        if self._strikes >= STRIKES:
            self.over = self.is_in_vain = True
        if error.retry_after is not None or error.status == 429:
            pause = max(pause, error.retry_after if error.retry_after is not None else BUSY_PAUSE)
            self.over = True
        if self._policy.connections == 1 or error.status in _PACED:
            self._rest(self._context.now() + pause)
        if error.status in _PACED:
            await self._record_pace()  # at once: a worker may die, and the next one must not begin as fast

    def _rest(self, until: datetime) -> None:
        self.next_at = max(self.next_at, until)

    async def _record_pace(self) -> None:
        await self._context.database.write(record_pace, *self._state)

    @property
    def _state(self) -> tuple[str, str, datetime, Pace, timedelta]:
        """Whose host this is, and what is known of it."""
        return self.host.name, self._context.owner, self.next_at, self._pace, self.pause


def _is_strike(error: FetchError) -> bool:
    """Whether a failure may mean that the host is out of reach: not where it leads somewhere, or we do not go there."""
    if error.reason in _ANSWERED or error.reason.startswith("blocked_"):
        return False
    return error.status is None or (error.status == 503 and error.retry_after is None)
