"""A raw archive that was damaged or is gone: what reads stays noted, what is lost is told, nothing goes unasked."""

import json
import shutil
from dataclasses import replace
from datetime import timedelta

import pytest
from click.testing import CliRunner

from pipeline.archive.rewrite import repair_file
from pipeline.cli import main
from pipeline.errors import ArchiveError
from pipeline.store.articles.takedown_rows import TakedownTarget
from pipeline.store.schema.tables import ArticleRow
from pipeline.upkeep.archive_check import check_archive
from pipeline.upkeep.health_checks import check_health
from pipeline.upkeep.raw_copies import purge_dropped, read_archived_response
from pipeline.upkeep.removal import take_down
from tests.support.newsroom import XML
from tests.support.recording import REVISIT, on_sqlite
from tests.support.stories import article_page
from tests.support.web import page

STORIES = tuple(range(1, 9))


def zero(path, offset, length):
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(bytes(length))


def readable(kept):
    rows = []
    for row in kept.copies():
        try:
            read_archived_response(kept.engine, kept.place, row, 10**7)
        except ArchiveError:
            continue
        rows.append(row["record_id"])
    return set(rows)


def run(kept, *words, code=0, output=False):
    environment = {
        "NEWS_DATABASE_URL": kept.url,
        "NEWS_ARCHIVE_URL": kept.settings.archive_url,
        "NEWS_ARCHIVE_SPOOL": kept.settings.archive_spool,
    }
    done = CliRunner().invoke(main, list(words), env=environment)
    assert done.exit_code == code, done.output
    return done.output if output or (code and "--json" not in words) else done.stdout


def damage(kept):
    checks = check_health(kept.engine, kept.settings, kept.now())
    return next((check.level, check.value) for check in checks if check.name == "damage")


@on_sqlite
def test_a_run_keeps_all_that_reads_behind_damage_in_a_file_that_a_crash_left(kept):
    kept.serve_stories(*STORIES)
    kept.ingest()
    before = kept.copies()
    (path,) = kept.folder.iterdir()
    left = path.rename(path.with_name(path.name + ".open"))
    hit = kept.copies("/3")[0]
    zero(left, hit["file_offset"] + 50, 200)
    kept.ingest()
    after = kept.copies()
    assert {row["record_id"] for row in before} - {row["record_id"] for row in after} == {hit["record_id"]}
    assert readable(kept) == {row["record_id"] for row in after}
    assert path.exists()
    (aside,) = (entry for entry in kept.folder.iterdir() if ".damaged-" in entry.name)
    assert bytes(200) in aside.read_bytes()
    assert json.loads(run(kept, "archive", "status", "--json"))["damage_set_aside"] == 1
    assert damage(kept) == ("warning", 1)
    assert aside.name.startswith(f"{path.name}.damaged-{hit['file_offset']}-")
    assert [check.is_wrong for check in check_archive(kept.engine, kept.place)] == [False]
    assert aside.name in run(kept, "takedown", kept.web.url("/3"), "--yes", output=True)


@on_sqlite
def test_a_repair_of_a_finished_file_keeps_the_rows_behind_the_damage(kept):
    kept.serve_stories(*STORIES)
    kept.ingest()
    hit = kept.copies("/2")[0]
    whole = {row["record_id"] for row in kept.copies()} - {hit["record_id"]}
    (path,) = kept.folder.iterdir()
    zero(path, hit["file_offset"] + 20, 200)
    (told,) = json.loads(run(kept, "archive", "check", "--json", code=1))
    assert (told["records"], told["not_there"], told["not_noted"]) == (len(whole), 1, 0)
    assert told["torn"] >= hit["file_length"]
    assert readable(kept) == whole  # even before the repair
    run(kept, "archive", "check", "--repair")
    assert {row["record_id"] for row in kept.copies()} == readable(kept) == whole
    assert "wrong 0" in run(kept, "archive", "check")


@on_sqlite
def test_a_repair_that_was_killed_before_it_was_noted_is_done_again(kept):
    kept.serve_stories(*STORIES)
    kept.ingest()
    hit = kept.copies("/2")[0]
    whole = {row["record_id"] for row in kept.copies()} - {hit["record_id"]}
    (path,) = kept.folder.iterdir()
    zero(path, hit["file_offset"] + 20, 200)
    known = {row["record_id"]: (row["file_offset"], row["file_length"]) for row in kept.copies()}
    with repair_file(kept.place, path.name, known):
        pass  # and here it was killed: SQL tells the places of before
    run(kept, "archive", "check", "--repair")
    assert {row["record_id"] for row in kept.copies()} == readable(kept) == whole


