"""A feed that has gone is looked for on its site; another address is taken on clear evidence only."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pipeline.errors import FetchError
from pipeline.model import Feed
from pipeline.runtime.asking_parts import SessionEnded
from pipeline.runtime.context import RunContext
from pipeline.runtime.events import Event
from pipeline.runtime.host_session import HostSession
from pipeline.store.feeds.feed_addresses import GoneFeed, adopt_address, claim_feed_search

if TYPE_CHECKING:
    from pipeline.discover import FeedCandidate

AGAIN_AFTER = timedelta(days=30)
"""A site that had no other address for its feed is searched again after this time: relaunches take weeks."""

FRESH = timedelta(days=14)
"""An address whose newest entry is older than this is no successor of a feed that was read until lately."""

_ANNOUNCED = frozenset({"announced", "address itself"})


async def rediscover(context: RunContext, session: HostSession, feed: Feed) -> None:
    """Search the site of a feed that has gone, if that is due, and take over the address that is clearly the feed's."""
    lost = await context.database.write(claim_feed_search, feed.id, context.now(), AGAIN_AFTER)
    if lost is None:
        return
    from pipeline.discover import discover_feeds  # as long to import as the rest of a run, and seldom needed

    client = context.client.holding(session)  # a host that is busy now is left out: the site is searched again anyway
    try:
        candidates = await discover_feeds(client, lost.site_url, context.workers.parse)
    except FetchError as error:
        context.tally.report(Event("search", lost.site_url, error.reason, failed=True, facts={"error": str(error)}))
        return
    except SessionEnded:
        return  # the run is to end; the site is searched again in any case
    successor, evidence = choose_successor(lost, candidates, context.now())
    outcome = "not_found"
    if successor is not None:
        detail = f"{evidence}, on {lost.site_url}"
        taken = await context.database.write(
            adopt_address, feed.id, successor.url, context.now(), "rediscovered", detail
        )
        outcome = "refused" if taken is None else "found"
    facts = {"feed": feed.url, "candidates": len(candidates), "address": successor.url if successor else None}
    context.tally.report(Event("search", lost.site_url, outcome, facts=facts))


def choose_successor(
    lost: GoneFeed, candidates: Iterable["FeedCandidate"], now: datetime
) -> tuple["FeedCandidate | None", str]:
    """The one candidate that is clearly the lost feed at another address, and why; None where there is doubt.

    Clear is: its site announces it, it is alive, and it has the very title that the lost feed gave itself; and there is
    no second one of that kind. A feed of the same site alone is not the same feed.
    """
    title = (lost.title or "").strip().casefold()
    same = [
        candidate
        for candidate in candidates
        if title
        and (candidate.title or "").strip().casefold() == title
        and candidate.found in _ANNOUNCED
        and not candidate.is_of_comments
        and candidate.url != lost.url
        and candidate.newest_at is not None
        and now - candidate.newest_at < FRESH
    ]
    # The same in several formats: the first is as good as any.
    if len({candidate.kind for candidate in same}) > 1:
        same = same[:1]
    return (same[0], f"announced as {same[0].title!r}") if len(same) == 1 else (None, "")
