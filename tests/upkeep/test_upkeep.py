"""What is done to an archive that is there: cleaned again, taken down from, pruned, checked; on both databases."""

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from pipeline.archive.folder import lock_file
from pipeline.archive.member import read_members
from pipeline.archive.rewrite import remove_records
from pipeline.cli import main
from pipeline.extract import PageInput, extract_article
from pipeline.model import Address, Fetched, Validators
from pipeline.schedule.pages import PagePolicy, PageUpdate
from pipeline.store.articles.bulk_rows import CapturedPage, store_captured_pages
from pipeline.store.articles.expired import RetentionRules, count_expired
from pipeline.store.articles.reclean_queue import CopySelection
from pipeline.store.articles.takedown_rows import TakedownTarget, bar_target, take_down_pages
from pipeline.store.connection.engine import reading, write
from pipeline.store.feeds.subscriptions import remove_feed
from pipeline.store.frontier.discovery import put_addresses
from pipeline.store.schema.tables import (
    ArticleRow,
    EntryRow,
    FeedRow,
    PageRow,
    PollRow,
    RawRow,
    RevisionRow,
    TakedownRow,
)
from pipeline.text.duplicates import content_hash
from pipeline.upkeep.archive_check import check_archive
from pipeline.upkeep.raw_copies import prune, purge_dropped, read_archived_response
from pipeline.upkeep.recleaning import RecleanJob, reclean, select_older_versions
from pipeline.upkeep.removal import measure_extent, take_down
from tests.support.newsroom import XML
from tests.support.page_kinds import COLLECTION, SERVICE
from tests.support.recording import REVISIT, on_sqlite
from tests.support.stories import article_page, paragraphs, title
from tests.support.web import page, redirect, status

TABLES = (ArticleRow, RevisionRow, PageRow, EntryRow)


def run(kept, *words, code=0, **environment):
    environment |= {
        "NEWS_DATABASE_URL": kept.url,
        "NEWS_ARCHIVE_URL": kept.settings.archive_url,
        "NEWS_ARCHIVE_SPOOL": kept.settings.archive_spool,
        "NEWS_JOBS": "1",
    }
    done = CliRunner().invoke(main, list(words), env=environment)
    assert done.exit_code == code, done.output
    return done.stdout


def job(kept, **fields):
    return RecleanJob(kept.settings, kept.engine, kept.place, CopySelection(), kept.now, **fields)


def change(kept, row_id, **values):
    """What an older version of the rules might have stored."""
    write(kept.engine, lambda connection: connection.execute(
        sa.update(ArticleRow).where(ArticleRow.id == row_id).values(**values)
    ))  # fmt: skip


def spoil(kept, row_id=1, text="An older version of the rules made this of the page, and nothing else at all."):
    values = {"text": text, "content_hash": content_hash(text), "word_count": len(text.split())}
    change(kept, row_id, **values, extractor_version="0.1+1")
    write(kept.engine, lambda connection: connection.execute(
        sa.update(RevisionRow).where(RevisionRow.article_id == row_id).values(**values)
    ))  # fmt: skip


# ---------------------------------------------------------------- reclean


def test_the_same_rules_make_the_same_rows(kept):
    kept.serve_stories(1, 2)
    kept.web.routes["/2"] = redirect("/moved")
    kept.web.routes["/moved"] = page(article_page(2))
    kept.web.routes["/3"] = page("<p>No article.</p>")
    kept.web.routes["/other.xml"] = page(kept.feed_of(3, 1), XML)
    kept.subscribe("/other.xml")
    kept.ingest()
    before = [kept.rows(table) for table in TABLES]
    asked = len(kept.web.requests)
    assert dict(reclean(job(kept)).kinds) == {"same": 2, "none": 1}
    assert [kept.rows(table) for table in TABLES] == before
    assert len(kept.web.requests) == asked


