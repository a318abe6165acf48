"""A feed document, read whole: RSS 0.9x, 1.0 (RDF) and 2.0, Atom 0.3 and 1.0, JSON Feed; sitemaps too."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from itertools import repeat

from pipeline.errors import FeedError
from pipeline.http.freshness import DAYS
from pipeline.http.link_header import absolute_url
from pipeline.model import FeedFormat, FeedHints, ParsedFeed
from pipeline.parse.document import FeedDocument, form_of, inflate_body, local_name, read_document
from pipeline.parse.elements import Element, base_of, element_text, first_element_text
from pipeline.parse.entries import (
    Children,
    children_of,
    named,
    read_author_names,
    read_feed_title,
    read_fields,
    relation_of,
    target_of,
)
from pipeline.parse.feedparser_entries import correct_fields, parse_entries
from pipeline.parse.fields import (
    MAX_TITLE,
    EntryContext,
    IdentifiedEntry,
    distinguish_entries,
    identify_entry,
    language_tag,
)
from pipeline.parse.jsonfeed import parse_json_feed
from pipeline.parse.plain import shorten_text, usable_link
from pipeline.parse.sitemap import read_sitemap
from pipeline.parse.tree import FeedTree, read_tree

MAX_NOTE = 500
"""Longest description of what is malformed, in characters."""

_RSS = ("purl.org/rss/", "netscape.com/", "backend.userland.com/rss")
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


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

    Raises FeedError: ``empty``, ``html``, ``not_a_feed`` or ``unparsable``. Nothing else is raised.
    """
    body = inflate_body(body)
    if form_of(body) == "json":
        return parse_json_feed(body, url, charset, now)
    document = read_document(body, url, content_type, charset)
    if document.form == "feed":
        return read_feed(document, url, now)
    return read_sitemap(document, url, now)


def read_feed(document: FeedDocument, url: str, now: datetime | None) -> ParsedFeed:
    """The feed of a document of RSS, RDF or Atom, as `parse_feed` says.

    Raises FeedError: ``not_a_feed``: it is another vocabulary, and has no entries.
    """
    tree = read_tree(document)
    format_ = _format(document.root, tree)
    if not tree.entries and not tree.lost and format_ == "unknown":
        raise FeedError(url, "not_a_feed", f"the root element is <{document.root}>")
    children = children_of(tree.head)
    site_url = _site_url(children, url)
    language = _language(tree, children)
    context = EntryContext(url, site_url, format_, now, tuple(read_author_names(children)), language)
    usable = list(_usable(tree, context))
    return ParsedFeed(
        title=shorten_text(read_feed_title(children), MAX_TITLE) or None,
        site_url=site_url,
        language=language,
        format=format_,
        entries=distinguish_entries(usable),
        skipped=len(tree.entries) - len(usable) + tree.lost + document.left_out,
        malformed="; ".join((*document.malformed, *tree.notes))[:MAX_NOTE] or None,
        cut=document.cut,
        hints=_hints(children),
        hub_urls=tuple(dict.fromkeys(_linked(children, "hub", url))),
        self_url=next(_linked(children, "self", url), None),
    )


def _format(root: str, tree: FeedTree) -> FeedFormat:
    name = local_name(root)
    if name == "feed":
        return "atom"
    spaces = " ".join(map(str, (tree.root.nsmap | _spaces(tree.entries[:1]) | _spaces(tree.head[:1])).values())).lower()
    return "rss" if name == "rss" or any(known in spaces for known in _RSS) else "unknown"


def _spaces(elements: Iterable[Element]) -> dict[str | None, str]:
    return next((element.nsmap for element in elements), {})


def _usable(tree: FeedTree, context: EntryContext) -> Iterator[IdentifiedEntry]:
    """The entries that can be known by something: feedparser's where the markup is well-formed, else our own."""
    parsed = parse_entries(tree.markup, tree.entries) if tree.markup else None
    for element, raw in zip(tree.entries, parsed or repeat(None), strict=False):
        with suppress(Exception):  # hostile markup: what nobody thought of must not cost the other entries
            fields = read_fields(element, context)
            if raw is not None:
                with suppress(Exception):  # shapes that feedparser makes of elements such as <title_detail>
                    fields = correct_fields(raw, element, fields)
            if (entry := identify_entry(fields, context)) is not None:
                yield entry


def _site_url(children: Children, url: str) -> str | None:
    links = [link for link in children.get("link", ()) if relation_of(link) in {"", "alternate"}]
    for element in (*links, *children.get("id", ())):
        for address in (target_of(element), element_text(element)):
            if address.strip() and (site := usable_link(address, base_of(element, url))):
                return site
    return None


def _language(tree: FeedTree, children: Children) -> str | None:
    declared = first_element_text(named(children, ("language", "dc:language")))
    return language_tag(declared or tree.root.get(_XML_LANG) or "")


def _linked(children: Children, relation: str, url: str) -> Iterator[str]:
    """Where the feed's links of this relation lead."""
    for link in children.get("link", ()):
        target = absolute_url(target_of(link), base_of(link, url))
        if target and relation in relation_of(link).split():
            yield target


def _hints(children: Children) -> FeedHints:
    names = ("ttl", "sy:updateperiod", "sy:updatefrequency")
    ttl, period, frequency = (first_element_text(children.get(name, ()))[:40] or None for name in names)
    parts = [part for name in ("skiphours", "skipdays") for element in children.get(name, ()) for part in element]
    skips = {normal for part in parts if (normal := _skipped(element_text(part)))}
    return FeedHints(ttl, period, frequency, tuple(sorted(skips)))


def _skipped(text: str) -> str | None:
    """An hour or a day that a feed asks not to be asked in; 24 stands for midnight in some feeds."""
    text = text.strip().lower()
    if text.isascii() and text.isdecimal() and len(text) < 10:  # Python refuses to read thousands of digits
        return str(int(text) % 24) if int(text) <= 24 else None
    return text[:3] if text[:3] in DAYS else None
