"""Reading archived responses, taking records out of their files, and forgetting by rule."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy.engine import Engine

from pipeline.archive.folder import WarcFolder
from pipeline.archive.reader import read_response
from pipeline.archive.rewrite import remove_records
from pipeline.errors import ArchiveError
from pipeline.model import Response
from pipeline.runtime.raw_recorder import require_files
from pipeline.store.articles.expired import KINDS, RetentionRules, prune_batch
from pipeline.store.articles.raw_index import (
    forget_records,
    load_dropped_records,
    load_raw_row,
    load_record_positions,
    move_records,
)
from pipeline.store.connection.engine import reading, write


def read_archived_response(engine: Engine, folder: WarcFolder, row: Mapping[str, Any], max_bytes: int) -> Response:
    """Read the answer of a row of `raw`, with the body of the earlier one if it refers to that.

    Raises ArchiveError: it is not there, or not what was noted.
    """
    response = _response(engine, folder, row, max_bytes)
    if row["refers_to"] is None:
        return response
    with reading(engine) as connection:
        original = load_raw_row(connection, row["refers_to"])
    if original is None:
        raise ArchiveError(f"archived response {row['id']} of {row['url']}: the one with its body was removed")
    return replace(response, body=_response(engine, folder, original, max_bytes).body)


def _response(engine: Engine, folder: WarcFolder, row: Mapping[str, Any], max_bytes: int) -> Response:
    try:
        return _read(folder, row, max_bytes)
    except ArchiveError as error:
        # Its file may have been rewritten since we asked where it is.
        with reading(engine) as connection:
            moved = load_raw_row(connection, row["id"])
        if moved is None or moved["file_offset"] == row["file_offset"]:
            raise ArchiveError(f"{row['file']}, byte {row['file_offset']:,}: {error}") from error
        return _read(folder, moved, max_bytes)


def _read(folder: WarcFolder, row: Mapping[str, Any], max_bytes: int) -> Response:
    data = folder.read(row["file"], row["file_offset"], row["file_length"])
    return read_response(data, row["record_id"], max_bytes, has_body=row["refers_to"] is None)


def purge_dropped(engine: Engine, folder: WarcFolder, progress: Callable[[str], None] = lambda file: None) -> list[str]:
    """Take the records that were dropped out of their files; returns the files that a living process writes to.

    May be interrupted anywhere: what was not noted as done is done again.

    Raises ArchiveError: the folder is not there, or a file of it cannot be written.
    """
    with reading(engine) as connection:
        dropped = load_dropped_records(connection)
    if not dropped:
        return []
    names = folder.names()
    with reading(engine) as connection:
        require_files(connection, folder, names)
    busy = []
    for file, record_ids in sorted(dropped.items()):
        progress(file)
        if file not in names:
            write(engine, forget_records, file, sorted(record_ids))
            continue
        with reading(engine) as connection:
            known = load_record_positions(connection, file)
        positions = remove_records(folder, file, record_ids, known)
        if positions is None:
            busy.append(file)
        else:
            write(engine, move_records, file, positions, known)
    return busy


def prune(
    engine: Engine,
    folder: WarcFolder | None,
    rules: RetentionRules,
    progress: Callable[[str, int], None] = lambda kind, done: None,
) -> tuple[dict[str, int], list[str]]:
    """Forget what the rules say; returns the number of each kind, and the files that a living process writes to.

    Raises ArchiveError: archived responses cannot be removed; they are marked, and removed the next time.
    """
    done = dict.fromkeys(KINDS, 0)
    for kind in KINDS:
        while pruned := write(engine, prune_batch, rules, kind):
            done[kind] += pruned
            progress(kind, done[kind])
    return done, purge_dropped(engine, folder) if folder is not None else []
