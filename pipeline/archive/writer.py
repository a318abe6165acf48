"""The file that one process writes to: begun or continued, and rotated by size and age."""

import os
import re
import secrets
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import SEEK_END, FileIO
from pathlib import Path

import structlog

from pipeline.archive.folder import OPEN, SUFFIX, WarcFolder, lock_file
from pipeline.archive.member import read_members
from pipeline.archive.warc import Fields, OriginalRecord, build_records, build_warcinfo
from pipeline.errors import ArchiveError
from pipeline.model import Capture

log = structlog.get_logger("news")

_NAME = re.compile(r"news-(\d{14})-(.+)-\d+-[0-9a-f]{6}" + re.escape(SUFFIX))


@dataclass(frozen=True, slots=True)
class RotationLimits:
    """When a file is full: by its bytes, or by the time since it was begun."""

    max_bytes: int
    max_age: timedelta


@dataclass(frozen=True, slots=True)
class WrittenRecord:
    """Where the record of a capture stands."""

    file: str
    offset: int
    length: int
    record_id: str


class WarcWriter:
    """Writes captures, one after the other; to be used from one thread at a time.

    When `write` returns the operating system has the record, so it outlives the process; it is on the disk when its
    file is finished.

    Args:
        limits: when a file is full.
        facts: for the head of each file: software, operator …
    """

    def __init__(
        self,
        folder: WarcFolder,
        limits: RotationLimits,
        facts: Fields,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.folder = folder
        self._limits = limits
        self._facts = facts
        self._now = now
        self._file: FileIO | None = None
        self._name = ""
        self._warcinfo_id = ""
        self._end = 0

    def write(self, capture: Capture, digest: str, original: OriginalRecord | None) -> WrittenRecord:
        """Append the records of a capture.

        Raises:
            ArchiveError: the disk is full or cannot be written to, or the file or its folder was removed.
        """
        with self.folder.translated(self._name or self.folder.folder):
            file = self._current()
            records = build_records(capture, digest, original, self._warcinfo_id)
            self._append(file, records.data)
        return WrittenRecord(self._name, self._end - len(records.data), records.length, records.record_id)

    def close(self) -> None:
        """Finish the file that was written to; in a folder the next process may continue it.

        Raises:
            ArchiveError: the file was removed meanwhile, or the disk failed.
        """
        self._finish()
        self.upload()

    def _append(self, file: FileIO, data: bytes) -> None:
        _require_there(file, self._path)
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[file.write(rest) :]
        except OSError:
            file.seek(self._end)
            file.truncate()  # half a record would be damage
            raise
        self._end += len(data)

    def _current(self) -> FileIO:
        if self._file is not None and (self._end >= self._limits.max_bytes or self._is_old(self._name)):
            self._finish()
            self.upload()
        if self._file is None:
            self._file = self._go_on() or self._begin()
        return self._file

    def _is_old(self, name: str) -> bool:
        match = _NAME.fullmatch(name)
        begun_at = datetime.strptime(match[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC) if match else self._now()
        return self._now() - begun_at >= self._limits.max_age

    def _begin(self) -> FileIO:
        self.folder.prepare()
        begun_at = self._now()
        self._name = f"news-{begun_at:%Y%m%d%H%M%S}-{_host()}-{os.getpid()}-{secrets.token_hex(3)}{SUFFIX}"
        self._path.touch()
        file = lock_file(self._path)
        if file is None:
            raise ArchiveError(f"raw archive, {self._path}: another process has taken it")
        head, self._warcinfo_id = build_warcinfo(self._name, begun_at, self._facts)
        self._end = 0
        self._append(file, head)
        return file

    def _go_on(self) -> FileIO | None:
        """Open a finished file of this machine that has room again; a run of minutes fills none by itself."""
        if not self.folder.is_local:
            return None  # what is at a remote address cannot be appended to
        for path in reversed(self.folder.local()):
            match = _NAME.fullmatch(path.name)
            if match is None or match[2] != _host() or self._is_old(path.name):
                continue
            if path.stat().st_size >= self._limits.max_bytes or (file := lock_file(path)) is None:
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
        file, self._file = self._file, None
        with file, self.folder.translated(self._path):
            _require_there(file, self._path)
            os.fsync(file.fileno())
            self._path.rename(self._path.with_name(self._name))

    @property
    def _path(self) -> Path:
        return self.folder.folder / (self._name + OPEN)

    def upload(self) -> None:
        """Upload the finished files that wait for it; nothing to do where the archive is a folder."""
        if self.folder.is_local:
            return
        for path in self.folder.local():
            if path.name.endswith(OPEN) or (file := lock_file(path)) is None:
                continue
            with file:
                try:
                    self.folder.upload(path)
                except ArchiveError as error:
                    # The file is safe here, and the next run tries again.
                    log.warning("upload", file=path.name, outcome="failed", error=str(error))


def _require_there(file: FileIO, path: Path) -> None:
    """Make sure that the open file is still the one in the folder: writing to one that was removed succeeds."""
    with suppress(FileNotFoundError):
        if os.path.samestat(os.fstat(file.fileno()), path.stat()):
            return
    raise ArchiveError(f"raw archive, {path}: it was removed while it was written to")


def _host() -> str:
    return re.sub(r"[^a-z0-9.]+", "_", socket.gethostname().lower())[:40] or "localhost"
