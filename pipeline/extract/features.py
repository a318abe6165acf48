"""What is known of each block of a page, as numbers: what the selection of the body decides by.

Everything is relative to the page (shares, distances, signs of the markup), nothing to a site or a language, so that
what was learned on some pages holds for others.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from pipeline.extract.blocks import Block, Layout, bit, mark_names

_WORD = re.compile(r"\w+")
_SENTENCE_END = re.compile(r"[.!?…。！？։।؟»”\"'’)\]]\s*$")
_FULL_STOP = re.compile(r"[.!?…。！？։।؟]")
_COMMA = re.compile(r"[,;，、،]")
_UNSPACED = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]")
_DATE = re.compile(r"\b\d{1,2}[.:/-]\d{1,2}\b|\b(?:19|20)\d\d\b")
_ADDRESS = re.compile(r"https?://|www\.|\w@\w|(?<!\w)@\w{3,}")

MAIN_SHARE = 0.45
"""An element that holds more than this share of the page's prose is named for the page, not for what it is."""

KINDS = ("paragraph", "heading", "item", "quote", "code", "cell", "row", "caption", "control", "text")


@dataclass(frozen=True, slots=True)
class Hints:
    """What the page and its feed say of the article elsewhere, to compare blocks with."""

    title: str | None = None
    description: str | None = None
    body: str | None = None


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
    if _UNSPACED.search(text):
        return [part for word in found for part in (list(word) if _UNSPACED.search(word) else [word])]
    return found


def prose_of(block: Block) -> float:
    """Characters of running text: what sentences are made of, outside of links and headings."""
    length = len(block.text)
    unlinked = length - block.linked
    if block.kind in ("heading", "control", "caption") or unlinked < 40:
        return 0.0
    wide = 2.5 if _UNSPACED.search(block.text[:40]) else 1.0
    if length * wide < 80 and not _SENTENCE_END.search(block.text):
        return 0.0
    stops = len(_FULL_STOP.findall(block.text)) + len(_COMMA.findall(block.text))
    if not stops:
        return unlinked * 0.2
    return unlinked * wide * (unlinked / length)


def masses_of(layout: Layout, prose: Sequence[float]) -> Masses:
    """The sums of each node's subtree."""
    count = len(layout.nodes)
    masses = Masses([0.0] * count, [0] * count, [0] * count, [0] * count)
    for block, amount in zip(layout.blocks, prose, strict=True):
        masses.prose[block.node] += amount
        masses.text[block.node] += len(block.text)
        masses.linked[block.node] += block.linked
        masses.blocks[block.node] += 1
    for index in range(count - 1, 0, -1):
        parent = layout.nodes[index].parent
        masses.prose[parent] += masses.prose[index]
        masses.text[parent] += masses.text[index]
        masses.linked[parent] += masses.linked[index]
        masses.blocks[parent] += masses.blocks[index]
    return masses


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
    for index, node in enumerate(layout.nodes):
        own = node.marks if masses.prose[index] < MAIN_SHARE * total else 0
        found.append(own | (found[node.parent] if node.parent >= 0 else 0))
    return found


def _shingles(words: list[str], size: int = 3) -> set[tuple[str, ...]]:
    return {tuple(words[i : i + size]) for i in range(max(1, len(words) - size + 1))} if words else set()


def _overlap(words: list[str], known: set[tuple[str, ...]]) -> float:
    own = _shingles(words)
    return len(own & known) / len(own) if own else 0.0


