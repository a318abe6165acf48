"""An article of what a feed carried, for a page that cannot be had."""

from urllib.parse import urlsplit

from pipeline.clean import clean
from pipeline.dedup import content_hash
from pipeline.extract.prose import words_of
from pipeline.metadata.names import read_names
from pipeline.model import Announcement, Article

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
    count = len(words_of(text))
    if count < MIN_WORDS:
        return None
    return Article(
        url=announcement.url,
        site=(urlsplit(announcement.url).hostname or "").removeprefix("www."),
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
        language=announcement.language,
        description=announcement.summary,
        removed=cleaned.removed,
    )


def _persons(announcement: Announcement) -> tuple[str, ...]:
    """Who of the entry's authors is a person, read as by-lines are: roles, agencies and the newsroom are taken off."""
    own = (announcement.feed_title,) if announcement.feed_title else ()
    return tuple(name.text for name in read_names(announcement.authors, own) if name.kind == "person")
