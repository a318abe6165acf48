"""The fields of an entry, whatever the format: within limits, with an identity, and marked where they lie ahead."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.model import Entry
from pipeline.parse.identity import Announced, bounded_guid, digest
from pipeline.parse.plain import shortened

MAX_CONTENT = 100_000
"""Longest full text, in characters, that is kept to stand in for a page: some 15,000 words."""

MAX_SUMMARY = 2_000
"""Longest summary, in characters: some feeds put the whole article there, and the article is stored elsewhere."""

MAX_TITLE = 1_000
"""Longest title, in characters; entries without a title have been seen with their text in its place."""

MAX_NAMES = 50
"""Authors, and tags, kept of one entry."""

MAX_NAME = 200
"""Longest name of an author or a tag, in characters."""

MAX_AHEAD = timedelta(hours=1)
"""How far ahead of the poll an entry may be dated before it is marked: clocks differ by minutes, and a publisher who
writes local time with the wrong zone is whole hours ahead."""

_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{1,8})*\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Context:
    """What reading an entry needs to know of the feed."""

    url: str
    site_url: str | None
    version: str
    now: datetime | None


@dataclass(frozen=True, slots=True)
class Fields:
    """What an entry says, as plain text of any length.

    Attributes:
        guid: as given; empty where none is.
        contents: the whole text in one form or several, with its paragraphs.
    """

    guid: str = ""
    url: str | None = None
    title: str = ""
    summary: str = ""
    contents: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    published_at: datetime | None = None
    updated_at: datetime | None = None


def announced(fields: Fields, context: Context) -> Announced | None:
    """The entry with its identity; None where it has nothing to be known by."""
    # One address on every entry identifies the feed.
    guid = "" if fields.guid in {context.url, context.site_url} else fields.guid
    contents = [" ".join(text.split()) for text in fields.contents]
    title, summary = fields.title, fields.summary or next(filter(None, contents), "")
    published, updated = (at.isoformat() if at else "" for at in (fields.published_at, fields.updated_at))
    # Entries of one page may differ in nothing but their title, and those without title in their text.
    mark = digest(title or summary, published)
    if not (guid or fields.url or title or summary):
        return None
    entry = Entry(
        guid=bounded_guid(guid or fields.url or f"sha256:{mark}"),
        url=fields.url,
        title=shortened(title, MAX_TITLE) or None,
        summary=shortened(summary, MAX_SUMMARY) or None,
        content=shortened(max(fields.contents, key=len, default=""), MAX_CONTENT) or None,
        authors=fields.authors,
        tags=fields.tags,
        published_at=fields.published_at,
        updated_at=fields.updated_at,
        hash=digest(title, fields.url or "", summary, updated, *contents),
        is_future=is_future(context.now, fields.published_at, fields.updated_at),
    )
    return Announced(entry, has_guid=bool(guid), mark=mark)


def is_future(now: datetime | None, *moments: datetime | None) -> bool:
    """Whether one of the moments had not come at the time of the poll."""
    return now is not None and any(at is not None and at > now + MAX_AHEAD for at in moments)


def distinct(names: Iterable[str]) -> tuple[str, ...]:
    """The names, each once, without what is empty or no name."""
    kept: dict[str, str] = {}
    for name in names:
        if name and len(name) <= MAX_NAME and len(kept) < MAX_NAMES:
            kept.setdefault(name.casefold(), name)
    return tuple(kept.values())


def language_tag(text: str) -> str | None:
    """The language that a feed declares; None for what is no language tag.

    >>> language_tag("en_US")
    'en-US'
    """
    tag = text.strip().replace("_", "-")
    return tag if _LANGUAGE.match(tag) and len(tag) <= 35 else None  # RFC 5646, 4.4.1
