"""What the user gives to ask a feed with: where it goes, where it must not go, and that nobody sees it."""

import base64
import json
import logging
from dataclasses import replace

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from pipeline.errors import ConfigError
from pipeline.fetch.request_options import RequestOptions
from pipeline.http.credentials import (
    MAX_SIZE,
    CredentialsChange,
    change_credentials,
    describe_credentials,
    is_sent_to,
    origin_of,
    request_headers,
)
from pipeline.model import FeedAccess, Page, Validators
from pipeline.store.connection.engine import write
from pipeline.store.feeds.feed_addresses import adopt_address
from pipeline.store.schema.tables import FEED_SECRETS, FeedRow, PageRow, PollRow
from tests.support.command_line import News
from tests.support.fetching import get
from tests.support.http2 import server_context
from tests.support.newsroom import XML, Pipeline
from tests.support.stories import article_page
from tests.support.web import Web, page, redirect, status

URL = "https://paper.example/feed"
SECRETS = ("k3y-0f-the-paper", "s3ss10n", "Agent-0f-a-subscriber", "pa55:word")
GIVEN = ("--header", f"X-Api-Key: {SECRETS[0]}", "--cookie", f"session={SECRETS[1]}")
GIVEN += ("--user-agent", SECRETS[2], "--auth", f"reader:{SECRETS[3]}")
BASIC = "Basic " + base64.b64encode(f"reader:{SECRETS[3]}".encode()).decode()


def change(**fields):
    return CredentialsChange(**fields)


# ---------------------------------------------------------------- the rules, pure


@pytest.mark.parametrize(
    ("given", "told"),
    [
        pytest.param(change(headers={"X Key": "1"}), "name", id="a blank in a name"),
        pytest.param(change(headers={"": "1"}), "name", id="no name"),
        pytest.param(change(headers={"X-Key\r\nHost": "1"}), "name", id="a line end in a name"),
        pytest.param(change(headers={"X-Key": "secret\r\nHost: evil.example"}), "X-Key", id="a line end in a value"),
        pytest.param(change(headers={"X-Key": "secret\nX: y"}), "X-Key", id="a line feed in a value"),
        pytest.param(change(headers={"X-Key": "secret\0"}), "X-Key", id="NUL"),
        pytest.param(change(headers={"X-Key": "secrét"}), "X-Key", id="no ASCII"),
        pytest.param(change(headers={"X-Key": ""}), "X-Key", id="empty"),
        pytest.param(change(headers={"Host": "evil.example"}), "Host", id="the host"),
        pytest.param(change(headers={"content-LENGTH": "0"}), "content-LENGTH", id="the length"),
        pytest.param(change(headers={"Transfer-Encoding": "chunked"}), "Transfer", id="the framing"),
        pytest.param(change(headers={"Connection": "close"}), "Connection", id="the connection"),
        pytest.param(change(headers={"TE": "trailers"}), "TE", id="hop by hop"),
        pytest.param(change(headers={"Upgrade": "h2c"}), "Upgrade", id="another protocol"),
        pytest.param(change(headers={"Proxy-Authorization": "Basic secret"}), "Proxy", id="of a proxy"),
        pytest.param(change(headers={"If-None-Match": '"secret"'}), "If-None-Match", id="a condition"),
        pytest.param(change(headers={"Accept-Encoding": "zz"}), "Accept-Encoding", id="a coding"),
        pytest.param(change(headers={"Cookie": "a=secret"}), "--cookie", id="cookies as a header"),
        pytest.param(change(headers={"User-Agent": "secret"}), "--user-agent", id="the user agent as a header"),
        pytest.param(
            change(headers={"authorization": "Bearer secret"}, values={"auth": "a:secret"}),
            "--auth",
            id="two of a kind",
        ),
        pytest.param(change(cookies={"a b": "secret"}), "cookie", id="a blank in a cookie's name"),
        pytest.param(change(cookies={"a": "secret; b=c"}), "cookie", id="a cookie in a cookie"),
        pytest.param(change(cookies={"a": "secret\r\nX: y"}), "cookie", id="a line end in a cookie"),
        pytest.param(change(values={"user_agent": "secret\nX: y"}), "user agent", id="a line end in the user agent"),
        pytest.param(change(values={"user_agent": ""}), "user agent", id="no user agent"),
        pytest.param(change(values={"auth": "secret"}), "USER:PASSWORD", id="no user"),
        pytest.param(change(values={"auth": "a:secret\n"}), "one line", id="a line end in the password"),
        pytest.param(change(headers={"X-Key": "secret" * MAX_SIZE}), "characters", id="more than servers take"),
    ],
)
def test_what_cannot_be_sent_is_refused_without_being_told(given, told):
    with pytest.raises(ConfigError) as error:
        change_credentials(None, given, URL)
    assert told in str(error.value)
    assert "secr" not in str(error.value)
    assert "secr" not in repr(given)


