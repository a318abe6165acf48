"""Lists of subscriptions: OPML (http://opml.org/spec2.opml) in and out, and plain lists of addresses in.

Folders are labels: an outline without a feed names a folder, and a feed in ``Europe`` / ``Germany`` has the tag
``Europe/Germany``. What a subscriber has as several labels is written as OPML's ``category`` attribute.
"""

from collections.abc import Iterable, Iterator

from lxml import etree

from pipeline.errors import ConfigError
from pipeline.model import Subscription

SEPARATOR = "/"
"""Between the names of nested folders; a slash inside of a name is written as ``_ESCAPED``."""

_ESCAPED = "\N{FRACTION SLASH}"
_MAX_DEPTH = 100  # folders of people are a few levels deep; a hostile file may be deeper than our recursion


def read_subscriptions(data: bytes, name: str = "") -> list[Subscription]:
    """The feeds in an OPML document, or in a plain list with one address a line and ``#`` comments.

    Feeds that stand in several folders come once, with the tags of all.

    Args:
        data: the file.
        name: of the file, for messages.

    Raises:
        ConfigError: it is neither.
    """
    found = _read_opml(data, name) if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") else _read_list(data, name)
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


def _read_list(data: bytes, name: str) -> Iterator[Subscription]:
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ConfigError(f"{name or 'the list'} is neither OPML nor text in UTF-8") from error
    for number, line in enumerate(lines, start=1):
        url = line.strip()
        if not url or url.startswith("#"):
            continue
        if not url.lower().startswith(("http://", "https://")) or len(url.split()) != 1:
            raise ConfigError(f"{name or 'the list'}, line {number}: {url[:80]!r} is no http(s) address")
        yield Subscription(url=url)


def _read_opml(data: bytes, name: str) -> Iterator[Subscription]:
    # No entities, no network: a list of feeds has no business with either (XXE, billion laughs). Recovery, since
    # OPML with a bare & in an address is common.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise ConfigError(f"{name or 'the file'} is no OPML: {error}") from error
    if root is None or etree.QName(root).localname.lower() != "opml":
        raise ConfigError(f"{name or 'the file'} is no OPML: its root is not <opml>; is it a feed?")
    for outline in root.iterfind("./body/outline"):
        yield from _feeds_below(outline, ())


def _feeds_below(outline: etree._Element, folders: tuple[str, ...]) -> Iterator[Subscription]:
    # Names of attributes are written in any case in the wild: xmlUrl, xmlurl, XMLURL.
    told = {str(key).lower(): str(value).strip() for key, value in outline.attrib.items()}
    name = told.get("title") or told.get("text") or None
    url = told.get("xmlurl")
    if url:
        labels = [label.strip().strip(SEPARATOR) for label in told.get("category", "").split(",")]
        own = (SEPARATOR.join(folders),) if folders else ()
        yield Subscription(
            url=url,
            title=None if name == url else name,
            site_url=told.get("htmlurl") or None,
            tags=tuple(dict.fromkeys(label for label in (*own, *labels) if label)),
        )
    inner = folders if url or not name else (*folders, name.replace(SEPARATOR, _ESCAPED))
    if len(inner) < _MAX_DEPTH:
        for child in outline.iterfind("./outline"):
            yield from _feeds_below(child, inner)


def write_opml(subscriptions: Iterable[Subscription], title: str = "news-pipeline") -> bytes:
    """An OPML 2.0 document of these feeds: the first tag of each is its folder, further ones its categories."""
    root = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(root, "head"), "title").text = title
    body = etree.SubElement(root, "body")
    folders: dict[str, etree._Element] = {}
    for feed in subscriptions:
        path, *others = feed.tags or ("",)
        told = {"type": "rss", "text": feed.title or feed.url, "xmlUrl": feed.url}
        told |= {"title": feed.title} if feed.title else {}
        told |= {"htmlUrl": feed.site_url} if feed.site_url else {}
        told |= {"category": ",".join(others)} if others else {}
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


def _xml(text: str) -> str:
    """The text without characters that XML cannot hold."""
    return "".join(char for char in text if char in "\t\n\r" or " " <= char and not "\ud800" <= char <= "\udfff")
