"""One poll of one feed, from the request to what the log will say."""

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta

from pipeline.errors import FeedError, FetchError, SourceError
from pipeline.fetch import ACCEPT_FEED
from pipeline.health import permanent_target
from pipeline.hints import cache_hint, has_trusted_validators
from pipeline.ingest.children import read_children
from pipeline.ingest.context import Context
from pipeline.ingest.events import Event
from pipeline.ingest.rediscover import rediscover
from pipeline.links import read_links
from pipeline.model import Feed, ParsedFeed, Response, Validators
from pipeline.store.polls import Poll, PollCounts, record_poll


async def poll_feed(context: Context, feed: Feed, pause: timedelta = timedelta(0)) -> FetchError | None:
    """Poll a feed and store what it brought; returns the error of the request, if there was one.

    ``pause`` is what the host wants between two requests, where one is not enough.
    """
    started_at = context.now()
    failure: FetchError | None = None
    try:
        response = await context.fetcher.get(feed.url, validators=feed.validators, accept=ACCEPT_FEED)
        poll = await _read(context, feed, response, started_at, pause)
    except FetchError as error:
        failure = error
        poll = _failed(feed, error, started_at, context.now())
    poll = replace(poll, began_at=context.scope.until, chance=context.chance())
    counts = await context.database.write(record_poll, poll, context.poll_policy)
    context.tally.report(_event(poll, counts))
    if counts.state == "gone":
        await rediscover(context, feed)
    return failure


async def _read(context: Context, feed: Feed, response: Response, started_at: datetime, pause: timedelta) -> Poll:
    body_hash = hashlib.sha256(response.body).hexdigest()
    parsed: ParsedFeed | None = None
    # Some servers never answer 304; the same bytes as last time were read then.
    if response.status != 304 and body_hash != feed.body_hash:
        try:
            parsed = with_header_links(await context.workers.parse(response, response.url), response)
            if parsed.children:
                parsed = await read_children(context, feed, parsed, pause)
        except FeedError as error:
            return _failed(feed, error, started_at, context.now(), response)
    return Poll(
        feed=feed,
        polled_at=started_at,
        outcome="read" if parsed else "unchanged",
        status=response.status,
        bytes=len(response.body),
        duration=response.elapsed,
        error=parsed.malformed if parsed else None,
        validators=_validators(response, parsed),
        body_hash=body_hash if parsed and _is_whole(parsed) and not response.is_delta else None,
        parsed=parsed,
        cache=cache_hint(response.headers, response.fetched_at),
        target=permanent_target(feed.url, response.redirects, response.url),
    )


def _validators(response: Response, parsed: ParsedFeed | None) -> Validators | None:
    """What to ask with the next time; None for what was asked with this time.

    New ones only where the whole document has been read: a 304 would hide what was missed.
    """
    if response.status == 304 or (parsed is not None and not _is_whole(parsed)):
        return None
    if response.is_delta and response.validators.etag is None:
        return None  # the next one is as well told from the copy that this one was told from
    return response.validators if has_trusted_validators(response.headers) else Validators()


def _is_whole(parsed: ParsedFeed) -> bool:
    """Whether the same bytes would bring nothing new: not where the end is missing or others hold the entries."""
    return not parsed.cut and not parsed.children


def with_header_links(parsed: ParsedFeed, response: Response) -> ParsedFeed:
    """The feed with the WebSub hubs of its response's headers, which count before those of the document (WebSub, 4)."""
    links = read_links(response.headers.get("link", ""), response.url)
    hubs = tuple(dict.fromkeys(link.url for link in links if "hub" in link.rels))
    if not hubs:
        return parsed
    return replace(
        parsed, hub_urls=hubs, self_url=next((link.url for link in links if "self" in link.rels), parsed.self_url)
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
        status=status,
        failed=True,
        retry_after=retry_after,
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
    if poll.is_delta:
        facts["delta"] = True
    if counts.missed:
        facts["missed"] = True
    if counts.state != poll.feed.state:
        facts["state"] = counts.state
    if poll.error:
        facts["error"] = poll.error
    return Event("poll", poll.feed.url, poll.outcome, poll.failed, facts)
