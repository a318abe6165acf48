"""What feeds get wrong in XML is put right on the text, so that a strict parser takes it.

feedparser has a fallback for malformed documents, but it is slower, and guesses where this here knows.
"""

import html
import re
from html.entities import html5

from pipeline.parse.frame import CDATA, COMMENT, NAME

MAX_LABELS = 200
"""Categories and keywords read of one entry. feedparser compares each with all before it: 100,000 take it minutes."""

NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document may hold, escaped or not."""

_LABEL = re.compile(r"<(/?)((?:[\w.-]+:)?)(item|entry|category|subject|keywords|tags)(?=[\s/>])", re.IGNORECASE)
_KEYWORDS = re.compile(
    r"(<(?:[\w.-]+:)?(?:keywords|tags)(?=[\s>])[^<>]*>)(?:<!\[CDATA\[)?[^<]{1000}[^<]*", re.IGNORECASE
)
_REPAIRED = re.compile(
    rf"{CDATA}|{COMMENT}|&(?:#\d{{1,8}};|#[xX][0-9a-fA-F]{{1,7}};|(?P<name>\w{{1,31}};))?|<(?!/?[A-Za-z_]|[!?])",
    re.DOTALL,
)
_PREFIX = re.compile(r"<([A-Za-z_][\w.-]*):[\w]|\s([A-Za-z_][\w.-]*):[\w.-]+\s*=\s*[\"']")
_DECLARED = re.compile(r"\sxmlns:([\w.-]+)\s*=")
_BLANKS = re.compile(r"\s{2,}")
# The captions of pictures, which feedparser would take for the summary or the title of the entry that has them.
_CAPTION = re.compile(r"(</?media:)(?=(?:description|title|text)\b)", re.IGNORECASE)
# Elements that feedparser keeps under names that it means for lists and dictionaries of its own. It dies of them, or we
# do: found by fuzzing, and `authors` around each `author` is met in the wild.
_CLASH = re.compile(r"(</?(?:[\w.-]+:)?)(?=(?:links|authors|contributors|\w{1,30}_detail)[\s/>])", re.IGNORECASE)
# A form to write to the publisher of the 1990s. feedparser takes one that stands in an entry for the feed's, and dies.
_FORM = re.compile(
    r"<((?:[\w.-]+:)?textinput)\b[^<>]*(?<!/)>(?:(?!<(?:/?(?:[\w.-]+:)?textinput|item|entry)\b).)*</\1\s*>"
    r"|</?(?:[\w.-]+:)?textinput\b[^<>]*>",
    re.IGNORECASE | re.DOTALL,
)
# feedparser lets an empty link hide the permalink that the guid is.
_EMPTY_LINK = re.compile(r"<link\s*/>|<link\s*>\s*</link\s*>", re.IGNORECASE)
_NAMESPACES = {
    "atom": "http://www.w3.org/2005/Atom",
    "a10": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "feedburner": "http://rssnamespace.org/feedburner/ext/1.0",
    "itunes": "http://www.itunes.com/DTDs/PodCast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rss": "http://purl.org/rss/1.0/",
    "slash": "http://purl.org/rss/1.0/modules/slash/",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
    "xlink": "http://www.w3.org/1999/xlink",
}
_PREDEFINED = frozenset({"&amp;", "&lt;", "&gt;", "&quot;", "&apos;"})


def repair(text: str) -> tuple[str, list[str]]:
    """The markup of a feed with what XML forbids put right, and what that was."""
    notes: list[str] = []
    if NOT_XML.search(text):
        text = NOT_XML.sub("", text)
        notes.append("characters that XML does not allow")
    # The parser calls back for every line: ten million empty ones take it half a minute.
    text = _BLANKS.sub("\n", text)
    text = _CLASH.sub(r"\1x-", _FORM.sub("", text))
    text = _CAPTION.sub(r"\1x-", _EMPTY_LINK.sub("", _with_few_labels(text)))
    text, strays = escape_strays(text)
    if strays:
        notes.append("stray & or <")
    used = {first or second for first, second in _PREFIX.findall(text)}
    unknown = sorted(used - set(_DECLARED.findall(text)) - {"xml", "xmlns"})[:50]
    if unknown:
        declarations = "".join(f' xmlns:{p}="{_NAMESPACES.get(p.lower(), f"urn:undeclared:{p}")}"' for p in unknown)
        text = re.sub(rf"\A<{NAME}", lambda root: root.group() + declarations, text)
        notes.append(f"undeclared namespaces: {', '.join(unknown[:5])}")
    return text, notes


def escape_strays(text: str) -> tuple[str, int]:
    """The markup with each ``&`` and ``<`` escaped that begins nothing, and how many there were.

    References to the characters of HTML become these characters, as XML knows five of them only.

    >>> escape_strays('<a b="?x=1&y=2">caf&eacute; &amp; 1 < 2</a>')
    ('<a b="?x=1&amp;y=2">café &amp; 1 &lt; 2</a>', 2)
    """
    repairs = _Repairs()
    return _REPAIRED.sub(repairs.one, text), repairs.count


class _Repairs:
    """Puts one spot right, and counts those that were wrong."""

    def __init__(self) -> None:
        self.count = 0

    def one(self, found: re.Match[str]) -> str:
        spot = found.group()
        if spot.startswith("<!") or spot in _PREDEFINED:
            return spot
        if spot.startswith("&#"):
            # html.unescape() knows what "&#150;" was meant to be, and has U+FFFD for what is no character.
            return _escaped(NOT_XML.sub("", html.unescape(spot)))
        if found["name"] in html5:
            return _escaped(html5[found["name"]])
        self.count += 1
        return _escaped(spot)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _with_few_labels(text: str) -> str:
    """With the labels of each entry that are too many renamed to something that nobody reads."""
    seen = 0

    def renamed(found: re.Match[str]) -> str:
        nonlocal seen
        if found[3].lower() in {"item", "entry"}:
            seen = 0
        elif not found[1]:
            seen += 1
        return found.group() if seen <= MAX_LABELS else f"<{found[1]}x-label"

    return _LABEL.sub(renamed, _KEYWORDS.sub(r"\1", text))
