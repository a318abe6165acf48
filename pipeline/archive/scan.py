"""Reading our own WARC files around damage: all whole records, and the spans of bytes in which none stands."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from io import SEEK_END
from typing import IO

from pipeline.archive.member import (
    ANSWERS,
    CHUNK,
    GZIP,
    STATUS_LINE,
    Positions,
    WarcMember,
    is_sound,
    parse_record_id,
    read_members,
)


@dataclass(frozen=True, slots=True)
class DamagedSpan:
    """Bytes of a file in which no whole record stands."""

    offset: int
    length: int

    @property
    def end(self) -> int:
        """The byte behind it."""
        return self.offset + self.length


@dataclass(slots=True)
class FileSurvey:
    """The content of a file.

    Attributes:
        answers: its whole response and revisit records, without their data.
        damage: the spans between and behind whole records.
        members: number of whole records of any type.
        unsound: number of records whose digest is not that of their content.
        lost: UUIDs of records that should be in the file and are not.
    """

    answers: list[WarcMember] = field(default_factory=list)
    damage: list[DamagedSpan] = field(default_factory=list)
    members: int = 0
    unsound: int = 0
    lost: set[str] = field(default_factory=set)

    @property
    def positions(self) -> dict[str, tuple[int, int]]:
        """Where the answers stand."""
        return {member.record_id: (member.offset, member.length) for member in self.answers}


def scan_members(stream: IO[bytes], starts: Collection[int] = ()) -> Iterator[WarcMember | DamagedSpan]:
    """All whole records of a file, and the damage between and behind them.

    Records were written at ``starts``: behind damage only a record counts that begins at one of them or names the
    file's own ``warcinfo``, since a page may hold what looks like a record.
    """
    end, file_id = 0, _find_file_id(stream, starts)
    while True:
        for member in read_members(stream, end):
            end = member.offset + member.length
            yield member
        size = stream.seek(0, SEEK_END)
        if end >= size:
            return
        onward = _find_member(stream, end + 1, starts, file_id)
        yield DamagedSpan(end, (size if onward is None else onward) - end)
        if onward is None:
            return
        end = onward


def survey_members(stream: IO[bytes], known: Positions) -> FileSurvey:
    """Read a file, and compare it with where records are known to stand."""
    survey = FileSurvey()
    for piece in scan_members(stream, {offset for offset, _ in known.values()}):
        if isinstance(piece, DamagedSpan):
            survey.damage.append(piece)
            continue
        survey.members += 1
        survey.unsound += not is_sound(piece)
        if piece.type in ANSWERS:
            survey.answers.append(replace(piece, data=b"", block=piece.block[:STATUS_LINE]))
    survey.lost = known.keys() - survey.positions.keys()
    return survey


def _find_file_id(stream: IO[bytes], starts: Collection[int]) -> str | None:
    """The UUID of the ``warcinfo`` that the records of a file name; None where nothing tells."""
    head = next(read_members(stream), None)
    if head is not None:
        return head.record_id if head.type == "warcinfo" else _named_file_id(head)
    members = (next(read_members(stream, start), None) for start in sorted(starts))
    return next((_named_file_id(member) for member in members if member is not None), None)


def _named_file_id(member: WarcMember) -> str:
    return parse_record_id(member.fields.get("warc-warcinfo-id", ""))


def _find_member(stream: IO[bytes], offset: int, starts: Collection[int], file_id: str | None) -> int | None:
    """Where the next whole record of this file begins; None where none does."""
    tail = b""
    stream.seek(offset)
    while chunk := stream.read(CHUNK):
        joined, base = tail + chunk, offset - len(tail)
        index = joined.find(GZIP)
        while index >= 0:
            member = next(read_members(stream, base + index), None)
            if member is not None and (file_id in {None, _named_file_id(member)} or member.offset in starts):
                return member.offset
            index = joined.find(GZIP, index + 1)
        offset += len(chunk)
        tail = joined[1 - len(GZIP) :]
        stream.seek(offset)
    return None