def test_other_rules_open_a_revision_that_is_ours_and_a_dry_run_only_tells(kept):
    kept.serve_stories(1, 2)
    kept.ingest()
    spoil(kept)
    change(kept, 2, section="of old")
    before = [kept.rows(table) for table in (*TABLES, RawRow)]

    told = json.loads(run(kept, "reclean", "--dry-run", "--json"))
    assert told["pages"] == {"revised": 1, "updated": 1}
    assert told["sites"] == {f"127.0.0.1:{kept.web.port}": {"revised": 1, "updated": 1}}
    largest = told["largest"][0]
    assert (largest["url"], largest["kind"]) == (kept.web.url("/1"), "revised")
    assert largest["size"] > 0.5
    assert "An older version" in run(kept, "reclean", "--dry-run")
    assert [kept.rows(table) for table in (*TABLES, RawRow)] == before

    assert "revised 1" in run(kept, "reclean")
    first, second = kept.rows(ArticleRow)
    assert first["text"] == "\n\n".join(paragraphs(1))
    assert second["section"] is None
    revisions = [(row["article_id"], row["number"], row["cause"]) for row in kept.rows(RevisionRow)]
    assert revisions == [(1, 1, "publisher"), (2, 1, "publisher"), (1, 2, "reclean")]
    assert json.loads(run(kept, "reclean", "--json"))["pages"] == {"same": 2}


def test_shape_links_and_pictures_of_texts_that_were_stored_without_are_filled_in(kept):
    kept.serve_stories(1)
    kept.ingest()
    rows = [kept.rows(table) for table in TABLES]
    for table in (ArticleRow, RevisionRow):
        write(kept.engine, lambda connection, table=table: connection.execute(sa.update(table).values(shape=None)))
    change(kept, 1, links=None, pictures=None)
    report = reclean(job(kept))
    assert (dict(report.kinds), dict(report.columns)) == ({"updated": 1}, {"shape": 1, "links": 1, "pictures": 1})
    for table, before in zip(TABLES, rows, strict=True):
        assert [row | {"updated_at": None} for row in map(dict, kept.rows(table))] == [
            row | {"updated_at": None} for row in map(dict, before)
        ]


@on_sqlite
def test_only_the_pages_that_are_meant(kept):
    kept.serve_stories(1, 2)
    kept.ingest()
    spoil(kept)
    assert json.loads(run(kept, "reclean", "--json", "--dry-run", "--extractor-older-than", "2.0+1"))["pages"] == {
        "revised": 1
    }
    run(kept, "reclean", "--site", "nowhere.example", code=2)
    assert json.loads(run(kept, "reclean", "--json", "--since", "2999-01-01"))["pages"] == {}
    assert json.loads(run(kept, "reclean", "--json", "--limit", "1", "--dry-run"))["pages"] == {"revised": 1}
    run(kept, "reclean", "--since", "tomorrow", code=2)


@on_sqlite
def test_a_run_that_was_broken_off_is_gone_on_with(kept):
    kept.serve_stories(1, 2, 3)
    kept.ingest()

    class StoppedError(Exception):
        pass

    def stop(kind):
        raise StoppedError

    with pytest.raises(ExceptionGroup):
        reclean(job(kept), stop)
    kinds = reclean(job(kept)).kinds
    assert kinds["done"] >= 1
    assert kinds["done"] + kinds["same"] == 3
    assert dict(reclean(job(kept)).kinds) == {"same": 3}, "a run that ended leaves no marks"


@on_sqlite
def test_what_is_found_now_is_stored_and_what_is_lost_stays(kept):
    kept.serve_stories(1, 2)
    kept.web.routes["/2"] = page("<p>No article.</p>")
    kept.ingest()
    # As if the rules of then had read the two the other way round.
    write(kept.engine, lambda connection: connection.execute(
        sa.update(ArticleRow).values(page_id=kept.page("/2")["id"])
    ))  # fmt: skip
    assert dict(reclean(job(kept)).kinds) == {"new": 1, "lost": 1}
    assert {row["page_id"]: row["title"] for row in kept.rows(ArticleRow)}[kept.page("/1")["id"]] == title(1)
    assert (kept.page("/1")["state"], len(kept.rows(ArticleRow))) == ("stored", 2)


@on_sqlite
def test_a_wall_that_came_later_does_not_hide_the_page(kept):
    kept.serve_stories(1)
    kept.ingest()
    kept.web.routes["/1"] = page("<p>No article.</p>")
    kept.ahead = REVISIT
    kept.ingest()
    spoil(kept)
    assert dict(reclean(job(kept)).kinds) == {"revised": 1}


