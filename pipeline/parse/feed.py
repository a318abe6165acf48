"""A feed document, read whole: RSS 0.9x, 1.0 (RDF) and 2.0, Atom 0.3 and 1.0, JSON Feed; sitemaps too."""

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import feedparser

from pipeline.errors import FeedError
from pipeline.links import absolute_url
from pipeline.model import FeedHints, ParsedFeed
from pipeline.parse.document import SITEMAP_ROOTS, Document, inflated, local_name, read_document
from pipeline.parse.entries import read_entry, text_of
from pipeline.parse.fields import MAX_TITLE, Context, language_tag
from pipeline.parse.frame import bare, take_apart
from pipeline.parse.identity import Announced, distinguished
from pipeline.parse.jsonfeed import is_json, parse_json_feed
from pipeline.parse.plain import shortened
from pipeline.parse.sitemap import read_sitemap
from pipeline.urls import canonical_url

MAX_NOTE = 500
"""Longest description of what is malformed, in characters."""


def parse_feed(
    body: bytes, url: str, *, content_type: str = "", charset: str | None = None, now: datetime | None = None
) -> ParsedFeed:
    """The feed and its entries, in the order of the document.

    A malformed document with entries is a feed, and so is a sound one without; the reason stands in ``malformed``.
    An entry that cannot be used is skipped and counted. Nothing is fetched.

    Args:
        body: the document; a gzip file is one as well.
        url: where it was fetched from, after redirects: relative links lead on from there.
        content_type: as sent; believed only where the document does not say what it is.
        charset: as sent; believed after valid UTF-8, and after what the document declares of itself where it is but
            the default of web servers.
        now: the time of the poll; entries dated ahead of it are marked, dates far beyond it dropped as mistakes.

    Raises:
        FeedError: ``empty``, ``html``, ``not_a_feed`` or ``unparsable``. Nothing else is raised.
    """
    body = inflated(body)
    if is_json(body):
        return parse_json_feed(body, url, charset, now)
    document = read_document(body, url, content_type, charset)
    if local_name(document.root) in SITEMAP_ROOTS:
        return read_sitemap(document, url, now)
    return _feed(*_parsed(document, url), url, now)


def _parsed(document: Document, url: str) -> tuple[Document, feedparser.FeedParserDict]:
    """What feedparser makes of the document, or of what it survives of it."""
    try:
        return document, _parse(document.markup)
    except Exception as error:  # noqa: BLE001  # hostile markup makes feedparser raise what it likes
        fault = f"{type(error).__name__}: {error}"
    head, entries, tail = take_apart(document.markup.decode(), document.root)
    if not _is_survived(head, tail):
        head = bare(head)  # the entries are worth more than what the feed says of itself
    sound = _survived(head, entries, tail)
    if not sound:
        raise FeedError(url, "unparsable", fault)
    document = replace(
        document,
        markup="".join((head, *sound, tail)).encode(),
        malformed=(*document.malformed, fault),
        left_out=document.left_out + len(entries) - len(sound),
    )
    try:
        return document, _parse(document.markup)
    except Exception as error:  # as above, of entries that it survives in other company
        raise FeedError(url, "unparsable", fault) from error


def _survived(head: str, entries: list[str], tail: str) -> list[str]:
    """The entries that the parser survives. By halves: one that it does not costs a few parses, not one for each."""
    if _is_survived(head, *entries, tail):
        return entries
    half = len(entries) // 2
    return _survived(head, entries[:half], tail) + _survived(head, entries[half:], tail) if half else []


def _is_survived(*markup: str) -> bool:
    try:
        _parse("".join(markup).encode())
    except Exception:  # noqa: BLE001  # as above
        return False
    return True


def _parse(markup: bytes) -> feedparser.FeedParserDict:
    # A stream, because feedparser takes bytes for the name of a file first. No address either: it would resolve guids
    # such as "4711" against it. And no sanitising: all markup is taken out later.
    return feedparser.parse(
        io.BytesIO(markup),
        response_headers={"content-type": "application/xml; charset=utf-8"},
        sanitize_html=False,
        resolve_relative_uris=False,
    )


def _feed(document: Document, parsed: feedparser.FeedParserDict, url: str, now: datetime | None) -> ParsedFeed:
    version = parsed.get("version") or ""
    if not parsed.entries and not version:
        raise FeedError(url, "not_a_feed", f"the root element is <{document.root}>")
    site_url = _site_url(parsed.feed, url)
    context = Context(url=url, site_url=site_url, version=version, now=now)
    announced, unusable = _announced(parsed.entries, context)
    notes = list(document.malformed)
    if parsed.bozo:
        notes.append(str(parsed.get("bozo_exception")))
    return ParsedFeed(
        title=shortened(text_of(parsed.feed, "title"), MAX_TITLE) or None,
        site_url=site_url,
        language=language_tag(str(dict.get(parsed.feed, "language") or "")),
        version=version,
        entries=distinguished(announced),
        skipped=unusable + document.left_out,
        malformed="; ".join(notes)[:MAX_NOTE] or None,
        cut=document.cut,
        hints=_hints(parsed.feed),
        hub_urls=tuple(dict.fromkeys(_linked(parsed.feed, "hub", url))),
        self_url=next(_linked(parsed.feed, "self", url), None),
    )


def _announced(entries: list[feedparser.FeedParserDict], context: Context) -> tuple[list[Announced], int]:
    read: list[Announced] = []
    unusable = 0
    for raw in entries:
        try:
            announced = read_entry(raw, context)
        except Exception:  # noqa: BLE001  # one entry that feedparser left in a shape of its own must not cost the others
            announced = None
        if announced is None:
            unusable += 1
        else:
            read.append(announced)
    return read, unusable


def _site_url(feed: feedparser.FeedParserDict, url: str) -> str | None:
    try:
        return canonical_url(str(feed.get("link") or ""), url)
    except ValueError:
        return None


def _linked(feed: feedparser.FeedParserDict, rel: str, url: str) -> Iterator[str]:
    """Where the feed's links of this relation lead."""
    for link in feed.get("links") or ():
        target = absolute_url(str(link.get("href") or ""), url)
        if target and rel in str(link.get("rel", "")).lower().split():
            yield target


def _hints(feed: feedparser.FeedParserDict) -> FeedHints:
    words = (str(feed.get(key) or "").strip()[:40] or None for key in ("ttl", "sy_updateperiod", "sy_updatefrequency"))
    return FeedHints(*words)
