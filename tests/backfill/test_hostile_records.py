"""WARC files of others: no record ends a unit, whatever is in it, and every page that is one is taken."""

import gzip
import sys
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.backfill.ccnews import may_hold
from pipeline.backfill.saved_pages import plan_folder_units
from pipeline.backfill.warc_files import plan_file_units
from pipeline.backfill.wayback import read_cdx_index
from pipeline.periods import read_period
from pipeline.store.schema.tables import ArticleRow, BackfillUnitRow, PageRow
from tests.support.stories import article_page, title
from tests.support.web import Web

DATE = "2026-03-05T10:00:00Z"


@pytest.fixture
def web():
    with Web() as web:
        yield web


def record(url, block, *, kind="response", date=DATE, content_type="application/http; msgtype=response", line="\r\n"):
    named = {"WARC-Type": kind, "WARC-Record-ID": "<urn:uuid:1>", "WARC-Target-URI": url, "WARC-Date": date}
    named |= {"Content-Type": content_type, "Content-Length": str(len(block))}
    head = line.join(["WARC/0.18", *(f"{name}: {value}" for name, value in named.items()), "", ""])
    return gzip.compress(head.encode("utf-8", "surrogateescape") + block + line.encode() * 2)


def http(body, *headers, line="\r\n"):
    head = line.join(["HTTP/1.1 200 OK", "Content-Type: text/html; charset=utf-8", *headers, "", ""])
    return head.encode("utf-8", "surrogateescape") + body


def story(number, **changes):
    text = article_page(number)
    for old, new in changes.items():
        text = text.replace(old, new)
    return text.encode()


def take(filling, tmp_path, *records, **options):
    path = tmp_path / "strange.warc.gz"
    path.write_bytes(b"".join(records))
    result = filling.fill("warc", plan_file_units([str(path)]), **options)
    (unit,) = filling.rows(BackfillUnitRow)
    assert (unit["state"], unit["reason"]) == ("done", None)
    assert result.is_done
    return dict(result.counts)


def titles(filling):
    return {row["title"] for row in filling.rows(ArticleRow)}


DATES = [
    "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00",
    "2008-10-294T00:00:00Z", "20260305", "", "never", "2026-03-05T10:00:00+99:00", "-0001-01-01T00:00:00Z",
    "10000-01-01T00:00:00Z", "2026-03-05T24:61:00Z", "1970-01-01T00:00:00Z",
]  # fmt: skip


def test_a_page_whose_date_is_none_is_taken_with_its_time_unknown(local, tmp_path):
    pages = [record(f"http://a.example/{number}", http(story(number)), date=date) for number, date in enumerate(DATES)]
    counts = take(local, tmp_path, *pages, record("http://a.example/last", http(story(99))))
    assert counts["read"] == counts["new"] == len(DATES) + 1
    assert titles(local) == {title(number) for number in (*range(len(DATES)), 99)}
    dated = {row["url"].rpartition("/")[2] for row in local.rows(PageRow) if row["published_from"] == "capture"}
    assert dated == {"5", "last"}
    for row in local.rows(ArticleRow):
        assert datetime.now(UTC) + timedelta(days=1) > row["first_seen_at"] > datetime(1990, 1, 1, tzinfo=UTC)


def test_within_a_range_a_page_without_a_time_is_taken_where_that_is_asked_for(local, tmp_path):
    pages = [record("http://a.example/1", http(story(1)), date="2008-10-294T00:00:00Z")]
    pages.append(record("http://a.example/2", http(story(2))))
    counts = take(local, tmp_path, *pages, since="2026-03", until="2026-04")
    assert (counts["undated"], counts["read"]) == (1, 1)
    assert titles(local) == {title(2)}
    path = tmp_path / "strange.warc.gz"
    local.fill("warc", plan_file_units([str(path)]), since="2026-03", until="2026-04", undated=True)
    assert titles(local) == {title(1), title(2)}