@on_sqlite
def test_a_run_refuses_a_folder_that_is_not_mounted_and_forgets_nothing(kept):
    kept.serve_stories(1, 2)
    kept.ingest()
    before = kept.copies()
    away = kept.folder.rename(kept.folder.with_name("unmounted"))
    for folder in (None, kept.folder):
        if folder is not None:
            folder.mkdir()  # the empty mount point
        with pytest.raises(ArchiveError, match="none of its 1 files is there"):
            kept.ingest()
        assert "mounted" in run(kept, "archive", "check", "--repair", code=1)
        assert json.loads(run(kept, "archive", "check", "--json", code=1))[0]["state"] == "missing"
        assert kept.copies() == before
        assert damage(kept) == ("warning", 1)
    kept.folder.rmdir()
    away.rename(kept.folder)
    kept.ingest()
    assert readable(kept) == {row["record_id"] for row in kept.copies()}
    assert damage(kept) == ("ok", 0)


@on_sqlite
def test_files_that_are_gone_for_good_are_forgotten_when_that_is_asked_for(kept):
    kept.serve_stories(1, 2)
    kept.ingest()
    shutil.rmtree(kept.folder)
    run(kept, "archive", "check", "--forget-missing", code=2)
    run(kept, "archive", "check", "--repair", "--forget-missing")
    assert kept.copies() == []
    kept.ahead = REVISIT
    kept.ingest()
    assert readable(kept) == {row["record_id"] for row in kept.copies()} != set()


@on_sqlite
def test_what_is_to_be_taken_down_waits_for_the_folder(kept):
    kept.serve_stories(1, 2)
    kept.ingest()
    away = kept.folder.rename(kept.folder.with_name("unmounted"))
    with pytest.raises(ArchiveError, match="mounted"):
        take_down(kept.engine, kept.place, TakedownTarget.parse(kept.web.url("/1")), kept.now())
    assert len(kept.rows(ArticleRow)) == 1  # what SQL holds is gone at once
    away.rename(kept.folder)
    take_down(kept.engine, kept.place, TakedownTarget.parse(kept.web.url("/1")), kept.now())
    assert kept.copies("/1") == []
    (path,) = kept.folder.iterdir()
    assert [check.is_wrong for check in check_archive(kept.engine, kept.place)] == [False]
    assert purge_dropped(kept.engine, kept.place) == []
    assert kept.body(kept.copies("/2")[0]).decode() == article_page(2)
    assert path.exists()


@on_sqlite
def test_a_body_that_was_lost_with_its_file_is_kept_anew(kept):
    kept.settings = replace(kept.settings, archive_max_age=timedelta(0))
    kept.serve_stories(1)
    kept.web.routes["/1"] = page(article_page(1))
    kept.ingest()
    kept.serve_stories(2, feed="/two.xml")
    kept.ingest()
    first = kept.copies("/1")[0]
    (kept.folder / first["file"]).unlink()
    kept.ahead = REVISIT
    kept.ingest()
    again = kept.copies("/1")[-1]
    assert (again["digest"], again["refers_to"]) == (first["digest"], None)
    assert kept.body(again).decode() == article_page(1)


@pytest.mark.parametrize("is_repaired", [False, True], ids=["unnoticed", "repaired"])
@on_sqlite
def test_a_body_that_was_lost_to_damage_is_kept_anew_and_not_referred_to(kept, is_repaired):
    kept.serve_stories(1, 2)
    feed = kept.feed_of(1, 2)
    kept.web.routes["/feed.xml"] = page(feed, XML)
    kept.ingest()
    kept.ingest()
    first, second = kept.copies("/feed.xml")
    assert second["refers_to"] == first["id"]
    (path,) = kept.folder.iterdir()
    zero(path, first["file_offset"] + 30, 100)
    with pytest.raises(ArchiveError):
        read_archived_response(kept.engine, kept.place, second, 10**7)
    if is_repaired:
        run(kept, "archive", "check", "--repair")
        (second,) = kept.copies("/feed.xml")
        with pytest.raises(ArchiveError, match="the record with its body was lost"):
            read_archived_response(kept.engine, kept.place, second, 10**7)
    kept.ingest()
    newest = kept.copies("/feed.xml")[-1]
    assert (newest["digest"], newest["refers_to"]) == (first["digest"], None)
    assert kept.body(newest).decode() == feed


@pytest.mark.parametrize("what", ["file", "folder"])
@on_sqlite
def test_a_run_notices_that_its_file_is_removed(kept, what):
    kept.serve_stories(*STORIES)

    def serve_and_remove(request):
        for path in kept.folder.iterdir():
            path.unlink()
        if what == "folder":
            kept.folder.rmdir()
        return page(article_page(4))(request)

    kept.web.routes["/4"] = serve_and_remove
    with pytest.raises(ArchiveError, match="removed while"):
        kept.ingest()
