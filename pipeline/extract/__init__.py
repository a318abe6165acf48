"""One page becomes an article: decode and parse once, choose the body, clean it, read the metadata.

A pure function of its arguments that runs in worker processes: the same bytes give the same article in any process
and in any order. Steps, each of which `explain_article` shows:

    decode → structured data → metadata → blocks → body (chosen) → rescue, when the body looks wrong → cleaning
    → what recurs on the site, where that is known → class

What a site's own rule (`pipeline.rules`) says comes before what is found.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from pipeline.classify import STORED, Verdict, class_of_page, look_at
from pipeline.clean import judge
from pipeline.clean.phrases import normalise
from pipeline.decode import parse_html
from pipeline.dedup import content_hash
from pipeline.errors import ExtractError
from pipeline.extract.blocks import Layout, segment
from pipeline.extract.body import Choice, choose_blocks, near_body, reason_by_names, reason_by_text, with_rule
from pipeline.extract.byline import byline_marks
from pipeline.extract.forest import Forest
from pipeline.extract.prose import count_words
from pipeline.extract.rescue import ENGINE_VERSION, Rescue, needs_rescue, rescue
from pipeline.extract.surroundings import Hints
from pipeline.metadata import read_metadata
from pipeline.metadata.agencies import agency_of
from pipeline.model import Article, BodyBlock, Metadata, NoArticle, Removed
from pipeline.recurrence import body_blocks, recurring_places
from pipeline.rights import signals_of_meta
from pipeline.rules import Rule, load_rules
from pipeline.structured import Structured, read_structured
from pipeline.urls import canonical_url, site_of

__all__ = ["EXTRACTOR", "EXTRACTOR_VERSION", "Explanation", "Line", "explain_article", "extract_article"]

EXTRACTOR = "trafilatura+news"
EXTRACTOR_VERSION = f"{ENGINE_VERSION}+5"
"""trafilatura's version and the number of ours: raised whenever the text of a page may come out differently."""

MIN_WORDS = 8
"""Fewer words are a caption or an error message, not an article."""

MAX_OTHER = 300
"""Characters that are kept of what another source says of a field."""

BLURBS = 12
"""Blocks behind the body that are looked at for boilerplate, to be stored as removed."""


class Line(NamedTuple):
    """One paragraph or other block of the page with what was decided of it.

    Attributes:
        reason: why it is not part of the text; None where it is.
        step: what decided: ``body`` (chosen among the blocks of the page), ``clean`` or ``learned`` (of the site).
        probability: how likely it belongs to the body; None where it did not come from the blocks of the page.
    """

    text: str
    kind: str
    reason: str | None
    step: str
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """What each step made of a page.

    Attributes:
        lines: every block of the page in reading order, then what a rescue brought, kept and removed.
        rule: the rule of the site that was applied, if there is one.
        rescued: which other source the text was taken from, None where the page's own blocks were good.
        verdict: what kind of page it is, and what speaks for that.
        outcome: what `extract_article` returns for the page.
    """

    encoding: str
    structured: Structured
    metadata: Metadata
    rule: Rule | None
    lines: tuple[Line, ...]
    rescued: str | None
    verdict: Verdict
    outcome: Article | NoArticle


def extract_article(
    body: bytes,
    url: str,
    *,
    charset: str | None = None,
    published_hint: datetime | None = None,
    title_hint: str | None = None,
    summary_hint: str | None = None,
    fetched_at: datetime | None = None,
    rules_dir: str = "",
    learned: frozenset[str] | None = None,
) -> Article | NoArticle:
    """The article of a page, or why there is none (``no_text``, ``too_short``, or a class of `pipeline.classify`).

    Args:
        body: the page, decompressed.
        url: canonical URL that the page was found at.
        charset: what the server declared.
        published_hint: the time of publication as a feed announced it.
        title_hint: the headline as a feed announced it.
        summary_hint: the summary as a feed announced it.
        fetched_at: when the page was fetched, to choose among the rules of its site.
        rules_dir: a folder with rules of sites that come before those of the package.
        learned: what recurs on the site and is boilerplate, of which this page is cleaned, too; None where nobody
            counts, so that the article comes without its blocks.

    Raises:
        ExtractError: ``empty`` or ``unparsable``.
    """
    return explain_article(
        body,
        url,
        charset=charset,
        published_hint=published_hint,
        title_hint=title_hint,
        summary_hint=summary_hint,
        fetched_at=fetched_at,
        rules_dir=rules_dir,
        learned=learned,
    ).outcome


