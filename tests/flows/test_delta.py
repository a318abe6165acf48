"""Feeds that send their new entries alone (RFC 3229, A-IM: feed): what a delta says, and what it does not."""

from datetime import timedelta

import pytest

from pipeline.fetch.request_options import RequestOptions
from pipeline.model import Validators
from pipeline.store.connection.engine import reading
from pipeline.store.queries.status import load_status as report
from pipeline.store.schema.tables import EntryRow, FeedRow, PollRow
from tests.support.newsroom import XML, Pipeline
from tests.support.web import Reply, Web, page


@pytest.fixture
def newsroom(database_url):
    with Web() as web:
        pipeline = Pipeline(web, database_url)
        yield pipeline
        pipeline.engine.dispose()


class Stories:
    """A feed with a window, which knows how to send a delta: what came after the entries that an ETag stands for."""

    def __init__(self, newsroom, window=3, instance="feed", etag=True):
        self.newsroom, self.window, self.instance, self.etag = newsroom, window, instance, etag
        self.newest = window
        newsroom.web.routes["/feed.xml"] = self
        newsroom.subscribe("/feed.xml")

    def __call__(self, request):
        told = request.headers
        known = int(told.get("if-none-match", '"0"').strip('"'))
        headers = {"Content-Type": XML, "ETag": f'"{self.newest}"'}
        if known == self.newest:
            return Reply(status=304, headers=headers)
        if known and told.get("a-im") == "feed":
            headers |= {"IM": self.instance} if self.instance else {}
            headers = {name: value for name, value in headers.items() if self.etag or name != "ETag"}
            return Reply(status=226, headers=headers, body=self.body(known + 1))
        return Reply(headers=headers, body=self.body(self.newest - self.window + 1))

    def body(self, first):
        return self.newsroom.feed_of(*range(self.newest, first - 1, -1)).encode()

    def poll(self, newest):
        self.newest = newest
        self.newsroom.ahead += timedelta(hours=1)
        return self.newsroom.ingest(kinds=frozenset({"poll"}))

    @property
    def row(self):
        (row,) = self.newsroom.rows(FeedRow)
        return row


def columns(newsroom, table, *names):
    return [tuple(row[name] for name in names) for row in newsroom.rows(table)]


def test_a_delta_brings_its_entries_and_the_next_request_goes_on_from_it(newsroom):
    stories = Stories(newsroom)
    stories.poll(3)
    stories.poll(5)
    stories.poll(5)
    asked = [(r.headers.get("if-none-match"), r.headers.get("a-im")) for r in newsroom.web.asked("/feed.xml")]
    assert asked == [(None, None), ('"3"', "feed"), ('"5"', "feed")]
    polls = columns(newsroom, PollRow, "status", "outcome", "entries_seen", "entries_new")
    assert polls == [(200, "read", 3, 3), (226, "read", 2, 2), (304, "unchanged", 0, 0)]
    assert len(newsroom.rows(EntryRow)) == 5
    assert stories.row["etag"] == '"5"'


def test_a_delta_says_nothing_of_the_window_and_is_no_gap(newsroom):
    stories = Stories(newsroom)
    stories.poll(3)
    newsroom.web.routes["/feed.xml"] = lambda request: Reply(
        headers={"Content-Type": XML, "ETag": '"4"'}, body=stories.body(2)
    )
    stories.poll(4)  # whole, and one has fallen out: the feed rolls
    newsroom.web.routes["/feed.xml"] = stories
    before = stories.row
    assert before["rolls"]
    stories.poll(8)
    after = stories.row
    assert newsroom.rows(PollRow)[-1]["status"] == 226
    assert newsroom.rows(PollRow)[-1]["entries_new"] == 4
    kept = ("window", "rolls", "body_hash", "title", "hub_url", "further_hubs", "topic_url")
    assert [after[name] for name in kept] == [before[name] for name in kept]
    assert not any(row["missed"] for row in newsroom.rows(PollRow))
    with reading(newsroom.engine) as connection:
        assert report(connection, newsroom.now())["gaps_of_the_last_week"] == {"polls": 0, "feeds": 0}


