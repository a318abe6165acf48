"""The life of feeds on a real HTTP server: when they are asked again, what they are asked, where they move."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from pipeline.model import Subscription
from pipeline.store.connection.engine import reading, write
from pipeline.store.feeds.subscriptions import add_feeds, list_feeds
from pipeline.store.schema.tables import AddressRow, EntryRow, FeedRow, PageRow, PollRow
from tests.support.newsroom import XML, Pipeline
from tests.support.web import Web, in_turn, page, redirect, status

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
POLL = frozenset({"poll"})


@pytest.fixture
def newsroom(database_url):
    with Web() as web:
        pipeline = Pipeline(web, database_url)
        yield pipeline
        pipeline.engine.dispose()


def later(newsroom, ahead, **options):
    """A scheduled run at this time from now."""
    newsroom.ahead = ahead
    return newsroom.ingest(poll_all=False, kinds=POLL, **options)


def the_feed(newsroom, path="/feed.xml"):
    return next(row for row in newsroom.rows(FeedRow) if row["url"] == newsroom.web.url(path))


def announcing(newsroom, *numbers, **headers):
    return page(newsroom.feed_of(*numbers), XML, **headers)


@pytest.mark.parametrize(
    "hint",
    [
        pytest.param({"Cache_Control": "public, max-age=10800"}, id="max-age"),
        pytest.param({"Cache_Control": "max-age=10800", "Expires": "0"}, id="max-age beside Expires: 0"),
    ],
)
def test_a_feed_is_left_alone_for_as_long_as_its_answer_is_fresh(newsroom, hint):
    newsroom.web.routes["/feed.xml"] = announcing(newsroom, 1, **hint)
    newsroom.subscribe("/feed.xml")
    assert newsroom.ingest(kinds=POLL).polls == 1
    assert later(newsroom, 2 * HOUR + 50 * MINUTE).polls == 0
    assert later(newsroom, 3 * HOUR + MINUTE).polls == 1


def test_each_entry_has_its_page_or_is_counted_as_one_without(newsroom):
    links = [
        newsroom.web.url("/short"),
        newsroom.web.url("/long") + "?" + "a" * (2029 - len(newsroom.web.url("/long")) - 1),
        newsroom.web.url("/longer") + "?" + "a" * 2048,
        "mailto:news@news.example",
        "",
    ]
    items = "".join(
        f"<item><guid>{n}</guid><title>Entry {n}</title><link>{link}</link></item>" for n, link in enumerate(links)
    )
    newsroom.web.routes["/feed.xml"] = page(f"<rss version='2.0'><channel><title>A</title>{items}</channel></rss>", XML)
    newsroom.subscribe("/feed.xml")
    newsroom.ingest(kinds=POLL)
    assert sorted(len(row["url"]) for row in newsroom.rows(PageRow)) == [len(links[0]), 2029]
    (poll,) = newsroom.rows(PollRow)
    assert poll["entries_seen"] + poll["entries_skipped"] == len(links)
    assert poll["entries_new"] == len(newsroom.rows(PageRow)) + poll["entries_without_page"]


@pytest.mark.parametrize(
    "words",
    [
        "<ttl>180</ttl>",
        "<sy:updatePeriod>dayly</sy:updatePeriod><sy:updateFrequency>8</sy:updateFrequency>",
    ],
    ids=["ttl", "sy:updatePeriod"],
)
def test_a_feed_is_left_alone_for_as_long_as_it_says_of_itself(newsroom, words):
    namespace = '<rss xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" '
    text = newsroom.feed_of(1).replace("<title>", f"{words}<title>", 1).replace("<rss ", namespace, 1)
    newsroom.web.routes["/feed.xml"] = page(text, XML)
    newsroom.subscribe("/feed.xml")
    newsroom.ingest(kinds=POLL)
    assert later(newsroom, 2 * HOUR + 50 * MINUTE).polls == 0
    assert later(newsroom, 3 * HOUR + MINUTE).polls == 1


@pytest.mark.parametrize("code", [429, 503])
def test_a_feed_is_not_asked_before_the_time_that_its_server_names(newsroom, code):
    newsroom.web.routes["/feed.xml"] = in_turn(status(code, Retry_After="36000"), announcing(newsroom, 1))
    newsroom.subscribe("/feed.xml")
    newsroom.ingest(kinds=POLL)
    assert the_feed(newsroom)["state"] == "failing"
    newsroom.ahead = 9 * HOUR
    assert newsroom.ingest(kinds=POLL).polls == 0  # not even where every feed is wanted
    assert later(newsroom, 10 * HOUR + MINUTE).polls == 1
    assert the_feed(newsroom)["state"] == "active"


def test_a_feed_that_turns_into_html_backs_off_and_comes_back(newsroom):
    newsroom.serve_stories(1)
    newsroom.ingest(kinds=POLL)
    kept = the_feed(newsroom)["etag"]
    newsroom.web.routes["/feed.xml"] = page("<!doctype html><html><body><p>Please sign in.</p></body></html>")
    times = [hour for hour in range(1, 15) if later(newsroom, hour * HOUR).polls]
    pauses = [after - before for before, after in pairwise(times)]
    assert pauses == sorted(pauses)
    assert pauses[-1] >= 2
    feed = the_feed(newsroom)
    assert (feed["state"], feed["last_outcome"], feed["etag"]) == ("failing", "html", kept)
    newsroom.web.routes["/feed.xml"] = announcing(newsroom, 1, 2)
    assert later(newsroom, 3 * DAY).entries_new == 1
    assert the_feed(newsroom)["state"] == "active"


def test_a_feed_that_has_gone_is_still_asked_and_may_come_back(newsroom):
    newsroom.serve_stories(1)
    newsroom.ingest(kinds=POLL)
    newsroom.web.routes["/feed.xml"] = status(410)
    for day in range(1, 5):
        assert later(newsroom, day * DAY).polls == 1
    assert the_feed(newsroom)["state"] == "gone"
    newsroom.web.routes["/feed.xml"] = announcing(newsroom, 1, 2)
    assert later(newsroom, 30 * DAY).polls == 1
    assert the_feed(newsroom)["state"] == "active"


def test_the_pause_of_a_feed_that_fails_follows_the_setting_for_retries(newsroom):
    newsroom.settings = replace(newsroom.settings, retry_delay=MINUTE)
    newsroom.web.routes["/feed.xml"] = status(503)
    subscribed = [Subscription(url=newsroom.web.url("/feed.xml"))]
    write(newsroom.engine, add_feeds, subscribed, newsroom.now(), timedelta(seconds=1))
    newsroom.ingest()
    pause = the_feed(newsroom)["next_poll_at"] - the_feed(newsroom)["last_polled_at"]
    assert 2 * MINUTE < pause < 4 * MINUTE


def test_validators_are_not_sent_where_nothing_may_be_reused(newsroom):
    newsroom.web.routes["/feed.xml"] = page(newsroom.feed_of(1), XML, ETag='"1"', Expires="0")
    newsroom.subscribe("/feed.xml")
    newsroom.ingest(kinds=POLL)
    newsroom.ingest(kinds=POLL)
    assert [request.headers.get("if-none-match") for request in newsroom.web.asked("/feed.xml")] == [None, None]
    assert [row["outcome"] for row in newsroom.rows(PollRow)] == ["read", "unchanged"]


def test_a_feed_that_moved_for_good_is_asked_at_its_new_address_with_its_history(newsroom):
    newsroom.serve_stories(1, 2)
    newsroom.ingest(kinds=POLL)
    newsroom.web.routes["/new.xml"] = newsroom.web.routes["/feed.xml"]
    newsroom.web.routes["/feed.xml"] = redirect("/new.xml", 301)
    for _ in range(3):
        newsroom.ingest(kinds=POLL)
    asked = len(newsroom.web.asked("/feed.xml"))
    newsroom.ingest(kinds=POLL)
    assert len(newsroom.web.asked("/feed.xml")) == asked
    assert newsroom.web.requests[-1].headers["if-none-match"] == '"(1, 2)"'
    assert (the_feed(newsroom, "/new.xml")["state"], len(newsroom.rows(EntryRow))) == ("active", 2)
    assert [row["url"] for row in newsroom.rows(AddressRow)] == [newsroom.web.url("/feed.xml")]
    newsroom.subscribe("/feed.xml")
    assert len(newsroom.rows(FeedRow)) == 1


def test_a_feed_that_leads_to_another_subscribed_one_is_merged_with_it(newsroom):
    newsroom.serve_stories(1, 2, feed="/old.xml")
    newsroom.serve_stories(2, 3, feed="/new.xml")
    newsroom.ingest(kinds=POLL)
    newsroom.web.routes["/old.xml"] = redirect("/new.xml", 308)
    for _ in range(3):
        newsroom.ingest(kinds=POLL)
    with reading(newsroom.engine) as connection:
        told_of = {row["url"].rpartition("/")[2]: (row["state"], row["entries"]) for row in list_feeds(connection)}
    assert told_of == {"old.xml": ("moved", 0), "new.xml": ("active", 3)}
    assert newsroom.ingest(kinds=POLL).polls == 1


def test_a_redirect_that_may_pass_is_followed_and_not_adopted(newsroom):
    newsroom.serve_stories(1)
    newsroom.web.routes["/else.xml"] = newsroom.web.routes["/feed.xml"]
    newsroom.web.routes["/feed.xml"] = redirect("/else.xml", 302)
    for _ in range(5):
        newsroom.ingest(kinds=POLL)
    assert the_feed(newsroom)["state"] == "active"


def test_entries_that_were_missed_are_noticed_and_the_feed_is_asked_sooner(newsroom):
    newsroom.web.routes["/feed.xml"] = in_turn(
        *(announcing(newsroom, *range(first, first + 4)) for first in (1, 3, 20)),
    )
    newsroom.subscribe("/feed.xml")
    for ahead in (0 * MINUTE, 30 * MINUTE, 60 * MINUTE):
        later(newsroom, ahead)
    assert [row["missed"] for row in newsroom.rows(PollRow)] == [False, False, True]
    assert the_feed(newsroom)["interval"] <= 15 * 60


def test_each_feed_finds_its_own_rhythm(newsroom):
    newsroom.serve_stories(1, feed="/quiet.xml")
    numbers = iter(range(1, 10_000, 4))

    def busy(request):
        first = next(numbers)
        return announcing(newsroom, *range(first, first + 10))(request)

    newsroom.web.routes["/busy.xml"] = busy
    newsroom.subscribe("/busy.xml")
    for half in range(16):
        later(newsroom, half * 30 * MINUTE)
    quiet, lively = the_feed(newsroom, "/quiet.xml"), the_feed(newsroom, "/busy.xml")
    assert lively["interval"] < 30 * 60 < quiet["interval"]
    asked = {path: len(newsroom.web.asked(path)) for path in ("/quiet.xml", "/busy.xml")}
    assert asked["/busy.xml"] == 16 > 1.3 * asked["/quiet.xml"]
