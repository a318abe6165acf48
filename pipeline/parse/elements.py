"""Elements of a feed by the names that feeds know them by, whatever prefixes and namespaces were written."""

import base64
import binascii
from collections.abc import Iterable, Iterator
from functools import lru_cache

from lxml import etree

from pipeline.http.link_header import absolute_url
from pipeline.parse.plain import HTML_NAMES, Kind

Element = etree._Element

ENTRY_NAMES = frozenset({"item", "entry"})
_NO_TEXT = frozenset({"svg", "script", "style"})
_WRAPPERS = frozenset({"rss", "rdf", "rdf:rdf", "feed", "channel", "items", "entries"})

_CORE = """
http://backend.userland.com/rss http://backend.userland.com/rss2 http://backend.userland.com/rss091
http://backend.userland.com/rss092 http://blogs.law.harvard.edu/tech/rss http://cyber.law.harvard.edu/rss
http://cyber.law.harvard.edu/rss/rss.html http://my.netscape.com/publish/formats/rss-0.91.dtd
http://my.netscape.com/rdf/simple/0.9/ http://channel.netscape.com/rdf/simple/0.9/ http://purl.org/rss/1.0/
http://purl.org/rss/1.0/modules/rss091# http://purl.org/net/rss1.1# http://purl.org/atom/ns# http://purl.org/pie/
http://purl.org/echo/ http://example.com/newformat# http://example.com/necho uri/of/echo/namespace#
http://www.w3.org/2005/atom
"""
_NAMESPACES = {
    "http://purl.org/rss/1.0/modules/content/": "content",
    "http://purl.org/dc/elements/1.0/": "dc",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://rssnamespace.org/feedburner/ext/1.0": "feedburner",
    "http://www.pheedo.com/namespace/pheedo": "pheedo",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "http://example.com/dtds/podcast-1.0.dtd": "itunes",
    "http://search.yahoo.com/mrss": "media",
    "http://search.yahoo.com/mrss/": "media",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
    "http://purl.org/rss/1.0/modules/syndication/": "sy",
    "http://www.w3.org/1999/xhtml": "xhtml",
    "http://www.w3.org/1998/math/mathml": "math",
    "http://www.w3.org/2000/svg": "svg",
} | dict.fromkeys(_CORE.split(), "")

_PREFIXES = {"atom": "", "atom10": "", "a10": "", "rss": ""}
"""Prefixes that are clear enough where their namespace is not declared, or is one that nobody knows."""

_KINDS: dict[str, Kind] = {
    "application/xhtml+xml": "xhtml", "xhtml": "xhtml", "text/plain": "text", "text": "text", "plain": "text",
}  # fmt: skip


def name_of(element: Element) -> str:
    """The name in lower case; with a prefix of ours where the element is of no format but an extension."""
    return _name(element.tag, element.prefix)


@lru_cache(maxsize=4096)
def _name(tag: str, prefix: str | None) -> str:
    namespace, _, local = tag.removeprefix("{").rpartition("}")
    known = _NAMESPACES.get(namespace.lower()) if namespace else ""
    if known is None:
        known = _PREFIXES.get(prefix.lower(), prefix.lower()) if prefix else ""
    return f"{known}:{local.lower()}" if known else local.lower()


def attribute_of(element: Element, name: str) -> str | None:
    """An attribute without a namespace, however its name is capitalised."""
    if not element.attrib:
        return None
    value = element.get(name) or next((v for key, v in element.attrib.items() if str(key).lower() == name), None)
    return None if value is None else str(value)


def walk_feed(root: Element) -> tuple[list[Element], list[Element]]:
    """What the feed says of itself, and its entries, each in the order of the document.

    Entries stand in the root or the channel; what extensions call an entry is none. One within another is one more,
    since its neighbour then lacks an end tag.
    """
    heads: list[list[Element]] = []
    entries: list[Element] = []
    pending = [root]
    while pending:
        heads.append([])
        for element in pending.pop(0):
            name = name_of(element)
            if name in ENTRY_NAMES:
                entries.append(element)
                entries.extend(x for x in element.iterdescendants("{*}item", "{*}entry") if _stands_in(x, element))
            elif name in _WRAPPERS:
                pending.append(element)
            else:
                heads[-1].append(element)
    # What stands in the channel before what stands around it.
    return [element for head in reversed(heads) for element in head], entries


def _stands_in(element: Element, entry: Element) -> bool:
    return name_of(element) in ENTRY_NAMES and element.getparent() is entry


def element_text(element: Element) -> str:
    """All the text in the element."""
    return (element.text or "") if not len(element) else "".join(map(str, element.itertext()))


def markup_of(element: Element, default: Kind) -> tuple[str, Kind]:
    """What the element holds, and what it is: escaped markup (``html``), elements (``xhtml``) or text."""
    media_type = (attribute_of(element, "type") or "").strip().lower()
    kind = _KINDS.get(media_type, "html") if media_type else default
    if len(element):
        if kind == "html" and all(name_of(child) in {"div", "xhtml:div"} for child in element.iterdescendants()):
            return element_text(element), kind  # escaped markup in a wrapper that is not
        return "".join(_written(element)), "xhtml"
    text = element.text or ""
    if attribute_of(element, "mode") == "base64" or _is_binary(media_type):
        text = _decoded(text)
    return text, kind


def _written(element: Element) -> Iterator[str]:
    """The markup in the element with the names of HTML alone, of other elements the text; nothing of drawings."""
    yield _escaped(element.text)
    for child in element:
        local = name_of(child).rpartition(":")[2]
        if local not in _NO_TEXT:
            yield from (f"<{local}>", *_written(child), f"</{local}>") if local in HTML_NAMES else _written(child)
        yield _escaped(child.tail)


def _escaped(text: str | None) -> str:
    return (text or "").replace("&", "&amp;").replace("<", "&lt;")


def _is_binary(media_type: str) -> bool:
    return "/" in media_type and not media_type.startswith("text/") and not media_type.endswith(("+xml", "/xml"))


def _decoded(text: str) -> str:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except (binascii.Error, ValueError):
        return text


def first_element_text(elements: Iterable[Element]) -> str:
    """The first text among these elements that is not blank."""
    return next((text for element in elements if (text := element_text(element).strip())), "")


def base_of(element: Element, url: str) -> str:
    """What relative links in the element lead on from (XML Base), where that is an http address."""
    base = element.base
    return (absolute_url(base, url) if base else None) or url


def descend(elements: Iterable[Element], inside: frozenset[str]) -> Iterator[Element]:
    """The elements, and what stands in those of the names ``inside``."""
    for element in elements:
        yield element
        if name_of(element) in inside:
            yield from descend(element, inside)