def test_a_delta_of_one_entry_does_not_make_a_feed_of_one(newsroom):
    stories = Stories(newsroom)
    stories.poll(3)
    for newest in (4, 5, 6):
        stories.poll(newest)
    assert (stories.row["window"], stories.row["rolls"]) == (3, False)
    newsroom.web.routes["/feed.xml"] = page(stories.body(4), XML)  # it forgets how to send deltas
    totals = stories.poll(6)
    assert totals.entries_new == 0
    assert (stories.row["window"], newsroom.rows(PollRow)[-1]["missed"]) == (3, False)


def test_what_a_delta_does_not_repeat_still_holds(newsroom):
    stories = Stories(newsroom)
    hubs = '<a:link xmlns:a="http://www.w3.org/2005/Atom" rel="hub" href="https://{}.example/"/>'
    whole = stories.body(1).replace(b"<item>", (hubs.format("one") + hubs.format("two")).encode() + b"<item>", 1)
    whole = whole.replace(b"<item>", b"<ttl>90</ttl><item>", 1)
    newsroom.web.routes["/feed.xml"] = lambda request: Reply(headers={"Content-Type": XML, "ETag": '"3"'}, body=whole)
    stories.poll(3)
    newsroom.web.routes["/feed.xml"] = stories
    stories.poll(4)
    row = stories.row
    assert newsroom.rows(PollRow)[-1]["status"] == 226
    assert (row["hub_url"], row["further_hubs"], row["ttl"]) == ("https://one.example/", ["https://two.example/"], 5400)


def test_a_delta_without_an_etag_leaves_the_one_that_it_was_told_from(newsroom):
    stories = Stories(newsroom, etag=False)
    stories.poll(3)
    stories.poll(4)
    assert stories.row["etag"] == '"3"'
    stories.etag = True
    assert stories.poll(5).entries_new == 1
    assert stories.row["etag"] == '"5"'


@pytest.mark.parametrize("instance", ["Feed", ""], ids=["in another case", "that it does not name"])
def test_a_delta_is_told_by_its_status(newsroom, instance):
    stories = Stories(newsroom, instance=instance)
    stories.poll(3)
    assert stories.poll(4).entries_new == 1


def test_a_delta_of_a_kind_that_nobody_asked_for_is_a_failure_that_passes(newsroom):
    stories = Stories(newsroom, instance="diffe")
    stories.poll(3)
    stories.poll(4)
    assert (stories.row["last_outcome"], stories.row["etag"]) == ("http_226", '"3"')
    stories.instance = "feed"
    newsroom.ahead += timedelta(days=1)
    newsroom.ingest(poll_all=False, kinds=frozenset({"poll"}))
    assert len(newsroom.rows(EntryRow)) == 4


def test_servers_that_know_nothing_of_deltas_answer_as_ever(newsroom):
    newsroom.serve_stories(1, 2)
    newsroom.ingest(kinds=frozenset({"poll"}))
    newsroom.ingest(kinds=frozenset({"poll"}))
    assert [row["status"] for row in newsroom.rows(PollRow)] == [200, 304]


@pytest.mark.parametrize(
    ("asked", "status", "manipulations", "answered"),
    [
        pytest.param(RequestOptions("*/*"), 200, "", True, id="whole"),
        pytest.param(RequestOptions("*/*"), 226, "feed", False, id="a delta of nothing"),
        pytest.param(RequestOptions("*/*", Validators('"1"')), 226, "feed", False, id="a delta that nobody asked for"),
        pytest.param(RequestOptions("*/*", Validators('"1"'), delta=True), 226, "feed", True, id="a delta"),
        pytest.param(RequestOptions("*/*", Validators('"1"'), delta=True), 226, "gzip, feed", False, id="and more"),
        pytest.param(
            RequestOptions("*/*", Validators(None, "Mon"), delta=True), 226, "feed", False, id="a delta to a date"
        ),
        pytest.param(RequestOptions("*/*", Validators('"1"'), delta=True), 206, "", False, id="part of it"),
        pytest.param(RequestOptions("*/*"), 404, "", False, id="an error"),
    ],
)
def test_what_counts_as_an_answer(asked, status, manipulations, answered):
    assert asked.is_answered(status, manipulations) is answered
