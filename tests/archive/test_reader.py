"""Answers in anyone's WARC records: any line ends, any framing of the body, pages without an HTTP head."""

import gzip
from datetime import UTC, datetime

import pytest

from pipeline.archive.member import parse_arc_line, parse_warc_date
from pipeline.archive.reader import build_response
from pipeline.archive.stream import read_stream
from pipeline.errors import ArchiveError

AT = datetime(2026, 11, 1, tzinfo=UTC)
HTML = b"<!doctype html><title>Tides</title><p>The tidal gate closes on Friday.</p>"
URL = "https://news.example/1"


def record(block, *, kind="response", content_type="application/http; msgtype=response", line=b"\r\n", version="1.0"):
    fields = {
        "WARC-Type": kind,
        "WARC-Record-ID": "<urn:uuid:1>",
        "WARC-Date": "2026-11-01T00:00:00Z",
        "WARC-Target-URI": f"<{URL}>",
        "Content-Type": content_type,
        "Content-Length": str(len(block)),
    }
    head = [f"WARC/{version}".encode(), *(f"{name}: {value}".encode() for name, value in fields.items()), b"", b""]
    return line.join(head) + block + line * 2


def answers(data, *, types=frozenset({"response", "resource", "revisit"}), chunk=37):
    chunks = (data[begin : begin + chunk] for begin in range(0, len(data), chunk))
    records = list(read_stream(chunks, 0, types, 10**6))
    assert [record.flaw for record in records] == [None] * len(records)
    assert records[-1].end == len(data)
    return [build_response(record.fields, record.block, AT, 10_000) for record in records if record.block]


def http(body, *headers, first=b"HTTP/1.1 200 OK", line=b"\r\n"):
    return line.join([first, b"Content-Type: text/html; charset=utf-8", *headers, b"", body])


@pytest.mark.parametrize("version", ["0.17", "0.18", "1.0", "1.1"])
@pytest.mark.parametrize("line", [b"\n", b"\r\n", b"\r\r\n"], ids=["LF", "CR LF", "CR CR LF"])
@pytest.mark.parametrize("inner", [b"\n", b"\r\n", b"\r\r\n"], ids=["LF within", "CR LF within", "CR CR LF within"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_heads_may_end_in_any_line_end(version, line, inner, pack):
    data = b"".join(pack(record(http(HTML, line=inner), line=line, version=version)) for _ in range(3))
    found = answers(data)
    assert [(answer.url, answer.status, answer.body) for answer in found] == [(URL, 200, HTML)] * 3
    assert found[0].content_type == "text/html"


@pytest.mark.parametrize("tail", [b"", b"\n", b"\r\n", b"\n\n", b"\r\n\r\n", b"\r\r\n\r\r\n"], ids=repr)
def test_a_record_needs_no_line_ends_behind_it(tail):
    one = record(http(HTML)).removesuffix(b"\r\n\r\n") + tail
    assert [answer.body for answer in answers(one + one + record(http(HTML)))] == [HTML] * 3


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"5\r\n<p>ab\r\n0\r\n\r\n", b"<p>ab"),
        (b"5;name=value\r\n<p>ab\r\n4\r\n</p>\r\n0\r\nTrailer: x\r\n\r\n", b"<p>ab</p>"),
        (b"00005 \n<p>ab\n0\n\n", b"<p>ab"),
        (HTML, HTML),
        (b"a page that only begins like a number of chunks", b"a page that only begins like a number of chunks"),
        (b"5\r\n<p>ab\r\nand on without chunks", b"<p>aband on without chunks"),
        (b"5\r\n<p>ab\r\n4\r\n</", b"<p>ab</"),
        (b"ffffffffff\r\n<p>ab", b"ffffffffff\r\n<p>ab"),
        (b"-5\r\n<p>ab", b"-5\r\n<p>ab"),
        (b"", b""),
    ],
    ids=[
        "chunks",
        "extensions and trailers",
        "spaces and LF",
        "none",
        "text",
        "half",
        "cut",
        "huge",
        "negative",
        "empty",
    ],
)
def test_chunks_are_joined_where_there_are_any(body, expected):
    (answer,) = answers(record(http(body, b"Transfer-Encoding: chunked")))
    assert answer.body == expected


def test_a_coding_is_undone_where_the_body_is_in_it():
    for body in (gzip.compress(HTML), HTML):
        (answer,) = answers(record(http(body, b"Content-Encoding: gzip")))
        assert answer.body == HTML


def test_chunks_of_a_compressed_body_are_joined_first():
    packed = gzip.compress(HTML)
    chunked = b"%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (9, packed[:9], len(packed) - 9, packed[9:])
    (answer,) = answers(record(http(chunked, b"Content-Encoding: gzip", b"Transfer-Encoding: chunked")))
    assert answer.body == HTML


