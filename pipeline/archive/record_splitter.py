"""Records made of a stream of inflated bytes; a broken one costs no more than itself."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.archive.member import HEAD_END, MAX_HEAD, parse_arc_line, parse_fields

FIRST = b"WARC/"
_FIRST_LINE = re.compile(rb"WARC/\d\.\d{1,2}\r*\n")
_MAX_FIRST = 16
"""Bytes that may be the beginning of a first line."""

_LINE_ENDS = b"\r\n"
_MAX_TAIL = 6
"""Bytes of line ends behind a record, which belong to it: two of them, also where each is CR CR LF."""


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One record, or what is wrong where one should be.

    Attributes:
        end: the byte from which to continue, to get what follows.
        fields: of the record's head, names in lower case.
        block: its content, inflated; empty if something is wrong, or the record is of no wanted type.
        flaw: what is wrong: ``broken``, ``cut`` or ``too_large``.
    """

    end: int
    fields: dict[str, str]
    block: bytes = b""
    flaw: str | None = None


class RecordSplitter:
    """Splits inflated bytes into records.

    Args:
        types: values of ``WARC-Type`` whose records are wanted with their content.
        max_record: largest record in bytes; of larger ones only the head is given.

    Attributes:
        consumed: bytes up to the end of the last record that was given.
        fields: of the head of a record that is not whole yet.
    """

    def __init__(self, types: frozenset[str], max_record: int) -> None:
        self._types = types
        self._max = max_record
        self._buffer = bytearray()
        self._skip = 0
        self._block = 0, 0  # where the block of the record at hand begins and ends, once its head has been read
        self._is_lost = False
        self.consumed = 0
        self.fields: dict[str, str] = {}

    def feed(self, data: bytes) -> Iterator[StreamRecord]:
        """Take some bytes; gives the records that they complete."""
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            self.consumed += skipped
            data = data[skipped:]
        self._buffer += data
        while not self._skip and (record := self._next(is_end=False)) is not None:
            yield record

    def finish(self) -> Iterator[StreamRecord]:
        """Give what is left at the end: the last record, or one that was cut off."""
        while not self._skip and (record := self._next(is_end=True) or self._cut_short()) is not None:
            yield record
        if self._skip or self._buffer.strip():
            yield StreamRecord(0, self.fields, flaw="cut")

    def _next(self, *, is_end: bool) -> StreamRecord | None:
        if not self._block[1]:
            self._drop(len(self._buffer) - len(self._buffer.lstrip(_LINE_ENDS)))
            if len(self._buffer) < len(FIRST):
                return None
            head = _read_head(self._buffer)
            if head is None:
                is_begun = self._buffer.startswith(FIRST) or (b"\n" not in self._buffer and not is_end)
                return None if is_begun and len(self._buffer) < MAX_HEAD else self._resync()
            self._is_lost = False
            self.fields, begin = head
            length = self.fields.get("content-length", "")
            if not (length.isascii() and length.isdecimal()) or len(length) > 15:
                return self._resync()
            self._block = begin, begin + int(length)
        begin, end = self._block
        is_wanted = self.fields.get("warc-type") in self._types
        if end > self._max:
            return self._given(end, b"", "too_large" if is_wanted else None)
        tail = self._buffer[end : end + _MAX_TAIL]
        if len(self._buffer) < end or (not is_end and len(tail) < _MAX_TAIL and not tail.strip(_LINE_ENDS)):
            return None
        if tail and tail[:1] not in _LINE_ENDS and not self._buffer.startswith(FIRST, end):
            if len(self._buffer) < end + _MAX_FIRST and not is_end:
                return None
            if (cut_short := self._cut_short()) is not None:
                return cut_short
        block = bytes(memoryview(self._buffer)[begin:end]) if is_wanted else b""
        return self._given(end + len(tail) - len(tail.lstrip(_LINE_ENDS)), block, None)

    def _cut_short(self) -> StreamRecord | None:
        """The record at hand, broken, if its length reaches into the next one: bytes of it were lost, or digits."""
        begin, end = self._block
        following = _FIRST_LINE.search(self._buffer, begin, end + _MAX_FIRST)
        if not end or following is None or following.start() >= end:
            return None
        return self._given(following.start(), b"", "broken")

    def _given(self, size: int, block: bytes, flaw: str | None) -> StreamRecord:
        record = StreamRecord(0, self.fields, block, flaw)
        self._skip = max(0, size - len(self._buffer))
        self._drop(min(size, len(self._buffer)))
        self._block, self.fields = (0, 0), {}
        return record

    def _resync(self) -> StreamRecord | None:
        """Look for the next first line; said once, however far that is."""
        first = _FIRST_LINE.search(self._buffer, 1)
        is_new, self._is_lost = not self._is_lost, True
        self._drop(first.start() if first else max(0, len(self._buffer) - _MAX_FIRST))
        fields, self.fields, self._block = self.fields, {}, (0, 0)
        if is_new:
            return StreamRecord(0, fields, flaw="broken")
        return self._next(is_end=False) if first else None

    def _drop(self, size: int) -> None:
        del self._buffer[:size]
        self.consumed += size


def _read_head(buffer: bytearray) -> tuple[dict[str, str], int] | None:
    """The fields of the head that a buffer begins with, and its length; None if it is no head, or not a whole one."""
    if not buffer.startswith(FIRST):
        return parse_arc_line(buffer)
    end = HEAD_END.search(buffer, 0, MAX_HEAD)
    if end is None:
        return None
    fields = parse_fields(bytes(buffer[: end.start()]))
    if "warc-type" in fields:
        fields["warc-type"] = fields["warc-type"].lower()  # some write "Response"
    return fields, end.end()
