"""Rewriting files: taking records out, setting damaged bytes aside. The new file takes the old one's place at once."""

import os
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import ExitStack, contextmanager
from typing import IO, BinaryIO

import structlog

from pipeline.archive.folder import ASIDE, OPEN, WarcFolder, lock_file
from pipeline.archive.member import ANSWERS, CHUNK, Positions, WarcMember, parse_record_id
from pipeline.archive.scan import DamagedSpan, FileSurvey, scan_members, survey_members

log = structlog.get_logger("news")


def remove_records(
    folder: WarcFolder, name: str, dropped: AbstractSet[str], known: Positions
) -> dict[str, tuple[int, int]] | None:
    """Remove these records and their requests; returns where the others stand now.

    None if a living process writes to the file. Where none of them is in it (any more) the file stays as it is: what
    was interrupted may be done again. A file that holds nothing else goes. Damaged bytes stay, without those that a
    dropped record was written to.

    Raises:
        ArchiveError: the file is not there, or cannot be written.
    """
    with ExitStack() as held:
        if not _hold(folder, name, held):
            return None
        removal = _Removal(dropped, known)
        with folder.translated(name), folder.open(name) as stream, folder.new_part(name) as (part, out):
            for piece in scan_members(stream, {offset for offset, _ in known.values()}):
                if isinstance(piece, DamagedSpan):
                    removal.copy_damage(stream, out, piece)
                else:
                    removal.copy_member(out, piece)
        if removal.is_needed and removal.is_rest:
            folder.replace(name, part)
        else:
            part.unlink()
            if removal.is_needed:
                folder.remove(name)
        return removal.positions


def _hold(folder: WarcFolder, name: str, held: ExitStack) -> bool:
    """Lock a local file until the stack is closed; False if another process has it."""
    path = folder.find(name)
    own = lock_file(path) if path is not None else None
    if own is not None:
        held.enter_context(own)
    return path is None or own is not None


class _Removal:
    """What is copied of a file from which records are removed.

    Attributes:
        positions: where the answers that stay stand in the copy.
        is_needed: whether anything was left out.
        is_rest: whether the copy holds anything worth keeping.
    """

    def __init__(self, dropped: AbstractSet[str], known: Positions) -> None:
        self._dropped = dropped
        self._written = sorted((*position, record_id) for record_id, position in known.items())
        self.positions: dict[str, tuple[int, int]] = {}
        self.is_needed = False
        self.is_rest = False

    def copy_member(self, out: BinaryIO, member: WarcMember) -> None:
        if {member.record_id, parse_record_id(member.fields.get("warc-concurrent-to", ""))} & self._dropped:
            self.is_needed = True
            return
        if member.type in ANSWERS:
            self.is_rest = True
            self.positions[member.record_id] = (out.tell(), member.length)
        out.write(member.data)

    def copy_damage(self, stream: IO[bytes], out: BinaryIO, span: DamagedSpan) -> None:
        # A record reaches to the next one that is known, and with it its request.
        parts = [(span.offset, 0, ""), *(part for part in self._written if span.offset <= part[0] < span.end)]
        ends = [*(begin for begin, _, _ in parts[1:]), span.end]
        for (begin, length, record_id), end in zip(parts, ends, strict=True):
            if record_id in self._dropped:
                self.is_needed = True
                continue
            if record_id:
                self.positions[record_id] = (out.tell(), length)
            self.is_rest |= end > begin
            _copy(stream, out, begin, end)


def survey_file(folder: WarcFolder, name: str, known: Positions) -> FileSurvey:
    """Read a file, and compare it with where records are known to stand.

    Raises:
        ArchiveError: it is not there, or cannot be read.
    """
    with folder.translated(name), folder.open(name) as stream:
        return survey_members(stream, known)


@contextmanager
def repair_file(folder: WarcFolder, name: str, known: Positions) -> Iterator[FileSurvey | None]:
    """Hold a file while it is repaired and noted; gives what it holds now, or None if a living process writes to it.

    Damaged bytes are set aside, each span in a file beside this one that names its offset. All whole records stay. Of a
    file that a crash left open, a last record that nobody knows of yet was being written: it is cut off. At the end of
    the block such a file is finished.

    Raises:
        ArchiveError: the file is not there, or cannot be written.
    """
    with ExitStack() as held:
        if not _hold(folder, name, held):
            yield None
            return
        survey = survey_file(folder, name, known)
        with folder.translated(name):
            if survey.damage:
                survey = _set_aside(folder, name, survey, known, held)
            if not survey.members:
                folder.remove(name)
        yield survey
        path = folder.find(name)
        if path is not None and path.name.endswith(OPEN):
            with folder.translated(name):
                path.rename(path.with_name(name))


def _set_aside(folder: WarcFolder, name: str, survey: FileSurvey, known: Positions, held: ExitStack) -> FileSurvey:
    path, last = folder.find(name), survey.damage[-1]
    is_left = path is not None and path.name.endswith(OPEN)
    size = folder.size(name)
    # A record that was being written when the process died is no damage: nobody knows of it yet.
    is_torn = is_left and last.end == size and not survey.lost
    aside = survey.damage[:-1] if is_torn else survey.damage
    for span in aside:
        with folder.open(name) as stream:
            folder.set_aside(f"{name}{ASIDE}{span.offset}", stream, span.offset, span.length)
    facts = {"torn": sum(span.length for span in survey.damage), "set_aside": len(aside), "lost": len(survey.lost)}
    log.warning("repair", file=name, outcome="repaired", records=len(survey.answers), **facts)
    if not survey.members:
        return survey
    if path is not None and survey.damage == [last] and last.end == size:
        with path.open("r+b") as file:
            file.truncate(last.offset)
            os.fsync(file.fileno())
        return survey
    return _leave_out(folder, name, survey, known, held)


def _leave_out(folder: WarcFolder, name: str, survey: FileSurvey, known: Positions, held: ExitStack) -> FileSurvey:
    """Rewrite a file without its damaged spans; the copy is ours until all is noted, as the file was."""
    with folder.open(name) as stream, folder.new_part(name) as (part, out):
        begin = 0
        for span in [*survey.damage, DamagedSpan(folder.size(name), 0)]:
            _copy(stream, out, begin, span.offset)
            begin = span.end
    own = lock_file(part)
    if own is not None:
        held.enter_context(own)
    folder.replace(name, part)
    return survey_file(folder, name, known)


def _copy(stream: IO[bytes], out: BinaryIO, begin: int, end: int) -> None:
    stream.seek(begin)
    while begin < end and (chunk := stream.read(min(CHUNK, end - begin))):
        out.write(chunk)
        begin += len(chunk)


def list_left_files(folder: WarcFolder) -> list[str]:
    """The names of files that are open: those that nobody locks were left by a crash."""
    return [path.name.removesuffix(OPEN) for path in folder.local() if path.name.endswith(OPEN)]
