"""Finding the feeds of a site: where they may be (``candidates``) → fetch → parse → which there are (``candidates``).

The order is that of politeness: what the site announces is asked first, and common paths are tried only where it
announces nothing. One request at a time, under the guard and robots.txt, and no more than `MAX_REQUESTS`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

from pipeline.discover.candidates import (
    FeedCandidate,
    announced_feeds,
    common_feed_urls,
    describe_candidate,
    front_page_url,
    linked_feeds,
    rank_candidates,
)
from pipeline.errors import FeedError, FetchError
from pipeline.fetch import ACCEPT_FEED, ACCEPT_PAGE
from pipeline.model import FeedAccess, ParsedFeed, Response
from pipeline.robots.robots_txt import Robots

__all__ = ["FeedCandidate", "discover_feeds"]

MAX_REQUESTS = 40
"""For one site, beside the robots.txt of further hosts: at a second each the answer comes within a minute."""

MAX_ANNOUNCED = 15
"""Announced feeds that are looked at; some sites announce one for each of hundreds of sections."""

MAX_LINKED = 10
"""Links that look like feeds that are looked at on one page."""

MAX_SITEMAPS = 5
"""Sitemaps that are looked at; archives have thousands, and Google wants news in one or two."""

Reader = Callable[[Response, str], Awaitable[ParsedFeed]]
"""Reads a document as a feed, or raises `FeedError`: `pipeline.runtime.workers.Workers.parse`."""


class PageGetter(Protocol):
    """Asks for pages as their hosts want to be asked: `pipeline.runtime.polite_client.PoliteClient`."""

    async def get(self, url: str, *, accept: str, access: FeedAccess | None = None) -> Response:
        """The answer, wherever it redirects to; raises `FetchError`, ``robots`` where it is not allowed."""
        ...

    async def robots(self, url: str) -> Robots:
        """The robots.txt of the URL's host; raises `FetchError` where it cannot be had."""
        ...


async def discover_feeds(
    client: PageGetter,
    url: str,
    read: Reader,
    within: timedelta | None = None,
) -> list[FeedCandidate]:
    """The feeds and news sitemaps of the site of a page, the best first; the address itself alone if it is a feed.

    After the time ``within``, what was found up to then.

    Raises FetchError: the page cannot be had, or the time is over, and nothing else was found.
    """
    search = _Search(client, read)
    try:
        async with asyncio.timeout(within.total_seconds() if within else None):
            return await search.run(url)
    except TimeoutError as error:
        if not search.found:
            raise FetchError(url, "deadline", "its site answers too slowly to be searched", temporary=True) from error
        return rank_candidates(search.found)


class _Search:
    def __init__(self, client: PageGetter, read: Reader) -> None:
        self._client = client
        self._read = read
        self._left = MAX_REQUESTS - 1
        self._asked: set[str] = set()
        self.found: list[FeedCandidate] = []

    async def run(self, url: str) -> list[FeedCandidate]:
        trouble: FetchError | None = None
        try:
            start = await self._get(url, ACCEPT_PAGE)
        except FetchError as error:
            if error.status is None and error.reason != "robots":
                raise  # there is no such site, or it does not answer: neither will it at other paths
            trouble, start = error, None
        if start is not None:
            if await self._note(url, start, "address itself"):
                return self.found
            await self._look_at_page(start)
        home = front_page_url(start.url if start else url)
        if not self._has_news and home not in self._asked:
            await self._look_at_home(home)
        if not self._has_news:
            await self._try(common_feed_urls(start.url if start else url), "common path")
        await self._look_at_sitemaps(home)
        if trouble is not None and not self.found:
            raise trouble
        return rank_candidates(self.found)

    @property
    def _has_news(self) -> bool:
        return any(candidate.entries and not candidate.is_of_comments for candidate in self.found)

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
            robots = await self._client.robots(home)
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
        before = len(self.found)
        for child in named[: 1 if of_news else MAX_SITEMAPS]:
            await self._sitemap(child)
        if of_news:
            self.found[before:] = [replace(candidate, url=url) for candidate in self.found[before:]]

    async def _sitemap(self, url: str) -> ParsedFeed | None:
        """Read a sitemap, and note it if it is one of news: others list what a site has, not what is new."""
        response = await self._get_or_none(url, ACCEPT_FEED)
        if response is None:
            return None
        try:
            parsed = await self._read(response, response.url)
        except FeedError:
            return None
        candidate = describe_candidate(url, response, parsed, "robots.txt")
        if candidate.kind == "news sitemap":
            self.found.append(candidate)
        return parsed

    async def _try(self, urls: Iterable[str], origin: str) -> list[Response]:
        """Look at what may be feeds; returns what was none."""
        others = []
        for url in urls:
            response = await self._get_or_none(url, ACCEPT_FEED)
            if response is not None and not await self._note(url, response, origin):
                others.append(response)
            if origin == "common path" and self._has_news:
                break  # the next path mostly leads to the same feed
        return others

    async def _note(self, url: str, response: Response, origin: str) -> bool:
        try:
            parsed = await self._read(response, response.url)
        except FeedError:
            return False
        if not parsed.children or origin == "address itself":
            self.found.append(describe_candidate(url, response, parsed, origin))
        return True

    async def _get_or_none(self, url: str, accept: str) -> Response | None:
        try:
            return await self._get(url, accept)
        except FetchError:
            return None

    async def _get(self, url: str, accept: str) -> Response | None:
        """The answer to a request that robots.txt allows; None where it was asked before, or enough was asked.

        Raises FetchError: it came to nothing; ``robots`` where it may not be asked.
        """
        if url in self._asked or self._left <= 0:
            return None
        self._asked.add(url)
        self._left -= 1
        response = await self._client.get(url, accept=accept)
        self._asked.add(response.url)
        return response
