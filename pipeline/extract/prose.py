"""How much running text each part of a page holds: what tells an article from everything around it."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.extract.blocks import Block, Layout
from pipeline.extract.names import bit

MAIN_SHARE = 0.45
"""An element that holds more than this share of the page's prose is named for the page, not for what it is."""

_WORD = re.compile(r"\w+")
UNSPACED = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]")
"""Characters of scripts without spaces between words."""

_SENTENCE_ENDS = frozenset(".!?…。！？։।؟»”\"'’)]")
_FULL_STOPS = ".!?…。！？։।؟"
_COMMAS = ",;，、،"


@dataclass(frozen=True, slots=True)
class Masses:
    """Sums over the subtree of each node: prose, all text, and text in links, in characters; and blocks."""

    prose: list[float]
    text: list[int]
    linked: list[int]
    blocks: list[int]


def words_of(text: str) -> list[str]:
    """Folded words; in scripts without spaces each character is one."""
    found = _WORD.findall(text.casefold())
    if not text.isascii() and UNSPACED.search(text):
        return [part for word in found for part in (list(word) if UNSPACED.search(word) else [word])]
    return found


def count_words(text: str) -> tuple[int, bool]:
    """How many words `words_of` finds, and whether the text is in a script with spaces between them."""
    is_spaced = text.isascii() or not UNSPACED.search(text)
    return len(_WORD.findall(text) if is_spaced else words_of(text)), is_spaced


def ends_sentence(text: str) -> bool:
    """Whether the text ends as sentences do."""
    return text.rstrip()[-1:] in _SENTENCE_ENDS


def count_stops(text: str) -> int:
    """Signs that end a sentence."""
    # A third of the time of a regular expression.
    return sum(map(text.count, ".!?" if text.isascii() else _FULL_STOPS))


def count_commas(text: str) -> int:
    """Signs that part a sentence."""
    return sum(map(text.count, ",;" if text.isascii() else _COMMAS))


def prose_of(block: Block) -> float:
    """Characters of running text: what sentences are made of, outside of links and headings."""
    length = len(block.text)
    unlinked = length - block.linked
    if block.kind in ("heading", "control", "caption") or unlinked < 40:
        return 0.0
    wide = 2.5 if UNSPACED.search(block.text[:40]) else 1.0
    if length * wide < 80 and not ends_sentence(block.text):
        return 0.0
    if not count_stops(block.text) and not count_commas(block.text):
        return unlinked * 0.2
    return unlinked * wide * (unlinked / length)


def masses_of(layout: Layout, prose: Sequence[float]) -> Masses:
    """The sums of each node's subtree."""
    count = len(layout.nodes)
    proses, texts, linked, blocks = [0.0] * count, [0] * count, [0] * count, [0] * count
    for block, amount in zip(layout.blocks, prose, strict=True):
        node = block.node
        proses[node] += amount
        texts[node] += len(block.text)
        linked[node] += block.linked
        blocks[node] += 1
    for index in range(count - 1, 0, -1):
        if blocks[index]:
            parent = layout.nodes[index].parent
            proses[parent] += proses[index]
            texts[parent] += texts[index]
            linked[parent] += linked[index]
            blocks[parent] += blocks[index]
    return Masses(proses, texts, linked, blocks)


def container_of(layout: Layout, prose: Sequence[float]) -> int:
    """The node that holds the article most closely: prose counts for its parent, and less for those above."""
    score: dict[int, float] = defaultdict(float)
    body = bit("body")
    bad = bit("comment") | bit("related") | bit("in_aside") | bit("in_footer") | bit("in_nav") | bit("is_hidden")
    for block, amount in zip(layout.blocks, prose, strict=True):
        if not amount:
            continue
        node, factor = block.node, min(amount, 1500.0)
        if layout.nodes[node].inherited & bad:
            factor *= 0.3
        for level in range(5):
            if node < 0:
                break
            if level:
                score[node] += factor * (1.3 if layout.nodes[node].marks & body else 1.0)
                factor *= 0.75
            node = layout.nodes[node].parent
    return max(score, key=lambda node: (score[node], -node), default=0)


def lines_above(layout: Layout, node: int) -> list[int]:
    """The node and its ancestors, the nearest first."""
    line = []
    while node >= 0:
        line.append(node)
        node = layout.nodes[node].parent
    return line


def effective_marks(layout: Layout, masses: Masses) -> list[int]:
    """Marks of each node with those of its ancestors, as far as these are no wrappers of the whole article."""
    total = masses.prose[0] or 1.0
    found: list[int] = []
    for node, prose in zip(layout.nodes, masses.prose, strict=True):
        own = node.marks if prose < MAIN_SHARE * total else 0
        found.append(own | found[node.parent] if node.parent >= 0 else own)
    return found
