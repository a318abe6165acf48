"""Feeds that have gone are looked for on their sites, and found only on clear evidence."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from pipeline.discover import FeedCandidate
from pipeline.ingest.rediscover import choose_successor
from pipeline.model import Subscription
from pipeline.store.connection.engine import write
from pipeline.store.feeds.feed_addresses import GoneFeed
from pipeline.store.feeds.subscriptions import add_feeds
from pipeline.store.schema.tables import AddressRow, EntryRow, FeedRow
from tests.support.newsroom import XML, Pipeline
from tests.support.web import Web, page, status

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
POLL = frozenset({"poll"})
LOST = GoneFeed("https://news.example/old.xml", "https://news.example/", "Harbour News")
FOUND = FeedCandidate(
    url="https://news.example/new.xml",
    title="harbour news ",
    kind="rss",
    entries=20,
    newest_at=NOW - HOUR,
    per_day=10.0,
    samples=("Pier closed",),
    found="announced",
)


def test_the_feed_with_the_title_that_the_site_announces_is_the_one():
    successor, evidence = choose_successor(
        LOST, [FOUND, replace(FOUND, url="https://news.example/sport", title="Sport")], NOW
    )
    assert successor == FOUND
    assert "harbour news" in evidence


@pytest.mark.parametrize(
    "found",
    [
        pytest.param([], id="nothing"),
        pytest.param([replace(FOUND, title="Another feed")], id="another title"),
        pytest.param([replace(FOUND, title=None)], id="no title"),
        pytest.param([replace(FOUND, found="common path")], id="guessed, not announced"),
        pytest.param([replace(FOUND, newest_at=NOW - 60 * DAY)], id="dead itself"),
        pytest.param([replace(FOUND, newest_at=None)], id="without any date"),
        pytest.param([replace(FOUND, url=LOST.url)], id="the address that has gone"),
        pytest.param([FOUND, replace(FOUND, url="https://news.example/third.xml")], id="two of them"),
        pytest.param([replace(FOUND, url="https://news.example/comments/feed")], id="of comments"),
    ],
)
def test_where_there_is_doubt_nothing_is_chosen(found):
    assert choose_successor(LOST, found, NOW) == (None, "")


def test_a_lost_feed_without_a_title_is_not_taken_for_another_one_without():
    assert choose_successor(replace(LOST, title=None), [replace(FOUND, title="")], NOW) == (None, "")


def test_the_same_feed_in_another_format_is_as_good():
    assert (
        choose_successor(LOST, [FOUND, replace(FOUND, url="https://news.example/atom", kind="atom")], NOW)[0] == FOUND
    )


@pytest.fixture
def newsroom(database_url):
    with Web() as web:
        pipeline = Pipeline(web, database_url)
        yield pipeline
        pipeline.engine.dispose()


def feed_of(newsroom, *numbers):
    items = "".join(
        f"<item><title>Story {number}</title><link>{newsroom.web.url(f'/{number}')}</link>"
        f"<pubDate>{format_datetime(newsroom.now() - number * HOUR)}</pubDate></item>"
        for number in numbers
    )
    site = f"<link>{newsroom.web.url('/')}</link>"
    return f'<rss version="2.0"><channel><title>Harbour News</title>{site}{items}</channel></rss>'


def lose(newsroom, front_page):
    """A feed that was read once and has gone since, on a site with this front page."""
    newsroom.web.routes["/old.xml"] = page(feed_of(newsroom, 1, 2), XML)
    write(newsroom.engine, add_feeds, [Subscription(newsroom.web.url("/old.xml"))], newsroom.now(), HOUR)
    newsroom.ingest(kinds=POLL)
    newsroom.web.routes["/old.xml"] = status(410)
    newsroom.web.routes["/"] = page(front_page)
    newsroom.web.routes["/new.xml"] = lambda request: page(feed_of(newsroom, 2, 3), XML)(request)
    for day in range(1, 6):
        newsroom.ahead = day * DAY
        newsroom.ingest(kinds=POLL, poll_all=False)


ANNOUNCES = '<html><head><link rel="alternate" type="application/rss+xml" href="/new.xml"></head><body></body></html>'


def test_a_feed_that_has_gone_is_found_again_on_its_site_and_read_on_with_its_history(newsroom):
    lose(newsroom, ANNOUNCES)
    (feed,) = newsroom.rows(FeedRow)
    assert (feed["url"], feed["state"]) == (newsroom.web.url("/new.xml"), "active")
    assert [row["title"] for row in newsroom.rows(EntryRow)] == ["Story 1", "Story 2", "Story 3"]
    (former,) = newsroom.rows(AddressRow)
    assert (former["url"], former["reason"]) == (newsroom.web.url("/old.xml"), "rediscovered")
    assert "Harbour News" in former["detail"]


def test_a_site_without_its_feed_is_searched_once_and_not_again_for_a_month(newsroom):
    lose(newsroom, "<html><body><p>We have moved on.</p></body></html>")
    (feed,) = newsroom.rows(FeedRow)
    assert (feed["url"], feed["state"]) == (newsroom.web.url("/old.xml"), "gone")
    assert feed["rediscover_at"] > newsroom.now() + 20 * DAY
    assert len(newsroom.web.asked("/")) == 1


def test_a_search_keeps_to_robots_txt(newsroom):
    newsroom.web.routes["/robots.txt"] = page("User-agent: *\nDisallow: /new.xml\n", "text/plain")
    lose(newsroom, ANNOUNCES)
    assert newsroom.web.asked("/new.xml") == []
    assert newsroom.rows(FeedRow)[0]["state"] == "gone"
