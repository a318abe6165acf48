"""Sitemaps, read as feeds (https://www.sitemaps.org/protocol.html) with Google's extension for news.

A sitemap lists pages in any order and mostly without a word about them. News entries are what a publisher means to
announce; of the other pages, those are entries that say when they were changed. The front page is never one.
"""

import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from heapq import nlargest

from lxml import etree

from pipeline.links import absolute_url
from pipeline.model import Entry, ParsedFeed
from pipeline.parse.dates import parse_date
from pipeline.parse.document import Document
from pipeline.parse.fields import MAX_TITLE, Context, Fields, announced, distinct, language_tag
from pipeline.parse.frame import MAX_ENTRIES
from pipeline.parse.identity import distinguished
from pipeline.parse.plain import plain_text, shortened
from pipeline.urls import canonical_url, is_same_site, site_of

MAX_CHILDREN = 100
"""Sitemaps of an index that are named: the newest. A poll follows a handful; indexes of archives have thousands."""

_NEVER = datetime.min.replace(tzinfo=UTC)
_NOTED = ("loc", "lastmod")
_NEWS = ("title", "publication_date", "keywords", "language", "name")


@dataclass(frozen=True, slots=True)
class Row:
    """One ``url`` or ``sitemap``, its texts by the local names of their elements.

    Attributes:
        news: of its ``news:news``; None where it has none.
    """

    texts: dict[str, str]
    news: dict[str, str] | None


def rows_of(document: Document) -> tuple[list[Row], list[str]]:
    """The rows that can be read, and what was wrong with the document."""
    rows: list[Row] = []
    notes = list(document.malformed)
    try:
        rows.extend(read_rows(document.markup))
    except Exception as error:  # noqa: BLE001  # the parser meets hostile markup here; what it read before is good
        notes.append(str(error))
    return rows, notes


def read_sitemap(document: Document, url: str, now: datetime | None = None) -> ParsedFeed:
    """The entries of a sitemap, in its order, or the children of a sitemap index."""
    rows, notes = rows_of(document)
    is_index = document.root.rpartition(":")[2].lower() == "sitemapindex"
    feed = _index(rows, url, now) if is_index else _feed(rows, url, now)
    return replace(
        feed,
        skipped=feed.skipped + document.left_out,
        malformed="; ".join(notes)[:500] or None,
        cut=document.cut,
    )


def with_children(index: ParsedFeed, children: Iterable[ParsedFeed]) -> ParsedFeed:
    """The index as one feed of what stands in its sitemaps; of an entry in several of them, the latest form."""
    children = tuple(children)
    latest: dict[str, Entry] = {}
    for entry in sorted((entry for child in children for entry in child.entries), key=_moment_of, reverse=True):
        latest.setdefault(entry.guid, entry)
    kept = tuple(latest.values())[:MAX_ENTRIES]
    return replace(
        index,
        title=index.title or next((child.title for child in children if child.title), None),
        language=_agreed(child.language for child in children),
        entries=kept,
        skipped=index.skipped + sum(child.skipped for child in children) + len(latest) - len(kept),
        malformed=index.malformed or next((child.malformed for child in children if child.malformed), None),
        cut=index.cut or any(child.cut for child in children),
    )


def _feed(rows: list[Row], url: str, now: datetime | None) -> ParsedFeed:
    version = "newssitemap" if any(row.news is not None for row in rows) else "sitemap"
    site_url = _canonical("/", url)
    context = Context(url=url, site_url=site_url, version=version, now=now)
    links = [(row, _canonical(row.texts.get("loc", ""), url)) for row in _newest(rows, now)]
    ours = of_our_sites([link for _, link in links if link], url)
    read = [announced(_fields(row, link, now), context) for row, link in links if link in ours and link != site_url]
    return ParsedFeed(
        title=shortened(_agreed(_news_texts(rows, "name")) or "", MAX_TITLE) or None,
        site_url=site_url,
        language=language_tag(_agreed(_news_texts(rows, "language")) or ""),
        version=version,
        entries=distinguished(one for one in read if one),
        skipped=len(rows) - len(read),
    )


def _newest(rows: list[Row], now: datetime | None) -> list[Row]:
    """The rows that may be entries, as many as are read of one document, in their order."""
    dated: list[tuple[datetime, int]] = []
    for place, row in enumerate(rows):
        moments = [
            read_moment(row.texts.get("lastmod"), now),
            read_moment((row.news or {}).get("publication_date"), now),
        ]
        latest = max(filter(None, moments), default=None)
        if latest or row.news is not None:
            dated.append((latest or _NEVER, -place))
    # Of equal dates the first: that is where feeds have the newest.
    return [rows[-place] for _, place in sorted(nlargest(MAX_ENTRIES, dated), key=lambda one: -one[1])]


