"""Feeds as a source, beyond what they show: archived and paged feeds (RFC 5005), and WordPress's ``?paged=``.

A feed that names an older document is followed there. A feed of WordPress that names none is asked for its
second page and so on, until a page brings nothing new: not every WordPress can be paged.
"""

import re
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode, urlsplit

from pipeline.backfill.job_runner import JobRunner
from pipeline.backfill.sitemaps import build_step, fetch_listing
from pipeline.errors import ConfigError, FeedError, FetchError
from pipeline.parse.listing import Listing
from pipeline.store.backfill.job_units import is_cursor_known
from pipeline.store.backfill.job_values import BackfillUnit, UnitStep
from pipeline.urls import canonical_url

MAX_PAGES = 5000
"""Documents of one feed; at ten entries each, more than any blog has."""

_WORDPRESS = re.compile(r"/(?:feed|rss2?|atom)/?$|[?&]feed=", re.IGNORECASE)


def plan_feed_units(target: str) -> list[tuple[str, str]]:
    """Make the one unit of a feed. Raises ConfigError when the target is no address."""
    url = target if "://" in target else f"https://{target}"
    try:
        canonical_url(url)
    except ValueError as error:
        raise ConfigError(f"{target}: {error}") from error
    return [("feed", url)]


async def read_feed_unit(runner: JobRunner, unit: BackfillUnit) -> None:
    """Read one document of a feed; the next older one becomes a unit of its own."""
    try:
        listing = await fetch_listing(runner, unit)
    except FetchError as error:
        is_end = unit.depth > 0 and find_page_number(unit.address) > 1 and error.status in {400, 404, 410}
        await runner.record(unit, UnitStep(counts={"pages_end": 1}) if is_end else runner.after(unit, error))
        return
    except FeedError as error:
        if unit.depth > 0 and find_page_number(unit.address) > 1:  # some show a web page behind the last one
            await runner.record(unit, UnitStep(counts={"pages_end": 1}))
        else:
            await runner.record(unit, UnitStep("failed", reason=error.reason, detail=str(error)))
        return
    step = build_step(runner, listing)
    onward = await _onward(runner, unit, listing)
    children = [("feed", onward)] if onward and unit.depth < MAX_PAGES else []
    await runner.record(unit, replace(step, cursor=listing.digest, children=children))


async def _onward(runner: JobRunner, unit: BackfillUnit, listing: Listing) -> str | None:
    """The document with older entries; None if there is none that can hold what is asked for."""
    since = runner.job.wanted.period.since
    if since is not None and listing.earliest is not None and listing.earliest < since:
        return None  # newest first: what follows is older still
    if listing.onward is not None:
        return listing.onward
    page = find_page_number(unit.address)
    if not listing.counts.get("listed") or (page == 1 and not _WORDPRESS.search(unit.address)):
        return None
    if page > 1 and await runner.context.database.read(is_cursor_known, unit, listing.digest):
        return None  # the same again: it cannot be paged
    return set_page_number(unit.address, page + 1)


def find_page_number(url: str) -> int:
    """The number of the page of a WordPress feed that an address names.

    >>> find_page_number("https://a.example/feed/?paged=7"), find_page_number("https://a.example/feed/")
    (7, 1)
    """
    number = dict(parse_qsl(urlsplit(url).query)).get("paged", "1")
    return int(number) if number.isdecimal() and len(number) < 7 else 1


def set_page_number(url: str, page: int) -> str:
    """The address of another page of a WordPress feed.

    >>> set_page_number("https://a.example/?feed=rss2&paged=2", 3)
    'https://a.example/?feed=rss2&paged=3'
    """
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != "paged"]
    return parts._replace(query=urlencode([*query, ("paged", str(page))])).geturl()