_MARKED = tuple(mark_names())
_OWN = tuple(bit(name) for name in ("caption", "aside", "related", "box", "author", "embed"))
_BODY, _CONTENT = bit("body"), bit("content")
NAMES: tuple[str, ...] = (
    "chars",
    "words",
    "link_density",
    "links",
    "bold",
    "stops",
    "commas",
    "ends",
    "digits",
    "upper",
    "date",
    "address",
    "colon",
    "kind",
    "level",
    "repeat",
    "first_copy",
    "title",
    "title_share",
    "description",
    "body_share",
    "has_body",
    "prose",
    "page_prose",
    "page_blocks",
    "position",
    "in_top",
    "up_from_top",
    "down_to_top",
    "shared_prose",
    "parent_prose",
    "parent_links",
    "parent_mean",
    "parent_blocks",
    "grand_prose",
    "grand_links",
    "same_parent",
    "signature",
    "signature_count",
    "depth",
    "prev_core",
    "next_core",
    "before_core",
    "after_core",
    "core_share_before",
    "prev_links",
    "next_links",
    "prev_chars",
    "next_chars",
    "prev_kind",
    "next_kind",
    "after_h1",
    "h1_distance",
    "prev_heading",
    "pieces",
    "same_article",
    "up_from_h1",
    "headings_since_h1",
    "titles_since_h1",
    "body_cover",
    "body_ratio",
    "sibling_article_prose",
    "top_after_h1",
    "linked_heading_before",
    "in_body",
    "body_prose",
    "in_first_article",
    "first_article_prose",
    "in_main",
    "main_prose",
    "in_content",
    "content_prose",
    "in_section_of_top",
    "articles",
    "uncovered",
    "own_caption",
    "own_aside",
    "own_related",
    "own_box",
    "own_author",
    "own_embed",
    *(f"any_{name}" for name in _MARKED),
)


def features_of(layout: Layout, hints: Hints) -> list[list[float] | None]:
    """A row of numbers for each block, in the order of `NAMES`; None for what is plainly a menu far from all prose."""
    prose = [prose_of(block) for block in layout.blocks]
    masses = masses_of(layout, prose)
    page = _Page(layout, prose, masses, hints)
    return [None if page.is_menu(index) else page.row(index) for index in range(len(layout.blocks))]


@lru_cache(maxsize=4096)
def _flags(marks: int) -> tuple[float, ...]:
    return tuple(float((marks >> position) & 1) for position in range(len(_MARKED)))


