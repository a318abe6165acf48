"""Backfills from files that hold the pages: WARC files on disk and on the network, folders of saved pages."""

import gc
import gzip
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.archive.stream import read_stream
from pipeline.backfill import BackfillRequest
from pipeline.backfill.saved_pages import plan_folder_units
from pipeline.backfill.warc_files import PAGES, plan_file_units, read_warc_page
from pipeline.errors import ConfigError
from pipeline.ingest import run_ingest as run_live
from pipeline.model import Entry
from pipeline.store.connection.engine import write
from pipeline.store.schema.tables import ArticleRow, BackfillUnitRow, PageRow, RevisionRow
from tests.support.archive import Archive, discover_pages
from tests.support.page_kinds import SERVICE
from tests.support.stories import PUBLISHED_AT, article_page, title
from tests.support.warc_files import SITE, articles, warc_of
from tests.support.web import Reply, Web, page

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def web():
    with Web() as web:
        yield web


def take(filling, *files, **options):
    return filling.fill("warc", plan_file_units(map(str, files)), **options)


def test_a_record_is_let_go_once_it_is_read():
    """What refers to itself would stay until Python looks for reference cycles."""
    body = b"<p>Much to read.</p>" * 10_000
    file = warc_of([(f"{SITE}/1", body)])
    (found,) = [one for one in read_stream(iter([file]), 0, PAGES, 10**6) if one.block]
    before = sys.getrefcount(found.block)
    gc.disable()
    try:
        item = read_warc_page(found, BackfillRequest("warc", ("a.warc.gz",)), 10**6, PUBLISHED_AT)
        after = sys.getrefcount(found.block)
    finally:
        gc.enable()
    assert after == before
    assert item.response.body == body


def outcomes(filling):
    return {row["url"].rpartition("/")[2]: (row["state"], row["outcome"]) for row in filling.rows(PageRow)}


def test_a_warc_file_becomes_what_live_fetching_of_the_same_bytes_becomes(filling, tmp_path):
    url = filling.web.url
    filling.serve({f"/{number}": number for number in (1, 2)})
    filling.web.routes["/3"] = page("<html><body><p>Nothing here.</p></body></html>")
    write(
        filling.engine, discover_pages, [Entry(str(n), url(f"/{n}")) for n in (1, 2, 3)], filling.now(), filling.now()
    )
    run_live(filling.settings, now=filling.now)
    live = filling.rows(ArticleRow)
    pages = [(f"{SITE}/{n}", filling.web.routes[f"/{n}"](None).body) for n in (1, 2, 3)]
    (tmp_path / "a.warc.gz").write_bytes(warc_of(pages))
    result = take(filling, tmp_path / "a.warc.gz")
    assert result.is_done
    assert result.counts["read"] == 3
    taken = [row for row in filling.rows(ArticleRow) if row["url"].startswith(SITE)]
    same = ("title", "text", "authors", "language", "removed", "content_hash", "extractor_version", "published_at")
    assert [[row[name] for name in same] for row in taken] == [[row[name] for name in same] for row in live]
    rejected = [row for row in filling.rows(PageRow) if row["url"].endswith("/3")]
    assert len({(row["state"], row["reason"]) for row in rejected}) == 1
    assert {row["seen_at"] for row in filling.rows(RevisionRow)[2:]} == {datetime(2026, 3, 5, 10, tzinfo=UTC)}


def test_what_a_feed_announced_is_refused_only_where_that_is_sure(local, tmp_path):
    urls = [f"{SITE}/{name}/services/moving-services/" for name in ("announced", "found")]
    Archive(local.engine).poll(Entry(guid="1", url=urls[0]))
    (tmp_path / "a.warc.gz").write_bytes(warc_of([(url, SERVICE.encode()) for url in urls]))
    assert take(local, tmp_path / "a.warc.gz").is_done
    assert [(row["url"], row["page_class"]) for row in local.rows(ArticleRow)] == [(urls[0], "service")]
    assert {row["url"]: row["reason"] for row in local.rows(PageRow)} == dict(zip(urls, (None, "service"), strict=True))


