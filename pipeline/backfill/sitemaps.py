"""Sitemaps as a source: what robots.txt names, index within index, each pruned to the range before it is read."""

from dataclasses import replace
from urllib.parse import urljoin, urlsplit

from pipeline.backfill.desk import Desk
from pipeline.errors import ConfigError, FeedError, FetchError
from pipeline.fetch import ACCEPT_FEED
from pipeline.parse.listing import Listing
from pipeline.periods import relevant
from pipeline.store.backfill import Step, Unit, count_units
from pipeline.urls import canonical_url

MAX_DEPTH = 5
"""Indexes within indexes that are followed; the protocol allows one, sites have been seen with three."""

MAX_UNITS = 100_000
"""Sitemaps of one job: twice what one index may name. A site that makes up new ones for ever ends here."""

USUAL = "/sitemap.xml"


def target_units(target: str) -> list[tuple[str, str]]:
    """The first unit for what the user named: a site, or a sitemap by its address.

    Raises:
        ConfigError: it is neither.

    >>> target_units("example.org"), target_units("https://example.org/maps/news.xml")
    ([('site', 'https://example.org/')], [('sitemap', 'https://example.org/maps/news.xml')])
    """
    url = target if "://" in target else f"https://{target}"
    try:
        canonical_url(url)
    except ValueError as error:
        raise ConfigError(f"{target}: neither a site nor the address of a sitemap: {error}") from error
    parts = urlsplit(url)
    if parts.path in {"", "/"} and not parts.query:
        return [("site", urljoin(url, "/"))]
    return [("sitemap", url)]


async def read_site(desk: Desk, unit: Unit) -> None:
    """Find the sitemaps of a site: those that its robots.txt names, else the one where most have theirs."""
    try:
        robots = await desk.robots_of(unit.address)
    except FetchError as error:
        await desk.record(unit, desk.after(unit, error))
        return
    urls = list(relevant(robots.sitemaps, desk.job.wanted.period)) or [urljoin(unit.address, USUAL)]
    await desk.record(unit, Step(children=[("sitemap", url) for url in urls]))


async def read_sitemap(desk: Desk, unit: Unit) -> None:
    """Read one sitemap: its pages of the range go into the frontier, the sitemaps of an index become units."""
    try:
        listing = await read_list(desk, unit)
    except FetchError as error:
        await desk.record(unit, desk.after(unit, error))
        return
    except FeedError as error:
        await desk.record(unit, Step("failed", reason=error.reason, detail=str(error)))
        return
    step = step_of(desk, listing)
    if listing.children and unit.depth >= MAX_DEPTH:
        step = replace(step, children=(), reason="too_deep", detail=f"{MAX_DEPTH} indexes within each other")
    elif listing.children and await desk.context.database.read(count_units, desk.job.id) > MAX_UNITS:
        step = replace(step, children=(), reason="too_many", detail=f"more than {MAX_UNITS} sitemaps")
    await desk.record(unit, step)


async def read_list(desk: Desk, unit: Unit) -> Listing:
    """Fetch and read a document that lists pages.

    Raises:
        FetchError: it cannot be had.
        FeedError: it lists nothing.
    """
    wanted = desk.job.wanted
    response = await desk.get(unit, unit.address, ACCEPT_FEED)
    listing = await desk.context.workers.read_listing(response, response.url, wanted.period, wanted.undated)
    desk.findings.months.update(listing.months)
    return listing


def step_of(desk: Desk, listing: Listing) -> Step:
    """What a listing brings: the pages of the sites that are asked for."""
    ours = [address for address in listing.addresses if desk.is_wanted(address.url)]
    counts = dict(listing.counts)
    if left_out := len(listing.addresses) - len(ours):
        counts["other_sites"] = left_out
    children = [("sitemap", url) for url in listing.children]
    return Step(counts=counts, addresses=ours, children=children, detail=listing.flaw)
