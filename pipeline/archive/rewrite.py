"""Taking records out of a file: what stays is copied as it is, and the new file takes the old one's place at once."""

import os
from collections.abc import Set as AbstractSet
from contextlib import ExitStack

from pipeline.archive.place import Place, lock
from pipeline.archive.read import Member, bare_id, read_members
from pipeline.errors import ArchiveError

Positions = dict[str, tuple[int, int]]
"""Where records stand, by their UUIDs: offset and length."""


def take_out(place: Place, name: str, dropped: AbstractSet[str]) -> Positions | None:
    """Remove these records and their requests; returns where the others stand now.

    None where a living process writes to the file. Where none of them is in it (any more), it stays as it is: what
    was broken off may be done again. A file that holds nothing else goes.

    Raises:
        ArchiveError: it is not there, or cannot be written.
    """
    with ExitStack() as held:
        path = place.find(name)
        if path is not None:
            mine = lock(path)
            if mine is None:
                return None
            held.enter_context(mine)
        rest, found, positions, end, read = False, False, {}, 0, 0
        part = place.folder / f"{name}.part"
        place.prepare()
        with place.open(name) as stream, part.open("wb") as out:
            for member in read_members(stream):
                read = member.offset + member.length
                if _is_of(member, dropped):
                    found = True
                    continue
                if member.type in {"response", "revisit"}:
                    rest = True
                    positions[member.record_id] = (end, member.length)
                out.write(member.data)
                end += member.length
            out.flush()
            os.fsync(out.fileno())
        if found and read != place.size(name):
            part.unlink()
            raise ArchiveError(f"raw archive, {name}: damaged at byte {read:,}; what is behind it would be lost")
        if found and rest:
            place.replace(name, part)
        else:
            part.unlink()
        if found and not rest:
            place.remove(name)
        return positions


def _is_of(member: Member, dropped: AbstractSet[str]) -> bool:
    return member.record_id in dropped or bare_id(member.fields.get("warc-concurrent-to", "")) in dropped
