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
class FeedLimits:
    """What is read of one document: entries, and tags and references in all of them."""

    entries: int
    marks: int


FEEDS = FeedLimits(MAX_ENTRIES, MAX_MARKS)
SITEMAPS = FeedLimits(MAX_PAGES, 4 * MAX_MARKS)
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


def frame_feed(text: str, root: str, url: str, limits: FeedLimits = FEEDS) -> Framed:
    """The root element that the text begins with.

    Raises FeedError: ``unparsable``: it ends before the first entry does, or is more markup than feed.
    """
    first = _MARK.match(text)
    if first and first.group().endswith("/>"):
        return Framed(first.group())
    if _is_affordable(text, root, limits):
        return Framed(text)
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


def _is_affordable(text: str, root: str, limits: FeedLimits) -> bool:
    """Whether the document is whole and small enough, as nearly all are, so that nobody has to look for its entries."""
    end = f"</{root}>"
    if not text.rstrip().endswith(end) or text.count(end) != 1 or _marks(text) > limits.marks:
        return False
    prefix, colon, local = root.rpartition(":")
    name = _ENTRIES.get(local.lower(), "item")
    lengths = [len(piece) for piece in text.split(f"</{prefix}{colon}{name}>" if name != "item" else "</item>")]
    # Each mark takes a character at least. What stands around the entries is a piece as well.
    return len(lengths) - 1 <= limits.entries and max(lengths) <= MAX_ENTRY_MARKS


def _spans(text: str, root: str) -> tuple[list[tuple[int, int]], int | None, bool]:
    """Where the entries stand, where the root element ends (if it does), and whether a channel is open before that."""
    local = _ENTRIES.get(root.rpartition(":")[2].lower(), "item")
    marks: list[tuple[bool, int, int]] = []
    entry = ""
    end: int | None = None
    stop = len(text)
    is_open = is_open_there = False
    for mark in _MARK.finditer(text):
        name = (mark["name"] or "").lower()
        if not name or mark.group().endswith("/>"):
            continue
        if name == (entry or name) and name.rpartition(":")[2] == local:
            entry = name  # its prefix, if any, tells it from elements of extensions within
            marks.append((bool(mark["end"]), mark.start(), mark.end()))
            is_open_there, stop = is_open, len(text)
        elif mark["end"] and name == root.lower():
            end, stop = mark.end(), min(stop, mark.start())
            break
        elif name.rpartition(":")[2] == "channel":
            is_open = not mark["end"]
            stop = min(stop, mark.start())
    spans = _paired(text, marks, stop if end is not None else None)
    return spans, end, is_open_there and end is None


def _paired(text: str, marks: list[tuple[bool, int, int]], stop: int | None) -> list[tuple[int, int]]:
    """From the start of each entry to its end; to the start of the next, or the end of the feed, where that is missing.

    Where there are as many ends as starts, an entry within another is a part of it.
    """
    may_nest = 2 * sum(is_end for is_end, _, _ in marks) == len(marks)
    spans: list[tuple[int, int]] = []
    begin: int | None = None
    depth = 0
    for is_end, first, last in marks:
        if not is_end and begin is not None and not may_nest:
            spans.append((begin, first))
            begin, depth = first, 1
        elif not is_end:
            begin = first if begin is None else begin
            depth += 1
        elif begin is not None:
            depth -= 1
            if depth == 0:
                spans.append((begin, last))
                begin = None
        elif not spans or "<" in text[spans[-1][1] : first]:
            spans.append((spans[-1][1] if spans else first, last))  # an entry without its start, to be counted
    if begin is not None and stop is not None:
        spans.append((begin, stop))
    return spans


def _affordable(text: str, spans: list[tuple[int, int]], limits: FeedLimits) -> dict[tuple[int, int], int]:
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


def take_apart(text: str, root: str) -> tuple[str, str, list[str]]:
    """The start tag of the root element, what stands behind it and around the entries, and the entries."""
    begin = re.match(r"<[^<>]*>", text)
    position = begin.end() if begin else 0
    around: list[str] = []
    spans, end, _ = _spans(text, root)
    for first, last in spans:
        around.append(text[position:first])
        position = last
    around.append(text[position:end])
    return begin.group() if begin else f"<{root}>", "".join(around), [text[first:last] for first, last in spans]
