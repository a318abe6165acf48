"""Every block of a page with the verdict of the last step that looked at it."""

from collections.abc import Sequence
from typing import NamedTuple

from pipeline.clean import judge_paragraphs
from pipeline.clean.phrase_patterns import fold_paragraph
from pipeline.extract.block_shapes import ShapeReader, find_letters
from pipeline.extract.blocks import Layout
from pipeline.extract.body import BodyChoice, mark_near_body, reason_by_names, reason_by_text
from pipeline.extract.byline import mark_bylines
from pipeline.extract.rescue import Rescue
from pipeline.model import BodyBlock, Metadata
from pipeline.text.block_identity import make_body_blocks
from pipeline.text.known_blocks import find_recurring

MAX_BLURBS = 12
"""Blocks behind the body that are looked at for boilerplate, to be stored as removed."""


class JudgedBlock(NamedTuple):
    """One paragraph or other block of the page with what was decided of it.

    Attributes:
        reason: why it is not part of the text; None where it is.
        step: what decided: ``body`` (chosen among the blocks of the page), ``clean`` or ``learned`` (of the site).
        probability: how likely it belongs to the body; None where it did not come from the blocks of the page.
        letter: what it is to a reader (`pipeline.text.shape`); of blocks outside of the body it is not looked up.
    """

    text: str
    kind: str
    reason: str | None
    step: str
    probability: float | None = None
    letter: str = "p"


def judge_blocks(
    layout: Layout, choices: Sequence[BodyChoice], better: Rescue | None, metadata: Metadata
) -> tuple[JudgedBlock, ...]:
    """All blocks of the page in reading order; the paragraphs of a better source in their place, where there is one."""
    if better:
        texts = list(better.paragraphs)
        reasons = _clean(texts, metadata)
        letters = find_letters(layout, texts)
        return tuple(
            JudgedBlock(text, "paragraph", reason, "clean", letter=letter)
            for text, reason, letter in zip(texts, reasons, letters, strict=True)
        )
    headline = _find_headline(choices, metadata.title)
    texts = [choice.block.text for index, choice in enumerate(choices) if choice.kept or index == headline]
    verdicts = iter(_clean(texts, metadata))
    near = mark_near_body(layout, choices)
    # Sites put their blurbs right behind the element that holds the text, too.
    end = max((index for index, choice in enumerate(choices) if choice.kept), default=-1)
    judged, shapes = [], ShapeReader(layout)
    for index, (choice, is_near) in enumerate(zip(choices, near, strict=True)):
        block, step = choice.block, "body"
        if choice.kept:
            reason, step = next(verdicts), "clean"
        elif index == headline:
            reason = next(verdicts) or "title"
        elif choice.is_dropped:
            reason = "site_rule"
        elif is_near or (0 < index - end <= MAX_BLURBS and reason_by_text(block, metadata.language) is not None):
            reason = reason_by_names(layout, block, metadata.language)
        else:
            reason = "outside"
        letter = "p" if reason else shapes.read_letter(block)
        judged.append(JudgedBlock(block.text, block.kind, reason, step, choice.probability, letter))
    return tuple(judged)


def _find_headline(choices: Sequence[BodyChoice], title: str | None) -> int | None:
    """The index of the printed headline where it was not chosen: cleaning goes by it to find what stands above it."""
    wanted = fold_paragraph(title or "")
    for index, choice in enumerate(choices):
        if choice.block.kind == "heading" and wanted and fold_paragraph(choice.block.text) == wanted:
            return None if choice.kept else index
    return None


def _clean(texts: Sequence[str], metadata: Metadata) -> list[str | None]:
    """Why each paragraph of the body has to go after all; None where it stays."""
    reasons = judge_paragraphs(texts, title=metadata.title, language=metadata.language)
    bylines = mark_bylines(texts, metadata.signed)
    return [reason or ("byline" if is_byline else None) for reason, is_byline in zip(reasons, bylines, strict=True)]


def remove_learned(
    judged: Sequence[JudgedBlock], learned: frozenset[str]
) -> tuple[tuple[JudgedBlock, ...], tuple[BodyBlock, ...]]:
    """The blocks without what recurs on the site, and those to be counted, removed ones as well."""
    indices = [index for index, block in enumerate(judged) if block.step == "clean"]
    texts, kinds = [judged[index].text for index in indices], [judged[index].kind for index in indices]
    kept = [judged[index].reason is None for index in indices]
    blocks = make_body_blocks(texts, kept)
    recurring = find_recurring(blocks, texts, kinds, kept, learned)
    if recurring:
        blocks = make_body_blocks(texts, [is_kept and nth not in recurring for nth, is_kept in enumerate(kept)])
    gone = {indices[nth] for nth in recurring}
    return tuple(
        block._replace(reason="recurring", step="learned") if index in gone else block
        for index, block in enumerate(judged)
    ), blocks
