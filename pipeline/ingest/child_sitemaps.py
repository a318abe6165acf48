"""The sitemaps of a sitemap index, read in the poll of the index."""

from pipeline.errors import FeedError, FetchError
from pipeline.fetch import ACCEPT_FEED
from pipeline.fetch.request_options import RequestOptions
from pipeline.model import Feed, ParsedFeed, Redirect, Route
from pipeline.runtime.asking_parts import SessionEnded
from pipeline.runtime.context import RunContext
from pipeline.runtime.host_session import HostSession
from pipeline.urls import host_of

MAX_FOLLOWED = 5
"""Sitemaps asked for in one poll: the newest. Today's news stands in one or two; an index may name thousands."""


async def read_children(context: RunContext, session: HostSession, feed: Feed, index: ParsedFeed) -> ParsedFeed:
    """The index with the entries of its newest sitemaps, as far as they can be had.

    Only those on the host of the feed are asked for: that is the one that this worker holds.

    Raises:
        FetchError: none of them could be had now.
        SessionEnded: the host must not be asked any more, before the first of them.
        FeedError: none of them is there, or a sitemap.
    """
    read: list[ParsedFeed] = []
    fault: FetchError | FeedError | None = None
    for url in [child for child in index.children if host_of(child) == feed.host][:MAX_FOLLOWED]:
        try:
            read.append(await _read_child(context, session, feed, url))
        except (FetchError, FeedError) as error:
            fault = error
            if isinstance(error, FetchError) and (error.status is None or error.status == 429):
                break  # the host is out of reach, or asks to be left alone
        except SessionEnded:
            if not read:
                raise
            break
    if isinstance(fault, FetchError) and fault.status in {404, 410} and not read:
        # It is its sitemaps that have gone, not the index.
        raise FeedError(feed.url, "unparsable", f"none of its sitemaps can be had: {fault}") from fault
    if fault is not None and not read:
        raise fault
    from pipeline.parse import merge_children  # documents are read by other processes, which import what that takes

    return merge_children(index, read)


async def _read_child(context: RunContext, session: HostSession, feed: Feed, url: str) -> ParsedFeed:
    since = context.now() - context.settings.min_poll_interval
    answer = await session.ask(Route(url), RequestOptions(ACCEPT_FEED, access=feed.access, kept_since=since))
    await context.keep(answer.captures, feed_id=feed.id)
    if isinstance(answer, Redirect):
        raise FetchError(url, "bad_redirect", f"to another host: {answer.route.url}")
    return await context.workers.parse(answer, answer.url)