class _Page:
    """What the blocks of one page are compared with."""

    def __init__(self, layout: Layout, prose: list[float], masses: Masses, hints: Hints) -> None:
        self.layout, self.prose, self.masses = layout, prose, masses
        self.total = masses.prose[0] or 1.0
        self.marks = effective_marks(layout, masses)
        self.top = container_of(layout, prose)
        self.top_line = lines_above(layout, self.top)
        self.top_level = {node: level for level, node in enumerate(self.top_line)}
        self.meeting: list[int] = []
        for index, node in enumerate(layout.nodes):
            self.meeting.append(index if index in self.top_level or node.parent < 0 else self.meeting[node.parent])
        self.words = [words_of(block.text) for block in layout.blocks]
        self.copies = Counter(map(" ".join, self.words))
        self.seen: set[str] = set()
        self.title = words_of(hints.title or "")
        self.title_set = set(self.title)
        self.description = _shingles(words_of(hints.description or ""))
        self.body = _shingles(words_of(hints.body or "")) if hints.body and len(hints.body) > 250 else set()
        self.signatures = [self._signature(block) for block in layout.blocks]
        self.signature_prose: Counter[tuple[object, ...]] = Counter()
        self.signature_blocks: Counter[tuple[object, ...]] = Counter()
        self.parent_prose: Counter[int] = Counter()
        for block, amount, signature in zip(layout.blocks, prose, self.signatures, strict=True):
            self.signature_prose[signature] += amount  # type: ignore[assignment]  # a float counts as well
            self.signature_blocks[signature] += 1
            self.parent_prose[layout.nodes[block.node].parent] += amount  # type: ignore[assignment]
        self.same_parent = max(self.parent_prose.values(), default=0) or 1
        self._find_core()
        self._find_articles()
        self._find_containers()
        self.body_ratio = (
            math.log1p(len(hints.body or "")) - math.log1p(self.masses.text[self.top]) if self.body else 0.0
        )

    def _signature(self, block: Block) -> tuple[object, ...]:
        nodes = self.layout.nodes
        node = nodes[block.node]
        parent = nodes[node.parent] if node.parent >= 0 else node
        element = self.layout.elements[block.node]
        return (node.tag, node.depth, element.get("class"), parent.tag, parent.marks)

    def _find_core(self) -> None:
        blocks, nodes = self.layout.blocks, self.layout.nodes
        inside = [False] * len(nodes)
        for index, node in enumerate(nodes):
            inside[index] = index == self.top or (node.parent >= 0 and inside[node.parent])
        self.core = [
            inside[b.node] and amount > 60 and b.linked < 0.4 * len(b.text)
            for b, amount in zip(blocks, self.prose, strict=True)
        ]
        size = len(blocks)
        self.before, self.after = [99] * size, [99] * size
        self.core_before = [0] * size
        distance, count = 99, 0
        for index in range(size):
            self.before[index] = distance
            self.core_before[index] = count
            distance = 0 if self.core[index] else min(99, distance + 1)
            count += self.core[index]
        self.core_count = max(1, count)
        distance = 99
        for index in range(size - 1, -1, -1):
            self.after[index] = distance
            distance = 0 if self.core[index] else min(99, distance + 1)
        self.h1 = next(
            (i for i, b in enumerate(blocks) if nodes[b.node].tag == "h1" and self._title_share(i) > 0.5), -1
        )
        if self.h1 < 0:
            self.h1 = next((i for i, b in enumerate(blocks) if b.kind == "heading" and self._title_share(i) > 0.8), -1)

    def _find_articles(self) -> None:
        nodes, blocks = self.layout.nodes, self.layout.blocks
        article = [-1] * len(nodes)
        for index, node in enumerate(nodes):
            article[index] = index if node.tag == "article" else article[node.parent] if node.parent >= 0 else -1
        self.article = article
        self.main_article = article[blocks[self.h1].node] if self.h1 >= 0 else article[self.top]
        self.h1_level = (
            {n: level for level, n in enumerate(lines_above(self.layout, blocks[self.h1].node))} if self.h1 >= 0 else {}
        )
        self.up_from_h1: list[int] = []
        for index, node in enumerate(nodes):
            above = self.up_from_h1[node.parent] if node.parent >= 0 else 30
            self.up_from_h1.append(self.h1_level.get(index, above))
        self.headings, self.titles, self.linked_heading = [], [], []
        headings = titles = 0
        linked = 0.0
        for index, block in enumerate(blocks):
            if block.kind == "heading" and index > self.h1:
                headings += 1
                titles += nodes[block.node].tag == "h1"
                linked = block.linked / len(block.text)
            self.headings.append(headings)
            self.titles.append(titles)
            self.linked_heading.append(linked)
        covered = sum(
            a
            for i, a in enumerate(self.prose)
            if self.core[i] and self.body and _overlap(self.words[i], self.body) > 0.6
        )
        core = sum(a for i, a in enumerate(self.prose) if self.core[i])
        self.body_cover = covered / (core or 1) if self.body else -1.0
        self.top_first = next((i for i, c in enumerate(self.core) if c), -1)

    def _find_containers(self) -> None:
        """The first elements that are named for the body of an article, an <article>, <main>, and such for content."""
        nodes, prose = self.layout.nodes, self.masses.prose
        least = 0.12 * self.total
        holders = [
            next((i for i, n in enumerate(nodes) if n.marks & _BODY and prose[i] > least), -1),
            next((i for i, n in enumerate(nodes) if n.tag == "article" and prose[i] > least), -1),
            next((i for i, n in enumerate(nodes) if n.tag == "main" and prose[i] > least), -1),
            next((i for i, n in enumerate(nodes) if n.marks & _CONTENT and prose[i] > least), -1),
            next((i for i in self.top_line if prose[i] > 0.7 * self.total), -1),
        ]
        self.article_count = min(30, sum(n.tag == "article" for n in nodes))
        shares = [prose[h] / self.total if h >= 0 else -1.0 for h in holders]
        inside: list[tuple[bool, ...]] = []
        for index, node in enumerate(nodes):
            above = inside[node.parent] if node.parent >= 0 else (False,) * len(holders)
            inside.append(tuple(up or index == holder for up, holder in zip(above, holders, strict=True)))
        self.container_shares = [
            [
                value
                for flag, share in zip(flags[:4], shares[:4], strict=True)
                for value in (float(flag) if share >= 0 else -1.0, share)
            ]
            + [float(flags[4])]
            for flags in inside
        ]

    def _title_share(self, index: int) -> float:
        words = self.words[index]
        if not words or not self.title_set:
            return 0.0
        common = sum(word in self.title_set for word in words)
        return common / max(len(words), len(self.title))

    def _link_density(self, node: int) -> float:
        return self.masses.linked[node] / (self.masses.text[node] or 1)

    def is_menu(self, index: int) -> bool:
        """Whether the block is a link among links, with no prose within reach: two of five blocks of a page."""
        block = self.layout.blocks[index]
        if block.linked < 0.9 * len(block.text) or self.before[index] < 3 or self.after[index] < 3:
            return False
        parent = max(self.layout.nodes[block.node].parent, 0)
        return self._link_density(max(self.layout.nodes[parent].parent, 0)) > 0.7

    def row(self, index: int) -> list[float]:
        """The numbers of one block."""
        layout, masses = self.layout, self.masses
        block = layout.blocks[index]
        node = layout.nodes[block.node]
        parent = max(node.parent, 0)
        grand = max(layout.nodes[parent].parent, 0)
        text, words = block.text, self.words[index]
        length = len(text)
        key = " ".join(words)
        first = key not in self.seen
        self.seen.add(key)
        meeting = self.meeting[block.node]
        up = self.top_level.get(meeting, 20)
        signature = self.signatures[index]
        previous = layout.blocks[index - 1] if index else None
        following = layout.blocks[index + 1] if index + 1 < len(layout.blocks) else None
        marks, own = (
            self.marks[block.node],
            node.marks | (layout.nodes[parent].marks if masses.blocks[parent] <= 2 else 0),
        )
        letters = sum(map(str.isalpha, text[:200])) or 1
        return [
            math.log1p(length),
            math.log1p(len(words)),
            block.linked / length,
            min(block.links, 20),
            block.bold / length,
            len(_FULL_STOP.findall(text)),
            len(_COMMA.findall(text)),
            float(bool(_SENTENCE_END.search(text))),
            sum(map(str.isdigit, text[:200])) / min(200, length),
            sum(map(str.isupper, text[:200])) / letters,
            float(bool(_DATE.search(text[:200]))),
            float(bool(_ADDRESS.search(text))),
            float(text.endswith((":", "："))),
            KINDS.index(block.kind),
            int(node.tag[1]) if block.kind == "heading" and node.tag[1:].isdigit() else 0,
            min(self.copies[key], 5),
            float(first),
            float(words == self.title),
            self._title_share(index),
            _overlap(words, self.description) if self.description else -1.0,
            _overlap(words, self.body) if self.body else -1.0,
            float(bool(self.body)),
            self.prose[index],
            math.log1p(self.total),
            math.log1p(len(layout.blocks)),
            index / len(layout.blocks),
            float(meeting == self.top),
            up,
            node.depth - layout.nodes[meeting].depth,
            masses.prose[meeting] / self.total,
            masses.prose[parent] / self.total,
            self._link_density(parent),
            math.log1p(masses.text[parent] / (masses.blocks[parent] or 1)),
            math.log1p(masses.blocks[parent]),
            masses.prose[grand] / self.total,
            self._link_density(grand),
            self.parent_prose[node.parent] / self.same_parent,
            self.signature_prose[signature] / self.total,
            math.log1p(self.signature_blocks[signature]),
            node.depth,
            float(bool(index and self.core[index - 1])),
            float(bool(following and self.core[index + 1])),
            min(self.before[index], 99),
            min(self.after[index], 99),
            self.core_before[index] / self.core_count,
            previous.linked / len(previous.text) if previous else -1.0,
            following.linked / len(following.text) if following else -1.0,
            math.log1p(len(previous.text)) if previous else 0.0,
            math.log1p(len(following.text)) if following else 0.0,
            KINDS.index(previous.kind) if previous else -1,
            KINDS.index(following.kind) if following else -1,
            float(self.h1 >= 0) * (1 if index > self.h1 else -1),
            max(-50, min(100, index - self.h1)) if self.h1 >= 0 else 0,
            min(next((d for d in range(1, 8) if index >= d and layout.blocks[index - d].kind == "heading"), 9), 9),
            min(block.pieces, 20),
            0 if self.article[block.node] < 0 else 1 if self.article[block.node] == self.main_article else 2,
            self.up_from_h1[block.node],
            min(self.headings[index], 30),
            min(self.titles[index], 5),
            self.body_cover,
            self.body_ratio,
            masses.prose[self.article[block.node]] / self.total if self.article[block.node] >= 0 else -1.0,
            float(self.h1 >= 0) * (1 if self.top_first > self.h1 else -1),
            self.linked_heading[index],
            *self.container_shares[block.node],
            len(self.layout.nodes) and self.article_count,
            1.0 - masses.prose[self.top] / self.total,
            *(float(bool(own & value)) for value in _OWN),
            *_flags(marks),
        ]