@on_sqlite
def test_the_same_bytes_read_otherwise_at_a_revisit_are_no_edit_of_the_publisher(kept):
    kept.serve_stories(1)
    kept.web.routes["/1"] = page(article_page(1))
    kept.ingest()
    spoil(kept)
    kept.ahead = REVISIT
    kept.ingest()
    kept.web.routes["/1"] = page(article_page(1, text=[*paragraphs(1)[:3], "The board has withdrawn its plan today."]))
    kept.web.routes["/feed.xml"] = page(kept.feed_of(1, updated={kept.web.url("/1"): "Changed"}), XML)
    kept.ingest()
    assert [row["cause"] for row in kept.rows(RevisionRow)] == ["publisher", "reclean", "publisher"]


@on_sqlite
def test_a_copy_that_cannot_be_read_is_told_and_the_others_are_cleaned(kept):
    kept.serve_stories(1, 2)
    kept.ingest()
    row = kept.copies("/1")[0]
    file = kept.folder / row["file"]
    data = bytearray(file.read_bytes())
    data[row["file_offset"] + 20] ^= 255
    file.write_bytes(data)
    assert dict(reclean(job(kept)).kinds) == {"unreadable": 1, "same": 1}
    run(kept, "reclean", code=1)


def test_versions_are_compared_as_numbers():
    assert select_older_versions(["2.3.1+2", "10.0+1", "2.3.1"], "2.3.1+3") == ("2.3.1+2", "2.3.1")


# ---------------------------------------------------------------- takedown


def words_of(kept):
    """All that the archive holds, in SQL and in files."""
    text = "".join(str(row) for table in (ArticleRow, RevisionRow, EntryRow) for row in kept.rows(table))
    for path in kept.folder.iterdir():
        with path.open("rb") as file:
            text += "".join(member.block.decode("utf-8", "replace") for member in read_members(file))
    return text


def test_nothing_is_left_of_what_is_taken_down_and_all_else_stays(kept):
    kept.serve_stories(1, 2)
    kept.web.routes["/copy"] = page(article_page(1, headline="Taken over from others"))
    kept.web.routes["/full.xml"] = page(kept.feed_of(1, contents={kept.web.url("/1"): paragraphs(1)}), XML)
    kept.web.routes["/more.xml"] = page(kept.feed_of(2), XML)
    kept.subscribe("/full.xml", "/more.xml")
    kept.ingest()
    assert paragraphs(1)[0] in words_of(kept)
    others = {row["url"] for row in kept.copies()} - {kept.web.url("/1")}

    told = json.loads(run(kept, "takedown", kept.web.url("/1"), "--yes", "--note", "a letter", "--json"))

    assert (told["pages"], told["articles"], told["revisions"]) == (1, 1, 1)
    left = words_of(kept)
    assert paragraphs(1)[0] not in left
    assert title(1) not in left
    assert title(2) in left
    assert [row["title"] for row in kept.rows(ArticleRow)] == [title(2)]
    assert {row["url"] for row in kept.copies()} == others - {kept.web.url("/feed.xml"), kept.web.url("/full.xml")}
    for row in kept.copies():
        assert read_archived_response(kept.engine, kept.place, row, 10**7).status == row["status"]
    assert [one.is_wrong for one in check_archive(kept.engine, kept.place)] == [False]
    ledger = kept.page("/1")
    assert (ledger["state"], ledger["reason"], ledger["next_fetch_at"]) == ("blocked", "taken_down", None)
    assert kept.rows(TakedownRow)[0]["note"] == "a letter"


