"""Which entry is which: a guid for each that is the same at the next poll and no other's.

A feed should give each entry a guid of its own. Some give none, some give one to all of them, and some announce an
entry twice. Nothing here depends on the place of an entry in the document: places shift with every new entry.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pipeline.model import Entry

MAX_GUID = 1_000
"""Longest guid, in bytes: a row of a PostgreSQL index ends at 2,704. Beyond it the guid is replaced by its hash."""


@dataclass(frozen=True, slots=True)
class Announced:
    """An entry, and what its identity rests on.

    Attributes:
        has_guid: whether the feed gave the guid, rather than we made it up from the link.
        mark: of title and date: what tells entries apart when neither guid nor link does.
    """

    entry: Entry
    has_guid: bool
    mark: str


def distinguished(announced: Iterable[Announced]) -> tuple[Entry, ...]:
    """The entries in their order, no two with the same guid.

    Where one guid stands on entries with different links, the link becomes part of it. Where guid and link are the
    same, it is one entry announced twice, and its latest form is kept (RFC 4287, 4.1.1); without a guid of the feed's
    own, entries with one link (all pointing to the home page, say) are told apart by title and date.

    What cannot be known: whether a guid is shared with an entry that has left the document. The one that stays
    behind alone then counts as new, under the bare guid.
    """
    by_guid: dict[str, list[tuple[int, Announced]]] = defaultdict(list)
    for place, one in enumerate(announced):
        by_guid[one.entry.guid].append((place, one))
    kept: dict[str, tuple[int, Entry]] = {}
    for group in by_guid.values():
        for place, entry in zip((place for place, _ in group), _apart([one for _, one in group]), strict=True):
            first, before = kept.get(entry.guid, (place, entry))
            kept[entry.guid] = first, max(before, entry, key=_recency)
    return tuple(entry for _, entry in sorted(kept.values(), key=lambda placed: placed[0]))


def _apart(group: list[Announced]) -> list[Entry]:
    if len(group) == 1:
        return [group[0].entry]
    links = {one.entry.url for one in group}
    apart = []
    for one in group:
        entry, guid = one.entry, one.entry.guid
        if len(links) > 1:
            guid = f"{guid} {entry.url or one.mark}"
        elif entry.url is None or not one.has_guid:
            guid = f"{guid} {one.mark}"
        apart.append(replace(entry, guid=bounded_guid(guid)))
    return apart


def _recency(entry: Entry) -> tuple[str, str, str]:
    moments = [moment.isoformat() if moment else "" for moment in (entry.updated_at, entry.published_at)]
    # The hash last, so that the choice does not depend on the order in the document.
    return moments[0], moments[1], entry.hash


def bounded_guid(guid: str) -> str:
    """The guid, or its hash where it is too long for an index."""
    return guid if len(guid.encode()) <= MAX_GUID else f"sha256:{digest(guid)}"


def digest(*parts: str) -> str:
    """SHA-256 of the parts, hexadecimal; where one ends and the next begins counts."""
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()
