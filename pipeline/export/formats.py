"""The schema of exported files, and rows written in each format as they come; nothing is held but one batch.

Names, order and meaning are those of the view `v_article`, with two differences: what the view joins to text are
lists, and two columns at the end serve incremental exports.
"""

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, Any, Final, Literal, Protocol

import zstandard

from pipeline.runtime.extras import load_extra
from pipeline.store.schema.article_columns import SEPARATORS
from pipeline.store.schema.tables import ArticleRow, UtcDateTime
from pipeline.store.schema.views import VIEWS, Column

VERSION: Final = "1"
"""Of the schema. A new one where a column goes, changes its type, or means something else; not for new columns."""

Kind = Literal["int64", "string", "list<string>", "list<block>", "timestamp", "bool", "double"]


@dataclass(frozen=True, slots=True)
class ExportField:
    """A column of an exported file; timestamps are in UTC, in microseconds."""

    name: str
    kind: Kind
    is_required: bool
    comment: str


_KINDS: Final[dict[type, Kind]] = {int: "int64", float: "double", bool: "bool"}
_ARTICLE: Final = next(view for view in VIEWS if view.name == "v_article")


def _field(column: Column) -> ExportField:
    if column.name in SEPARATORS:  # the view joins lists to text, and says so; files have what the table has
        return ExportField(column.name, "list<string>", False, str(ArticleRow.__table__.columns[column.name].comment))
    is_time = isinstance(column.type, UtcDateTime)
    kind: Kind = "timestamp" if is_time else _KINDS.get(column.type.python_type, "string")
    return ExportField(column.name, kind, column.name == "article_id", column.comment)


FIELDS: Final = (
    *map(_field, _ARTICLE.columns),
    ExportField(
        "deleted",
        "bool",
        True,
        "whether the article was taken down since the export before: then all but article_id, url and site is null",
    ),
    ExportField(
        "cursor",
        "string",
        False,
        "where in the changes of the archive this export stands; of several rows of an article the highest holds."
        " Null in exports without a cursor",
    ),
)
"""The columns of exported files, in order."""

NAMES: Final = tuple(field.name for field in FIELDS)
SELECTED: Final = NAMES[:-2]
"""What is read of the view; the other two are the export's own."""

Format = Literal["parquet", "jsonl", "csv"]
Compression = Literal["none", "zst", "gz"]
Row = tuple[Any, ...]

GROUP_ROWS: Final = 20_000
"""Most rows of a row group of Parquet."""

GROUP_CHARACTERS: Final = 16 * 2**20
"""Characters of text after which a row group ends: it is what is held in memory. Readers want groups of some MB too."""

_TEXT: Final = NAMES.index("text")


class ExportWriter(Protocol):
    """A file that is being written."""

    def write(self, rows: Sequence[Row]) -> None:
        """Add rows, their values in the order of the schema."""

    def close(self) -> None:
        """Write what is left; the file is whole then."""


def arrow_schema(fields: Sequence[ExportField], metadata: Mapping[str, str]) -> Any:  # noqa: ANN401  # pyarrow.Schema
    """The schema of Parquet files, with this metadata; the comment of each column is in its own."""
    arrow = load_extra("pyarrow", "export")
    types = {
        "int64": arrow.int64(),
        "string": arrow.string(),
        "bool": arrow.bool_(),
        "double": arrow.float64(),
        "list<string>": arrow.list_(arrow.string()),
        "list<block>": arrow.list_(
            arrow.struct([("kind", arrow.string()), ("level", arrow.int64()), ("text", arrow.string())])
        ),
        "timestamp": arrow.timestamp("us", tz="UTC"),
    }
    columns = [
        arrow.field(field.name, types[field.kind], not field.is_required, {"comment": field.comment})
        for field in fields
    ]
    return arrow.schema(columns, dict(metadata))


class ParquetWriter:
    """Parquet, compressed with zstd."""

    def __init__(self, file: Path, fields: Sequence[ExportField], metadata: Mapping[str, str]) -> None:
        self._arrow, parquet = load_extra("pyarrow", "export"), load_extra("pyarrow.parquet", "export")
        self._schema = arrow_schema(fields, metadata)
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


def open_export_writer(
    format_: Format,
    file: Path,
    compression: Compression,
    fields: Sequence[ExportField],
    metadata: Mapping[str, str],
    *,
    is_for_excel: bool = False,
) -> ExportWriter:
    """A file of this format, begun. Only Parquet has a place for metadata, and compresses by itself.

    Raises ConfigError: the library for it is not installed.
    """
    if format_ == "parquet":
        return ParquetWriter(file, fields, metadata)
    names = [field.name for field in fields]
    if format_ == "jsonl":
        return TextWriter(file, partial(json_line, names), compression)
    head = ",".join(names) + "\r\n"
    if is_for_excel:  # which takes text without a mark for one in the code page of the country
        return TextWriter(file, excel_line, compression, head=f"\ufeff{head}")
    return TextWriter(file, csv_line, compression, head)


def json_line(names: Sequence[str], row: Row) -> str:
    """The row as a line of JSON: times as ISO 8601 in UTC, lists as arrays, what is missing as null."""
    return json.dumps(dict(zip(names, map(_plain, row), strict=True)), ensure_ascii=False) + "\n"


def csv_line(row: Row) -> str:
    """The row as CSV (RFC 4180): text always in quotes, lists as JSON; what is missing is empty and not in quotes."""
    return ",".join(map(_csv_value, row)) + "\r\n"


def excel_line(row: Row) -> str:
    """The row as `csv_line` has it, without cells that a spreadsheet would run as formulas.

    >>> guard_cell("=1+1"), guard_cell("1+1"), guard_cell(-1)
    ("'=1+1", '1+1', -1)
    """
    return csv_line(tuple(map(guard_cell, row)))


def guard_cell(value: object) -> object:
    """The value, with an apostrophe before text that a spreadsheet would take for a formula (OWASP, CSV injection)."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What formulas begin with; the wide forms of East Asia too, which some spreadsheets take for the narrow ones."""


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
