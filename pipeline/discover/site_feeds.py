"""The search for a site's feeds, and a first look at addresses: for who asks once, with a client and a reader."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import timedelta

from pipeline.config import Settings
from pipeline.discover import FeedCandidate, discover_feeds
from pipeline.discover.first_look import FirstLook, look_at_address
from pipeline.errors import ungrouped
from pipeline.model import FeedAccess
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


def look_at_addresses(
    settings: Settings, addresses: Mapping[str, FeedAccess | None], tell: Callable[[FirstLook], None]
) -> None:
    """Look once at each address, at many hosts at the same time, and tell what is there as it becomes known."""

    async def look_at_all() -> None:
        places = asyncio.Semaphore(settings.concurrency)
        async with open_client(settings) as client, Workers(1, settings.extract_timeout) as workers:

            async def look(url: str, access: FeedAccess | None) -> None:
                async with places:
                    tell(await look_at_address(client, url, workers.parse, access))

            async with asyncio.TaskGroup() as tasks:
                for url, access in addresses.items():
                    tasks.create_task(look(url, access))

    with ungrouped():
        asyncio.run(look_at_all())