def test_what_was_taken_down_does_not_come_back(kept):
    kept.serve_stories(1, 2)
    kept.ingest()
    take_down(kept.engine, kept.place, TakedownTarget.parse(kept.web.url("/1")), kept.now())
    asked = len(kept.web.asked("/1"))
    # Announced anew with its text, by its own feed and another one, changed, and led to from elsewhere.
    full = kept.feed_of(1, 2, updated={kept.web.url("/1"): "Changed"}, contents={kept.web.url("/1"): paragraphs(1)})
    kept.web.routes["/feed.xml"] = page(full, XML)
    kept.web.routes["/second.xml"] = page(kept.feed_of(1, 3), XML)
    canonical = f'<link rel="canonical" href="{kept.web.url("/1")}">'
    kept.web.routes["/3"] = page(article_page(1, head=canonical))
    kept.subscribe("/second.xml")
    kept.ingest()
    write(kept.engine, put_addresses, [Address(kept.web.url("/1"))], kept.now(), kept.now())
    run(kept, "retry", "--reason", "taken_down")
    kept.ingest()
    assert len(kept.web.asked("/1")) == asked
    assert [row["title"] for row in kept.rows(ArticleRow)] == [title(2)]
    assert [row["title"] for row in kept.rows(EntryRow) if row["guid"] == kept.web.url("/1")] == [None, None]
    assert kept.page("/1")["reason"] == "taken_down"


@on_sqlite
def test_a_page_never_seen_can_be_taken_down_before_anybody_announces_it(kept):
    take_down(kept.engine, kept.place, TakedownTarget.parse(kept.web.url("/1")), kept.now())
    kept.serve_stories(1, 2)
    kept.ingest()
    assert [row["title"] for row in kept.rows(ArticleRow)] == [title(2)]
    assert kept.web.asked("/1") == []


def test_a_site_goes_with_all_its_pages_and_feeds_and_stays_away(kept):
    kept.serve_stories(1, 2)
    other = kept.web.url("/2", host="127.0.0.2")
    kept.web.routes["/mixed.xml"] = page(kept.feed_of(1).replace(kept.web.url("/1"), other), XML)
    kept.subscribe("/mixed.xml", host="127.0.0.2")
    kept.ingest()
    assert json.loads(run(kept, "takedown", "127.0.0.2", "--dry-run", "--json"))["pages"] == 1
    told = json.loads(run(kept, "takedown", "127.0.0.2", "--yes", "--json"))
    assert (told["pages"], told["feeds"]) == (1, 1)
    assert {row["site"] for row in kept.rows(ArticleRow)} == {"127.0.0.1"}
    assert not any("127.0.0.2" in row["url"] for row in kept.copies())
    assert [row["state"] for row in kept.rows(FeedRow)] == ["active", "paused"]
    # A page of the site that nobody knew, announced by another site's feed.
    new = kept.web.url("/77", host="127.0.0.2")
    kept.web.routes["/feed.xml"] = page(kept.feed_of(1, 2, 77).replace(kept.web.url("/77"), new), XML)
    kept.ingest()
    assert kept.web.asked("/77") == []
    ledger = next(row for row in kept.rows(PageRow) if row["url"] == new)
    assert (ledger["state"], ledger["reason"]) == ("blocked", "taken_down")


def test_copies_of_an_article_that_goes_are_copies_of_the_next(kept):
    kept.serve_stories(1)
    for path in ("/copy-a", "/copy-b"):
        kept.web.routes[path] = page(article_page(1))
    kept.web.routes["/copies.xml"] = page(kept.feed_of(1).replace(kept.web.url("/1"), kept.web.url("/copy-a")), XML)
    kept.web.routes["/more.xml"] = page(kept.feed_of(1).replace(kept.web.url("/1"), kept.web.url("/copy-b")), XML)
    kept.ingest()
    kept.subscribe("/copies.xml")
    kept.ingest()
    kept.subscribe("/more.xml")
    kept.ingest()
    assert [row["duplicate_of"] for row in kept.rows(ArticleRow)] == [None, 1, 1]
    take_down(kept.engine, kept.place, TakedownTarget.parse(kept.web.url("/1")), kept.now())
    assert [(row["id"], row["duplicate_of"]) for row in kept.rows(ArticleRow)] == [(2, None), (3, 2)]


