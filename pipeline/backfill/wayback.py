"""The Wayback Machine, or any archive that speaks its CDX index, as a source: one capture for each page.

The index is asked page by page, with the key to go on from that it gives (``resumeKey``); what it lists goes into the
frontier under the original address, to be fetched from the archive in its original bytes (``id_``). Both are asked at
the pace of the archive's host, which all workers share; 429 and Retry-After hold.

https://github.com/internetarchive/wayback/tree/master/wayback-cdx-server
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode, urljoin, urlsplit

from pipeline.backfill.desk import Desk
from pipeline.config import Settings
from pipeline.errors import ConfigError, FetchError
from pipeline.fetch import ACCEPT_TEXT
from pipeline.model import Address
from pipeline.parse.listing import moment_of
from pipeline.periods import Period, months_of
from pipeline.store.backfill import Step, Unit
from pipeline.urls import canonical_url

ROWS = 5000
"""Captures of one answer of the index; a line is some 200 bytes."""

LATER = timedelta(days=365)
"""How long after its publication a page may have been captured first, and still be looked for."""

FIELDS = ("urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length")


@dataclass(frozen=True, slots=True)
class Capture:
    """A copy that the archive has."""

    url: str
    original: str
    at: datetime
    length: int


def query_units(settings: Settings, targets: Iterable[str], period: Period) -> list[tuple[str, str]]:
    """A unit for each site or prefix: the query for the index, without the key to go on from.

    Captures are asked for from the begin of the range on: a page is mostly captured for the first time soon after its
    publication, but may be long after.

    Raises:
        ConfigError: one is no site and no prefix of addresses.
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
        if period.until is not None:
            query["to"] = f"{period.until + LATER:%Y%m%d%H%M%S}"
        units.append(("query", urljoin(settings.wayback_url, "/cdx/search/cdx") + "?" + urlencode(query)))
    return units


async def read_query(desk: Desk, unit: Unit) -> None:
    """Read the index to its end; each answer brings its pages in the transaction that moves the unit on."""
    settings, wanted = desk.context.settings, desk.job.wanted
    while True:
        url = unit.address + (f"&{urlencode({'resumeKey': unit.cursor})}" if unit.cursor else "")
        try:
            response = await desk.get(unit, url, ACCEPT_TEXT)
        except FetchError as error:
            if error.reason == "empty" and not unit.cursor:  # nothing is captured: said by a body of no bytes
                await desk.record(unit, Step())
                return
            await desk.record(unit, desk.after(unit, error))
            return
        captures, key, broken = read_index(response.body.decode("utf-8", "replace"))
        addresses, counts = chosen(captures, wanted.period, settings.wayback_url)
        ours = [address for address in addresses if desk.is_wanted(address.url)]
        counts |= {"broken": broken, "other_site": len(addresses) - len(ours)}
        desk.findings.months.update(months_of(one.published_at for one in addresses if one.published_at))
        goes_on = key is not None and key != unit.cursor
        step = Step("queued" if goes_on else "done", unit.position + 1, key, counts, ours)
        came_to = await desk.record(unit, step)
        if not goes_on or "lost" in came_to or came_to["beyond_limit"]:
            if goes_on and "lost" not in came_to:
                await desk.record(await desk.reload(unit), Step("done", step.position, key))
            return
        unit = await desk.reload(unit)


def read_index(text: str) -> tuple[list[Capture], str | None, int]:
    """The captures of an answer, the key to go on from, and how many lines could not be read.

    The key stands behind an empty line.
    """
    body, _, tail = text.rstrip("\n").partition("\n\n")
    captures: list[Capture] = []
    broken = 0
    for line in body.splitlines():
        capture = _capture(line)
        if capture is None:
            broken += bool(line.strip())
        else:
            captures.append(capture)
    return captures, tail.strip() or None, broken


def _capture(line: str) -> Capture | None:
    parts = line.split(" ")
    if len(parts) != len(FIELDS):
        return None
    row: Mapping[str, str] = dict(zip(FIELDS, parts, strict=True))
    try:
        at = datetime.strptime(row["timestamp"], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        url = canonical_url(row["original"])
    except ValueError:
        return None
    if row["statuscode"] not in {"200", "-"}:
        return None
    is_page = row["mimetype"] in {"text/html", "application/xhtml+xml", "unk", "-"}
    length = int(row["length"]) if row["length"].isdecimal() else 0
    return Capture(url if is_page else "", row["original"], at, length)


def chosen(captures: Iterable[Capture], period: Period, base: str) -> tuple[list[Address], dict[str, int]]:
    """The first capture of each page of the range, to be fetched from the archive; and counts of the rest.

    Where the address names the day, the range is about that; else about the day of the capture.
    """
    first: dict[str, Capture] = {}
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
        at, source = moment_of(url, None, capture.at)
        if at is None or at not in period:
            counts["outside"] += 1
            continue
        copy = urljoin(base, f"/web/{capture.at:%Y%m%d%H%M%S}id_/{capture.original}")
        addresses.append(Address(url, at, "url" if source == "url" else "capture", copy))
    return addresses, counts
