"""Ways out of the archive: articles as Parquet, JSON lines or CSV, all of them or what changed since the last time."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryDirectory
from typing import IO, Any, Final

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError

from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.export.files import CursorFile, ExportFiles, named_compression, partition_of, suffix_of
from pipeline.export.formats import (
    NAMES,
    SELECTED,
    VERSION,
    Compression,
    ExportWriter,
    Format,
    Row,
    open_export_writer,
)
from pipeline.export.text_forms import TextForm, make_fields, make_forms
from pipeline.runtime.extras import load_extra
from pipeline.store.connection.engine import open_archive
from pipeline.store.connection.readonly import only_reading
from pipeline.store.queries.change_log import newest_cursor
from pipeline.store.queries.page_record import require_known_sites
from pipeline.store.queries.selection import EVERYTHING, ChangeSpan, Partition, Selection, select_deleted, select_rows

__all__ = ["ExportPlan", "ExportResult", "export_articles", "export_day", "stream_articles"]

_IS_GONE: Final = NAMES.index("deleted")
_DELETED: Final = (None,) * (len(SELECTED) - 4)


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """What is to be exported, and where to.

    Attributes:
        out: a file where its name ends in the format (and ``.gz`` or ``.zst``), else a folder.
        compression: of JSON lines and CSV in a folder; files go by their name, Parquet always has zstd inside.
        cursor: the file that remembers how far exports have come; only what changed since is exported then.
        forms: forms of the text that have columns of their own.
        is_for_excel: of CSV: with a byte order mark, and no cell that a spreadsheet would run as a formula.
    """

    format: Format
    out: Path
    selection: Selection = EVERYTHING
    partition: Partition | None = None
    compression: Compression = "none"
    cursor: Path | None = None
    forms: tuple[TextForm, ...] = ()
    is_for_excel: bool = False


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What came of an export.

    Attributes:
        rows: articles written.
        deleted: rows of articles that were taken down since the export before.
        cursor: how far exports have come; None without one.
    """

    rows: int
    deleted: int
    files: tuple[Path, ...]
    bytes: int
    cursor: str | None


def export_articles(engine: Engine, plan: ExportPlan, report: Callable[[int], None] = lambda _: None) -> ExportResult:
    """Write what the plan says; its files, and then the cursor, are there whole or not at all.

    ``report`` is called with the number of rows so far. Files of the same name are replaced: the same export twice is
    the same as once.

    Raises ConfigError: the plan cannot be carried out: a condition that is no SQL, a library that is missing, a
    cursor of another archive or selection.
    """
    if plan.format == "parquet":
        load_extra("pyarrow", "export")
    compression = named_compression(plan.out.name, plan.format)
    is_file = compression is not None
    _check(plan, is_file=is_file)
    asked = _asked(plan.selection)
    mark = CursorFile(plan.cursor, asked) if plan.cursor else None
    with only_reading(engine) as connection:
        require_known_sites(connection, plan.selection.sites)
        span = _span(connection, mark) if mark else None
        selection = replace(plan.selection, changed=span)
        metadata = _metadata(asked, span)
        used = compression or plan.compression

        def target(folder: str, *, is_gone: bool = False) -> Path:
            # Named by where it begins: an export that was cut off before the cursor moved is replaced by the next.
            name = "articles" if span is None else f"{'deletions' if is_gone else 'changes'}-{span.after}"
            return plan.out if is_file else plan.out / folder / (name + suffix_of(plan.format, used))

        def opened(file: Path) -> ExportWriter:
            fields = make_fields(plan.forms)
            return open_export_writer(plan.format, file, used, fields, metadata, is_for_excel=plan.is_for_excel)

        with ExportFiles(opened) as files:
            counts = _write(connection, files, target, replace(plan, selection=selection), report)
            if not any(counts) and (is_file or not (plan.partition or span)):
                files.write(target(""), [])  # no rows are an answer, too
            written = files.publish()
    if mark and span:
        mark.move(span.upto)
    return ExportResult(*counts, written, sum(file.stat().st_size for file in written), span.upto if span else None)


