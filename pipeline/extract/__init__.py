"""One page becomes an article: decode and parse once, choose the body, clean it, read the metadata.

A pure function of `PageInput` that runs in worker processes: the same input gives the same article in any process
and in any order. Steps, each of which `explain_article` shows:

    decode → structured data → metadata → blocks → body (chosen) → rescue, when the body looks wrong → cleaning
    → what recurs on the site, where that is known → class → outcome

What a site's own rule (`pipeline.site_rules`) says comes before what is found.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pipeline.classify import PageFacts, Verdict, class_of_numbers, class_of_page, gather_page_facts
from pipeline.classify.page_numbers import numbers_of
from pipeline.errors import ExtractError
from pipeline.extract.article_links import find_references
from pipeline.extract.blocks import Layout, segment_page
from pipeline.extract.body import BodyChoice, apply_rule, choose_blocks
from pipeline.extract.forest import Forest
from pipeline.extract.judgement import JudgedBlock, judge_blocks, remove_learned
from pipeline.extract.outcome import EXTRACTOR, EXTRACTOR_VERSION, declared_url, kept_text, make_outcome
from pipeline.extract.page_context import REPORT, TextHints, declared_of
from pipeline.extract.page_input import PageInput
from pipeline.extract.rescue import Rescue, ask_engine, find_better_text, needs_rescue
from pipeline.html.decode import Document, parse_html
from pipeline.html.structured_data import Structured, read_structured
from pipeline.metadata import read_metadata
from pipeline.model import Article, Metadata, NoArticle
from pipeline.site_rules import Rule, load_rules

__all__ = [
    "EXTRACTOR", "EXTRACTOR_VERSION", "Explanation", "JudgedBlock", "PageInput", "explain_article", "extract_article",
]  # fmt: skip


EVIDENT = 0.8
"""Confidence of the time of publication from which on an author and a declared type leave no doubt."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What each step made of a page.

    Attributes:
        lines: every block of the page in reading order, then what a rescue brought, kept and removed.
        rule: the rule of the site that was applied, if there is one.
        rescued: which other source the text was taken from, None where the page's own blocks were good.
        verdict: what kind of page it is, and what speaks for that.
        numbers: what it was learned from (`pipeline.classify.page_numbers`); empty where a rule told the kind.
        outcome: what `extract_article` returns for the page.
    """

    encoding: str
    structured: Structured
    metadata: Metadata
    rule: Rule | None
    lines: tuple[JudgedBlock, ...]
    rescued: str | None
    verdict: Verdict
    numbers: tuple[float, ...]
    outcome: Article | NoArticle


def extract_article(page: PageInput) -> Article | NoArticle:
    """The article of a page, or why there is none (``no_text``, ``too_short``, or a class of `pipeline.classify`).

    Raises ExtractError: ``empty`` or ``unparsable``.
    """
    with _without_collections():
        return explain_article(page).outcome


@contextmanager
def _without_collections() -> Iterator[None]:
    """Look for no reference cycles within the block: a page makes hardly any, and the looks are a twentieth of it."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def explain_article(page: PageInput, *, forest: Forest | None = None, engine: str | None = None) -> Explanation:
    """The same with what each step returned.

    ``forest`` takes the place of the learned part, to measure another; ``engine`` that of the extractor that page and
    rule name.

    Raises ExtractError: ``empty`` or ``unparsable``.
    """
    document = parse_html(page.body, page.charset, page.url)
    rule = None if page.rules_dir is None else load_rules(page.rules_dir).for_page(page.url, page.fetched_at)
    try:
        structured = read_structured(document.tree, page.url, document.elements)
        metadata = _read_metadata(page, document, structured, rule)
        layout = segment_page(document.tree)
        choices = _choose_body(page, document, structured, metadata, layout, rule, forest)
        better = _find_better(page, document, structured, choices, engine or _engine_of(page, rule))
    except RecursionError as error:
        raise ExtractError(page.url, "unparsable", "nested too deeply") from error
    judged = judge_blocks(layout, choices, better, metadata)
    judged, counted = (judged, ()) if page.learned is None else remove_learned(judged, page.learned)
    facts = gather_page_facts(page.url, document, structured, layout.blocks, kept_text(judged), metadata.access)
    # What only data of the page holds says nothing of its blocks, nor they of it.
    is_shown = better is None or better.source not in ("json-ld", "state")
    verdict, numbers = _classify(facts, metadata, layout, choices if is_shown else [])
    if verdict.page_class == "live_blog":
        counted = ()  # it has its own lines again and again
    extractor = better.source if better and better.source != "blocks" else EXTRACTOR
    references = find_references(document, layout, judged, page.url, declared_url(metadata.url, page.url))
    outcome = make_outcome(page, metadata, judged, counted, references, verdict, structured, extractor)
    return Explanation(
        encoding=document.encoding,
        structured=structured,
        metadata=metadata,
        rule=rule,
        lines=judged,
        rescued=better.source if better else None,
        verdict=verdict,
        numbers=numbers,
        outcome=outcome,
    )


def _classify(
    facts: PageFacts, metadata: Metadata, layout: Layout, choices: list[BodyChoice]
) -> tuple[Verdict, tuple[float, ...]]:
    """The class of a page, by its rules, else by what was learned, with the numbers that this went by."""
    verdict = class_of_page(facts)
    if verdict.page_class != "article" or _is_evident(metadata) or not facts.words or not choices:
        return verdict, ()
    kept = [choice.kept for choice in choices]
    numbers = numbers_of(facts, metadata, layout.blocks, kept, [node.parent for node in layout.nodes])
    return class_of_numbers(numbers), numbers


def _is_evident(metadata: Metadata) -> bool:
    """Whether it declares a newspaper's report, or an article with author and time: hardly anything else does."""
    kind, dated = metadata.kind, metadata.provenance.get("published_at")
    is_dated = dated is not None and dated.confidence >= EVIDENT
    return declared_of(kind) == REPORT or bool(kind and "forum" not in kind and metadata.signed and is_dated)


def _read_metadata(page: PageInput, document: Document, structured: Structured, rule: Rule | None) -> Metadata:
    return read_metadata(
        document.tree,
        page.url,
        structured,
        published_hint=page.published_hint,
        title_hint=page.title_hint,
        given=rule.given(document.tree, structured) if rule else None,
        elements=document.elements,
    )


def _choose_body(
    page: PageInput,
    document: Document,
    structured: Structured,
    metadata: Metadata,
    layout: Layout,
    rule: Rule | None,
    forest: Forest | None,
) -> list[BodyChoice]:
    """The decision for each block; that of the site's rule where it has one."""
    description = metadata.description or page.summary_hint
    hints = TextHints(metadata.title, description, structured.article_body, metadata.kind)
    choices = choose_blocks(layout, hints, forest)
    return apply_rule(layout, choices, rule, document.tree) if rule else choices


def _engine_of(page: PageInput, rule: Rule | None) -> str:
    if rule is None:
        return page.extractor
    return EXTRACTOR if rule.body else rule.extractor or page.extractor


def _find_better(
    page: PageInput, document: Document, structured: Structured, choices: list[BodyChoice], engine: str
) -> Rescue | None:
    """The text of another source, where that is asked for, or the chosen body looks wrong and there is a better one."""
    if engine != EXTRACTOR and (asked := ask_engine(document, page.url, choices)):
        return asked
    if not needs_rescue(choices, structured, page.summary_hint):
        return None
    return find_better_text(document, page.url, choices, structured)
