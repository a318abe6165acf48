"""Other sources of an article's text, for pages whose own blocks look wrong.

They cost time, so they are asked only then: JSON-LD ``articleBody``, the state that applications embed as JSON, and
trafilatura with its own fallbacks.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import trafilatura

from pipeline.extract.blocks import Block
from pipeline.extract.body import BodyChoice
from pipeline.extract.embedded_state import blocks_in_state, markup_in_state, paragraphs_of, total_width
from pipeline.extract.prose import is_prose, width_of
from pipeline.extract.reference_text import overlap, shingles
from pipeline.html.decode import Document, copy_for_engines
from pipeline.html.structured_data import Structured
from pipeline.text.words import split_words

ENGINE_VERSION = trafilatura.__version__

SHORT = 250
"""Characters below which a body is looked for elsewhere."""

DOUBT = 0.7
"""Share of the text that was decided by a hair's breadth, from which on trafilatura is asked as well."""

CHANCE = 0.25
"""Probability from which on running text is taken where there is nothing surer: short reports look like blurbs."""

LEAST_PROSE = 0.4
"""Share of the engine's answer that must be running text."""

GLIMPSE = 800
"""Characters of a declared body that are looked for in the chosen one."""

MISSING = 0.2
"""Share of these that is found by chance, in headlines and captions."""

FIRST = 12
"""Paragraphs of the chosen body that hold them, as a rule."""

MAX_ENGINE_TAGS = 40_000
"""Tags beyond which trafilatura is not asked: parts of it take time that grows with the square of them."""

MAX_ENGINE_CHARACTERS = 3_000_000
"""Characters of source beyond which it is not asked either: it copies the tree several times over."""

logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # it logs each page that it finds short
logging.getLogger("htmldate").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Rescue:
    """Paragraphs from another source than the page's blocks."""

    source: str
    paragraphs: tuple[str, ...]


def needs_rescue(choices: Sequence[BodyChoice], structured: Structured, summary: str | None) -> bool:
    """Whether the chosen body looks wrong: hardly any text, less than was announced, or much in doubt."""
    kept = sum(width_of(choice.block.text) for choice in choices if choice.kept)
    declared = structured.article_body or ""
    if kept < SHORT or kept < 0.5 * width_of(declared) or kept < width_of(summary or ""):
        return True
    return doubt_of(choices) > DOUBT or is_missing(declared, [choice.block.text for choice in choices if choice.kept])


def is_missing(declared: str, kept: Sequence[str]) -> bool:
    """Whether the beginning of a declared body stands nowhere in the chosen one: then something else was chosen."""
    words = split_words(" ".join(paragraphs_of(declared[:GLIMPSE])))[:-1] if len(declared) > SHORT else []
    runs = shingles(words)
    # What is found in the first paragraphs already need not be looked for in all.
    texts = (" ".join(kept[:FIRST]), " ".join(kept)) if runs else ()
    return bool(texts) and all(overlap(runs, shingles(split_words(text))) < MISSING for text in texts)


def doubt_of(choices: Sequence[BodyChoice]) -> float:
    """The share of the text whose decision was a close one."""
    likely = [(len(choice.block.text), choice.probability) for choice in choices if choice.probability]
    sure = sum([length * probability for length, probability in likely]) or 1.0
    return sum([length * min(probability, 1 - probability) for length, probability in likely]) / sure


def find_better_text(
    document: Document, url: str, choices: Sequence[BodyChoice], structured: Structured
) -> Rescue | None:
    """The text of a better source, or None where there is none."""
    kept = [choice.block.text for choice in choices if choice.kept]
    size = total_width(kept)
    declared = paragraphs_of(structured.article_body or "")
    if total_width(declared) > max(SHORT, 2 * size) or (
        2 * total_width(declared) > size and is_missing("\n".join(declared), kept)
    ):
        return Rescue("json-ld", declared)
    if size < SHORT:
        stated = markup_in_state(document)
        if total_width(stated) > max(SHORT, 2 * size):
            return Rescue("state", stated)
    is_empty = size < SHORT / 2
    if _is_large(document) or not (is_empty or doubt_of(choices) > DOUBT):
        return None
    engine = _without_menus(engine_paragraphs(document, url, with_fallbacks=is_empty), choices)
    if _is_better(engine, choices):
        return Rescue("trafilatura", engine)
    listed = blocks_in_state(document) if is_empty else ()
    if total_width(listed) > max(SHORT, 2 * size):
        return Rescue("state", listed)
    likely = tuple(choice.block.text for choice in choices if choice.probability > CHANCE and _is_running(choice.block))
    return Rescue("blocks", likely) if not any(map(is_prose, kept)) and likely else None


def ask_engine(document: Document, url: str, choices: Sequence[BodyChoice]) -> Rescue | None:
    """The text that trafilatura chooses, without what a rule of the site drops; None where it finds none."""
    dropped = {choice.block.text for choice in choices if choice.is_dropped}
    paragraphs = () if _is_large(document) else engine_paragraphs(document, url, with_fallbacks=True)
    text = tuple(line for line in paragraphs if line not in dropped)
    return Rescue("trafilatura", text) if text else None


def _is_large(document: Document) -> bool:
    return len(document.text) > MAX_ENGINE_CHARACTERS or document.text.count("<") > MAX_ENGINE_TAGS


def _without_menus(engine: Sequence[str], choices: Sequence[BodyChoice]) -> tuple[str, ...]:
    links = {choice.block.text for choice in choices if choice.block.linked > 0.8 * len(choice.block.text)}
    return tuple(text for text in engine if text not in links)


def _is_running(block: Block) -> bool:
    return block.linked < 0.3 * len(block.text) and is_prose(block.text)


def _is_better(engine: Sequence[str], choices: Sequence[BodyChoice]) -> bool:
    """Whether the engine found text: where there is little, its fallbacks take menus rather than nothing."""
    kept = [choice.block.text for choice in choices if choice.kept]
    prose = [text for text in engine if is_prose(text)]
    size, own = total_width(prose), sum(width_of(text) for text in kept if is_prose(text))
    if size < LEAST_PROSE * total_width(engine) or total_width(engine) <= total_width(kept) / 3:
        return False
    if len(engine) == 1 and any(_is_running(choice.block) for choice in choices):
        return False  # all of the page in one piece, which its last fallback makes
    return size >= SHORT / 2 or size > own


def engine_paragraphs(document: Document, url: str, *, with_fallbacks: bool) -> tuple[str, ...]:
    """What trafilatura makes of the page; its own fallbacks take longer than all the rest."""
    try:
        extracted = trafilatura.bare_extraction(
            copy_for_engines(document.tree),
            url=url,
            fast=not with_fallbacks,
            include_comments=False,
            with_metadata=False,
        )
    except Exception:  # noqa: BLE001  # trafilatura meets hostile input and may raise anything: no answer then
        return ()
    if extracted is None or isinstance(extracted, dict) or not extracted.text:
        return ()
    return tuple(line.strip() for line in extracted.text.split("\n") if line.strip())