@pytest.mark.parametrize("line", ["\n", "\r\n", "\r\r\n"], ids=["LF", "CR LF", "CR CR LF"])
def test_pages_are_taken_whatever_ends_the_lines_of_their_heads(local, tmp_path, line):
    pages = [record(f"http://a.example/{number}", http(story(number), line=line), line=line) for number in (1, 2)]
    assert take(local, tmp_path, *pages)["new"] == 2


def test_pages_come_as_resources_and_with_bodies_that_are_not_framed_as_they_say(local, tmp_path):
    take(
        local,
        tmp_path,
        record("http://a.example/1", story(1), kind="resource", content_type="text/html"),
        record("http://a.example/2", http(story(2), "Transfer-Encoding: chunked")),
        record("http://a.example/3", http(story(3), "Content-Encoding: gzip", "Transfer-Encoding: chunked")),
        record("dns:a.example", b"20260305 a.example. 300 IN A 192.0.2.1", kind="resource", content_type="text/dns"),
        record("http://a.example/a.png", b"\x89PNG", kind="resource", content_type="image/png"),
    )
    assert titles(local) == {title(1), title(2), title(3)}


@pytest.mark.parametrize("library", ["zstandard", "lz4.frame"])
def test_pages_are_taken_whatever_compresses_the_file(local, tmp_path, library):
    compress = pytest.importorskip(library).compress
    pages = [compress(gzip.decompress(record(f"http://a.example/{n}", http(story(n))))) for n in range(3)]
    assert take(local, tmp_path, *pages)["new"] == 3


def test_a_file_in_lz4_fails_where_its_library_is_missing_and_is_read_once_it_is_there(local, tmp_path, monkeypatch):
    frame = pytest.importorskip("lz4.frame")
    path = tmp_path / "a.warc.lz4"
    path.write_bytes(frame.compress(gzip.decompress(record("http://a.example/1", http(story(1))))))
    with monkeypatch.context() as missing:
        missing.setitem(sys.modules, "lz4.frame", None)
        (trouble,) = local.fill("warc", plan_file_units([str(path)])).troubles
    assert (trouble["reason"], "pip install lz4" in trouble["detail"]) == ("unreadable", True)
    local.fill("warc", plan_file_units([str(path)]))
    assert titles(local) == {title(1)}


def test_the_whole_records_of_a_clipped_file_are_taken(local, tmp_path):
    pages = [record(f"http://a.example/{number}", http(story(number))) for number in (1, 2, 3)]
    counts = take(local, tmp_path, *pages[:2], pages[2][:-40])
    assert (counts["new"], counts["cut"]) == (2, 1)


ADDRESSES = [
    "http://[", "http://[::1", "javascript:alert(1)", "", "http://a.example:99999/", "http://\udc80\udcff/", "urn:x",
    "http://a.example/\x00", "http://a.example/" + "x" * 5000, "http://xn--a.example/", "HTTP://A.EXAMPLE/%zz%00",
]  # fmt: skip
ANSWERS = {
    "none": b"",
    "noise": bytes(range(256)) * 9,
    "nul": http(story(20, tide="ti\0de")),
    "deep": http(b"<div>" * 50_000 + story(21)),
    "headers": http(story(22), *[f"X-{number}: \udcff\x01" for number in range(500)]),
    "status": b"HTTP/1.1 \xd9\xa2\xd9\xa0\xd9\xa0 OK\r\n\r\n" + story(23),
    "length": http(story(24), "Content-Length: -1", "Last-Modified: Thu, 99 Foo 9999", "ETag: \udcff\x00"),
    "codings": http(story(25), "Content-Encoding: br, zstd, gzip, gzip, gzip"),
    "charset": b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=\xff\xfe\r\n\r\n" + story(27),
    "utf-16": b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-16\r\n\r\n" + story(28),
    "surrogates": http(story(29, tide="&#xd800;&#55555;&#0;&#x10ffff;")),
}
EDGES = ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "9999-12-31", "0001-01-01T00:00:00Z", "2026-99-99"]
META = '<meta property="article:published_time" content="{0}"><meta property="article:modified_time" content="{0}">'
JSON = (
    '<script type="application/ld+json">'
    '{{"@type": "NewsArticle", "datePublished": "{0}", "dateModified": "{0}"}}</script>'
)


