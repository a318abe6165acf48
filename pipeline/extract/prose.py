"""How much running text each part of a page holds: what tells an article from everything around it."""

import re
import string
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.extract.blocks import Block, Layout
from pipeline.extract.element_names import bit
from pipeline.text.words import begins_unspaced, is_unspaced

MAIN_SHARE = 0.45
"""An element that holds more than this share of the page's prose is named for the page, not for what it is."""

WIDTH = 2.5
"""Characters that one of a script without spaces stands for: a report of 60 is none too short there."""

LONGEST = 1_500
"""Characters, of scripts with spaces, from which on a block is as long as can be: hardly any longer was learned from,
and nothing that is longer is a menu."""

_SENTENCE_ENDS = frozenset(".!?…。！？։।؟»”\"'’)]")
_FULL_STOPS = ".!?…。！？։।؟"
_COMMAS = ",;，、،"
_ADDRESS = re.compile(r"https?://|www\.|\w@\w|(?<!\w)@\w{3,}")
_CAPITALS, _LETTERS = string.ascii_uppercase.encode(), string.ascii_letters.encode()


@dataclass(frozen=True, slots=True)
class Masses:
    """Sums over the subtree of each node: prose, all text, and text in links, in characters; and blocks."""

    prose: list[float]
    text: list[int]
    linked: list[int]
    blocks: list[int]


def width_of(text: str) -> float:
    """The length of a text in characters of scripts with spaces."""
    return len(text) if text.isascii() else len(text) * (WIDTH if begins_unspaced(text) else 1.0)


def is_prose(text: str) -> bool:
    """Whether a paragraph without markup is running text, as against an entry of a menu or a teaser."""
    width = width_of(text)
    if not count_stops(text):
        return width >= 160 and is_unspaced(text)  # Thai and Lao have no full stops
    return width >= 40 and (ends_sentence(text) or width >= 160)


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


def count_spaces(text: str) -> float:
    """Spaces between words; as many as there would be, in a script without."""
    return text.count(" ") if text.isascii() or not begins_unspaced(text) else width_of(text) / 6


def capital_share(text: str) -> float:
    """The share of capitals among the letters."""
    if not text.isascii():
        return sum(map(str.isupper, text)) / (sum(map(str.isalpha, text)) or 1)
    # Deleting them takes a tenth of the time of a look at each character.
    plain, length = text.encode("ascii"), len(text)
    letters = length - len(plain.translate(None, _LETTERS))
    return (length - len(plain.translate(None, _CAPITALS))) / (letters or 1)


def has_address(text: str) -> bool:
    """Whether an address of a page or a mailbox, or an account, stands in the text."""
    return ("@" in text or "://" in text or "www." in text) and _ADDRESS.search(text) is not None


def prose_of(block: Block) -> float:
    """Characters of running text: what sentences are made of, outside of links and headings."""
    length = len(block.text)
    unlinked = length - block.linked
    if block.kind in ("heading", "control", "caption") or unlinked < 40:
        return 0.0
    wide = WIDTH if begins_unspaced(block.text) else 1.0
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
    totals: list[int] = []
    for node, prose in zip(layout.nodes, masses.prose, strict=True):
        own = node.marks if prose < MAIN_SHARE * total else 0
        totals.append(own | totals[node.parent] if node.parent >= 0 else own)
    return totals