def _index(rows: list[Row], url: str, now: datetime | None) -> ParsedFeed:
    # As written, since they are asked for literally.
    located = [(read_moment(row.texts.get("lastmod"), now), row.texts.get("loc", "").strip()) for row in rows]
    dated = [(at or _NEVER, link) for at, loc in located if loc and (link := absolute_url(loc, url)) and link != url]
    ours = of_our_sites([link for _, link in dated], url)
    # The sort keeps the order of those without a date.
    links = dict.fromkeys(link for _, link in sorted(dated, key=lambda one: one[0], reverse=True) if link in ours)
    children = tuple(links)[:MAX_CHILDREN]
    return ParsedFeed(
        title=None,
        site_url=_canonical("/", url),
        language=None,
        version="sitemapindex",
        entries=(),
        skipped=len(rows) - len(children),
        children=children,
    )


def read_rows(markup: bytes) -> Iterator[Row]:
    """One after the other, without the tree of all: a sitemap may list 50,000 pages."""
    walk = etree.iterparse(
        io.BytesIO(markup), events=("end",), tag=("{*}url", "{*}sitemap"), recover=True, resolve_entities=False,
        no_network=True, load_dtd=False,
    )  # fmt: skip
    for _, element in walk:
        parent = element.getparent()
        if parent is None or parent.getparent() is not None:
            continue
        news = next(element.iterchildren("{*}news"), None)
        told = _texts(news.iter("{*}*"), _NEWS) if news is not None else None
        yield Row(_texts(element.iterchildren("{*}*"), _NOTED), told)
        # Not itself, nor what follows: the parser reads ahead.
        while element.getprevious() is not None:
            del parent[0]


def _texts(elements: Iterable[etree._Element], names: tuple[str, ...]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for element in elements:
        name = etree.QName(element).localname.lower()
        if name in names:
            texts.setdefault(name, "".join(map(str, element.itertext())).strip())
    return texts


def _fields(row: Row, link: str, now: datetime | None) -> Fields:
    news = row.news or {}
    return Fields(
        guid=link,  # what a sitemap lists is pages: one that is listed twice is one entry
        url=link,
        title=plain_text(news.get("title", ""), "text"),
        tags=distinct(plain_text(tag, "text") for tag in news.get("keywords", "").split(",")),
        published_at=read_moment(news.get("publication_date"), now),
        updated_at=read_moment(row.texts.get("lastmod"), now),
    )


def read_moment(text: str | None, now: datetime | None) -> datetime | None:
    """In every form of the W3C's (https://www.w3.org/TR/NOTE-datetime); of a month or a year, its beginning."""
    text = (text or "").strip()
    if re.fullmatch(r"\d{4}(-\d\d)?", text, re.ASCII):
        text += "-01" if len(text) == 7 else "-01-01"
    return parse_date(text, now)


def _moment_of(entry: Entry) -> datetime:
    return max(entry.updated_at or _NEVER, entry.published_at or _NEVER)


def of_our_sites(links: list[str], url: str) -> frozenset[str]:
    """The links to the site of the sitemap, or to the one that most of its links lead to.

    The protocol wants the first, unless robots.txt of the other site says so: services and content networks that
    keep the sitemaps of a publisher are common.
    """
    known = {link: _site(link) for link in set(links)}
    most = Counter(known[link] for link in links).most_common(1)
    homes = [url, *(f"http://{site}/" for site, _ in most)]
    own = {site for site in set(known.values()) if any(is_same_site(f"http://{site}/", home) for home in homes)}
    return frozenset(link for link, site in known.items() if site in own)


def _site(link: str) -> str:
    try:
        return site_of(link)
    except ValueError:
        return ""


def _news_texts(rows: list[Row], name: str) -> Iterator[str]:
    return (plain_text(row.news.get(name, ""), "text") for row in rows if row.news is not None)


def _agreed(values: Iterable[str | None]) -> str | None:
    """What all that say something say."""
    said = {value for value in values if value}
    return said.pop() if len(said) == 1 else None


def _canonical(link: str, base: str) -> str | None:
    try:
        return canonical_url(link, base)
    except ValueError:
        return None
