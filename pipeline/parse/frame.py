"""Where the entries of a feed document stand: what was cut off is closed, what is too much is left out.

Works on the text, since a document that was cut or swollen is exactly what no parser should be given.
"""

import re
from dataclasses import dataclass

from pipeline.errors import FeedError

MAX_ENTRIES = 2_000
"""Entries read of one document, from its beginning, where feeds have the newest. The largest feeds of publishers seen
have about 500; an archive with more is not read again at every poll."""

MAX_ENTRY = 2_000_000
"""Longest entry, in characters. Whole articles stay far below; beyond it are pictures written as text, or an attack."""

MAX_ENTRY_MARKS = 20_000
"""Most tags and references (``<`` and ``&``) in one entry, and outside of all entries. The fallback for malformed
documents takes quadratic time for tags that nobody closes: 0.25 s for as many as this, a minute for 300,000."""

MAX_MARKS = 500_000
"""Most tags and references in all entries that are read: a few seconds of parsing, the fallback included."""

MAX_PAGES = 50_000
"""Pages read of one sitemap: where the protocol ends. All are read, since the newest may stand anywhere."""

NAME = r"[A-Za-z_][\w.-]*(?::[\w.-]+)?"
"""The name of an element."""

# Whatever lacks its end goes on to the end of the text. Else each beginning would be searched for its end again, and
# a document of nothing but beginnings would take quadratic time.
CDATA = r"<!\[CDATA\[.*?(?:\]\]>|\Z)"
COMMENT = r"<!--.*?(?:-->|\Z)"
_MARK = re.compile(
    rf"{CDATA}|{COMMENT}|<(?P<end>/?)(?P<name>(?:[\w.-]+:)?(?:item|entry|rss|rdf|feed|channel|url|urlset|sitemap|sitemapindex))(?=[\s/>])[^<>]*>",
    re.IGNORECASE | re.DOTALL,
)

_ENTRIES = {"feed": "entry", "urlset": "url", "sitemapindex": "sitemap"}


@dataclass(frozen=True, slots=True)
class Limits:
    """What is read of one document: entries, and tags and references in all of them."""

    entries: int
    marks: int


FEEDS = Limits(MAX_ENTRIES, MAX_MARKS)
SITEMAPS = Limits(MAX_PAGES, 4 * MAX_MARKS)
"""Their parser takes a second for as many marks, and gives back the memory of each page."""


@dataclass(frozen=True, slots=True)
class Framed:
    """A root element with the entries that are whole.

    Attributes:
        left_out: entries that were whole but too many, too long or too intricate.
        cut: whether the text ended before the root element did.
    """

    text: str
    left_out: int = 0
    cut: bool = False


def frame(text: str, root: str, url: str, limits: Limits = FEEDS) -> Framed:
    """The root element that the text begins with.

    Raises:
        FeedError: ``unparsable``: it ends before the first entry does, or is more markup than feed.
    """
    first = _MARK.match(text)
    if first and first.group().endswith("/>"):
        return Framed(first.group())
    spans, end, is_open = _spans(text, root)
    if end is None and not spans:
        raise FeedError(url, "unparsable", "ends before its first entry does")
    kept = _affordable(text, spans, limits)
    # Of a document that was cut, what stands behind the last entry would be read as one more: a link without its end.
    stop = spans[-1][1] if end is None else end
    closing = ("</channel>" if is_open and root.lower() != "channel" else "") + f"</{root}>" if end is None else ""
    pieces, position = [], 0
    for span in spans:
        if span not in kept:
            pieces.append(text[position : span[0]])
            position = span[1]
    pieces.append(text[position:stop])
    whole = "".join(pieces)
    if _marks(whole) - sum(kept.values()) > MAX_ENTRY_MARKS:
        raise FeedError(url, "unparsable", "too much markup around its entries")
    return Framed(whole + closing, left_out=len(spans) - len(kept), cut=end is None)


def _spans(text: str, root: str) -> tuple[list[tuple[int, int]], int | None, bool]:
    """Where the entries stand, where the root element ends (if it does), and whether a channel is open before that."""
    local = _ENTRIES.get(root.rpartition(":")[2].lower(), "item")
    spans: list[tuple[int, int]] = []
    begin: int | None = None
    entry = ""
    is_open = is_open_there = False
    for mark in _MARK.finditer(text):
        name = (mark["name"] or "").lower()
        if not name or mark.group().endswith("/>"):
            continue
        if name == (entry or name) and name.rpartition(":")[2] == local:
            entry = name  # its prefix, if any, tells it from elements of extensions within
            if not mark["end"]:
                begin = mark.start() if begin is None else begin
            elif begin is not None:
                spans.append((begin, mark.end()))
                begin, is_open_there = None, is_open
        elif mark["end"] and name == root.lower():
            return spans, mark.end(), False
        elif name.rpartition(":")[2] == "channel":
            is_open = not mark["end"]
    return spans, None, is_open_there


def _affordable(text: str, spans: list[tuple[int, int]], limits: Limits) -> dict[tuple[int, int], int]:
    """The entries that are worth their time, each with its number of tags and references."""
    kept: dict[tuple[int, int], int] = {}
    spent = 0
    for begin, end in spans:
        cost = _marks(text, begin, end)
        if end - begin <= MAX_ENTRY and cost <= MAX_ENTRY_MARKS:
            if len(kept) == limits.entries or spent + cost > limits.marks:
                break
            kept[begin, end] = cost
            spent += cost
    return kept


def _marks(text: str, *span: int) -> int:
    return text.count("<", *span) + text.count("&", *span)


def take_apart(text: str, root: str) -> tuple[str, list[str], str]:
    """What stands before the entries, the entries, and the end tags behind them; not what stands between."""
    spans, _, _ = _spans(text, root)
    if not spans:
        return text, [], ""
    ends = re.findall(rf"</(?:[\w.-]+:)?channel\s*>|</{re.escape(root)}\s*>", text[spans[-1][1] :], re.IGNORECASE)
    return text[: spans[0][0]], [text[begin:end] for begin, end in spans], "".join(ends)


def bare(head: str) -> str:
    """The start tags of the root and of a channel that is open where the entries begin; nothing of what they hold."""
    root = re.match(r"<[^<>]*>", head)
    channels = re.findall(r"</?(?:[\w.-]+:)?channel(?=[\s/>])[^<>]*>", head, re.IGNORECASE)
    is_open = bool(channels) and not channels[-1].startswith("</")
    return (root.group() if root else "") + (channels[-1] if is_open and root and channels[-1] != root.group() else "")
