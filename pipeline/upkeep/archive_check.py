"""Comparing the files of the raw archive with what SQL says of them, and making them agree again."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.engine import Engine

from pipeline.archive.folder import OPEN, WarcFolder, lock_file
from pipeline.archive.member import Positions
from pipeline.archive.rewrite import repair_file, survey_file
from pipeline.archive.scan import FileSurvey
from pipeline.runtime.raw_recorder import note_records, require_files
from pipeline.store.articles.raw_index import list_raw_files, load_record_positions
from pipeline.store.connection.engine import reading, write
from pipeline.upkeep.raw_copies import purge_dropped


@dataclass(frozen=True, slots=True)
class FileCheck:
    """One file.

    Attributes:
        state: ``finished``, ``busy`` (a living process writes to it), ``left`` (by one that died), ``missing``.
        records: answers in it.
        torn: bytes in which no whole record stands, at its end or between records.
        damaged: records whose digest is not that of their content.
        not_noted: records that SQL does not know, or knows at another place.
        not_there: rows of SQL whose record is not in it.
    """

    file: str
    state: str
    records: int = 0
    torn: int = 0
    damaged: int = 0
    not_noted: int = 0
    not_there: int = 0

    @property
    def is_wrong(self) -> bool:
        """Whether something does not agree; what a living process writes may just not be noted yet."""
        if self.state == "busy":
            return False
        return bool(self.torn or self.damaged or self.not_noted or self.not_there)

    def as_dict(self) -> dict[str, Any]:
        """By name."""
        return asdict(self)


def check_archive(
    engine: Engine,
    folder: WarcFolder,
    progress: Callable[[str], None] = lambda file: None,
    *,
    repair: bool = False,
    forget_missing: bool = False,
) -> list[FileCheck]:
    """Read all files and compare them with SQL; returns what was found before any repair.

    ``repair`` makes files and notes agree: all whole records are noted, damaged bytes set aside, rows of records
    that do not read any more forgotten; with ``forget_missing`` even if none of the files is there.

    Raises ArchiveError: the folder cannot be listed, or a file not be read; or there is none of the files to be
    repaired.
    """
    names = set(folder.names())
    with reading(engine) as connection:
        noted = list_raw_files(connection)
        if repair and not forget_missing:
            require_files(connection, folder, sorted(names))
    checks = []
    for name in sorted(names | noted):
        with reading(engine) as connection:
            known = load_record_positions(connection, name)
        if name in names:
            checks.append(_check_file(folder, name, known))
        else:
            checks.append(FileCheck(name, "missing", not_there=len(known)))
        if repair and (checks[-1].is_wrong or checks[-1].state == "left"):
            _repair(engine, folder, checks[-1], known)
        progress(name)
    if names & noted or forget_missing:
        purge_dropped(engine, folder)
    return checks


def _check_file(folder: WarcFolder, name: str, known: Positions) -> FileCheck:
    state = _state(folder, name)
    survey = survey_file(folder, name, known)
    return FileCheck(
        file=name,
        state=state,
        records=len(survey.answers),
        torn=sum(span.length for span in survey.damage),
        damaged=survey.unsound,
        not_noted=sum(known.get(record_id) != position for record_id, position in survey.positions.items()),
        not_there=len(survey.lost),
    )


def _repair(engine: Engine, folder: WarcFolder, check: FileCheck, known: Positions) -> None:
    if check.state == "missing":
        write(engine, note_records, check.file, known, FileSurvey())
        return
    with repair_file(folder, check.file, known) as survey:
        if survey is not None:
            write(engine, note_records, check.file, known, survey)


def _state(folder: WarcFolder, name: str) -> str:
    path = folder.find(name)
    if path is None or not path.name.endswith(OPEN):
        return "finished"
    own = lock_file(path)
    if own is None:
        return "busy"
    own.close()
    return "left"
