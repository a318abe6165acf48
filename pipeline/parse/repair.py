"""What feeds get wrong in XML below the level of elements is put right on the text, so that a strict parser takes it.

Elements that do not end are the matter of `pipeline.parse.tree`.
"""

import html
import re
from html.entities import html5

from pipeline.parse.frame import CDATA, COMMENT, NAME

NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document may hold, escaped or not."""

MAX_TAG = 200
"""Longest start tag, with text behind it, in front of a CDATA section that is looked at, in characters."""

_REPAIRED = re.compile(
    rf"{CDATA}|{COMMENT}|\]\]>|<(?:\s+/\s*|/\s+|\s*\\\s*)(?P<end>{NAME})\s*>|&(?:#\d{{1,8}};|#[xX][0-9a-fA-F]{{1,7}};|(?P<name>\w{{1,31}};))?|<(?!/?[A-Za-z_]|[!?])",
    re.DOTALL,
)
_HIDING = re.compile(rf"{CDATA}|{COMMENT}", re.DOTALL)
_PREFIX = re.compile(r"<([A-Za-z_][\w.-]*):[\w]|\s([A-Za-z_][\w.-]*):[\w.-]+\s*=\s*[\"']")
_DECLARED = re.compile(r"\sxmlns:([\w.-]+)\s*=")
_CDATA_BEGIN = "<![CDATA["
_ENTRY_EDGE = re.compile(r"</?(?:[\w.-]+:)?(?:item|entry|url|sitemap)[\s>]", re.IGNORECASE)
_HOLDER = re.compile(rf"<({NAME})[^<>]*>[^<>]*\Z")
_PREDEFINED = frozenset({"&amp;", "&lt;", "&gt;", "&quot;", "&apos;"})


def close_cdata(text: str) -> tuple[str, int]:
    """The markup with an end for each CDATA section that lacks it, and how many did.

    Such a section would go on to the end of the next, or of the document, with all the entries between. It ends where
    the element ends that it stands in, or else the entry, or where the next begins.

    >>> close_cdata("<a><![CDATA[1 <b>2</a><a><![CDATA[3]]></a>")
    ('<a><![CDATA[1 <b>2]]></a><a><![CDATA[3]]></a>', 1)
    """
    if text.count(_CDATA_BEGIN) == text.count("]]>"):
        return text, 0
    pieces: list[str] = []
    position = count = 0
    begin, end = text.find(_CDATA_BEGIN), -1
    while begin >= 0:
        following = text.find(_CDATA_BEGIN, begin + len(_CDATA_BEGIN))
        if end < begin:
            end = text.find("]]>", begin) % (len(text) + 1)  # beyond the text where there is none
        if end > (following if following >= 0 else len(text) - 1):
            holder = _HOLDER.search(text, max(0, begin - MAX_TAG), begin)
            last = following if following >= 0 else len(text)
            stop = text.find(f"</{holder[1]}", begin, last) if holder else -1
            if stop < 0 and (edge := _ENTRY_EDGE.search(text, begin, last)):
                stop = edge.start()
            if stop >= 0:
                pieces += [text[position:stop], "]]>"]
                position = stop
                count += 1
        begin = following
    return "".join((*pieces, text[position:])), count


def open_comment(text: str, root: str) -> tuple[str, bool]:
    """The markup without the beginning of a comment that has no end and hides the rest; and whether there was one.

    In a document that was cut, the end of the comment was cut off with it.

    >>> open_comment("<rss><!-- ours <item/></rss>", "rss")
    ('<rss> ours <item/></rss>', True)
    """
    if text.rfind("-->") >= text.rfind("<!--") or not text.rstrip().endswith(f"</{root}>"):
        return text, False
    *_, last = _HIDING.finditer(text)
    if not last.group().startswith("<!--"):
        return text, False  # it is part of a text
    return text[: last.start()] + text[last.start() + len("<!--") :], True


def repair_markup(text: str) -> tuple[str, list[str]]:
    """The markup of a feed with what XML forbids put right, and what that was."""
    notes: list[str] = []
    if NOT_XML.search(text):
        text = NOT_XML.sub("", text)
        notes.append("characters that XML does not allow")
    text, strays = escape_strays(text)
    if strays:
        notes.append("stray &, < or ]]>")
    used = {first or second for first, second in _PREFIX.findall(text)}
    unknown = sorted(used - set(_DECLARED.findall(text)) - {"xml", "xmlns"})[:50]
    if unknown:
        declarations = "".join(f' xmlns:{p}="urn:undeclared:{p}"' for p in unknown)
        text = re.sub(rf"\A<{NAME}", lambda root: root.group() + declarations, text)
        notes.append(f"undeclared namespaces: {', '.join(unknown[:5])}")
    return text, notes


def escape_strays(text: str) -> tuple[str, int]:
    """The markup with each ``&`` and ``<`` escaped that begins nothing, and how many there were.

    An end tag with blanks or the wrong slash is put right, and the end of a CDATA section that never began goes.
    References to the characters of HTML become these characters, as XML knows five of them only.

    >>> escape_strays('<a b="?x=1&y=2">caf&eacute; &amp; 1 < 2</a>')
    ('<a b="?x=1&amp;y=2">café &amp; 1 &lt; 2</a>', 2)
    """
    repairs = _Repairs()
    return _REPAIRED.sub(repairs.put_right, text), repairs.count


class _Repairs:
    """Puts one spot right, and counts those that were wrong."""

    def __init__(self) -> None:
        self.count = 0

    def put_right(self, match: re.Match[str]) -> str:
        spot = match.group()
        if spot.startswith("<!") or spot in _PREDEFINED:
            return spot
        if match["end"] or spot == "]]>":
            self.count += 1
            return f"</{match['end']}>" if match["end"] else ""
        if spot.startswith("&#"):
            # html.unescape() knows what "&#150;" was meant to be, and has U+FFFD for what is no character.
            return _escaped(NOT_XML.sub("", html.unescape(spot)))
        if match["name"] in html5:
            return _escaped(html5[match["name"]])
        self.count += 1
        return _escaped(spot)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
