"""Any WARC file, read as it comes: one record in memory at a time, and a bad one costs no more than itself.

Works on chunks of bytes from a disk or the network, compressed by record (the rule), as a whole, or not at all. Where a
gzip member is broken or cut off, the next one is looked for right behind its beginning: what was taken for the rest of
it may be whole members. Where a record is, it is looked for behind its first line.

zlib-ng inflates as zlib does, in half the time.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from zlib_ng import zlib_ng

from pipeline.archive.read import MAX_HEAD

GZIP = b"\x1f\x8b\x08"
_FIRST = b"WARC/"
_END = b"\r\n\r\n"

MAX_RAW = 32 * 2**20
"""Compressed bytes of one member that are kept to look for the next one in, should it turn out broken."""

PIECE = 64 * 1024
"""Bytes that are taken, and that they are inflated to, at once: a bomb is noticed before it has gone off."""

PROBE = 4096
"""Bytes of what looks like a gzip member that are inflated to see whether a record begins there."""


@dataclass(frozen=True, slots=True)
class Found:
    """One record, or what is wrong where one should be.

    Attributes:
        end: the byte from which to go on reading, to get what follows.
        fields: of the record's head, names in lower case.
        data: the whole record, inflated; empty where something is wrong, or the record is of no wanted type.
        flaw: what is wrong: ``broken``, ``cut`` or ``too_large``.
    """

    end: int
    fields: dict[str, str]
    data: bytes = b""
    flaw: str | None = None


def read_stream(chunks: Iterable[bytes], start: int, types: frozenset[str], max_record: int) -> Iterator[Found]:
    """The records of a file from a byte on, at which one begins.

    Args:
        chunks: what the file holds from there on.
        start: that byte.
        types: values of ``WARC-Type`` whose records are wanted with their data.
        max_record: largest record in bytes; of larger ones only the head is given.
    """
    source = _Source(chunks, start)
    head = source.peek(len(_FIRST))
    if not head.startswith((GZIP, _FIRST)):
        head = source.peek(MAX_HEAD).lstrip()  # the first bytes may be what is broken
    is_plain = head.startswith(_FIRST) or GZIP not in head
    yield from _plain(source, types, max_record) if is_plain else _members(source, types, max_record)


class _Source:
    """Bytes that come in chunks, with a look ahead."""

    def __init__(self, chunks: Iterable[bytes], start: int) -> None:
        self._chunks = iter(chunks)
        self._ahead = b""
        self._taken = 0  # of what is ahead: cutting it off each time would copy the rest
        self.position = start

    def peek(self, size: int) -> bytes:
        """The next bytes, without taking them; fewer at the end."""
        while len(self._ahead) - self._taken < size and (chunk := next(self._chunks, b"")):
            self._ahead, self._taken = self._ahead[self._taken :] + chunk, 0
        return self._ahead[self._taken : self._taken + size]

    def take(self) -> bytes:
        """Some more bytes; none at the end."""
        if self._taken == len(self._ahead):
            self._ahead, self._taken = next(self._chunks, b""), 0
        taken = self._ahead[self._taken : self._taken + PIECE]
        self._taken += len(taken)
        self.position += len(taken)
        return taken

    def put_back(self, data: bytes) -> None:
        """Return what was taken last, to be taken again."""
        self.position -= len(data)
        if len(data) <= self._taken:
            self._taken -= len(data)  # it is still there
        else:
            self._ahead, self._taken = data + self._ahead[self._taken :], 0


def _plain(source: _Source, types: frozenset[str], max_record: int) -> Iterator[Found]:
    begin = source.position
    splitter = _Splitter(types, max_record)
    while data := source.take():
        for found in splitter.feed(data):
            yield Found(begin + splitter.consumed, found.fields, found.data, found.flaw)
    yield from (Found(source.position, found.fields, found.data, found.flaw) for found in splitter.finish())


def _members(source: _Source, types: frozenset[str], max_record: int) -> Iterator[Found]:
    while source.peek(1):
        begin = source.position
        if source.peek(len(GZIP)) != GZIP:
            _seek(source)
            yield Found(source.position, {}, flaw="broken")
            continue
        unpack = zlib_ng.decompressobj(wbits=31)
        splitter = _Splitter(types, max_record)
        raw = bytearray()
        held: list[Found] = []  # until it is known that no bytes of others are in it
        try:
            while not unpack.eof and (data := source.take()):
                raw += data
                while data and not unpack.eof:
                    for found in splitter.feed(unpack.decompress(data, PIECE)):
                        if found.flaw != "broken":
                            yield from held
                            held.clear()
                        # Whoever goes on from here begins with this member again: the one place to begin at.
                        held.append(Found(begin, found.fields, found.data, found.flaw))
                    data = unpack.unconsumed_tail
                if len(raw) > MAX_RAW:
                    raw.clear()
            is_broken = False
        except zlib_ng.error:  # type: ignore[misc]  # its stubs have it as an instance
            is_broken = True
        if unpack.eof and not is_broken:
            source.put_back(unpack.unused_data)
        else:
            source.put_back(bytes(raw[1:]))
            _seek(source)
            # Whatever follows was inflated as if it belonged to this one, so its last record holds bytes of others.
            is_broken = is_broken or bool(source.peek(1))
        rest = list(splitter.finish())
        if is_broken:
            fields = held[0].fields if held else splitter.fields
            held, rest = [], [Found(0, fields, flaw="broken" if source.peek(1) else "cut")]
        elif not (unpack.eof or held or rest):
            rest = [Found(0, splitter.fields, flaw="cut")]
        yield from (Found(source.position, found.fields, found.data, found.flaw) for found in [*held, *rest])


def _seek(source: _Source) -> None:
    """Go on to the next gzip member in which a record begins, or to the end."""
    tail = b""
    while data := source.take():
        joined = tail + data
        place = joined.find(GZIP)
        while place >= 0:
            ahead = joined[place : place + PROBE]
            if _is_member(ahead + source.peek(PROBE - len(ahead))):
                source.put_back(joined[place:])
                return
            place = joined.find(GZIP, place + 1)
        tail = joined[1 - len(GZIP) :]


def _is_member(data: bytes) -> bool:
    """Whether a record begins in a gzip member that begins so: three bytes alone are found by chance every 16 MiB."""
    try:
        return zlib_ng.decompressobj(wbits=31).decompress(data, PROBE).lstrip().startswith(_FIRST)
    except zlib_ng.error:  # type: ignore[misc]  # its stubs have it as an instance
        return False


class _Splitter:
    """Makes records of a stream of inflated bytes.

    Attributes:
        consumed: bytes up to the end of the last record that was given.
        fields: of the head of a record that is not whole yet.
    """

    def __init__(self, types: frozenset[str], max_record: int) -> None:
        self._types = types
        self._max = max_record
        self._buffer = bytearray()
        self._skip = 0
        self._wanted = 0
        self._is_lost = False
        self.consumed = 0
        self.fields: dict[str, str] = {}

    def feed(self, data: bytes) -> Iterator[Found]:
        """Take some bytes; gives the records that they complete."""
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            self.consumed += skipped
            data = data[skipped:]
        self._buffer += data
        while not self._skip and (found := self._next()) is not None:
            yield found

    def finish(self) -> Iterator[Found]:
        """What is left at the end: a record that was cut off, if anything."""
        if self._skip > len(_END) or self._buffer.strip():
            # A record whose last line breaks are missing is whole.
            if self._wanted and len(self._buffer) >= self._wanted - len(_END):
                yield self._taken(len(self._buffer))
            else:
                yield Found(0, self.fields, flaw="cut")

    def _next(self) -> Found | None:
        if not self._wanted:
            begin = len(self._buffer) - len(self._buffer.lstrip(b"\r\n"))
            if begin:
                self._drop(begin)
            if len(self._buffer) < len(_FIRST):
                return None
            if not self._buffer.startswith(_FIRST):
                return self._resync()
            end = self._buffer.find(_END)
            if end < 0:
                return self._resync() if len(self._buffer) > MAX_HEAD else None
            self._is_lost = False
            self.fields = _fields(bytes(self._buffer[:end]))
            length = self.fields.get("content-length", "")
            if not length.isdecimal() or len(length) > 15:
                return self._resync()
            self._wanted = end + 2 * len(_END) + int(length)
        if self._wanted > self._max:
            return self._passed_over("too_large" if self.fields.get("warc-type") in self._types else None)
        if len(self._buffer) < self._wanted:
            return None
        return self._taken(self._wanted)

    def _taken(self, size: int) -> Found:
        is_wanted = self.fields.get("warc-type") in self._types
        found = Found(0, self.fields, bytes(memoryview(self._buffer)[:size]) if is_wanted else b"")
        self._drop(size)
        self._wanted, self.fields = 0, {}
        return found

    def _passed_over(self, flaw: str | None) -> Found:
        found = Found(0, self.fields, flaw=flaw)
        self._skip = max(0, self._wanted - len(self._buffer))
        self._drop(min(self._wanted, len(self._buffer)))
        self._wanted, self.fields = 0, {}
        return found

    def _resync(self) -> Found | None:
        """Look for the next first line; said once, however far that is."""
        place = self._buffer.find(b"\n" + _FIRST, 1)
        is_new, self._is_lost = not self._is_lost, True
        self._drop(place + 1 if place >= 0 else max(0, len(self._buffer) - len(_FIRST)))
        fields, self.fields, self._wanted = self.fields, {}, 0
        if is_new:
            return Found(0, fields, flaw="broken")
        return self._next() if place >= 0 else None

    def _drop(self, size: int) -> None:
        del self._buffer[:size]
        self.consumed += size


def _fields(head: bytes) -> dict[str, str]:
    lines = head.decode("utf-8", "replace").split("\r\n")[1:]
    return {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
