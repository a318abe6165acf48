"""A page as blocks of text in reading order, each with what the markup around it says; one walk over the tree.

A block is a paragraph, heading, list entry, table row or whatever else begins and ends a line in a browser.
"""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from lxml.etree import _Element

from pipeline.extract.element_names import own_marks
from pipeline.extract.element_roles import KINDS, ROLES, SKIPPED, is_footnote_mark, is_plain_row, is_question
from pipeline.html.xpath import text_of
from pipeline.text.words import clean_characters

_PREFORMATTED = re.compile(r"white-space\s*:\s*pre(?:-wrap|-line)?\b", re.IGNORECASE)
_BLANK_LINE = re.compile(r"\n[ \t\r]*\n")
_ENDS = (".", "!", "?", "”", "。", '"', "»")
_HANDED_DOWN = frozenset(("item", "quote", "caption", "control", "cell"))
_BLANKS = " \t\r\n\xa0"
MAX_BLOCKS = 8_000
"""Blocks that are read: four times those of the longest article seen. The rest of a page is not looked at."""

MAX_NODES = 60_000
"""Block-level elements that are read."""

MAX_CELL = 20_000
"""Characters of a cell that are read."""


class Node(NamedTuple):
    """A block-level element. ``marks`` are its own (see `element_names`), ``inherited`` its ancestors' as well."""

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
        anchors, pictures: the elements of its links, and of all pictures since the block before.
    """

    text: str
    node: int
    kind: str
    linked: int
    bold: int
    links: int
    pieces: int
    picture: int
    anchors: tuple[_Element, ...]
    pictures: tuple[_Element, ...]


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
        self.blanks = 0  # pieces of white space before the parts
        self.linked = self.bold = self.links = 0
        self.is_full = False
        self.picture = -1
        self.anchors: list[_Element] = []
        self.pictures: list[_Element] = []
        self.preformatted = 0

    def flush(self, node: int, kind: str) -> None:
        parts = self.parts
        if parts:
            text = _folded("".join(parts))
            if text:
                length = len(text)
                linked, bold = min(self.linked, length), min(self.bold, length)
                pieces = self.blanks + len(parts)
                seen = (self.picture, tuple(self.anchors), tuple(self.pictures))
                self.blocks.append(Block(text, node, kind, linked, bold, self.links, pieces, *seen))
                self.picture = -1
                if self.anchors or self.pictures:
                    self.anchors, self.pictures = [], []
                self.is_full = self.is_full or len(self.blocks) >= MAX_BLOCKS
            parts.clear()
        self.linked = self.bold = self.links = self.blanks = 0

    def add(self, text: str, in_link: bool, in_bold: bool) -> None:
        if not self.preformatted:
            # Two of three pieces are the white space between the tags of two blocks.
            if not self.parts and not text.strip(_BLANKS):
                self.blanks += 1
                return
            if "\n" in text or "\r" in text:
                text = text.replace("\n", " ").replace("\r", " ")
        self.parts.append(text)
        if in_link or in_bold:
            length = len(text.strip())
            self.linked += length if in_link else 0
            self.bold += length if in_bold else 0

    def visit(self, element: _Element, node: int, kind: str, in_link: bool, in_bold: bool) -> None:
        """Collect the element's content; ``node`` and ``kind`` are those of the block that it stands in."""
        if text := element.text:
            if self.preformatted:
                self._add_lines(text, node, kind, in_link, in_bold)
            else:
                self.add(text, in_link, in_bold)
        for child in element:
            if self.is_full:
                return
            tag = child.tag
            role = ROLES.get(tag)
            if role is None:
                if isinstance(tag, str):
                    self.visit(child, node, kind, in_link, in_bold)
            elif role == "part":
                self.end_line(node, kind)
                self._enter(child, node, kind, in_link, in_bold)
            elif role == "link":
                self.links += 1
                if not in_link:  # a link within a link has the words of the outer one
                    self.anchors.append(child)
                self.visit(child, node, kind, True, in_bold)
            elif role == "bold":
                self.visit(child, node, kind, in_link, True)
            elif role == "break":
                self._line_break(node, kind)
            elif role == "picture":
                self.picture = node
                self.pictures.append(child)
            # A reading above a character would run into the word, without parentheses around it.
            elif (role == "note" and not is_footnote_mark(child)) or (
                role == "reading" and element.find("rp") is not None
            ):
                self.visit(child, node, kind, in_link, in_bold)
            if tail := child.tail:
                if self.preformatted:
                    self._add_lines(tail, node, kind, in_link, in_bold)
                else:
                    self.add(tail, in_link, in_bold)

    def end_line(self, node: int, kind: str) -> None:
        """Make a block of what was collected, if anything was."""
        if self.parts or self.links:
            self.flush(node, kind)
        else:
            self.blanks = 0

    def _add_lines(self, text: str, node: int, kind: str, in_link: bool, in_bold: bool) -> None:
        """Add text that is set as typed: an empty line ends the block."""
        first, *others = _BLANK_LINE.split(text)
        if sum(part.rstrip().endswith(_ENDS) for part in (first, *others)) < len(others) / 2:
            first, others = text, []  # a program, a table
        self.add(first, in_link, in_bold)
        for other in others:
            self.flush(node, kind)
            self.add(other, in_link, in_bold)

    def _line_break(self, node: int, kind: str) -> None:
        while self.parts and not self.parts[-1].strip(" \t\xa0"):
            self.parts.pop()
        if not self.parts:
            self.blanks = 0
        elif self.parts[-1] == "\n":
            self.flush(node, kind)
        else:
            self.parts.append("\n")

    def _enter(self, element: _Element, parent: int, kind: str, in_link: bool, in_bold: bool) -> None:
        tag = element.tag
        node, blocks = len(self.parents), len(self.blocks)
        self.parents.append(parent)
        self.elements.append(element)
        self.is_full = self.is_full or node + 1 >= MAX_NODES
        if tag == "tr" and is_plain_row(element):
            self._row(element, node)
        else:
            inner = KINDS.get(tag) or (kind if kind in _HANDED_DOWN else "text")
            if tag == "button" and is_question(element):
                inner = "heading"  # of an accordion
            style = element.get("style")
            is_typed = tag == "pre" or bool(style and "pre" in style and _PREFORMATTED.search(style))
            self.preformatted += is_typed
            self.visit(element, node, inner, in_link, in_bold)
            self.end_line(node, inner)
            self.preformatted -= is_typed
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
            if text := text_of(cell, MAX_CELL):
                self.add(text if first else " | " + text, False, False)
                anchors = [a for a in cell.iter("a") if next(a.iterancestors("a"), None) is None]
                self.linked += sum(len("".join(map(str, a.itertext())).strip()) for a in anchors)
                self.anchors += anchors
                first = False
        self.flush(node, "row")


def _folded(text: str) -> str:
    """The text with white space as a browser shows it, and without what no reader sees; line breaks stay."""
    if not text.isascii():
        text = clean_characters(text)
    if "\n" not in text:
        return " ".join(text.split())
    return "\n".join(line for line in (" ".join(line.split()) for line in text.split("\n")) if line)


def segment_page(tree: _Element) -> Layout:
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
