"""Which blocks of a page are the article's body, and for the others why not."""

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import NamedTuple

from lxml.etree import _Element

from pipeline.clean import reason_of
from pipeline.clean.phrases import shape_of
from pipeline.extract.blocks import Block, Layout
from pipeline.extract.element_names import bit
from pipeline.extract.features import features_of
from pipeline.extract.forest import Forest, body_probabilities, load_forest
from pipeline.extract.next_article import find_next_article
from pipeline.extract.page_context import TextHints
from pipeline.site_rules import Rule
from pipeline.site_rules.selectors import select_elements

THRESHOLD = 0.47
"""Probability from which on a block is kept. Pages of all kinds lose somewhat more by it than they gain, but F1 on
those of newspapers is better than with 0.42, where losing and leaking weigh the same."""

HEADING_THRESHOLD = 0.1
"""The same for a heading right between two blocks that are surer than `SURE` to belong to the body."""

LATE_HEADING = 0.35
"""The same for one above such a block, with a teaser or a placeholder between it and the one before."""

SURE = 0.8

QUOTE_THRESHOLD = 0.2
"""The same for a quotation without links right between two blocks that are kept: there it is set apart, not a box."""

TABLE_THRESHOLD, MAX_LINKED_TABLE = 0.15, 0.5
"""Mean probability of the rows of a table that stands between two sure blocks from which on all of it is kept; share of
its text in links up to which it is no menu."""

NEXT_ARTICLE = 0.05
"""What is left of the probability of a block of the article that follows on the page."""

_MIN_BODY = 40  # characters: with fewer in what it calls the body, the rule was made for other pages of the site

# What an element's names make of a block that is not wanted, the surest first.
_REASONS = {
    "comment": "comments",
    "newsletter": "newsletter",
    "consent": "consent",
    "share": "share",
    "caption": "caption",
    "in_caption": "caption",
    "in_figure": "caption",
    "author": "biography",
    "related": "related",
    "advert": "advert",
    "account": "subscription",
    "tags": "tags",
    "meta": "dateline",
    "correction": "note",
    "embed": "placeholder",
    "navigation": "navigation",
    "in_nav": "navigation",
    "in_footer": "footer",
    "footer": "footer",
    "overlay": "overlay",
    "in_control": "control",
    "in_form": "control",
    "in_aside": "aside",
    "aside": "aside",
    "title": "title",
    "live": "live",
    "hidden": "hidden",
    "is_hidden": "hidden",
}


class BodyChoice(NamedTuple):
    """A block with what was decided of it; ``is_dropped`` by a rule of the site."""

    block: Block
    probability: float
    is_dropped: bool = False

    @property
    def kept(self) -> bool:
        """Whether it belongs to the body."""
        return self.probability > THRESHOLD


def choose_blocks(layout: Layout, hints: TextHints, forest: Forest | None = None) -> list[BodyChoice]:
    """The decision for each block of the page, in reading order."""
    forest = forest or load_forest()
    table = features_of(layout, hints, forest.names)
    choices = [BodyChoice(block, 0.0) for block in layout.blocks]
    for index, probability in zip(table.places, body_probabilities(forest, table.columns), strict=True):
        choices[index] = BodyChoice(layout.blocks[index], probability)
    choices = _with_whole_tables(layout, _with_company(layout, choices))
    for index in find_next_article(layout, [choice.kept for choice in choices]):
        choices[index] = choices[index]._replace(probability=min(choices[index].probability, NEXT_ARTICLE))
    return choices


def _with_company(layout: Layout, choices: list[BodyChoice]) -> list[BodyChoice]:
    """The decisions, with subheadings and quotations kept that stand right between two blocks of the body.

    Page builders wrap both in boxes of their own, which look like those of other things. Beside a heading both must be
    sure; beside a quotation they must be kept.
    """
    quote = bit("in_quote")
    for index, (before, choice, after) in enumerate(zip(choices, choices[1:], choices[2:], strict=False), start=1):
        if choice.kept or choice.block.linked:
            continue
        beside = min(before.probability, after.probability)
        is_subheading = choice.block.kind == "heading" and (
            (choice.probability > HEADING_THRESHOLD and beside > SURE)
            or (choice.probability > LATE_HEADING and after.probability > SURE and _is_late(choices, index))
        )
        is_quotation = layout.nodes[choice.block.node].inherited & quote and choice.probability > QUOTE_THRESHOLD
        if is_subheading or (is_quotation and beside > THRESHOLD):
            choices[index] = choice._replace(probability=THRESHOLD + 0.01)
    return choices


