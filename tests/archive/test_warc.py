"""What is written is WARC 1.1 that other programs read, and says what came over the wire."""

import asyncio
import gzip
import ipaddress
from io import BytesIO

import brotli
import fastwarc
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator
from warcio.cli import main as warcio

from pipeline.archive.member import compute_digest, parse_warc_date, read_members
from pipeline.archive.reader import read_response
from pipeline.archive.warc import OriginalRecord, build_records, build_warcinfo, make_readable
from pipeline.config import Settings
from pipeline.errors import ArchiveError, FetchError
from pipeline.model import Validators
from tests.support.captures import AT, HTML, capture
from tests.support.fetching import FollowingFetcher
from tests.support.web import Reply, Web, gzipped, page, redirect, status, validated


def file_of(*captures, original=None):
    head, info = build_warcinfo("test.warc.gz", AT, [("software", "test"), ("format", "WARC File Format 1.1")])
    return head + b"".join(
        build_records(one, compute_digest(one.body), original, info).data for one in map(make_readable, captures)
    )


def read_by_warcio(data):
    records = ArchiveIterator(BytesIO(data), check_digests="raise")
    return [(record.rec_type, record, record.content_stream().read()) for record in records]


def read_by_fastwarc(data):
    records = fastwarc.ArchiveIterator(BytesIO(data), parse_http=True, verify_digests=True, auto_decode="all")
    return [(record.headers["WARC-Type"], record.reader.read()) for record in records]


@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        ("", lambda body: body),
        ("gzip", gzip.compress),
        ("br", brotli.compress),
        ("zstd", zstandard.compress),
        ("gzip, br", lambda body: brotli.compress(gzip.compress(body))),
    ],
    ids=["plain", "gzip", "brotli", "zstandard", "two codings"],
)
def test_every_coding_is_read_by_others_and_by_us(coding, pack):
    headers = ((b"Content-Type", b"text/html"), *(((b"Content-Encoding", coding.encode()),) if coding else ()))
    data = file_of(capture(pack(HTML), headers=headers))
    assert [kind for kind, _, _ in read_by_warcio(data)] == ["warcinfo", "response", "request"]
    assert read_by_warcio(data)[1][2] == HTML
    assert read_by_fastwarc(data)[1] == ("response", HTML)
    member = list(read_members(BytesIO(data)))[1]
    assert read_response(member.data, member.record_id, 1000).body == HTML


def test_what_was_sent_stands_in_the_record_byte_by_byte():
    packed = gzip.compress(HTML)
    sent = capture(packed, headers=((b"content-TYPE", b"text/html"), (b"Content-Encoding", b"gzip"), (b"X-B", b"\xfc")))
    block = list(read_members(BytesIO(file_of(sent))))[1].block
    assert (
        block == b"HTTP/1.1 200 OK\r\ncontent-TYPE: text/html\r\nContent-Encoding: gzip\r\nX-B: \xfc\r\n\r\n" + packed
    )


def test_the_heads_of_the_records_say_what_the_standard_asks_for():
    _, (_, response, _), (_, request, _) = read_by_warcio(file_of(capture()))
    head = response.rec_headers
    assert head.protocol == "WARC/1.1"
    assert head.get_header("WARC-Date") == "2026-11-23T12:30:00.123456Z"
    assert head.get_header("WARC-Target-URI") == "https://news.example/1?a=b"
    assert head.get_header("WARC-IP-Address") == "192.0.2.7"
    assert head.get_header("WARC-Payload-Digest") == compute_digest(HTML)
    assert request.rec_headers.get_header("WARC-Concurrent-To") == head.get_header("WARC-Record-ID")
    assert request.http_headers.to_str().startswith("GET /1?a=b HTTP/1.1\r\nHost: news.example\r\n")


def test_http2_is_written_in_the_form_of_http1_with_a_note():
    _, (_, record, body), _ = read_by_warcio(file_of(capture(version="HTTP/2", phrase="")))
    assert record.rec_headers.get_header("WARC-Protocol") == "h2"
    assert (record.http_headers.get_statuscode(), body) == ("200", HTML)


def test_line_ends_in_a_header_make_no_other_header():
    _, (_, record, _), _ = read_by_warcio(file_of(capture(headers=((b"X-Evil", b"a\r\nX-More: b\0"),))))
    assert record.http_headers.headers == [("X-Evil", "a  X-More: b")]


@pytest.mark.parametrize(
    ("code", "profile"), [(200, "identical-payload-digest"), (304, "server-not-modified")], ids=["same body", "304"]
)
def test_a_revisit_names_the_record_that_has_the_body(code, profile):
    original = OriginalRecord(1, "0f3b9a52-0000-4000-8000-000000000001", "https://news.example/1", AT)
    data = file_of(capture(HTML if code == 200 else b"", status=code), original=original)
    (_, record, body) = read_by_warcio(data)[1]
    head = record.rec_headers
    assert (record.rec_type, body) == ("revisit", b"")
    assert head.get_header("WARC-Profile").endswith(profile)
    assert head.get_header("WARC-Refers-To") == f"<urn:uuid:{original.record_id}>"
    assert head.get_header("WARC-Refers-To-Target-URI") == original.url
    assert parse_warc_date(head.get_header("WARC-Refers-To-Date")) == AT
    assert (head.get_header("WARC-Payload-Digest") == compute_digest(HTML)) is (code == 200)
    assert [kind for kind, _ in read_by_fastwarc(data)] == ["warcinfo", "revisit", "request"]


