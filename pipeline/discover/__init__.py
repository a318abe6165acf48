"""Finding the feeds of a site: ``places`` (where they may be) → fetch → parse → ``candidates`` (which there are).

The order is that of politeness: what the site announces is asked first, and common paths are tried only where it
announces nothing. One request at a time, under the guard and robots.txt, and no more than `MAX_REQUESTS`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

from pipeline.config import Settings
from pipeline.discover.candidates import Candidate, candidate, ranked
from pipeline.discover.places import announced_feeds, linked_feeds, root_of, well_known
from pipeline.errors import FeedError, FetchError
from pipeline.fetch import ACCEPT_FEED, ACCEPT_PAGE, ACCEPT_TEXT, Fetcher
from pipeline.model import ParsedFeed, Response
from pipeline.robots import Robots, parse_robots, robots_text, robots_verdict

__all__ = ["Candidate", "discover"]

MAX_REQUESTS = 40
"""For one site, its robots.txt included: at a second each the answer comes within a minute."""

MAX_ANNOUNCED = 15
"""Announced feeds that are looked at; some sites announce one for each of hundreds of sections."""

MAX_LINKED = 10
"""Links that look like feeds that are looked at on one page."""

MAX_SITEMAPS = 5
"""Sitemaps that are looked at; archives have thousands, and Google wants news in one or two."""

Reader = Callable[[Response, str], Awaitable[ParsedFeed]]
"""Reads a document as a feed, or raises `FeedError`: `pipeline.workers.Workers.parse`."""

_FORBIDDEN = parse_robots("User-agent: *\nDisallow: /")


async def discover(
    fetcher: Fetcher,
    url: str,
    read: Reader,
    settings: Settings,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> list[Candidate]:
    """The feeds and news sitemaps of the site of a page, the best first; the address itself alone if it is a feed.

    Args:
        fetcher: asks.
        url: of a page of the site, or of a feed.
        read: reads feeds.
        settings: who asks, and how seldom.
        sleep: waits some seconds.

    Raises:
        FetchError: the page cannot be had, and nothing else was found.
    """
    return await _Search(fetcher, read, settings, sleep).run(url)


class _Search:
    def __init__(
        self, fetcher: Fetcher, read: Reader, settings: Settings, sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._fetcher = fetcher
        self._read = read
        self._settings = settings
        self._sleep = sleep
        self._left = MAX_REQUESTS
        self._robots: dict[str, Robots] = {}
        self._asked: set[str] = set()
        self._hosts: set[str] = set()
        self._found: list[Candidate] = []

    async def run(self, url: str) -> list[Candidate]:
        trouble: FetchError | None = None
        try:
            start = await self._get(url, ACCEPT_PAGE)
        except FetchError as error:
            if error.status is None and error.reason != "robots":
                raise  # there is no such site, or it does not answer: neither will it at other paths
            trouble, start = error, None
        if start is not None:
            if await self._note(url, start, "address itself"):
                return self._found
            await self._look_at_page(start)
        home = root_of(start.url if start else url)
        if not self._has_news and home not in self._asked:
            await self._look_at_home(home)
        if not self._has_news:
            await self._try(well_known(start.url if start else url), "common path")
        await self._look_at_sitemaps(home)
        if trouble is not None and not self._found:
            raise trouble
        return ranked(self._found)

    @property
    def _has_news(self) -> bool:
        """Whether a feed was found that is worth subscribing to."""
        return any(one.entries and not one.is_of_comments for one in self._found)

    async def _look_at_home(self, home: str) -> None:
        response = await self._get_or_none(home, ACCEPT_PAGE)
        if response is not None:
            await self._look_at_page(response)

    async def _look_at_page(self, page: Response) -> None:
        await self._try(announced_feeds(page)[:MAX_ANNOUNCED], "announced")
        # A list of feeds is itself called /rss or /feeds by many: what a linked page announces and links to counts.
        for lists in await self._try(linked_feeds(page)[:MAX_LINKED], "linked"):
            await self._try([*announced_feeds(lists), *linked_feeds(lists)][:MAX_LINKED], "linked")

    async def _look_at_sitemaps(self, home: str) -> None:
        try:
            robots = await self._robots_of(home)
        except FetchError:
            return
        sitemaps = sorted(robots.sitemaps, key=lambda sitemap: "news" not in sitemap.lower())
        for url in sitemaps[:MAX_SITEMAPS]:
            parsed = await self._sitemap(url)
            if parsed is not None and parsed.children:
                await self._look_into_index(url, parsed.children)

    async def _look_into_index(self, url: str, children: tuple[str, ...]) -> None:
        """Find the news below a sitemap index; one that is all of news is itself what to poll: its children change."""
        of_news = "news" in url.lower()
        named = [child for child in children if of_news or "news" in child.lower()]
        before = len(self._found)
        for child in named[: 1 if of_news else MAX_SITEMAPS]:
            await self._sitemap(child)
        if of_news:
            self._found[before:] = [replace(found, url=url) for found in self._found[before:]]

    async def _sitemap(self, url: str) -> ParsedFeed | None:
        """Read a sitemap, and note it if it is one of news: others list what a site has, not what is new."""
        response = await self._get_or_none(url, ACCEPT_FEED)
        if response is None:
            return None
        try:
            parsed = await self._read(response, response.url)
        except FeedError:
            return None
        found = candidate(url, response, parsed, "robots.txt")
        if found.kind == "news sitemap":
            self._found.append(found)
        return parsed

    async def _try(self, urls: Iterable[str], found: str) -> list[Response]:
        """Look at what may be feeds; returns what was none."""
        others = []
        for url in urls:
            response = await self._get_or_none(url, ACCEPT_FEED)
            if response is not None and not await self._note(url, response, found):
                others.append(response)
            if found == "common path" and self._has_news:
                break  # the next path mostly leads to the same feed
        return others

    async def _note(self, url: str, response: Response, found: str) -> bool:
        try:
            parsed = await self._read(response, response.url)
        except FeedError:
            return False
        if not parsed.children or found == "address itself":
            self._found.append(candidate(url, response, parsed, found))
        return True

    async def _get_or_none(self, url: str, accept: str) -> Response | None:
        try:
            return await self._get(url, accept)
        except FetchError:
            return None

    async def _get(self, url: str, accept: str) -> Response | None:
        """The answer to a request that robots.txt allows; None where it was asked before, or enough was asked.

        Raises:
            FetchError: it came to nothing; ``robots`` where it may not be asked.
        """
        if url in self._asked or self._left <= 0:
            return None
        self._asked.add(url)
        robots = await self._robots_of(url)
        if not robots.may_fetch(url, self._settings.user_agent):
            raise FetchError(url, "robots", "robots.txt forbids this URL, or cannot be had now", temporary=False)
        return await self._ask(url, accept, robots.crawl_delay(self._settings.user_agent))

    async def _ask(self, url: str, accept: str, delay: timedelta | None = None) -> Response:
        host = urlsplit(url).netloc.lower()
        if host in self._hosts:
            await self._sleep(max(self._settings.host_delay, delay or timedelta(0)).total_seconds())
        self._hosts.add(host)
        self._left -= 1
        response = await self._fetcher.get(url, accept=accept)
        self._asked.add(response.url)
        return response

    async def _robots_of(self, url: str) -> Robots:
        robots = urlsplit(url)._replace(path="/robots.txt", query="", fragment="").geturl()
        if robots not in self._robots:
            self._robots[robots] = await self._fetch_robots(robots)
        return self._robots[robots]

    async def _fetch_robots(self, url: str) -> Robots:
        """The rules of a host (RFC 9309).

        Raises:
            FetchError: the host does not answer at all.
        """
        try:
            response = await self._ask(url, ACCEPT_TEXT)
        except FetchError as error:
            if error.status is None and robots_verdict(error) != "allow_all":
                raise
            return parse_robots("") if robots_verdict(error) == "allow_all" else _FORBIDDEN
        return parse_robots(robots_text(response.body))
