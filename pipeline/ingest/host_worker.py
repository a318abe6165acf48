"""A host's turn: its feeds, then its pages, as many at once as one host may be asked for."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pipeline.errors import FetchError
from pipeline.fetch import ACCEPT_PAGE
from pipeline.fetch.asked import Asked
from pipeline.ingest.context import Context
from pipeline.ingest.events import Event
from pipeline.ingest.pages import finish_page, record_blocked, record_error
from pipeline.ingest.polls import poll_feed
from pipeline.ingest.rules import RuleBook, Rules
from pipeline.ingest.visit import Visit, VisitOver
from pipeline.model import Page, Redirect, Response, Route
from pipeline.schedule import backoff
from pipeline.store.aliases import settle_page
from pipeline.store.feeds import claim_feed
from pipeline.store.frontier import Host, claim_page, give_back, postpone_host
from pipeline.store.routes import send_page_on
from pipeline.tables import FeedRow, PageRow

TURN = 50
"""Pages of one turn; then other hosts that wait come first. Keeps a large source from holding up the rest."""


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

    def give_back(self) -> None:
        """Add a page again that was not fetched after all."""
        if self.pages is not None:
            self.pages += 1


class Turn:
    """What one worker does with a host that it has leased.

    Attributes:
        visit: what the host is asked through.
    """

    def __init__(self, context: Context, host: Host, budget: Budget, tasks: asyncio.TaskGroup) -> None:
        self.visit = Visit(context, host)
        self._context = context
        self._budget = budget
        self._tasks = tasks
        self._rules = RuleBook(context, self.visit)
        self._left = TURN
        self._is_postponed = False

    async def poll_feeds(self) -> None:
        """Poll the feeds of this host that are due."""
        await self._in_lanes(self._poll_one)

    async def fetch_pages(self) -> None:
        """Fetch pages of this host that are due; each goes on to extraction by itself."""
        await self._in_lanes(self._fetch_one)

    async def _in_lanes(self, work: Callable[[], Awaitable[bool]]) -> None:
        """Do the work until it says that it is done, several times at once where the settings allow it."""

        async def lane() -> None:
            while not (self.visit.over or self._context.stop.is_asked) and await work():
                pass

        async with asyncio.TaskGroup() as lanes:
            for _ in range(self._context.settings.host_connections):
                lanes.create_task(lane())

    async def _poll_one(self) -> bool:
        context = self._context
        feed = await context.database.write(
            claim_feed, context.scope, self.visit.host.name, context.owner, context.now(), context.settings.lease
        )
        if feed is None:
            return False
        try:
            await poll_feed(context, self.visit, feed)
        except VisitOver:
            await context.database.write(give_back, FeedRow, feed.id, context.owner)
        return True

    async def _fetch_one(self) -> bool:
        context = self._context
        page = await self._claim_page()
        if page is None:
            return False
        try:
            rules = await self._rules.read(page.address)
            if rules.robots.may_fetch(page.address, context.settings.user_agent):
                await self._fetch(page, rules)
            else:
                await record_blocked(context, page)
        except VisitOver:
            self._budget.give_back()
            await context.database.write(give_back, PageRow, page.id, context.owner)
        except FetchError as error:
            await record_error(context, page, error)
            if self.visit.is_in_vain:
                await self._postpone(error)
        return True

    async def _claim_page(self) -> Page | None:
        if self._budget.is_spent or self._left <= 0:
            return None
        self._left -= 1
        self._budget.spend()
        context = self._context
        page = await context.database.write(
            claim_page, context.scope, self.visit.host.name, context.owner, context.now(), context.settings.lease
        )
        if page is None:
            self._budget.give_back()
        return page

    async def _fetch(self, page: Page, rules: Rules) -> None:
        context = self._context
        if page.route is not None and await self._settle(page, page.route.url):
            return
        answer = await self.visit.ask(
            page.route or Route(page.address),
            Asked(ACCEPT_PAGE, page.validators, page.access, kept_since=page.since),
            may_follow=lambda url: rules.robots.may_fetch(url, context.settings.user_agent),
            into_slot=True,
        )
        if isinstance(answer, Redirect):
            await context.keep(answer.captures, page_id=page.id)
            await self._send_on(page, answer.route)
            context.forget(answer.captures)
            return
        task = self._tasks.create_task(self._finish(page, answer, rules))
        task.add_done_callback(lambda _: context.slots.release())

    async def _finish(self, page: Page, response: Response, rules: Rules) -> None:
        await finish_page(self._context, page, response, rules.tdm.is_reserved(response.url))

    async def _send_on(self, page: Page, route: Route) -> None:
        """Leave a page that redirects to another host to that host's turn and rules."""
        context = self._context
        if self.visit.has(route.url):
            await record_blocked(context, page, route.url)
        elif not await self._settle(page, route.url):
            try:
                await context.database.write(send_page_on, page, context.owner, route, context.now())
            except ValueError as error:
                raise FetchError(page.url, "bad_redirect", f"{route.url}: {error}", temporary=False) from error
            self._budget.give_back()
            context.tally.report(Event("redirect", page.url, "redirected", facts={"to": route.url}))

    async def _settle(self, page: Page, target: str) -> bool:
        """Whether a page led to an article that is stored already: then it is another URL of that, and done."""
        context = self._context
        home = await context.database.write(settle_page, page, context.owner, target, context.now())
        if home is not None:
            context.tally.report(Event("page", page.url, "unchanged", facts={"home": home}))
        return home is not None

    async def _postpone(self, error: FetchError) -> None:
        """The host is out of reach: leave it alone for a while, and count that for all of its pages that are due."""
        if self._is_postponed:
            return
        self._is_postponed = True
        context, visit = self._context, self.visit
        now = context.now()
        visit.next_at = max(visit.next_at, now + backoff(visit.host.failures + 1, context.settings.retry_delay))
        await context.database.write(postpone_host, context.scope, visit.host.name, now, visit.next_at, error)
