"""The HTTP answers in WARC records, of our own files and of anyone's, as a fetch would have given them.

Heads are read with whatever line ends they have. Chunks are put together if the body has them, and a content coding is
undone if the body is in it: archives keep headers as they were sent and bodies as they like.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from io import BytesIO

from pipeline.archive.member import GZIP, HEAD_END, WarcMember, parse_lines, parse_warc_date, read_members
from pipeline.errors import ArchiveError
from pipeline.http.answers import is_complete_document
from pipeline.http.codings import BodyDecoder
from pipeline.http.failure import WireFailure
from pipeline.model import Response

MAX_CHUNK = 2**31
"""Bytes of a chunk; a longer one is no chunk but text that looks like a number."""


def find_answer(data: bytes, record_id: str) -> WarcMember:
    """The record that these bytes of one of our files are. Raises ArchiveError when they are not that record."""
    with BytesIO(data) as file:
        member = next(read_members(file), None)
    if member is None:
        raise ArchiveError("no record stands there")
    if member.record_id != record_id:
        raise ArchiveError("another record stands there")
    return member


def read_response(data: bytes, record_id: str, max_bytes: int, *, has_body: bool = False) -> Response:
    """The answer in the record that these bytes of one of our files are.

    Raises:
        ArchiveError: they are not that record, or there is no HTTP answer in it, or one that is larger than
            ``max_bytes``; or it is a revisit, which has no body, although ``has_body`` asks for one.
    """
    member = find_answer(data, record_id)
    if has_body and member.type != "response":
        raise ArchiveError("the record with its body was lost")
    try:
        fetched_at = parse_warc_date(member.fields.get("warc-date", ""))
    except ValueError as error:
        raise ArchiveError(f"its date cannot be read: {error}") from error
    return build_response(member.fields, member.block, fetched_at, max_bytes)


def build_response(fields: Mapping[str, str], block: bytes, fetched_at: datetime, max_bytes: int) -> Response:
    """The answer in a record, decoded; a ``resource`` is its own body, and a ``revisit`` has none.

    Raises:
        ArchiveError: there is no HTTP answer in it, or one that is larger than ``max_bytes``.
    """
    url = fields.get("warc-target-uri", "").strip("<>")
    is_empty, is_cut = fields.get("warc-type") == "revisit", False
    if fields.get("warc-type") == "resource":
        headers, status, body = {"content-type": fields.get("content-type", "")}, 200, _limited(block, max_bytes)
    else:
        head, body = _split(block)
        line, named = parse_lines(head)
        words = line.split(None, 2)
        if len(words) < 2 or not words[0].startswith("HTTP") or not re.fullmatch("[0-9]{3}", words[1]):
            raise ArchiveError("no HTTP answer is in it")
        headers, status = {}, int(words[1])
        for name, value in named:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        if "chunked" in headers.get("transfer-encoding", "").lower():
            body = join_chunks(body)
        if not is_empty:
            body, is_cut = _decoded(body, headers.get("content-encoding", ""), max_bytes)
    return Response(url, status, headers, b"" if is_empty else body, fetched_at, timedelta(0), is_cut=is_cut)


def join_chunks(data: bytes) -> bytes:
    r"""A chunked body put together (RFC 9112, 7.1); from where it is not chunked on, it is taken as it is.

    Written by hand, since warcio's reader puts trailers into the body and drops two bytes where a chunk lacks its end.

    >>> join_chunks(b"3\r\none\r\n3;x=y\r\ntwo\r\n0\r\n\r\n")
    b'onetwo'
    >>> join_chunks(b"<p>not chunked"), join_chunks(b"3\r\none\r\n<p>no more")
    (b'<p>not chunked', b'one<p>no more')
    """
    parts: list[bytes] = []
    begin = 0
    while begin < len(data):
        end = data.find(b"\n", begin, begin + 256)
        size = _chunk_size(data[begin:end]) if end >= 0 else None
        if size is None:
            parts.append(data[begin:])
            break
        if size == 0:
            break
        parts.append(data[end + 1 : end + 1 + size])
        begin = end + 1 + size
        # A chunk ends with a line end, which some leave out.
        begin += len(data[begin : begin + 2]) - len(data[begin : begin + 2].lstrip(b"\r\n"))
    return b"".join(parts)


def _chunk_size(line: bytes) -> int | None:
    digits = line.partition(b";")[0].strip()
    if not digits or digits.strip(b"0123456789abcdefABCDEF") or (size := int(digits, 16)) > MAX_CHUNK:
        return None
    return size


def _split(block: bytes) -> tuple[bytes, bytes]:
    end = HEAD_END.search(block)
    return (block[: end.start()], block[end.end() :]) if end else (block, b"")


def _limited(body: bytes, max_bytes: int) -> bytes:
    if len(body) > max_bytes:
        raise ArchiveError(f"its body has more than {max_bytes:,} bytes")
    return body


def _decoded(sent: bytes, codings: str, max_bytes: int) -> tuple[bytes, bool]:
    """The body, and whether it was cut short and is whole in itself all the same."""
    _limited(sent, max_bytes)
    if not codings:
        return sent, False
    body = None
    try:
        body = BodyDecoder(codings, max_bytes)
        body.feed(sent)
        return body.finish(), False
    except WireFailure as error:
        if error.reason == "too_large":
            raise ArchiveError(f"its body has {error}") from error
        if body is not None and is_complete_document(body.so_far):
            # A length that is short by some bytes takes the end of the coding, and nothing else.
            return body.so_far, True
        if error.reason == "truncated" and sent.startswith(GZIP):
            raise ArchiveError("its body is cut off") from error
        return sent, False