@on_sqlite
def test_a_backfill_does_not_bring_back_what_was_taken_down(kept):
    kept.serve_stories(1, 2)
    kept.ingest()
    take_down(kept.engine, kept.place, TakedownTarget.parse(kept.web.url("/1")), kept.now())
    url, found = kept.web.url("/1"), extract_article(PageInput(article_page(1).encode(), kept.web.url("/1")))
    rejected = PageUpdate(state="rejected", outcome="rejected", next_fetch_at=None, reason="too_short")
    for came in ((found, Fetched(200, Validators(), 1)), rejected):
        taken = CapturedPage(Address(url), kept.now(), came)
        done = write(kept.engine, store_captured_pages, [taken], "w", kept.now(), PagePolicy(3, timedelta(0), ()))
        assert done == [(url, "blocked")]
    assert kept.page("/1")["reason"] == "taken_down"
    assert [row["title"] for row in kept.rows(ArticleRow)] == [title(2)]


@on_sqlite
def test_a_file_that_is_being_written_to_is_purged_later(kept):
    kept.serve_stories(1)
    kept.ingest()
    (path,) = kept.folder.iterdir()
    with lock_file(path):
        done = take_down(kept.engine, kept.place, TakedownTarget.parse(kept.web.url("/1")), kept.now())
        assert done.busy == (path.name,)
        assert kept.rows(ArticleRow) == []
    assert title(1) in words_of(kept)
    assert purge_dropped(kept.engine, kept.place) == []
    assert title(1) not in words_of(kept)


@on_sqlite
def test_documents_of_removed_feeds_and_answers_that_others_led_to_go_too(kept):
    kept.serve_stories(1, 2)
    kept.web.routes["/2"] = redirect("/")
    kept.web.routes["/"] = page("<p>The front page: the board withdraws its plan.</p>")
    kept.web.routes["/full.xml"] = page(kept.feed_of(1, contents={kept.web.url("/1"): paragraphs(1)}), XML)
    kept.subscribe("/full.xml")
    kept.ingest()
    write(kept.engine, remove_feed, 2)
    take_down(kept.engine, kept.place, TakedownTarget.parse(kept.web.url("/1")), kept.now())
    assert kept.copies("/full.xml") == []
    assert len(kept.copies("/")) == 1
    take_down(kept.engine, kept.place, TakedownTarget.parse(kept.web.url("/")), kept.now())
    assert kept.copies("/") == []
    assert [row["status"] for row in kept.copies("/2")] == [302]


@on_sqlite
def test_a_takedown_that_was_broken_off_is_gone_on_with(kept):
    kept.serve_stories(1, 2)
    kept.ingest()
    target = TakedownTarget.parse(kept.web.url("/1"))
    write(kept.engine, bar_target, target, kept.now(), None)
    write(kept.engine, take_down_pages, [kept.page("/1")["id"]])  # and here it was killed
    assert title(1) in words_of(kept)
    take_down(kept.engine, kept.place, target, kept.now())
    assert title(1) not in words_of(kept)
    assert [row["title"] for row in kept.rows(ArticleRow)] == [title(2)]


@on_sqlite
def test_a_purge_that_was_killed_between_file_and_note_is_done_again(kept):
    kept.serve_stories(1, 2)
    kept.ingest()
    (file,) = kept.place.names()
    gone = {row["record_id"] for row in kept.copies("/1")}
    write(kept.engine, lambda connection: connection.execute(
        sa.update(RawRow).where(RawRow.record_id.in_(gone)).values(dropped=True)
    ))  # fmt: skip
    assert remove_records(kept.place, file, gone, {}) is not None  # and here it was killed: SQL tells old places
    late = kept.copies("/2")[0]
    assert purge_dropped(kept.engine, kept.place) == []
    assert kept.copies("/1") == []
    assert kept.body(kept.copies("/2")[0]).decode() == article_page(2)
    # Who had asked for the place before finds it all the same.
    assert read_archived_response(kept.engine, kept.place, late, 10**7).body.decode() == article_page(2)
    assert [one.is_wrong for one in check_archive(kept.engine, kept.place)] == [False]


