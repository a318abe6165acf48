"""Records of our own WARC files, member by member and to the byte, and the heads of records with any line ends."""

import base64
import hashlib
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import IO

from warcio.statusandheaders import StatusAndHeadersParser

HEAD_END = re.compile(rb"(?<!\r)\r*\n\r*\n")  # begun but once in each run of CR: they may be megabytes
"""The end of a head: an empty line, behind LF, CR LF or CR CR LF."""

_ARC_LINE = re.compile(rb"(\S[^\n]*) ([0-9a-fA-F.:]+) (\d{8,14}) (\S+)(?: \S*){0,9} (\d{1,15})\r*\n")


def parse_arc_line(data: bytes | bytearray) -> tuple[dict[str, str], int] | None:
    r"""The first line of an ARC record as fields of WARC, and its length; None where there is none.

    ARC is what the Internet Archive wrote before WARC: address, IP, time, media type and length of each record.
    https://archive.org/web/researcher/ArcFileFormat.php

    >>> parse_arc_line(b"http://a.example/x y 192.0.2.1 20040925001013 text/html 149\n")[0]["warc-date"]
    '2004-09-25T00:10:13'
    """
    line = _ARC_LINE.match(data)
    if line is None:
        return None
    url, _, stamp, media_type, length = (group.decode("utf-8", "replace") for group in line.groups())
    parts = [stamp[begin : begin + 2] or "00" for begin in range(4, 14, 2)]
    fields = {
        "warc-type": "warcinfo" if url.startswith("filedesc:") else "response",
        "warc-target-uri": url,
        "warc-date": f"{stamp[:4]}-{parts[0]}-{parts[1]}T{':'.join(parts[2:])}",
        "content-type": media_type,
        "content-length": length,
    }
    return fields, line.end()


def parse_fields(head: bytes) -> dict[str, str]:
    r"""The fields of a head by name, in lower case; the first line is left out, and of two fields the first counts.

    >>> parse_fields(b"WARC/1.0\nWARC-Type: response\nX: one\n two")
    {'warc-type': 'response', 'x': 'one two'}
    """
    fields: dict[str, str] = {}
    for name, value in parse_lines(head)[1]:
        fields.setdefault(name, value)
    return fields


def parse_lines(head: bytes) -> tuple[str, list[tuple[str, str]]]:
    """The first line of a head, and its fields in order: name in lower case and value, folded lines joined."""
    if not head:
        return "", []
    parsed = StatusAndHeadersParser((), verify=False).parse(BytesIO(head))
    fields = [(name.strip().lower(), value.strip()) for name, value in parsed.headers]
    return f"{parsed.protocol} {parsed.statusline}".strip(), fields


CHUNK = 256 * 1024
MAX_HEAD = 64 * 1024
"""Bytes of a record's own head; with more it is no WARC record."""

GZIP = b"\x1f\x8b\x08"
ANSWERS = frozenset({"response", "revisit"})
STATUS_LINE = 40
"""Bytes of an answer in which its status stands."""

CAPTURE_YEARS = range(1989, 2200)
"""The Web is of 1989; years at the edge of time leave no room to reckon with zones and periods."""

Positions = Mapping[str, tuple[int, int]]
"""Offset and length of records by their UUIDs."""


@dataclass(frozen=True, slots=True)
class WarcMember:
    """One record of one of our files.

    Attributes:
        offset, length: its position in the file, compressed.
        fields: of the WARC head, names in lower case.
        data: its compressed bytes.
        block: its content.
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
        return parse_record_id(self.fields.get("warc-record-id", ""))

    @property
    def status(self) -> int:
        """The status of the answer in it; 0 if it holds none."""
        words = self.block[:STATUS_LINE].split(None, 2)
        return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0

    @property
    def date(self) -> datetime:
        """When it was captured; raises ValueError where its date cannot be read."""
        return parse_warc_date(self.fields.get("warc-date", ""))


def parse_record_id(text: str) -> str:
    """The UUID of a ``WARC-Record-ID``.

    >>> parse_record_id("<urn:uuid:1b4e28ba-2fa1-11d2-883f-0016d3cca427>")
    '1b4e28ba-2fa1-11d2-883f-0016d3cca427'
    """
    return text.strip("<> ").removeprefix("urn:uuid:")


def parse_warc_date(text: str) -> datetime:
    """The time of a ``WARC-Date``.

    Raises:
        ValueError: it is no date, or none at which anything can have been captured.

    >>> parse_warc_date("2026-03-01T00:00:00Z").year
    2026
    >>> parse_warc_date("0001-01-01T00:00:00+14:00")
    Traceback (most recent call last):
    ValueError: nothing was captured in the year 1
    """
    captured_at = datetime.fromisoformat(text)
    if captured_at.year not in CAPTURE_YEARS:
        raise ValueError(f"nothing was captured in the year {captured_at.year}")
    return captured_at.replace(tzinfo=UTC) if captured_at.tzinfo is None else captured_at.astimezone(UTC)


def compute_digest(data: bytes) -> str:
    """The digest of data as WARC files have it.

    >>> compute_digest(b"")
    'sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ'
    """
    # SHA-1 in base 32 is what the tools compare and index by; it guards against decay, not against forgers.
    return "sha1:" + base64.b32encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()


def is_sound(member: WarcMember) -> bool:
    """Whether the content of a record is what it was when it was written, by its digest."""
    return member.fields.get("warc-block-digest") == compute_digest(member.block)


def read_members(stream: IO[bytes], offset: int = 0) -> Iterator[WarcMember]:
    """The records from an offset on, up to the first byte at which no whole one stands."""
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
        fields, block = _parse_record(b"".join(parts))
        if fields is None:
            return
        yield WarcMember(offset, len(taken), fields, bytes(taken), block)
        offset += len(taken)


def _parse_record(record: bytes) -> tuple[dict[str, str] | None, bytes]:
    head, end, rest = record.partition(b"\r\n\r\n")
    if not end or len(head) > MAX_HEAD or not head.startswith(b"WARC/"):
        return None, b""
    fields = parse_fields(head)
    length = fields.get("content-length", "")
    if not (length.isascii() and length.isdecimal()) or len(length) > 15 or len(rest) != int(length) + 4:
        return None, b""
    return fields, rest[:-4]
