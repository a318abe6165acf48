"""Taking down a page or a site, from the rule that keeps it away to the last archived response."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from xml.sax.saxutils import escape

from sqlalchemy.engine import Engine

from pipeline.archive.folder import WarcFolder
from pipeline.errors import ArchiveError
from pipeline.runtime.raw_recorder import require_files
from pipeline.store.articles.raw_index import load_raw_row
from pipeline.store.articles.takedown_rows import (
    TakedownExtent,
    TakedownTarget,
    bar_target,
    drop_copies,
    find_announced_words,
    list_feed_bodies,
    list_site_feeds,
    list_stray_copies,
    list_target_pages,
    measure_takedown,
    take_down_pages,
)
from pipeline.store.connection.engine import reading, write
from pipeline.upkeep.raw_copies import purge_dropped, read_archived_response


@dataclass(frozen=True, slots=True)
class Removal:
    """What was taken down.

    Attributes:
        busy: files that still hold responses, since a living process writes to them.
        aside: files of damaged bytes, which nobody can look into.
    """

    extent: TakedownExtent
    busy: tuple[str, ...] = ()
    aside: tuple[str, ...] = ()


def measure_extent(engine: Engine, target: TakedownTarget) -> TakedownExtent:
    """Measure what would be taken down, without the documents of feeds, which have to be read for that."""
    extent, after = TakedownExtent(), 0
    with reading(engine) as connection:
        while pages := list_target_pages(connection, target, after):
            extent, after = extent + measure_takedown(connection, pages), pages[-1]
    return extent


def take_down(
    engine: Engine,
    folder: WarcFolder | None,
    target: TakedownTarget,
    now: datetime,
    *,
    note: str | None = None,
    max_bytes: int = 2**30,
    progress: Callable[[str], None] = lambda what: None,
) -> Removal:
    """Remove all there is of the target and keep it from coming back; may be interrupted and repeated.

    ``progress`` is called with what is being done.

    Raises ArchiveError: archived responses cannot be removed; what SQL holds is gone by then.
    """
    extent = TakedownExtent(feeds=write(engine, bar_target, target, now, note))
    words = _collect_words(engine, target)
    extent += _take_down_pages(engine, target, progress)
    if target.scope == "site":
        with reading(engine) as connection:
            words |= {feed_id: {""} for feed_id in list_site_feeds(connection, target.target)}
    extent = replace(extent, copies=extent.copies + _drop_stray_copies(engine, target))
    if folder is None:
        return Removal(extent)
    with reading(engine) as connection:
        require_files(connection, folder, folder.names())
    for feed, needles in words.items():
        progress(f"documents of feed {feed or '(removed)'}")
        extent = replace(extent, copies=extent.copies + _drop_documents(engine, folder, feed, needles, max_bytes))
    busy = purge_dropped(engine, folder, progress)
    return Removal(extent, tuple(busy), tuple(folder.names_aside()))


def _drop_stray_copies(engine: Engine, target: TakedownTarget) -> int:
    with reading(engine) as connection:
        strays = list_stray_copies(connection, target)
    return write(engine, drop_copies, strays)


def _take_down_pages(engine: Engine, target: TakedownTarget, progress: Callable[[str], None]) -> TakedownExtent:
    """Take down the pages of the target, a batch in each transaction."""
    extent, after = TakedownExtent(), 0
    while True:
        with reading(engine) as connection:
            pages = list_target_pages(connection, target, after)
        if not pages:
            return extent
        progress(f"{extent.pages} pages")
        extent += write(engine, take_down_pages, pages)
        after = pages[-1]


def _collect_words(engine: Engine, target: TakedownTarget) -> dict[int | None, set[str]]:
    """Collect by feed the words by which its documents announced the target; None stands for feeds that were removed.

    Pages that are taken down already are included: an interrupted takedown has not reached the documents.
    """
    words: dict[int | None, set[str]] = {None: {target.target}}
    after = 0
    with reading(engine) as connection:
        while pages := list_target_pages(connection, target, after, done_too=True):
            for feed, announced in find_announced_words(connection, pages).items():
                words.setdefault(feed, set()).update({target.target} if target.scope == "site" else announced)
            after = pages[-1]
    return words


def _drop_documents(engine: Engine, folder: WarcFolder, feed_id: int | None, words: set[str], max_bytes: int) -> int:
    """Drop the documents of a feed that contain one of these words, and those that cannot be read."""
    needles = {form.encode() for word in words for form in (word, escape(word), word.replace("/", "\\/"))}
    with reading(engine) as connection:
        bodies = list_feed_bodies(connection, feed_id)
    dropped = []
    for row_id in bodies:
        with reading(engine) as connection:
            row = load_raw_row(connection, row_id)
        if row is None:
            continue
        try:
            body = read_archived_response(engine, folder, row, max_bytes).body
        except ArchiveError:
            dropped.append(row_id)
            continue
        if any(needle in body for needle in needles):
            dropped.append(row_id)
    return write(engine, drop_copies, dropped)
