"""When `news ingest`, `poll` and `crawl` end with 1: nothing that was asked has answered."""

import pytest

from tests.support.command_line import News
from tests.support.stories import article_page, rss
from tests.support.web import Web, page, status


@pytest.fixture
def web():
    with Web() as web:
        web.routes["/feed.xml"] = page(rss({web.url("/1"): "One"}), "application/rss+xml")
        web.routes["/1"] = page(article_page(1))
        yield web


@pytest.fixture
def news(sqlite_url, web):
    news = News(sqlite_url)
    news("feeds", "add", web.url("/feed.xml"))
    return news


def test_a_run_that_was_answered_is_0(news):
    news("ingest")


def test_a_run_with_nothing_to_ask_is_0(sqlite_url):
    News(sqlite_url)("ingest")


@pytest.mark.parametrize("command", ["ingest", "poll"])
def test_polls_of_which_all_fail_are_1_and_say_why(news, web, command):
    web.routes["/feed.xml"] = status(500)
    assert "every poll failed: 1 http_500; `news feeds list` shows why" in news(command, code=1)


def test_one_poll_of_several_is_enough(news, web):
    web.routes["/other.xml"] = status(500)
    news("feeds", "add", web.url("/other.xml"))
    news("poll")


def test_pages_of_which_none_is_answered_are_1_and_say_why(news, web):
    web.routes["/feed.xml"] = page(
        rss({"http://127.0.0.1:1/a": "A", "http://127.0.0.1:1/b": "B"}), "application/rss+xml"
    )
    news("poll")
    output = news("crawl", code=1, NEWS_TIMEOUT="2")
    assert "no page was answered: " in output
    assert "`news status --why`" in output


def test_a_page_that_is_not_there_is_an_answer(news, web):
    web.routes["/1"] = status(404)
    news("poll")
    news("crawl")


def test_pages_that_fail_beside_feeds_that_answer_are_no_failure_of_the_run(news, web):
    web.routes["/feed.xml"] = page(rss({"http://127.0.0.1:1/a": "A"}), "application/rss+xml")
    news("ingest", NEWS_TIMEOUT="2")
