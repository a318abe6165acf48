"""Undoing a response's content codings within a fixed amount of memory (RFC 9110, 8.4).

httpx would decode for us, but it inflates each chunk from the wire into one bytes object first: 64 KiB of gzip
become 64 MiB, of Brotli or Zstandard gigabytes, before anyone can count. Here output comes in pieces, and the
count is checked after each. zlib-ng is zlib in half the time.
"""

import io
from collections.abc import Iterable, Iterator
from typing import Protocol

import brotli
import zstandard
from zlib_ng import zlib_ng

from pipeline.http.failure import WireFailure

ACCEPT_ENCODING = "gzip, deflate, br, zstd"
MAX_CODINGS = 3  # one is the rule, two are seen behind careless proxies, more is an attack
PIECE_BYTES = 64 * 1024  # of output at once
ZSTD_SLICE_BYTES = 128  # of input at once: a block takes 4 bytes and gives up to 128 KiB, so at most 4 MiB come out
ZSTD_WINDOW_BYTES = 8 * 2**20  # what RFC 9659 lets a server ask of us
_UNSUPPORTED = frozenset({"compress", "x-compress", "exi", "dcb", "dcz", "pack200-gzip", "aes128gcm"})


class CodingDecoder(Protocol):
    """One coding, undone step by step."""

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Yield what the data decodes to, in pieces of bounded size."""

    @property
    def is_complete(self) -> bool:
        """Whether the compressed stream has come to its own end."""


class BodyDecoder:
    """Collects a body from the wire: decodes it, and stops it at ``max_bytes``.

    Args:
        codings: value of ``Content-Encoding``.
        max_bytes: largest size, both on the wire and decoded.
        keep: whether to keep what came from the wire as it is, too.
    """

    def __init__(self, codings: str, max_bytes: int, *, keep: bool = False) -> None:
        self._decoders = make_decoders(codings)
        self._kept: list[bytes] | None = [] if keep and self._decoders else None
        self._max_bytes = max_bytes
        self._received = 0
        self._decoded = io.BytesIO()

    def feed(self, data: bytes) -> None:
        """Take a chunk from the wire. Raises WireFailure, ``too_large`` or ``bad_encoding``."""
        self._received += len(data)
        if self._kept is not None:
            self._kept.append(data)
        self._check(self._received)  # a stream may well decode to nothing for ever
        try:
            for piece in _through(self._decoders, data):
                self._decoded.write(piece)
                self._check(self._decoded.tell())
        except (zlib_ng.error, brotli.error, zstandard.ZstdError) as error:  # type: ignore[misc]  # as in stream.py
            raise WireFailure("bad_encoding", str(error)) from error

    def finish(self) -> bytes:
        """The whole body. Raises WireFailure ``truncated`` when the compressed stream ends before its end."""
        if self._received and not all(decoder.is_complete for decoder in self._decoders):
            raise WireFailure("truncated", "the compressed body ends too early")
        return self.so_far

    @property
    def so_far(self) -> bytes:
        """What has been decoded yet."""
        return self._decoded.getvalue()

    def as_sent(self, decoded: bytes) -> bytes:
        """What came from the wire, if that was to be kept; ``decoded`` is what `finish` gave."""
        return decoded if self._kept is None else b"".join(self._kept)

    def _check(self, size: int) -> None:
        if size > self._max_bytes:
            raise WireFailure("too_large", f"more than {self._max_bytes:,} bytes")


def make_decoders(codings: str) -> list[CodingDecoder]:
    """The decoders for a ``Content-Encoding``, in the order in which to apply them.

    Words that are no coding ("utf-8", "none") are passed over, as browsers do.

    Raises Failure: ``bad_encoding``, for a coding that we never offered to take, or too many.
    """
    words = [word.strip().lower() for word in codings.split(",")]
    chosen: list[CodingDecoder] = [_DECODERS[word]() for word in reversed(words) if word in _DECODERS]
    unsupported = _UNSUPPORTED.intersection(words)
    if unsupported or len(chosen) > MAX_CODINGS:
        raise WireFailure("bad_encoding", f"Content-Encoding: {codings[:80]}")
    return chosen


def _through(chain: list[CodingDecoder], data: bytes) -> Iterable[bytes]:
    if not chain:
        yield data
        return
    for piece in chain[0].pieces(data):
        yield from _through(chain[1:], piece)


class _Gzip:
    """RFC 1952; further members are read, other bytes after the end are passed over, as gzip(1) does."""

    def __init__(self) -> None:
        self._stream = zlib_ng.decompressobj(wbits=31)

    def pieces(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._stream.eof:
                if not data.startswith(b"\x1f"):
                    return
                self._stream = zlib_ng.decompressobj(wbits=31)
            yield self._stream.decompress(data, PIECE_BYTES)
            data = self._stream.unconsumed_tail or self._stream.unused_data

    @property
    def is_complete(self) -> bool:
        return self._stream.eof


class _Deflate:
    """RFC 1950, or the bare RFC 1951 that some servers take "deflate" to mean."""

    def __init__(self) -> None:
        self._head = b""
        self._stream = zlib_ng.decompressobj()
        self._started = False

    def pieces(self, data: bytes) -> Iterator[bytes]:
        if not self._started:
            self._head += data
            if len(self._head) < 2:
                return
            data, self._started = self._head, True
            is_zlib = data[0] & 0x0F == zlib_ng.DEFLATED and int.from_bytes(data[:2]) % 31 == 0
            self._stream = zlib_ng.decompressobj(wbits=zlib_ng.MAX_WBITS if is_zlib else -zlib_ng.MAX_WBITS)
        while data and not self._stream.eof:
            yield self._stream.decompress(data, PIECE_BYTES)
            data = self._stream.unconsumed_tail

    @property
    def is_complete(self) -> bool:
        return self._stream.eof


class _Brotli:
    """RFC 7932."""

    def __init__(self) -> None:
        self._stream = brotli.Decompressor()

    def pieces(self, data: bytes) -> Iterator[bytes]:
        # The limit is kept to within one of the library's blocks (google/brotli#1396), and nothing tells whether more
        # output is waiting but asking for it: `can_accept_more_data` is true in between.
        piece = b"" if self._stream.is_finished() else self._stream.process(data, output_buffer_limit=PIECE_BYTES)
        while piece:
            yield piece
            piece = b"" if self._stream.is_finished() else self._stream.process(b"", output_buffer_limit=PIECE_BYTES)

    @property
    def is_complete(self) -> bool:
        return bool(self._stream.is_finished())


class _Zstandard:
    """RFC 8878. The library cannot bound its output, so its input comes in slices."""

    def __init__(self) -> None:
        self._library = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW_BYTES)
        self._stream = self._library.decompressobj()

    def pieces(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), ZSTD_SLICE_BYTES):
            part = data[start : start + ZSTD_SLICE_BYTES]
            while part:
                if self._stream.eof:
                    self._stream = self._library.decompressobj()
                yield self._stream.decompress(part)
                part = self._stream.unused_data

    @property
    def is_complete(self) -> bool:
        return self._stream.eof


_DECODERS: dict[str, type[_Gzip] | type[_Deflate] | type[_Brotli] | type[_Zstandard]] = {
    "gzip": _Gzip,
    "x-gzip": _Gzip,
    "deflate": _Deflate,
    "br": _Brotli,
    "zstd": _Zstandard,
}
