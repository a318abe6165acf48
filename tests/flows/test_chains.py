"""Chains that need a cookie or are written into a page, and answers that break off: read as browsers do."""

import gzip
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from pipeline.store.schema.tables import FeedRow, PageRow
from tests.support.newsroom import XML, Pipeline
from tests.support.stories import article_page, rss, title
from tests.support.web import Reply, Web, page, redirect

HERE, THERE = "www.paper.test", "gate.paper.test"
HOUR = timedelta(hours=1)


@pytest.fixture
def newsroom(sqlite_url):
    with Web() as web:
        pipeline = Pipeline(web, sqlite_url)
        pipeline.settings = replace(pipeline.settings, resolve=(("*.paper.test", "127.0.0.1"),), tdm_file="off")
        yield pipeline
        pipeline.engine.dispose()


def announce(newsroom, path="/story"):
    newsroom.web.routes["/feed.xml"] = page(rss({newsroom.web.url(path, host=HERE): title(1)}), XML)
    newsroom.subscribe("/feed.xml", host=HERE)


def outcome(newsroom):
    (row,) = [row for row in newsroom.rows(PageRow) if row["state"] != "alias"]
    return row["state"], row["reason"]


def asking_for(cookie, otherwise):
    """The story for those who send the cookie, and something else for all others."""

    def answer(request):
        return page(article_page(1))(request) if cookie in request.headers.get("cookie", "") else otherwise(request)

    return answer


def test_a_page_that_sets_a_cookie_and_leads_to_itself_is_read(newsroom):
    to_itself = redirect("/story")

    def set_cookie(request):
        reply = to_itself(request)
        return replace(reply, headers={**reply.headers, "Set-Cookie": "ok=1; Path=/"})

    newsroom.web.routes["/story"] = asking_for("ok=1", set_cookie)
    announce(newsroom)
    assert newsroom.ingest().new == 1
    assert len(newsroom.web.asked("/story")) == 2
    newsroom.ahead += timedelta(days=2)
    newsroom.ingest()
    assert "cookie" not in newsroom.web.asked("/story")[2].headers  # it lived for one chain


def test_a_page_that_leads_over_a_gate_on_another_host_is_read(newsroom):
    story = newsroom.web.url("/story", host=HERE)
    newsroom.web.routes["/story"] = asking_for("ok=2", redirect(newsroom.web.url("/gate", host=THERE)))
    back = redirect(story)

    def gate(request):
        reply = back(request)
        return replace(reply, headers={**reply.headers, "Set-Cookie": "ok=2; Path=/; Domain=paper.test"})

    newsroom.web.routes["/gate"] = gate
    announce(newsroom)
    assert newsroom.ingest().new == 1


def test_a_page_that_sets_cookies_for_ever_is_a_loop_still(newsroom):
    to_itself = redirect("/story")

    def set_cookie(request):
        number = len(newsroom.web.asked("/story"))
        return replace(to_itself(request), headers={"Location": "/story", "Set-Cookie": f"n={number}; Path=/"})

    newsroom.web.routes["/story"] = set_cookie
    announce(newsroom)
    newsroom.ingest()
    assert outcome(newsroom) == ("failed", "redirect_loop")
    assert len(newsroom.web.asked("/story")) == 2


@pytest.mark.parametrize(
    "sender",
    [
        page("<html><head><meta http-equiv='refresh' content='0; url=/next'></head></html>"),
        page("<html><body></body></html>", Refresh="1; url=/next"),
    ],
    ids=["in the page", "in the header"],
)
def test_a_page_that_sends_its_readers_on_is_followed(newsroom, sender):
    newsroom.web.routes |= {"/story": sender, "/next": page(article_page(1))}
    announce(newsroom)
    assert newsroom.ingest().new == 1


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("http://10.0.0.1/x", ("failed", "blocked_address")),
        ("/other", ("failed", "redirect_loop")),
        ("/private", ("blocked", "robots")),
    ],
)
def test_a_refresh_is_guarded_like_any_redirect(newsroom, target, expected):
    newsroom.web.routes["/robots.txt"] = page("User-agent: *\nDisallow: /private", "text/plain")
    newsroom.web.routes["/story"] = page(f"<meta http-equiv=refresh content='0;url={target}'>")
    newsroom.web.routes["/other"] = page("<meta http-equiv=refresh content='0;url=/story'>")
    announce(newsroom)
    newsroom.ingest()
    assert outcome(newsroom) == expected


@pytest.mark.parametrize("coding", [None, "gzip"])
def test_a_page_that_breaks_off_each_time_but_is_complete_in_itself_is_taken_in_the_end_and_says_so(newsroom, coding):
    body = article_page(1).rstrip().encode()
    body = body if body.endswith(b"</html>") else body + b"</html>"
    short = body if coding is None else gzip.compress(body)[:-4]
    headers = {"Content-Type": "text/html", "ETag": '"short"'} | ({"Content-Encoding": coding} if coding else {})
    newsroom.web.routes["/story"] = lambda _: Reply(body=short, length=len(short) + 9, end="close", headers=headers)
    announce(newsroom)
    newsroom.ingest()
    assert outcome(newsroom) == ("queued", "truncated")
    newsroom.ahead += HOUR
    assert newsroom.ingest().new == 1
    with newsroom.engine.connect() as connection:
        told = connection.execute(sa.text("SELECT state, reason, detail FROM v_ledger")).one()
    assert (*told[:2], newsroom.rows(PageRow)[0]["etag"]) == ("stored", "cut_short", None)
    assert "broke off" in told.detail
    newsroom.web.routes["/story"] = page(body)
    newsroom.ahead += timedelta(days=2)
    newsroom.ingest()
    assert outcome(newsroom) == ("stored", None)


def test_a_feed_that_breaks_off_each_time_is_taken_and_says_so(newsroom):
    newsroom.web.routes["/story"] = page(article_page(1))
    body = rss({newsroom.web.url("/story", host=HERE): title(1)}).encode()
    newsroom.web.routes["/feed.xml"] = lambda _: Reply(
        body=body, length=len(body) + 9, end="close", headers={"Content-Type": XML}
    )
    newsroom.subscribe("/feed.xml", host=HERE)
    newsroom.ingest()
    newsroom.ahead += 2 * HOUR
    newsroom.ingest(poll_all=False)
    (feed,) = newsroom.rows(FeedRow)
    assert (feed["state"], feed["last_outcome"]) == ("active", "read")
    assert "broke off" in feed["last_error"]
