"""Sitemaps, read as feeds (https://www.sitemaps.org/protocol.html) with Google's extension for news.

A sitemap lists pages in any order and mostly without a word about them. News entries are what a publisher means to
announce; of the other pages, those are entries that say when they were changed. The front page is never one.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from heapq import nlargest

from lxml import etree

from pipeline.http.link_header import absolute_url
from pipeline.model import Entry, FeedFormat, ParsedFeed
from pipeline.parse.dates import parse_date
from pipeline.parse.document import FeedDocument
from pipeline.parse.fields import (
    MAX_TITLE,
    EntryContext,
    Fields,
    distinct_names,
    distinguish_entries,
    identify_entry,
    language_tag,
)
from pipeline.parse.frame import MAX_ENTRIES, take_apart
from pipeline.parse.plain import plain_text, shorten_text
from pipeline.parse.tree import close_elements, parse_loosely, parse_strictly
from pipeline.urls import canonical_url, is_same_site, site_of

MAX_CHILDREN = 100
"""Sitemaps of an index that are named: the newest. A poll follows a handful; indexes of archives have thousands."""

_NEVER = datetime.min.replace(tzinfo=UTC)
_ROWS = frozenset({"url", "sitemap"})
_NOTED = frozenset({"loc", "lastmod"})
_NEWS = frozenset({"title", "publication_date", "keywords", "language", "name"})


@dataclass(frozen=True, slots=True)
class SitemapRow:
    """One ``url`` or ``sitemap``, its texts by the local names of their elements.

    Attributes:
        news: of its ``news:news``; None where it has none.
    """

    texts: dict[str, str]
    news: dict[str, str] | None


def read_rows(document: FeedDocument) -> tuple[list[SitemapRow], list[str]]:
    """The rows that can be read, and what was wrong with the document."""
    root, markup, notes = parse_strictly(document.markup)
    if root is not None:
        return [row for element in root if (row := _row(element))], [*document.malformed, *notes]
    begin, _, texts = take_apart(markup, document.root)
    parts = (parse_loosely(close_elements(f"{begin}{text}")) for text in texts)
    rows = [row for part in parts if part is not None for element in part if (row := _row(element))]
    if len(rows) < len(texts):
        notes = (*notes, f"{len(texts) - len(rows)} entries could not be read")
    return rows, [*document.malformed, *notes]


def read_sitemap(document: FeedDocument, url: str, now: datetime | None = None) -> ParsedFeed:
    """The entries of a sitemap, in its order, or the children of a sitemap index."""
    rows, notes = read_rows(document)
    feed = _index(rows, url, now) if document.form == "sitemap index" else _feed(rows, url, now)
    return replace(
        feed,
        skipped=feed.skipped + document.left_out,
        malformed="; ".join(notes)[:500] or None,
        cut=document.cut,
    )


def merge_children(index: ParsedFeed, children: Iterable[ParsedFeed]) -> ParsedFeed:
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


def _feed(rows: list[SitemapRow], url: str, now: datetime | None) -> ParsedFeed:
    format_: FeedFormat = "news sitemap" if any(row.news is not None for row in rows) else "sitemap"
    site_url = _canonical("/", url)
    context = EntryContext(url=url, site_url=site_url, format=format_, now=now)
    links = [(row, _canonical(row.texts.get("loc", ""), url)) for row in _newest(rows, now)]
    ours = keep_own_sites([link for _, link in links if link], url)
    read = [
        identify_entry(_fields(row, link, now), context) for row, link in links if link in ours and link != site_url
    ]
    return ParsedFeed(
        title=shorten_text(_agreed(_news_texts(rows, "name")) or "", MAX_TITLE) or None,
        site_url=site_url,
        language=language_tag(_agreed(_news_texts(rows, "language")) or ""),
        format=format_,
        entries=distinguish_entries(filter(None, read)),
        skipped=len(rows) - len(read),
    )


def _newest(rows: list[SitemapRow], now: datetime | None) -> list[SitemapRow]:
    """The rows that may be entries, as many as are read of one document, in their order."""
    dated: list[tuple[datetime, int]] = []
    for index, row in enumerate(rows):
        moments = [
            read_moment(row.texts.get("lastmod"), now),
            read_moment((row.news or {}).get("publication_date"), now),
        ]
        latest = max(filter(None, moments), default=None)
        if latest or row.news is not None:
            dated.append((latest or _NEVER, -index))
    # Of equal dates the first: that is where feeds have the newest.
    newest = sorted(-index for _, index in nlargest(MAX_ENTRIES, dated))
    return [rows[index] for index in newest]


def _index(rows: list[SitemapRow], url: str, now: datetime | None) -> ParsedFeed:
    # As written, since they are asked for literally.
    located = [(read_moment(row.texts.get("lastmod"), now), row.texts.get("loc", "").strip()) for row in rows]
    dated = [(at or _NEVER, link) for at, loc in located if loc and (link := absolute_url(loc, url)) and link != url]
    ours = keep_own_sites([link for _, link in dated], url)
    # The sort keeps the order of those without a date.
    links = dict.fromkeys(link for _, link in sorted(dated, key=lambda pair: pair[0], reverse=True) if link in ours)
    children = tuple(links)[:MAX_CHILDREN]
    return ParsedFeed(
        title=None,
        site_url=_canonical("/", url),
        language=None,
        format="sitemap",
        entries=(),
        skipped=len(rows) - len(children),
        children=children,
    )


def _row(element: etree._Element) -> SitemapRow | None:
    if _local_name(element.tag) not in _ROWS:
        return None
    texts: dict[str, str] = {}
    news: dict[str, str] | None = None
    for child in element:
        name = _local_name(child.tag)
        if name in _NOTED:
            texts.setdefault(name, _text(child))
        elif name == "news" and news is None:
            news = {}
            for part in child.iterdescendants():
                if (name := _local_name(part.tag)) in _NEWS:
                    news.setdefault(name, _text(part))
    return SitemapRow(texts, news)


@lru_cache(maxsize=256)
def _local_name(tag: str) -> str:
    return tag.rpartition("}")[2].rpartition(":")[2].lower()


def _text(element: etree._Element) -> str:
    text = element.text if not len(element) else "".join(map(str, element.itertext()))
    return text.strip() if text else ""


def _fields(row: SitemapRow, link: str, now: datetime | None) -> Fields:
    news = row.news or {}
    return Fields(
        guid=link,  # what a sitemap lists is pages: one that is listed twice is one entry
        url=link,
        title=plain_text(news.get("title", ""), "text"),
        tags=distinct_names(plain_text(tag, "text") for tag in news.get("keywords", "").split(",")),
        published_at=read_moment(news.get("publication_date"), now),
        updated_at=read_moment(row.texts.get("lastmod"), now),
    )


def read_moment(text: str | None, now: datetime | None) -> datetime | None:
    """In every form of the W3C's (https://www.w3.org/TR/NOTE-datetime); of a month or a year, its beginning."""
    text = (text or "").strip()
    if len(text) <= 7 and re.fullmatch(r"\d{4}(-\d\d)?", text, re.ASCII):
        text += "-01" if len(text) == 7 else "-01-01"
    return parse_date(text, now)