def test_no_row_of_an_index_ends_a_folder(local, tmp_path):
    for number in range(6):
        (tmp_path / f"{number}.html").write_bytes(story(number))
    rows = [
        ("0.html", "http://a.example/0", "9999-12-31T23:59:59-14:00"),
        ("1.html", "http://a.example/1", "0001-01-01T00:00:00+14:00"),
        ("2\0.html", "http://a.example/2", ""),
        ("3.html", "http://a.example/3\udcff", ""),
        ("4.html" + "x" * 200_000, "http://a.example/4", ""),
        ("5.html", "http://a.example/5", "2026-03-05"),
    ]
    text = "file,url,published_at\n" + "".join(",".join(row) + "\n" for row in rows)
    (tmp_path / "index.csv").write_bytes(text.encode("utf-8", "surrogateescape"))
    result = local.fill("html", plan_folder_units(str(tmp_path)))
    assert (result.is_done, result.troubles) == (True, [])
    assert {title(0), title(1), title(5)} <= titles(local)
    assert sum(result.counts.get(name, 0) for name in ("read", "broken", "no_address")) == len(rows)


def test_no_capture_or_file_at_the_edge_of_time_ends_an_index():
    lines = [
        "example,a)/1 99991231235959 http://a.example/1 text/html 200 D 12",
        "example,a)/2 00010101000000 http://a.example/2 text/html 200 D 12",
        "example,a)/3 20260305100000 http://a.example/3 text/html 200 D 12",
    ]
    captures, _, broken = read_cdx_index("\n".join(lines))
    assert ([capture.url for capture in captures], broken) == (["http://a.example/3"], 2)
    assert may_hold(
        "crawl-data/CC-NEWS/9999/12/CC-NEWS-99991231235959-00007.warc.gz", read_period("2026-03", "2026-04")
    )


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://10.0.0.1/a.warc.gz", "blocked_address"),
        ("http://169.254.169.254/a.warc.gz", "blocked_address"),
        ("http://[fd00::1]/a.warc.gz", "blocked_address"),
        ("http://a.example:25/a.warc.gz", "blocked_port"),
    ],
)
def test_an_address_that_is_refused_is_final(local, url, reason):
    result = local.fill("warc", plan_file_units([url]))
    assert [(unit["state"], unit["reason"]) for unit in result.troubles] == [("failed", reason)]
    assert result.is_done


def test_no_record_ends_a_unit_whatever_is_in_it(filling, tmp_path):
    records = [record(url, http(story(number))) for number, url in enumerate(ADDRESSES)]
    records += [record(f"http://a.example/{name}", block) for name, block in ANSWERS.items()]
    records.append(record("http://a.example/type", http(story(26)), kind="response\x00"))
    for number, date in enumerate(EDGES):
        for name, template in {"meta": META, "json": JSON}.items():
            block = http(template.format(date).encode() + story(100 + len(records)))
            records.append(record(f"http://a.example/{name}{number}", block))
    counts = take(filling, tmp_path, *records, record("http://a.example/last", http(story(99))))
    assert title(99) in titles(filling)
    kinds = ("read", "unusable", "broken", "no_page", "not_ok", "type_unknown", "known")
    assert sum(counts.get(name, 0) for name in kinds) == len(records) + 1, counts
    stored = {row["url"] for row in filling.rows(PageRow) if row["state"] == "stored"}
    assert {f"http://a.example/{name}{n}" for name in ("meta", "json") for n in range(len(EDGES))} <= stored
