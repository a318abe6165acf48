"""Feeds as a source, beyond what they show: archived and paged feeds (RFC 5005), and WordPress's ``?paged=``.

A feed that names an older document is followed there. One that names none, and is WordPress's, is asked for its second
page and on, until a page brings nothing that was not there before: not every WordPress lets itself be paged.
"""

import re
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode, urlsplit

from pipeline.backfill.desk import Desk
from pipeline.backfill.sitemaps import read_list, step_of
from pipeline.errors import ConfigError, FeedError, FetchError
from pipeline.parse.listing import Listing
from pipeline.store.backfill import Step, Unit, known_in_job
from pipeline.urls import canonical_url

MAX_PAGES = 5000
"""Documents of one feed; at ten entries each more than any blog has."""

_WORDPRESS = re.compile(r"/(?:feed|rss2?|atom)/?$|[?&]feed=", re.IGNORECASE)


def feed_units(target: str) -> list[tuple[str, str]]:
    """The unit that a feed is.

    Raises:
        ConfigError: it is no address.
    """
    url = target if "://" in target else f"https://{target}"
    try:
        canonical_url(url)
    except ValueError as error:
        raise ConfigError(f"{target}: {error}") from error
    return [("feed", url)]


async def read_feed(desk: Desk, unit: Unit) -> None:
    """Read one document of a feed; the next older one becomes a unit of its own."""
    try:
        listing = await read_list(desk, unit)
    except FetchError as error:
        is_end = unit.depth > 0 and page_of(unit.address) > 1 and error.status in {400, 404, 410}
        await desk.record(unit, Step(counts={"pages_end": 1}) if is_end else desk.after(unit, error))
        return
    except FeedError as error:
        if unit.depth > 0 and page_of(unit.address) > 1:  # behind the last page some show a web page
            await desk.record(unit, Step(counts={"pages_end": 1}))
        else:
            await desk.record(unit, Step("failed", reason=error.reason, detail=str(error)))
        return
    step = step_of(desk, listing)
    onward = await _onward(desk, unit, listing)
    children = [("feed", onward)] if onward and unit.depth < MAX_PAGES else []
    await desk.record(unit, replace(step, cursor=listing.digest, children=children))


async def _onward(desk: Desk, unit: Unit, listing: Listing) -> str | None:
    """The document with older entries; None where there is none, or none that can hold what is asked for."""
    since = desk.job.wanted.period.since
    if since is not None and listing.earliest is not None and listing.earliest < since:
        return None  # newest first: what follows is older still
    if listing.onward is not None:
        return listing.onward
    page = page_of(unit.address)
    if not listing.counts.get("listed") or (page == 1 and not _WORDPRESS.search(unit.address)):
        return None
    if page > 1 and await desk.context.database.read(known_in_job, unit, listing.digest):
        return None  # the same again: it cannot be paged
    return with_page(unit.address, page + 1)


def page_of(url: str) -> int:
    """Which page of a WordPress feed an address is.

    >>> page_of("https://a.example/feed/?paged=7"), page_of("https://a.example/feed/")
    (7, 1)
    """
    told = dict(parse_qsl(urlsplit(url).query)).get("paged", "1")
    return int(told) if told.isdecimal() and len(told) < 7 else 1


def with_page(url: str, page: int) -> str:
    """The address of another page.

    >>> with_page("https://a.example/?feed=rss2&paged=2", 3)
    'https://a.example/?feed=rss2&paged=3'
    """
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != "paged"]
    return parts._replace(query=urlencode([*query, ("paged", str(page))])).geturl()
