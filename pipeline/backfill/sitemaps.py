"""Sitemaps as a source: those that robots.txt names and those of indexes, pruned to the range before they are read."""

from dataclasses import replace
from urllib.parse import urljoin, urlsplit

from pipeline.backfill.job_runner import JobRunner
from pipeline.errors import ConfigError, FeedError, FetchError
from pipeline.fetch import ACCEPT_FEED
from pipeline.parse.listing import Listing
from pipeline.periods import select_relevant
from pipeline.store.backfill.job_units import count_units
from pipeline.store.backfill.job_values import BackfillUnit, UnitStep
from pipeline.urls import canonical_url

MAX_DEPTH = 5
"""Nested indexes that are followed; the protocol allows one, sites have been seen with three."""

MAX_UNITS = 100_000
"""Sitemaps of one job: twice what one index may name. A site that invents new ones for ever ends here."""

USUAL = "/sitemap.xml"


def plan_sitemap_units(target: str) -> list[tuple[str, str]]:
    """Make the first unit for a site, or for a sitemap by its address.

    Raises ConfigError: the target is neither.

    >>> plan_sitemap_units("example.org"), plan_sitemap_units("https://example.org/maps/news.xml")
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


async def read_site_unit(runner: JobRunner, unit: BackfillUnit) -> None:
    """Find the sitemaps of a site: those that its robots.txt names, else the one at the usual address."""
    try:
        robots = await runner.context.client.robots(unit.address)
    except FetchError as error:
        await runner.record(unit, runner.after(unit, error))
        return
    urls = list(select_relevant(robots.sitemaps, runner.job.wanted.period)) or [urljoin(unit.address, USUAL)]
    await runner.record(unit, UnitStep(children=[("sitemap", url) for url in urls]))


async def read_sitemap_unit(runner: JobRunner, unit: BackfillUnit) -> None:
    """Read one sitemap: pages of the range go into the frontier, the sitemaps of an index become units."""
    try:
        listing = await fetch_listing(runner, unit)
    except FetchError as error:
        await runner.record(unit, runner.after(unit, error))
        return
    except FeedError as error:
        await runner.record(unit, UnitStep("failed", reason=error.reason, detail=str(error)))
        return
    step = build_step(runner, listing)
    if listing.children and unit.depth >= MAX_DEPTH:
        step = replace(step, children=(), reason="too_deep", detail=f"{MAX_DEPTH} nested indexes")
    elif listing.children and await runner.context.database.read(count_units, runner.job.id) > MAX_UNITS:
        step = replace(step, children=(), reason="too_many", detail=f"more than {MAX_UNITS} sitemaps")
    await runner.record(unit, step)


async def fetch_listing(runner: JobRunner, unit: BackfillUnit) -> Listing:
    """Fetch and read a document that lists pages.

    Raises:
        FetchError: it cannot be fetched.
        FeedError: it lists nothing.
    """
    wanted = runner.job.wanted
    response = await runner.get(unit, unit.address, ACCEPT_FEED)
    listing = await runner.context.workers.read_listing(response, response.url, wanted.period, wanted.undated)
    runner.findings.months.update(listing.months)
    return listing


def build_step(runner: JobRunner, listing: Listing) -> UnitStep:
    """Make the step that stores the pages of a listing that are of the requested sites."""
    ours = [address for address in listing.addresses if runner.is_wanted(address.url)]
    counts = dict(listing.counts)
    if left_out := len(listing.addresses) - len(ours):
        counts["other_sites"] = left_out
    children = [("sitemap", url) for url in listing.children]
    return UnitStep(counts=counts, addresses=ours, children=children, detail=listing.flaw)
