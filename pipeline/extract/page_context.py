"""What the blocks of a page are compared with: its main container, its headline, its core of prose, its repetitions.

All of it is found once for a page; `pipeline.extract.features` reads it for each block.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.extract.blocks import Layout
from pipeline.extract.element_names import bit
from pipeline.extract.prose import LONGEST, container_of, effective_marks, lines_above, masses_of, prose_of, width_of
from pipeline.extract.reference_text import ReferenceText
from pipeline.text.words import split_words

FAR = 99
"""Blocks; further away is as far as can be."""

CORE_PROSE = 60
"""Characters of prose that make a block of the main container part of its core."""

MIN_BODY = 250
"""Characters of a declared body that make it more than a summary."""

REPORT = 2.0
"""A page that declares a report of a newspaper: around it stand boxes and lists that elsewhere belong to the text."""

_REPORTS = ("news", "live")


@dataclass(frozen=True, slots=True)
class TextHints:
    """What the page and its feed say of the article elsewhere, to compare blocks with."""

    title: str | None = None
    description: str | None = None
    body: str | None = None
    kind: str | None = None


class PageContext:
    """A page as its blocks see it."""

    def __init__(self, layout: Layout, hints: TextHints) -> None:
        self.layout = layout
        self.log_chars = [math.log1p(min(width_of(block.text), LONGEST)) for block in layout.blocks]
        self.link_shares = [block.linked / len(block.text) for block in layout.blocks]
        self.prose = list(map(prose_of, layout.blocks))
        self.masses = masses_of(layout, self.prose)
        self.total = self.masses.prose[0] or 1.0
        masses = self.masses
        self.link_densities = [links / (text or 1) for links, text in zip(masses.linked, masses.text, strict=True)]
        self.marks = effective_marks(layout, self.masses)
        self._words: dict[int, list[str]] = {}
        self._body_shares: dict[int, float] = {}
        self.copies = Counter(block.text for block in layout.blocks)
        title, description = hints.title or "", hints.description or ""
        self.title = split_words(title)
        self._title_set = set(self.title)
        self._longest_title = 4 * len(title)
        self.description = ReferenceText(split_words(description))
        self._longest_description = 2 * len(description)
        self.body = ReferenceText(split_words(hints.body) if hints.body and len(hints.body) > MIN_BODY else ())
        self.declared = declared_of(hints.kind)
        self._find_top()
        self._find_core()
        self._find_headline()
        self._find_headings()
        self._find_repetition()
        self._find_containers()
        self._compare_body(hints)

    def words(self, index: int) -> list[str]:
        """The words of a block, read when they are asked for: nobody asks for those of menus and most paragraphs."""
        if index not in self._words:
            self._words[index] = split_words(self.layout.blocks[index].text)
        return self._words[index]

    def body_share(self, index: int) -> float:
        """How much of a block the declared body holds; -1 where none is declared."""
        if index not in self._body_shares:
            self._body_shares[index] = self.body.share_in(self.words(index)) if self.body else -1.0
        return self._body_shares[index]

    def title_share(self, index: int) -> float:
        """How much of the headline the block is, and of the block is the headline; 0 where it says far more."""
        if len(self.layout.blocks[index].text) > self._longest_title:
            return 0.0
        words = self.words(index)
        if self._title_set.isdisjoint(words):
            return 0.0
        return sum(map(self._title_set.__contains__, words)) / max(len(words), len(self.title))

    def description_share(self, index: int) -> float:
        """How much of a block the description holds; 0 where it says far more, -1 where there is no description."""
        if not self.description:
            return -1.0
        if len(self.layout.blocks[index].text) > self._longest_description:
            return 0.0
        return self.description.share_in(self.words(index))

    def find_shown(self) -> list[int]:
        """Indices of the blocks without links among links with no prose within reach: two of five blocks of a page."""
        nodes, densities, before, after = self.layout.nodes, self.link_densities, self.before, self.after
        return [
            index
            for index, block in enumerate(self.layout.blocks)
            if block.linked < 0.9 * len(block.text)
            or before[index] < 3
            or after[index] < 3
            or densities[max(nodes[max(nodes[block.node].parent, 0)].parent, 0)] <= 0.7
        ]

    def _find_top(self) -> None:
        nodes = self.layout.nodes
        self.top = container_of(self.layout, self.prose)
        self.top_line = lines_above(self.layout, self.top)
        self.top_level = {node: level for level, node in enumerate(self.top_line)}
        # for each node the nearest one above it that also stands above the main container
        self.meeting: list[int] = []
        for index, node in enumerate(nodes):
            self.meeting.append(index if index in self.top_level or node.parent < 0 else self.meeting[node.parent])

    def _find_core(self) -> None:
        blocks, nodes = self.layout.blocks, self.layout.nodes
        inside = [False] * len(nodes)
        for index, node in enumerate(nodes):
            inside[index] = index == self.top or (node.parent >= 0 and inside[node.parent])
        self.core = [
            inside[block.node] and amount > CORE_PROSE and block.linked < 0.4 * len(block.text)
            for block, amount in zip(blocks, self.prose, strict=True)
        ]
        self.core_before = [0]
        for is_core in self.core[:-1]:
            self.core_before.append(self.core_before[-1] + is_core)
        self.core_count = max(1, sum(self.core))
        self.before = _distances(self.core)
        self.after = _distances(self.core[::-1])[::-1]

    def _find_headline(self) -> None:
        blocks, nodes = self.layout.blocks, self.layout.nodes
        headings = [index for index, block in enumerate(blocks) if block.kind == "heading"]
        first = (i for i in headings if nodes[blocks[i].node].tag == "h1" and self.title_share(i) > 0.5)
        other = (i for i in headings if self.title_share(i) > 0.8)
        self.headline = next(first, next(other, -1))
        above = lines_above(self.layout, blocks[self.headline].node) if self.headline >= 0 else []
        level = {node: distance for distance, node in enumerate(above)}
        self.up_from_headline: list[int] = []
        self.article: list[int] = []
        for index, node in enumerate(nodes):
            higher = self.up_from_headline[node.parent] if node.parent >= 0 else 30
            self.up_from_headline.append(level.get(index, higher))
            within = self.article[node.parent] if node.parent >= 0 else -1
            self.article.append(index if node.tag == "article" else within)

    def _find_headings(self) -> None:
        """For each block how far up a heading stands, how many since the headline, and how linked the last of these."""
        self.headings: list[int] = []
        self.titles: list[int] = []
        self.linked_heading: list[float] = []
        self.heading_steps: list[int] = []
        headings = titles = 0
        linked, last = 0.0, -FAR
        for index, block in enumerate(self.layout.blocks):
            self.heading_steps.append(index - last)
            if block.kind == "heading":
                last = index
            if block.kind == "heading" and index > self.headline:
                headings += 1
                titles += self.layout.nodes[block.node].tag == "h1"
                linked = block.linked / len(block.text)
            self.headings.append(headings)
            self.titles.append(titles)
            self.linked_heading.append(linked)

    def _find_repetition(self) -> None:
        """Prose and blocks by the form of the markup that they stand in, and prose by the element around it."""
        nodes, elements = self.layout.nodes, self.layout.elements
        forms: dict[tuple[object, ...], int] = {}
        # for each block the number of its form; for each form the sums
        self.signature: list[int] = []
        self.signature_prose: list[float] = []
        counts: list[int] = []
        self.parent_prose: dict[int, float] = defaultdict(float)
        for block, amount in zip(self.layout.blocks, self.prose, strict=True):
            node = nodes[block.node]
            parent = nodes[node.parent] if node.parent >= 0 else node
            form = (node.tag, node.depth, elements[block.node].get("class"), parent.tag, parent.marks)
            number = forms.setdefault(form, len(forms))
            if number == len(counts):
                counts.append(0)
                self.signature_prose.append(0.0)
            counts[number] += 1
            self.signature_prose[number] += amount
            self.signature.append(number)
            self.parent_prose[node.parent] += amount
        self.signature_blocks = list(map(math.log1p, counts))
        self.most_parent_prose = max(self.parent_prose.values(), default=0) or 1

    def _find_containers(self) -> None:
        """The first elements that are named for the body of an article, an <article>, <main>, and such for content."""
        nodes, prose = self.layout.nodes, self.masses.prose
        least, body, content = 0.12 * self.total, bit("body"), bit("content")
        large = [(i, n) for i, n in enumerate(nodes) if prose[i] > least]
        holders = [
            next((i for i, n in large if n.marks & body), -1),
            next((i for i, n in large if n.tag == "article"), -1),
            next((i for i, n in large if n.tag == "main"), -1),
            next((i for i, n in large if n.marks & content), -1),
            next((i for i in self.top_line if prose[i] > 0.7 * self.total), -1),
        ]
        self.article_count = min(30, sum(node.tag == "article" for node in nodes))
        shares = [prose[holder] / self.total if holder >= 0 else -1.0 for holder in holders]
        inside: list[int] = []
        for index, node in enumerate(nodes):
            own = sum(1 << bit for bit, holder in enumerate(holders) if holder == index) if index in holders else 0
            inside.append(own | (inside[node.parent] if node.parent >= 0 else 0))
        by_mask = {mask: _told(mask, shares) for mask in set(inside)}
        self.container_shares = [by_mask[mask] for mask in inside]

    def _compare_body(self, hints: TextHints) -> None:
        """How much of the core the declared body holds, and how its length compares."""
        core = [(index, amount) for index, amount in enumerate(self.prose) if self.core[index]]
        covered = sum(amount for index, amount in core if self.body_share(index) > 0.6)
        self.body_cover = covered / (sum(amount for _, amount in core) or 1) if self.body else -1.0
        size = math.log1p(len(hints.body or "")) - math.log1p(self.masses.text[self.top])
        self.body_ratio = size if self.body else 0.0
        self.first_core = core[0][0] if core else -1


def declared_of(kind: str | None) -> float:
    """What the page says that it is: `REPORT`, 1 for anything else, 0 for nothing."""
    return 0.0 if not kind else REPORT if any(word in kind for word in _REPORTS) else 1.0


def _distances(core: Sequence[bool]) -> list[int]:
    """For each block how many stand between it and the last core block before it."""
    distances, distance = [], FAR
    for is_core in core:
        distances.append(distance)
        distance = 0 if is_core else min(FAR, distance + 1)
    return distances


def _told(mask: int, shares: Sequence[float]) -> list[float]:
    """Whether a node lies in each of the containers, and their shares; -1 for those that there are not."""
    flags = [float(mask >> index & 1) for index in range(len(shares))]
    pairs = [(flag if share >= 0 else -1.0, share) for flag, share in zip(flags[:4], shares[:4], strict=True)]
    return [*(value for pair in pairs for value in pair), flags[4]]