@given(st.text(max_size=40), st.text(max_size=40), st.sampled_from(["headers", "cookies"]))
def test_whatever_is_accepted_is_one_header_line_each(name, value, kind):
    try:
        access = change_credentials(None, CredentialsChange(**{kind: {name: value}}), URL)
    except ConfigError:
        return
    sent = RequestOptions("*/*", access=access).headers("us", URL)
    assert not any(mark in part for line in sent for part in line for mark in (b"\r", b"\n", b"\0"))
    assert len({name.lower() for name, _ in sent}) == len(sent)


def test_changes_add_replace_and_take_away():
    first = change_credentials(
        None, change(headers={"X-A": "1", "X-B": "2"}, cookies={"s": "3"}, values={"auth": "u:p"}), URL
    )
    second = change_credentials(
        first, change(headers={"x-a": "9", "X-B": None}, values={"auth": None}, pages=True), URL
    )
    assert (second.headers, second.cookies, second.auth, second.pages) == ({"x-a": "9"}, {"s": "3"}, None, True)
    assert change_credentials(second, change(headers={"X-A": None}, cookies={"s": None}), URL) is None
    assert change_credentials(second, change(clear=True), URL) is None
    assert change_credentials(second, change(clear=True, cookies={"t": "1"}), URL) == FeedAccess(
        "https://paper.example", cookies={"t": "1"}
    )


def test_what_was_given_for_another_origin_is_not_taken_along():
    first = change_credentials(None, change(cookies={"s": "3"}), URL)
    assert change_credentials(first, change(pages=True), "https://elsewhere.example/feed") is None


@pytest.mark.parametrize(
    ("url", "same"),
    [
        pytest.param("https://PAPER.example:443/other?x", True, id="another page of it"),
        pytest.param("http://paper.example/feed", False, id="another scheme"),
        pytest.param("https://paper.example:8443/feed", False, id="another port"),
        pytest.param("https://www.paper.example/feed", False, id="a host below it"),
        pytest.param("https://paper.example.evil.example/feed", False, id="a host that begins like it"),
        pytest.param("https://paper.example@evil.example/feed", False, id="a user of that name"),
        pytest.param("https://evil.example/https://paper.example/", False, id="a path of that name"),
        pytest.param("https://paper.example\\@evil.example/", True, id="a backslash, as browsers read it"),
        pytest.param("no address", False, id="no address"),
    ],
)
def test_it_goes_to_its_own_origin_alone(url, same):
    access = change_credentials(None, change(values={"auth": "u:p"}), URL)
    assert is_sent_to(access, url) is same
    names = {name for name, _ in RequestOptions("*/*", access=access).headers("us", url)}
    assert (b"Authorization" in names) is same


def test_the_users_headers_go_before_ours():
    access = FeedAccess(origin_of(URL), headers={"accept": "text/x"}, user_agent="theirs", cookies={"a": "1", "b": "2"})
    sent = dict(RequestOptions("*/*", Validators(etag='"1"'), access, delta=True).headers("ours", URL))
    assert (sent[b"accept"], sent[b"User-Agent"], sent[b"Cookie"]) == (b"text/x", b"theirs", b"a=1; b=2")
    assert (sent[b"If-None-Match"], sent[b"A-IM"]) == (b'"1"', b"feed")
    assert b"Accept" not in sent


def test_nothing_of_it_is_kept_with_the_request():
    access = FeedAccess(origin_of(URL), headers={"X-Key": "k"}, user_agent="theirs", auth="u:p")
    asked = RequestOptions("*/*", access=access)
    kept = dict(asked.shown(asked.headers("ours", URL), "ours"))
    assert b"User-Agent" not in kept
    assert kept[b"Accept"] == b"*/*"