@on_sqlite
def test_a_takedown_at_a_remote_address(kept, request):
    kept.settings = replace(kept.settings, archive_url=f"memory://{request.node.name}-{os.getpid()}/raw")
    kept.serve_stories(1, 2)
    kept.ingest()
    take_down(kept.engine, kept.place, TakedownTarget.parse(kept.web.url("/1")), kept.now())
    assert kept.copies("/1") == []
    assert kept.body(kept.copies("/2")[0]).decode() == article_page(2)
    assert [one.is_wrong for one in check_archive(kept.engine, kept.place)] == [False]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://news.example/1?utm_source=x", TakedownTarget("url", "https://news.example/1")),
        ("www.News.example", TakedownTarget("site", "news.example")),
        ("news.example/", TakedownTarget("site", "news.example")),
    ],
    ids=["url", "site", "slash"],
)
def test_a_target_is_a_url_or_a_site(text, expected):
    assert TakedownTarget.parse(text) == expected


@pytest.mark.parametrize("text", ["", "news", "news.example/1", "ftp://news.example/1"])
def test_what_is_neither_is_refused(text):
    with pytest.raises(ValueError):
        TakedownTarget.parse(text)


@on_sqlite
def test_it_asks_before_it_takes_down(kept):
    kept.serve_stories(1)
    kept.ingest()
    run(kept, "takedown", kept.web.url("/1"), code=1)
    assert len(kept.rows(ArticleRow)) == 1
    assert measure_extent(kept.engine, TakedownTarget.parse(kept.web.url("/1"))).articles == 1


# ---------------------------------------------------------------- prune


def test_what_was_pruned_and_still_stands_in_its_feed_is_not_taken_for_new(kept):
    kept.serve_stories(1, 2)
    kept.ingest()
    kept.ahead = REVISIT
    kept.web.routes["/feed.xml"] = page(kept.feed_of(1, 2), XML)
    kept.ingest()
    before = [kept.rows(table) for table in (ArticleRow, PageRow, EntryRow)]
    rules = RetentionRules(polls_before=kept.now(), raw_before=kept.now(), latest_too=True, revisions_kept=1)
    found = count_old_of(kept, rules)
    done, busy = prune(kept.engine, kept.place, rules)
    assert (done, busy) == (found, [])
    assert [row["outcome"] for row in kept.rows(PollRow)] == ["unchanged"] or len(kept.rows(PollRow)) == 1
    assert kept.copies() == []
    assert list(kept.folder.iterdir()) == []
    assert [kept.rows(table) for table in (ArticleRow, PageRow, EntryRow)] == before
    totals = kept.ingest()
    assert (totals.entries_new, totals.new) == (0, 0)


def count_old_of(kept, rules):
    with reading(kept.engine) as connection:
        return {"polls": 0, "revisions": 0, "copies": 0} | count_expired(connection, rules)


def test_the_last_good_copy_stays_unless_it_is_to_go_too(kept):
    kept.serve_stories(1)
    kept.web.routes["/1"] = page(article_page(1))
    kept.ingest()
    kept.ahead = REVISIT
    kept.ingest()  # a revisit: the body stands in the first copy
    kept.web.routes["/2"] = status(404)
    prune(kept.engine, kept.place, RetentionRules(raw_before=kept.now()))
    assert [row["status"] for row in kept.copies()] == [200, 200]
    assert kept.copies("/feed.xml") == []
    assert dict(reclean(job(kept)).kinds) == {"same": 1}
    told = json.loads(run(kept, "prune", "--raw-older-than", "0s", "--latest-too", "--dry-run", "--json"))
    assert told["copies"] >= 1


@on_sqlite
def test_a_body_that_a_later_copy_refers_to_stays(kept):
    kept.serve_stories(1)
    kept.web.routes["/1"] = page(article_page(1))
    kept.ingest()
    middle = datetime.now(UTC)
    kept.ahead = REVISIT
    kept.ingest()
    prune(kept.engine, kept.place, RetentionRules(raw_before=middle, latest_too=True))
    first, second = kept.copies("/1")
    assert second["refers_to"] == first["id"]


