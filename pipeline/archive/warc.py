"""WARC 1.1 (ISO 28500:2017): one answer becomes records, each a gzip member of its own.

Written by hand and not by warcio, which re-encodes what is not ASCII in headers: here they stay as they were sent.
What differs from the wire, and how that is told in the record:

* Chunks and frames are put together; ``Transfer-Encoding`` is renamed ``X-Crawler-Transfer-Encoding``, as the Common
  Crawl does. An answer of HTTP/2 is written in the form of HTTP/1.1, with ``WARC-Protocol: h2``.
* A content coding that the tools of the archives do not all know (br, zstd, several at once) is undone;
  ``Content-Encoding`` is renamed ``X-Crawler-Content-Encoding``.
* A body that was not read to its end is left out, with ``WARC-Truncated``.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

from zlib_ng import zlib_ng

from pipeline.archive.member import compute_digest
from pipeline.http.codings import BodyDecoder
from pipeline.http.failure import WireFailure
from pipeline.model import Capture

SAME = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"

READABLE = frozenset({"", "identity", "gzip", "deflate"})
"""Content codings that all tools undo. Brotli is none: warcio 1.8 dies of those brotli releases that bound their
output."""

LEVEL = 6
"""Of gzip: the bodies of most answers are compressed already, and 9 takes twice the time for half a hundredth less."""

Fields = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class OriginalRecord:
    """The record that has the body, as a revisit record names it."""

    id: int
    record_id: str
    url: str
    fetched_at: datetime


@dataclass(frozen=True, slots=True)
class CaptureRecords:
    """What one capture becomes in a file.

    Attributes:
        data: the records, compressed: what the answer came to, then the request.
        length: bytes of the first of them.
        record_id: its UUID.
    """

    data: bytes
    length: int
    record_id: str


def make_readable(capture: Capture) -> Capture:
    """The capture with its content codings undone where other tools could not do that."""
    codings = ", ".join(value.decode("latin-1") for name, value in capture.headers if _is(name, "content-encoding"))
    if codings.strip().lower() in READABLE or not capture.body:
        return capture
    undoing = BodyDecoder(codings, max_bytes=2**40)  # it was held to the limit when it came
    try:
        undoing.feed(capture.body)
        body = undoing.finish()
    except WireFailure:  # cannot be: it was read when it came
        return capture
    headers = tuple((_renamed(name, "content-encoding", "content-length"), value) for name, value in capture.headers)
    return replace(capture, headers=headers, body=body)


def build_records(capture: Capture, digest: str, original: OriginalRecord | None, warcinfo_id: str) -> CaptureRecords:
    """The records of a capture: a response, or a revisit where ``original`` has the body already, and its request.

    Args:
        capture: as `make_readable` gives it.
        digest: of its body.
        original: an earlier record with the same body; for a 304 the one that has not been modified since.
        warcinfo_id: UUID of the file's first record.
    """
    record_id = str(uuid.uuid4())
    head = _response_head(capture)
    fields = [*_common("revisit" if original else "response", record_id, capture, warcinfo_id)]
    if original is not None:
        fields += [
            ("WARC-Profile", NOT_MODIFIED if capture.status == 304 else SAME),
            ("WARC-Refers-To", _urn(original.record_id)),
            ("WARC-Refers-To-Target-URI", original.url),
            ("WARC-Refers-To-Date", _date(original.fetched_at)),
        ]
    if original is None or capture.status != 304:
        fields.append(("WARC-Payload-Digest", digest))
    if not capture.is_whole:
        fields.append(("WARC-Truncated", "unspecified"))
    fields.append(("Content-Type", "application/http; msgtype=response"))
    answer = build_member(fields, head if original else head + capture.body)
    request = [*_common("request", str(uuid.uuid4()), capture, warcinfo_id), ("WARC-Concurrent-To", _urn(record_id))]
    request.append(("Content-Type", "application/http; msgtype=request"))
    return CaptureRecords(answer + build_member(request, _request_head(capture)), len(answer), record_id)


def build_warcinfo(file: str, at: datetime, facts: Fields) -> tuple[bytes, str]:
    """The first record of a file, with its UUID; ``facts`` are what it says of who wrote the file, and how."""
    record_id = str(uuid.uuid4())
    fields = [
        ("WARC-Type", "warcinfo"),
        ("WARC-Record-ID", _urn(record_id)),
        ("WARC-Date", _date(at)),
        ("WARC-Filename", file),
        ("Content-Type", "application/warc-fields"),
    ]
    text = "".join(f"{name}: {_line(value)}\r\n" for name, value in facts if value)
    return build_member(fields, text.encode()), record_id


def build_member(fields: Fields, block: bytes) -> bytes:
    """One record as a gzip member; its digest and length are added."""
    named = [*fields, ("WARC-Block-Digest", compute_digest(block)), ("Content-Length", str(len(block)))]
    head = "WARC/1.1\r\n" + "".join(f"{name}: {_line(value)}\r\n" for name, value in named) + "\r\n"
    pack = zlib_ng.compressobj(LEVEL, zlib_ng.DEFLATED, zlib_ng.MAX_WBITS + 16)  # in half the time of zlib's
    return pack.compress(head.encode()) + pack.compress(block) + pack.compress(b"\r\n\r\n") + pack.flush()


def _common(kind: str, record_id: str, capture: Capture, warcinfo_id: str) -> Iterable[tuple[str, str]]:
    yield "WARC-Type", kind
    yield "WARC-Record-ID", _urn(record_id)
    yield "WARC-Date", _date(capture.fetched_at)
    yield "WARC-Target-URI", capture.url
    if capture.address:
        yield "WARC-IP-Address", capture.address
    if capture.version == "HTTP/2":
        yield "WARC-Protocol", "h2"
    yield "WARC-Warcinfo-ID", _urn(warcinfo_id)


def _response_head(capture: Capture) -> bytes:
    version = capture.version if capture.version in {"HTTP/1.0", "HTTP/1.1"} else "HTTP/1.1"
    gone = ["transfer-encoding"]
    if not capture.is_whole:
        gone.append("content-length")
    headers = [(_renamed(name, *gone), value) for name, value in capture.headers if not name.startswith(b":")]
    return _http(f"{version} {capture.status} {_line(capture.phrase)}".encode("latin-1", "replace"), headers)


def _request_head(capture: Capture) -> bytes:
    parts = urlsplit(capture.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _http(f"GET {target} HTTP/1.1".encode(), capture.request)


def _http(first: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    lines = [first, *(name + b": " + value for name, value in headers)]
    # HTTP/2 lets line ends and NUL through; in this form they would begin another header.
    return b"".join(line.translate(_BREAKS) + b"\r\n" for line in lines) + b"\r\n"


_BREAKS = bytes(32 if code in b"\r\n\0" else code for code in range(256))


def _renamed(name: bytes, *those: str) -> bytes:
    return b"X-Crawler-" + name if any(_is(name, other) for other in those) else name


def _is(name: bytes, other: str) -> bool:
    return name.lower() == other.encode()


def _line(value: str) -> str:
    return " ".join(value.split())


def _urn(record_id: str) -> str:
    return f"<urn:uuid:{record_id}>"


def _date(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