def test_what_is_had_is_not_stored_twice_and_what_failed_is_filled(filling, tmp_path):
    url = filling.web.url
    filling.serve({"/1": 1})
    write(filling.engine, discover_pages, [Entry(str(n), url(f"/{n}")) for n in (1, 2)], filling.now(), filling.now())
    run_live(filling.settings, now=filling.now)  # there is no /2
    site = url("/").rstrip("/")
    (tmp_path / "a.warc").write_bytes(warc_of(articles(1, 2, 2, site=site), compressed=False))
    result = take(filling, tmp_path / "a.warc")
    assert (result.counts["known"], result.counts["new"]) == (2, 1)
    assert outcomes(filling) == {"1": ("stored", "new"), "2": ("stored", "new")}
    assert len(filling.rows(RevisionRow)) == 2


def test_pages_that_name_each_other_as_their_address_are_one_article(filling, tmp_path):
    """The first is another address of the second, which stands in the same batch."""
    canonical = f'<link rel="canonical" href="{SITE}/b">'
    pages = [(f"{SITE}/a", article_page(1, head=canonical).encode()), (f"{SITE}/b", article_page(1).encode())]
    (tmp_path / "a.warc.gz").write_bytes(warc_of(pages))
    result = take(filling, tmp_path / "a.warc.gz")
    assert outcomes(filling) == {"a": ("alias", "new"), "b": ("stored", "new")}
    assert (result.counts["new"], result.counts["known"]) == (1, 1)
    assert len(filling.rows(ArticleRow)) == 1
    assert {row["lease_owner"] for row in filling.rows(PageRow)} == {None}


def test_records_that_are_no_pages_end_nothing_and_are_counted(local, tmp_path):
    good = articles(1, 2)
    others = [
        (f"{SITE}/gone", ("404 Not Found", "text/html", b"gone")),
        (f"{SITE}/picture", ("200 OK", "image/png", b"\x89PNG")),
        (f"{SITE}/robots.txt", ("200 OK", "text/plain", b"User-agent: *")),
        ("dns:a.example", b"127.0.0.1"),
    ]
    data = warc_of([good[0], *others, good[1]])
    (tmp_path / "a.warc.gz").write_bytes(data[:-40])
    result = take(local, tmp_path / "a.warc.gz")
    told = {name: count for name, count in result.counts.items() if name not in {"size", "position"}}
    assert told == {"type_warcinfo": 1, "not_ok": 1, "no_page": 2, "unusable": 1, "read": 1, "new": 1, "cut": 1}
    assert result.is_done


def test_only_what_is_asked_for_by_site_language_and_time(local, tmp_path):
    sentence = "Der Stadtrat hat am Dienstag beschlossen, den alten Kornspeicher am Hafen nicht abzureißen."
    german = f'<html lang="de"><title>Der Speicher bleibt</title><article>{f"<p>{sentence}</p>" * 9}</article>'.encode()
    pages = [*articles(1), *articles(2, site="http://b.example"), (f"{SITE}/3", german)]
    (tmp_path / "5.warc.gz").write_bytes(warc_of(pages))
    (tmp_path / "9.warc.gz").write_bytes(warc_of(articles(4), day=9))
    result = take(
        local, tmp_path / "*.warc.gz", sites=("a.example",), languages=("en",), since="2026-03-05", until="2026-03-06"
    )
    assert [row["title"] for row in local.rows(ArticleRow)] == [title(1)]
    assert {name: result.counts[name] for name in ("other_site", "outside")} == {"other_site": 1, "outside": 1}
    assert len(local.rows(PageRow)) == 1 + (result.counts.get("other_language", 0) == 0)


def test_a_date_of_capture_stands_in_where_the_page_has_none(local, tmp_path):
    bare = article_page(1).replace(PUBLISHED_AT.isoformat(), "").encode()
    (tmp_path / "a.warc.gz").write_bytes(warc_of([(f"{SITE}/1", bare)]))
    take(local, tmp_path / "a.warc.gz")
    row = local.rows(ArticleRow)[0]
    assert (row["published_at"], row["published_from"]) == (datetime(2026, 3, 5, 10, tzinfo=UTC), "capture")


