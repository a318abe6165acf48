"""The Wayback Machine, or any archive that speaks its CDX index, as a source: one capture for each page.

The index is read page by page, with the key that it gives for the next one (``resumeKey``); what it lists goes into the
frontier under the original address, to be fetched from the archive in its original bytes (``id_``). Both are requested
at the pace of the archive's host, which all workers share; 429 and Retry-After are obeyed.

https://github.com/internetarchive/wayback/tree/master/wayback-cdx-server
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode, urljoin, urlsplit

from pipeline.archive.member import CAPTURE_YEARS
from pipeline.backfill.job_runner import JobRunner
from pipeline.config import Settings
from pipeline.errors import ConfigError, FetchError
from pipeline.fetch import ACCEPT_TEXT
from pipeline.model import Address
from pipeline.parse.listing import choose_page_date
from pipeline.periods import Period, count_months
from pipeline.store.backfill.job_values import BackfillUnit, UnitStep
from pipeline.urls import canonical_url

ROWS = 5000
"""Captures of one answer of the index; a line is some 200 bytes."""

LATER = timedelta(days=365)
"""How long after its publication the first capture of a page is still searched for."""

FIELDS = ("urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length")


@dataclass(frozen=True, slots=True)
class CdxCapture:
    """A capture that the archive has."""

    url: str
    original: str
    at: datetime
    length: int


def plan_query_units(settings: Settings, targets: Iterable[str], period: Period) -> list[tuple[str, str]]:
    """Make a unit for each site or prefix: the query of the index, without the key to continue with.

    Captures are listed from the start of the range on: most pages are first captured soon after their publication, but
    some long after.

    Raises ConfigError: a target is neither a site nor a prefix of addresses.
    """
    units = []
    for target in targets:
        bare = target.partition("://")[2] if "://" in target else target
        try:
            canonical_url(f"http://{bare.removesuffix('*')}")
        except ValueError as error:
            raise ConfigError(f"{target}: neither a site nor the beginning of addresses: {error}") from error
        is_site = "/" not in bare.strip("/") and not bare.endswith("*")
        query = {
            "url": bare.rstrip("/") if is_site else bare.removesuffix("*"),
            "matchType": "domain" if is_site else "prefix",
            "collapse": "urlkey",
            "filter": "statuscode:200",
            "fl": ",".join(FIELDS),
            "limit": ROWS,
            "showResumeKey": "true",
        }
        if period.since is not None:
            query["from"] = f"{period.since:%Y%m%d%H%M%S}"
        if period.until is not None and period.until.year in CAPTURE_YEARS:
            query["to"] = f"{period.until + LATER:%Y%m%d%H%M%S}"
        units.append(("query", urljoin(settings.wayback_url, "/cdx/search/cdx") + "?" + urlencode(query)))
    return units


async def read_query_unit(runner: JobRunner, unit: BackfillUnit) -> None:
    """Read the index to its end; the pages of each answer are stored in the transaction that moves the unit on."""
    settings, wanted = runner.context.settings, runner.job.wanted
    while True:
        url = unit.address + (f"&{urlencode({'resumeKey': unit.cursor})}" if unit.cursor else "")
        try:
            response = await runner.get(unit, url, ACCEPT_TEXT)
        except FetchError as error:
            if error.reason == "empty" and not unit.cursor:  # nothing is captured: said by a body of no bytes
                await runner.record(unit, UnitStep())
                return
            await runner.record(unit, runner.after(unit, error))
            return
        captures, key, broken = read_cdx_index(response.body.decode("utf-8", "replace"))
        addresses, counts = choose_captures(captures, wanted.period, settings.wayback_url)
        ours = [address for address in addresses if runner.is_wanted(address.url)]
        counts |= {"broken": broken, "other_site": len(addresses) - len(ours)}
        runner.findings.months.update(count_months(page.published_at for page in addresses if page.published_at))
        goes_on = key is not None and key != unit.cursor
        step = UnitStep("queued" if goes_on else "done", unit.position + 1, key, counts, ours)
        came_to = await runner.record(unit, step)
        if not goes_on or "lost" in came_to or came_to["beyond_limit"]:
            if goes_on and "lost" not in came_to:
                await runner.record(await runner.reload(unit), UnitStep("done", step.position, key))
            return
        unit = await runner.reload(unit)


def read_cdx_index(text: str) -> tuple[list[CdxCapture], str | None, int]:
    """The captures of an answer of the index, the key to continue with, and the number of lines that cannot be read.

    The key follows an empty line.
    """
    body, _, tail = text.rstrip("\n").partition("\n\n")
    captures: list[CdxCapture] = []
    broken = 0
    for line in body.splitlines():
        capture = _capture(line)
        if capture is None:
            broken += bool(line.strip())
        else:
            captures.append(capture)
    return captures, tail.strip() or None, broken


def _capture(line: str) -> CdxCapture | None:
    parts = line.split(" ")
    if len(parts) != len(FIELDS):
        return None
    row: Mapping[str, str] = dict(zip(FIELDS, parts, strict=True))
    try:
        captured_at = datetime.strptime(row["timestamp"], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        url = canonical_url(row["original"])
    except ValueError:
        return None
    if captured_at.year not in CAPTURE_YEARS or row["statuscode"] not in {"200", "-"}:
        return None
    is_page = row["mimetype"] in {"text/html", "application/xhtml+xml", "unk", "-"}
    length = int(row["length"]) if row["length"].isdecimal() and len(row["length"]) < 16 else 0
    return CdxCapture(url if is_page else "", row["original"], captured_at, length)


def choose_captures(captures: Iterable[CdxCapture], period: Period, base: str) -> tuple[list[Address], dict[str, int]]:
    """Choose the first capture of each page of the range, to be fetched from the archive; counts the others.

    If the address of a page names its day, the range is about that day, else about the day of the capture.
    """
    first: dict[str, CdxCapture] = {}
    counts = {"listed": 0, "no_page": 0, "outside": 0, "again": 0}
    for capture in captures:
        if not capture.url or urlsplit(capture.url).path in {"/robots.txt", "/"}:
            counts["no_page"] += 1
        elif capture.url in first:
            counts["again"] += 1
        else:
            first[capture.url] = capture
    counts["listed"] = len(first)
    addresses: list[Address] = []
    for url, capture in first.items():
        at, source = choose_page_date(url, None, capture.at)
        if at is None or at not in period:
            counts["outside"] += 1
            continue
        copy = urljoin(base, f"/web/{capture.at:%Y%m%d%H%M%S}id_/{capture.original}")
        addresses.append(Address(url, at, "url" if source == "url" else "capture", copy))
    return addresses, counts
