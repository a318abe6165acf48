"""Where the WARC files are: a folder, or a remote address of fsspec with a local folder in which they are written."""

import fcntl
import hashlib
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import IO, BinaryIO

import fsspec
from fsspec.implementations.local import LocalFileSystem

from pipeline.errors import ArchiveError, ConfigError

SUFFIX = ".warc.gz"
ASIDE = ".damaged-"
"""Between the name of a file and the offset of damaged bytes that were taken from it."""

OPEN = ".open"
"""Suffix of a file that is being written to, as with Heritrix; one that nobody locks was left by a crash."""

CHUNK = 1024 * 1024


class WarcFolder:
    """The files of a raw archive, by name.

    A file is written in ``folder``; if that is not the archive itself, the finished file is uploaded. The lock of a
    file (flock) tells whether its writer is alive: the system releases it when a process dies, however it dies.

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
        """Make the folders. Raises ArchiveError when they cannot be made."""
        with self.translated(self.url):
            self.folder.mkdir(parents=True, exist_ok=True)
            if not self.is_local:
                self._remote.makedirs(self._root, exist_ok=True)

    def names(self) -> list[str]:
        """The names of all files, including those that are being written or wait to be uploaded.

        Raises:
            ArchiveError: the folder cannot be listed.
        """
        names = {path.name.removesuffix(OPEN) for path in self.local()}
        if not self.is_local:
            with self.translated(self.url), suppress(FileNotFoundError):
                names |= {Path(name).name for name in self._remote.ls(self._root, detail=False)}
        return sorted(name for name in names if name.endswith(SUFFIX))

    def local(self) -> list[Path]:
        """The local files, finished or open, oldest name first."""
        with self.translated(self.folder), suppress(FileNotFoundError):
            return sorted(path for path in self.folder.iterdir() if path.name.removesuffix(OPEN).endswith(SUFFIX))
        return []

    def find(self, name: str) -> Path | None:
        """The local path of a file, finished or open; None where there is none."""
        # Looked for twice, since it may be finished, and so get its other name, in between.
        for suffix in ("", OPEN, ""):
            if (path := self.folder / (name + suffix)).is_file():
                return path
        return None

    def size(self, name: str) -> int:
        """Bytes of a file. Raises ArchiveError when it is not there."""
        with self.translated(name):
            path = self.find(name)
            return path.stat().st_size if path else int(self._remote.info(self._at(name))["size"])

    def open(self, name: str) -> IO[bytes]:
        """The file, to be read. Raises ArchiveError when it is not there."""
        with self.translated(name):
            path = self.find(name)
            if path is None and self.is_local:
                raise FileNotFoundError(name)
            stream: IO[bytes] = path.open("rb") if path else self._remote.open(self._at(name), "rb")
            return stream

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Part of a file. Raises ArchiveError when it is not there."""
        with self.translated(name):
            if self.find(name) is None and not self.is_local:
                # Not by way of a stream, which fetches megabytes ahead.
                part: bytes = self._remote.cat_file(self._at(name), start=offset, end=offset + length)
                return part
            with self.open(name) as stream:
                stream.seek(offset)
                return stream.read(length)

    def upload(self, path: Path) -> None:
        """Upload a finished file to the remote address, and remove it here once it has arrived whole.

        Raises:
            ArchiveError: that failed; the file is still here.
        """
        with self.translated(path.name):
            self._remote.put_file(str(path), self._at(path.name))
            arrived = int(self._remote.info(self._at(path.name))["size"])
            if arrived != path.stat().st_size:
                raise OSError(f"{arrived:,} bytes arrived of {path.stat().st_size:,}")
            path.unlink()

    def replace(self, name: str, path: Path) -> None:
        """Replace a file by another one, atomically for its readers."""
        with self.translated(name):
            current = self.find(name)
            if current is not None:
                path.replace(current)
            else:
                self._remote.put_file(str(path), self._at(name))
                path.unlink()

    def remove(self, name: str) -> None:
        """Remove a file; nothing happens where there is none."""
        with self.translated(name), suppress(FileNotFoundError):
            current = self.find(name)
            if current is not None:
                current.unlink()
            elif not self.is_local:
                self._remote.rm_file(self._at(name))

    @contextmanager
    def new_part(self, name: str) -> Iterator[tuple[Path, BinaryIO]]:
        """A file to be written here before it gets its name: on the disk after the block, or gone if that fails."""
        self.prepare()
        part = self.folder / f"{name}.part"
        try:
            with part.open("wb") as out:
                yield part, out
                out.flush()
                os.fsync(out.fileno())
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    def set_aside(self, name: str, stream: IO[bytes], offset: int, length: int) -> None:
        """Copy part of a file into one beside it, whose name ends with a checksum: the same bytes are kept once.

        Raises:
            ArchiveError: it cannot be written.
        """
        with self.translated(name):
            checksum = 0
            stream.seek(offset)
            with self.new_part(name) as (part, out):
                while length > 0 and (chunk := stream.read(min(CHUNK, length))):
                    checksum = zlib.crc32(chunk, checksum)
                    out.write(chunk)
                    length -= len(chunk)
            name = f"{name}-{checksum:08x}"
            if self.is_local:
                part.rename(self.folder / name)
            else:
                self._remote.put_file(str(part), self._at(name))
                part.unlink()

    def names_aside(self) -> list[str]:
        """The names of the files in which damaged bytes were set aside."""
        with self.translated(self.url), suppress(FileNotFoundError):
            names = (Path(name).name for name in self._remote.ls(self._root, detail=False))
            return sorted(name for name in names if ASIDE in name)
        return []

    @staticmethod
    @contextmanager
    def translated(what: object) -> Iterator[None]:
        """Whatever goes wrong with files in the block is an `ArchiveError` that names them."""
        try:
            yield
        except (ArchiveError, FileNotFoundError) as error:
            if isinstance(error, ArchiveError):
                raise
            raise ArchiveError(f"raw archive, {what}: it is not there") from error
        except Exception as error:  # each of the file systems behind fsspec raises what its own client does
            raise ArchiveError(f"raw archive, {what}: {error or type(error).__name__}") from error

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}"


def lock_file(path: Path) -> FileIO | None:
    """Open a file to be written by us alone until it is closed; None where another process has it, or it is gone.

    It has no buffer: what could not be written must not be tried again when the file is closed.
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