def test_the_newest_revision_stays_and_numbers_go_on(kept):
    kept.serve_stories(1)
    kept.ingest()
    for number in range(3):
        kept.ahead += timedelta(minutes=10)
        kept.web.routes["/1"] = page(article_page(1, text=[*paragraphs(1), f"Correction {number} was made to it."]))
        kept.web.routes["/feed.xml"] = page(kept.feed_of(1, updated={kept.web.url("/1"): f"{number}"}), XML)
        kept.ingest()
    prune(kept.engine, kept.place, RetentionRules(revisions_kept=2))
    assert [row["number"] for row in kept.rows(RevisionRow)] == [3, 4]
    prune(kept.engine, kept.place, RetentionRules(revisions_before=kept.now() + timedelta(days=1)))
    assert [row["number"] for row in kept.rows(RevisionRow)] == [4]


@on_sqlite
def test_without_a_rule_nothing_is_pruned(kept):
    run(kept, "prune", code=2)
    run(kept, "prune", "--polls-older-than", "soon", code=2)


# ---------------------------------------------------------------- archive status, check, cat


@on_sqlite
def test_the_archive_can_be_looked_at(kept):
    kept.serve_stories(1)
    kept.ingest()
    told = json.loads(run(kept, "archive", "status", "--json"))
    assert told["copies"] == {"feed": 1, "page": 1}
    assert told["bytes_there"] == sum(path.stat().st_size for path in kept.folder.iterdir())
    assert run(kept, "archive", "cat", kept.web.url("/1")) == article_page(1)
    assert run(kept, "archive", "cat", "--headers", kept.web.url("/1")).startswith("200\ncontent-type: text/html")
    assert len(json.loads(run(kept, "archive", "cat", "--json", kept.web.url("/feed.xml")))) == 1
    assert kept.web.url("/1") in run(kept, "archive", "cat", "--list", kept.web.url("/1"))
    run(kept, "archive", "cat", "https://news.example/never", code=1)
    run(kept, "archive", "cat", "nonsense", code=2)
    assert "wrong 0" in run(kept, "archive", "check")
    asked = len(kept.web.requests)
    told = json.loads(run(kept, "explain", "--stored", "--json", kept.web.url("/1")))
    assert told["outcome"]["title"] == title(1)
    assert len(kept.web.requests) == asked


@on_sqlite
def test_a_check_finds_what_is_wrong_and_a_repair_mends_it(kept):
    kept.serve_stories(1, 2)
    kept.ingest()
    before = [{name: value for name, value in row.items() if name != "id"} for row in kept.copies()]
    write(kept.engine, lambda connection: connection.execute(sa.delete(RawRow).where(RawRow.id == 1)))
    write(kept.engine, lambda connection: connection.execute(
        sa.update(RawRow).where(RawRow.id == 2).values(file_offset=5)
    ))  # fmt: skip
    write(kept.engine, lambda connection: connection.execute(
        sa.update(RawRow).where(RawRow.id == 3).values(record_id="nowhere")
    ))  # fmt: skip
    (found,) = json.loads(run(kept, "archive", "check", "--json", code=1))
    assert (found["not_noted"], found["not_there"]) == (3, 1)
    run(kept, "archive", "check", "--repair")
    after = [{name: value for name, value in row.items() if name != "id"} for row in kept.copies()]
    assert sorted(map(str, after)) == sorted(map(str, before))
    assert "wrong 0" in run(kept, "archive", "check")


@on_sqlite
def test_damage_inside_a_record_is_found(kept):
    kept.serve_stories(1)
    kept.ingest()
    (path,) = kept.folder.iterdir()
    path.write_bytes(path.read_bytes() + b"and something that is no record")
    (found,) = json.loads(run(kept, "archive", "check", "--json", code=1))
    assert found["torn"] == 31


@on_sqlite
def test_where_no_copies_are_kept_the_commands_say_so(kept):
    kept.settings = replace(kept.settings, archive_url="off")
    assert "off" in run(kept, "archive", "status")
    run(kept, "archive", "check", code=2)
    run(kept, "reclean", code=2)


@on_sqlite
def test_copies_that_are_somewhere_are_not_left_behind_unsaid(kept):
    kept.serve_stories(1)
    kept.ingest()
    kept.settings = replace(kept.settings, archive_url="off")
    run(kept, "takedown", kept.web.url("/1"), "--yes", code=2)
    run(kept, "prune", "--raw-older-than", "0s", "--latest-too", code=2)
    assert len(kept.rows(ArticleRow)) == 1


