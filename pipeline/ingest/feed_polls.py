"""One poll of one feed, from the request to what the log will say."""

import hashlib
from dataclasses import replace
from datetime import datetime

from pipeline.errors import FeedError, FetchError, SourceError
from pipeline.fetch import ACCEPT_FEED
from pipeline.fetch.asked import Asked
from pipeline.health import permanent_target
from pipeline.hints import cache_hint, has_trusted_validators
from pipeline.ingest.children import read_children
from pipeline.ingest.context import Context
from pipeline.ingest.events import Event
from pipeline.ingest.rediscover import rediscover
from pipeline.ingest.visit import Visit
from pipeline.links import read_links
from pipeline.model import Capture, Feed, ParsedFeed, Redirect, Response, Route, Validators
from pipeline.store.polls import Poll, PollCounts, record_poll
from pipeline.store.routes import send_feed_on


async def poll_feed(context: Context, visit: Visit, feed: Feed) -> None:
    """Poll a feed of the host that is visited, and store what it brought.

    Where it redirects to another host it waits there, still due: that host is asked when it is its turn. The robots.txt
    of neither is asked, since a feed is subscribed to by somebody, as in a reader; pauses and leases hold for both.

    Raises:
        VisitOver: the host must not be asked any more; nothing was stored.
    """
    await visit.ready()
    started_at = context.now()
    captures: tuple[Capture, ...] = ()
    try:
        since = (
            started_at - context.settings.min_poll_interval
        )  # an answer to a run that was killed is news for so long
        asked = Asked(ACCEPT_FEED, feed.validators, feed.access, delta=True, kept_since=since)
        answer = await visit.ask(feed.route or Route(feed.url), asked)
        captures = answer.captures
        await context.keep(captures, feed_id=feed.id)
        if isinstance(answer, Redirect):
            await _send_on(context, feed, answer.route)
            context.forget(captures)
            return
        poll = await _read(context, visit, feed, answer, started_at)
    except FetchError as error:
        await context.keep(error.captures, feed_id=feed.id)
        captures += error.captures
        poll = _failed(feed, error, started_at, context.now())
    poll = replace(poll, began_at=context.scope.until, chance=context.chance())
    counts = await context.database.write(record_poll, poll, context.poll_policy)
    context.forget(captures)
    context.tally.report(_event(poll, counts))
    if counts.state == "gone":
        await rediscover(context, visit, feed)


async def _send_on(context: Context, feed: Feed, route: Route) -> None:
    try:
        await context.database.write(send_feed_on, feed, context.owner, route, context.now())
    except ValueError as error:
        raise FetchError(feed.url, "bad_redirect", f"{route.url}: {error}", temporary=False) from error
    context.tally.report(Event("redirect", feed.url, "redirected", facts={"to": route.url}))


async def _read(context: Context, visit: Visit, feed: Feed, response: Response, started_at: datetime) -> Poll:
    body_hash = hashlib.sha256(response.body).hexdigest()
    parsed: ParsedFeed | None = None
    # Some servers never answer 304; the same bytes as last time were read then.
    if response.status != 304 and body_hash != feed.body_hash:
        try:
            parsed = with_header_links(await context.workers.parse(response, response.url), response)
            if parsed.children:
                parsed = await read_children(context, visit, feed, parsed)
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