def test_a_compressed_body_that_is_cut_off_is_no_page():
    with pytest.raises(ArchiveError, match="cut off"):
        answers(record(http(gzip.compress(HTML * 9)[:-20], b"Content-Encoding: gzip")))


def test_a_resource_is_its_own_body():
    (answer,) = answers(record(HTML, kind="resource", content_type="text/html"))
    assert (answer.url, answer.status, answer.content_type, answer.body) == (URL, 200, "text/html", HTML)


def test_a_revisit_has_no_body():
    (answer,) = answers(record(http(b"left over"), kind="revisit"))
    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (b"", "no HTTP answer"),
        (b"\x00\xff" * 50, "no HTTP answer"),
        (b"HTTP/1.1 OK\r\n\r\n", "no HTTP answer"),
        (b"GET / HTTP/1.1\r\n\r\n", "no HTTP answer"),
        (http(b"x" * 10_001), "more than 10,000 bytes"),
        (http(gzip.compress(b"x" * 10_001), b"Content-Encoding: gzip"), "bytes"),
    ],
    ids=["nothing", "noise", "no status", "a request", "large", "large inflated"],
)
def test_what_holds_no_answer_is_an_error_of_the_archive(block, message):
    with pytest.raises(ArchiveError, match=message):
        build_response({"warc-type": "response", "warc-target-uri": URL}, block, AT, 10_000)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("more", [b"", b" 200 - - 100 a.arc"], ids=["version 1", "version 2"])
def test_arc_files_are_read_too(pack, more):
    parts = [b"filedesc://a.arc 0.0.0.0 20080102030405 text/plain 5\n1 1 I\n"]
    for number in range(3):
        block = http(HTML)
        line = b"http://news.example/a b/%d 192.0.2.1 20080102030405 text/html%s %d\n"
        parts.append(line % (number, more, len(block)) + block + b"\n")
    records = list(read_stream(iter([b"".join(map(pack, parts))]), 0, frozenset({"response"}), 10**6))
    assert [record.fields["warc-type"] for record in records] == ["warcinfo", *["response"] * 3]
    assert records[1].fields["warc-target-uri"] == "http://news.example/a b/0"
    assert parse_warc_date(records[1].fields["warc-date"]) == datetime(2008, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert [build_response(one.fields, one.block, AT, 10_000).body for one in records if one.block] == [HTML] * 3


def test_repeated_and_folded_headers_are_joined():
    block = http(
        HTML, b"X-One: a", b"X-One: b", b"X-Two: c", b" d", b"no colon here", "X-Three: März".encode("latin-1")
    )
    (answer,) = answers(record(block))
    assert (answer.headers["x-one"], answer.headers["x-two"], answer.headers["x-three"]) == ("a, b", "c d", "März")


@pytest.mark.parametrize(
    "text",
    [
        "", "yesterday", "2008-10-294T00:00:00Z", "0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59Z", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z",
    ],
)  # fmt: skip
def test_a_date_at_the_edge_of_time_or_none_is_no_date(text):
    with pytest.raises(ValueError):  # whatever it says, it is of this kind and no other
        parse_warc_date(text)


@pytest.mark.parametrize("status", ["1" * 5_000, "²²²", "20", "2000"])
def test_a_status_that_is_none_is_no_answer(status):
    with pytest.raises(ArchiveError, match="no HTTP answer"):
        build_response({"warc-target-uri": URL}, f"HTTP/1.1 {status} OK\r\n\r\nx".encode(), AT, 10_000)


def test_a_head_of_megabytes_of_line_ends_is_read():
    block = b"HTTP/1.1 200 OK" + b"\r" * 1_000_000 + b"x\r\r\n\r\r\nbody"
    assert build_response({"warc-target-uri": URL}, block, AT, 10_000).body == b"body"


@pytest.mark.parametrize("part", [b" 1 12345678", b" 1 12345678 a", b" 12345678", b" 1:"])
def test_a_line_of_a_megabyte_of_beginnings_is_none_of_arc(part):
    assert parse_arc_line(b"a" + part * (1_000_000 // len(part)) + b" x\n") is None


def test_a_line_of_arc_may_have_blanks_in_its_address_and_ten_parts():
    line = b"http://a.example/x y 192.0.2.1 20040925001013 text/html 200 - - 0 a.arc 149\n"
    fields, end = parse_arc_line(line)
    assert (fields["warc-target-uri"], fields["content-length"], end) == ("http://a.example/x y", "149", len(line))
