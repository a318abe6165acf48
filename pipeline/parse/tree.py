"""Markup of a feed becomes elements: at once where it is well-formed, piece by piece where it is not.

Where it is not, each entry is read by itself, so that what is wrong with one costs no other; and every entry that
stands in the text has its element, or is counted.

Elements whose end tags are missing, misspelt or out of order end where the next one begins (`close_elements`): within
one entry, or what stands around the entries, so that no damage reaches further.
"""

import re
from dataclasses import dataclass

from lxml import etree

from pipeline.parse.document import FeedDocument
from pipeline.parse.elements import ENTRY_NAMES, Element, name_of, walk_feed
from pipeline.parse.frame import CDATA, COMMENT, NAME, take_apart
from pipeline.parse.plain import HTML_NAMES
from pipeline.parse.repair import repair_markup

MAX_DEPTH = 100
"""Elements that are open at once; tags beyond are left out, as the parser ends at 256 levels."""

_TOKEN = re.compile(
    rf"""{CDATA}|{COMMENT}|<\?.*?(?:\?>|\Z)|<(?P<end>/?)(?P<name>{NAME})(?P<rest>(?:[^<>"']|"[^"<]*"|'[^'<]*')*+>|[^<>]*>?)""",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(rf"""(?<=\s)({NAME})\s*=\s*("[^"]*"|'[^']*'|[^\s"'<>]+)""")
_VOID = frozenset({"br", "img", "hr", "input", "wbr", "col", "area", "embed", "param", "meta"})
_INSIDE = HTML_NAMES - {"source", "time", "caption", "section"}
"""Elements of HTML, which a text may hold, and which end no element of the feed."""

_PARTS = {"author": "name uri url email homepage", "contributor": "name uri url email homepage"}
_OUTER = frozenset(
    {"rss", "rdf", "feed", "channel", "item", "entry", "items", "urlset", "sitemapindex", "url", "sitemap"}
)


def close_elements(markup: str) -> str:
    """The markup with an end tag for each start tag, in order, and with attributes that a parser takes.

    An element without an end tag of its own ends before the next that is no markup of HTML; an end tag that fits no
    open element is left out.

    >>> close_elements("<item><title>A<link>/1</lnk><x a=1 a=2><p>B</item>")
    '<item><title>A</title><link>/1</link><x a="1"><p>B</p></x></item>'
    """
    return _Closing(markup).run()


class _Closing:
    """One pass over the markup; ``open`` holds the names of the elements that have begun."""

    def __init__(self, markup: str) -> None:
        self.markup = markup
        self.open: list[str] = []
        self.pieces: list[str] = []
        tags = [(token["name"].lower(), token["end"]) for token in _TOKEN.finditer(markup) if token["name"]]
        self.ends: dict[str, int] = {}
        for name, end in tags:
            if end:
                self.ends[name] = self.ends.get(name, 0) + 1

    def run(self) -> str:
        position = 0
        for token in _TOKEN.finditer(self.markup):
            self.pieces.append(self.markup[position : token.start()])
            position = token.end()
            if token.group().startswith("<![CDATA["):
                self.pieces.append(token.group().removesuffix("]]>") + "]]>")
            elif not token["name"]:
                continue  # a comment or an instruction
            elif token["end"]:
                self._end(token["name"])
            else:
                self._start(token["name"], token["rest"])
        self.pieces.append(self.markup[position:])
        self._close(0)
        return "".join(self.pieces)

    def _start(self, name: str, rest: str) -> None:
        is_closed = rest.rstrip("> \t\r\n").endswith("/") or _local(name) in _VOID
        if _local(name) not in _INSIDE:
            self._close_before(_local(name))
        if len(self.open) >= MAX_DEPTH:
            return
        attributes: dict[str, str] = {}
        for key, value in _ATTRIBUTE.findall(rest):
            attributes.setdefault(key, value if value[0] in "\"'" else f'"{value.rstrip("/") if is_closed else value}"')
        written = "".join(f" {key}={value}" for key, value in attributes.items())
        self.pieces.append(f"<{name}{written}{'/' if is_closed else ''}>")
        if not is_closed:
            self.open.append(name)

    def _close_before(self, name: str) -> None:
        """End the elements that cannot hold the one that begins: those that never end, or end behind others."""
        for index, outer in enumerate(self.open):
            if _local(outer) in _OUTER:
                continue
            parts = _PARTS.get(_local(outer), "").split()
            may_hold = name in parts if parts else _local(outer) not in _LEAVES and self.ends.get(outer.lower(), 0)
            if not may_hold:
                self._close(index)
                return

    def _end(self, name: str) -> None:
        lowered = name.lower()
        self.ends[lowered] -= 1
        index = next((i for i in range(len(self.open) - 1, -1, -1) if self.open[i].lower() == lowered), None)
        if index is not None:
            self._close(index)

    def _close(self, index: int) -> None:
        self.pieces.extend(f"</{name}>" for name in reversed(self.open[index:]))
        del self.open[index:]


_LEAVES = frozenset({
    "title", "link", "guid", "id", "pubdate", "published", "updated", "modified", "issued", "created", "date",
    "description", "summary", "encoded", "creator", "subject", "category", "name", "uri", "email", "comments",
    "language", "rights", "copyright", "ttl", "docs", "generator",
})  # fmt: skip
"""Elements of feeds, by their local names, that hold text or markup of HTML and no element of a feed."""


def _local(name: str) -> str:
    return name.rpartition(":")[2].lower()


@dataclass(frozen=True, slots=True)
class FeedTree:
    """The elements of a feed.

    Attributes:
        head: what the feed says of itself.
        lost: entries that stand in the text and could not be made elements.
        notes: what is malformed.
        markup: what the whole tree was read from; empty where it was read piece by piece.
    """

    root: Element
    head: list[Element]
    entries: list[Element]
    lost: int = 0
    notes: tuple[str, ...] = ()
    markup: str = ""


def read_tree(document: FeedDocument) -> FeedTree:
    """The elements of a document of RSS, RDF or Atom."""
    root, markup, notes = parse_strictly(document.markup)
    if root is None:
        return _read_pieces(markup, document.root, notes)
    head, entries = walk_feed(root)
    if not entries:
        # In places where no feed should have them.
        entries = [x for x in root.iterdescendants("{*}item", "{*}entry") if name_of(x) in ENTRY_NAMES]
    return FeedTree(root, head, entries, notes=notes, markup=markup)


def parse_strictly(markup: str) -> tuple[Element | None, str, tuple[str, ...]]:
    """The root element of markup that is well-formed, or is once it is repaired; None where it is not even then.

    Returns:
        The element, the markup that it is of, and what is malformed in it.
    """
    fault = ""
    notes: list[str] = []
    for repaired in (False, True):
        if repaired:
            markup, notes = repair_markup(markup)
        try:
            return etree.fromstring(markup.encode(), _parser(recover=False)), markup, tuple(notes)
        except (etree.XMLSyntaxError, UnicodeEncodeError) as error:  # the second of halves of characters
            fault = str(error)
    return None, markup, (*notes, fault)


def _read_pieces(markup: str, root_name: str, notes: tuple[str, ...]) -> FeedTree:
    begin, around, texts = take_apart(markup, root_name)
    root = parse_loosely(close_elements(f"{begin}{around}"))
    if root is None:
        root = etree.Element("rss")
    entries: list[Element] = []
    lost = 0
    for text in texts:
        whole = parse_loosely(close_elements(f"{begin}{text}"))
        read = walk_feed(whole)[1] if whole is not None else []
        entries += read
        lost += not read
    return FeedTree(root, walk_feed(root)[0], entries, lost, notes)


def parse_loosely(markup: str) -> Element | None:
    """The root element of whatever can be read of the markup; None where nothing can."""
    try:
        return etree.fromstring(markup.encode("utf-8", "replace"), _parser(recover=True))
    except etree.XMLSyntaxError:  # nothing at all was left of it
        return None


def _parser(*, recover: bool) -> etree.XMLParser:
    return etree.XMLParser(
        recover=recover, resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True,
        remove_pis=True, encoding="utf-8",
    )  # fmt: skip