def explain_article(
    body: bytes,
    url: str,
    *,
    charset: str | None = None,
    published_hint: datetime | None = None,
    title_hint: str | None = None,
    summary_hint: str | None = None,
    fetched_at: datetime | None = None,
    rules_dir: str | None = "",
    learned: frozenset[str] | None = None,
    forest: Forest | None = None,
) -> Explanation:
    """The same with what each step returned.

    ``rules_dir`` may be None: without the rules of the page's site. ``forest`` is used in the place of the learned
    part, to measure another.

    Raises:
        ExtractError: ``empty`` or ``unparsable``.
    """
    document = parse_html(body, charset, url)
    rule = None if rules_dir is None else load_rules(rules_dir).for_page(url, fetched_at)
    try:
        structured = read_structured(document.tree, url, document.elements)
        metadata = read_metadata(
            document.tree,
            url,
            structured,
            published_hint=published_hint,
            title_hint=title_hint,
            given=rule.given(document.tree, structured) if rule else None,
            elements=document.elements,
        )
        layout = segment(document.tree)
        hints = Hints(metadata.title, metadata.description or summary_hint, structured.article_body, metadata.kind)
        choices = choose_blocks(layout, hints, forest)
        if rule:
            choices = with_rule(layout, choices, rule, document.tree)
        found = rescue(document, url, choices, structured) if needs_rescue(choices, structured, summary_hint) else None
    except RecursionError as error:
        raise ExtractError(url, "unparsable", "nested too deeply") from error
    lines = _judged(layout, choices, found, metadata)
    lines, counted = (lines, ()) if learned is None else _with_learned(lines, learned)
    text = "\n\n".join(line.text for line in lines if line.reason is None)
    words, is_spaced = count_words(text)
    sight = look_at(url, document, structured, layout.blocks, text, metadata.access, words if is_spaced else None)
    verdict = class_of_page(sight)
    outcome = _outcome(url, metadata, lines, text, words, verdict, title_hint, signals_of_meta(structured.meta))
    if isinstance(outcome, Article) and verdict.page_class != "live_blog":  # which has its own lines again and again
        outcome = replace(outcome, blocks=counted)
    return Explanation(
        encoding=document.encoding,
        structured=structured,
        metadata=metadata,
        rule=rule,
        lines=lines,
        rescued=found.source if found else None,
        verdict=verdict,
        outcome=outcome,
    )


def _judged(layout: Layout, choices: Sequence[Choice], found: Rescue | None, metadata: Metadata) -> tuple[Line, ...]:
    """All lines with the verdict of the last step that looked at them."""
    if found:
        texts = list(found.paragraphs)
        reasons = _verdicts(texts, metadata)
        return tuple(Line(text, "paragraph", reason, "clean") for text, reason in zip(texts, reasons, strict=True))
    headline = _headline(choices, metadata.title)
    texts = [choice.block.text for place, choice in enumerate(choices) if choice.kept or place == headline]
    verdicts = iter(_verdicts(texts, metadata))
    near = near_body(layout, choices)
    # Sites put their blurbs right behind the element that holds the text, too.
    end = max((place for place, choice in enumerate(choices) if choice.kept), default=-1)
    lines = []
    for place, (choice, is_near) in enumerate(zip(choices, near, strict=True)):
        block = choice.block
        seen = is_near or (0 < place - end <= BLURBS and reason_by_text(block, metadata.language) is not None)
        if choice.kept:
            lines.append(Line(block.text, block.kind, next(verdicts), "clean", choice.probability))
        elif place == headline:
            lines.append(Line(block.text, block.kind, next(verdicts) or "title", "body", choice.probability))
        else:
            reason = reason_by_names(layout, block, metadata.language) if seen else "outside"
            reason = "site_rule" if choice.is_dropped else reason
            lines.append(Line(block.text, block.kind, reason, "body", choice.probability))
    return tuple(lines)


