"""A file of any size, read as it comes."""

from collections.abc import AsyncIterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Download:
    """A file that is being read.

    Attributes:
        chunks: its bytes, as sent, from the byte on that was asked for.
        size: bytes of the whole file, where the server says so.
    """

    chunks: AsyncIterator[bytes]
    size: int | None


def size_of(status: int, length: str | None, content_range: str | None, offset: int) -> int | None:
    """The size of the whole file by the headers of an answer.

    >>> size_of(206, "50", "bytes 50-99/100", 50), size_of(200, "100", None, 50), size_of(206, None, "bytes 5-9/*", 5)
    (100, 100, None)
    """
    total = (content_range or "").rpartition("/")[2].strip()
    if status == 206 and total.isdecimal():
        return int(total)
    if length is None or not length.strip().isdecimal():
        return None
    return int(length) + (offset if status == 206 else 0)


def begins_at(status: int, content_range: str | None) -> int | None:
    """The byte that an answer begins with; None where it does not say.

    >>> begins_at(206, "bytes 50-99/100"), begins_at(200, None), begins_at(206, "lines 1-2/3")
    (50, 0, None)
    """
    if status != 206:
        return 0
    unit, _, span = (content_range or "").strip().partition(" ")
    first = span.partition("-")[0].strip()
    return int(first) if unit.lower() == "bytes" and first.isdecimal() else None