def test_reprs_and_descriptions_hold_no_value():
    values = {"headers": {"X-Key": "s3cret"}, "cookies": {"c": "s3cret"}, "user_agent": "s3cret", "auth": "u:s3cret"}
    access = FeedAccess(origin_of(URL), **values)
    page_ = Page(1, URL, "paper.example", Validators(), 1, access=access)
    assert "s3cret" not in repr((access, page_, RequestOptions("*/*", access=access))) + json.dumps(
        describe_credentials(access)
    )
    assert describe_credentials(access)["headers"] == ["X-Key"]
    assert request_headers(replace(access, auth="ü:ß"))["Authorization"] == "Basic w7w6w58="


# ---------------------------------------------------------------- against a web


@pytest.fixture
def newsroom(database_url):
    with Web(addresses=("127.0.0.1", "127.0.0.2")) as web:
        pipeline = Pipeline(web, database_url)
        pipeline.news = News(database_url)
        yield pipeline
        pipeline.engine.dispose()


def members_only(route):
    """A route that lets in whom it was told of."""
    return lambda request: (route if has_all(request) else status(401))(request)


def has_all(request):
    told = request.headers
    wanted = {"x-api-key": SECRETS[0], "cookie": f"session={SECRETS[1]}", "user-agent": SECRETS[2]}
    return told.get("authorization") == BASIC and all(told.get(name) == value for name, value in wanted.items())


def has_any(request):
    return any(secret in str(request.headers) for secret in (*SECRETS, BASIC))


def serve(newsroom, *numbers):
    newsroom.web.routes["/feed.xml"] = members_only(page(newsroom.feed_of(*numbers), XML))
    for number in numbers:
        newsroom.web.routes[f"/{number}"] = members_only(page(article_page(number)))


def test_a_feed_behind_a_password_is_read_and_its_pages_are_not_asked_with_it_unless_wanted(newsroom):
    serve(newsroom, 1)
    newsroom.news("feeds", "add", "--no-check", newsroom.web.url("/feed.xml"), *GIVEN)
    with capture_logs() as logs:
        totals = newsroom.ingest()
    assert (totals.entries_new, totals.new) == (1, 0)
    assert [has_all(request) for request in newsroom.web.asked("/feed.xml")] == [True]
    assert not any(has_any(request) for request in newsroom.web.requests if request.path != "/feed.xml")
    assert newsroom.page("/1")["reason"] == "http_401"
    assert not any(secret in str(logs) for secret in SECRETS)

    newsroom.news("feeds", "set", newsroom.web.url("/feed.xml"), "--pages")
    newsroom.news("retry", "--reason", "http_401")
    assert newsroom.ingest().new == 1
    assert newsroom.page("/1")["state"] == "stored"
    robots = newsroom.web.asked("/robots.txt")
    assert robots
    assert not any(has_any(request) for request in robots)


def test_pages_on_another_host_are_asked_without_it(newsroom):
    other = newsroom.web.url("/2", host="127.0.0.2")
    serve(newsroom, 1)
    newsroom.web.routes["/feed.xml"] = page(newsroom.feed_of(1).replace(newsroom.web.url("/1"), other), XML)
    newsroom.web.routes["/2"] = page(article_page(2))
    newsroom.news("feeds", "add", "--no-check", newsroom.web.url("/feed.xml"), "--pages", *GIVEN)
    assert newsroom.ingest().new == 1
    assert [request.address for request in newsroom.web.requests if has_any(request)] == ["127.0.0.1"]


@pytest.mark.parametrize("code", [301, 302, 307])
def test_a_redirect_to_another_origin_takes_nothing_along_and_one_at_home_does(newsroom, code):
    serve(newsroom, 1)
    newsroom.web.routes["/feed.xml"] = redirect("/inner", code)
    newsroom.web.routes["/inner"] = redirect(newsroom.web.url("/outer", host="127.0.0.2"), code)
    newsroom.web.routes["/outer"] = page(newsroom.feed_of(1), XML)
    newsroom.news("feeds", "add", "--no-check", newsroom.web.url("/feed.xml"), *GIVEN)
    assert newsroom.ingest(kinds=frozenset({"poll"})).entries_new == 1
    assert {request.path: has_any(request) for request in newsroom.web.requests} == {
        "/feed.xml": True,
        "/inner": True,
        "/outer": False,
    }


