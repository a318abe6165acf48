"""Whether the files of the raw archive hold what SQL says they do, and nothing else."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.engine import Engine

from pipeline.archive.place import OPEN, Place, lock
from pipeline.archive.read import is_sound, read_members
from pipeline.archive.writer import finish_torn
from pipeline.ingest.keep import note_records, scan_file
from pipeline.store.engine import reading, write
from pipeline.store.raw import all_files, known_records
from pipeline.upkeep.copies import purge


@dataclass(frozen=True, slots=True)
class Checked:
    """One file.

    Attributes:
        state: ``finished``, ``busy`` (a living process writes to it), ``left`` (by one that died), ``missing``.
        records: answers in it.
        torn: bytes behind the last whole record.
        damaged: records whose digest is not theirs.
        not_noted: records that SQL does not know, or knows elsewhere.
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


def check(
    engine: Engine, place: Place, repair: bool, progress: Callable[[str], None] = lambda file: None
) -> list[Checked]:
    """Read all files; where asked for, make files and notes agree.

    Raises:
        ArchiveError: the place cannot be asked what is there, or a file of it not be read.
    """
    found = []
    if repair:
        for path in place.local():
            finish_torn(path)
    with reading(engine) as connection:
        noted = all_files(connection)
    there = set(place.names())
    for name in sorted(there | noted):
        checked = _check(engine, place, name, is_there=name in there)
        if repair and checked.is_wrong:
            members = [] if checked.state == "missing" else scan_file(place, name)
            write(engine, note_records, name, members)
        found.append(checked)
        progress(name)
    purge(engine, place)
    return found


def _check(engine: Engine, place: Place, name: str, *, is_there: bool) -> Checked:
    with reading(engine) as connection:
        known = known_records(connection, name)
    if not is_there:
        return Checked(name, "missing", not_there=len(known))
    here, damaged, end = {}, 0, 0
    with place.open(name) as stream:
        for member in read_members(stream):
            end = member.offset + member.length
            damaged += not is_sound(member)
            if member.type in {"response", "revisit"}:
                here[member.record_id] = (member.offset, member.length)
    return Checked(
        file=name,
        state=_state(place, name),
        records=len(here),
        torn=place.size(name) - end,
        damaged=damaged,
        not_noted=sum(known.get(record_id) != where for record_id, where in here.items()),
        not_there=len(known.keys() - here.keys()),
    )


def _state(place: Place, name: str) -> str:
    path = place.find(name)
    if path is None or not path.name.endswith(OPEN):
        return "finished"
    held = lock(path)
    if held is None:
        return "busy"
    held.close()
    return "left"