def test_warcio_check_has_no_complaint(tmp_path, capsys):
    file = tmp_path / "test.warc.gz"
    file.write_bytes(file_of(capture(), capture(b"", status=404, phrase="Not Found", is_whole=False)))
    with pytest.raises(SystemExit) as done:
        warcio(["check", "-v", str(file)])
    told = capsys.readouterr().out
    assert not done.value.code, told
    assert "digest pass" in told
    assert "WARC-Truncated: unspecified" in gzip.decompress(file.read_bytes()).decode("latin-1")


@pytest.mark.parametrize("cut", [1, 20, 200], ids=lambda n: f"{n} bytes missing")
def test_members_end_before_a_torn_tail(cut):
    data = file_of(capture(), capture())
    whole = list(read_members(BytesIO(data)))
    torn = list(read_members(BytesIO(data[:-cut])))
    assert torn == whole[:4]
    assert whole[-1].offset + whole[-1].length == len(data)


@given(st.binary(max_size=300))
def test_members_survive_anything(junk):
    data = file_of(capture())
    whole = list(read_members(BytesIO(data)))
    assert list(read_members(BytesIO(data + junk)))[:3] == whole
    assert list(read_members(BytesIO(junk)))[:3] != whole


def test_another_record_than_the_one_asked_for_is_an_error():
    one, two = list(read_members(BytesIO(file_of(capture()))))[:2]
    with pytest.raises(ArchiveError, match="another record"):
        read_response(one.data, two.record_id, 1000)
    with pytest.raises(ArchiveError):
        read_response(b"\x1f\x8b nothing", two.record_id, 1000)


def test_a_body_beyond_the_limit_is_refused_before_it_fills_the_memory():
    bomb = gzip.compress(b" " * 5_000_000)
    data = file_of(capture(bomb, headers=((b"Content-Encoding", b"gzip"),)))
    member = list(read_members(BytesIO(data)))[1]
    with pytest.raises(ArchiveError, match="bytes"):
        read_response(member.data, member.record_id, 100_000)


# ---------------------------------------------------------------- what the fetcher hands over


def fetched(web, path, keep=True, **options):
    settings = Settings(allow_networks=(ipaddress.ip_network("127.0.0.0/8"),), max_bytes=1_000_000)

    async def get():
        async with FollowingFetcher(settings, keep=keep) as fetcher:
            return await fetcher.get(web.url(path), **options)

    return asyncio.run(get())


def test_a_response_carries_what_came_over_the_wire():
    with Web({"/a": gzipped(page(HTML, ETag='"1"'))}) as web:
        response = fetched(web, "/a")
    (kept,) = response.captures
    assert gzip.decompress(kept.body) == response.body == HTML
    assert (kept.url, kept.status, kept.address, kept.is_whole) == (web.url("/a"), 200, "127.0.0.1", True)
    assert (b"Content-Encoding", b"gzip") in kept.headers
    assert dict(kept.request)[b"User-Agent"].startswith(b"news-pipeline")


def test_nothing_is_carried_unless_asked_for():
    with Web({"/a": page(HTML)}) as web:
        assert fetched(web, "/a", keep=False).captures == ()


def test_redirects_and_not_modified_are_carried_too():
    with Web({"/a": redirect("/b"), "/b": validated(HTML)}) as web:
        response = fetched(web, "/a", validators=Validators('"1"'))
    assert [(kept.url, kept.status) for kept in response.captures] == [(web.url("/a"), 302), (web.url("/b"), 304)]


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        (status(403, "a wall"), (403, b"a wall", True)),
        (lambda request: Reply(status=500, body=b"x" * 200_000), (500, b"", False)),
    ],
    ids=["short", "long"],
)
def test_an_error_carries_its_answer_as_far_as_it_was_read(route, expected):
    with Web({"/a": route}) as web, pytest.raises(FetchError) as error:
        fetched(web, "/a")
    (kept,) = error.value.captures
    assert (kept.status, kept.body, kept.is_whole) == expected


def test_a_page_that_broke_off_is_not_kept():
    cut = {"/a": lambda request: Reply(body=HTML, length=10_000, end="close")}
    with Web(cut) as web, pytest.raises(FetchError) as error:
        fetched(web, "/a")
    assert error.value.captures == ()


def test_chunks_are_put_together_and_the_header_is_renamed():
    with Web({"/a": lambda request: Reply(body=HTML, chunked=True)}) as web:
        (kept,) = fetched(web, "/a").captures
    (_, record, body) = read_by_warcio(file_of(kept))[1]
    assert body == HTML
    assert record.http_headers.get_header("X-Crawler-Transfer-Encoding") == "chunked"
    assert record.http_headers.get_header("Transfer-Encoding") is None