def test_a_page_that_leads_to_another_origin_takes_nothing_along(newsroom):
    serve(newsroom, 1)
    newsroom.web.routes["/1"] = redirect(newsroom.web.url("/outer", host="127.0.0.2"))
    newsroom.web.routes["/outer"] = page(article_page(1))
    newsroom.news("feeds", "add", "--no-check", newsroom.web.url("/feed.xml"), "--pages", *GIVEN)
    newsroom.ingest()
    assert [has_all(request) for request in newsroom.web.asked("/1")] == [True]
    assert [has_any(request) for request in newsroom.web.asked("/outer")] == [False]


def test_a_feed_that_moves_to_another_origin_leaves_it_behind(newsroom):
    serve(newsroom, 1)
    newsroom.news("feeds", "add", "--no-check", newsroom.web.url("/feed.xml"), *GIVEN)
    newsroom.web.routes["/new.xml"] = page(newsroom.feed_of(1), XML)
    moved = newsroom.web.url("/new.xml", host="127.0.0.2")
    write(newsroom.engine, adopt_address, 1, moved, newsroom.now(), "redirect", "read")
    newsroom.ingest(kinds=frozenset({"poll"}))
    assert not any(has_any(request) for request in newsroom.web.requests)
    told = newsroom.news("feeds", "add", "--no-check", newsroom.web.url("/feed.xml"), "--auth", "reader:other", code=2)
    assert "news feeds set" in told
    newsroom.news("feeds", "set", moved, "--auth", "reader:other")
    (row,) = newsroom.rows(FeedRow)
    assert (row["access_origin"], row["auth"], row["cookies"]) == (origin_of(moved), "reader:other", {})


def test_after_a_change_the_feed_is_due_and_read_anew(newsroom):
    newsroom.serve_stories(1)
    newsroom.ingest()
    assert newsroom.rows(FeedRow)[0]["etag"]
    newsroom.news("feeds", "set", "1", "--cookie", "session=1; theme=dark")
    assert newsroom.rows(FeedRow)[0]["etag"] is None
    assert newsroom.ingest(poll_all=False).polls == 1
    asked = newsroom.web.asked("/feed.xml")[-1].headers
    assert "if-none-match" not in asked
    assert asked["cookie"] == "session=1; theme=dark"


# ---------------------------------------------------------------- what people see


def test_no_command_shows_a_secret(newsroom, tmp_path):
    serve(newsroom, 1)
    news, url = newsroom.news, newsroom.web.url("/feed.xml")
    said = [news("feeds", "add", url, "--pages", *GIVEN)]
    newsroom.ingest()
    news("feeds", "export", "-o", tmp_path / "out.opml")
    said += [news(*words) for words in (["feeds", "list"], ["feeds", "show", "1"], ["feeds", "export", "--plain"])]
    said += [news("feeds", "list", "--json"), news("feeds", "show", "1", "--json"), (tmp_path / "out.opml").read_text()]
    said += [news("status"), news("status", "--why"), news("show", newsroom.web.url("/1")), news("config")]
    said += [news("feeds", "set", "1", "--feed-only"), news("feeds", "set", "1", "--feed-only", "--json")]
    said += [str(row) for table in (PollRow, PageRow) for row in newsroom.rows(table)]
    assert not any(secret in text for text in said for secret in (*SECRETS, BASIC))
    assert news.json("feeds", "show", "1")["access"] == {
        "origin": newsroom.web.url("/").rstrip("/"),
        "headers": ["X-Api-Key"],
        "cookies": ["session"],
        "user_agent": "***",
        "auth": "***",
        "pages": False,
    }
    assert not set(FEED_SECRETS) & set(news.json("feeds", "list")[0])
    news("feeds", "set", "1", "--clear")
    assert news.json("feeds", "show", "1")["access"] is None