def test_a_file_of_the_network_is_streamed_and_gone_on_with_where_it_broke_off(local):
    data = warc_of(articles(*range(60)))
    broken = []

    def serve(request):
        first = int(request.headers.get("range", "bytes=0-")[6:].partition("-")[0])
        if not broken:
            broken.append(True)
            return Reply(body=data[: len(data) * 2 // 3], length=len(data), end="close")
        headers = {"Content-Range": f"bytes {first}-{len(data) - 1}/{len(data)}"}
        return Reply(status=206, body=data[first:], headers=headers)

    local.web.routes["/a.warc.gz"] = serve
    first = take(local, local.web.url("/a.warc.gz"))
    assert (first.is_done, first.units) == (False, {"queued": 1})
    assert 0 < len(local.rows(ArticleRow)) < 60
    local.ahead = first.next_at - local.now()
    assert take(local, local.web.url("/a.warc.gz")).is_done
    assert len(local.rows(ArticleRow)) == 60
    asked = [request.headers.get("range") for request in local.web.asked("/a.warc.gz")]
    assert asked[0] is None
    assert int(asked[1].partition("=")[2].rstrip("-")) > len(data) // 3


def test_a_file_that_is_not_there_is_a_trouble_of_its_own(local, tmp_path):
    (tmp_path / "a.warc.gz").write_bytes(warc_of(articles(1)))
    units = [("file", str(tmp_path / "missing.warc.gz")), *plan_file_units([str(tmp_path / "a.warc.gz")])]
    result = local.fill("warc", units)
    assert [one["reason"] for one in result.troubles] == ["unreadable"]
    assert len(local.rows(ArticleRow)) == 1
    with pytest.raises(ConfigError, match="no such file"):
        plan_file_units([str(tmp_path / "*.arc")])


def test_a_dry_run_of_a_file_counts_and_leaves_nothing_behind(local, tmp_path):
    (tmp_path / "a.warc.gz").write_bytes(warc_of(articles(1, 2, 3)))
    result = take(local, tmp_path / "a.warc.gz", dry=True)
    assert (result.counts["read"], len(result.findings.sample)) == (3, 3)
    assert local.rows(PageRow) == local.rows(BackfillUnitRow) == []


def test_a_limit_ends_in_the_middle_of_a_file(local, tmp_path):
    (tmp_path / "a.warc.gz").write_bytes(warc_of(articles(*range(30))))
    assert take(local, tmp_path / "a.warc.gz", limit=7).counts["read"] == 7
    assert len(local.rows(ArticleRow)) == 7


def test_killed_in_the_middle_of_a_file_it_goes_on_and_stores_nothing_twice(filling, tmp_path):
    path = tmp_path / "a.warc.gz"
    path.write_bytes(warc_of(articles(*range(150))))
    environment = os.environ | {
        "NEWS_DATABASE_URL": filling.engine.url.render_as_string(hide_password=False),
        "NEWS_JOBS": "1",
    }
    command = [sys.executable, "-m", "pipeline", "backfill", "warc", str(path), "--json"]
    for wanted in (20, 80):
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL)
        while process.poll() is None and len(filling.rows(ArticleRow)) < wanted:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
    subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    assert len(filling.rows(ArticleRow)) == len(filling.rows(RevisionRow)) == 150
    counts = filling.rows(BackfillUnitRow)[0]["counts"]
    assert counts["read"] == 150  # nothing was stored without its progress, nor the other way round


@pytest.mark.parametrize("name", ["index.csv", "index.jsonl"])
def test_saved_pages_with_an_index(local, tmp_path, name):
    bare = article_page(2).replace(PUBLISHED_AT.isoformat(), "")
    (tmp_path / "one.html").write_text(article_page(1))
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "two.html.gz").write_bytes(gzip.compress(bare.encode()))
    (tmp_path / "cut.html.gz").write_bytes(gzip.compress(article_page(3).encode())[:-200])
    rows = [
        ("one.html", f"{SITE}/1", "2026-03-05"),
        ("sub/two.html.gz", f"{SITE}/2", "2026-03-06T12:00+02:00"),
        ("cut.html.gz", f"{SITE}/3", ""),
        ("missing.html", f"{SITE}/4", "2026-03-06"),
    ]
    if name == "index.csv":
        text = "\n".join(["file,url,published_at", *(",".join(row) for row in rows)])
    else:
        text = "\n".join(f'{{"path": "{file}", "url": "{url}", "date": "{at}"}}' for file, url, at in rows)
    (tmp_path / name).write_text(text)
    result = local.fill("html", plan_folder_units(str(tmp_path)))
    assert result.is_done
    assert result.counts["broken"] == 2
    told = {row["url"]: (row["published_at"], row["published_from"]) for row in local.rows(ArticleRow)}
    assert told[f"{SITE}/2"] == (datetime(2026, 3, 6, 10, tzinfo=UTC), "index")
    assert set(told) == {f"{SITE}/1", f"{SITE}/2"}


