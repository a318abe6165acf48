"""One page becomes an article: decode and parse, extract the body, clean it, read the metadata.

A pure function of its arguments that runs in worker processes: the same bytes give the same article in any process
and in any order. trafilatura's caches are keyed by content and its deduplication, which is not, stays off.
"""

import logging
from datetime import UTC, datetime
from urllib.parse import urlsplit

import trafilatura

from pipeline.clean import clean
from pipeline.decode import parse_html
from pipeline.dedup import content_hash
from pipeline.errors import ExtractError
from pipeline.model import Article, NoArticle

EXTRACTOR = "trafilatura+news"
EXTRACTOR_VERSION = f"{trafilatura.__version__}+1"
"""trafilatura's version and the number of ours: raised whenever the text of a page may come out differently."""

MIN_WORDS = 8
"""Fewer words are a caption or an error message, not an article."""

logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # it logs each page that it finds short


def extract_article(
    body: bytes,
    url: str,
    *,
    charset: str | None = None,
    published_hint: datetime | None = None,
    title_hint: str | None = None,
    summary_hint: str | None = None,
) -> Article | NoArticle:
    """The article of a page, or why there is none.

    Args:
        body: the page, decompressed.
        url: canonical URL that the page was found at.
        charset: what the server declared.
        published_hint: the time of publication as a feed announced it.
        title_hint: the headline as a feed announced it.
        summary_hint: the summary as a feed announced it.

    Raises:
        ExtractError: ``empty`` or ``unparsable``.
    """
    document = parse_html(body, charset, url)
    try:
        found = trafilatura.bare_extraction(document.tree, url=url, with_metadata=True)
    except Exception as error:  # trafilatura meets hostile input here and may raise anything
        raise ExtractError(url, "unparsable", f"{type(error).__name__}: {error}") from error
    if found is None or isinstance(found, dict) or not found.text:
        return NoArticle(url, "no_text", "no text was found in the page", title=title_hint)
    title = found.title or title_hint
    language = (document.tree.get("lang") or "")[:2].lower() or None
    cleaned = clean(found.text.split("\n"), title=title, language=language)
    text = "\n\n".join(cleaned.kept)
    if len(text.split()) < MIN_WORDS:
        return NoArticle(url, "too_short", f"{len(text.split())} words", title=title, removed=cleaned.removed)
    return Article(
        url=url,
        site=(urlsplit(url).hostname or "").removeprefix("www."),
        title=title,
        text=text,
        content_hash=content_hash(text),
        word_count=len(text.split()),
        extractor=EXTRACTOR,
        extractor_version=EXTRACTOR_VERSION,
        authors=tuple(name.strip() for name in (found.author or "").split(";") if name.strip()),
        tags=tuple(found.tags or ()),
        published_at=_at_midnight(found.date) or published_hint,
        language=language,
        description=found.description,
        image=found.image,
        removed=cleaned.removed,
    )


def _at_midnight(date: str | None) -> datetime | None:
    return datetime.fromisoformat(date).replace(tzinfo=UTC) if date else None
