"""The fields of an entry, whatever the format, within limits; and which entry is which, by a guid for each.

A feed should give each entry a guid of its own. Some give none, some give one to all of them, and some announce an
entry twice. Nothing here depends on the place of an entry in the document: places shift with every new entry.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pipeline.model import Entry, FeedFormat
from pipeline.parse.plain import shorten_text

MAX_GUID = 1_000
"""Longest guid, in bytes: a row of a PostgreSQL index ends at 2,704. Beyond it the guid is replaced by its hash."""


@dataclass(frozen=True, slots=True)
class IdentifiedEntry:
    """An entry, and what its identity rests on.

    Attributes:
        has_guid: whether the feed gave the guid, rather than we made it up from the link.
        mark: of title and date: what tells entries apart when neither guid nor link does.
    """

    entry: Entry
    has_guid: bool
    mark: str


def distinguish_entries(announced: Iterable[IdentifiedEntry]) -> tuple[Entry, ...]:
    """The entries in their order, no two with the same guid.

    Where one guid stands on entries with different links, the link becomes part of it. Where guid and link are the
    same, it is one entry announced twice, and its latest form is kept (RFC 4287, 4.1.1); without a guid of the feed's
    own, entries with one link (all pointing to the home page, say) are told apart by title and date.

    What cannot be known: whether a guid is shared with an entry that has left the document. The one that stays
    behind alone then counts as new, under the bare guid.
    """
    by_guid: dict[str, list[tuple[int, IdentifiedEntry]]] = defaultdict(list)
    for index, identified in enumerate(announced):
        by_guid[identified.entry.guid].append((index, identified))
    kept: dict[str, tuple[int, Entry]] = {}
    for group in by_guid.values():
        indices, same = zip(*group, strict=True)
        for index, entry in zip(indices, _apart(same), strict=True):
            first, before = kept.get(entry.guid, (index, entry))
            kept[entry.guid] = first, max(before, entry, key=_recency)
    return tuple(entry for _, entry in sorted(kept.values(), key=lambda item: item[0]))


def _apart(group: Sequence[IdentifiedEntry]) -> list[Entry]:
    if len(group) == 1:
        return [group[0].entry]
    links = {identified.entry.url for identified in group}
    apart = []
    for identified in group:
        entry, guid = identified.entry, identified.entry.guid
        if len(links) > 1:
            guid = f"{guid} {entry.url or identified.mark}"
        elif entry.url is None or not identified.has_guid:
            guid = f"{guid} {identified.mark}"
        apart.append(replace(entry, guid=bound_guid(guid)))
    return apart


def _recency(entry: Entry) -> tuple[str, str, str]:
    moments = [moment.isoformat() if moment else "" for moment in (entry.updated_at, entry.published_at)]
    # The hash last, so that the choice does not depend on the order in the document.
    return moments[0], moments[1], entry.hash


def bound_guid(guid: str) -> str:
    """The guid, or its hash where it is too long for an index."""
    return guid if len(guid.encode()) <= MAX_GUID else f"sha256:{digest(guid)}"


def digest(*parts: str) -> str:
    """SHA-256 of the parts, hexadecimal; where one ends and the next begins counts."""
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()


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
class EntryContext:
    """What reading an entry needs to know of the feed.

    Attributes:
        authors: of the feed, which are those of entries of Atom that name none.
    """

    url: str
    site_url: str | None
    format: FeedFormat
    now: datetime | None
    authors: tuple[str, ...] = ()
    language: str | None = None


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


def identify_entry(fields: Fields, context: EntryContext) -> IdentifiedEntry | None:
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
        guid=bound_guid(guid or fields.url or f"sha256:{mark}"),
        url=fields.url,
        title=shorten_text(title, MAX_TITLE) or None,
        summary=shorten_text(summary, MAX_SUMMARY) or None,
        content=shorten_text(max(fields.contents, key=len, default=""), MAX_CONTENT) or None,
        authors=fields.authors,
        tags=fields.tags,
        published_at=fields.published_at,
        updated_at=fields.updated_at,
        hash=digest(title, fields.url or "", summary, updated, *contents),
        is_future=is_future(context.now, fields.published_at, fields.updated_at),
    )
    return IdentifiedEntry(entry, has_guid=bool(guid), mark=mark)


def is_future(now: datetime | None, *moments: datetime | None) -> bool:
    """Whether one of the moments had not come at the time of the poll."""
    return now is not None and any(at is not None and at > now + MAX_AHEAD for at in moments)


def distinct_names(names: Iterable[str]) -> tuple[str, ...]:
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
