"""A page as a sequence of blocks of text in reading order, each with what the markup around it says.

One walk over the tree, which is left as it is. A block is a paragraph, heading, list entry, table row or whatever else
begins and ends a line in a browser.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from lxml.etree import _Element

from pipeline.extract.names import own_marks

# fmt: off
SKIPPED = frozenset((
    "script", "style", "noscript", "template", "head", "iframe", "object", "embed", "svg", "math", "canvas", "select",
    "option", "datalist", "textarea", "input", "audio", "video", "map", "picture", "source", "track", "noindex",
    "optgroup", "progress", "meter", "dialog", "link", "meta", "base", "title",
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
_PICTURES = frozenset(("img", "picture", "video", "iframe", "amp-img"))
_KINDS = {
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
_HANDED_DOWN = frozenset(("item", "quote", "caption", "control", "cell"))
MAX_BLOCKS = 8_000
"""Blocks that are read: four times those of the longest article seen. The rest of a page is not looked at."""

MAX_NODES = 60_000
"""Block-level elements that are read."""


class Node(NamedTuple):
    """A block-level element. ``marks`` are its own (`pipeline.extract.names`), ``inherited`` its ancestors' as well."""

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
        picture: index of the element that holds the last picture since the block before, in `Layout.nodes`; -1: none.
    """

    text: str
    node: int
    kind: str
    linked: int
    bold: int
    links: int
    pieces: int
    picture: int


@dataclass(frozen=True, slots=True)
class Layout:
    """All blocks of a page and the elements that hold text, parents before children."""

    blocks: tuple[Block, ...]
    nodes: tuple[Node, ...]
    elements: tuple[_Element, ...] = field(repr=False)


class _Walk:
    """The state of one walk: the line that is being collected, and what was collected before."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.parents: list[int] = []
        self.elements: list[_Element] = []
        self.parts: list[str] = []
        self.linked = self.bold = self.links = 0
        self.is_full = False
        self.picture = -1

    def flush(self, node: int, kind: str) -> None:
        parts = self.parts
        if parts:
            text = _folded("".join(parts))
            if text:
                length = len(text)
                linked, bold = min(self.linked, length), min(self.bold, length)
                self.blocks.append(Block(text, node, kind, linked, bold, self.links, len(parts), self.picture))
                self.picture = -1
                self.is_full = self.is_full or len(self.blocks) >= MAX_BLOCKS
            parts.clear()
        self.linked = self.bold = self.links = 0

    def add(self, text: str, in_link: bool, in_bold: bool) -> None:
        self.parts.append(text.replace("\n", " ").replace("\r", " "))
        if in_link or in_bold:
            length = len(text.strip())
            self.linked += length if in_link else 0
            self.bold += length if in_bold else 0

    def visit(self, element: _Element, node: int, kind: str, in_link: bool, in_bold: bool) -> None:
        """Collect the element's content; ``node`` and ``kind`` are those of the block that it stands in."""
        if text := element.text:
            self.add(text, in_link, in_bold)
        for child in element:
            if self.is_full:
                return
            tag = child.tag
            if tag in _BLOCKS:
                self.flush(node, kind)
                self._enter(child, node, kind, in_link, in_bold)
            elif tag == "a":
                self.links += 1
                self.visit(child, node, kind, True, in_bold)
            elif tag == "br":
                self._line_break(node, kind)
            elif tag in _PICTURES:
                self.picture = node
            elif tag in SKIPPED or not isinstance(tag, str):
                pass
            elif tag == "rt" and element.find("rp") is None:
                pass  # the reading above a character; without parentheses around it, it would run into the word
            else:
                self.visit(child, node, kind, in_link, in_bold or tag in ("b", "strong"))
            if tail := child.tail:
                self.add(tail, in_link, in_bold)

    def _line_break(self, node: int, kind: str) -> None:
        while self.parts and not self.parts[-1].strip(" \t\xa0"):
            self.parts.pop()
        if self.parts and self.parts[-1] == "\n":
            self.flush(node, kind)
        elif self.parts:
            self.parts.append("\n")

    def _enter(self, element: _Element, parent: int, kind: str, in_link: bool, in_bold: bool) -> None:
        tag = element.tag
        node, blocks = len(self.parents), len(self.blocks)
        self.parents.append(parent)
        self.elements.append(element)
        self.is_full = self.is_full or node + 1 >= MAX_NODES
        if tag == "tr" and _is_plain_row(element):
            self._row(element, node)
        else:
            inner = _KINDS.get(tag) or (kind if kind in _HANDED_DOWN else "text")
            self.visit(element, node, inner, in_link, in_bold)
            self.flush(node, inner)
        if len(self.blocks) == blocks and parent >= 0:
            # One in five holds no text. A picture that stood in it stands in the next above that does.
            del self.parents[node:], self.elements[node:]
            if self.picture >= node:
                self.picture = parent

    def _row(self, row: _Element, node: int) -> None:
        first = True
        for cell in row:
            if not isinstance(cell.tag, str) or cell.tag in SKIPPED:
                continue
            text = " ".join("".join(map(str, cell.itertext())).split())
            if text:
                self.add(text if first else " | " + text, False, False)
                self.linked += sum(len("".join(map(str, a.itertext())).strip()) for a in cell.iter("a"))
                first = False
        self.flush(node, "row")


def _folded(text: str) -> str:
    """The text with white space as a browser shows it; line breaks stay."""
    if "\n" not in text:
        return " ".join(text.split())
    return "\n".join(line for line in (" ".join(line.split()) for line in text.split("\n")) if line)


def _is_plain_row(row: _Element) -> bool:
    return (
        next(row.iter("p", "div", "ul", "ol", "table", "h1", "h2", "h3", "h4", "blockquote", "section"), None) is None
    )


def segment(tree: _Element) -> Layout:
    """The blocks of a parsed page."""
    walk = _Walk()
    body = tree.find("body") if tree.tag == "html" else None
    walk._enter(body if body is not None else tree, -1, "text", False, False)
    nodes: list[Node] = []
    for parent, element in zip(walk.parents, walk.elements, strict=True):
        own = own_marks(element)
        above = nodes[parent] if parent >= 0 else Node(-1, -1, "", 0, 0)
        nodes.append(Node(parent, above.depth + 1, element.tag, own, own | above.inherited))
    return Layout(tuple(walk.blocks), tuple(nodes), tuple(walk.elements))