@on_sqlite
def test_rules_of_a_site_are_tried_on_its_stored_pages(kept, tmp_path):
    kept.serve_stories(1)
    kept.ingest()
    site = urlsplit(kept.web.url("/1")).hostname
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / f"{site}.toml").write_text('[[rule]]\ndrop = ["xpath://p[2]"]', encoding="utf-8")
    told = CliRunner().invoke(
        main,
        ["rules", "test", site, "--json"],
        env={
            "NEWS_DATABASE_URL": kept.url,
            "NEWS_ARCHIVE_URL": kept.settings.archive_url,
            "NEWS_RULES_DIR": str(folder),
        },
    )
    assert told.exit_code == 0, told.output
    (page,) = json.loads(told.stdout)
    assert page["url"] == kept.web.url("/1")
    assert [(what, bool(without), bool(with_)) for what, without, with_ in page["differences"]] == [
        ("text", True, False)
    ]


@on_sqlite
def test_a_page_that_was_no_article_comes_back_once_its_type_is_wanted(kept):
    """Found by a backfill it is refused; announced by a feed it is refused only if that is sure."""
    url = kept.web.url("/collections/blankets")
    kept.web.routes["/collections/blankets"] = page(COLLECTION)
    write(kept.engine, put_addresses, [Address(url)], kept.now(), kept.now())
    kept.ingest()
    (row,) = kept.rows(PageRow)
    assert (row["state"], row["reason"], bool(row["detail"])) == ("rejected", "collection", True)
    assert dict(reclean(job(kept)).kinds) == {"none": 1}
    kept.settings = replace(kept.settings, keep_types=("collection",))
    assert dict(reclean(job(kept)).kinds) == {"new": 1}
    assert [row["page_class"] for row in kept.rows(ArticleRow)] == ["collection"]
    assert [row["state"] for row in kept.rows(PageRow)] == ["stored"]


SERVICES = "/services/moving-services/"


@on_sqlite
def test_what_a_feed_announced_by_another_url_is_given_its_benefit_wherever_it_is_read(kept, tmp_path):
    kept.serve_stories(1)
    kept.web.routes["/1"] = redirect(SERVICES)
    kept.web.routes[SERVICES] = page(SERVICE)
    kept.ingest()
    (article,) = kept.rows(ArticleRow)
    assert (article["url"], article["page_class"]) == (kept.web.url(SERVICES), "service")
    kept.ahead += REVISIT
    kept.ingest()
    assert kept.web.requests[-1].path == SERVICES
    home = kept.page(SERVICES)
    assert (home["state"], home["outcome"], home["reason"]) == ("stored", "unchanged", None)
    assert dict(reclean(job(kept)).kinds) == {"same": 1}
    for path in ("/1", SERVICES):
        told = json.loads(run(kept, "explain", kept.web.url(path), "--stored", "--json"))
        assert told["outcome"]["text"] == article["text"]
    (tmp_path / "127.0.0.1.toml").write_text('[[rule]]\ndrop = ["xpath://h2"]', encoding="utf-8")
    told = run(kept, "rules", "test", "127.0.0.1", "--json", NEWS_RULES_DIR=str(tmp_path))
    assert {what for what, *_ in json.loads(told)[0]["differences"]} == {"text"}


@on_sqlite
def test_a_page_that_is_no_article_any_more_costs_nothing_stored(kept):
    kept.serve_stories(1)
    kept.ingest()
    stored = [kept.rows(table) for table in (ArticleRow, RevisionRow, EntryRow)]
    kept.web.routes["/1"] = page(COLLECTION.replace("<h1>", '<h1 id="new">'))
    kept.ahead += REVISIT
    kept.ingest()
    (row,) = kept.rows(PageRow)
    assert (row["state"], row["outcome"], row["reason"]) == ("stored", "rejected", "collection")
    assert [kept.rows(table) for table in (ArticleRow, RevisionRow, EntryRow)] == stored
    assert dict(reclean(job(kept)).kinds) == {"same": 1}  # an older copy holds it
    assert [kept.rows(table) for table in (ArticleRow, RevisionRow, EntryRow)] == stored
