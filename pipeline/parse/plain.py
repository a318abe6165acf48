"""Markup and addresses as feeds write them: plain text however often it was escaped, and links with their slips."""

import html
import re
from html.entities import html5
from typing import Literal
from urllib.parse import unquote

from pipeline.urls import canonical_url

Kind = Literal["text", "html", "xhtml"]
"""What the feed declares the text to be; of ``xhtml`` alone it may be believed."""

MAX_MARKUP = 500_000
"""Longest markup that is read, in characters: whole articles stay far below, pictures inside a text do not."""

_BREAK = "\x1e"  # ASCII's record separator: white space to `str.split`, and nothing that a text has

_MAX_ESCAPES = 3  # "&amp;amp;#8217;" was seen, deeper was not

_INLINE = "a abbr acronym b bdi bdo big center cite code del dfn em font i img ins kbd label mark q s samp small span"
_INLINE += " strike strong sub sup time tt u var wbr"
_BLOCK = (
    "address article aside audio blockquote br caption dd div dl dt figcaption figure footer form h1 h2 h3 h4 h5 h6"
)
_BLOCK += " header hr iframe li main nav noscript ol p picture pre script section source style table tbody td tfoot th"
_BLOCK += " thead tr ul video svg body html head"
HTML_NAMES = frozenset(f"{_INLINE} {_BLOCK}".split())
"""Elements of HTML that the text of an entry may hold."""

_ANY = "|".join(sorted(HTML_NAMES))

# Only names that HTML knows: "List<String>" and "a < b" are text. Attributes may hold ">" in quotes.
_TAG = re.compile(
    rf"""<(/?)({_ANY})(?=[\s/>])(?:(?:[^<>"']|"[^"]{{0,2000}}"|'[^']{{0,2000}}')*+>|[^<>]*>)""", re.IGNORECASE
)
# An end that is missing is the end of the text: looking for it again from each beginning would take quadratic time.
_HIDDEN = re.compile(r"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_CDATA = re.compile(r"<!\[CDATA\[|\]\]>")
# What escaped markup cannot do without; a mere "<b>" may be what the text is about.
_MARKUP = re.compile(rf"</(?:{_ANY})\s*>|<(?:br|img|hr|p)\b[^<>]*>", re.IGNORECASE)
_REFERENCE = re.compile(r"&(?:#\d{1,7};|#[xX][0-9a-fA-F]{1,6};|([A-Za-z][A-Za-z0-9]{1,30};))")
_INLINE_NAMES = frozenset(_INLINE.split())
# Controls, lone surrogates (no database takes them), and what is there for line breaking only. Joiners stay: Persian
# and Urdu need them.
_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u200b\u2060\ufeff\ufffe\uffff\ud800-\udfff]")


def plain_text(value: str, kind: Kind = "html") -> str:
    """The text in one line, without markup and character references. Survives anything.

    >>> plain_text("<p>Fish &amp;amp; <b>chips</b></p><p>A &lt; B</p>")
    'Fish & chips A < B'
    >>> plain_text("List<String> in 5 < 6 minutes")
    'List<String> in 5 < 6 minutes'
    """
    return " ".join(_read(value, kind).split())


def plain_paragraphs(value: str, kind: Kind = "html") -> str:
    r"""The same with its paragraphs, each in one line, joined by a blank line.

    >>> plain_paragraphs("<p>Fish &amp; <b>chips</b></p>\n<ul><li>One<li>Two</ul>")
    'Fish & chips\n\nOne\n\nTwo'
    """
    text = re.sub(r"\n\s*\n", _BREAK, value[:MAX_MARKUP]) if kind == "text" else value
    parts = (" ".join(part.split()) for part in _read(text, kind).split(_BREAK))
    return "\n\n".join(filter(None, parts))


def _read(value: str, kind: Kind) -> str:
    """The text with `_BREAK` between blocks."""
    text = value[:MAX_MARKUP]
    if kind != "text":
        text = _unescaped(_stripped(text))
    # Of XHTML, one reading is the right one: "<code>&lt;b&gt;</code>" speaks of a tag.
    for _ in range(_MAX_ESCAPES if kind != "xhtml" else 0):
        if _MARKUP.search(text):
            text = _unescaped(_stripped(text))
        elif _REFERENCE.search(text):
            text = _unescaped(text)
        else:
            break
    return text if text.isascii() and text.isprintable() else _INVISIBLE.sub(_shown, _redecoded(text))


def shorten_text(text: str, limit: int) -> str:
    """The text, cut between words where it is longer than ``limit`` characters.

    >>> shorten_text("one two three", 10)
    'one two…'
    """
    if len(text) <= limit:
        return text
    start = text[: limit - 1]
    words, space, _ = start.rpartition(" ")
    # Japanese and Chinese have no spaces to cut at.
    return (words if space and len(words) > limit // 2 else start) + "…"


def _redecoded(text: str) -> str:
    """The text that UTF-8 was taken for Latin-1 to give; any other text itself."""
    try:
        return text if text.isascii() else text.encode("latin-1").decode()
    except UnicodeError:
        return text


def _shown(invisible: re.Match[str]) -> str:
    """What Windows has in the place of a control character of Latin-1; nothing for other invisible ones."""
    return bytes([ord(invisible.group())]).decode("cp1252", "ignore") if "\x80" <= invisible.group() <= "\x9f" else ""


def _stripped(text: str) -> str:
    if "<" not in text:
        return text
    return _TAG.sub(_gap, _HIDDEN.sub(" ", _CDATA.sub("", text)))


def _gap(tag: re.Match[str]) -> str:
    return "" if tag.group(2).lower() in _INLINE_NAMES else _BREAK


def _unescaped(text: str) -> str:
    # Not html.unescape() of the whole: it reads "&copy=1" in an address as "©=1".
    return _REFERENCE.sub(_meant, text)


def _meant(reference: re.Match[str]) -> str:
    if reference[1]:
        return html5.get(reference[1], reference.group())
    # It knows what "&#150;" was meant to be, and has U+FFFD for what is no character.
    return html.unescape(reference.group())


_DOUBLED = re.compile(r"https?:/{0,2}(?=https?:/)", re.IGNORECASE)
_ENCODED = re.compile(r"https?%3a%2f%2f", re.IGNORECASE)
_BARE_HOST = re.compile(r"www\.[\w-]+(?:\.[\w-]+)+(?:[/?#:]|\Z)", re.IGNORECASE)


def usable_link(link: str, base: str) -> str | None:
    """The canonical URL that a link means; None where it leads to no page of the web.

    >>> [usable_link(link, "https://a.example/") for link in ("http://http://a.example/1", "www.a.example")]
    ['http://a.example/1', 'https://www.a.example/']
    """
    link = mended_link(link, base)
    try:
        return canonical_url(link, base)
    except ValueError:
        return None


def mended_link(link: str, base: str) -> str:
    """The link without slips of the pen: a scheme that stands twice, is missing before ``www.``, or is escaped."""
    link = "".join(link.split()) if "\n" in link else link.strip()
    if _ENCODED.match(link):
        link = unquote(link)
    link = _DOUBLED.sub("", link)
    if _BARE_HOST.match(link):
        link = f"{base.partition('://')[0]}://{link}"
    return link
