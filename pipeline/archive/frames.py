"""Compressed frames that WARC files are made of, one record in each by rule: gzip members, Zstandard and LZ4 frames."""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Final, NamedTuple, Protocol

import zstandard
from zlib_ng import zlib_ng

from pipeline.archive.member import GZIP
from pipeline.errors import ArchiveError
from pipeline.http.codings import PIECE_BYTES, ZSTD_SLICE_BYTES

DICTIONARY: Final = b"\x5d\x2a\x4d\x18"
"""The skippable frame with the dictionary of a .warc.zst file (https://iipc.github.io/warc-specifications)."""

MAX_DICTIONARY: Final = 32 * 2**20
"""Bytes of a dictionary; they have a hundred thousand by rule, and 13 KB may be said to be gigabytes."""

FRAME_ERRORS: Final = (zlib_ng.error, zstandard.ZstdError, RuntimeError)
"""What a frame raises that is broken; lz4 has no error of its own."""


class Frame(Protocol):
    """One frame, undone step by step; ``rest`` is what was given behind its end."""

    rest: bytes

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Yield what the data decompresses to, in pieces of bounded size."""

    @property
    def is_complete(self) -> bool:
        """Whether the frame has come to its end."""


class FrameKind(NamedTuple):
    """How frames of one kind begin, and how one is opened."""

    magic: bytes
    open: Callable[[], Frame]


class _Gzip:
    def __init__(self) -> None:
        self._stream = zlib_ng.decompressobj(wbits=31)
        self.rest = b""

    def pieces(self, data: bytes) -> Iterator[bytes]:
        while data and not self._stream.eof:
            yield self._stream.decompress(data, PIECE_BYTES)
            data = self._stream.unconsumed_tail
        self.rest = self._stream.unused_data

    @property
    def is_complete(self) -> bool:
        return self._stream.eof


class _Zstandard:
    def __init__(self, dictionary: zstandard.ZstdCompressionDict | None = None) -> None:
        self._stream = zstandard.ZstdDecompressor(dict_data=dictionary).decompressobj()
        self.rest = b""

    def pieces(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), ZSTD_SLICE_BYTES):
            if piece := self._stream.decompress(data[start : start + ZSTD_SLICE_BYTES]):
                yield piece
            if self._stream.eof:
                self.rest = self._stream.unused_data + data[start + ZSTD_SLICE_BYTES :]
                return

    @property
    def is_complete(self) -> bool:
        return self._stream.eof


class _Lz4:
    def __init__(self) -> None:
        try:
            self._stream = import_module("lz4.frame").LZ4FrameDecompressor()
        except ModuleNotFoundError as error:
            message = "it is in LZ4, which needs lz4: pip install lz4 (or this project with its extra lz4)"
            raise ArchiveError(message) from error
        self.rest = b""

    def pieces(self, data: bytes) -> Iterator[bytes]:
        yield self._stream.decompress(data, PIECE_BYTES)
        while not (self._stream.eof or self._stream.needs_input):
            yield self._stream.decompress(b"", PIECE_BYTES)
        self.rest = self._stream.unused_data or b""

    @property
    def is_complete(self) -> bool:
        return bool(self._stream.eof)


FRAME_KINDS: Final = (
    FrameKind(GZIP, _Gzip),
    FrameKind(zstandard.FRAME_HEADER, _Zstandard),
    FrameKind(b"\x04\x22\x4d\x18", _Lz4),
)


def kind_with_dictionary(data: bytes) -> FrameKind:
    """The Zstandard frames that a dictionary was made for, which may be compressed itself.

    Raises:
        ArchiveError: it cannot be read, or has more than `MAX_DICTIONARY` bytes.
    """
    plain = bytearray()
    try:
        for piece in _Zstandard().pieces(data) if data.startswith(zstandard.FRAME_HEADER) else [data]:
            plain += piece
            if len(plain) > MAX_DICTIONARY:
                raise ArchiveError(f"its dictionary has more than {MAX_DICTIONARY:,} bytes")
        dictionary = zstandard.ZstdCompressionDict(bytes(plain))
    except zstandard.ZstdError as error:
        raise ArchiveError(f"its dictionary cannot be read: {error}") from error
    return FrameKind(zstandard.FRAME_HEADER, lambda: _Zstandard(dictionary))
