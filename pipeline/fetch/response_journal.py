"""Answers that have come and are not dealt with yet, on the disk: what a process that is killed leaves to the next.

An answer is written the moment its last byte has come, before anything else is done, and removed once what it came to
is stored in SQL. The next request for the same thing after a crash gets it from here, the server is not asked again.
Only a process's death is guarded against, not the machine's: nothing is synced, and a file that is not whole counts
for nothing. ::

    FOLDER/run-…/KEY    of a process that lives: it holds a lock (flock) on its folder, which ends with it
    FOLDER/left/KEY     of those that died

A key stands for a request with all its headers, so that an answer to other validators, or to another password, is never
taken for this one's.
"""

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import time
import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from pipeline.fetch.wire import Header
from pipeline.model import Capture

log = structlog.get_logger("news")

MAX_AGE = timedelta(days=7)
"""What nobody has asked for again after this time is removed."""

_LEFT = "left"
_RUN = "run-"


class ResponseJournal:
    """The answers of one run, and a way to those that others left.

    What it does takes some microseconds, and is not waited for in a thread: what comes between the last byte and the
    disk is what a kill costs.

    A folder that cannot be used, or a full disk, costs the safety alone: it is logged, and the run goes on.

    Args:
        folder: of all runs of one archive.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._own: Path | None = None
        self._lock = -1

    def open(self) -> None:
        """Begin, and take over what runs that died have left."""
        try:
            self._begin()
            self.sweep()
        except OSError as error:
            self._warn(error)

    def put(self, key: str, capture: Capture) -> str | None:
        """Write an answer down; returns the receipt by which it is forgotten, None where it could not be written."""
        if self._own is None:
            return None
        path = self._own / key
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                os.write(file, pack_capture(capture))
            finally:
                os.close(file)
        except OSError as error:
            self._warn(error)
            path.unlink(missing_ok=True)
            return None
        return str(path)

    def take(self, key: str, since: datetime) -> Capture | None:
        """The answer to this request that a run left which died, if it came after this time; nobody else gets it."""
        if self._own is None:
            return None
        path = self._own / key
        try:
            (self._folder / _LEFT / key).rename(path)
            kept = unpack_capture(path.read_bytes())
            if kept is not None and kept.fetched_at > since:
                return replace(kept, receipt=str(path), is_again=True)
            path.unlink()
        except OSError:  # nearly always: there is none
            return None
        return None

    def forget(self, captures: Iterable[Capture]) -> None:
        """Remove answers: what they came to is stored."""
        for capture in captures:
            if capture.receipt is not None:
                with suppress(OSError):
                    os.unlink(capture.receipt)  # noqa: PTH108  # no object for each of many

    def sweep(self) -> None:
        """Take over what runs that died have left, and remove what nobody wants any more."""
        if self._own is None:
            return
        left = self._folder / _LEFT
        left.mkdir(mode=0o700, exist_ok=True)
        for run in self._folder.glob(f"{_RUN}*"):
            if run != self._own and (lock := _locked(run)) is not None:
                with suppress(OSError):
                    for path in run.iterdir():
                        path.rename(left / path.name)
                    run.rmdir()
                os.close(lock)
        for path in left.iterdir():
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > MAX_AGE.total_seconds():
                    path.unlink()

    def clear(self) -> None:
        """Remove what runs that died have left: it is asked for again, if at all."""
        self.sweep()
        if self._own is not None:
            for path in (self._folder / _LEFT).iterdir():
                path.unlink(missing_ok=True)

    def close(self, *, is_done: bool) -> None:
        """End; everything that was put here is dealt with if the run is done, else the next run finds it."""
        if self._own is None:
            return
        if is_done:
            shutil.rmtree(self._own, ignore_errors=True)
            with suppress(OSError):
                (self._folder / _LEFT).rmdir()
                self._folder.rmdir()
        os.close(self._lock)
        self._own = None

    def _begin(self) -> None:
        while self._own is None:
            run = self._folder / f"{_RUN}{os.getpid()}-{secrets.token_hex(4)}"
            run.mkdir(mode=0o700, parents=True)
            lock = _locked(run)
            if lock is not None:  # else another run has taken it for a dead one's, and removed it
                self._own, self._lock = run, lock

    def _warn(self, error: OSError) -> None:
        log.warning("inbox", folder=str(self._folder), outcome="failed", error=str(error))


def request_key(url: str, headers: Sequence[Header]) -> str:
    """The name of a request."""
    fields = b"\n".join([url.encode(), *(name.lower() + b": " + value for name, value in sorted(headers))])
    return hashlib.sha256(fields).hexdigest()


def pack_capture(capture: Capture) -> bytes:
    """An answer as it is written: a line of JSON, then the body."""
    head = {
        "url": capture.url,
        "status": capture.status,
        "phrase": capture.phrase,
        "headers": _as_text(capture.headers),
        "fetched_at": capture.fetched_at.isoformat(),
        "version": capture.version,
        "is_whole": capture.is_whole,
        "request": _as_text(capture.request),
        "address": capture.address,
        "bytes": len(capture.body),
        "crc": zlib.crc32(capture.body),
    }
    return json.dumps(head).encode() + b"\n" + capture.body


def unpack_capture(data: bytes) -> Capture | None:
    """What was written; None where that is not whole."""
    head, newline, body = data.partition(b"\n")
    try:
        fields = json.loads(head)
        if not newline or len(body) != fields.pop("bytes") or zlib.crc32(body) != fields.pop("crc"):
            return None
        fields |= {"headers": _as_bytes(fields["headers"]), "request": _as_bytes(fields["request"])}
        fields["fetched_at"] = datetime.fromisoformat(fields["fetched_at"])
        return Capture(**fields, body=body)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _as_text(headers: Iterable[Header]) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


def _as_bytes(headers: Iterable[tuple[str, str]]) -> tuple[Header, ...]:
    return tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in headers)


def _locked(folder: Path) -> int | None:
    """A lock on a folder, as an open file; None where another process holds it, or it has gone."""
    lock = -1
    with suppress(OSError):
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(lock), folder.stat()):
            return lock
    if lock >= 0:
        os.close(lock)
    return None
