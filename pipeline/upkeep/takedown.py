"""Taking down, from the rule that keeps it away to the last raw copy."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from xml.sax.saxutils import escape

from sqlalchemy.engine import Engine

from pipeline.archive.place import Place
from pipeline.errors import ArchiveError
from pipeline.store.engine import reading, write
from pipeline.store.raw import raw_row
from pipeline.store.takedown import (
    Extent,
    Target,
    announced_words,
    bar,
    drop_copies,
    feed_bodies,
    measure,
    site_feeds,
    strays,
    take_down_pages,
    target_pages,
)
from pipeline.upkeep.copies import purge, read_copy


@dataclass(frozen=True, slots=True)
class TakenDown:
    """What was taken down; ``busy`` are files that still hold copies, since a living process writes to them."""

    extent: Extent
    busy: tuple[str, ...] = ()


def extent_of(engine: Engine, target: Target) -> Extent:
    """How much would be taken down; documents of feeds are not counted, as each has to be read for that."""
    extent, after = Extent(), 0
    with reading(engine) as connection:
        while pages := target_pages(connection, target, after):
            extent, after = extent + measure(connection, pages), pages[-1]
    return extent


def take_down(
    engine: Engine,
    place: Place | None,
    target: Target,
    now: datetime,
    *,
    note: str | None = None,
    max_bytes: int = 2**30,
    progress: Callable[[str], None] = lambda what: None,
) -> TakenDown:
    """Remove what there is of the target, and keep it from coming back; may be broken off and done again.

    Args:
        engine: the database.
        place: where raw copies are; None where none are kept.
        target: what is to go.
        now: the time.
        note: why.
        max_bytes: of one document.
        progress: told what is being done.

    Raises:
        ArchiveError: raw copies cannot be removed; what SQL holds is gone by then.
    """
    extent, after = Extent(feeds=write(engine, bar, target, now, note)), 0
    words = _words(engine, target)
    while True:
        with reading(engine) as connection:
            pages = target_pages(connection, target, after)
        if not pages:
            break
        progress(f"{extent.pages} pages")
        extent += write(engine, take_down_pages, pages)
        after = pages[-1]
    if target.scope == "site":
        with reading(engine) as connection:
            words |= {feed_id: {""} for feed_id in site_feeds(connection, target.target)}
    with reading(engine) as connection:
        stray = strays(connection, target)
    extent = replace(extent, copies=extent.copies + write(engine, drop_copies, stray))
    if place is None:
        return TakenDown(extent)
    for feed, needles in words.items():
        progress(f"documents of feed {feed or '(removed)'}")
        extent = replace(extent, copies=extent.copies + _drop_documents(engine, place, feed, needles, max_bytes))
    return TakenDown(extent, tuple(purge(engine, place, progress)))


def _words(engine: Engine, target: Target) -> dict[int | None, set[str]]:
    """By feed, what those documents of it have in them that announced the target; None for feeds that were removed.

    Of pages that are taken down already, too: who was broken off has not come to the documents.
    """
    words: dict[int | None, set[str]] = {None: {target.target}}
    after = 0
    with reading(engine) as connection:
        while pages := target_pages(connection, target, after, done_too=True):
            for feed, found in announced_words(connection, pages).items():
                words.setdefault(feed, set()).update({target.target} if target.scope == "site" else found)
            after = pages[-1]
    return words


def _drop_documents(engine: Engine, place: Place, feed_id: int | None, words: set[str], max_bytes: int) -> int:
    """Drop the documents of a feed in which one of these words stands; those that cannot be read too."""
    needles = {form.encode() for word in words for form in (word, escape(word), word.replace("/", "\\/"))}
    with reading(engine) as connection:
        bodies = feed_bodies(connection, feed_id)
    dropped = []
    for row_id in bodies:
        with reading(engine) as connection:
            row = raw_row(connection, row_id)
        if row is None:
            continue
        try:
            body = read_copy(engine, place, row, max_bytes).body
        except ArchiveError:
            dropped.append(row_id)
            continue
        if any(needle in body for needle in needles):
            dropped.append(row_id)
    return write(engine, drop_copies, dropped)
