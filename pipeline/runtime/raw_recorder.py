"""Answers are kept as they came: written to the raw archive, then noted in SQL, before anything is made of them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy.engine import Connection

from pipeline import __version__
from pipeline.archive.place import Place
from pipeline.archive.read import Member, read_members
from pipeline.archive.warc import Original, payload_digest, readable
from pipeline.archive.writer import Limits, Writer
from pipeline.config import Settings
from pipeline.ingest.database import Database
from pipeline.model import Capture
from pipeline.store.raw import (
    Of,
    RawCopy,
    adopt_copy,
    find_original,
    known_records,
    move_records,
    owner_of,
    record_copies,
)

T = TypeVar("T")

STATUS_LINE = 40
"""Bytes of an answer in which its status stands."""


def open_place(settings: Settings) -> Place | None:
    """Where raw copies are kept; None where they are not.

    Raises:
        ConfigError: the address cannot be used.
    """
    address = settings.archive_place
    return Place(address, Path(settings.archive_spool)) if address is not None else None


def open_writer(settings: Settings, place: Place, now: Callable[[], datetime]) -> Writer:
    """A writer that says who we are in the head of its files."""
    facts = [
        ("software", f"news-pipeline/{__version__}"),
        ("format", "WARC File Format 1.1"),
        ("conformsTo", "https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"),
        ("operator", settings.contact),
        ("robots", "obey"),
        ("http-header-user-agent", settings.full_user_agent),
    ]
    return Writer(place, Limits(settings.archive_max_bytes, settings.archive_max_age), facts, now)


@asynccontextmanager
async def keeping(
    settings: Settings, database: Database, now: Callable[[], datetime]
) -> AsyncIterator["Keeper | None"]:
    """A keeper for one run, with what a process that died has left put in order; None where raw copies are not kept."""
    place = open_place(settings)
    if place is None:
        yield None
        return
    keeper = Keeper(open_writer(settings, place, now), database)
    try:
        await keeper.recover()
        yield keeper
    finally:
        await keeper.close()


class Keeper:
    """Keeps captures: one thread writes, and the loop never waits for it but to say what came of a page.

    Args:
        writer: writes them.
        database: where they are noted.
    """

    def __init__(self, writer: Writer, database: Database) -> None:
        self._writer = writer
        self._database = database
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="raw")

    async def recover(self) -> None:
        """Make the files and the notes of a process that died agree again."""
        for repaired in await self._call(self._writer.recover):
            found = await self._call(scan_file, self._writer.place, repaired.file) if repaired.size else []
            await self._database.write(note_records, repaired.file, found)

    async def keep(
        self, captures: Iterable[Capture], *, page_id: int | None = None, feed_id: int | None = None
    ) -> bool:
        """Keep these answers of a page or a feed; returns once they would outlive this process.

        Returns whether the last of them has the body that the last good one before it had.

        Raises:
            ArchiveError: they cannot be written: what is fetched now would be lost.
        """
        of = Of(page_id, feed_id)
        fresh: list[RawCopy] = []
        refers_to: int | None = None
        for capture in captures:
            had = None
            if capture.is_again:  # the run that was killed may have kept it already
                had = await self._database.write(adopt_copy, of, capture.url, capture.fetched_at)
            if had is None:
                fresh.append(await self._written(capture, of))
            refers_to = fresh[-1].refers_to if had is None else had["refers_to"]
        last = await self._database.read(find_original, of, None) if refers_to is not None else None
        await self._database.write(record_copies, fresh)
        return last is not None and last["id"] == refers_to

    async def close(self) -> None:
        """Finish the file."""
        await self._call(self._writer.close)
        self._thread.shutdown(wait=True)

    async def _written(self, capture: Capture, of: Of) -> RawCopy:
        capture = await self._call(readable, capture)
        digest = payload_digest(capture.body)
        original = None
        if capture.status == 304 or capture.body:  # nothing is saved by referring to an empty body
            row = await self._database.read(find_original, of, None if capture.status == 304 else digest)
            original = Original(**row) if row else None
        written = await self._call(self._writer.write, capture, digest, original)
        return RawCopy(
            of=of,
            url=capture.url,
            status=capture.status,
            fetched_at=capture.fetched_at,
            file=written.file,
            file_offset=written.offset,
            file_length=written.length,
            record_id=written.record_id,
            digest=digest,
            refers_to=original.id if original else None,
        )

    async def _call(self, function: Callable[..., T], *args: object) -> T:
        # Once begun it ends, even if the caller is cancelled: half a record is no record.
        call = asyncio.get_running_loop().run_in_executor(self._thread, partial(function, *args))
        return await asyncio.shield(call)


def scan_file(place: Place, file: str) -> list[Member]:
    """The answers in a file as far as it is whole, without what they hold."""
    with place.open(file) as stream:
        answers = (member for member in read_members(stream) if member.type in {"response", "revisit"})
        return [replace(member, data=b"", block=member.block[:STATUS_LINE]) for member in answers]


def note_records(connection: Connection, file: str, found: Sequence[Member]) -> tuple[int, int]:
    """Make what is noted of a file agree with what is in it; returns how many records were noted, and forgotten."""
    known = known_records(connection, file)
    here = {member.record_id: (member.offset, member.length) for member in found}
    move_records(connection, file, here)
    fresh = [member for member in found if member.record_id not in known]
    for member in fresh:
        record_copies(connection, [_copy_of(connection, file, member)])
    return len(fresh), len(known.keys() - here.keys())


def _copy_of(connection: Connection, file: str, member: Member) -> RawCopy:
    url = member.fields.get("warc-target-uri", "").strip("<>")
    digest = member.fields.get("warc-payload-digest", "")
    of = owner_of(connection, url)
    original = find_original(connection, of, digest) if member.type == "revisit" else None
    return RawCopy(
        of=of,
        url=url,
        status=member.status,
        fetched_at=member.date,
        file=file,
        file_offset=member.offset,
        file_length=member.length,
        record_id=member.record_id,
        digest=digest,
        refers_to=original["id"] if original else None,
    )
