"""Answers are kept as they came: written to the raw archive, then noted in SQL, before anything is made of them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.engine import Connection

from pipeline import __version__
from pipeline.archive.folder import WarcFolder
from pipeline.archive.member import Positions, WarcMember, compute_digest
from pipeline.archive.reader import find_answer
from pipeline.archive.rewrite import list_left_files, repair_file
from pipeline.archive.scan import FileSurvey
from pipeline.archive.warc import OriginalRecord, make_readable
from pipeline.archive.writer import RotationLimits, WarcWriter, WrittenRecord
from pipeline.config import Settings
from pipeline.errors import ArchiveError
from pipeline.model import Capture
from pipeline.runtime.database import Database
from pipeline.store.articles.raw_index import (
    CaptureSubject,
    RawCopy,
    adopt_copy,
    count_missing_files,
    find_capture_subject,
    find_original,
    find_originals,
    load_record_positions,
    move_records,
    record_copies,
)

T = TypeVar("T")


def open_raw_folder(settings: Settings) -> WarcFolder | None:
    """Where archived responses are kept; None where they are not.

    Raises:
        ConfigError: the address cannot be used.
    """
    address = settings.archive_place
    return WarcFolder(address, Path(settings.archive_spool)) if address is not None else None


def open_warc_writer(settings: Settings, folder: WarcFolder, now: Callable[[], datetime]) -> WarcWriter:
    """A writer that says who we are in the head of its files."""
    facts = [
        ("software", f"news-pipeline/{__version__}"),
        ("format", "WARC File Format 1.1"),
        ("conformsTo", "https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"),
        ("operator", settings.contact),
        ("robots", "obey"),
        ("http-header-user-agent", settings.full_user_agent),
    ]
    return WarcWriter(folder, RotationLimits(settings.archive_max_bytes, settings.archive_max_age), facts, now)


@asynccontextmanager
async def open_recorder(
    settings: Settings, database: Database, now: Callable[[], datetime]
) -> AsyncIterator["RawRecorder | None"]:
    """A keeper for one run, with what a process that died has left put in order; None where there is no archive."""
    folder = open_raw_folder(settings)
    if folder is None:
        yield None
        return
    keeper = RawRecorder(open_warc_writer(settings, folder, now), database)
    try:
        await keeper.recover()
        yield keeper
    finally:
        await keeper.close()


class RawRecorder:
    """Keeps captures: one thread writes, and the loop never waits for it but to say what came of a page."""

    def __init__(self, writer: WarcWriter, database: Database) -> None:
        self._writer = writer
        self._database = database
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="raw")

    async def recover(self) -> None:
        """Make the files and the notes of a process that died agree again."""
        folder = self._writer.folder
        await self._database.read(require_files, folder, await self._call(folder.names))
        for name in await self._call(list_left_files, folder):
            known = await self._database.read(load_record_positions, name)
            with ExitStack() as held:
                survey = await self._call(held.enter_context, repair_file(folder, name, known))
                if survey is not None:
                    await self._database.write(note_records, name, known, survey)
        await self._call(self._writer.upload)

    async def keep(
        self, captures: Iterable[Capture], *, page_id: int | None = None, feed_id: int | None = None
    ) -> bool:
        """Keep these answers of a page or a feed; returns once they would outlive this process.

        Returns whether the last of them has the body that the last good one before it had.

        Raises:
            ArchiveError: they cannot be written: what is fetched now would be lost.
        """
        of = CaptureSubject(page_id, feed_id)
        fresh: list[RawCopy] = []
        is_same = False
        for capture in captures:
            had = None
            if capture.is_again:  # the run that was killed may have kept it already
                had = await self._database.write(adopt_copy, of, capture.url, capture.fetched_at)
            if had is None:
                copy, is_same = await self._written(capture, of)
                fresh.append(copy)
            else:
                last = await self._database.read(find_original, of, None)
                is_same = last is not None and last["id"] == had["refers_to"]
        for copy in fresh:
            await self._database.write_each(record_copies, copy)
        return is_same

    async def close(self) -> None:
        """Finish the file."""
        await self._call(self._writer.close)
        self._thread.shutdown(wait=True)

    async def _written(self, capture: Capture, of: CaptureSubject) -> tuple[RawCopy, bool]:
        """Where the answer stands now, and whether its body is that of the last good one."""
        if capture.body:
            capture = await self._call(make_readable, capture)
        digest = compute_digest(capture.body)
        row, last = await self._database.read_each(find_originals, (of, digest))
        if capture.status == 304:
            row = last
        elif not capture.body:  # nothing is saved by referring to it
            row = None
        written, refers_to = await self._call(self._write, capture, digest, row)
        copy = RawCopy(
            of=of,
            url=capture.url,
            status=capture.status,
            fetched_at=capture.fetched_at,
            file=written.file,
            file_offset=written.offset,
            file_length=written.length,
            record_id=written.record_id,
            digest=digest,
            refers_to=refers_to,
        )
        return copy, last is not None and last["id"] == refers_to

    def _write(self, capture: Capture, digest: str, row: Mapping[str, Any] | None) -> tuple[WrittenRecord, int | None]:
        """Write an answer, as a reference to the record of this row where that is to be had."""
        original = None
        if row is not None and (capture.status == 304 or self._has_body(row)):
            original = OriginalRecord(row["id"], row["record_id"], row["url"], row["fetched_at"])
        return self._writer.write(capture, digest, original), original.id if original else None

    def _has_body(self, row: Mapping[str, Any]) -> bool:
        """Whether a record still reads, and has the body itself: one that was lost must not be referred to."""
        try:
            data = self._writer.folder.read(row["file"], row["file_offset"], row["file_length"])
            return find_answer(data, row["record_id"]).type == "response"
        except ArchiveError:
            return False

    async def _call(self, function: Callable[..., T], *args: object) -> T:
        # Once begun it ends, even if the caller is cancelled: half a record is no record.
        call = asyncio.get_running_loop().run_in_executor(self._thread, partial(function, *args))
        return await asyncio.shield(call)


def require_files(connection: Connection, folder: WarcFolder, names: Sequence[str]) -> None:
    """Make sure that the raw archive is where it was: at least one of the files that SQL knows is there.

    Raises:
        ArchiveError: none is, as when a share is not mounted.
    """
    if missing := count_missing_files(connection, names):
        raise ArchiveError(
            f"raw archive, {folder.url}: none of its {missing:,} files is there. Is it mounted? If they are gone for"
            " good, `news archive check --repair --forget-missing` forgets them"
        )


def note_records(connection: Connection, file: str, known: Positions, survey: FileSurvey) -> tuple[int, int]:
    """Make what is noted of a file agree with what is in it; returns how many records were noted, and forgotten.

    ``known`` is what was noted of the file before it was read.
    """
    forgotten = move_records(connection, file, survey.positions, known)
    noted = load_record_positions(connection, file)
    fresh = [member for member in survey.answers if member.record_id not in noted]
    for member in fresh:  # one by one: a revisit may refer to the one before it
        record_copies(connection, [_copy_of(connection, file, member)])
    return len(fresh), forgotten


def _copy_of(connection: Connection, file: str, member: WarcMember) -> RawCopy:
    url = member.fields.get("warc-target-uri", "").strip("<>")
    digest = member.fields.get("warc-payload-digest", "")
    of = find_capture_subject(connection, url)
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