def _headline(choices: Sequence[Choice], title: str | None) -> int | None:
    """The place of the printed headline where it was not chosen: cleaning goes by it to find what stands above it."""
    wanted = normalise(title or "")
    for place, choice in enumerate(choices):
        if choice.block.kind == "heading" and wanted and normalise(choice.block.text) == wanted:
            return None if choice.kept else place
    return None


def _with_learned(lines: Sequence[Line], learned: frozenset[str]) -> tuple[tuple[Line, ...], tuple[BodyBlock, ...]]:
    """The lines without what recurs on the site, and the blocks to be counted, removed ones as well."""
    places = [place for place, line in enumerate(lines) if line.step == "clean"]
    texts, kinds = [lines[place].text for place in places], [lines[place].kind for place in places]
    kept = [lines[place].reason is None for place in places]
    blocks = body_blocks(texts, kept)
    gone = recurring_places(blocks, texts, kinds, kept, learned)
    if gone:
        blocks = body_blocks(texts, [is_kept and place not in gone for place, is_kept in enumerate(kept)])
    at = {places[place] for place in gone}
    return tuple(
        line._replace(reason="recurring", step="learned") if place in at else line for place, line in enumerate(lines)
    ), blocks


def _verdicts(texts: Sequence[str], metadata: Metadata) -> list[str | None]:
    """Why each line of the body has to go after all; None where it stays."""
    reasons = judge(texts, title=metadata.title, language=metadata.language)
    bylines = byline_marks(texts, metadata.signed)
    return [reason or ("byline" if is_byline else None) for reason, is_byline in zip(reasons, bylines, strict=True)]


def _outcome(
    url: str,
    metadata: Metadata,
    lines: Sequence[Line],
    text: str,
    count: int,
    verdict: Verdict,
    title_hint: str | None,
    opt_out: tuple[str, ...],
) -> Article | NoArticle:
    removed = tuple(Removed(line.text, line.reason) for line in lines if line.reason and line.reason != "outside")
    title = metadata.title or title_hint
    reason, message = "", ""
    if verdict.page_class not in STORED:
        reason, message = verdict.page_class, verdict.evidence
    elif count < MIN_WORDS:
        reason, message = ("too_short", f"{count} words") if count else ("no_text", "no text was found in the page")
    if reason:
        return NoArticle(url, reason, message, title=title, removed=removed, opt_out=opt_out)
    return Article(
        url=_home(metadata.url, url),
        site=site_of(url),
        title=title,
        text=text,
        content_hash=content_hash(text),
        word_count=count,
        extractor=EXTRACTOR,
        extractor_version=EXTRACTOR_VERSION,
        page_class=verdict.page_class,
        opt_out=opt_out,
        # A story that nobody signs but its agency or its newsroom is theirs.
        authors=metadata.authors or metadata.signed,
        agency=agency_of(metadata.agencies, text),
        tags=metadata.tags,
        published_at=metadata.published_at,
        published_from=dated.source[:40] if (dated := metadata.provenance.get("published_at")) else None,
        modified_at=metadata.modified_at,
        language=metadata.language,
        section=metadata.section,
        description=metadata.description,
        image=metadata.image,
        removed=removed,
        published_precision=metadata.published_precision,
        site_name=metadata.site_name,
        publisher=metadata.publisher,
        access=metadata.access,
        kind=metadata.kind,
        captions=_said(removed, "caption"),
        corrections=_said(removed, "correction"),
        provenance=_told(metadata),
    )


def _said(removed: Sequence[Removed], reason: str) -> tuple[str, ...]:
    """The paragraphs that were removed for this reason, each once."""
    return tuple(dict.fromkeys(paragraph.text for paragraph in removed if paragraph.reason == reason))


def _told(metadata: Metadata) -> dict[str, Any]:
    """The provenance as JSON; who signed is told under the name of the field that it fills."""
    fields = {}
    for name, told in metadata.provenance.items():
        field: dict[str, Any] = {"from": told.source, "sure": told.confidence}
        if told.alternatives:
            field["others"] = [[source, value[:MAX_OTHER]] for source, value in told.alternatives]
        fields["authors" if name == "signed" else name] = field
    return fields


def _home(named: str, url: str) -> str:
    """The address that the page names, in the one form in which all addresses are stored."""
    try:
        return canonical_url(named)
    except ValueError:
        return url
