"""A feed that has gone is looked for on its site; another address is taken on clear evidence only."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

from pipeline.discover import Candidate, discover
from pipeline.errors import FetchError
from pipeline.ingest.context import Context
from pipeline.ingest.events import Event
from pipeline.ingest.tour import Tour
from pipeline.ingest.visit import Visit, VisitOver
from pipeline.model import Feed
from pipeline.store.addresses import Lost, adopt_address, take_up_search

if TYPE_CHECKING:
    from pipeline.fetch import Fetcher

AGAIN_AFTER = timedelta(days=30)
"""A site that had no other address for its feed is searched again after this time: relaunches take weeks."""

FRESH = timedelta(days=14)
"""An address whose newest entry is older than this is no successor of a feed that was read until lately."""

_ANNOUNCED = frozenset({"announced", "address itself"})


async def rediscover(context: Context, visit: Visit, feed: Feed) -> None:
    """Search the site of a feed that has gone, if that is due, and take over the address that is clearly the feed's."""
    lost = await context.database.write(take_up_search, feed.id, context.now(), AGAIN_AFTER)
    if lost is None:
        return
    tour = Tour(context, visit)  # a host that is busy now is left out: the site is searched again in any case
    try:
        found = await discover(cast("Fetcher", tour), lost.site_url, context.workers.parse, context.settings)
    except FetchError as error:
        context.tally.report(Event("search", lost.site_url, error.reason, failed=True, facts={"error": str(error)}))
        return
    except VisitOver:
        return  # the run is to end; the site is searched again in any case
    finally:
        await tour.end()
    successor, evidence = choose(lost, found, context.now())
    outcome = "not_found"
    if successor is not None:
        detail = f"{evidence}, on {lost.site_url}"
        taken = await context.database.write(
            adopt_address, feed.id, successor.url, context.now(), "rediscovered", detail
        )
        outcome = "refused" if taken is None else "found"
    facts = {"feed": feed.url, "candidates": len(found), "address": successor.url if successor else None}
    context.tally.report(Event("search", lost.site_url, outcome, facts=facts))


def choose(lost: Lost, found: Iterable[Candidate], now: datetime) -> tuple[Candidate | None, str]:
    """The one candidate that is clearly the lost feed at another address, and why; None where there is doubt.

    Clear is: its site announces it, it is alive, and it has the very title that the lost feed gave itself; and there is
    no second one of that kind. A feed of the same site alone is not the same feed.
    """
    title = (lost.title or "").strip().casefold()
    same = [
        one
        for one in found
        if title
        and (one.title or "").strip().casefold() == title
        and one.found in _ANNOUNCED
        and not one.is_of_comments
        and one.url != lost.url
        and one.newest_at is not None
        and now - one.newest_at < FRESH
    ]
    if len({one.kind for one in same}) > 1:  # the same in several formats: the one that the lost feed had is as good
        same = same[:1]
    return (same[0], f"announced as {same[0].title!r}") if len(same) == 1 else (None, "")
