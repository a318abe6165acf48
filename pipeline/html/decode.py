"""Bytes of a page become text and one parsed tree, once, for everything that reads the page."""

import codecs
import re
from collections import defaultdict
from copy import deepcopy
from dataclasses import dataclass, field

from lxml import etree, html
from lxml.etree import _Element

from pipeline.errors import ExtractError
from pipeline.html.encodings import decode

MAX_CHARACTERS = 10_000_000
"""Longest text that is parsed. The largest news pages seen are live blogs of 4 million characters; the rest is cut."""

MAX_ATTRIBUTE = 1_000_000
"""Longest attribute value, in characters, that is kept: beyond this it is an image or an application's state."""

MAX_TAGS = 200_000
"""Tags that are parsed; the largest live blogs seen have 40,000. What follows them is cut, however many megabytes."""

MAX_EQUALS = 500_000
"""Signs of equality that are parsed, which bounds the attributes: each takes a kilobyte by the time it is a tree."""

MAX_DEPTH = 400
"""Deepest nesting that is kept. Real pages stay below 100; recursive C code overflows far later."""

# What XML cannot hold; lxml refuses such text later, and libxml2 ends a document at a NUL.
_CONTROL = bytes([*range(9), 11, 12, *range(14, 32)])
_LONG_ATTRIBUTE = re.compile(rf"""=\s*("[^"]{{{MAX_ATTRIBUTE},}}"|'[^']{{{MAX_ATTRIBUTE},}}')""")
# libxml2 compares each attribute of an element with each other: 100,000 of them take it minutes.
_TAG = re.compile(rb"<[A-Za-z][\w:-]*(?=[\s/])")
_LONG_TAG = 2000
_MAX_ATTRIBUTES = 300


class Elements(dict[str, list[_Element]]):
    """The elements of a page by their tags, in document order, and all of them by ``*``.

    libxml2 puts what follows a second ``</html>`` behind the root element: that is among them.

    As long as they are kept, no walk over the page has to make them again, as lxml does; and a search of the tree for
    one tag takes a tenth of the time of parsing it, and there are a dozen.
    """

    def __init__(self, tree: _Element) -> None:
        super().__init__()
        behind = tree.itersiblings() if tree.getparent() is None else ()
        self["*"] = [*tree.iter("*"), *(element for sibling in behind for element in sibling.iter("*"))]
        by_tag: dict[str, list[_Element]] = defaultdict(list)
        for element in self["*"]:
            by_tag[element.tag].append(element)
        self.update(by_tag)

    def __missing__(self, tag: str) -> list[_Element]:
        return []


@dataclass(frozen=True, slots=True)
class Document:
    """A page decoded and parsed.

    Attributes:
        tree: the root element, without comments and processing instructions. To change it, take a copy.
        elements: all of the tree.
        text: the source, decoded.
        encoding: Python's name of the encoding that was used.
    """

    tree: _Element
    text: str
    encoding: str
    elements: Elements = field(repr=False)


def parse_html(body: bytes, charset: str | None = None, url: str = "") -> Document:
    """The page as text and as a tree.

    ``charset`` is what the server declared, if anything.

    Raises ExtractError: ``empty``, or ``unparsable`` where no parser makes elements of it. Nothing else is raised.
    """
    if not body.strip(b"\0 \t\r\n\f"):
        raise ExtractError(url, "empty", "the page has no content", temporary=False)
    text, encoding = decode(body, charset)
    # Bytes, because lxml refuses a str that declares an encoding; those that came are those of the text, mostly.
    is_same = encoding == "utf-8" and "\ufffd" not in text and not body.startswith(codecs.BOM_UTF8)
    source = body if is_same and len(text) <= MAX_ATTRIBUTE else _bounded(text).encode("utf-8", "replace")
    try:
        tree = _parse(source)
    except Exception as error:  # lxml meets hostile input here: every way it fails means the same to the caller
        raise ExtractError(url, "unparsable", str(error)) from error
    return Document(tree, text, encoding, Elements(tree))


def copy_for_engines(tree: _Element) -> _Element:
    """A copy of the tree as trafilatura and htmldate want it, of `lxml.html`'s elements."""
    # Not so from the beginning: a class is then looked up in Python for each element, a fifth of the time of parsing.
    tree.getroottree().parser.set_element_class_lookup(html.HtmlElementClassLookup())
    return deepcopy(tree)


def _bounded(text: str) -> str:
    if len(text) > MAX_ATTRIBUTE:
        text = _LONG_ATTRIBUTE.sub('=""', text)
    return text[:MAX_CHARACTERS]


def _parse(source: bytes) -> _Element:
    source = source.translate(None, _CONTROL)
    source = _without_many_attributes(source)
    for sign, most in ((b"<", MAX_TAGS), (b"=", MAX_EQUALS)):
        if len(source) > most and source.count(sign) > most:
            source = sign.join(source.split(sign, most)[:-1])
    tree, complete = _parse_once(source, huge=False)
    if not complete:
        # libxml2 met its own limits (256 levels, 10 MB a text) and dropped the rest of the document in silence.
        tree, _ = _parse_once(source, huge=True)
        _flatten(tree)
    return tree


def _parse_once(source: bytes, *, huge: bool) -> tuple[_Element, bool]:
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=huge)
    tree = html.document_fromstring(source, parser=parser)
    last = parser.error_log.last_error
    return tree, last is None or last.level < etree.ErrorLevels.FATAL


def _without_many_attributes(source: bytes) -> bytes:
    """The source, tags of very many attributes without them."""
    kept: list[bytes] = []
    done = position = 0
    while position + _LONG_TAG < len(source):
        # From bracket to bracket in the longest steps that no long tag fits into.
        end = source.rfind(b">", position, position + _LONG_TAG)
        if end < 0:
            end = source.find(b">", position + _LONG_TAG)
            if end < 0:
                break
            piece = source[position:end]
            tag = _TAG.search(piece)
            # A comparison in a script is no tag: what follows must not be swallowed.
            if tag and len(piece) - tag.end() > _LONG_TAG and b"</script" not in piece[tag.end() :]:
                outside_quotes = re.sub(rb"""=\s*(?:"[^"]*"|'[^']*')""", b" ", piece[tag.end() :])
                if len(outside_quotes.split()) > _MAX_ATTRIBUTES:
                    kept.append(source[done : position + tag.end()])
                    done = end
        position = end + 1
    return b"".join([*kept, source[done:]]) if kept else source


def _flatten(tree: _Element) -> None:
    """Elements nested too deeply are replaced by their text, in place."""
    depth = 0
    deep: list[etree._Element] = []
    for event, element in etree.iterwalk(tree, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if event == "start" and depth == MAX_DEPTH:
            deep.append(element)
    for element in deep:
        text = " ".join(str(text) for text in element.itertext("*"))
        for child in list(element):
            element.remove(child)
        element.text = text
