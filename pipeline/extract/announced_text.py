"""An article of what a feed carried, for a page that cannot be had."""

from pipeline.clean import clean
from pipeline.metadata.bylines.person_names import read_names
from pipeline.model import Announcement, Article
from pipeline.text.duplicates import content_hash
from pipeline.text.languages import detect_language
from pipeline.text.words import count_words
from pipeline.urls import site_of

EXTRACTOR = "feed"
EXTRACTOR_VERSION = "1"

MIN_WORDS = 80
"""Shorter texts in feeds are summaries by another name."""


def article_of_announcement(announcement: Announcement) -> Article | None:
    """The article that the feed carried, cleaned like any other; None where it is too short to be one."""
    cleaned = clean(
        announcement.content.split("\n\n"), title=announcement.title, language=announcement.language
    )  # fmt: skip
    text = "\n\n".join(cleaned.kept)
    count = count_words(text)
    if count < MIN_WORDS:
        return None
    return Article(
        url=announcement.url,
        site=site_of(announcement.url),
        title=announcement.title,
        text=text,
        content_hash=content_hash(text),
        word_count=count,
        extractor=EXTRACTOR,
        extractor_version=EXTRACTOR_VERSION,
        source="feed",
        published_at=announcement.published_at,
        authors=_persons(announcement),
        tags=announcement.tags,
        language=_language_of(text, announcement.language),
        description=announcement.summary,
        removed=cleaned.removed,
    )


def _language_of(text: str, declared: str | None) -> str | None:
    """The language of the text itself; what the feed declares only where that cannot be told."""
    detected = detect_language(text)
    return detected.code if detected and detected.is_sure else declared


def _persons(announcement: Announcement) -> tuple[str, ...]:
    """Who of the entry's authors is a person, read as bylines are: roles, agencies and the newsroom are taken off."""
    own = (announcement.feed_title,) if announcement.feed_title else ()
    return tuple(name.text for name in read_names(announcement.authors, own) if name.kind == "person")