def _with_whole_tables(layout: Layout, choices: list[BodyChoice]) -> list[BodyChoice]:
    """The decisions, with all rows of a table kept where most of it is, or where it stands within the text."""
    tables: dict[int, list[int]] = {}
    for index, choice in enumerate(choices):
        if choice.block.kind == "row" and (table := _table_of(layout, choice.block.node)) >= 0:
            tables.setdefault(table, []).append(index)
    for rows in tables.values():
        total = sum(len(choices[index].block.text) for index in rows)
        linked = sum(choices[index].block.linked for index in rows)
        kept = sum(len(choices[index].block.text) for index in rows if choices[index].kept)
        mean = sum(choices[index].probability for index in rows) / len(rows)
        beside = [choices[index].probability for index in (rows[0] - 1, rows[-1] + 1) if 0 <= index < len(choices)]
        is_within = mean > TABLE_THRESHOLD and len(beside) == 2 and min(beside) > SURE
        if linked <= MAX_LINKED_TABLE * total and (2 * kept > total or is_within):
            for index in rows:
                if not choices[index].kept:
                    choices[index] = choices[index]._replace(probability=THRESHOLD + 0.01)
    return choices


def _table_of(layout: Layout, node: int) -> int:
    while node >= 0 and layout.nodes[node].tag != "table":
        node = layout.nodes[node].parent
    return node


def _is_late(choices: Sequence[BodyChoice], index: int) -> bool:
    """Whether a sure block stands before this one with nothing but a line or two that are dropped in between."""
    return any(choice.probability > SURE for choice in choices[max(0, index - 3) : index])


def apply_rule(layout: Layout, choices: Sequence[BodyChoice], rule: Rule, tree: _Element) -> list[BodyChoice]:
    """The decisions with those of the site's rule in their place."""
    body, keep, drop = (_inside(layout, select_elements(each, tree)) for each in (rule.body, rule.keep, rule.drop))
    has_body = sum(len(choice.block.text) for choice in choices if body[choice.block.node]) >= _MIN_BODY
    ruled = []
    for choice in choices:
        node = choice.block.node
        sure = (1.0 if body[node] else 0.0) if has_body else choice.probability
        ruled.append(BodyChoice(choice.block, 0.0 if drop[node] else 1.0 if keep[node] else sure, drop[node]))
    return ruled


def _inside(layout: Layout, elements: Collection[_Element]) -> list[bool]:
    """For each node whether it is one of these elements or lies in one."""
    inside: list[bool] = []
    for node, element in zip(layout.nodes, layout.elements, strict=True):
        inside.append(bool(elements) and (element in elements or (node.parent >= 0 and inside[node.parent])))
    return inside


def mark_near_body(layout: Layout, choices: Sequence[BodyChoice]) -> list[bool]:
    """For each block whether it stands in the element that holds the body: what readers may miss or not."""
    counts = [0] * len(layout.nodes)
    total = 0
    for choice in choices:
        if choice.kept:
            total += len(choice.block.text)
            counts[choice.block.node] += len(choice.block.text)
    for index in range(len(counts) - 1, 0, -1):
        counts[layout.nodes[index].parent] += counts[index]
    holder = max((index for index, count in enumerate(counts) if count >= 0.9 * total), default=0) if total else -1
    inside: list[bool] = []
    for index, node in enumerate(layout.nodes):
        inside.append(index == holder or (node.parent >= 0 and inside[node.parent]))
    return [inside[choice.block.node] for choice in choices]


def reason_by_text(block: Block, language: str | None) -> str | None:
    """The kind of boilerplate that a block is by its words alone; None where these say nothing."""
    return shape_of(block.text) or reason_of(block.text, language)


def reason_by_names(layout: Layout, block: Block, language: str | None) -> str:
    """One word for why a block near the body does not belong to it: what it says, else what the markup says."""
    if reason := reason_by_text(block, language):
        return reason
    # What is named for corrections holds sources, contacts and rules of the house as well: a notice says what it is.
    if reason := reason_of(block.text, language, at_end=True, among="correction"):
        return reason
    node = layout.nodes[block.node]
    if reason := _reason_of_marks(node.marks) or _reason_of_marks(node.inherited):
        return reason
    if block.kind == "caption":
        return "caption"
    return "related" if block.linked > 0.6 * len(block.text) else "aside"


@lru_cache(maxsize=4096)
def _reason_of_marks(marks: int) -> str | None:
    return next((reason for name, reason in _REASONS.items() if marks & bit(name)), None)
