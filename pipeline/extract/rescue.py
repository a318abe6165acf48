"""Other sources of an article's text, for pages whose own blocks look wrong.

They cost time, so they are asked only then: JSON-LD ``articleBody``, the state that applications embed as JSON, and
trafilatura with its own fallbacks.
"""

import html as entities
import json
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass

import trafilatura
from lxml import html

from pipeline.decode import Document, copy_for_engines
from pipeline.extract.blocks import segment
from pipeline.extract.body import Choice
from pipeline.extract.prose import words_of
from pipeline.extract.surroundings import overlap, shingles
from pipeline.structured import Structured

ENGINE_VERSION = trafilatura.__version__

SHORT = 250
"""Characters below which a body is looked for elsewhere."""

DOUBT = 0.55
"""Share of the text that was decided by a hair's breadth, from which on trafilatura is asked as well."""

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

_STATE = re.compile(r'"((?:[^"\\]|\\.){400,})"')
_MARKUP = re.compile(r"</?(?:p|br|div|h[1-6]|li|ul|ol|blockquote)\b[^>]*>", re.IGNORECASE)
_PARAGRAPH_MARKUP = re.compile(r"(?:<|\\u003c)p\b", re.IGNORECASE)
MAX_STATE = 3_000_000
"""Characters of scripts that are searched."""

logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # it logs each page that it finds short
logging.getLogger("htmldate").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Rescue:
    """Paragraphs from another source than the page's blocks."""

    source: str
    paragraphs: tuple[str, ...]


def needs_rescue(choices: Sequence[Choice], structured: Structured, summary: str | None) -> bool:
    """Whether the chosen body looks wrong: hardly any text, less than was announced, or much in doubt."""
    kept = sum(len(choice.block.text) for choice in choices if choice.kept)
    declared = structured.article_body or ""
    if kept < SHORT or kept < 0.5 * len(declared) or kept < len(summary or ""):
        return True
    return doubt_of(choices) > DOUBT or is_missing(declared, [choice.block.text for choice in choices if choice.kept])


def is_missing(declared: str, kept: Sequence[str]) -> bool:
    """Whether the beginning of a declared body stands nowhere in the chosen one: then something else was chosen."""
    words = words_of(" ".join(paragraphs_of(declared[:GLIMPSE])))[:-1] if len(declared) > SHORT else []
    runs = shingles(words)
    # What is found in the first paragraphs already need not be looked for in all.
    texts = (" ".join(kept[:FIRST]), " ".join(kept)) if runs else ()
    return bool(texts) and all(overlap(runs, shingles(words_of(text))) < MISSING for text in texts)


def doubt_of(choices: Sequence[Choice]) -> float:
    """The share of the text whose decision was a close one."""
    likely = [(len(choice.block.text), choice.probability) for choice in choices if choice.probability]
    sure = sum([length * probability for length, probability in likely]) or 1.0
    return sum([length * min(probability, 1 - probability) for length, probability in likely]) / sure


def rescue(document: Document, url: str, choices: Sequence[Choice], structured: Structured) -> Rescue | None:
    """The text of a better source, or None where there is none."""
    kept = [choice.block.text for choice in choices if choice.kept]
    size = sum(map(len, kept))
    declared = paragraphs_of(structured.article_body or "")
    if _size(declared) > max(SHORT, 2 * size) or (2 * _size(declared) > size and is_missing("\n".join(declared), kept)):
        return Rescue("json-ld", declared)
    if size < SHORT:
        stated = state_paragraphs(document)
        if _size(stated) > max(SHORT, 2 * size):
            return Rescue("state", stated)
    is_large = len(document.text) > MAX_ENGINE_CHARACTERS or document.text.count("<") > MAX_ENGINE_TAGS
    is_empty = size < SHORT / 2
    if is_large or not (is_empty or doubt_of(choices) > DOUBT):
        return None
    engine = engine_paragraphs(document, url, with_fallbacks=is_empty)
    return Rescue("trafilatura", engine) if engine and _size(engine) > size / 3 else None


def _size(paragraphs: Sequence[str]) -> int:
    return sum(map(len, paragraphs))


def paragraphs_of(text: str) -> tuple[str, ...]:
    """Paragraphs of a text that may hold markup, escaped or not."""
    if "&lt;" in text or "&amp;lt;" in text:
        text = entities.unescape(text)
    if _MARKUP.search(text):
        try:
            tree = html.fragment_fromstring(text, create_parent="div")
        except Exception:  # noqa: BLE001  # lxml meets hostile input here; the text is used as it is
            return tuple(line.strip() for line in text.splitlines() if line.strip())
        return tuple(block.text for block in segment(tree).blocks)
    return tuple(line.strip() for line in entities.unescape(text).splitlines() if line.strip())


def state_paragraphs(document: Document) -> tuple[str, ...]:
    """The longest text with paragraphs that a script of the page holds as a JSON string."""
    best: tuple[str, ...] = ()
    budget = MAX_STATE
    for script in document.tree.iter("script"):
        source = script.text or ""
        if len(source) > budget or not _PARAGRAPH_MARKUP.search(source):
            continue
        budget -= len(source)
        for match in _STATE.finditer(source):
            literal = match.group(1)
            if len(_PARAGRAPH_MARKUP.findall(literal)) >= 3:
                found = paragraphs_of(_decoded(literal))
                best = max(best, found, key=_size)
    return best


def _decoded(literal: str) -> str:
    try:
        text = str(json.loads(f'"{literal}"', strict=False))
    except ValueError:
        return literal
    # a string within a string: state that was serialised twice
    return _decoded(text) if "\\u003c" in text and "\n" not in text and '"' not in text else text


def engine_paragraphs(document: Document, url: str, *, with_fallbacks: bool) -> tuple[str, ...]:
    """What trafilatura makes of the page; its own fallbacks take longer than all the rest."""
    try:
        found = trafilatura.bare_extraction(
            copy_for_engines(document.tree),
            url=url,
            fast=not with_fallbacks,
            include_comments=False,
            with_metadata=False,
        )
    except Exception:  # noqa: BLE001  # trafilatura meets hostile input and may raise anything: no answer then
        return ()
    if found is None or isinstance(found, dict) or not found.text:
        return ()
    return tuple(line.strip() for line in found.text.split("\n") if line.strip())
