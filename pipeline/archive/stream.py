"""Any WARC file, read as it comes: one record in memory at a time, and a broken one costs no more than itself.

Works on chunks of bytes from a disk or the network: compressed by record (the rule), as a whole, or not at all; with
gzip, Zstandard or LZ4. After a frame that is broken or cut off, the next one is searched for right behind its
beginning: what was taken for the rest of it may be whole frames. After a broken record, the next one is searched for
behind its first line.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from pipeline.archive.frames import DICTIONARY, FRAME_ERRORS, FRAME_KINDS, FrameKind, kind_with_dictionary
from pipeline.archive.member import GZIP, MAX_HEAD, parse_arc_line
from pipeline.archive.record_splitter import FIRST, RecordSplitter, StreamRecord

MAX_RAW = 32 * 2**20
"""Compressed bytes of one frame that are kept to look for the next one in, should it turn out broken."""

PIECE = 64 * 1024
"""Bytes that are taken at once."""

PROBE = 4096
"""Bytes of what looks like a frame that are inflated to see whether a record begins there."""


def read_stream(chunks: Iterable[bytes], start: int, types: frozenset[str], max_record: int) -> Iterator[StreamRecord]:
    """The records of a file from a byte on, at which one begins.

    Records whose ``WARC-Type`` is not among ``types``, or that are larger than ``max_record`` bytes, come without
    their content.
    """
    source = _Source(chunks, start)
    if source.peek(len(DICTIONARY)) == DICTIONARY:
        frames = _read_frames(source, kind_with_dictionary(source.take_skippable()), types, max_record)
        yield from (replace(record, end=start) for record in frames)  # nothing can be read without the dictionary
        return
    head = source.peek(len(FIRST))
    if not head.startswith((FIRST, *(kind.magic for kind in FRAME_KINDS))):
        head = source.peek(MAX_HEAD).lstrip()  # the first bytes may be what is broken
    frame = next((kind for kind in FRAME_KINDS if kind.magic in head), None)
    if frame is None or head.startswith((FIRST, b"filedesc:")):
        yield from _read_plain(source, RecordSplitter(types, max_record))
    else:
        yield from _read_frames(source, frame, types, max_record)


def _read_frames(source: "_Source", kind: FrameKind, types: frozenset[str], max_record: int) -> Iterator[StreamRecord]:
    while source.peek(1):
        if source.peek(len(kind.magic)) == kind.magic:
            yield from _Frame(source, kind, RecordSplitter(types, max_record)).read()
        else:
            _seek(source, kind)
            yield StreamRecord(source.position, {}, flaw="broken")


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

    def take_skippable(self) -> bytes:
        """The content of a skippable frame (RFC 8878, 3.1.2), which comes next."""
        size = 8 + int.from_bytes(self.peek(8)[4:], "little")
        content = self.peek(min(size, MAX_RAW))[8:]
        self._taken += 8 + len(content)
        self.position += 8 + len(content)
        return content

    def put_back(self, data: bytes) -> None:
        """Return what was taken last, to be taken again."""
        self.position -= len(data)
        if len(data) <= self._taken:
            self._taken -= len(data)  # it is still there
        else:
            self._ahead, self._taken = data + self._ahead[self._taken :], 0


def _read_plain(source: _Source, splitter: RecordSplitter) -> Iterator[StreamRecord]:
    begin = source.position
    while data := source.take():
        for record in splitter.feed(data):
            yield replace(record, end=begin + splitter.consumed)
    yield from (replace(record, end=source.position) for record in splitter.finish())


class _Frame:
    """One frame, with the records in it: mostly one, all of the file if that was compressed as a whole."""

    def __init__(self, source: _Source, kind: FrameKind, splitter: RecordSplitter) -> None:
        self._source = source
        self._kind = kind
        self._splitter = splitter
        self._begin = source.position
        self._frame = kind.open()
        self._raw = bytearray()
        self._held: list[StreamRecord] = []  # until it is known that no bytes of others are in it

    def read(self) -> Iterator[StreamRecord]:
        """The records of the frame; behind it stands the source."""
        source, frame = self._source, self._frame
        is_broken = False
        try:
            yield from self._inflate()
        except FRAME_ERRORS:  # type: ignore[misc]  # the stubs have zlib-ng's as an instance
            is_broken = True
        if frame.is_complete and not is_broken:
            source.put_back(frame.rest)
        else:
            source.put_back(bytes(self._raw[1:]))
            _seek(source, self._kind)
            # What follows was inflated as if it belonged to this one, so its last record holds bytes of others.
            is_broken = is_broken or bool(source.peek(1))
        rest = list(self._splitter.finish())
        if is_broken:
            fields = self._held[0].fields if self._held else self._splitter.fields
            self._held, rest = [], [StreamRecord(0, fields, flaw="broken" if source.peek(1) else "cut")]
        elif not (frame.is_complete or self._held or rest):
            rest = [StreamRecord(0, self._splitter.fields, flaw="cut")]
        yield from (replace(record, end=source.position) for record in [*self._held, *rest])

    def _inflate(self) -> Iterator[StreamRecord]:
        while not self._frame.is_complete and (data := self._source.take()):
            self._raw += data
            for piece in self._frame.pieces(data):
                for record in self._splitter.feed(piece):
                    if record.flaw != "broken":
                        yield from self._held
                        self._held.clear()
                    # Reading can be continued only at the beginning of this frame.
                    self._held.append(replace(record, end=self._begin))
            if len(self._raw) > MAX_RAW:
                self._raw.clear()


def _seek(source: _Source, kind: FrameKind) -> None:
    """Go on to the next frame in which a record begins, or to the end."""
    tail, magic = b"", kind.magic
    while data := source.take():
        joined = tail + data
        index = joined.find(magic)
        while index >= 0:
            ahead = joined[index : index + PROBE]
            if _is_frame(ahead + source.peek(PROBE - len(ahead)), kind):
                source.put_back(joined[index:])
                return
            index = joined.find(magic, index + 1)
        tail = joined[1 - len(magic) :]


def _is_frame(data: bytes, kind: FrameKind) -> bool:
    """Whether a record begins in a frame that begins so: three bytes alone are found by chance every 16 MiB.

    Of kinds with four nothing may be told before a block of up to 4 MiB has come whole; they say so by themselves.
    """
    try:
        begin = next(filter(None, kind.open().pieces(data)), b"").lstrip()
    except FRAME_ERRORS:  # type: ignore[misc]  # as above
        return False
    is_unknown = not begin and kind.magic != GZIP
    return is_unknown or begin.startswith(FIRST) or parse_arc_line(begin) is not None
