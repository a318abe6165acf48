"""Entries that feeds announce: which are new, which were changed, and whether some were missed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.model import Address, Entry, Feed
from pipeline.store.connection.rows import batches, insert_into, select_among, storable
from pipeline.store.frontier.barred import barred_pages
from pipeline.store.frontier.discovery import bring_forward, page_row, put_pages, requeue_pages
from pipeline.store.schema.tables import EntryRow

MAX_CHANGES = 24
"""An entry that was changed so often is flapping: it no longer causes its page to be fetched (lemon24/reader)."""

MAX_GUID = 1000
"""Longest guid in characters that is stored; PostgreSQL's indexes take 2,704 bytes."""

MOSTLY = 3 / 4
"""Share of a window that must be new for entries to have been missed; the rest may be pinned to the top for weeks."""


@dataclass(frozen=True, slots=True)
class PollCounts:
    """What a poll brought.

    Attributes:
        new: entries with a guid that is new in this feed.
        fresh: those of them whose page the feed did not announce before under another guid.
        without_page: new entries that no page stands for: without a link, or with one that cannot be stored.
        missed: whether entries were missed before this poll.
        state: what the poll makes of the feed.
    """

    seen: int = 0
    new: int = 0
    changed: int = 0
    fresh: int = 0
    without_page: int = 0
    missed: bool = False
    rolls: bool = False
    state: str = "active"


@dataclass(frozen=True, slots=True)
class _Document:
    """The entries of a document by guid, beside those that its feed has had, and those that are new or changed."""

    feed: Feed
    now: datetime
    entries: dict[str, Entry]
    known: dict[str, sa.RowMapping]
    new: list[str]
    changed: list[str]


def store_entries(
    connection: Connection, documents: Sequence[tuple[Feed, Sequence[Entry], datetime]]
) -> list[PollCounts]:
    """Store the entries of documents, each with its feed and the time of the poll; returns what each has brought.

    Pages of new entries go into the frontier, those of changed ones go there again. Pages and new entries of all
    documents go to SQL together.
    """
    read = [_compare(connection, feed, entries, now) for feed, entries, now in documents]
    rows: dict[str, dict[str, Any]] = {}
    for document in read:
        for guid in (*document.new, *document.changed):
            entry = document.entries[guid]
            if entry.url is not None and entry.url not in rows:
                address = Address(entry.url, entry.published_at, "feed")
                rows[entry.url] = page_row(address, document.now, document.feed.due_at)
    pages, fresh = put_pages(connection, rows)
    before = {url: page_id for url, page_id in pages.items() if url not in fresh}
    bring_forward(connection, list(before.values()))
    barred = barred_pages(connection, before.values())
    for document in read:
        # What was taken down is not let in again by what announces it; its guid and hash are, so that it is not new.
        for guid, entry in document.entries.items():
            if pages.get(entry.url or "") in barred:
                document.entries[guid] = Entry(guid, entry.url, hash=entry.hash)
    again = [_announced_before(connection, document, before) for document in read]
    _insert_entries(connection, read, pages)
    for document in read:
        _change_entries(connection, document, pages)
    return [_count(document, pages, pages_again) for document, pages_again in zip(read, again, strict=True)]


def _compare(connection: Connection, feed: Feed, entries: Sequence[Entry], now: datetime) -> _Document:
    announced = {storable(entry.guid)[:MAX_GUID]: entry for entry in reversed(entries)}
    known: dict[str, sa.RowMapping] = {}
    for batch in batches(list(announced)):
        rows = connection.execute(_KNOWN, {"feed_id": feed.id, "guids": batch}).mappings()
        known |= {row["guid"]: row for row in rows}
    new = [guid for guid in announced if guid not in known]
    changed = [guid for guid, row in known.items() if row["hash"] != announced[guid].hash]
    return _Document(feed, now, announced, known, new, changed)


_KNOWN = sa.select(EntryRow.id, EntryRow.guid, EntryRow.hash, EntryRow.changes, EntryRow.first_seen_at).where(
    EntryRow.feed_id == sa.bindparam("feed_id"), EntryRow.guid.in_(sa.bindparam("guids", expanding=True))
)


def _count(document: _Document, pages: dict[str, int], again: set[int]) -> PollCounts:
    feed, known = document.feed, document.known
    homes = [pages.get(document.entries[guid].url or "") for guid in document.new]
    fresh = [page for page in homes if page not in again]
    counts = PollCounts(
        seen=len(document.entries),
        new=len(document.new),
        changed=len(document.changed),
        fresh=len(fresh),
        without_page=homes.count(None),
    )
    is_newest_there = any(row["first_seen_at"] == feed.news_at for row in known.values())
    return replace(
        counts,
        missed=feed.rolls and not again and not is_newest_there and _is_mostly_new(counts),
        # Not only did new ones come: so many that some of the last document must have gone.
        rolls=feed.rolls or (bool(known) and bool(fresh) and feed.window + len(fresh) > counts.seen),
    )


def _is_mostly_new(counts: PollCounts) -> bool:
    # A feed of one entry shows another one each time; nothing can be told from that.
    return counts.seen > 1 and counts.fresh >= MOSTLY * counts.seen


def _announced_before(connection: Connection, document: _Document, before: dict[str, int]) -> set[int]:
    """The pages that the feed has announced under another guid: feeds that change all their guids do that."""
    urls = (document.entries[guid].url for guid in document.new)
    query = sa.select(EntryRow.page_id).where(EntryRow.feed_id == document.feed.id)
    pages = (before[url] for url in urls if url in before)
    return {row.page_id for row in select_among(connection, query, EntryRow.page_id, pages)}


def _insert_entries(connection: Connection, documents: Sequence[_Document], pages: dict[str, int]) -> None:
    rows = [
        _announced(document.entries[guid], pages, document.now)
        | {"feed_id": document.feed.id, "guid": guid, "changes": 0, "first_seen_at": document.now}
        for document in sorted(documents, key=lambda document: document.feed.id)
        for guid in sorted(document.new)
    ]
    if rows:
        connection.execute(_insert(connection.dialect.name), rows)


@cache
def _insert(dialect: str) -> Any:  # noqa: ANN401  # either dialect's Insert
    return insert_into(dialect, EntryRow).on_conflict_do_nothing()


def _change_entries(connection: Connection, document: _Document, pages: dict[str, int]) -> None:
    if not document.changed:
        return
    again = []
    for guid in document.changed:
        entry, row = document.entries[guid], document.known[guid]
        values = _announced(entry, pages, document.now) | {"changes": EntryRow.changes + 1}
        connection.execute(sa.update(EntryRow).where(EntryRow.id == row["id"]).values(values))
        if row["changes"] < MAX_CHANGES and entry.url is not None and entry.url in pages:
            again.append(pages[entry.url])
    requeue_pages(connection, again, document.feed.due_at)


def _announced(entry: Entry, pages: dict[str, int], now: datetime) -> dict[str, object]:
    return {
        "page_id": pages.get(entry.url) if entry.url else None,
        "title": storable(entry.title),
        "summary": storable(entry.summary),
        "content": storable(entry.content),
        "authors": storable(list(entry.authors)),
        "tags": storable(list(entry.tags)),
        "published_at": entry.published_at,
        "updated_at": entry.updated_at,
        "is_future": entry.is_future,
        "hash": entry.hash,
        "last_seen_at": now,
    }
