"""Files as the tests of warcio and FastWARC have them, made for the purpose: each is read as those read it.

Their own files are not in their source distributions any more. Compared are type, address, date, length and payload.
"""

import gzip
import hashlib
import sys
from datetime import UTC, datetime
from io import BytesIO

import fastwarc
import pytest
import zstandard
from warcio.archiveiterator import ArchiveIterator

from pipeline.archive.frames import DICTIONARY, MAX_DICTIONARY
from pipeline.archive.reader import build_response
from pipeline.archive.stream import read_stream
from pipeline.errors import ArchiveError

NOW = datetime(2026, 3, 5, tzinfo=UTC)
TYPES = frozenset({"warcinfo", "response", "resource", "request", "metadata", "revisit", "conversion"})
PAGE = b"<html><title>Quay</title><p>The quay was opened on Monday.</p></html>"


def record(kind, block, number=0, **fields):
    named = {
        "WARC-Type": kind,
        "WARC-Record-ID": f"<urn:uuid:00000000-0000-0000-0000-{number:012}>",
        "WARC-Date": "2026-03-01T00:00:00Z",
        "WARC-Target-URI": f"http://a.example/{number}",
        "Content-Length": str(len(block)),
    } | {name.replace("_", "-"): value for name, value in fields.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items() if value is not None)
    return b"WARC/1.0\r\n" + head.encode() + b"\r\n" + block + b"\r\n\r\n"


def http(body, *headers):
    return b"\r\n".join([b"HTTP/1.1 200 OK", b"Content-Type: text/html", *headers, b"", body])


