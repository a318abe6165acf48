"""A host's turn: its feeds, then its pages, as many at once as one host may be asked for."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pipeline.errors import FetchError
from pipeline.fetch import ACCEPT_PAGE
from pipeline.fetch.request_options import RequestOptions
from pipeline.ingest.feed_polls import poll_feed
from pipeline.ingest.page_results import finish_page, record_blocked, record_error
from pipeline.ingest.run_budget import Budget
from pipeline.model import Feed, Page, Redirect, Response, Route
from pipeline.runtime.asking_parts import SessionEnded
from pipeline.runtime.context import RunContext
from pipeline.runtime.events import Event
from pipeline.runtime.host_rules import HostRules
from pipeline.runtime.reach import DoubtfulFailure
from pipeline.runtime.stop import start_task
from pipeline.schedule.pages import page_retry_pause
from pipeline.store.feeds.feed_claims import claim_feeds
from pipeline.store.frontier.aliases import settle_page
from pipeline.store.frontier.due_work import Claim, HostShare, claim_each
from pipeline.store.frontier.hosts import LeasedHost, delay_host, hasten_host
from pipeline.store.frontier.leases import give_back
from pipeline.store.frontier.page_claims import claim_pages
from pipeline.store.frontier.page_outcomes import postpone_host, spare_page
from pipeline.store.frontier.routes import send_page_on
from pipeline.store.schema.tables import FeedRow, PageRow

T = TypeVar("T")

TURN = 50
"""Pages of one turn; then other hosts that wait come first. Keeps a large source from holding up the rest."""


class HostWorker:
    """What one worker does with a host that it has leased.

    Attributes:
        session: what the host is asked through.
    """

    def __init__(self, context: RunContext, host: LeasedHost, budget: Budget, tasks: asyncio.TaskGroup) -> None:
        self.session = context.client.begin_session(host)
        self._context = context
        self._budget = budget
        self._tasks = tasks
        self._left = TURN
        self._is_postponed = False
        self._feeds: deque[Feed] = deque()
        self._pages: deque[Page] = deque()
        self._claiming = asyncio.Lock()
        self._has_more = True

    async def poll_feeds(self) -> None:
        """Poll the feeds of this host that are due."""
        self._has_more = True
        await self._in_lanes(self._poll_one)
        for feed in self._feeds:
            await self._context.database.write(give_back, FeedRow, feed.id, self._context.owner)

    async def fetch_pages(self) -> None:
        """Fetch pages of this host that are due; each goes on to extraction by itself."""
        self._has_more = True
        await self._in_lanes(self._fetch_one)
        for page in self._pages:
            self._budget.give_back()
            await self._context.database.write(give_back, PageRow, page.id, self._context.owner)

    async def _in_lanes(self, work: Callable[[], Awaitable[bool]]) -> None:
        """Do the work until it says that it is done, several times at once where the settings allow it."""

        async def lane() -> None:
            while not (self.session.bearing.over or self._is_to_end) and await work():
                pass

        async with asyncio.TaskGroup() as lanes:
            for _ in range(self._context.settings.host_connections):
                lanes.create_task(lane())

    @property
    def _is_to_end(self) -> bool:
        return self._context.stop.is_asked or self._budget.is_over(self._context.now())

    async def _poll_one(self) -> bool:
        context = self._context
        async with self._claiming:
            if not self._feeds and self._has_more:
                self._feeds.extend(await self._claim(claim_feeds, TURN))
                self._has_more = len(self._feeds) == TURN
        if not self._feeds:
            return False
        feed = self._feeds.popleft()
        try:
            await poll_feed(context, self.session, feed)
        except SessionEnded:
            await context.database.write(give_back, FeedRow, feed.id, context.owner)
        return True

    async def _fetch_one(self) -> bool:
        context = self._context
        page = await self._claim_page()
        if page is None:
            return False
        try:
            rules = await self.session.rules(page.address)
            if rules.robots.may_fetch(page.address, context.settings.user_agent):
                await self._fetch(page, rules)
            else:
                await record_blocked(context, page)
        except SessionEnded:
            self._budget.give_back()
            await context.database.write(give_back, PageRow, page.id, context.owner)
        except FetchError as error:
            await self._fail(page, error)
        return True

    async def _fail(self, page: Page, error: FetchError) -> None:
        """Charge a failure to its page, and to its host where that is out of reach; not before it is known to be."""
        context, host = self._context, self.session.host.name

        async def charge() -> None:
            await record_error(context, page, error)
            if self.session.bearing.is_in_vain:
                await self._postpone(error)

        async def spare() -> None:
            await context.database.write(spare_page, context.scope, page, context.owner, context.now(), error)
            await context.database.write(hasten_host, host, context.now())

        if context.reach.may_be_ours(error, context.now()):
            context.reach.doubtful.append(DoubtfulFailure(host, context.now(), charge, spare))
            self.session.bearing.over = True
            self.session.rest_after()
        else:
            await charge()

    async def _claim_page(self) -> Page | None:
        """A page; as many are claimed as are asked for at once: a claim counts an attempt, whoever dies of what."""
        async with self._claiming:
            wanted = min(self._context.settings.host_connections, self._left, self._budget.left)
            if not self._pages and self._has_more and wanted > 0:
                self._left -= wanted
                self._budget.spend(wanted)
                self._pages.extend(await self._claim(claim_pages, wanted))
                self._budget.give_back(wanted - len(self._pages))
                self._has_more = len(self._pages) == wanted
        return self._pages.popleft() if self._pages else None

    async def _claim(self, claim: Claim[T], limit: int) -> list[T]:
        """What the function claims of this host, at most so many; hosts that claim at the same time do so together."""
        context, share = self._context, HostShare(self.session.host.name, limit)
        settings = context.settings
        return await context.database.write_each(
            claim_each, share, claim, context.scope, context.owner, context.now, settings.lease
        )

    async def _fetch(self, page: Page, rules: HostRules) -> None:
        context = self._context
        if page.route is not None and await self._settle(page, page.route.url):
            return
        answer = await self.session.ask(
            page.route or Route(page.address),
            RequestOptions(
                ACCEPT_PAGE, page.validators, page.access, kept_since=page.since, takes_cut=page.attempts > 1
            ),
            may_follow=lambda url: rules.robots.may_fetch(url, context.settings.user_agent),
            into_slot=True,
        )
        if isinstance(answer, Redirect):
            await context.keep(answer.captures, page_id=page.id)
            await self._send_on(page, answer.route)
            context.forget(answer.captures)
            return
        try:
            task = start_task(self._tasks, self._finish(page, answer, rules))
        except asyncio.CancelledError:
            context.client.parts.slots.release()
            raise
        task.add_done_callback(lambda _: context.client.parts.slots.release())

    async def _finish(self, page: Page, response: Response, rules: HostRules) -> None:
        await finish_page(self._context, page, response, rules.tdm.is_reserved(response.url))

    async def _send_on(self, page: Page, route: Route) -> None:
        """Leave a page that redirects to another host to that host's turn and rules."""
        context = self._context
        if self.session.has(route.url):
            await record_blocked(context, page, route.url)
        elif not await self._settle(page, route.url):
            try:
                await context.database.write(send_page_on, page, context.owner, route, context.now())
            except ValueError as error:
                raise FetchError(page.url, "bad_redirect", f"{route.url}: {error}") from error
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
        context, session = self._context, self.session
        now = context.now()
        session.bearing.rest(now + page_retry_pause(session.host.failures + 1, context.settings.retry_delay))
        name = session.host.name
        await context.database.write(postpone_host, context.scope, name, now, session.bearing.next_at, error)
        await context.database.write(delay_host, name, session.bearing.next_at)
