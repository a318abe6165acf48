"""What is fetched is kept: in files that outlive crashes, noted in SQL, found again; on both databases."""

import base64
import fcntl
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import pytest
from warcio.archiveiterator import ArchiveIterator
from warcio.cli import main as warcio

from pipeline.archive.folder import WarcFolder
from pipeline.archive.member import compute_digest, read_members
from pipeline.archive.reader import read_response
from pipeline.archive.rewrite import list_left_files, repair_file
from pipeline.archive.writer import RotationLimits, WarcWriter
from pipeline.errors import ArchiveError, ConfigError
from pipeline.http.credentials import CredentialsChange
from pipeline.store.connection.engine import write
from pipeline.store.frontier.stored_credentials import store_credentials
from tests.support.captures import AT, capture
from tests.support.newsroom import XML
from tests.support.recording import REVISIT, on_sqlite
from tests.support.stories import article_page
from tests.support.web import page, redirect, status


def test_pages_and_feeds_are_kept_as_they_came(kept):
    kept.serve_stories(1, 2)
    kept.ingest()
    assert sorted((row["kind"], row["status"]) for row in kept.copies()) == [
        ("feed", 200),
        ("page", 200),
        ("page", 200),
    ]
    (one,) = kept.copies("/1")
    assert kept.body(one).decode() == article_page(1)
    assert one["page_id"] == kept.page("/1")["id"]
    assert one["digest"] == compute_digest(article_page(1).encode())
    (feed,) = kept.copies("/feed.xml")
    assert (feed["feed_id"], feed["page_id"]) == (1, None)
    assert [path.name for path in kept.folder.iterdir()] == [one["file"]]


def test_what_has_not_changed_is_kept_as_a_revisit(kept):
    kept.serve_stories(1)
    kept.web.routes["/1"] = page(article_page(1))
    kept.ingest()
    kept.ahead = REVISIT
    kept.ingest()
    first, second = kept.copies("/1")
    assert (first["refers_to"], second["refers_to"]) == (None, first["id"])
    feed, not_modified = kept.copies("/feed.xml")
    assert (not_modified["status"], not_modified["refers_to"]) == (304, feed["id"])
    with kept.place.open(first["file"]) as file:
        kinds = [(member.type, member.status) for member in read_members(file)]
    assert kinds.count(("revisit", 200)) == 1
    assert kinds.count(("revisit", 304)) == 1
    assert kinds.count(("warcinfo", 0)) == 1


def test_errors_and_redirects_are_kept_too(kept):
    kept.serve_stories(1, 2, 3)
    kept.web.routes["/1"] = status(403, "a wall of some kind")
    kept.web.routes["/2"] = redirect("/moved")
    kept.web.routes["/moved"] = page(article_page(2))
    kept.web.routes["/3"] = redirect(kept.web.url("/other", host="127.0.0.2"))
    kept.web.routes["/other"] = page(article_page(3))
    kept.ingest()
    (wall,) = kept.copies("/1")
    assert (wall["status"], kept.body(wall)) == (403, b"a wall of some kind")
    (hop,), (target,) = kept.copies("/2"), kept.copies("/moved")
    assert (hop["status"], hop["page_id"]) == (302, target["page_id"])
    (hop,) = kept.copies("/3")
    assert (hop["status"], hop["page_id"]) == (302, kept.page("/3")["id"])


def test_off_keeps_nothing_and_beside_sqlite_it_is_on_by_itself(kept, tmp_path):
    kept.serve_stories(1)
    kept.settings = replace(kept.settings, archive_url="off")
    kept.ingest()
    assert kept.copies() == []
    assert not kept.folder.exists()
    automatic = replace(kept.settings, archive_url="auto").archive_place
    assert automatic == (str(tmp_path / "raw") if kept.url.startswith("sqlite") else None)


def test_a_run_goes_on_with_the_file_of_the_run_before_until_it_is_full(kept):
    kept.serve_stories(1)
    kept.ingest()
    kept.serve_stories(2, feed="/two.xml")
    kept.ingest()
    assert len({row["file"] for row in kept.copies()}) == 1
    kept.settings = replace(kept.settings, archive_max_bytes=1)
    kept.serve_stories(3, feed="/three.xml")
    kept.ingest()
    files = {row["file"] for row in kept.copies()}
    assert len(files) > 2
    assert {path.name for path in kept.folder.iterdir()} == files
    for row in kept.copies():
        kept.body(row)


