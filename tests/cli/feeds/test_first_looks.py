"""`news feeds add` looks at each address once, says what is there, and subscribes to what may be a feed."""

from base64 import b64encode
from datetime import timedelta

import pytest

from tests.support.command_line import News
from tests.support.stories import PUBLISHED_AT, atom, rss, title
from tests.support.web import Web, page, redirect, status

RSS = "application/rss+xml"
BASIC = f"Basic {b64encode(b'ann:secret').decode()}"


@pytest.fixture
def web():
    with Web(addresses=("127.0.0.1", "127.0.0.2")) as web:
        yield web


@pytest.fixture
def news(sqlite_url):
    return News(sqlite_url)


def addresses(news):
    return [feed["url"] for feed in news.json("feeds", "list")]


def test_a_feed_is_told_with_its_format_title_entries_and_newest_date_and_asked_once(news, web):
    web.routes["/feed.xml"] = page(rss({web.url("/1"): title(1), web.url("/2"): title(2)}), RSS)
    said = news("feeds", "add", web.url("/feed.xml"))
    facts = f"rss “Test Courier”, entries 2, newest {PUBLISHED_AT + timedelta(minutes=1):%Y-%m-%d %H:%M} UTC"
    assert f"{web.url('/feed.xml')}: {facts}\n" in said
    assert "1 feeds added" in said
    assert web.paths == ["/robots.txt", "/feed.xml"]
    assert "0 feeds added, 1 were there" in news("feeds", "add", web.url("/feed.xml"))
    assert web.paths == ["/robots.txt", "/feed.xml"]  # what is known is not looked at again


def test_many_are_looked_at_each_by_itself(news, web):
    web.routes["/a"] = page(rss({web.url("/1"): title(1)}), RSS)
    web.routes["/b"] = page(atom({web.url("/2"): title(2)}), "application/atom+xml")
    web.routes["/down"] = status(503)
    asked = [web.url("/a"), web.url("/b", host="127.0.0.2"), web.url("/down"), web.url("/nothing")]
    said = news("feeds", "add", *asked, code=1)
    for words in (
        ": rss “",
        ": atom “",
        "/down: added unread: http_503",
        "/nothing: not added: http_404",
        "3 feeds added",
    ):
        assert words in said
    assert sorted(addresses(news)) == sorted(asked[:3])


def test_a_web_page_is_not_added_and_the_feeds_that_it_announces_are_named_unasked(news, web):
    links = '<link rel="alternate" type="application/rss+xml" href="/all.xml"><a href="/sport/rss">Sport</a>'
    web.routes["/"] = page(f"<!doctype html><html><head>{links}</head><body><p>News.</p></body></html>")
    said = news("feeds", "add", web.url("/"), code=1)
    assert "not added: a web page" in said
    assert f"news feeds add {web.url('/all.xml')}\n" in said
    assert web.paths == ["/robots.txt", "/"]
    assert addresses(news) == []


@pytest.mark.parametrize(
    ("route", "words"),
    [
        (page("<!doctype html><html><body><p>News.</p></body></html>"), "a web page that names no feed"),
        (page('{"articles": []}', "application/json"), "no feed: not_a_feed"),
        (status(410), "http_410"),
    ],
    ids=["page without feeds", "other document", "gone"],
)
def test_what_answered_and_is_no_feed_is_not_added_unless_it_is_not_to_be_looked_at(news, web, route, words):
    web.routes["/x"] = route
    said = news("feeds", "add", web.url("/x"), code=1)
    assert words in said
    assert "--no-check" in said
    assert addresses(news) == []
    web.requests.clear()
    assert "1 feeds added" in news("feeds", "add", "--no-check", web.url("/x"))
    assert web.requests == []


def test_what_does_not_answer_is_added_with_a_warning(news, web):
    web.routes["/robots.txt"] = page("User-agent: *\nDisallow: /secret", "text/plain")
    web.routes["/secret/feed"] = page(rss({web.url("/1"): title(1)}), RSS)
    with Web() as ended:
        unreachable = ended.url("/feed")
    for url, reason in ((unreachable, "robots_unreachable: connect"), (web.url("/secret/feed"), "robots:")):
        assert f"{url}: added unread: {reason}" in news("feeds", "add", url, code=0, merged=True)
    assert sorted(addresses(news)) == sorted([unreachable, web.url("/secret/feed")])
    assert web.paths == ["/robots.txt"]


def test_an_address_that_the_guard_refuses_is_never_connected_to(news, web):
    said = news("feeds", "add", web.url("/feed.xml"), merged=True, NEWS_ALLOW_NETWORKS="")
    assert "added unread: blocked_" in said
    assert "NEWS_ALLOW_NETWORKS" in said
    assert web.requests == []


def test_a_wrong_address_or_database_is_said_before_anybody_is_asked(news, web, tmp_path):
    news("feeds", "add", web.url("/feed.xml"), "ftp://a.example/feed", code=2)
    news("feeds", "add", web.url("/feed.xml"), code=2, NEWS_DATABASE_URL=f"sqlite:///{tmp_path / 'none.db'}")
    assert web.requests == []


def test_credentials_are_looked_with_and_go_to_their_origin_alone(news, web):
    elsewhere = web.url("/feed.xml", host="127.0.0.2")
    web.routes["//127.0.0.1/feed.xml"] = redirect(elsewhere)
    web.routes["//127.0.0.2/feed.xml"] = page(rss({web.url("/1"): title(1)}), RSS)
    said = news("feeds", "add", web.url("/feed.xml").replace("//", "//ann:secret@"), merged=True)
    assert "rss “Test Courier”" in said
    assert "secret" not in said
    sent = {(request.address, request.path): request.headers.get("authorization") for request in web.requests}
    assert sent == {
        ("127.0.0.1", "/robots.txt"): None,
        ("127.0.0.1", "/feed.xml"): BASIC,
        ("127.0.0.2", "/robots.txt"): None,
        ("127.0.0.2", "/feed.xml"): None,
    }
    assert addresses(news) == [web.url("/feed.xml")]


def test_a_list_is_taken_in_unasked(news, web):
    assert "1 feeds added" in news("feeds", "import", "-", stdin=web.url("/feed.xml"))
    assert web.requests == []
