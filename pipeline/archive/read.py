"""Reading WARC files: ours member by member, to the byte; any other as warcio reads it."""

import base64
import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import IO, Any

from warcio.archiveiterator import ArchiveIterator
from warcio.bufferedreaders import ChunkedDataReader
from warcio.exceptions import ArchiveLoadFailed

from pipeline.errors import ArchiveError
from pipeline.fetch.failure import Failure
from pipeline.fetch.inflate import Body
from pipeline.model import Response

CHUNK = 256 * 1024
MAX_HEAD = 64 * 1024
"""Bytes of a record's own head; more is no WARC record."""


@dataclass(frozen=True, slots=True)
class Member:
    """One record of one of our files.

    Attributes:
        offset, length: where it stands, compressed.
        fields: of the WARC head, names in lower case.
        data: as it stands in the file.
        block: what it holds.
    """

    offset: int
    length: int
    fields: dict[str, str]
    data: bytes
    block: bytes

    @property
    def type(self) -> str:
        """``warcinfo``, ``response``, ``revisit`` or ``request``."""
        return self.fields.get("warc-type", "")

    @property
    def record_id(self) -> str:
        """Its UUID."""
        return bare_id(self.fields.get("warc-record-id", ""))

    @property
    def status(self) -> int:
        """The status of the answer in it; 0 where it holds none."""
        words = self.block[:40].split(None, 2)
        return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0

    @property
    def date(self) -> datetime:
        """When it was captured."""
        return date_of(self.fields.get("warc-date", ""))


def bare_id(text: str) -> str:
    """The UUID of a ``WARC-Record-ID``.

    >>> bare_id("<urn:uuid:1b4e28ba-2fa1-11d2-883f-0016d3cca427>")
    '1b4e28ba-2fa1-11d2-883f-0016d3cca427'
    """
    return text.strip("<> ").removeprefix("urn:uuid:")


def date_of(text: str) -> datetime:
    """The time of a ``WARC-Date``.

    Raises:
        ValueError: it is none.
    """
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def read_members(stream: IO[bytes], offset: int = 0) -> Iterator[Member]:
    """The records from this offset on, as far as they are whole: what follows the last one is torn."""
    stream.seek(offset)
    rest = b""
    while True:
        taken, unpack, parts = bytearray(), zlib.decompressobj(zlib.MAX_WBITS + 16), []
        try:
            while not unpack.eof:
                chunk = rest or stream.read(CHUNK)
                if not chunk:
                    return
                parts.append(unpack.decompress(chunk))
                rest = unpack.unused_data
                taken += chunk[: len(chunk) - len(rest)]
        except zlib.error:
            return
        fields, block = _parsed(b"".join(parts))
        if fields is None:
            return
        yield Member(offset, len(taken), fields, bytes(taken), block)
        offset += len(taken)


def is_sound(member: Member) -> bool:
    """Whether what a record holds is what it held when it was written, by its digest."""
    return member.fields.get("warc-block-digest") == digest_of(member.block)


def digest_of(data: bytes) -> str:
    """The digest of data as WARC files have it."""
    # SHA-1 in base 32 is what the tools compare and index by; it guards against decay, not against forgers.
    return "sha1:" + base64.b32encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()


def _parsed(record: bytes) -> tuple[dict[str, str] | None, bytes]:
    head, found, rest = record.partition(b"\r\n\r\n")
    lines = head.decode("utf-8", "replace").split("\r\n")
    if not found or len(head) > MAX_HEAD or not lines[0].startswith("WARC/"):
        return None, b""
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    length = fields.get("content-length", "")
    if not length.isdecimal() or len(rest) != int(length) + 4:
        return None, b""
    return fields, rest[:-4]


def read_response(data: bytes, record_id: str, max_bytes: int) -> Response:
    """The answer in the record that these bytes of a file are, as `response_of` has it.

    Raises:
        ArchiveError: they are not that record, or as of `response_of`.
        ValueError: as of `response_of`.
    """
    with BytesIO(data) as file:  # warcio leaves circles of references behind: what they hold goes here
        try:
            record = next(iter(ArchiveIterator(file)), None)
        except (ArchiveLoadFailed, zlib.error, EOFError, ValueError) as error:
            raise ArchiveError(f"no record stands there: {error}") from error
        if record is None or bare_id(record.rec_headers.get_header("WARC-Record-ID") or "") != record_id:
            raise ArchiveError("another record stands there")
        return response_of(record, max_bytes)


def response_of(record: Any, max_bytes: int) -> Response:  # noqa: ANN401  # warcio is not typed
    """The answer in a response or revisit record, decoded; the body of a revisit is empty.

    Made for any WARC file, such as those of CC-NEWS: chunks are put together where they were kept, and a body that
    was decoded although its header still names a coding is taken as it is.

    Raises:
        ArchiveError: there is no HTTP answer in it, or one that is larger than ``max_bytes``.
        ValueError: it has no date that can be read.
    """
    http, head = record.http_headers, record.rec_headers
    status = (http.get_statuscode() or "") if http is not None else ""
    if not status.isdecimal():
        raise ArchiveError("no HTTP answer is in it")
    headers: dict[str, str] = {}
    for name, value in http.headers:
        low = name.lower()
        headers[low] = f"{headers[low]}, {value}" if low in headers else value
    stream = record.raw_stream
    if "chunked" in headers.get("transfer-encoding", "").lower():
        stream = ChunkedDataReader(stream)
    body = b"" if record.rec_type == "revisit" else _decoded(stream, headers.get("content-encoding", ""), max_bytes)
    return Response(
        url=head.get_header("WARC-Target-URI").strip("<>"),
        status=int(status),
        headers=headers,
        body=body,
        fetched_at=date_of(head.get_header("WARC-Date") or ""),
        elapsed=timedelta(0),
    )


def _decoded(stream: Any, codings: str, max_bytes: int) -> bytes:  # noqa: ANN401  # warcio is not typed
    chunks, size = [], 0
    while chunk := stream.read(CHUNK):
        chunks.append(chunk)
        size += len(chunk)
        if size > max_bytes:
            raise ArchiveError(f"its body has more than {max_bytes:,} bytes")
    sent = b"".join(chunks)
    if not codings:
        return sent
    try:
        body = Body(codings, max_bytes)
        body.feed(sent)
        return body.finish()
    except Failure as error:
        if error.reason == "too_large":
            raise ArchiveError(f"its body has {error}") from error
        return sent
