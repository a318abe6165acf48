"""What reading a page comes to: an article with all its fields, or why there is none."""

from collections.abc import Sequence
from typing import Any

from pipeline.classify import CLASSES, Verdict
from pipeline.extract.article_links import ArticleReferences
from pipeline.extract.judgement import JudgedBlock
from pipeline.extract.page_input import PageInput
from pipeline.extract.rescue import ENGINE_VERSION
from pipeline.html.structured_data import Structured
from pipeline.metadata.bylines.person_names import agency_of
from pipeline.metadata.details import is_kind_of_article
from pipeline.model import Article, BodyBlock, Metadata, NoArticle, Removed
from pipeline.robots.opt_out import signals_of_meta
from pipeline.text.duplicates import content_hash
from pipeline.text.words import count_words
from pipeline.urls import canonical_url, site_of

EXTRACTOR = "news"
"""What gave the text, where the page's own blocks did; else the source of `pipeline.extract.rescue`."""

EXTRACTOR_VERSION = f"{ENGINE_VERSION}+6"
"""trafilatura's version and the number of ours: raised whenever the text of a page may come out differently."""

MIN_WORDS = 8
"""Fewer words are a caption or an error message, not an article."""

MAX_ALTERNATIVE = 300
"""Characters that are kept of what another source says of a field."""


def make_outcome(
    page: PageInput,
    metadata: Metadata,
    judged: Sequence[JudgedBlock],
    blocks: tuple[BodyBlock, ...],
    references: ArticleReferences,
    verdict: Verdict,
    structured: Structured,
    extractor: str = EXTRACTOR,
) -> Article | NoArticle:
    """The article, or a refusal with the title, what was removed and the reservations of rights that it still has."""
    text = kept_text(judged)
    count = count_words(text)
    removed = tuple(Removed(block.text, block.reason) for block in judged if block.reason not in (None, "outside"))
    title, opt_out = metadata.title or page.title_hint, signals_of_meta(structured.meta, page.agent)
    if refusal := _refusal_of(page, verdict, count):
        return NoArticle(page.url, *refusal, title=title, removed=removed, opt_out=opt_out)
    return Article(
        url=declared_url(metadata.url, page.url),
        site=site_of(page.url),
        title=title,
        text=text,
        shape="".join(block.letter for block in judged if block.reason is None),
        links=references.links,
        pictures=references.pictures,
        content_hash=content_hash(text),
        word_count=count,
        extractor=extractor,
        extractor_version=EXTRACTOR_VERSION,
        page_class=verdict.page_class,
        opt_out=opt_out,
        blocks=blocks,
        removed=removed,
        captions=_removed_for("caption", removed),
        corrections=_removed_for("correction", removed),
        **_fields_of(metadata, text),
    )


def kept_text(judged: Sequence[JudgedBlock]) -> str:
    """The text of the article: the kept blocks, with an empty line between."""
    return "\n\n".join(block.text for block in judged if block.reason is None)


def _refusal_of(page: PageInput, verdict: Verdict, count: int) -> tuple[str, str] | None:
    """Reason and message of a refusal; None where the page holds an article."""
    is_kept = verdict.page_class in page.kept_types or (page.is_announced and not verdict.is_sure)
    if not (is_kept or CLASSES[verdict.page_class].is_stored):
        return verdict.page_class, verdict.evidence
    if count < MIN_WORDS:
        return ("too_short", f"{count} words") if count else ("no_text", "no text was found in the page")
    return None


def _fields_of(metadata: Metadata, text: str) -> dict[str, Any]:
    dated = metadata.provenance.get("published_at")
    return {
        # A story that nobody signs but its agency or its newsroom is theirs.
        "authors": metadata.authors or metadata.signed,
        "agency": agency_of(metadata.agencies, text),
        "tags": metadata.tags,
        "published_at": metadata.published_at,
        "published_from": dated.source[:40] if dated else None,
        "modified_at": metadata.modified_at,
        "language": metadata.language,
        "section": metadata.section,
        "description": metadata.description,
        "image": metadata.image,
        "published_precision": metadata.published_precision,
        "site_name": metadata.site_name,
        "publisher": metadata.publisher,
        "access": metadata.access,
        "kind": metadata.kind if is_kind_of_article(metadata.kind) else None,
        "provenance": _provenance_of(metadata),
    }


def _removed_for(reason: str, removed: Sequence[Removed]) -> tuple[str, ...]:
    """The paragraphs that were removed for this reason, each once."""
    return tuple(dict.fromkeys(paragraph.text for paragraph in removed if paragraph.reason == reason))


def _provenance_of(metadata: Metadata) -> dict[str, Any]:
    """The provenance as JSON; who signed stands under the name of the field that it fills."""
    fields = {}
    for name, evidence in metadata.provenance.items():
        field: dict[str, Any] = {"from": evidence.source, "sure": evidence.confidence}
        if evidence.alternatives:
            field["others"] = [[source, value[:MAX_ALTERNATIVE]] for source, value in evidence.alternatives]
        fields["authors" if name == "signed" else name] = field
    for name, at, precision in (
        ("published_at", metadata.published_at, metadata.published_precision),
        ("modified_at", metadata.modified_at, metadata.modified_precision),
    ):
        if name in fields and at and precision == "time":  # the stored time is in UTC: what the publisher's clock said
            fields[name]["offset"] = at.isoformat()[-6:]
    if "authors" in fields:  # in the order of the names that are stored
        fields["authors"]["kinds"] = [_kind_of_signer(name, metadata) for name in metadata.authors or metadata.signed]
    return fields


def _kind_of_signer(name: str, metadata: Metadata) -> str:
    """Whether who signed is a ``person``, an ``agency`` or a ``newsroom``."""
    if name in metadata.authors:
        return "person"
    return "newsroom" if name in metadata.newsrooms else "agency"


def declared_url(declared: str, url: str) -> str:
    """The address that the page names, in the one form in which all addresses are stored."""
    try:
        return canonical_url(declared)
    except ValueError:
        return url
