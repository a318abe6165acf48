"""One poll of one feed, from the request to what the log will say."""

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta

from pipeline.errors import FeedError, FetchError, SourceError
from pipeline.fetch import ACCEPT_FEED
from pipeline.fetch.request_options import RequestOptions
from pipeline.http.freshness import cache_hint, has_trusted_validators
from pipeline.http.link_header import read_links
from pipeline.ingest.child_sitemaps import read_children
from pipeline.ingest.rediscover import rediscover
from pipeline.model import Capture, Feed, ParsedFeed, Redirect, Response, Route, Validators
from pipeline.runtime.context import RunContext
from pipeline.runtime.events import Event
from pipeline.runtime.host_session import HostSession
from pipeline.runtime.reach import DoubtfulFailure
from pipeline.schedule.feed_state import permanent_target
from pipeline.schedule.pages import CUT_SHORT
from pipeline.store.feeds.feed_claims import spare_feed
from pipeline.store.feeds.feed_entries import PollCounts
from pipeline.store.feeds.polls import Poll, record_polls
from pipeline.store.frontier.hosts import hasten_host
from pipeline.store.frontier.routes import send_feed_on


async def poll_feed(context: RunContext, session: HostSession, feed: Feed) -> None:
    """Poll a feed of the host that is visited, and store what it brought.

    Where it redirects to another host it waits there, still due: that host is asked when it is its turn. The robots.txt
    of neither is asked, since a feed is subscribed to by somebody, as in a reader; pauses and leases hold for both.

    Raises:
        SessionEnded: the host must not be asked any more; nothing was stored.
    """
    await session.ready()
    started_at = context.now()
    captures: tuple[Capture, ...] = ()
    try:
        since = (
            started_at - context.settings.min_poll_interval
        )  # an answer to a run that was killed is news for so long
        asked = RequestOptions(
            ACCEPT_FEED, feed.validators, feed.access, delta=True, kept_since=since, takes_cut=feed.failures > 0
        )
        answer = await session.ask(feed.route or Route(feed.url), asked)
        captures = answer.captures
        await context.keep(captures, feed_id=feed.id)
        if isinstance(answer, Redirect):
            await _send_on(context, feed, answer.route)
            context.forget(captures)
            return
        poll = await _read(context, session, feed, answer, started_at)
    except FetchError as error:
        await context.keep(error.captures, feed_id=feed.id)
        captures += error.captures
        poll = _failed(feed, error, started_at, context.now())
        if await _is_spared(context, session, feed, error, poll):
            return
    counts = await _store(context, poll, captures)
    if counts.state == "gone":
        await rediscover(context, session, feed)


async def _store(context: RunContext, poll: Poll, captures: tuple[Capture, ...]) -> PollCounts:
    poll = replace(poll, began_at=context.scope.until, chance=context.chance())
    counts = await context.database.write_each(record_polls, poll, context.poll_policy)
    context.forget(captures)
    context.tally.report(_event(poll, counts))
    return counts


async def _is_spared(context: RunContext, session: HostSession, feed: Feed, error: FetchError, poll: Poll) -> bool:
    """Whether a failure is not the feed's for now: our own guard refused it, or perhaps nobody can be reached."""
    if error.reason.startswith("blocked_") and error.status is None and error.url == feed.url and feed.route is None:
        pause = timedelta(minutes=1) if context.scope.is_endless else timedelta(seconds=1)  # not in this run again
        due_at = max(context.scope.until, context.now()) + pause
        await context.database.write(spare_feed, feed.id, context.owner, error.reason, str(error), due_at)
        context.reach.refused[error.reason] += 1
        context.tally.report(_event(poll, PollCounts(state=feed.state)))
        return True
    if not context.reach.may_be_ours(error, context.now()):
        return False

    async def charge() -> None:
        await _store(context, poll, error.captures)

    async def spare() -> None:
        await context.database.write(spare_feed, feed.id, context.owner, error.reason, str(error))
        await context.database.write(hasten_host, session.host.name, context.now())

    context.reach.doubtful.append(DoubtfulFailure(session.host.name, context.now(), charge, spare))
    session.rest_after()
    return True


async def _send_on(context: RunContext, feed: Feed, route: Route) -> None:
    try:
        await context.database.write(send_feed_on, feed, context.owner, route, context.now())
    except ValueError as error:
        raise FetchError(feed.url, "bad_redirect", f"{route.url}: {error}") from error
    context.tally.report(Event("redirect", feed.url, "redirected", facts={"to": route.url}))


async def _read(
    context: RunContext, session: HostSession, feed: Feed, response: Response, started_at: datetime
) -> Poll:
    body_hash = hashlib.sha256(response.body).hexdigest()
    parsed: ParsedFeed | None = None
    # Some servers never answer 304; the same bytes as last time were read then.
    if response.status != 304 and body_hash != feed.body_hash:
        try:
            parsed = with_header_links(await context.workers.parse(response, response.url), response)
            if parsed.children:
                parsed = await read_children(context, session, feed, parsed)
        except FeedError as error:
            return _failed(feed, error, started_at, context.now(), response)
    return Poll(
        feed=feed,
        polled_at=started_at,
        outcome="read" if parsed else "unchanged",
        status=response.status,
        bytes=len(response.body),
        duration=response.elapsed,
        error=(CUT_SHORT if response.is_cut else parsed.malformed) if parsed else None,
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
        "bytes": poll.bytes,
        "seconds": round((poll.duration or timedelta(0)).total_seconds(), 3),
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
