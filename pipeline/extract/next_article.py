"""Where another article begins behind the text: pages load the next one, or print its beginning, below the first."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from urllib.parse import urlsplit

from pipeline.extract.blocks import Layout
from pipeline.extract.prose import is_prose, width_of

FEWEST_PROSE = 400
"""Characters of text that must stand before: a short introduction has its chapters behind it, not the next article."""

MAX_TITLES = 3
"""Headings of the first level on a page from which on they are its chapters."""


def find_next_article(layout: Layout, kept: Sequence[bool]) -> range:
    """Indices of the blocks of the article that follows; empty where none does.

    It stands outside of the <article> that holds the first, in a box of its own that begins with a headline: a second
    h1, or a heading that leads to another page as a whole, with less text behind it than before and nothing after.
    """
    if not any(node.tag == "article" for node in layout.nodes):
        return range(0)
    headings = [index for index, block in enumerate(layout.blocks) if block.kind == "heading"]
    titles = [index for index in headings if layout.nodes[layout.blocks[index].node].tag == "h1"]
    candidates = set(titles[1:2] if len(titles) <= MAX_TITLES else ())
    candidates.update(index for index in headings if _leads_elsewhere(layout, index))
    if not candidates:
        return range(0)
    prose = [index for index, block in enumerate(layout.blocks) if kept[index] and is_prose(block.text)]
    widths = list(accumulate((width_of(layout.blocks[index].text) for index in prose), initial=0))
    for index in sorted(candidates):
        count = bisect_left(prose, index)
        if widths[count] < FEWEST_PROSE:
            continue
        before = prose[:count]
        own = _article_of(layout, layout.blocks[before[-1]].node)
        box = _box_of(layout, kept, index)
        if own < 0 or own != _article_of(layout, layout.blocks[before[0]].node) or len(box) < 3:
            continue  # none that holds all of the text: a list of such
        if _is_inside(layout, layout.blocks[index].node, own):
            continue
        follows = [other for other in box if kept[other] and is_prose(layout.blocks[other].text)]
        is_whole = index in titles or not any(kept[box.stop :])
        if follows and is_whole and (index in titles or len(follows) < len(before)):
            return range(index, len(kept)) if index in titles else box
    return range(0)


def _article_of(layout: Layout, node: int) -> int:
    """The nearest <article> around a node; -1 for none."""
    while node >= 0 and layout.nodes[node].tag != "article":
        node = layout.nodes[node].parent
    return node


def _leads_elsewhere(layout: Layout, index: int) -> bool:
    block = layout.blocks[index]
    if block.kind != "heading" or block.linked < 0.9 * len(block.text):
        return False
    element = layout.elements[block.node]
    above = element.getparent()
    links = [*element.iter("a"), *([above] if above is not None and above.tag == "a" else [])]
    return any(_is_page(link.get("href") or "") for link in links)


def _is_page(address: str) -> bool:
    try:
        return len(urlsplit(address).path.strip("/")) > 0
    except ValueError:
        return False


def _box_of(layout: Layout, kept: Sequence[bool], index: int) -> range:
    """The blocks of the largest element that holds this one and nothing of the text before it."""
    last = max((other for other in range(index) if kept[other]), default=-1)
    above = set()
    node = layout.blocks[last].node if last >= 0 else -1
    while node >= 0:
        above.add(node)
        node = layout.nodes[node].parent
    box = layout.blocks[index].node
    while layout.nodes[box].parent >= 0 and layout.nodes[box].parent not in above:
        box = layout.nodes[box].parent
    end = index + 1
    while end < len(layout.blocks) and _is_inside(layout, layout.blocks[end].node, box):
        end += 1
    return range(index, end)


def _is_inside(layout: Layout, node: int, box: int) -> bool:
    while node > box:  # parents come before their children
        node = layout.nodes[node].parent
    return node == box