@on_sqlite
def test_an_old_file_is_left_for_a_new_one(kept):
    kept.serve_stories(1)
    kept.ingest()
    kept.ahead = timedelta(days=61)
    kept.ingest()
    assert len({row["file"] for row in kept.copies()}) == 2


@on_sqlite
def test_standard_tools_read_what_a_run_has_written(kept, capsys):
    kept.serve_stories(1, 2, 3)
    kept.web.routes["/3"] = status(404)
    kept.ingest()
    kept.ahead = REVISIT
    kept.ingest()
    for path in kept.folder.iterdir():
        with pytest.raises(SystemExit) as done:
            warcio(["check", str(path)])
        assert not done.value.code, capsys.readouterr().out
        with path.open("rb") as file:
            urls = [record.rec_headers.get_header("WARC-Target-URI") for record in ArchiveIterator(file)]
        assert urls.count(kept.web.url("/1")) == 4  # twice a request and what came of it


@on_sqlite
def test_what_a_user_gave_to_ask_with_is_not_kept_nor_what_it_opens(kept):
    kept.serve_stories(1)
    kept.web.routes["/feed.xml"] = page(kept.feed_of(1), XML, Set_Cookie="session=opened")
    kept.web.routes["/1"] = page(article_page(1), Set_Cookie="visit=counted")
    given = CredentialsChange({"X-Key": "hush-1"}, {"who": "hush-2"}, {"user_agent": "hush-3", "auth": "me:hush-4"})
    write(kept.engine, store_credentials, 1, given, kept.now())
    kept.ingest()
    (asked,) = kept.web.asked("/feed.xml")
    assert (asked.headers["x-key"], asked.headers["user-agent"]) == ("hush-1", "hush-3")
    for path in kept.folder.iterdir():
        with path.open("rb") as file:
            text = b"".join(member.block for member in read_members(file))
    basic = base64.b64encode(b"me:hush-4")
    assert not any(secret in text for secret in (b"hush", basic, b"session=opened"))
    assert b"visit=counted" in text, "what anybody is given is kept"


@on_sqlite
def test_what_opts_out_and_is_respected_is_not_kept_raw_either(kept):
    kept.serve_stories(1, 2, 3)
    kept.web.routes["/1"] = page(article_page(1), X_Robots_Tag="noarchive")
    kept.web.routes["/2"] = page(article_page(2, head='<meta name="robots" content="noarchive">'))
    kept.settings = replace(kept.settings, respect_opt_out=("noarchive",))
    kept.ingest()
    assert [kept.page(path)["reason"] for path in ("/1", "/2")] == ["opt_out", "opt_out"]
    assert {row["url"] for row in kept.copies()} == {kept.web.url("/3"), kept.web.url("/feed.xml")}


# ---------------------------------------------------------------- crashes


def crash(kept, requests):
    """A run in a process of its own, killed once it has made so many requests."""
    environment = os.environ | {
        "NEWS_DATABASE_URL": kept.url,
        "NEWS_ALLOW_NETWORKS": "127.0.0.0/8",
        "NEWS_HOST_DELAY": "0",
        "NEWS_JOBS": "1",
        "NEWS_ARCHIVE_URL": str(kept.folder),
    }
    until = len(kept.web.requests) + requests
    code = "from tests.support.crawl import main; main()"
    process = subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.DEVNULL)
    while len(kept.web.requests) < until and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def test_killed_again_and_again_nothing_is_lost_and_every_note_is_true(kept):
    kept.serve_stories(*range(40))
    for requests in (4, 9, 10):
        crash(kept, requests)
    kept.ahead = timedelta(hours=1)
    kept.ingest()
    assert len({row["page_id"] for row in kept.copies() if row["status"] == 200 and row["page_id"]}) == 40
    noted = {(row["file"], row["record_id"], row["file_offset"], row["file_length"]) for row in kept.copies()}
    found = set()
    for path in kept.folder.iterdir():
        assert not path.name.endswith(".open")
        with path.open("rb") as file:
            members = list(read_members(file))
        assert members[-1].offset + members[-1].length == path.stat().st_size
        answers = [member for member in members if member.type in {"response", "revisit"}]
        found |= {(path.name, member.record_id, member.offset, member.length) for member in answers}
    assert found == noted
    for row in kept.copies("/7"):
        assert row["refers_to"] is not None or kept.body(row).decode() == article_page(7)


