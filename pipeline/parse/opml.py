"""Lists of subscriptions: OPML (http://opml.org/spec2.opml) in and out, and plain lists of addresses in.

Folders are labels: an outline without a feed names a folder, and a feed in ``Europe`` / ``Germany`` has the tag
``Europe/Germany``. What a subscriber has as several labels is written as OPML's ``category`` attribute.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from lxml import etree

from pipeline.errors import ConfigError
from pipeline.html.encodings import decode
from pipeline.model import Subscription
from pipeline.parse.frame import COMMENT
from pipeline.parse.repair import NOT_XML, escape_strays
from pipeline.text.character_references import unescape_references
from pipeline.urls import canonical_url

SEPARATOR = "/"
"""Between the names of nested folders; a slash inside of a name is written as ``_ESCAPED``."""

_ESCAPED = "\N{FRACTION SLASH}"
_READER_SCHEME = re.compile(r"^(?:feed|rss|pcast|itpc):(?:(?P<rest>(?=https?:))|(?://)?)", re.IGNORECASE)
_BEGIN = re.compile(r"<(?:opml|body|outline)\b", re.IGNORECASE)
_OUTLINE_URL = re.compile(  # with its end: one that was cut is another
    r"""<(?:\w+:)?outline\b[^<>]*?\b(?:xml_?|feed)url\s*=\s*["'“”]?([^"'“”\s<>]++)(?!\Z)""", re.IGNORECASE
)
_TYPES = frozenset({"rss", "atom", "feed"})
_COMMA = re.compile("%2c|%25", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SubscriptionList:
    """What a file lists.

    Attributes:
        feeds: those that can be subscribed to, each once.
        unusable: what was to be a feed and is none, each as a phrase that names it and says where it stands.
        flaw: what is wrong with the file, where it was readable all the same.
    """

    feeds: list[Subscription]
    unusable: tuple[str, ...] = ()
    flaw: str | None = None


def read_subscriptions(data: bytes, name: str = "") -> SubscriptionList:
    """The feeds in an OPML document, or in a plain list with one address a line and ``#`` comments.

    What is usable is taken, the rest is named. Feeds that stand in several folders come once, with the tags of all.

    The name of the file is for messages.

    Raises ConfigError: it is neither, or nothing in it is usable.
    """
    text = decode(data)[0].lstrip("\ufeff \t\r\n")
    flaw = None
    is_markup = text.startswith("<") or _BEGIN.search(text) is not None
    if is_markup:
        root, flaw = _opml(text, name or "the file")
        outlines = [feed for outline in _outlines(root) for feed in _feeds_below(outline, ())]
        if flaw:
            known = {feed.url for feed in outlines}
            outlines += [Subscription(url) for url in _salvaged(text) if url not in known]
        listed = [(feed, repr(feed.url[:80])) for feed in outlines]
    else:
        listed = [(Subscription(url), f"line {number}: {url[:80]!r}") for number, url in _lines(text)]
    usable = [replace(feed, url=url) for feed, _ in listed if (url := _address(feed.url))]
    unusable = tuple(label for feed, label in listed if not _address(feed.url))
    if not usable and (unusable or flaw):
        problem = f"{', '.join(unusable[:5])} is no http(s) address" if unusable else f"is no OPML: {flaw}"
        hint = " (one a line; # for comments)" if unusable and not is_markup else ""
        raise ConfigError(f"{name or 'the file'}{',' if unusable else ''} {problem}{hint}")
    return SubscriptionList(_merged(usable), unusable, flaw)


def _merged(feeds: Iterable[Subscription]) -> list[Subscription]:
    merged: dict[str, Subscription] = {}
    for feed in feeds:
        known = merged.get(feed.url, feed)
        merged[feed.url] = Subscription(
            url=feed.url,
            title=known.title or feed.title,
            site_url=known.site_url or feed.site_url,
            tags=tuple(dict.fromkeys((*known.tags, *feed.tags))),
        )
    return list(merged.values())


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, with their numbers and without comments."""
    for number, line in enumerate(text.splitlines(), start=1):
        # A "#" within an address begins a fragment; behind a space it begins a comment.
        if url := re.split(r"(?:^|\s)#", line, maxsplit=1)[0].strip():
            yield number, url


def _address(url: str) -> str | None:
    """The address, without the scheme that makes browsers open a reader; None where it is no http(s) address.

    What begins with ``www.`` or ``//`` lacks but its scheme.

    >>> _address("feed://a.example/1"), _address("feed:https://a.example/1"), _address("newsletter:1")
    ('http://a.example/1', 'https://a.example/1', None)
    """
    url = re.sub(r"^//(?=[\w.-]+\.)|^(?=www\.)", "http://", url, flags=re.IGNORECASE)
    url = _READER_SCHEME.sub(lambda scheme: "http://" if scheme["rest"] is None else "", url)
    try:
        canonical_url(url)
    except ValueError:
        return None
    return url if len(url.split()) == 1 else None


def _opml(text: str, name: str) -> tuple[etree._Element, str | None]:
    """The root element, and what is wrong with the document."""
    # What stands before the root is left out, so that no document type can declare entities (XXE, billion laughs);
    # its lines are kept for the messages. A bare & in an address is common, and recovery would join what is around it.
    without_comments = re.sub(COMMENT, lambda comment: " " * len(comment.group()), text, flags=re.DOTALL)
    begin = _BEGIN.search(without_comments)
    if begin is None:
        raise ConfigError(f"{name} is no OPML: it has no <opml>. Is it a feed? Then `news feeds add` its address")
    lines = "\n" * text.count("\n", 0, begin.start())
    markup = lines + _xml(escape_strays(text[begin.start() :])[0])
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, encoding="utf-8", recover=True)
    try:
        root = etree.fromstring(markup.encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        if next(_salvaged(text), None) is None:
            raise ConfigError(f"{name} is no OPML: {error}") from error
        return etree.Element("opml"), str(error)
    if begin.group().lower() != "<opml":
        return root, "it has no <opml>"
    # Prefixes of extensions that nobody declared change nothing.
    faults = [fault for fault in parser.error_log if fault.type_name != "NS_ERR_UNDEFINED_NAMESPACE"]
    return root, f"{faults[0].message}, line {faults[0].line}" if faults else None


def _salvaged(text: str) -> Iterator[str]:
    """The addresses in a document that is no XML: of outlines whose quotation marks or ends cannot be paired."""
    end = text.rfind("-->") + 3  # behind it each <!-- would be read to the end in vain
    visible = re.sub(r"<!--.*?-->", "", text[:end], flags=re.DOTALL) + text[end:]
    return (unescape_references(match[1]) for match in _OUTLINE_URL.finditer(visible))


def _outlines(element: etree._Element) -> Iterator[etree._Element]:
    """The outermost outlines below an element, however their names are written."""
    for child in element.iterchildren("*"):
        name = str(child.tag).rpartition("}")[2].rpartition(":")[2].lower()
        if name == "outline":
            yield child
        elif name == "body":
            yield from _outlines(child)


def _feeds_below(outline: etree._Element, folders: tuple[str, ...]) -> Iterator[Subscription]:
    # Names of attributes are written in any case in the wild: xmlUrl, xmlurl, XMLURL.
    attributes = {str(key).lower(): str(value).strip() for key, value in outline.attrib.items()}
    name = attributes.get("title") or attributes.get("text") or None
    named = attributes.get("xmlurl") or attributes.get("xml_url") or attributes.get("feedurl")
    url = named or (attributes.get("url") if attributes.get("type", "").lower() in _TYPES else None)
    if url:
        labels = [_path(_COMMA.sub(_unescaped, label)) for label in attributes.get("category", "").split(",")]
        own = (SEPARATOR.join(folders),) if folders else ()
        yield Subscription(
            url=url,
            title=None if name == url else name,
            site_url=attributes.get("htmlurl") or None,
            tags=tuple(dict.fromkeys(label for label in (*own, *labels) if label)),
        )
    inner = folders if url or name is None else (*folders, name.replace(SEPARATOR, _ESCAPED))
    for child in _outlines(outline):
        yield from _feeds_below(child, inner)


def write_opml(subscriptions: Iterable[Subscription]) -> bytes:
    """An OPML 2.0 document of these feeds: the first tag of each is its folder, further ones its categories."""
    root = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(root, "head"), "title").text = "news-pipeline"
    body = etree.SubElement(root, "body")
    folders: dict[str, etree._Element] = {}
    for feed in subscriptions:
        path, *others = map(_path, feed.tags or ("",))
        attributes = {"type": "rss", "text": feed.title or feed.url, "xmlUrl": feed.url}
        attributes |= {"title": feed.title} if feed.title else {}
        attributes |= {"htmlUrl": feed.site_url} if feed.site_url else {}
        attributes |= {"category": ",".join(map(_escaped, others))} if others else {}
        etree.SubElement(
            _folder(body, folders, path), "outline", {key: _xml(value) for key, value in attributes.items()}
        )
    document: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return document


def _folder(body: etree._Element, known: dict[str, etree._Element], path: str) -> etree._Element:
    if not path:
        return body
    if path not in known:
        outer, _, name = path.rpartition(SEPARATOR)
        known[path] = etree.SubElement(_folder(body, known, outer), "outline", text=_xml(name))
    return known[path]


def _path(tag: str) -> str:
    """The tag as names of folders with one slash between; OPML writes categories with a slash in front."""
    return SEPARATOR.join(filter(None, map(str.strip, tag.split(SEPARATOR))))


def _escaped(tag: str) -> str:
    """The tag as one of several with commas between."""
    return tag.replace("%", "%25").replace(",", "%2C")


def _unescaped(escape: re.Match[str]) -> str:
    return {"%25": "%", "%2C": ","}[escape.group().upper()]


def _xml(text: str) -> str:
    """The text without characters that XML cannot hold."""
    return NOT_XML.sub("", text)
