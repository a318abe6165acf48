"""The search for a site's feeds as a whole, for who asks once: with a client and a reader of its own."""

import asyncio
from datetime import timedelta

from pipeline.config import Settings
from pipeline.discover import FeedCandidate, discover_feeds
from pipeline.runtime.run import open_client
from pipeline.runtime.workers import Workers


def discover_feeds_of(settings: Settings, url: str, within: timedelta | None = None) -> list[FeedCandidate]:
    """The feeds of the site of a page, the best first; politely, so that it may take a minute.

    After the time ``within``, those that were found up to then.

    Raises FetchError: the page cannot be had, or the time is over, and nothing else was found.
    """

    async def search() -> list[FeedCandidate]:
        address = url if "://" in url else f"https://{url}"
        async with open_client(settings) as client, Workers(1, settings.extract_timeout) as workers:
            return await discover_feeds(client, address, workers.parse, within)

    return asyncio.run(search())