def stream_articles(engine: Engine, plan: ExportPlan, stream: IO[bytes]) -> ExportResult:
    """Write what the plan says to a stream, once it is whole; ``plan.out`` says nothing then.

    Raises ConfigError: as of `export_articles`, or the plan needs files of its own.
    """
    if plan.format == "parquet" or plan.partition or plan.cursor:
        raise ConfigError("Parquet, --partition-by and --cursor need files: give --out a name; - takes jsonl and csv")
    with TemporaryDirectory() as folder:
        file = Path(folder) / ("articles" + suffix_of(plan.format, plan.compression))
        result = export_articles(engine, replace(plan, out=file))
        with file.open("rb") as source:
            copyfileobj(source, stream)
    return replace(result, files=())


def export_day(settings: Settings, day: date) -> ExportResult:
    """Write the articles first stored on a UTC day, as they are now, into one Parquet file below the export folder.

    The file is there for days without articles, too, and the same day makes the same file again.

    Raises ConfigError: a library that is missing, or a database that is not of this version.
    """
    begin = datetime.combine(day, datetime.min.time(), UTC)
    out = Path(settings.export_dir) / f"day={day}" / "articles.parquet"
    plan = ExportPlan("parquet", out, Selection(begin, begin + timedelta(days=1), "stored"))
    with open_archive(settings) as engine:
        return export_articles(engine, plan)


def _write(
    connection: Connection,
    files: ExportFiles,
    target: Callable[..., Path],
    plan: ExportPlan,
    report: Callable[[int], None],
) -> tuple[int, int]:
    counts = {True: 0, False: 0}
    for rows in _batches(connection, plan):
        is_gone = rows[0][_IS_GONE]
        for folder, part in groupby(
            rows, lambda row: partition_of(row, plan.partition, plan.selection) if plan.partition else ""
        ):
            files.write(target(folder, is_gone=is_gone), list(part))
        counts[is_gone] += len(rows)
        report(sum(counts.values()))
    return counts[False], counts[True]


def _batches(connection: Connection, plan: ExportPlan) -> Iterator[Sequence[Row]]:
    selection = plan.selection
    end = selection.changed.upto if selection.changed else None
    try:
        for rows in select_rows(connection, selection, SELECTED, plan.partition):
            yield [(*row, False, end, *make_forms(row, plan.forms)) for row in rows]
    except DBAPIError as error:
        if selection.where is None or error.connection_invalidated:
            raise
        raise ConfigError(f"--where {selection.where!r}: {str(error.orig).strip()}") from error
    if selection.changed:
        forms = (None,) * len(plan.forms)
        for gone in select_deleted(connection, selection.changed, selection.sites):
            yield [(id_, None, url, site, *_DELETED, True, end, *forms) for id_, url, site in gone]


def _span(connection: Connection, mark: CursorFile) -> ChangeSpan:
    # Read before the articles are: what they show beyond it comes again in the next export, and nothing is missed.
    after, upto = mark.read(), newest_cursor(connection)
    if after is not None and after > upto:
        raise ConfigError(f"{mark.file} is ahead of this archive: it belongs to another one")
    return ChangeSpan(after or "0" * len(upto), upto)


def _check(plan: ExportPlan, *, is_file: bool) -> None:
    if plan.out == Path("-"):
        raise ConfigError("a file or a folder named - is no good name: give --out another")
    if plan.is_for_excel and plan.format != "csv":
        raise ConfigError("--excel is for csv")
    if is_file and plan.partition:
        raise ConfigError(f"partitions are folders: {plan.out} names a file")
    if is_file and plan.cursor and plan.out.exists():
        raise ConfigError(f"{plan.out} holds what changed before: give each export with a cursor a file of its own")
    if is_file and plan.out.is_dir():
        raise ConfigError(f"{plan.out} is a folder")
    if not is_file and plan.out.is_file():
        raise ConfigError(f"{plan.out} is a file, and its name is not that of {plan.format}")


def _asked(selection: Selection) -> dict[str, Any]:
    facts = asdict(selection)
    del facts["changed"]
    plain = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in facts.items()}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items() if value}


def _metadata(asked: dict[str, Any], span: ChangeSpan | None) -> dict[str, str]:
    facts = {
        "news.schema_version": VERSION,
        "news.exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "news.selection": json.dumps(asked, ensure_ascii=False),
    }
    return facts | ({"news.cursor": span.upto, "news.after": span.after} if span else {})
