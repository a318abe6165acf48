"""Rows into files of each format, written as they come; nothing is held but one batch."""

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final, Literal, Protocol

import zstandard

from pipeline.export.schema import FIELDS, NAMES
from pipeline.extras import load

Format = Literal["parquet", "jsonl", "csv"]
Compression = Literal["none", "zst", "gz"]
Row = tuple[Any, ...]

GROUP_ROWS: Final = 20_000
"""Most rows of a row group of Parquet."""

GROUP_CHARACTERS: Final = 16 * 2**20
"""Characters of text after which a row group ends: it is what is held in memory. Readers want groups of some MB too."""

_TEXT: Final = NAMES.index("text")


class Writer(Protocol):
    """A file that is being written."""

    def write(self, rows: Sequence[Row]) -> None:
        """Add rows, their values in the order of the schema."""

    def close(self) -> None:
        """Write what is left; the file is whole then."""


def arrow_schema(metadata: Mapping[str, str]) -> Any:  # noqa: ANN401  # pyarrow.Schema
    """The schema of Parquet files, with this metadata; the comment of each column is in its own."""
    arrow = load("pyarrow", "export")
    types = {
        "int64": arrow.int64(),
        "string": arrow.string(),
        "bool": arrow.bool_(),
        "list<string>": arrow.list_(arrow.string()),
        "timestamp": arrow.timestamp("us", tz="UTC"),
    }
    fields = [
        arrow.field(field.name, types[field.kind], not field.is_required, {"comment": field.comment})
        for field in FIELDS
    ]
    return arrow.schema(fields, dict(metadata))


class ParquetWriter:
    """Parquet, compressed with zstd."""

    def __init__(self, file: Path, metadata: Mapping[str, str]) -> None:
        self._arrow, parquet = load("pyarrow", "export"), load("pyarrow.parquet", "export")
        self._schema = arrow_schema(metadata)
        self._file = parquet.ParquetWriter(file, self._schema, compression="zstd")
        self._rows: list[Row] = []
        self._characters = 0

    def write(self, rows: Sequence[Row]) -> None:  # noqa: D102
        for row in rows:
            self._rows.append(row)
            self._characters += len(row[_TEXT] or "")
            if len(self._rows) >= GROUP_ROWS or self._characters >= GROUP_CHARACTERS:
                self._flush()

    def close(self) -> None:  # noqa: D102
        self._flush()
        self._file.close()

    def _flush(self) -> None:
        if not self._rows:
            return
        columns = zip(*self._rows, strict=True)
        arrays = [self._arrow.array(column, field.type) for column, field in zip(columns, self._schema, strict=True)]
        self._file.write_batch(self._arrow.record_batch(arrays, schema=self._schema))
        self._rows, self._characters = [], 0


class TextWriter:
    """Lines in UTF-8, one or more for each row, through a compressor where one is asked for."""

    def __init__(self, file: Path, line: Callable[[Row], str], compression: Compression, head: str = "") -> None:
        self._line = line
        self._files = ExitStack()
        raw: IO[bytes] = self._files.enter_context(file.open("wb"))
        self._file = self._files.enter_context(_compressed(raw, compression))
        self._file.write(head.encode())

    def write(self, rows: Sequence[Row]) -> None:  # noqa: D102
        self._file.write("".join(map(self._line, rows)).encode())

    def close(self) -> None:  # noqa: D102
        self._files.close()


def open_writer(format_: Format, file: Path, compression: Compression, metadata: Mapping[str, str]) -> Writer:
    """A file of this format, begun. Only Parquet has a place for metadata, and compresses by itself.

    Raises:
        ConfigError: the library for it is not installed.
    """
    if format_ == "parquet":
        return ParquetWriter(file, metadata)
    if format_ == "jsonl":
        return TextWriter(file, json_line, compression)
    return TextWriter(file, csv_line, compression, head=",".join(NAMES) + "\r\n")


def json_line(row: Row) -> str:
    """The row as a line of JSON: times as ISO 8601 in UTC, lists as arrays, what is missing as null."""
    return json.dumps(dict(zip(NAMES, map(_plain, row), strict=True)), ensure_ascii=False) + "\n"


def csv_line(row: Row) -> str:
    """The row as CSV (RFC 4180): text always in quotes, lists as JSON; what is missing is empty and not in quotes."""
    return ",".join(map(_csv_value, row)) + "\r\n"


def _csv_value(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case datetime():
            return str(_plain(value))
        case str():
            return '"' + value.replace('"', '""') + '"'
        case _:
            return _csv_value(json.dumps(value, ensure_ascii=False))


def _plain(value: object) -> object:
    return value.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(value, datetime) else value


def _compressed(raw: IO[bytes], compression: Compression) -> Any:  # noqa: ANN401  # a file to write to
    if compression == "zst":
        return zstandard.ZstdCompressor(level=6).stream_writer(raw, closefd=False)
    if compression == "gz":
        # Without a time and a name in it, equal rows make equal files.
        return gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0)
    return raw