def chunked(body):
    parts = [body[at : at + 20] for at in range(0, len(body), 20)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


ZIPPED = gzip.compress(PAGE, mtime=0)
RECORDS = [
    record("warcinfo", b"software: a test\r\n", 0, WARC_Target_URI=None, Content_Type="application/warc-fields"),
    record("response", http(PAGE), 1, Content_Type="application/http; msgtype=response"),
    record(
        "request", b"GET /1 HTTP/1.1\r\nHost: a.example\r\n\r\n", 1, Content_Type="application/http; msgtype=request"
    ),
    record("response", http(ZIPPED, b"Content-Encoding: gzip"), 2, Content_Type="application/http; msgtype=response"),
    record("response", http(chunked(PAGE), b"Transfer-Encoding: chunked"), 3, Content_Type="application/http"),
    record(
        "response",
        http(chunked(ZIPPED), b"Content-Encoding: gzip", b"Transfer-Encoding: chunked"),
        4,
        Content_Type="application/http",
    ),
    record("revisit", http(b""), 1, Content_Type="application/http; msgtype=response"),
    record("resource", PAGE, 5, Content_Type="text/html"),
    record("metadata", b"via: http://a.example/\r\n", 5, Content_Type="application/warc-fields"),
    record("response", http(b"", b"Content-Length: 0"), 6, Content_Type="application/http; msgtype=response"),
    record("conversion", b"The quay was opened on Monday.", 7, Content_Type="text/plain"),
]
MANY = [record("response", http(PAGE * 40), number, Content_Type="application/http") for number in range(60)]


def make_dictionary():
    return zstandard.train_dictionary(4096, MANY * 3)


def with_dictionary(records, *, packed):
    dictionary = make_dictionary()
    data = dictionary.as_bytes()
    data = zstandard.compress(data) if packed else data
    compressor = zstandard.ZstdCompressor(dict_data=dictionary)
    return DICTIONARY + len(data).to_bytes(4, "little") + data + b"".join(map(compressor.compress, records))


def lz4_frames(records):
    frame = pytest.importorskip("lz4.frame")
    return b"".join(map(frame.compress, records))


def rows_of(data, chunk=1000):
    chunks = (data[at : at + chunk] for at in range(0, len(data), chunk))
    for found in read_stream(chunks, 0, TYPES, 10**6):
        kind = found.fields["warc-type"]
        body = build_response(found.fields, found.block, NOW, 10**6).body if kind in {"response", "resource"} else None
        yield row(found.fields.get, body)


def row(field, body):
    names = ("warc-type", "warc-target-uri", "warc-date", "content-length")
    return (*map(field, names), None if body is None else hashlib.sha1(body).hexdigest())


def rows_of_warcio(data):
    for found in ArchiveIterator(BytesIO(data)):
        body = found.content_stream().read()
        yield row(found.rec_headers.get_header, body if found.rec_type in {"response", "resource"} else None)


def rows_of_fastwarc(data):
    for found in fastwarc.ArchiveIterator(BytesIO(data), parse_http=False):
        found.freeze()  # or it loses the next record behind one that is chunked and compressed
        if found.headers.get("Content-Type", "").startswith("application/http"):
            found.parse_http(auto_decode="all")
        kind, body = found.headers.get("WARC-Type"), found.reader.read()
        yield row(found.headers.get, body if kind in {"response", "resource"} else None)


def gzip_frames(records):
    return b"".join(map(gzip.compress, records))


def zstd_frames(records):
    return b"".join(map(zstandard.compress, records))


@pytest.mark.parametrize("records", [RECORDS, MANY], ids=["kinds", "many"])
@pytest.mark.parametrize("pack", [b"".join, gzip_frames, zstd_frames, lz4_frames])
def test_records_of_every_kind_are_read_as_warcio_and_fastwarc_read_them(pack, records):
    data = pack(records)
    expected = list(rows_of_fastwarc(data))
    assert len(expected) == len(records)
    assert list(rows_of(data)) == list(rows_of(data, chunk=7)) == expected
    if pack in {b"".join, gzip_frames}:  # warcio knows no other compression
        assert list(rows_of_warcio(data)) == expected


@pytest.mark.parametrize("packed", [False, True])
def test_a_dictionary_at_the_beginning_of_a_file_is_used(packed):
    data = with_dictionary(RECORDS, packed=packed)
    assert list(rows_of(data)) == list(rows_of(b"".join(RECORDS)))


@pytest.mark.parametrize("pack", [zstd_frames, lz4_frames])
def test_reading_goes_on_behind_any_frame_and_a_broken_one_costs_no_other(pack):
    data, begins = pack(MANY), [len(pack(MANY[:number])) for number in range(len(MANY))]
    found = list(read_stream(iter([data[begins[20] :]]), begins[20], TYPES, 10**6))
    assert [one.end for one in found] == [*begins[21:], len(data)]
    broken = bytearray(data)
    broken[begins[20] + 12 : begins[20] + 40] = bytes(28)
    left = [
        one.fields["warc-target-uri"] for one in read_stream(iter([bytes(broken)]), 0, TYPES, 10**6) if not one.flaw
    ]
    assert left == [f"http://a.example/{number}" for number in range(60) if number != 20]


def test_a_length_that_takes_the_end_of_a_compressed_body_takes_nothing_of_the_page():
    short = http(ZIPPED, b"Content-Encoding: gzip")
    clipped = record("response", short, 2, Content_Type="application/http", Content_Length=str(len(short) - 2))
    data = b"".join([*RECORDS[:3], clipped, RECORDS[4]])
    pages = [one for one in read_stream(iter([data]), 0, frozenset({"response"}), 10**6) if one.block]
    assert [build_response(one.fields, one.block, NOW, 10**6).body for one in pages] == [PAGE] * 3


def test_types_are_read_in_any_case():
    data = record("Response", http(PAGE), 1, Content_Type="application/http")
    assert [row[0] for row in rows_of(data)] == ["response"]


@pytest.mark.parametrize("uri", ["<http://a.example/x>", "http://a.example/with blanks"])
def test_addresses_are_read_that_wget_and_others_write(uri):
    data = record("resource", PAGE, 1, Content_Type="text/html", WARC_Target_URI=uri)
    (ours,), (theirs,) = rows_of(data), rows_of_warcio(data)
    assert ours[1].strip("<>").replace(" ", "%20") == theirs[1]


def test_a_dictionary_that_a_few_bytes_blow_up_is_refused():
    packed = zstandard.compress(bytes(MAX_DICTIONARY + 1))
    assert len(packed) < 10_000
    with pytest.raises(ArchiveError, match="its dictionary has more than"):
        list(read_stream(iter([DICTIONARY + len(packed).to_bytes(4, "little") + packed]), 0, TYPES, 10**6))


def test_lz4_without_its_library_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "lz4.frame", None)
    with pytest.raises(ArchiveError, match="pip install lz4"):
        list(read_stream(iter([b"\x04\x22\x4d\x18" + bytes(20)]), 0, TYPES, 10**6))
