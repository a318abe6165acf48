"""All pages that a sitemap or a feed archive lists, with their dates; polls read less (`pipeline.parse.sitemap`)."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from lxml import etree

from pipeline.http.link_header import absolute_url
from pipeline.model import Address, ParsedFeed
from pipeline.parse.document import FeedDocument, form_of, inflate_body, read_document
from pipeline.parse.feed import read_feed
from pipeline.parse.jsonfeed import parse_json_feed
from pipeline.parse.sitemap import SitemapRow, keep_own_sites, read_moment, read_rows
from pipeline.periods import ZONES, Period, count_months, period_in_url, select_relevant
from pipeline.urls import canonical_url

MAX_LINES = 50_000
"""Addresses read of a sitemap that is plain text, one a line: where the protocol ends."""

ONWARD = ("prev-archive", "next")
"""Relations of the document with the entries before (RFC 5005): an archived feed's, a paged one's."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One document that lists pages.

    Attributes:
        kind: ``index``, ``sitemap``, ``feed`` or ``text``.
        addresses: the pages of the range, each once, in the document's order.
        children: of an index the sitemaps that may hold pages of the range, absolute, in order.
        onward: the address of the document with older entries, where it names one.
        months: dated pages by month, in and out of the range.
        counts: ``listed``, ``outside``, ``undated``, ``unusable`` (no address of this site); of an index ``pruned``.
        earliest: the oldest date in it.
        flaw: what was wrong with it, where it was readable all the same.
        digest: of all its pages; tells two documents of a feed apart.
    """

    kind: str
    addresses: tuple[Address, ...] = ()
    children: tuple[str, ...] = ()
    onward: str | None = None
    months: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    earliest: datetime | None = None
    flaw: str | None = None
    digest: str = ""


def read_listing(
    body: bytes,
    url: str,
    *,
    content_type: str = "",
    charset: str | None = None,
    now: datetime | None = None,
    period: Period | None = None,
    undated: bool = False,
) -> Listing:
    """The pages that a sitemap, a sitemap index, a feed or a plain list names.

    A gzip file will do. Of the pages, those of the period are wanted; whether those without any date are,
    ``undated`` says.

    Raises FeedError: it is none of these.
    """
    body = inflate_body(body)
    wanted = _Wanted(period or Period(), undated)
    form = form_of(body)
    if form == "lines" and (lines := _lines(body)):
        return _listed("text", [(address, None, None) for address in lines], url, wanted, flaw=None)
    if form == "json":
        return _of_feed(parse_json_feed(body, url, charset, now), _next_url(body, url), wanted)
    return _of_markup(read_document(body, url, content_type, charset), url, now, wanted)


def _of_markup(document: FeedDocument, url: str, now: datetime | None, wanted: "_Wanted") -> Listing:
    if document.form == "feed":
        return _of_feed(read_feed(document, url, now), next(_links(document, url), None), wanted)
    rows, flaw = _rows(document)
    if document.form == "sitemap index":
        return _of_index(rows, url, now, wanted.period, flaw)
    links = [(row.texts.get("loc", ""), *_dates(row, now)) for row in rows]
    return _listed("sitemap", links, url, wanted, flaw)


@dataclass(frozen=True, slots=True)
class _Wanted:
    period: Period
    undated: bool

    def takes(self, at: datetime | None) -> bool:
        if at is None:
            return self.undated or not self.period.is_bounded
        return at in self.period


def choose_page_date(
    url: str, published_at: datetime | None, changed_at: datetime | None
) -> tuple[datetime | None, str]:
    """The one moment that a page counts as published at, and who says so; for pages listed with one date or several.

    A last change may be years later than the publication; where the address names the day, it only adds the time.
    """
    if published_at is not None:
        return published_at, "news_sitemap"
    named = period_in_url(url)
    is_day = named is not None and named.until is not None and named.since is not None
    if is_day and named is not None and named.until - named.since <= timedelta(days=1):  # type: ignore[operator]
        if changed_at is not None and changed_at in named.widened(ZONES):
            return changed_at, "lastmod"
        return named.since, "url"
    if changed_at is not None:
        return changed_at, "lastmod"
    return (named.since, "url") if named is not None else (None, "")


def _rows(document: FeedDocument) -> tuple[list[SitemapRow], str | None]:
    rows, notes = read_rows(document)
    if document.left_out:
        notes.append(f"{document.left_out} entries too many or too large")
    return rows, "; ".join(notes)[:500] or None


def _dates(row: SitemapRow, now: datetime | None) -> tuple[datetime | None, datetime | None]:
    return read_moment((row.news or {}).get("publication_date"), now), read_moment(row.texts.get("lastmod"), now)


def _listed(
    kind: str,
    links: Sequence[tuple[str, datetime | None, datetime | None]],
    url: str,
    wanted: _Wanted,
    flaw: str | None,
) -> Listing:
    home = _canonical("/", url)
    located = ((_canonical(loc, url), published, changed) for loc, published, changed in links)
    pages = {page: (published, changed) for page, published, changed in located if page and page != home}
    ours = keep_own_sites(list(pages), url)
    dated = {page: choose_page_date(page, *dates) for page, dates in pages.items() if page in ours}
    return _chosen(kind, dated, wanted, unusable=len(links) - len(dated), flaw=flaw)


def _of_feed(feed: ParsedFeed, onward: str | None, wanted: _Wanted) -> Listing:
    dated: dict[str, tuple[datetime | None, str]] = {}
    for entry in feed.entries:
        if entry.url is not None:
            at = entry.published_at or entry.updated_at
            dated[entry.url] = (at, "feed" if entry.published_at else "lastmod")
    unusable = len(feed.entries) - len(dated)
    return _chosen("feed", dated, wanted, unusable=unusable, flaw=feed.malformed, onward=onward)


def _chosen(
    kind: str,
    dated: dict[str, tuple[datetime | None, str]],
    wanted: _Wanted,
    *,
    unusable: int,
    flaw: str | None,
    onward: str | None = None,
) -> Listing:
    taken = tuple(Address(page, at, source) for page, (at, source) in dated.items() if wanted.takes(at))
    undated = sum(at is None for at, _ in dated.values())
    left_out = len(dated) - len(taken)
    moments = [at for at, _ in dated.values() if at is not None]
    missing = 0 if wanted.takes(None) else undated
    counts = {"listed": len(dated), "outside": left_out - missing, "undated": missing, "unusable": unusable}
    return Listing(
        kind,
        taken,
        onward=onward,
        months=count_months(moments),
        counts=counts,
        earliest=min(moments, default=None),
        flaw=flaw,
        digest=hashlib.sha256("\n".join(dated).encode()).hexdigest(),
    )


def _of_index(rows: list[SitemapRow], url: str, now: datetime | None, period: Period, flaw: str | None) -> Listing:
    located = {
        link: read_moment(row.texts.get("lastmod"), now)
        for row in rows
        if (link := absolute_url(row.texts.get("loc", "").strip(), url)) and link != url
    }
    # What was last changed before the range can hold no page of it.
    recent = [link for link, at in located.items() if at is None or period.since is None or at >= period.since - ZONES]
    ours = keep_own_sites(recent, url)
    children = tuple(link for link in select_relevant(recent, period) if link in ours)
    counts = {"pruned": len(located) - len(children), "unusable": len(rows) - len(located)}
    return Listing("index", children=children, counts=counts, flaw=flaw)


def _canonical(link: str, url: str) -> str | None:
    try:
        return canonical_url(link, url)
    except ValueError:
        return None


def _links(document: FeedDocument, url: str) -> Iterator[str]:
    """Where the older entries stand, as the head of the feed says: an archive before a page."""
    targets: dict[str, str] = {}
    head = document.markup[:200_000].encode()
    try:
        walk = etree.XMLPullParser(events=("start",), recover=True, resolve_entities=False, no_network=True)
        walk.feed(head)
        for _, element in walk.read_events():
            if not isinstance(element, etree._Element):
                continue
            name = etree.QName(element).localname.lower()
            if name in {"entry", "item"}:
                break
            if name == "link" and (target := absolute_url(element.get("href") or "", url)):
                targets.setdefault((element.get("rel") or "").lower(), target)
    except Exception:  # noqa: BLE001  # the parser meets hostile markup here
        return
    yield from (targets[rel] for rel in ONWARD if rel in targets and targets[rel] != url)


def _next_url(body: bytes, url: str) -> str | None:
    """Where a JSON Feed goes on (https://www.jsonfeed.org/version/1.1/, ``next_url``)."""
    try:
        address = json.loads(body).get("next_url")
    except (ValueError, AttributeError, RecursionError):
        return None
    link = absolute_url(address, url) if isinstance(address, str) else None
    return link if link != url else None


def _lines(body: bytes) -> list[str]:
    """The addresses of a plain list, where the document is one: nothing but addresses, one a line."""
    if not body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"http://", b"https://")):
        return []
    lines = [line.strip() for line in body.decode("utf-8-sig", "replace").splitlines() if line.strip()][:MAX_LINES]
    return lines if all(line.startswith(("http://", "https://")) and " " not in line for line in lines) else []