def _moment_of(entry: Entry) -> datetime:
    return max(entry.updated_at or _NEVER, entry.published_at or _NEVER)


def keep_own_sites(links: list[str], url: str) -> frozenset[str]:
    """The links to the site of the sitemap, or to the one that most of its links lead to.

    The protocol wants the first, unless robots.txt of the other site says so: services and content networks that
    keep the sitemaps of a publisher are common.
    """
    known = {link: _site("/".join(link.split("/", 3)[:3])) for link in set(links)}
    most = Counter(known[link] for link in links).most_common(1)
    homes = [url, *(f"http://{site}/" for site, _ in most)]
    own = {site for site in set(known.values()) if any(is_same_site(f"http://{site}/", home) for home in homes)}
    return frozenset(link for link, site in known.items() if site in own)


@lru_cache(maxsize=256)
def _site(link: str) -> str:
    try:
        return site_of(link)
    except ValueError:
        return ""


def _news_texts(rows: list[SitemapRow], name: str) -> Iterator[str]:
    return (plain_text(row.news.get(name, ""), "text") for row in rows if row.news is not None)


def _agreed(values: Iterable[str | None]) -> str | None:
    """What all that say something say."""
    distinct = {value for value in values if value}
    return distinct.pop() if len(distinct) == 1 else None


def _canonical(link: str, base: str) -> str | None:
    try:
        return canonical_url(link, base)
    except ValueError:
        return None