def test_libraries_log_no_secret_however_much_they_log(newsroom, caplog):
    serve(newsroom, 1)
    newsroom.news("feeds", "add", newsroom.web.url("/feed.xml"), *GIVEN)
    with caplog.at_level(logging.DEBUG):
        newsroom.ingest()
    assert caplog.records
    assert not any(secret in caplog.text for secret in (*SECRETS, BASIC))


def test_nor_does_the_library_of_http2(caplog):
    with Web({"/a": page("x")}, tls=server_context("h2")) as web:
        url = web.url("/a", host="news.test")
        access = FeedAccess(origin_of(url), cookies={"session": SECRETS[1]}, headers={"X-Api-Key": SECRETS[0]})
        with caplog.at_level(logging.DEBUG):
            assert get(url, access=access).status == 200
    (request,) = web.requests
    assert (request.version, request.headers["x-api-key"]) == ("HTTP/2", SECRETS[0])
    assert not any(secret in caplog.text for secret in SECRETS)


def test_secrets_come_from_the_environment_or_from_standard_input(newsroom):
    news = newsroom.news
    newsroom.subscribe("/feed.xml")
    news("feeds", "set", "1", "--header", "X-Key: env:PAPER_KEY", "--cookie", "s=env:PAPER_KEY", PAPER_KEY="k")
    news("feeds", "set", "1", "--auth", "reader:env:PAPER_KEY", "--user-agent", "env:PAPER_KEY", PAPER_KEY="k")
    (row,) = newsroom.rows(FeedRow)
    assert (row["headers"], row["cookies"], row["auth"], row["user_agent"]) == (
        {"X-Key": "k"},
        {"s": "k"},
        "reader:k",
        "k",
    )
    news("feeds", "set", "1", "--auth", "reader", "--header", "X-Other", stdin="other\npass word\n")
    (row,) = newsroom.rows(FeedRow)
    assert (row["headers"], row["auth"]) == ({"X-Key": "k", "X-Other": "other"}, "reader:pass word")
    news("feeds", "set", "1", "--auth", "env:PAPER_AUTH", PAPER_AUTH="a:b")
    assert newsroom.rows(FeedRow)[0]["auth"] == "a:b"
    assert "PAPER_NONE is not set" in news("feeds", "set", "1", "--auth", "reader:env:PAPER_NONE", code=2)
    assert "has no value" in news("feeds", "set", "1", "--auth", "reader", code=2, stdin="")


def test_what_was_set_can_be_taken_away_piece_by_piece(newsroom):
    news = newsroom.news
    news("feeds", "add", "--no-check", newsroom.web.url("/feed.xml"), *GIVEN)
    news("feeds", "set", "1", "--no-header", "x-api-key", "--no-auth", "--cookie", "b=2")
    assert news.json("feeds", "show", "1")["access"]["cookies"] == ["b", "session"]
    news("feeds", "set", "1", "--no-cookie", "session", "--no-user-agent")
    (row,) = newsroom.rows(FeedRow)
    assert (row["headers"], row["cookies"], row["user_agent"], row["auth"]) == ({}, {"b": "2"}, None, None)
    assert "nothing to set" in news("feeds", "set", "1", code=2)


def test_a_password_in_an_address_is_taken_out_of_it(newsroom):
    address = newsroom.web.url("/feed.xml")
    news = newsroom.news
    news("feeds", "add", "--no-check", address.replace("http://", "http://ann:b%40c@"))
    list_ = f"{address.replace('http://', 'http://bo:d@').replace('feed', 'other')}\n"
    news("feeds", "import", "-", stdin=list_)
    rows = {row["url"].rpartition("/")[2]: row["auth"] for row in newsroom.rows(FeedRow)}
    assert rows == {"feed.xml": "ann:b@c", "other.xml": "bo:d"}
    assert "@" not in news("feeds", "export")


def test_an_error_of_the_database_tells_no_parameter(newsroom):
    row = {"url": "u", "host": "no such host", "interval": 1.0, "next_poll_at": newsroom.now()}
    row |= {"created_at": newsroom.now(), "auth": SECRETS[3]}
    with newsroom.engine.begin() as connection, pytest.raises(sa.exc.IntegrityError) as error:
        connection.execute(sa.insert(FeedRow).values(row))
    assert SECRETS[3] not in str(error.value)
