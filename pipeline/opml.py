"""Lists of subscriptions: OPML (http://opml.org/spec2.opml) in and out, and plain lists of addresses in.

Folders are labels: an outline without a feed names a folder, and a feed in ``Europe`` / ``Germany`` has the tag
``Europe/Germany``. What a subscriber has as several labels is written as OPML's ``category`` attribute.
"""

import re
from collections.abc import Iterable, Iterator

from lxml import etree

from pipeline.decode import decode
from pipeline.errors import ConfigError
from pipeline.model import Subscription
from pipeline.parse.frame import COMMENT
from pipeline.parse.repair import NOT_XML, escape_strays
from pipeline.urls import canonical_url

SEPARATOR = "/"
"""Between the names of nested folders; a slash inside of a name is written as ``_ESCAPED``."""

_ESCAPED = "\N{FRACTION SLASH}"
_COMMA = re.compile("%2c|%25", re.IGNORECASE)


def read_subscriptions(data: bytes, name: str = "") -> list[Subscription]:
    """The feeds in an OPML document, or in a plain list with one address a line and ``#`` comments.

    Feeds that stand in several folders come once, with the tags of all.

    Args:
        data: the file.
        name: of the file, for messages.

    Raises:
        ConfigError: it is neither.
    """
    text = decode(data)[0].lstrip("\ufeff \t\r\n")
    found = list(_read_opml(text, name or "the file") if text.startswith("<") else _read_list(text, name or "the list"))
    merged: dict[str, Subscription] = {}
    for feed in found:
        known = merged.get(feed.url, feed)
        merged[feed.url] = Subscription(
            url=feed.url,
            title=known.title or feed.title,
            site_url=known.site_url or feed.site_url,
            tags=tuple(dict.fromkeys((*known.tags, *feed.tags))),
        )
    return list(merged.values())


def _read_list(text: str, name: str) -> Iterator[Subscription]:
    for number, line in enumerate(text.splitlines(), start=1):
        # A "#" within an address begins a fragment; behind a space it begins a comment.
        url = re.split(r"(?:^|\s)#", line, maxsplit=1)[0].strip()
        if url and not _is_address(url):
            raise ConfigError(f"{name}, line {number}: {url[:80]!r} is no http(s) address (one a line; # for comments)")
        if url:
            yield Subscription(url=url)


def _is_address(url: str) -> bool:
    try:
        canonical_url(url)
    except ValueError:
        return False
    return len(url.split()) == 1


def _read_opml(text: str, name: str) -> Iterator[Subscription]:
    root = _opml(text, name)
    found = [feed for outline in root.iterfind("./{*}body/{*}outline") for feed in _feeds_below(outline, ())]
    wrong = [feed.url for feed in found if not _is_address(feed.url)]
    if wrong:
        listed = ", ".join(repr(url[:80]) for url in wrong[:5])
        raise ConfigError(f"{name}: these feeds have no http(s) address; correct them or take them out: {listed}")
    yield from found


def _opml(text: str, name: str) -> etree._Element:
    # What stands before the root is left out, so that no document type can declare entities (XXE, billion laughs);
    # its lines are kept for the messages. A bare & in an address is common, and recovery would join what is around it.
    without_comments = re.sub(COMMENT, lambda comment: " " * len(comment.group()), text, flags=re.DOTALL)
    begin = re.search(r"<opml\b", without_comments, re.IGNORECASE)
    if begin is None:
        raise ConfigError(f"{name} is no OPML: it has no <opml>. Is it a feed? Then `news feeds add` its address")
    lines = "\n" * text.count("\n", 0, begin.start())
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, encoding="utf-8")
    try:
        return etree.fromstring((lines + _xml(escape_strays(text[begin.start() :])[0])).encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise ConfigError(f"{name} is no OPML: {error}") from error


def _feeds_below(outline: etree._Element, folders: tuple[str, ...]) -> Iterator[Subscription]:
    # Names of attributes are written in any case in the wild: xmlUrl, xmlurl, XMLURL.
    told = {str(key).lower(): str(value).strip() for key, value in outline.attrib.items()}
    name = told.get("title") or told.get("text") or None
    url = told.get("xmlurl")
    if url:
        labels = [_path(_COMMA.sub(_unescaped, label)) for label in told.get("category", "").split(",")]
        own = (SEPARATOR.join(folders),) if folders else ()
        yield Subscription(
            url=url,
            title=None if name == url else name,
            site_url=told.get("htmlurl") or None,
            tags=tuple(dict.fromkeys(label for label in (*own, *labels) if label)),
        )
    inner = folders if url or not name else (*folders, name.replace(SEPARATOR, _ESCAPED))
    for child in outline.iterfind("./{*}outline"):  # the parser ends documents at 256 levels
        yield from _feeds_below(child, inner)


def write_opml(subscriptions: Iterable[Subscription], title: str = "news-pipeline") -> bytes:
    """An OPML 2.0 document of these feeds: the first tag of each is its folder, further ones its categories."""
    root = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(root, "head"), "title").text = title
    body = etree.SubElement(root, "body")
    folders: dict[str, etree._Element] = {}
    for feed in subscriptions:
        path, *others = map(_path, feed.tags or ("",))
        told = {"type": "rss", "text": feed.title or feed.url, "xmlUrl": feed.url}
        told |= {"title": feed.title} if feed.title else {}
        told |= {"htmlUrl": feed.site_url} if feed.site_url else {}
        told |= {"category": ",".join(map(_escaped, others))} if others else {}
        etree.SubElement(_folder(body, folders, path), "outline", {key: _xml(value) for key, value in told.items()})
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return written


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


def _unescaped(found: re.Match[str]) -> str:
    return {"%25": "%", "%2C": ","}[found.group().upper()]


def _xml(text: str) -> str:
    """The text without characters that XML cannot hold."""
    return NOT_XML.sub("", text)
