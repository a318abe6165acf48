"""Raw copies read, and records taken out of their files."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy.engine import Engine

from pipeline.archive.place import Place
from pipeline.archive.read import read_response
from pipeline.archive.rewrite import take_out
from pipeline.errors import ArchiveError
from pipeline.model import Response
from pipeline.store.engine import reading, write
from pipeline.store.raw import dropped_records, forget_records, move_records, raw_row


def read_copy(engine: Engine, place: Place, row: Mapping[str, Any], max_bytes: int) -> Response:
    """The answer that a row of `raw` speaks of, with the body of the earlier one where it refers to that.

    Raises:
        ArchiveError: it is not there, or not what it should be.
    """
    response = _response(engine, place, row, max_bytes)
    if row["refers_to"] is None:
        return response
    with reading(engine) as connection:
        original = raw_row(connection, row["refers_to"])
    if original is None:
        raise ArchiveError(f"raw copy {row['id']} of {row['url']}: the one with its body was removed")
    return replace(response, body=_response(engine, place, original, max_bytes).body)


def _response(engine: Engine, place: Place, row: Mapping[str, Any], max_bytes: int) -> Response:
    try:
        return _read(place, row, max_bytes)
    except ArchiveError as error:
        # Its file may have been rewritten since we asked where it is.
        with reading(engine) as connection:
            now = raw_row(connection, row["id"])
        if now is None or now["file_offset"] == row["file_offset"]:
            raise ArchiveError(f"{row['file']}, byte {row['file_offset']:,}: {error}") from error
        return _read(place, now, max_bytes)


def _read(place: Place, row: Mapping[str, Any], max_bytes: int) -> Response:
    data = place.read(row["file"], row["file_offset"], row["file_length"])
    return read_response(data, row["record_id"], max_bytes)


def purge(engine: Engine, place: Place, progress: Callable[[str], None] = lambda file: None) -> list[str]:
    """Take the records that were dropped out of their files; returns the files that a living process writes to.

    May be broken off anywhere: what was not noted as done is done again.
    """
    with reading(engine) as connection:
        dropped = dropped_records(connection)
    known = set(place.names())
    busy = []
    for file, record_ids in sorted(dropped.items()):
        progress(file)
        if file not in known:
            write(engine, forget_records, file, sorted(record_ids))
            continue
        positions = take_out(place, file, record_ids)
        if positions is None:
            busy.append(file)
        else:
            write(engine, move_records, file, positions)
    return busy
