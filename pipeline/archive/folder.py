"""Where the files lie: a folder, or a remote address of fsspec with a folder here in which they are written."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import IO, Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from pipeline.errors import ArchiveError, ConfigError

SUFFIX = ".warc.gz"
OPEN = ".open"
"""Behind the name of a file that somebody writes to, as with Heritrix; one that nobody locks was left by a crash."""


class Place:
    """The files of a raw archive, by name.

    A file is written in ``folder``; where that is not the archive itself, the finished file is uploaded. The lock of
    a file (flock) tells whether its writer lives: the system takes it from a process that dies, however it dies.

    Args:
        url: a folder, or any address that fsspec knows.
        spool: where files for a remote address are written.

    Raises:
        ConfigError: the address cannot be used.
    """

    def __init__(self, url: str, spool: Path) -> None:
        try:
            # What was listed once is not what is there: other processes upload, rewrite and remove.
            self._remote, self._root = fsspec.core.url_to_fs(url, use_listings_cache=False)
        except (ValueError, ImportError, OSError) as error:
            raise ConfigError(f"NEWS_ARCHIVE_URL={url!r} cannot be used: {error}") from error
        self.url = url
        self.is_local = isinstance(self._remote, LocalFileSystem)
        # Each address has a spool of its own, so that nothing is uploaded to where it does not belong.
        self.folder = Path(self._root) if self.is_local else spool / hashlib.sha256(url.encode()).hexdigest()[:12]

    def prepare(self) -> None:
        """Make the folders."""
        with _translated(self.url):
            self.folder.mkdir(parents=True, exist_ok=True)
            if not self.is_local:
                self._remote.makedirs(self._root, exist_ok=True)

    def names(self) -> list[str]:
        """The names of all files, also of those that are being written or wait to be uploaded."""
        found = {path.name.removesuffix(OPEN) for path in self.local()}
        if not self.is_local:
            with _translated(self.url), suppress(FileNotFoundError):
                found |= {Path(name).name for name in self._remote.ls(self._root, detail=False)}
        return sorted(name for name in found if name.endswith(SUFFIX))

    def local(self) -> list[Path]:
        """The files that are here, finished or open, oldest name first."""
        with suppress(FileNotFoundError):
            return sorted(path for path in self.folder.iterdir() if path.name.removesuffix(OPEN).endswith(SUFFIX))
        return []

    def find(self, name: str) -> Path | None:
        """The file where it is here, finished or open."""
        # Looked for twice, since it may be finished, and so get its other name, in between.
        for suffix in ("", OPEN, ""):
            if (path := self.folder / (name + suffix)).is_file():
                return path
        return None

    def size(self, name: str) -> int:
        """Bytes of a file.

        Raises:
            ArchiveError: it is not there.
        """
        with _translated(name):
            path = self.find(name)
            return path.stat().st_size if path else int(self._remote.info(self._at(name))["size"])

    def open(self, name: str) -> IO[bytes]:
        """The file, to be read.

        Raises:
            ArchiveError: it is not there.
        """
        with _translated(name):
            path = self.find(name)
            if path is None and self.is_local:
                raise FileNotFoundError(name)
            stream: IO[bytes] = path.open("rb") if path else self._remote.open(self._at(name), "rb")
            return stream

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Part of a file.

        Raises:
            ArchiveError: it is not there.
        """
        with _translated(name):
            if self.find(name) is None and not self.is_local:
                # Not by way of a stream, which fetches megabytes ahead.
                part: bytes = self._remote.cat_file(self._at(name), start=offset, end=offset + length)
                return part
            with self.open(name) as stream:
                stream.seek(offset)
                return stream.read(length)

    def upload(self, path: Path) -> None:
        """Bring a finished file to the remote address, and remove it here once it is there whole.

        Raises:
            ArchiveError: that was not possible; the file is here still.
        """
        with _translated(path.name):
            self._remote.put_file(str(path), self._at(path.name))
            there = int(self._remote.info(self._at(path.name))["size"])
            if there != path.stat().st_size:
                raise OSError(f"{there:,} bytes arrived of {path.stat().st_size:,}")
            path.unlink()

    def replace(self, name: str, path: Path) -> None:
        """Put another file in the place of one; all at once for whoever reads it."""
        with _translated(name):
            there = self.find(name)
            if there is not None:
                path.replace(there)
            else:
                self._remote.put_file(str(path), self._at(name))
                path.unlink()

    def remove(self, name: str) -> None:
        """Remove a file; nothing happens where there is none."""
        with _translated(name), suppress(FileNotFoundError):
            there = self.find(name)
            if there is not None:
                there.unlink()
            elif not self.is_local:
                self._remote.rm_file(self._at(name))

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}"


def lock(path: Path) -> FileIO | None:
    """The file, to be written to by us alone until it is closed; None where it is another's, or has gone.

    Without a buffer: what could not be written must not be tried again when the file is closed.
    """
    try:
        file = path.open("r+b", buffering=0)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # It may have been given another name, or replaced, between the two calls.
        if os.path.samestat(os.fstat(file.fileno()), path.stat()):
            return file
    except (BlockingIOError, FileNotFoundError):
        pass
    file.close()
    return None


@contextmanager
def _translated(what: str) -> Iterator[Any]:
    try:
        yield
    except Exception as error:  # each of the file systems behind fsspec raises what its own client does
        if isinstance(error, ArchiveError):
            raise
        raise ArchiveError(f"raw archive, {what}: {error or type(error).__name__}") from error
