"""A page as a sequence of blocks of text in reading order, each with what the markup around it says.

One walk over the tree, which is left as it is. A block is a paragraph, heading, list entry, table row or whatever else
begins and ends a line in a browser.
"""

import re
import tomllib
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

from lxml.etree import _Element

SKIPPED = frozenset(
    ["script", "style", "noscript", "template", "head", "iframe", "object", "embed", "svg", "math", "canvas", "select", "option", "datalist", "textarea", "input", "audio", "video", "map", "picture", "source", "track", "noindex", "optgroup", "progress", "meter", "dialog", "link", "meta", "base", "title"]
)
"""Elements without text of the page, or whose text is for machines and controls."""

HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_BLOCKS = (
    frozenset(
        ["address", "article", "aside", "blockquote", "body", "center", "dd", "details", "dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "header", "hgroup", "hr", "html", "li", "main", "menu", "nav", "ol", "p", "pre", "search", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul", "caption", "legend", "button", "label"]
    )
    | HEADINGS
)
_KINDS = {
    **dict.fromkeys(HEADINGS, "heading"),
    "p": "paragraph",
    "li": "item",
    "dd": "item",
    "dt": "item",
    "blockquote": "quote",
    "pre": "code",
    "td": "cell",
    "th": "cell",
    "tr": "row",
    "figcaption": "caption",
    "caption": "caption",
    "button": "control",
    "label": "control",
    "legend": "control",
    "summary": "heading",
}
_NAMED = ("class", "id", "role", "itemprop", "data-testid", "data-component", "data-type", "data-qa", "data-module")
MAX_STEM = 24
"""Letters of the longest stem."""

MAX_NAMES = 400
"""Characters of an element's names that are looked at: beyond are utility classes by the hundred."""

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORDS = re.compile(r"[a-z]+|[0-9]+")
_SPACE = re.compile(r"[^\S\n]+")
_LINES = re.compile(r"\s*\n\s*")
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


class Node(NamedTuple):
    """A block-level element, as far as selecting needs it. ``marks`` are its own, ``inherited`` include its ancestors'."""

    parent: int
    depth: int
    tag: str
    marks: int
    inherited: int


class Block(NamedTuple):
    """A run of text between two line breaks of the page.

    Attributes:
        node: index of the element that holds it, in `Layout.nodes`.
        kind: paragraph, heading, item, quote, code, cell, row, caption, control or text.
        linked: characters of the text that are in links.
        bold: characters that are emphasised.
        links: number of links.
        pieces: how many text nodes it was made of.
    """

    text: str
    node: int
    kind: str
    linked: int
    bold: int
    links: int
    pieces: int


@dataclass(frozen=True, slots=True)
class Layout:
    """All blocks of a page and the elements that hold them, parents before children."""

    blocks: tuple[Block, ...]
    nodes: tuple[Node, ...]
    elements: tuple[_Element, ...] = field(repr=False)


@cache
def mark_names() -> tuple[str, ...]:
    """The groups of names; a group's bit in a mask is its place here."""
    return (*_groups(), *_TAG_MARKS)


_TAG_MARKS = (
    "in_aside",
    "in_nav",
    "in_footer",
    "in_header",
    "in_form",
    "in_figure",
    "in_article",
    "in_main",
    "in_list",
    "in_table",
    "in_quote",
    "is_hidden",
    "in_link",
    "in_caption",
    "in_control",
)
_BY_TAG = {
    "aside": "in_aside",
    "nav": "in_nav",
    "footer": "in_footer",
    "header": "in_header",
    "form": "in_form",
    "figure": "in_figure",
    "article": "in_article",
    "main": "in_main",
    "ul": "in_list",
    "ol": "in_list",
    "dl": "in_list",
    "menu": "in_list",
    "table": "in_table",
    "blockquote": "in_quote",
    "figcaption": "in_caption",
    "caption": "in_caption",
    "button": "in_control",
    "label": "in_control",
}


@cache
def _groups() -> dict[str, list[str]]:
    return tomllib.loads((files(__package__) / "names.toml").read_text("utf-8"))


@cache
def _stems() -> tuple[dict[str, int], dict[str, int]]:
    """Stems that may begin a word, and stems that must end one as well, each with its mask."""
    begin: dict[str, int] = defaultdict(int)
    whole: dict[str, int] = defaultdict(int)
    for index, stems in enumerate(_groups().values()):
        for stem in stems:
            (whole if stem.endswith("$") else begin)[stem.rstrip("$").replace("-", "")] |= 1 << index
    return dict(begin), dict(whole)


@cache
def bit(name: str) -> int:
    """The bit of a group or of a kind of ancestor."""
    return 1 << mark_names().index(name)


@cache
def _heads() -> frozenset[str]:
    """How stems begin: most words of most names begin otherwise, and need no closer look."""
    return frozenset(stem[:3] for stems in _stems() for stem in stems)


@lru_cache(maxsize=1 << 14)
def _marks_of_one(name: str) -> int:
    words = _WORDS.findall(_CAMEL.sub("-", name).lower())
    mask = 0
    for first, word in enumerate(words):
        joined = word + "".join(words[first + 1 : first + 3])
        if word in _heads() or joined[:3] in _heads():
            mask |= _marks_at(joined, len(word), len(word) + len("".join(words[first + 1 : first + 2])))
    return mask


