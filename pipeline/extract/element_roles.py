"""What single elements are, by their tags and by what stands in them."""

import re

from lxml.etree import _Element

# fmt: off
SKIPPED = frozenset((
    "script", "style", "noscript", "template", "head", "iframe", "object", "embed", "svg", "math", "canvas", "select",
    "option", "datalist", "textarea", "input", "audio", "video", "map", "picture", "source", "track", "noindex",
    "optgroup", "progress", "meter", "dialog", "link", "meta", "base", "title", "rtc",
))
"""Elements without text of the page, or whose text is for machines and controls."""

HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_BLOCKS = HEADINGS | {
    "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "dir", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "header", "hgroup", "hr", "html", "li", "main", "menu", "nav",
    "ol", "p", "pre", "search", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
    "caption", "legend", "button", "label",
}
# fmt: on
KINDS = {
    **dict.fromkeys((*HEADINGS, "summary"), "heading"),
    "p": "paragraph",
    **dict.fromkeys(("li", "dd", "dt"), "item"),
    "blockquote": "quote",
    "pre": "code",
    **dict.fromkeys(("td", "th"), "cell"),
    "tr": "row",
    **dict.fromkeys(("figcaption", "caption"), "caption"),
    **dict.fromkeys(("button", "label", "legend"), "control"),
}
"""The kind of block that an element makes; others make one of the kind that they stand in, or of text."""


ROLES = {
    **dict.fromkeys(SKIPPED, "nothing"),
    **dict.fromkeys(("img", "picture", "video", "iframe", "amp-img"), "picture"),
    **dict.fromkeys(_BLOCKS, "part"),
    "a": "link",
    "br": "break",
    "sup": "note",
    "rt": "reading",
    "b": "bold",
    "strong": "bold",
}
"""What is done with an element on the walk over a page, where that is not what is done with a span."""

_FOOTNOTE = re.compile(r"\s*(?:\d{1,3}|[*†‡§]{1,3})\s*")


def is_footnote_mark(element: _Element) -> bool:
    """Whether it is a bare number or sign that leads to a note of the page: it would stick to the word before it."""
    link = element.find("a")
    to_note = link is not None and (link.get("href") or "").startswith("#")
    return to_note and _FOOTNOTE.fullmatch("".join(map(str, element.itertext()))) is not None


def is_question(button: _Element) -> bool:
    """Whether a button asks: then it is the heading of what it unfolds."""
    return "".join(map(str, button.itertext())).rstrip().endswith(("?", "？", "؟"))


def is_plain_row(row: _Element) -> bool:
    """Whether the cells of a row hold but lines: then it is one line itself."""
    blocks = row.iter("p", "div", "ul", "ol", "table", "h1", "h2", "h3", "h4", "blockquote", "section")
    return next(blocks, None) is None
