"""A host's turn: its feeds, then its pages, one request after another with a pause between."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from pipeline.errors import FetchError
from pipeline.fetch import ACCEPT_TEXT
from pipeline.ingest.context import Context
from pipeline.ingest.pages import finish_page, record_blocked, record_error
from pipeline.ingest.polls import poll_feed
from pipeline.model import Page
from pipeline.robots import Robots, parse_robots, robots_text, robots_verdict
from pipeline.schedule import backoff
from pipeline.store.feeds import claim_feed
from pipeline.store.frontier import Host, claim_page, postpone_host, record_robots

TURN = 50
"""Pages of one turn; then other hosts that wait come first. Keeps a large source from holding up the rest."""

STRIKES = 6
"""Requests in a row without any answer after which a host is left alone until later."""

BUSY_PAUSE = timedelta(seconds=60)
"""The pause after a 429 that names none (RFC 6585 leaves it open)."""


@dataclass(slots=True)
class Budget:
    """How many pages this run may still fetch; None for any number."""

    pages: int | None

    @property
    def is_spent(self) -> bool:
        """Whether nothing is left."""
        return self.pages is not None and self.pages <= 0

    def spend(self) -> None:
        """Take one page off."""
        if self.pages is not None:
            self.pages -= 1


class Turn:
    """What one worker does with a host that it has leased.

    Attributes:
        next_at: no request to the host before this time.
        over: the host must not be asked again in this turn.
    """

    def __init__(self, context: Context, host: Host, budget: Budget, tasks: asyncio.TaskGroup) -> None:
        self._context = context
        self._host = host
        self._budget = budget
        self._tasks = tasks
        self._pause = max(context.settings.host_delay, host.delay)
        self._strikes = 0
        self.next_at = host.next_fetch_at
        self.over = False

    async def poll_feeds(self) -> None:
        """Poll the feeds of this host that are due."""
        context = self._context
        while not self.over:
            feed = await context.database.write(
                claim_feed, context.scope, self._host.name, context.owner, context.now(), context.settings.lease
            )
            if feed is None:
                return
            await context.pause_until(self.next_at)
            self._answered(await poll_feed(context, feed, self._pause))

    async def fetch_pages(self) -> None:
        """Fetch pages of this host that are due; each goes on to extraction by itself."""
        robots: Robots | None = None
        for _ in range(TURN):
            page = None if self.over else await self._claim_page()
            if page is None:
                return
            try:
                robots = robots or await self._read_robots(page)
                if robots.may_fetch(page.address, self._context.settings.user_agent):
                    await self._fetch(page)
                else:
                    await record_blocked(self._context, page)
            except FetchError as error:
                await record_error(self._context, page, error)
                if self.over and error.status is None:
                    await self._postpone(error)

    async def _claim_page(self) -> Page | None:
        if self._budget.is_spent:
            return None
        context = self._context
        page = await context.database.write(
            claim_page, context.scope, self._host.name, context.owner, context.now(), context.settings.lease
        )
        if page is not None:
            self._budget.spend()
        return page

    async def _fetch(self, page: Page) -> None:
        context = self._context
        await context.pause_until(self.next_at)
        await context.pace()
        await context.slots.acquire()
        try:
            response = await context.fetcher.get(page.address, validators=page.validators)
        except BaseException as error:
            context.slots.release()
            if isinstance(error, FetchError):
                self._answered(error)
            raise
        self._answered(None)
        task = self._tasks.create_task(finish_page(context, page, response))
        task.add_done_callback(lambda _: context.slots.release())

    def _answered(self, error: FetchError | None) -> None:
        """Take note of what a request came to: when the host may be asked again, and whether in this turn."""
        pause = self._pause
        self._strikes = self._strikes + 1 if error is not None and error.status is None else 0
        if self._strikes >= STRIKES:
            self.over = True
        if error is not None and (error.retry_after is not None or error.status == 429):
            pause = max(pause, error.retry_after if error.retry_after is not None else BUSY_PAUSE)
            self.over = True
        self.next_at = self._context.now() + pause

    async def _read_robots(self, page: Page) -> Robots:
        """The host's robots.txt, as remembered or anew (RFC 9309).

        Raises:
            FetchError: it cannot be had and never was: nothing may be fetched until it can (2.3.1.4).
        """
        context, host = self._context, self._host
        read_at = host.robots_fetched_at
        if read_at is not None and context.now() - read_at < context.settings.robots_ttl:
            return parse_robots(host.robots or "")
        url = f"{page.address.partition(':')[0]}://{host.name}/robots.txt"
        await context.pause_until(self.next_at)
        try:
            response = await context.fetcher.get(url, accept=ACCEPT_TEXT)
            text, status = robots_text(response.body), response.status
        except FetchError as error:
            if robots_verdict(error) != "allow_all":
                self._answered(error)
                if read_at is not None:
                    return parse_robots(host.robots or "")
                self.over = True
                raise FetchError(url, "robots_unreachable", str(error), temporary=True) from error
            text, status = "", error.status or 404
        robots = parse_robots(text)
        delay = robots.crawl_delay(context.settings.user_agent) or timedelta(0)
        self._pause = max(context.settings.host_delay, delay)
        self._answered(None)
        await context.database.write(record_robots, host.name, context.now(), text=text, status=status, delay=delay)
        return robots

    async def _postpone(self, error: FetchError) -> None:
        """The host is out of reach: leave it alone for a while, and count that for all of its pages that are due."""
        context = self._context
        now = context.now()
        self.next_at = max(self.next_at, now + backoff(self._host.failures + 1, context.settings.retry_delay))
        await context.database.write(postpone_host, context.scope, self._host.name, now, self.next_at, error)