def test_saved_pages_without_an_index_say_themselves_where_they_are_from(local, tmp_path):
    (tmp_path / "a.html").write_text(article_page(1, head=f'<link rel="canonical" href="{SITE}/1">'))
    (tmp_path / "b.htm").write_text(article_page(2, head=f'<meta property="og:url" content="{SITE}/2">'))
    (tmp_path / "c.html").write_text(article_page(3))
    result = local.fill("html", plan_folder_units(str(tmp_path)))
    assert sorted(row["url"] for row in local.rows(ArticleRow)) == [f"{SITE}/1", f"{SITE}/2"]
    assert result.counts["no_address"] == 1


def test_an_index_must_not_lead_out_of_its_folder(local, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (tmp_path / "secret.html").write_text(article_page(1))
    (folder / "index.csv").write_text(f"file,url\n../secret.html,{SITE}/1\n")
    result = local.fill("html", plan_folder_units(str(folder)))
    assert [one["reason"] for one in result.troubles] == ["unreadable"]
    assert local.rows(ArticleRow) == []


@pytest.mark.parametrize(
    "data", [b"", b"junk", b"plain text, and a lot of it\n" * 5000], ids=["nothing", "junk", "text"]
)
def test_a_file_without_a_record_is_no_file_that_was_taken_in(local, tmp_path, data):
    path = tmp_path / "pages.warc.gz"
    path.write_bytes(data)
    result = local.fill("warc", [("file", str(path))])
    assert [one["reason"] for one in result.troubles] == ["unreadable"]
    assert "no whole WARC record" in result.troubles[0]["detail"]


def test_a_folder_without_a_page_is_a_trouble(local, tmp_path):
    (tmp_path / "notes.txt").write_text("no page")
    result = local.fill("html", [("folder", str(tmp_path))])
    assert [(one["reason"], "no page" in one["detail"]) for one in result.troubles] == [("unreadable", True)]


def test_a_bad_line_of_an_index_costs_no_more_than_itself(local, tmp_path):
    (tmp_path / "1.html").write_bytes(article_page(1).encode())
    rows = ['{"file": "1.html", "url": "http://clips.example/1", "date": 2020}', '["1.html"]', "{bad", "[" * 100_000]
    (tmp_path / "index.jsonl").write_text("\n".join(rows))
    result = local.fill("html", [("folder", str(tmp_path))])
    assert result.is_done
    assert (result.counts["new"], result.counts["broken"]) == (1, 3)


def test_an_index_of_bad_lines_alone_is_a_trouble(local, tmp_path):
    (tmp_path / "index.jsonl").write_text("[]\n")
    result = local.fill("html", [("folder", str(tmp_path))])
    assert [(one["reason"], "index.jsonl" in one["detail"]) for one in result.troubles] == [("unreadable", True)]
