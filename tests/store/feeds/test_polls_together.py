"""Several polls stored in one transaction come to what they come to one by one, on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from pipeline.model import Entry, Subscription
from pipeline.store.feeds.feed_claims import claim_feeds
from pipeline.store.feeds.polls import Poll, record_polls
from pipeline.store.feeds.subscriptions import add_feeds, make_feeds_due, set_feed_state
from pipeline.store.frontier.leases import give_back
from pipeline.store.frontier.page_claims import claim_pages
from pipeline.store.schema.tables import EntryRow, FeedRow, PageRow, PollRow
from pipeline.urls import MAX_URL_LENGTH
from tests.support.archive import HOUR, LEASE, NOW, POLLING, Archive, entry, parsed, record_poll, scope

HOST = "feeds.example"


@pytest.fixture
def archive(engine):
    archive = Archive(engine)
    archive(add_feeds, [Subscription(f"https://{HOST}/{number}") for number in range(5)], NOW, HOUR)
    return archive


def claimed(archive, now=NOW, limit=9):
    return archive(claim_feeds, scope(now), HOST, "w", now, LEASE, limit)


def polls_of_five(feeds, now=NOW):
    first, second, third, fourth, fifth = feeds
    return [
        Poll(first, now, "read", status=200, parsed=parsed(entry(1), entry(2))),
        Poll(second, now, "unchanged", status=304),
        Poll(third, now, "timeout", failed=True, error="too slow"),
        Poll(fourth, now, "read", status=200, parsed=parsed(entry(2), entry(3), Entry("no link", None))),
        Poll(fifth, now, "unchanged", status=304),
    ]


def state_of(archive):
    feeds = [{name: row[name] for name in row if name != "id"} for row in archive.rows(FeedRow)]
    pages = sorted((row["url"], row["state"], row["next_fetch_at"]) for row in archive.rows(PageRow))
    polls = [{name: row[name] for name in row if name != "id"} for row in archive.rows(PollRow)]
    entries = sorted((row["feed_id"], row["guid"], row["title"]) for row in archive.rows(EntryRow))
    return feeds, pages, sorted(polls, key=lambda poll: poll["feed_id"]), entries


def test_polls_stored_together_come_to_what_they_come_to_one_by_one(archive):
    archive(record_polls, polls_of_five(claimed(archive)), POLLING)
    together = state_of(archive)
    for table in (EntryRow, PollRow, PageRow, FeedRow):
        with archive.engine.begin() as connection:
            connection.execute(sa.delete(table))
    archive(add_feeds, [Subscription(f"https://{HOST}/{number}") for number in range(5)], NOW, HOUR)
    ids = {row["url"]: row["id"] for row in archive.rows(FeedRow)}
    for poll in polls_of_five(claimed(archive)):
        archive(record_poll, poll, POLLING)
    renumbered = {ids[f"https://{HOST}/{number}"]: number + 1 for number in range(5)}
    feeds, pages, polls, entries = state_of(archive)
    polls = [poll | {"feed_id": renumbered[poll["feed_id"]]} for poll in polls]
    assert (feeds, pages, polls) == together[:3]
    assert [(renumbered[feed], guid, title) for feed, guid, title in entries] == together[3]


def test_each_poll_is_told_what_it_brought(archive):
    counts = archive(record_polls, polls_of_five(claimed(archive)), POLLING)
    assert [(poll.seen, poll.new, poll.without_page, poll.state) for poll in counts] == [
        (2, 2, 0, "active"),
        (0, 0, 0, "active"),
        (0, 0, 0, "failing"),
        (3, 3, 1, "active"),
        (0, 0, 0, "active"),
    ]


def test_a_feed_that_was_paused_meanwhile_stays_paused_among_others(archive):
    feeds = claimed(archive)
    archive(set_feed_state, feeds[1].id, "paused", NOW)
    archive(record_polls, polls_of_five(feeds), POLLING)
    assert [row["state"] for row in archive.rows(FeedRow)] == ["active", "paused", "failing", "active", "active"]


def test_what_polls_without_news_cost_does_not_grow_in_statements_with_their_number(archive):
    statements = []
    event.listen(archive.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    archive(record_polls, [Poll(feed, NOW, "unchanged", status=304) for feed in claimed(archive)], POLLING)
    assert (
        len([statement for statement in statements if statement.startswith(("UPDATE feed SET state", "INSERT"))]) == 2
    )


def test_an_entry_whose_address_is_as_long_as_any_has_its_page_and_one_that_cannot_be_stored_is_counted(archive):
    longest = "https://news.example/" + "a" * (MAX_URL_LENGTH - len("https://news.example/"))
    entries = [
        Entry("longest", longest),
        Entry("common", "https://news.example/" + "b" * 2008),
        Entry("too long", longest + "a"),
        Entry("no link", None),
        Entry("odd", "https://news.example/\ud800"),
    ]
    feed = claimed(archive)[0]
    counts = archive(record_polls, [Poll(feed, NOW, "read", parsed=parsed(*entries))], POLLING)[0]
    pages = archive.rows(PageRow)
    assert {len(row["url"]) for row in pages} == {MAX_URL_LENGTH, 2029}
    assert counts.new == len(pages) + counts.without_page == 5
    (logged,) = archive.rows(PollRow)
    assert (logged["entries_new"], logged["entries_without_page"]) == (5, 3)


def test_pages_of_a_host_are_claimed_several_at_once_each_with_an_attempt(archive):
    archive(record_polls, polls_of_five(claimed(archive)), POLLING)
    claim = (scope(), "news.example", "w", NOW, LEASE)
    pages = archive(claim_pages, *claim, 2)
    assert [(page.url[-2:], page.attempts) for page in pages] == [("/1", 1), ("/2", 1)]
    assert [page.url[-2:] for page in archive(claim_pages, *claim, 9)] == ["/3"]
    assert archive(claim_pages, *claim, 9) == []
    archive(give_back, PageRow, pages[1].id, "w")
    (again,) = archive(claim_pages, *claim, 9)
    assert again == replace(pages[1], attempts=1)


def test_feeds_that_are_named_are_claimed_alone(archive):
    ids = sorted(row["id"] for row in archive.rows(FeedRow))
    archive(make_feeds_due, NOW)
    feeds = archive(claim_feeds, scope(feeds=frozenset(ids[1:3])), HOST, "w", NOW + timedelta(0), LEASE, 9)
    assert sorted(feed.id for feed in feeds) == ids[1:3]
