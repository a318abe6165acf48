"""The bytes of a feed document become its markup, as text of bounded size.

Nothing before the root element is kept, so that document types and what they declare (external entities, expanding
entities) never reach a parser.
"""

import re
import zlib
from dataclasses import dataclass
from typing import Literal

from pipeline.errors import FeedError
from pipeline.html.encodings import decode
from pipeline.parse.frame import COMMENT, FEEDS, NAME, SITEMAPS, frame_feed
from pipeline.parse.repair import close_cdata, open_comment

MAX_PROLOG = 200_000
"""Where the root element must have begun, in characters: behind what a broken CMS prints before it, no more."""

MAX_INFLATED = 20 * 2**20
"""Most bytes made of a document that is itself compressed; what lies beyond is cut off. As large as a sitemap of
50,000 pages with a title each; the sitemap protocol ends at 50 MB, but such are archives."""

Form = Literal["feed", "sitemap", "sitemap index"]

FEED_ROOTS = frozenset({"rss", "rdf", "feed", "channel"})
"""Local names of the elements that a feed may begin with, in lower case (`channel`: feeds that lost their `rss`)."""

SITEMAP_ROOTS: dict[str, Form] = {"urlset": "sitemap", "sitemapindex": "sitemap index"}
"""Those of sitemaps, and what each is."""

_PROLOG = re.compile(
    rf"{COMMENT}|<\?.*?(?:\?>|\Z)|<!DOCTYPE(?P<type>[^>\[]*)(?:\[.*?(?:\]\s*>|\Z)|>|\Z)|<(?P<name>{NAME})",
    re.IGNORECASE | re.DOTALL,
)
_GZIP = b"\x1f\x8b\x08"
_XML_ENCODING = re.compile(rb"""^\s*<\?xml[^>]{0,100}?encoding\s*=\s*["']([\w.:-]{2,40})["']""", re.IGNORECASE)
_HTML = frozenset({"html", "head", "body", "title", "meta", "script", "style", "div", "p", "br", "b", "h1", "center"})


@dataclass(frozen=True, slots=True)
class FeedDocument:
    """A feed document, from the beginning of its root element to the end, without the entries that are too much.

    Attributes:
        form: which reader it is for.
        root: the name of the root element, as written.
        markup: from the root element on.
        malformed: what was wrong so far.
        left_out: entries that were whole but too many, too long or too intricate.
        cut: whether the document ends before its root element does.
    """

    form: Form
    root: str
    markup: str
    malformed: tuple[str, ...]
    left_out: int
    cut: bool


def form_of(body: bytes) -> Literal["lines", "json", "markup"]:
    """What the bytes are, as far as their beginning tells: a plain list of addresses, an object of JSON, or neither.

    This and the root element of what is markup (`FeedDocument.form`) are all that decides how a document is read.
    """
    start = body[:1000].lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")
    if start.startswith((b"http://", b"https://")):
        return "lines"
    return "json" if start.startswith(b"{") else "markup"


def read_document(body: bytes, url: str, content_type: str = "", charset: str | None = None) -> FeedDocument:
    """The document, decoded.

    Raises FeedError: ``empty``, ``html``, ``not_a_feed``, or ``unparsable`` where it ends before the first entry
    does.
    """
    if not body.strip(b"\0 \t\r\n\f\xef\xbb\xbf\xfe\xff"):
        raise FeedError(url, "empty", "the document has no content")
    declared = _XML_ENCODING.match(body[:300])
    text, encoding = decode(_without_half_character(body), _believable(charset, declared is not None))
    label = declared.group(1).decode("ascii").lower() if declared else ""
    notes = [f"declared as {label}, read as {encoding}"] if label and ("utf" in label) != ("utf" in encoding) else []
    start, root = _root(text, url, content_type)
    if _PROLOG.sub("", text[:start]).strip("\ufeff \t\r\n"):
        notes.append("text before the document")
    form: Form = SITEMAP_ROOTS.get(local_name(root), "feed")
    markup, unclosed = close_cdata(text[start:])
    if unclosed:
        notes.append("CDATA sections without an end")
    markup, was_open = open_comment(markup, root)
    if was_open:
        notes.append("a comment without an end")
    framed = frame_feed(markup, root, url, FEEDS if form == "feed" else SITEMAPS)
    if framed.cut:
        notes.append("cut before its end")
    return FeedDocument(form, root, framed.text, tuple(notes), framed.left_out, framed.cut)


def inflate_body(body: bytes) -> bytes:
    """The body, decompressed where it is a gzip file: servers send ``sitemap.xml.gz`` as what it is.

    Of a file that was cut off, what there is of it; of what is no gzip file after all, the bytes themselves.
    """
    if not body.startswith(_GZIP):
        return body
    whole, rest = b"", body
    while rest.startswith(_GZIP) and len(whole) < MAX_INFLATED:
        stream = zlib.decompressobj(wbits=31)
        try:
            whole += stream.decompress(rest, MAX_INFLATED - len(whole))
        except zlib.error:
            break
        rest = stream.unused_data
    return whole or body


def local_name(name: str) -> str:
    """The name of an element without its prefix, in lower case."""
    return name.rpartition(":")[2].lower()


def _without_half_character(body: bytes) -> bytes:
    """Without the beginning of a character that a cut left at the end of UTF-8: it would speak for other encodings."""
    try:
        body.decode()
    except UnicodeDecodeError as error:
        return body[: error.start] if error.reason == "unexpected end of data" else body
    return body


def _believable(charset: str | None, has_declaration: bool) -> str | None:
    """The label of the server, unless it is the default of web servers and the document knows better."""
    is_default = (charset or "").strip("\"' ").lower() in {"iso-8859-1", "latin1", "us-ascii", "ascii", "windows-1252"}
    return None if is_default and has_declaration else charset


def _root(text: str, url: str, content_type: str) -> tuple[int, str]:
    """Where the root element begins, and its name."""
    first = ""
    for mark in _PROLOG.finditer(text[:MAX_PROLOG]):
        name = mark["name"] or ("html" if (mark["type"] or "").strip().lower().startswith("html") else "")
        if local_name(name) in FEED_ROOTS | SITEMAP_ROOTS.keys():
            return mark.start(), name
        if mark["name"] and (name.lower() == "html" or first == "html"):
            raise FeedError(url, "html", "a web page in place of a feed")
        first = first or name.lower()
    if first in _HTML or (not first and content_type in {"text/html", "application/xhtml+xml"}):
        raise FeedError(url, "html", "a web page in place of a feed")
    raise FeedError(url, "not_a_feed", f"begins with {text.lstrip()[:60]!r}")
