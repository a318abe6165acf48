"""The file that one process writes to: begun or gone on with, rotated by size and age, repaired after a crash."""

import os
import re
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import SEEK_END, FileIO
from pathlib import Path

import structlog

from pipeline.archive.place import OPEN, SUFFIX, Place, lock
from pipeline.archive.read import read_members
from pipeline.archive.warc import Fields, Original, records_of, warcinfo
from pipeline.errors import ArchiveError
from pipeline.model import Capture

log = structlog.get_logger("news")

_NAME = re.compile(r"news-(\d{14})-(.+)-\d+-[0-9a-f]{6}" + re.escape(SUFFIX))


@dataclass(frozen=True, slots=True)
class Limits:
    """When a file is full: by its bytes, or by the time since it was begun."""

    max_bytes: int
    max_age: timedelta


@dataclass(frozen=True, slots=True)
class Written:
    """Where the record of a capture stands."""

    file: str
    offset: int
    length: int
    record_id: str


@dataclass(frozen=True, slots=True)
class Repaired:
    """A file that a crash left open: it is whole up to ``size``; ``torn`` bytes behind that were cut off."""

    file: str
    size: int
    torn: int


class Writer:
    """Writes captures, one after the other; to be used from one thread at a time.

    A record is with the system before `write` returns: it outlives the process. It is on the disk when its file is
    finished.

    Args:
        place: where files lie.
        limits: when a file is full.
        facts: for the head of each file: software, operator …
        now: the clock.
    """

    def __init__(
        self, place: Place, limits: Limits, facts: Fields, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.place = place
        self._limits = limits
        self._facts = facts
        self._now = now
        self._file: FileIO | None = None
        self._name = ""
        self._warcinfo_id = ""
        self._end = 0

    def recover(self) -> list[Repaired]:
        """Finish what processes that died have left open, and upload what waits for it."""
        repaired = [done for path in self.place.local() if (done := finish_torn(path))]
        self._upload()
        return repaired

    def write(self, capture: Capture, digest: str, original: Original | None) -> Written:
        """Append the records of a capture.

        Raises:
            ArchiveError: the disk is full, or cannot be written to.
        """
        try:
            file = self._current()
            records = records_of(capture, digest, original, self._warcinfo_id)
            self._append(file, records.data)
        except OSError as error:
            raise ArchiveError(f"raw archive, {self._name or self.place.folder}: {error}") from error
        return Written(self._name, self._end - len(records.data), records.length, records.record_id)

    def close(self) -> None:
        """Finish the file that was written to; in a folder the next process may go on with it."""
        self._finish()
        self._upload()

    def _append(self, file: FileIO, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[file.write(rest) :]
        except OSError:
            file.seek(self._end)
            file.truncate()  # half a record would hide all those behind it
            raise
        self._end += len(data)

    def _current(self) -> FileIO:
        if self._file is not None and (self._end >= self._limits.max_bytes or self._is_old(self._name)):
            self._finish()
            self._upload()
        if self._file is None:
            self._file = self._go_on() or self._begin()
        return self._file

    def _is_old(self, name: str) -> bool:
        found = _NAME.fullmatch(name)
        begun = datetime.strptime(found[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC) if found else self._now()
        return self._now() - begun >= self._limits.max_age

    def _begin(self) -> FileIO:
        self.place.prepare()
        at = self._now()
        self._name = f"news-{at:%Y%m%d%H%M%S}-{_host()}-{os.getpid()}-{secrets.token_hex(3)}{SUFFIX}"
        path = self.place.folder / (self._name + OPEN)
        path.touch()
        file = lock(path)
        if file is None:
            raise ArchiveError(f"raw archive, {path}: another process has taken it")
        head, self._warcinfo_id = warcinfo(self._name, at, self._facts)
        self._end = 0
        self._append(file, head)
        return file

    def _go_on(self) -> FileIO | None:
        """A finished file of this machine that has room, opened again; a run of minutes fills none by itself."""
        if not self.place.is_local:
            return None  # what is at a remote address cannot be appended to
        for path in reversed(self.place.local()):
            found = _NAME.fullmatch(path.name)
            if found is None or found[2] != _host() or self._is_old(path.name):
                continue
            if path.stat().st_size >= self._limits.max_bytes or (file := lock(path)) is None:
                continue
            head = next(read_members(file), None)
            if head is None:
                file.close()
                continue
            self._name, self._warcinfo_id = path.name, head.record_id
            path.rename(path.with_name(path.name + OPEN))
            self._end = file.seek(0, SEEK_END)
            return file
        return None

    def _finish(self) -> None:
        if self._file is None:
            return
        path = self.place.folder / (self._name + OPEN)
        with self._file as file:
            os.fsync(file.fileno())
            path.rename(path.with_name(self._name))
        self._file = None

    def _upload(self) -> None:
        if self.place.is_local:
            return
        for path in self.place.local():
            if path.name.endswith(OPEN) or (file := lock(path)) is None:
                continue
            with file:
                try:
                    self.place.upload(path)
                except ArchiveError as error:
                    # It is safe here, and the next run tries again.
                    log.warning("upload", file=path.name, outcome="failed", error=str(error))


def finish_torn(path: Path) -> Repaired | None:
    """Finish a file that a process which died has left open; None for any other."""
    if not path.name.endswith(OPEN) or (file := lock(path)) is None:
        return None
    with file:
        return _repair(path, file)


def _repair(path: Path, file: FileIO) -> Repaired:
    name = path.name.removesuffix(OPEN)
    size, end = file.seek(0, SEEK_END), 0
    for member in read_members(file):
        end = member.offset + member.length
    if end == 0:
        path.unlink()
    else:
        file.truncate(end)
        os.fsync(file.fileno())
        path.rename(path.with_name(name))
    log.warning("repair", file=name, outcome="repaired", bytes=end, torn=size - end)
    return Repaired(name, end, size - end)


def _host() -> str:
    return re.sub(r"[^a-z0-9.]+", "_", socket.gethostname().lower())[:40] or "localhost"
