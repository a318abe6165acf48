"""What is known of each block of a page, as numbers: what the selection of the body decides by.

Everything is relative to the page (shares, distances, signs of the markup), nothing to a site or a language, so that
what was learned on some pages holds for others.

A feature is one line of `FEATURES`: its name, and how its numbers for all blocks of a page are computed at once, which
takes half the time of one block after the other. Families follow each other: the text, what it is compared with, its
place, its neighbours, the headline and the declared body, the containers, and the signs of the markup.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from pipeline.extract.blocks import Block, Layout, Node
from pipeline.extract.element_names import bit, mark_names
from pipeline.extract.page_context import PageContext, TextHints
from pipeline.extract.prose import (
    LONGEST,
    capital_share,
    count_commas,
    count_spaces,
    count_stops,
    ends_sentence,
    has_address,
)

T = TypeVar("T")

_KIND = dict(
    zip(
        ("paragraph", "heading", "item", "quote", "code", "cell", "row", "caption", "control", "text"),
        range(10),
        strict=True,
    )
)

GLIMPSE = 60
"""Characters from which the share of capitals is taken."""

MAX_STOPS, MAX_COMMAS = 15, 30
"""Signs of a block that are counted: what holds more is all the same, as with its length."""

MAX_STEPS = 6
NO_PICTURE = 9
"""Steps to a picture: further away is all the same; and where there is none since the block before."""


class Rows:
    """The blocks of a page that are looked at, and what stands around each, as lists of one length.

    Attributes:
        places: of them in `Layout.blocks`; what is plainly a menu far from all prose is left out.
        at, parent, grand: the node that holds the block, and the two around it, in `Layout.nodes`.
        meeting: the nearest node around the block that also stands around the main container.
    """

    def __init__(self, page: PageContext) -> None:
        blocks, nodes = page.layout.blocks, page.layout.nodes
        self.page = page
        self.places = page.find_shown()
        self.blocks: list[Block] = [blocks[index] for index in self.places]
        self.texts = [block.text for block in self.blocks]
        self.at = [block.node for block in self.blocks]
        self.nodes: list[Node] = [nodes[at] for at in self.at]
        self.parent = [max(node.parent, 0) for node in self.nodes]
        self.grand = [max(nodes[parent].parent, 0) for parent in self.parent]
        self.meeting = self.of(page.meeting, self.at)
        self.marks = self.of(page.marks, self.at)
        self.containers = self.of(page.container_shares, self.at)
        self.prose_shares = [prose / page.total for prose in page.masses.prose]

    def of(self, values: Sequence[T] | Mapping[int, T], places: Iterable[int] | None = None) -> list[T]:
        """The values of the blocks, or those at other places."""
        return list(map(values.__getitem__, self.places if places is None else places))

    def beside(self, values: Sequence[float], step: int, nothing: float) -> list[float]:
        """The values of the blocks before or behind; ``nothing`` for those that there are not."""
        padded = [*values, nothing]  # what stands before the first is the last
        return [padded[index + step] for index in self.places]

    def all(self, value: float) -> list[float]:
        """The same number for each block: one of the page."""
        return [value] * len(self.places)


def _level(block: Block, node: Node) -> int:
    return int(node.tag[1]) if block.kind == "heading" and node.tag[1:].isdigit() else 0


def _steps_to_picture(nodes: Sequence[Node], block: Block) -> int:
    """How many elements up one stands that holds the picture right before the block, too: what tells a caption."""
    if block.picture < 0:
        return NO_PICTURE
    outer = block.node
    for steps in range(MAX_STEPS):
        inner = block.picture
        while inner > outer:  # parents come before their children
            inner = nodes[inner].parent
        if inner == outer:
            return steps
        outer = max(nodes[outer].parent, 0)
    return MAX_STEPS


def _are_first(rows: Rows) -> list[bool]:
    """Whether each block says for the first time what it says."""
    first: dict[str, int] = {}
    for index, block in enumerate(rows.page.layout.blocks):
        first.setdefault(block.text, index)
    return [first[text] == index for text, index in zip(rows.texts, rows.places, strict=True)]


def _parent_means(rows: Rows) -> list[float]:
    texts, blocks = rows.page.masses.text, rows.page.masses.blocks
    means = {parent: math.log1p(min(texts[parent] / (blocks[parent] or 1), LONGEST)) for parent in set(rows.parent)}
    return rows.of(means, rows.parent)


def _parent_prose(rows: Rows) -> list[float]:
    return [rows.page.parent_prose[node.parent] / rows.page.most_parent_prose for node in rows.nodes]


def _of_article(rows: Rows) -> list[float]:
    shares, article = rows.prose_shares, rows.page.article
    return [shares[article[at]] if article[at] >= 0 else -1.0 for at in rows.at]


def _of_caption(rows: Rows) -> list[float]:
    """Whether the block is named a caption; a paragraph alone in its element is named by it."""
    nodes, blocks, caption = rows.page.layout.nodes, rows.page.masses.blocks, bit("caption")
    above = (nodes[parent].marks if blocks[parent] <= 2 else 0 for parent in rows.parent)
    return [float((node.marks | marks) & caption > 0) for node, marks in zip(rows.nodes, above, strict=True)]


def _of_container(index: int) -> "Column":
    return lambda rows: [shares[index] for shares in rows.containers]


def _of_mark(index: int) -> "Column":
    return lambda rows: [marks >> index & 1 for marks in rows.marks]


def _since_headline(rows: Rows) -> list[float]:
    headline = rows.page.headline
    return [max(-50, min(100, index - headline)) for index in rows.places] if headline >= 0 else rows.all(0)


Column = Callable[[Rows], Sequence[float]]

FEATURES: Mapping[str, Column] = {
    "chars": lambda rows: rows.of(rows.page.log_chars),
    "spaces": lambda rows: [math.log1p(min(count_spaces(text), LONGEST / 6)) for text in rows.texts],
    "link_density": lambda rows: rows.of(rows.page.link_shares),
    "links": lambda rows: [min(block.links, 20) for block in rows.blocks],
    "bold": lambda rows: [block.bold / len(block.text) for block in rows.blocks],
    "stops": lambda rows: [min(count_stops(text), MAX_STOPS) for text in rows.texts],
    "commas": lambda rows: [min(count_commas(text), MAX_COMMAS) for text in rows.texts],
    "ends": lambda rows: [*map(ends_sentence, rows.texts)],
    "upper": lambda rows: [capital_share(text[:GLIMPSE]) for text in rows.texts],
    "address": lambda rows: [*map(has_address, rows.texts)],
    "kind": lambda rows: [_KIND[block.kind] for block in rows.blocks],
    "level": lambda rows: [*map(_level, rows.blocks, rows.nodes)],
    "picture": lambda rows: [_steps_to_picture(rows.page.layout.nodes, block) for block in rows.blocks],
    "repeat": lambda rows: [min(rows.page.copies[text], 5) for text in rows.texts],
    "first_copy": _are_first,
    "title_share": lambda rows: [*map(rows.page.title_share, rows.places)],
    "description": lambda rows: [*map(rows.page.description_share, rows.places)],
    "body_share": lambda rows: [*map(rows.page.body_share, rows.places)],
    "declared": lambda rows: rows.all(rows.page.declared),
    "prose": lambda rows: [min(prose, LONGEST) for prose in rows.of(rows.page.prose)],
    "page_prose": lambda rows: rows.all(math.log1p(rows.page.total)),
    "page_blocks": lambda rows: rows.all(math.log1p(len(rows.page.layout.blocks))),
    "position": lambda rows: [index / len(rows.page.layout.blocks) for index in rows.places],
    "in_top": lambda rows: [meeting == rows.page.top for meeting in rows.meeting],
    "up_from_top": lambda rows: [rows.page.top_level.get(meeting, 20) for meeting in rows.meeting],
    "down_to_top": lambda rows: [
        node.depth - rows.page.layout.nodes[meeting].depth
        for node, meeting in zip(rows.nodes, rows.meeting, strict=True)
    ],
    "shared_prose": lambda rows: rows.of(rows.prose_shares, rows.meeting),
    "parent_prose": lambda rows: rows.of(rows.prose_shares, rows.parent),
    "parent_links": lambda rows: rows.of(rows.page.link_densities, rows.parent),
    "parent_mean": _parent_means,
    "parent_blocks": lambda rows: [*map(math.log1p, rows.of(rows.page.masses.blocks, rows.parent))],
    "grand_prose": lambda rows: rows.of(rows.prose_shares, rows.grand),
    "grand_links": lambda rows: rows.of(rows.page.link_densities, rows.grand),
    "same_parent": _parent_prose,
    "signature": lambda rows: [
        rows.page.signature_prose[signature] / rows.page.total for signature in rows.of(rows.page.signature)
    ],
    "signature_count": lambda rows: rows.of(rows.page.signature_blocks, rows.of(rows.page.signature)),
    "depth": lambda rows: [node.depth for node in rows.nodes],
    "before_core": lambda rows: rows.of(rows.page.before),
    "after_core": lambda rows: rows.of(rows.page.after),
    "core_share_before": lambda rows: [count / rows.page.core_count for count in rows.of(rows.page.core_before)],
    "prev_links": lambda rows: rows.beside(rows.page.link_shares, -1, -1.0),
    "next_links": lambda rows: rows.beside(rows.page.link_shares, 1, -1.0),
    "prev_chars": lambda rows: rows.beside(rows.page.log_chars, -1, 0.0),
    "next_chars": lambda rows: rows.beside(rows.page.log_chars, 1, 0.0),
    "next_kind": lambda rows: rows.beside([_KIND[block.kind] for block in rows.page.layout.blocks], 1, -1),
    "after_h1": lambda rows: [
        (rows.page.headline >= 0) * (1 if index > rows.page.headline else -1) for index in rows.places
    ],
    "h1_distance": _since_headline,
    "prev_heading": lambda rows: [steps if steps < 8 else 9 for steps in rows.of(rows.page.heading_steps)],
    "pieces": lambda rows: [min(block.pieces, 20) for block in rows.blocks],
    "up_from_h1": lambda rows: rows.of(rows.page.up_from_headline, rows.at),
    "headings_since_h1": lambda rows: [min(count, 30) for count in rows.of(rows.page.headings)],
    "titles_since_h1": lambda rows: [min(count, 5) for count in rows.of(rows.page.titles)],
    "body_cover": lambda rows: rows.all(rows.page.body_cover),
    "body_ratio": lambda rows: rows.all(rows.page.body_ratio),
    "sibling_article_prose": _of_article,
    "top_after_h1": lambda rows: rows.all(
        (rows.page.headline >= 0) * (1 if rows.page.first_core > rows.page.headline else -1)
    ),
    "linked_heading_before": lambda rows: rows.of(rows.page.linked_heading),
    **{
        name: _of_container(number)
        for number, name in enumerate(
            (
                *("in_body", "body_prose", "in_first_article", "first_article_prose", "in_main", "main_prose"),
                *("in_content", "content_prose", "in_section_of_top"),
            )
        )
    },
    "articles": lambda rows: rows.all(rows.page.article_count),
    "uncovered": lambda rows: rows.all(1.0 - rows.prose_shares[rows.page.top]),
    "own_caption": _of_caption,
    **{f"any_{name}": _of_mark(number) for number, name in enumerate(mark_names())},
}
"""How the numbers of each feature are computed, for the blocks of a page."""


class FeatureTable(NamedTuple):
    """The features of a page's blocks: a column for each, and which blocks its rows are (`Rows.places`)."""

    places: Sequence[int]
    columns: tuple[Sequence[float], ...]


def features_of(layout: Layout, hints: TextHints, names: Iterable[str] = FEATURES) -> FeatureTable:
    """These features of all blocks but of what is plainly a menu far from all prose, which have no row."""
    if not layout.blocks:
        return FeatureTable((), ())
    rows = Rows(PageContext(layout, hints))
    return FeatureTable(rows.places, tuple(FEATURES[name](rows) for name in names))
