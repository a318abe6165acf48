"""What is known of each block of a page, as numbers: what the selection of the body decides by.

Everything is relative to the page (shares, distances, signs of the markup), nothing to a site or a language, so that
what was learned on some pages holds for others.
"""

import math
import re
import string
from functools import lru_cache

from pipeline.extract.blocks import Layout
from pipeline.extract.names import bit, mark_names
from pipeline.extract.prose import count_commas, count_stops, ends_sentence
from pipeline.extract.surroundings import Hints, Page

_ADDRESS = re.compile(r"https?://|www\.|\w@\w|(?<!\w)@\w{3,}")
_CAPITALS, _LETTERS = string.ascii_uppercase.encode(), string.ascii_letters.encode()
_MARKED = mark_names()
_CAPTION = bit("caption")

KINDS = ("paragraph", "heading", "item", "quote", "code", "cell", "row", "caption", "control", "text")

_KIND = {kind: place for place, kind in enumerate(KINDS)}

GLIMPSE = 60
"""Characters from which the share of capitals is taken."""

MAX_STEPS = 6
NO_PICTURE = 9
"""Steps to a picture: further away is all the same; and where there is none since the block before."""

# fmt: off
NAMES: tuple[str, ...] = (
    "chars", "spaces", "link_density", "links", "bold", "stops", "commas", "ends", "upper", "address", "kind", "level",
    "picture",

    "repeat", "first_copy", "title_share", "description", "body_share", "declared",

    "prose", "page_prose", "page_blocks", "position", "in_top", "up_from_top", "down_to_top", "shared_prose",
    "parent_prose", "parent_links", "parent_mean", "parent_blocks", "grand_prose", "grand_links", "same_parent",
    "signature", "signature_count", "depth",

    "before_core", "after_core", "core_share_before", "prev_links", "next_links", "prev_chars", "next_chars",
    "next_kind", "after_h1", "h1_distance", "prev_heading", "pieces",

    "up_from_h1", "headings_since_h1", "titles_since_h1", "body_cover", "body_ratio",
    "sibling_article_prose", "top_after_h1", "linked_heading_before",

    "in_body", "body_prose", "in_first_article", "first_article_prose", "in_main", "main_prose", "in_content",
    "content_prose", "in_section_of_top", "articles", "uncovered",

    "own_caption", *(f"any_{name}" for name in _MARKED),
)
# fmt: on
"""The numbers of a row, in their order: those of the text, what it is compared with, its place, its neighbours, the
headline and the declared body, the containers, and the signs of the markup."""


def features_of(layout: Layout, hints: Hints) -> list[list[float] | None]:
    """A row of numbers for each block, in the order of `NAMES`; None for what is plainly a menu far from all prose."""
    if not layout.blocks:
        return []
    page = Page(layout, hints)
    seen: set[str] = set()
    rows: list[list[float] | None] = []
    for index, block in enumerate(layout.blocks):
        rows.append(None if page.is_menu(index) else _row(page, index, is_first=block.text not in seen))
        seen.add(block.text)
    return rows


def _row(page: Page, index: int, *, is_first: bool) -> list[float]:
    return [
        *_of_text(page, index),
        *_of_comparison(page, index, is_first=is_first),
        *_of_place(page, index),
        *_of_neighbours(page, index),
        *_of_article(page, index),
        *_of_markup(page, index),
    ]


def _of_text(page: Page, index: int) -> list[float]:
    block = page.layout.blocks[index]
    text = block.text
    tag = page.layout.nodes[block.node].tag
    return [
        page.log_chars[index],
        math.log1p(text.count(" ")),
        page.link_shares[index],
        min(block.links, 20),
        block.bold / len(text),
        count_stops(text),
        count_commas(text),
        float(ends_sentence(text)),
        _capitals(text[:GLIMPSE]),
        float(("@" in text or "://" in text or "www." in text) and bool(_ADDRESS.search(text))),
        _KIND[block.kind],
        int(tag[1]) if block.kind == "heading" and tag[1:].isdigit() else 0,
        _steps_to_picture(page, index),
    ]