@lru_cache(maxsize=1 << 14)
def _marks_at(joined: str, *ends: int) -> int:
    begin, whole = _stems()
    mask = 0
    for length in range(2, min(len(joined), MAX_STEM) + 1):
        stem = joined[:length]
        mask |= begin.get(stem, 0)
        if length in ends or length == len(joined):
            mask |= whole.get(stem, 0)
    return mask


@lru_cache(maxsize=1 << 14)
def marks_of(names: str) -> int:
    """What the names say, as a mask of the groups.

    >>> bool(marks_of("c-newsletterSignup") & bit("newsletter"))
    True
    """
    mask = 0
    for name in names[:MAX_NAMES].split():
        mask |= _marks_of_one(name)
    return mask


class _Walk:
    """The state of one walk: the line that is being collected, and what was collected before."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.nodes: list[Node] = []
        self.elements: list[_Element] = []
        self.parts: list[str] = []
        self.linked = self.bold = self.links = 0

    def flush(self, node: int, kind: str) -> None:
        if self.parts:
            text = _LINES.sub("\n", _SPACE.sub(" ", "".join(self.parts))).strip()
            if text:
                self.blocks.append(
                    Block(
                        text,
                        node,
                        kind,
                        min(self.linked, len(text)),
                        min(self.bold, len(text)),
                        self.links,
                        len(self.parts),
                    )
                )
            self.parts = []
        self.linked = self.bold = self.links = 0

    def add(self, text: str, in_link: bool, in_bold: bool) -> None:
        if "\n" in text or "\r" in text:
            text = text.replace("\n", " ").replace("\r", " ")
        self.parts.append(text)
        if in_link or in_bold:
            length = len(text.strip())
            self.linked += length if in_link else 0
            self.bold += length if in_bold else 0

    def visit(self, element: _Element, node: int, kind: str, in_link: bool, in_bold: bool) -> None:
        """Collect the element's content; ``node`` and ``kind`` are those of the block that it stands in."""
        if element.text:
            self.add(element.text, in_link, in_bold)
        for child in element:
            tag = child.tag
            if tag == "br":
                self._line_break(node, kind)
            elif tag in _BLOCKS:
                self.flush(node, kind)
                self._enter(child, node, kind, in_link, in_bold)
            elif tag == "rt" and element.find("rp") is None:
                pass  # the reading above a character; without parentheses around it, it would run into the word
            elif tag not in SKIPPED and isinstance(tag, str):
                if tag == "a":
                    self.links += 1
                self.visit(child, node, kind, in_link or tag == "a", in_bold or tag in ("b", "strong"))
            if child.tail:
                self.add(child.tail, in_link, in_bold)

    def _line_break(self, node: int, kind: str) -> None:
        while self.parts and not self.parts[-1].strip(" \t\xa0"):
            self.parts.pop()
        if self.parts and self.parts[-1] == "\n":
            self.flush(node, kind)
        elif self.parts:
            self.parts.append("\n")

    def _enter(self, element: _Element, parent: int, kind: str, in_link: bool, in_bold: bool) -> None:
        tag = element.tag
        above = self.nodes[parent] if parent >= 0 else None
        own = _own_marks(element)
        inherited = own | (above.inherited if above else 0)
        node = len(self.nodes)
        self.nodes.append(Node(parent, above.depth + 1 if above else 0, tag, own, inherited))
        self.elements.append(element)
        if tag == "tr" and _is_plain_row(element):
            self._row(element, node)
            return
        inner = _KINDS.get(tag) or (kind if kind in ("item", "quote", "caption", "control", "cell") else "text")
        self.visit(element, node, inner, in_link, in_bold)
        self.flush(node, inner)

    def _row(self, row: _Element, node: int) -> None:
        first = True
        for cell in row:
            if not isinstance(cell.tag, str) or cell.tag in SKIPPED:
                continue
            text = " ".join("".join(cell.itertext()).split())
            if text:
                self.add(text if first else " | " + text, False, False)
                self.linked += sum(len("".join(a.itertext()).strip()) for a in cell.iter("a"))
                first = False
        self.flush(node, "row")


def _own_marks(element: _Element) -> int:
    attributes = element.attrib
    mask = bit(_BY_TAG[element.tag]) if element.tag in _BY_TAG else 0
    if attributes:
        names = " ".join([attributes[name] for name in _NAMED if name in attributes])
        if names:
            mask |= marks_of(names)
        if (
            "hidden" in attributes
            or attributes.get("aria-hidden") == "true"
            or _HIDDEN_STYLE.search(attributes.get("style", ""))
        ):
            mask |= bit("is_hidden")
    return mask


def _is_plain_row(row: _Element) -> bool:
    return (
        next(row.iter("p", "div", "ul", "ol", "table", "h1", "h2", "h3", "h4", "blockquote", "section"), None) is None
    )


def segment(tree: _Element) -> Layout:
    """The blocks of a parsed page."""
    walk = _Walk()
    body = tree.find("body") if tree.tag == "html" else None
    walk._enter(body if body is not None else tree, -1, "text", False, False)
    return Layout(tuple(walk.blocks), tuple(walk.nodes), tuple(walk.elements))
