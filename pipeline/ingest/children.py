"""The sitemaps of a sitemap index, read in the poll of the index."""

from datetime import timedelta

from pipeline.errors import FeedError, FetchError
from pipeline.fetch import ACCEPT_FEED
from pipeline.ingest.context import Context
from pipeline.model import Feed, ParsedFeed
from pipeline.parse import with_children
from pipeline.urls import host_of

MAX_FOLLOWED = 5
"""Sitemaps asked for in one poll: the newest. Today's news stands in one or two; an index may name thousands."""


async def read_children(context: Context, feed: Feed, index: ParsedFeed, pause: timedelta) -> ParsedFeed:
    """The index with the entries of its newest sitemaps, as far as they can be had.

    Only those on the host of the feed are asked for: that is the one that this worker holds.

    Raises:
        FetchError: none of them could be had now.
        FeedError: none of them is there, or a sitemap.
    """
    read: list[ParsedFeed] = []
    fault: FetchError | FeedError | None = None
    for url in [child for child in index.children if host_of(child) == feed.host][:MAX_FOLLOWED]:
        await context.pause_until(context.now() + pause)
        try:
            response = await context.fetcher.get(url, accept=ACCEPT_FEED)
            read.append(await context.workers.parse(response, response.url))
        except (FetchError, FeedError) as error:
            fault = error
            if isinstance(error, FetchError) and (error.status is None or error.status == 429):
                break  # the host is out of reach, or asks to be left alone
    if isinstance(fault, FetchError) and fault.status in {404, 410} and not read:
        # It is its sitemaps that have gone, not the index.
        raise FeedError(feed.url, "unparsable", f"none of its sitemaps can be had: {fault}") from fault
    if fault is not None and not read:
        raise fault
    return with_children(index, read)
