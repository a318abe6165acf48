"""Where exported rows go: partitions, files that appear whole or not at all, and the file of a cursor."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from pipeline.errors import ConfigError
from pipeline.export.formats import NAMES, Compression, ExportWriter, Format, Row
from pipeline.store.queries.selection import Partition, Selection, selection_time

_SUFFIXES: Final[Mapping[str, Compression]] = {"": "none", ".gz": "gz", ".zst": "zst"}
_NULL: Final = "__HIVE_DEFAULT_PARTITION__"
"""What Hive, Spark, DuckDB and Arrow call the partition of rows without a value."""


def named_compression(name: str, format_: Format) -> Compression | None:
    """The compression that a file of this name has; None where the name is not that of a file of the format.

    >>> named_compression("a.csv.zst", "csv"), named_compression("a.parquet", "parquet"), named_compression("a", "csv")
    ('zst', 'none', None)
    """
    for suffix, compression in _SUFFIXES.items():
        if name.lower().endswith(f".{format_}{suffix}"):
            return None if format_ == "parquet" and suffix else compression
    return None


def suffix_of(format_: Format, compression: Compression) -> str:
    """How the name of such a file ends."""
    return f".{format_}" + ("" if compression == "none" else f".{compression}")


class ExportFiles:
    """Files of one export: each is written under another name, and all get their own once the last is whole.

    Leaving the context by an exception leaves nothing behind.
    """

    def __init__(self, open_file: Callable[[Path], ExportWriter]) -> None:
        self._open = open_file
        self._target: Path | None = None
        self._writer: ExportWriter | None = None
        self._written: dict[Path, Path] = {}

    def __enter__(self) -> "ExportFiles":
        return self

    def __exit__(self, *error: object) -> None:
        if self._writer is not None:
            self._writer.close()
        for hidden in self._written:
            hidden.unlink(missing_ok=True)

    def write(self, target: Path, rows: list[Row]) -> None:
        """Add rows to the file of this name. A file ends where another one is written to."""
        if target != self._target:
            self._end()
            target.parent.mkdir(parents=True, exist_ok=True)
            # Readers of folders leave out what begins with a dot.
            hidden = target.with_name(f".{target.name}.{os.getpid()}.part")
            self._written[hidden] = target
            self._target, self._writer = target, self._open(hidden)
        if self._writer is not None:
            self._writer.write(rows)

    def publish(self) -> tuple[Path, ...]:
        """Give all files their names."""
        self._end()
        for hidden in self._written:
            _flush(hidden)
        for hidden, target in self._written.items():
            hidden.replace(target)
        for folder in {target.parent for target in self._written.values()}:
            _flush(folder)
        targets = tuple(self._written.values())
        self._written = {}
        return targets

    def _end(self) -> None:
        writer, self._writer, self._target = self._writer, None, None
        if writer is not None:
            writer.close()


def partition_of(row: Row, partition: Partition, selection: Selection) -> str:
    """The folder of a row, named as Hive does, such as ``day=2026-11-22``."""
    values = dict(zip(NAMES, row, strict=False))  # forms of the text may follow
    if partition in {"site", "language"}:
        return f"{partition}={_NULL if values[partition] is None else quote(values[partition], safe='')}"
    if values["deleted"]:
        return f"{partition}={_NULL}"
    time = selection_time(values, selection.time).astimezone(UTC)
    return f"{partition}={time:%Y-%m-%d}" if partition == "day" else f"{partition}={time:%Y-%m}"


@dataclass(frozen=True, slots=True)
class CursorFile:
    """A file that remembers how far exports have come.

    Attributes:
        asked: what they select; other selections need cursors of their own.
    """

    file: Path
    asked: Mapping[str, Any]

    def read(self) -> str | None:
        """The cursor; None where there was no export yet.

        Raises ConfigError: the file is none of ours, or of exports with another selection.
        """
        try:
            content = json.loads(self.file.read_text("utf-8"))
            cursor, asked = content["cursor"], content["selection"]
            int(cursor)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"{self.file} is no cursor of an export: {error}") from error
        if asked != self.asked:
            raise ConfigError(
                f"{self.file} belongs to exports of another selection ({json.dumps(asked)}): what they left out would"
                " be missing. Use a cursor of its own for each selection"
            )
        return str(cursor)

    def move(self, cursor: str) -> None:
        """Remember this cursor."""
        content = {
            "cursor": cursor,
            "selection": self.asked,
            "moved_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        self.file.parent.mkdir(parents=True, exist_ok=True)
        hidden = self.file.with_name(f".{self.file.name}.{os.getpid()}.part")
        hidden.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")
        _flush(hidden)
        hidden.replace(self.file)
        _flush(self.file.parent)


def _flush(path: Path) -> None:
    """Have the file or folder on disk: the cursor must not survive a power failure that its files do not."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
