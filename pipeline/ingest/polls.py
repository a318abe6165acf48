"""One poll of one feed, from the request to what the log will say."""

import hashlib
from dataclasses import replace
from datetime import datetime

from pipeline.errors import FeedError, FetchError, SourceError
from pipeline.fetch import ACCEPT_FEED
from pipeline.ingest.context import Context
from pipeline.ingest.events import Event
from pipeline.links import read_links
from pipeline.model import Feed, ParsedFeed, Response
from pipeline.schedule import next_poll_at
from pipeline.store.feeds import Poll, PollCounts, record_poll


async def poll_feed(context: Context, feed: Feed) -> FetchError | None:
    """Poll a feed and store what it brought; returns the error of the request, if there was one."""
    started_at = context.now()
    failure: FetchError | None = None
    try:
        response = await context.fetcher.get(feed.url, validators=feed.validators, accept=ACCEPT_FEED)
        poll = await _read(context, feed, response, started_at)
    except FetchError as error:
        failure = error
        poll = _failed(feed, error, started_at, context.now())
    counts = await context.database.write(record_poll, poll)
    context.tally.report(_event(poll, counts))
    return failure


async def _read(context: Context, feed: Feed, response: Response, started_at: datetime) -> Poll:
    body_hash = hashlib.sha256(response.body).hexdigest()
    parsed: ParsedFeed | None = None
    # Some servers never answer 304; the same bytes as last time were read then.
    if response.status != 304 and body_hash != feed.body_hash:
        try:
            parsed = with_header_links(await context.workers.parse(response, feed.url), response)
        except FeedError as error:
            return _failed(feed, error, started_at, context.now(), response)
    return Poll(
        feed=feed,
        polled_at=started_at,
        outcome="read" if parsed else "unchanged",
        next_poll_at=next_poll_at(context.now(), context.settings.poll_interval),
        status=response.status,
        bytes=len(response.body),
        duration=response.elapsed,
        error=parsed.malformed if parsed else None,
        # Only now that the document has been read: a 304 would hide what was missed.
        validators=response.validators if response.status != 304 else None,
        body_hash=body_hash if parsed else None,
        parsed=parsed,
    )


def with_header_links(parsed: ParsedFeed, response: Response) -> ParsedFeed:
    """The feed with the WebSub hub of its response's headers, which count before those of the document (WebSub, 4)."""
    links = read_links(response.headers.get("link", ""), response.url)
    hub = next((link.url for link in links if "hub" in link.rels), None)
    if hub is None:
        return parsed
    return replace(
        parsed, hub_url=hub, self_url=next((link.url for link in links if "self" in link.rels), parsed.self_url)
    )


def _failed(
    feed: Feed, error: SourceError, started_at: datetime, now: datetime, response: Response | None = None
) -> Poll:
    retry_after = error.retry_after if isinstance(error, FetchError) else None
    status = error.status if isinstance(error, FetchError) else response.status if response else None
    return Poll(
        feed=feed,
        polled_at=started_at,
        outcome=error.reason,
        next_poll_at=next_poll_at(now, feed.interval, feed.failures + 1, retry_after),
        status=status,
        failed=True,
        bytes=len(response.body) if response else 0,
        duration=response.elapsed if response else now - started_at,
        error=str(error),
    )


def _event(poll: Poll, counts: PollCounts) -> Event:
    facts: dict[str, object] = {
        "status": poll.status,
        "seen": counts.seen,
        "new": counts.new,
        "changed": counts.changed,
    }
    if poll.error:
        facts["error"] = poll.error
    return Event("poll", poll.feed.url, poll.outcome, poll.failed, facts)