def _capitals(text: str) -> float:
    """The share of capitals among the letters."""
    if not text.isascii():
        return sum(map(str.isupper, text)) / (sum(map(str.isalpha, text)) or 1)
    # Deleting them takes a tenth of the time of a look at each character.
    plain, length = text.encode("ascii"), len(text)
    letters = length - len(plain.translate(None, _LETTERS))
    return (length - len(plain.translate(None, _CAPITALS))) / (letters or 1)


def _steps_to_picture(page: Page, index: int) -> int:
    """How many elements up one stands that holds the picture right before the block, too: what tells a caption."""
    nodes, block = page.layout.nodes, page.layout.blocks[index]
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


def _of_comparison(page: Page, index: int, *, is_first: bool) -> list[float]:
    return [
        min(page.copies[page.layout.blocks[index].text], 5),
        float(is_first),
        page.title_share(index),
        page.description_share(index),
        page.body_share(index),
        page.declared,
    ]


def _of_place(page: Page, index: int) -> list[float]:
    nodes, masses, total = page.layout.nodes, page.masses, page.total
    at = page.layout.blocks[index].node
    node = nodes[at]
    parent = max(node.parent, 0)
    grand = max(nodes[parent].parent, 0)
    meeting = page.meeting[at]
    signature = page.signature[index]
    return [
        page.prose[index],
        page.log_total,
        page.log_blocks,
        index / len(page.layout.blocks),
        float(meeting == page.top),
        page.top_level.get(meeting, 20),
        node.depth - nodes[meeting].depth,
        masses.prose[meeting] / total,
        masses.prose[parent] / total,
        page.link_density(parent),
        math.log1p(masses.text[parent] / (masses.blocks[parent] or 1)),
        math.log1p(masses.blocks[parent]),
        masses.prose[grand] / total,
        page.link_density(grand),
        page.parent_prose[node.parent] / page.most_parent_prose,
        page.signature_prose[signature] / total,
        page.signature_blocks[signature],
        node.depth,
    ]


def _of_neighbours(page: Page, index: int) -> list[float]:
    blocks = page.layout.blocks
    before, after = index - 1, index + 1
    previous = blocks[before] if index else None
    following = blocks[after] if after < len(blocks) else None
    steps = page.heading_steps[index]
    has_headline = page.headline >= 0
    return [
        page.before[index],
        page.after[index],
        page.core_before[index] / page.core_count,
        page.link_shares[before] if previous else -1.0,
        page.link_shares[after] if following else -1.0,
        page.log_chars[before] if previous else 0.0,
        page.log_chars[after] if following else 0.0,
        _KIND[following.kind] if following else -1,
        float(has_headline) * (1 if index > page.headline else -1),
        max(-50, min(100, index - page.headline)) if has_headline else 0,
        steps if steps < 8 else 9,
        min(blocks[index].pieces, 20),
    ]


def _of_article(page: Page, index: int) -> list[float]:
    at = page.layout.blocks[index].node
    article = page.article[at]
    return [
        page.up_from_headline[at],
        min(page.headings[index], 30),
        min(page.titles[index], 5),
        page.body_cover,
        page.body_ratio,
        page.masses.prose[article] / page.total if article >= 0 else -1.0,
        float(page.headline >= 0) * (1 if page.first_core > page.headline else -1),
        page.linked_heading[index],
    ]


def _of_markup(page: Page, index: int) -> list[float]:
    at = page.layout.blocks[index].node
    node = page.layout.nodes[at]
    parent = max(node.parent, 0)
    # a paragraph alone in its element is named by it
    own = node.marks | (page.layout.nodes[parent].marks if page.masses.blocks[parent] <= 2 else 0)
    return [
        *page.container_shares[at],
        page.article_count,
        1.0 - page.masses.prose[page.top] / page.total,
        float(bool(own & _CAPTION)),
        *_flags(page.marks[at]),
    ]


@lru_cache(maxsize=4096)
def _flags(marks: int) -> tuple[float, ...]:
    return tuple([float(marks >> position & 1) for position in range(len(_MARKED))])
