"""The search for a site's feeds as a whole, for who asks once: with a client and a reader of its own."""

import asyncio

from pipeline.config import Settings
from pipeline.discover import FeedCandidate, discover_feeds
from pipeline.runtime.run import open_client
from pipeline.runtime.workers import Workers


def discover_feeds_of(settings: Settings, url: str) -> list[FeedCandidate]:
    """The feeds of the site of a page, the best first; politely, so that it may take a minute.

    Raises FetchError: the page cannot be had, and nothing else was found.
    """

    async def search() -> list[FeedCandidate]:
        address = url if "://" in url else f"https://{url}"
        async with open_client(settings) as client, Workers(1, settings.extract_timeout) as workers:
            return await discover_feeds(client, address, workers.parse)

    return asyncio.run(search())
