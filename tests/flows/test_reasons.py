"""Every page has one state with its one reason, whatever the answers in between say."""

from datetime import timedelta

import pytest

from pipeline.store.schema.tables import ArticleRow
from tests.support.newsroom import XML, Pipeline
from tests.support.stories import article_page
from tests.support.web import Web, page, status, validated

SHORT = "<html><head><title>Note</title></head><body><p>The office is closed on Monday.</p></body></html>"


@pytest.fixture
def newsroom(database_url):
    with Web() as web:
        pipeline = Pipeline(web, database_url)
        yield pipeline
        pipeline.engine.dispose()


def announce_again(newsroom, text):
    """The feed tells of a change, and the page is looked at again."""
    changed = newsroom.feed_of(1, updated={newsroom.web.url("/1"): text})
    newsroom.web.routes["/feed.xml"] = page(changed, XML)
    newsroom.ahead += timedelta(days=1)
    return newsroom.ingest()


def reason(newsroom):
    row = newsroom.page("/1")
    return row["state"], row["reason"], row["detail"]


@pytest.fixture
def rejected(newsroom):
    """A page without an article, and what was said of it."""
    newsroom.serve_stories(1)
    newsroom.web.routes["/1"] = validated(SHORT, '"short"')
    newsroom.ingest()
    said = reason(newsroom)
    assert said[0] == "rejected"
    assert said[1] not in (None, "not_modified")
    return said


def conditions(newsroom):
    return [request.headers.get("if-none-match") for request in newsroom.web.asked("/1")]


def test_a_rejected_page_that_has_not_changed_keeps_its_reason(newsroom, rejected):
    for text in ("once", "twice"):
        assert announce_again(newsroom, text).not_modified == 1
        assert reason(newsroom) == rejected
    assert newsroom.page("/1")["outcome"] == "not_modified"
    assert newsroom.page("/1")["status"] == 304
    assert conditions(newsroom) == [None, '"short"', '"short"']


def test_a_rejected_page_that_has_become_an_article_is_one(newsroom, rejected):
    newsroom.web.routes["/1"] = validated(article_page(1), '"long"')
    assert announce_again(newsroom, "once").new == 1
    assert reason(newsroom) == ("stored", None, None)


@pytest.mark.parametrize(
    ("between", "meanwhile"),
    [
        pytest.param(status(503), ("queued", "http_503"), id="an error that passes"),
        pytest.param(status(451), ("failed", "http_451"), id="an error for good"),
    ],
)
def test_what_was_asked_for_in_vain_is_asked_for_whole_again(newsroom, rejected, between, meanwhile):
    newsroom.web.routes["/1"] = between
    announce_again(newsroom, "once")
    assert reason(newsroom)[:2] == meanwhile
    newsroom.web.routes["/1"] = validated(SHORT, '"short"')
    announce_again(newsroom, "twice")
    assert reason(newsroom) == rejected
    assert conditions(newsroom)[-1] is None


def test_a_page_that_robots_txt_forbade_for_a_while_has_its_reason_again(newsroom, rejected):
    newsroom.web.routes["/robots.txt"] = page("User-agent: *\nDisallow: /1\n", "text/plain")
    newsroom.ahead += timedelta(days=1)
    announce_again(newsroom, "once")
    assert reason(newsroom)[:2] == ("blocked", "robots")
    del newsroom.web.routes["/robots.txt"]
    newsroom.ahead += timedelta(days=1)
    announce_again(newsroom, "twice")
    assert reason(newsroom) == rejected


def test_a_rejected_page_on_a_host_out_of_reach_says_so_and_not_that_it_was_rejected_for_it(newsroom, rejected):
    newsroom.web.routes["/robots.txt"] = status(503)
    newsroom.ahead += timedelta(days=40)  # what was known of robots.txt has expired
    newsroom.web.routes["/1"] = status(503)
    announce_again(newsroom, "once")
    assert reason(newsroom)[0] == "queued"
    del newsroom.web.routes["/robots.txt"]
    newsroom.web.routes["/1"] = validated(SHORT, '"short"')
    announce_again(newsroom, "twice")
    assert reason(newsroom) == rejected


def test_an_article_that_has_not_changed_has_no_reason(newsroom):
    newsroom.serve_stories(1)
    newsroom.ingest()
    newsroom.ahead = timedelta(days=6)
    assert newsroom.ingest().not_modified == 1
    assert reason(newsroom) == ("stored", None, None)
    assert len(newsroom.rows(ArticleRow)) == 1
