"""Bytes of a page become text and one parsed tree, once, for everything that reads the page.

Order of belief for the encoding, as browsers meet it rather than as servers declare it: byte order mark; UTF-8 that is
valid (chance does not produce it, while headers and meta elements lie); UTF-8 with a few broken bytes (a page cut in
the middle, one foreign snippet); header; meta; detection.
"""

import codecs
import re
from collections import defaultdict
from copy import deepcopy
from dataclasses import dataclass, field

from lxml import etree, html
from lxml.etree import _Element

from pipeline.errors import ExtractError

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

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Labels that browsers read as a larger encoding (https://encoding.spec.whatwg.org/#names-and-labels).
_WIDER = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
# Python's codecs also hold "idna", "unicode_escape" and others that are no encodings of pages.
_CHARACTER_SETS = re.compile(
    r"(?:ascii|iso8859|iso2022|cp\d|koi8|gb|big5|euc|shift|hz|johab|mac|tis|kz|ptcp|utf-(?:8|16|32))"
)
_META_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{2,40})""", re.IGNORECASE)
_XML_ENCODING = re.compile(rb"""<\?xml[^>]{0,100}?encoding\s*=\s*["']([\w.:-]{2,40})["']""", re.IGNORECASE)
_MULTIBYTE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
# What XML cannot hold; lxml refuses such text later, and libxml2 ends a document at a NUL.
_CONTROL = bytes([*range(9), 11, 12, *range(14, 32)])
_LONG_ATTRIBUTE = re.compile(rf"""=\s*("[^"]{{{MAX_ATTRIBUTE},}}"|'[^']{{{MAX_ATTRIBUTE},}}')""")
# libxml2 compares each attribute of an element with each other: 100,000 of them take it minutes.
_TAG = re.compile(rb"<[A-Za-z][\w:-]*(?=[\s/])")
_LONG_TAG = 2000
_MAX_ATTRIBUTES = 300
_META_BYTES = 4096  # browsers look at 1024; CMSes put the meta element behind scripts
_SAMPLE_BYTES = 20_000


class Elements(dict[str, list[_Element]]):
    """The elements of a page by their tags, in document order, and all of them by ``*``.

    libxml2 puts what follows a second ``</html>`` behind the root element: that is among them.

    As long as they are kept, no walk over the page has to make them anew, as lxml does; and a search of the tree for
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
        tree: the root element, without comments and processing instructions. Whoever changes it works on a copy.
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

    Args:
        body: the page, decompressed.
        charset: what the server declared, if anything.
        url: for the error only.

    Raises:
        ExtractError: ``empty``, or ``unparsable`` where no parser makes elements of it. Nothing else is raised.
    """
    if not body.strip(b"\0 \t\r\n\f"):
        raise ExtractError(url, "empty", "the page has no content")
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


def decode(body: bytes, charset: str | None = None) -> tuple[str, str]:
    """The text of a page and the encoding that it was read in. Never fails: what fits nothing is replaced.

    >>> decode("é".encode("latin-1"), "iso-8859-1")
    ('é', 'cp1252')
    >>> decode("é".encode(), "iso-8859-1")
    ('é', 'utf-8')
    """
    for bom, name in _BOMS:
        if body.startswith(bom):
            return body[len(bom) :].decode(name, "replace"), name
    if wide := _unmarked_utf16(body):
        return body.decode(wide, "replace"), wide
    try:
        return body.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        if _is_mostly_utf8(body):
            return body.decode("utf-8", "replace"), "utf-8"
    declared = [_codec(charset), *(_codec(match) for match in _meta_charsets(body))]
    candidates = [name for name in dict.fromkeys(declared) if name and not name.startswith("utf")]
    for name in candidates:
        try:
            return body.decode(name), name
        except UnicodeDecodeError:
            continue
    name = (candidates or [_detected(body)])[0]
    return body.decode(name, "replace"), name


def _meta_charsets(body: bytes) -> list[str]:
    head = body[:_META_BYTES]
    return [m.group(1).decode("ascii") for pattern in (_META_CHARSET, _XML_ENCODING) if (m := pattern.search(head))]


def _codec(label: str | None) -> str | None:
    """Python's name of an encoding that decodes at least what the label promises."""
    try:
        name = codecs.lookup((label or "").strip().strip("\"'")).name
    except (LookupError, ValueError):
        return None
    return _WIDER.get(name, name) if _CHARACTER_SETS.match(name) else None


def _unmarked_utf16(body: bytes) -> str | None:
    start = body[:400]
    even, odd = start[::2].count(0), start[1::2].count(0)
    most, few = len(start) // 3, len(start) // 20
    if len(start) < 8 or (even > few and odd > few):  # NUL bytes in a row are rubbish in the page
        return None
    if odd > most:
        return "utf-16-le"
    return "utf-16-be" if even > most else None


def _is_mostly_utf8(body: bytes) -> bool:
    """Whether nearly all bytes above 127 belong to sequences that only UTF-8 makes."""
    high = len(body.translate(None, bytes(range(128))))
    return high > 0 and sum(map(len, _MULTIBYTE.findall(body))) > 0.9 * high


def _detected(body: bytes) -> str:
    # Imported late: it takes long to load, and one page in a thousand needs it.
    from charset_normalizer import from_bytes

    # Markup is ASCII in every candidate; the detector should see what tells them apart.
    foreign = b" ".join(re.findall(rb"[^<>]{0,40}[\x80-\xff][^<>]{0,40}", body[:1_000_000]))[:_SAMPLE_BYTES]
    best = from_bytes(foreign or body[:_SAMPLE_BYTES]).best()
    name = _codec(best.encoding if best else None) or "cp1252"
    # for a few bytes it guesses EBCDIC: markup that is readable as ASCII says otherwise
    return name if b"</a>".decode(name, "replace") == "</a>" else "cp1252"


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
    done = place = 0
    while place + _LONG_TAG < len(source):
        # From bracket to bracket in the longest steps that no long tag fits into.
        end = source.rfind(b">", place, place + _LONG_TAG)
        if end < 0:
            end = source.find(b">", place + _LONG_TAG)
            if end < 0:
                break
            piece = source[place:end]
            tag = _TAG.search(piece)
            # A comparison in a script is no tag: what follows must not be swallowed.
            if tag and len(piece) - tag.end() > _LONG_TAG and b"</script" not in piece[tag.end() :]:
                outside_quotes = re.sub(rb"""=\s*(?:"[^"]*"|'[^']*')""", b" ", piece[tag.end() :])
                if len(outside_quotes.split()) > _MAX_ATTRIBUTES:
                    kept.append(source[done : place + tag.end()])
                    done = end
        place = end + 1
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