@on_sqlite
def test_a_torn_tail_is_cut_off_and_records_without_a_note_are_noted(kept):
    kept.serve_stories(1, 2)
    kept.ingest()
    before = kept.copies()
    (path,) = kept.folder.iterdir()
    torn = path.rename(path.with_name(path.name + ".open"))
    with torn.open("r+b") as file:
        whole = list(read_members(file))
        lost = [member for member in whole if member.type == "response"][-1]
        file.seek(0, 2)
        file.write(whole[1].data[:-30])  # half a record
    assert list_left_files(kept.place) == [path.name]
    with repair_file(kept.place, path.name, {row["record_id"]: (row["file_offset"], 0) for row in before}) as survey:
        assert [span.length for span in survey.damage] == [len(whole[1].data) - 30]
    assert path.stat().st_size == whole[-1].offset + whole[-1].length
    assert [entry.name for entry in kept.folder.iterdir()] == [path.name]
    # And by a run, which also puts the notes in order: one is missing, one speaks of what is not there.
    path.rename(torn)
    with torn.open("r+b") as file:
        file.truncate(lost.offset + 10)
    kept.ingest()
    assert [row["record_id"] for row in kept.copies()[: len(before) - 1]] == [
        row["record_id"] for row in before if row["record_id"] != lost.record_id
    ]


@on_sqlite
def test_the_file_of_a_living_process_is_left_alone(kept):
    kept.serve_stories(1)
    kept.ingest()
    (path,) = kept.folder.iterdir()
    busy = path.rename(path.with_name(path.name + ".open"))
    with busy.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        kept.serve_stories(2, feed="/two.xml")
        kept.ingest()
        assert busy.exists()
        assert len({row["file"] for row in kept.copies()}) == 2


def test_a_full_disk_is_an_error_and_leaves_no_half_record(tmp_path):
    writer = WarcWriter(WarcFolder(str(tmp_path / "raw"), tmp_path), RotationLimits(10**9, timedelta(days=1)), [])
    written = writer.write(capture(), "sha1:A", None)
    size = next((tmp_path / "raw").iterdir()).stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, hard))
    try:
        with pytest.raises(ArchiveError, match="File too large"):
            writer.write(capture(), "sha1:A", None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    again = writer.write(capture(), "sha1:A", None)
    writer.close()
    data = (tmp_path / "raw" / written.file).read_bytes()
    answers = [member for member in read_members(BytesIO(data)) if member.type == "response"]
    assert [member.record_id for member in answers] == [written.record_id, again.record_id]


# ---------------------------------------------------------------- remote addresses


@on_sqlite
def test_at_a_remote_address_files_are_uploaded_when_they_are_finished(kept, request):
    kept.settings = replace(kept.settings, archive_url=f"memory://{request.node.name}-{os.getpid()}/raw")
    kept.serve_stories(1, 2)
    kept.ingest()
    kept.serve_stories(3, feed="/two.xml")
    kept.ingest()
    files = {row["file"] for row in kept.copies()}
    assert len(files) == 2
    assert set(kept.place.names()) == files
    assert list(kept.place.folder.iterdir()) == []
    assert kept.body(kept.copies("/1")[0]).decode() == article_page(1)


def test_what_could_not_be_uploaded_waits_here_and_is_read_here(tmp_path, request):
    place = WarcFolder(f"memory://{request.node.name}-{os.getpid()}", tmp_path / "spool")
    writer = WarcWriter(place, RotationLimits(10**9, timedelta(days=1)), [], lambda: AT)
    written = writer.write(capture(), "sha1:A", None)
    assert read_response(place.read(written.file, written.offset, written.length), written.record_id, 10_000)
    upload, place.upload = place.upload, lambda path: (_ for _ in ()).throw(ArchiveError("away"))
    writer.close()
    assert place.names() == [written.file]
    place.upload = upload
    WarcWriter(place, RotationLimits(10**9, timedelta(days=1)), []).upload()
    assert list(place.folder.iterdir()) == []
    assert read_response(place.read(written.file, written.offset, written.length), written.record_id, 10_000)


def test_an_address_that_nothing_knows_is_refused_in_words(tmp_path):
    with pytest.raises(ConfigError, match="NEWS_ARCHIVE_URL"):
        WarcFolder("nosuch://place", tmp_path)


def test_a_file_that_is_not_there_is_an_error_of_ours(tmp_path):
    with pytest.raises(ArchiveError, match=r"gone\.warc\.gz"):
        WarcFolder(str(tmp_path), tmp_path).read("gone.warc.gz", 0, 10)
