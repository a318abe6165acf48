import asyncio
import ipaddress
import os
import subprocess
import sys
import textwrap
import threading
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.config import Settings
from pipeline.errors import ConfigError, FetchError
from pipeline.fetch import ACCEPT_FEED, ACCEPT_PAGE, Fetcher
from pipeline.model import Response, Validators
from tests.support.fetching import LOOPBACK, NOW, FollowingFetcher, failure, get, run
from tests.support.http2 import server_context
from tests.support.web import Reply, Request, Route, Web, gzipped, page, redirect, status, validated

BRIEF = timedelta(seconds=0.3)  # for what is bound to run into it

HANG = Reply(raw=(), end="hang")
NO_ANSWER = Reply(raw=(), end="close")


def always(reply: Reply) -> Route:
    return lambda request: reply


# ------------------------------------------------------------------------------------------- one good answer


def test_a_response_is_whole():
    with Web({"/a": page("héllo", "Text/HTML; Charset=UTF-8", ETag='"1"', Last_Modified="yesterday")}) as web:
        response = get(web.url("/a"))
    assert response.url == web.url("/a")
    assert response.status == 200
    assert response.body == "héllo".encode()
    assert response.content_type == "text/html"
    assert response.charset == "UTF-8"
    assert response.validators == Validators('"1"', "yesterday")
    assert response.fetched_at == NOW
    assert timedelta(0) < response.elapsed < timedelta(seconds=10)
    assert response.redirects == ()


def test_we_say_who_we_are_and_what_we_take():
    with Web({"/a": page("x")}) as web:
        get(web.url("/a?b=c"))
        get(web.url("/a"), accept=ACCEPT_FEED)
    first, second = web.requests
    assert first.method == "GET"
    assert first.target == "/a?b=c"
    assert first.headers == {
        "host": f"127.0.0.1:{web.port}",
        "user-agent": "tester/1.0 (+https://example.org/bot)",
        "accept": ACCEPT_PAGE,
        "accept-encoding": "gzip, deflate, br, zstd",
    }
    assert second.headers["accept"] == ACCEPT_FEED


@pytest.mark.parametrize("code", [200, 201, 202, 203, 218, 299])
def test_every_success_with_a_body_is_a_response_with_its_own_status(code):
    with Web({"/a": status(code, "text")}) as web:
        response = get(web.url("/a"))
    assert (response.status, response.body) == (code, b"text")


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(body=b"abcdef"), id="with a length"),
        pytest.param(Reply(pieces=(b"ab", b"cd", b"ef"), chunked=True), id="chunked"),
        pytest.param(Reply(body=b"abcdef", length="none"), id="until the close"),
        pytest.param(Reply(pieces=(b"ab", b"cdef"), pause=0.02), id="in pieces"),
        pytest.param(Reply(raw=(b"HTTP/1.0 200 OK\n\nabcdef",), end="close"), id="HTTP/1.0"),
        pytest.param(
            Reply(raw=(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nabcdef",)),
            id="after an early hint",
        ),
        pytest.param(
            Reply(raw=(b"HTTP/1.1 200 OK\r\nx: \xe4\xff\r\ncontent-length: 6\r\n\r\nabcdef",)), id="headers in Latin-1"
        ),
    ],
)
def test_a_body_arrives_in_any_framing(reply):
    with Web({"/a": always(reply)}) as web:
        assert get(web.url("/a")).body == b"abcdef"


def test_an_international_url_is_sent_in_ascii():
    limits = replace(LOOPBACK, resolve=(("xn--mnchen-3ya.test", "127.0.0.1"),))
    with Web({"/%C3%A4": page("x")}) as web:
        get(f"http://münchen.test:{web.port}/ä?q=ö ü#part", limits)
    assert web.paths == ["/%C3%A4?q=%C3%B6%20%C3%BC"]
    assert web.requests[0].host == "xn--mnchen-3ya.test"


def test_a_url_is_asked_for_as_it_is_written():
    with Web({"/%7Ea%2Fb": page("x")}) as web:
        assert get(web.url("/%7Ea%2Fb?x=%41&&y=;a+b")).body == b"x"
    assert web.paths == ["/%7Ea%2Fb?x=%41&&y=;a+b"]


def test_cookies_are_not_kept():
    with Web({"/a": page("x", Set_Cookie="id=1; Path=/")}) as web:

        async def twice(fetcher: FollowingFetcher) -> None:
            await fetcher.get(web.url("/a"))
            await fetcher.get(web.url("/a"))

        run(twice)
    assert [request.headers.get("cookie") for request in web.requests] == [None, None]


# ------------------------------------------------------------------------------------------- conditional GET


def test_a_page_that_has_not_changed_is_a_304_without_a_body():
    with Web({"/a": validated("text", '"v1"')}) as web:
        first = get(web.url("/a"))
        second = get(web.url("/a"), validators=first.validators)
        third = get(web.url("/a"), validators=Validators('"old"'))
    assert (first.status, first.body) == (200, b"text")
    assert (second.status, second.body) == (304, b"")
    assert (third.status, third.body) == (200, b"text")


def test_both_validators_are_sent_back_as_they_came():
    with Web({"/a": page("x")}) as web:
        get(web.url("/a"), validators=Validators('W/"é1"', "Sun, 01 Mar 2026 11:00:00 GMT"))
    headers = web.requests[0].headers
    assert headers["if-none-match"].encode("latin-1") == 'W/"é1"'.encode()
    assert headers["if-modified-since"] == "Sun, 01 Mar 2026 11:00:00 GMT"


def test_validators_that_are_no_header_values_are_not_sent():
    with Web({"/a": page("x")}) as web:
        get(web.url("/a"), validators=Validators('"1"\r\nX-Evil: 1', ""))
    assert not {"if-none-match", "if-modified-since", "x-evil"} & web.requests[0].headers.keys()


def test_validators_are_sent_along_redirects():
    with Web({"/old": redirect("/new"), "/new": validated("text", '"v1"')}) as web:
        response = get(web.url("/old"), validators=Validators('"v1"'))
    assert (response.status, response.url) == (304, web.url("/new"))


def test_a_304_that_nobody_asked_for_is_a_failure():
    with Web({"/a": status(304)}) as web:
        error = failure(web.url("/a"))
    assert (error.reason, error.status, error.temporary) == ("http_304", 304, True)


# ------------------------------------------------------------------------------------------------- redirects


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_and_remembered(code):
    with Web({"/a": redirect("/b", code), "/b": redirect("/c", 301), "/c": page("text")}) as web:
        response = get(web.url("/a"))
    assert (response.url, response.body) == (web.url("/c"), b"text")
    assert response.redirects == ((web.url("/a"), code), (web.url("/b"), 301))


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        pytest.param("c", "/a/c", id="relative"),
        pytest.param("../c", "/c", id="one up"),
        pytest.param("../../../c", "/c", id="above the root"),
        pytest.param("/c/d", "/c/d", id="from the root"),
        pytest.param("?q=1", "/a/b?q=1", id="only a query"),
        pytest.param("//127.0.0.1:{port}/c", "/c", id="without a scheme"),
        pytest.param("http://127.0.0.1:{port}/c", "/c", id="absolute"),
        pytest.param("HTTP://127.0.0.1:{port}", "/", id="without a path"),
        pytest.param(" /c ", "/c", id="in blanks"),
        pytest.param("/c d", "/c%20d", id="with a blank inside"),
        pytest.param("/ä", "/%C3%A4", id="in UTF-8"),
        pytest.param("/c#part", "/c", id="with a fragment"),
        pytest.param("/%2e%2e/c", "/%2e%2e/c", id="escaped dots"),
    ],
)
def test_a_location_may_be_written_in_many_ways(location, expected):
    with Web() as web:
        web.routes["/a/b"] = lambda request: (
            page("query")(request) if "?" in request.target else redirect(location.format(port=web.port))(request)
        )
        web.routes[expected.partition("?")[0]] = web.routes.get(expected.partition("?")[0]) or page("x")
        assert get(web.url("/a/b")).url == web.url(expected)
        assert web.paths[-1] == expected


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        pytest.param("", "bad_redirect", id="empty"),
        pytest.param("http://[::1", "bad_redirect", id="an open bracket"),
        pytest.param("http://a:b:c/", "bad_redirect", id="two ports"),
        pytest.param("/" + "x" * 70_000, "bad_redirect", id="endless"),
        pytest.param("https:", "bad_redirect", id="no host"),
        pytest.param("http://[", "bad_url", id="half a bracket"),
        pytest.param("javascript:alert(1)", "blocked_scheme", id="javascript"),
        pytest.param("file:///etc/passwd", "blocked_scheme", id="file"),
        pytest.param("mailto:a@example.org", "blocked_scheme", id="mail"),
        pytest.param("http://169.254.169.254/latest/meta-data/", "blocked_address", id="cloud metadata"),
        pytest.param("http://[::1]/", "blocked_address", id="IPv6 loopback"),
        pytest.param("http://[::ffff:10.0.0.1]/", "blocked_address", id="a mapped private address"),
        pytest.param("http://0/", "blocked_address", id="zero"),
        pytest.param("http://2852039166/", "blocked_address", id="metadata as a number"),
        pytest.param("http://user:pass@127.0.0.1/", "blocked_credentials", id="credentials"),
        pytest.param("http://127.0.0.1:6379/", "blocked_port", id="redis"),
    ],
)
def test_a_redirect_to_nowhere_or_where_we_may_not_go_is_a_failure(location, reason):
    with Web({"/a": redirect(location)}) as web:
        error = failure(web.url("/a"))
    assert (error.reason, error.temporary) == (reason, False)
    assert web.paths == ["/a"]


def test_a_redirect_without_a_location_is_a_failure():
    with Web({"/a": status(302)}) as web:
        assert failure(web.url("/a")).reason == "bad_redirect"


def test_a_loop_is_noticed_at_its_first_return():
    with Web({"/a": redirect("/b"), "/b": redirect("/c"), "/c": redirect("/b#again")}) as web:
        error = failure(web.url("/a"))
    assert error.reason == "redirect_loop"
    assert web.paths == ["/a", "/b", "/c"]


def test_a_chain_ends_at_the_limit():
    limits = replace(LOOPBACK, max_redirects=3)
    steps: dict[str, Route] = {f"/{n}": redirect(f"/{n + 1}") for n in range(9)}
    with Web({**steps, "/9": page("x")}) as web:
        assert get(web.url("/6"), limits).url == web.url("/9")
        web.requests.clear()
        assert failure(web.url("/5"), limits).reason == "too_many_redirects"
    assert web.paths == ["/5", "/6", "/7", "/8"]


def test_no_redirects_may_be_wanted():
    with Web({"/a": redirect("/b"), "/b": page("x")}) as web:
        assert failure(web.url("/a"), replace(LOOPBACK, max_redirects=0)).reason == "too_many_redirects"
    assert web.paths == ["/a"]


def test_an_error_behind_a_redirect_names_both_ends():
    with Web({"/a": redirect("/b")}) as web:
        error = failure(web.url("/a"))
    assert error.reason == "http_404"
    assert web.url("/b") in str(error)


# ------------------------------------------------------------------------------------------------ the guard


def test_by_default_no_private_address_is_asked():
    with Web({"/": page("secret")}) as web:
        for host in ("127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "0x7f000001", "017700000001", "0"):
            error = failure(web.url("/", host=host), Settings())
            assert (host, error.reason, error.temporary) == (host, "blocked_address", False)
    assert web.connections == 0


def test_what_reaches_a_permitted_address_by_an_odd_name_is_fetched():
    with Web({"/": page("x")}) as web:
        for host in ("2130706433", "0x7f.1", "127.1", "localhost"):
            assert get(web.url("/", host=host)).body == b"x"


def test_a_permitted_network_does_not_open_its_neighbour():
    only = replace(LOOPBACK, allow_networks=(ipaddress.ip_network("127.0.0.1/32"),))
    with Web({"/": page("x")}, addresses=("127.0.0.1", "127.0.0.2")) as web:
        assert get(web.url(), only).body == b"x"
        assert failure(web.url(host="127.0.0.2"), only).reason == "blocked_address"
        web.routes["/"] = redirect(web.url(host="127.0.0.2"))
        assert failure(web.url(), only).reason == "blocked_address"
    assert [request.address for request in web.requests] == ["127.0.0.1", "127.0.0.1"]


def test_a_fixed_address_is_used_instead_of_a_look_up_and_judged_like_any_other():
    with Web({"//a.news.test/": page("a"), "//news.test/": page("n")}) as web:
        assert get(web.url(host="a.news.test")).body == b"a"
        assert get(web.url(host="NEWS.test")).body == b"n"
        forbidden = replace(LOOPBACK, allow_networks=())
        assert failure(web.url(host="a.news.test"), forbidden).reason == "blocked_address"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "blocked_scheme"),
        ("news.example/a", "blocked_scheme"),
        ("ftp://news.example/", "blocked_scheme"),
        ("file:///etc/passwd", "blocked_scheme"),
        ("http://", "bad_url"),
        ("http:a", "bad_url"),
        ("http://[", "bad_url"),
        ("http://a b/", "bad_url"),
        ("http://a\nb/", "bad_url"),
        ("http://a/\0", "bad_url"),
        ("http://a/\udcff", "bad_url"),
        ("http://\udcff/", "bad_url"),
        ("http://a:99999/", "bad_url"),
        ("http://0177.0.0.1/", "bad_url"),
        ("http://%31%32%37.0.0.1/", "bad_url"),
        ("http://127.0.0.1\\@news.example/", "blocked_credentials"),
        ("http://news.example:22/", "blocked_port"),
        ("http://127。0。0。1:22/", "blocked_port"),
        ("http://" + "a" * 70_000, "bad_url"),
    ],
    ids=lambda value: value[:30].encode("unicode_escape").decode() or "empty",
)
def test_a_mad_url_is_refused_before_anything_is_sent(url, reason):
    error = failure(url, Settings())
    assert (error.reason, error.temporary) == (reason, False)


# ------------------------------------------------------------------------------------------------- statuses


@pytest.mark.parametrize(
    ("code", "temporary"),
    [
        *((code, False) for code in (300, 305, 400, 401, 402, 404, 405, 406, 410, 412, 416, 418, 451, 499)),
        *((code, True) for code in (206, 403, 408, 425, 429, 500, 501, 502, 503, 504, 520, 530, 599, 999)),
    ],
)
def test_every_other_status_is_a_failure(code, temporary):
    with Web({"/a": status(code, "sorry")}) as web:
        error = failure(web.url("/a"))
    assert (error.reason, error.status, error.temporary) == (f"http_{code}", code, temporary)
    assert error.retry_after is None


@pytest.mark.parametrize(
    ("code", "value", "expected"),
    [
        (429, "120", timedelta(seconds=120)),
        (503, "Sun, 01 Mar 2026 12:01:30 GMT", timedelta(seconds=90)),
        (503, "99999999999", timedelta(days=7)),
        (429, "soon", None),
        (404, "120", None),
    ],
)
def test_a_server_that_asks_us_to_wait_is_heard(code, value, expected):
    with Web({"/a": status(code, Retry_After=value)}) as web:
        assert failure(web.url("/a")).retry_after == expected


@pytest.mark.parametrize(
    "route",
    [
        pytest.param(status(200), id="200"),
        pytest.param(status(204), id="204"),
        pytest.param(status(205), id="205"),
        pytest.param(status(202), id="202, as some bot walls do"),
        pytest.param(gzipped(page("")), id="compressed nothing"),
        pytest.param(status(200, Content_Encoding="br"), id="said to be compressed"),
        pytest.param(always(Reply(chunked=True)), id="chunked nothing"),
    ],
)
def test_nothing_is_a_failure(route):
    with Web({"/a": route}) as web:
        error = failure(web.url("/a"))
    assert (error.reason, error.temporary) == ("empty", True)


# ----------------------------------------------------------------------------------- answers that break off


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        pytest.param(NO_ANSWER, "reset", id="closed without an answer"),
        pytest.param(Reply(raw=(), end="reset"), "reset", id="reset without an answer"),
        pytest.param(Reply(body=b"x" * 1000, length=2000, end="reset"), "reset", id="reset in the body"),
        pytest.param(Reply(body=b"x" * 1000, length=2000, end="close"), "truncated", id="shorter than announced"),
        pytest.param(Reply(pieces=(b"abc",), chunked=True, end="close"), "truncated", id="no last chunk"),
        pytest.param(Reply(raw=(OK + b"Content-Le",), end="close"), "reset", id="closed within the headers"),
        pytest.param(Reply(raw=(b"SSH-2.0-OpenSSH_9.6\r\n\r\n",), end="close"), "protocol", id="another protocol"),
        pytest.param(Reply(raw=(b"<html>no headers</html>\r\n\r\n",), end="close"), "protocol", id="HTTP/0.9"),
        pytest.param(Reply(raw=(b"HTTP/1.1 2x0 OK\r\n\r\n",), end="close"), "protocol", id="no status"),
        pytest.param(
            Reply(raw=(OK + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",), end="close"),
            "protocol",
            id="two lengths",
        ),
        pytest.param(
            Reply(raw=(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",), end="close"), "protocol", id="no chunk size"
        ),
        pytest.param(Reply(headers={f"X-{n}": "j" * 60 for n in range(5000)}), "protocol", id="too many headers"),
        pytest.param(Reply(headers={"X": "j" * 500_000}), "protocol", id="one endless header"),
        pytest.param(Reply(raw=(b"HTTP/1.1 101 Switching\r\n\r\n",), end="close"), "protocol", id="an upgrade"),
    ],
)
def test_a_broken_answer_is_a_failure(reply, reason):
    with Web({"/a": always(reply)}) as web:
        error = failure(web.url("/a"))
    assert (error.reason, error.temporary) == (reason, True)
    assert len(web.requests) == 1


@settings(max_examples=120)
@given(
    st.binary(max_size=200), st.sampled_from([b"", b"HTTP/1.1 ", OK, OK + b"Content-Encoding: br\r\n", OK + b"\r\n"])
)
@example(b"\r\n\r\n", b"HTTP/1.1 302 \r\nLocation: http://[")
@example(b"\r\n\r\n", b"HTTP/1.1 302 \r\nLocation: \xff\xfe")
@example(b"\r\nContent-Length: 1\r\n\r\nx", b"HTTP/1.1 200 \r\nContent-Encoding: " + b"gzip," * 9)
@example(b"\r\n\r\n", b"HTTP/1.1 999 ")
def test_any_bytes_of_a_server_are_a_response_or_a_failure(rest, start):
    with Web({"/a": always(Reply(raw=(start + rest,), end="close"))}) as web, suppress(FetchError):
        answer = get(web.url("/a"))
        assert answer.url == web.url("/a")
        assert answer.body


# --------------------------------------------------------------------------------------------------- sizes


def test_a_body_of_just_the_largest_size_is_taken():
    with Web({"/a": page("x" * 100_000), "/b": gzipped(page("x" * 100_000))}) as web:
        assert len(get(web.url("/a")).body) == 100_000
        assert len(get(web.url("/b")).body) == 100_000


@pytest.mark.parametrize(
    "route",
    [
        pytest.param(page("x" * 100_001), id="announced"),
        pytest.param(always(Reply(length=10**18)), id="announced beyond reason"),
        pytest.param(always(Reply(pieces=(b"x" * 50_000,) * 50, chunked=True)), id="chunked"),
        pytest.param(always(Reply(body=b"x" * 500_000, length="none")), id="until the close"),
        pytest.param(gzipped(page("x" * 100_001)), id="once it is inflated"),
    ],
)
def test_a_larger_body_is_a_failure(route):
    with Web({"/a": route}) as web:
        error = failure(web.url("/a"), replace(LOOPBACK, timeout=timedelta(seconds=2)))
    assert (error.reason, error.temporary, error.status) == ("too_large", False, 200)


# --------------------------------------------------------------------------------------------------- times


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(HANG, id="no answer"),
        pytest.param(Reply(raw=(OK,), end="hang"), id="half of the headers"),
        pytest.param(Reply(body=b"abc", length=6, end="hang"), id="half of the body"),
    ],
)
def test_a_server_that_falls_silent_is_a_timeout(reply):
    with Web({"/a": always(reply)}) as web:
        error = failure(web.url("/a"), replace(LOOPBACK, timeout=BRIEF))
    assert (error.reason, error.temporary) == ("timeout", True)


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(pieces=(b"x",) * 5000, chunked=True, pause=0.02), id="in the body"),
        pytest.param(Reply(raw=(OK, *(b"X: y\r\n" for _ in range(5000))), pause=0.02), id="in the headers"),
        pytest.param(Reply(raw=(b"HTTP/1.1 102 Wait\r\n\r\n",) * 5000, pause=0.02), id="in promises"),
    ],
)
def test_a_server_that_drips_meets_the_deadline(reply):
    with Web({"/a": always(reply)}) as web:
        error = failure(web.url("/a"), replace(LOOPBACK, deadline=BRIEF))
    assert (error.reason, error.temporary) == ("deadline", True)


def test_what_a_redirect_leads_to_has_a_deadline():
    with Web({"/b": always(HANG)}) as web:
        web.routes["/a"] = redirect("/b")
        error = failure(web.url("/a"), replace(LOOPBACK, deadline=BRIEF))
    assert error.reason == "deadline"
    assert web.url("/b") in str(error)


def test_an_error_page_that_hangs_is_still_that_error():
    reply = Reply(status=503, body=b"half", length=2000, headers={"Retry-After": "9"}, end="hang")
    with Web({"/a": always(reply)}) as web:
        error = failure(web.url("/a"), replace(LOOPBACK, deadline=timedelta(seconds=8)))
    assert (error.reason, error.retry_after) == ("http_503", timedelta(seconds=9))


def test_waiting_for_our_own_queue_does_not_count():
    limits = replace(LOOPBACK, concurrency=1, deadline=timedelta(seconds=1))
    slow = Reply(pieces=(b"x",) * 4, chunked=True, pause=0.06)
    with Web({"/a": always(slow)}) as web:

        async def many(fetcher: FollowingFetcher) -> None:
            answers = await asyncio.gather(*(fetcher.get(web.url("/a")) for _ in range(4)))
            assert [answer.body for answer in answers] == [b"xxxx"] * 4

        run(many, limits)


def test_an_unreachable_port_is_a_connection_failure():
    with Web() as web:
        url = web.url()
    error = failure(url)
    assert (error.reason, error.temporary, error.status) == ("connect", True, None)


def test_a_name_that_no_resolver_accepts_is_a_dns_failure():
    # A label of 70 characters is refused by the C library itself: no question leaves the machine.
    error = failure(f"http://{'a' * 70}.test/", Settings())
    assert (error.reason, error.temporary) == ("dns", True)


# --------------------------------------------------------------------------------------------- connections


def test_a_connection_is_used_again_whatever_the_answer_was():
    routes = {"/a": page("x"), "/r": redirect("/a"), "/v": validated("x"), "/z": gzipped(page("x")), "/e": status(204)}
    with Web(routes) as web:

        async def some(fetcher: FollowingFetcher) -> None:
            for path in ("/a", "/r", "/gone", "/v", "/z", "/e", "/a"):
                answers = await asyncio.gather(
                    fetcher.get(web.url(path), validators=Validators('"1"')), return_exceptions=True
                )
                assert isinstance(answers[0], Response | FetchError)

        run(some)
    assert len(web.requests) == 8
    assert web.connections == 1


def test_no_more_requests_run_at_once_than_allowed():
    lock, running, peak = threading.Lock(), 0, 0
    together = threading.Barrier(3)

    def count(request: Request) -> Reply:
        nonlocal running, peak
        with lock:
            running += 1
            peak = max(peak, running)
        together.wait(timeout=10)  # three do run at once
        with lock:
            running -= 1
        return Reply(body=b"x")

    hosts = [f"127.0.0.{n}" for n in range(1, 13)]
    with Web({"/": count}, addresses=hosts) as web:

        async def many(fetcher: FollowingFetcher) -> None:
            await asyncio.gather(*(fetcher.get(web.url(host=host)) for host in hosts))

        run(many, replace(LOOPBACK, concurrency=3))
    assert peak == 3
    assert len(web.requests) == 12


def test_a_request_is_repeated_once_if_its_kept_connection_was_closed():
    def close_second(request: Request) -> Reply:
        earlier = [other for other in web.requests if other.connection == request.connection]
        return NO_ANSWER if len(earlier) > 1 else Reply(body=b"x")

    with Web({"/a": close_second}) as web:

        async def twice(fetcher: FollowingFetcher) -> None:
            assert (await fetcher.get(web.url("/a"))).body == b"x"
            assert (await fetcher.get(web.url("/a"))).body == b"x"

        run(twice)
    assert [request.connection for request in web.requests] == [1, 1, 2]


def test_a_request_on_a_new_connection_is_not_repeated():
    with Web({"/a": always(NO_ANSWER)}) as web:
        assert failure(web.url("/a")).reason == "reset"
    assert len(web.requests) == 1


def test_a_cancelled_request_leaves_the_fetcher_in_order():
    with Web({"/hang": always(HANG), "/a": page("x")}) as web:

        async def cancel(fetcher: FollowingFetcher) -> None:
            tasks = [asyncio.create_task(fetcher.get(web.url("/hang"))) for _ in range(3)]
            while len(web.requests) < 3:  # noqa: ASYNC110  # another thread's list
                await asyncio.sleep(0.01)
            for task in tasks:
                task.cancel()
            assert all(
                isinstance(error, asyncio.CancelledError)
                for error in await asyncio.gather(*tasks, return_exceptions=True)
            )
            # Every slot is free again.
            answers = await asyncio.gather(*(fetcher.get(web.url("/a")) for _ in range(3)))
            assert [answer.body for answer in answers] == [b"x"] * 3

        run(cancel, replace(LOOPBACK, concurrency=3))


# ---------------------------------------------------------------------------------------------- TLS, HTTP/2


@pytest.fixture
def secure_web():
    routes = {
        "/a": gzipped(page("text", ETag='"1"')),
        "/r": redirect("/a"),
        "/big": page("x" * 900_000),
        "/reset": always(Reply(body=b"abc", end="reset")),
        "/short": always(Reply(body=b"abc", length=100)),
        "/goaway": always(Reply(body=b"abc", end="goaway")),
        "/nul": page("x", ETag="a\0b"),
        "/503": status(503, "busy", Retry_After="5"),
    }
    with Web(routes, tls=server_context("h2", "http/1.1")) as web:
        yield web


def secure(web: Web, path: str) -> str:
    return web.url(path, host="news.test")


def test_http2_is_spoken_where_it_is_offered(secure_web):
    response = get(secure(secure_web, "/r"), validators=Validators('"0"'))
    assert (response.body, response.url) == (b"text", secure(secure_web, "/a"))
    request = secure_web.requests[0]
    assert (request.version, request.host) == ("HTTP/2", "news.test")
    assert request.headers["user-agent"] == "tester/1.0 (+https://example.org/bot)"
    assert request.headers["if-none-match"] == '"0"'
    assert secure_web.connections == 1


def test_http1_is_spoken_over_tls_where_http2_is_not_offered():
    with Web({"/a": page("x")}, tls=server_context()) as web:
        assert get(secure(web, "/a")).body == b"x"
    assert web.requests[0].version == "HTTP/1.1"


@pytest.mark.parametrize(
    ("path", "reason"),
    [("/reset", "reset"), ("/short", "truncated"), ("/big", "too_large"), ("/503", "http_503"), ("/none", "http_404")],
)
def test_failures_over_http2_have_the_same_names(secure_web, path, reason):
    async def several(fetcher: FollowingFetcher) -> None:
        for _ in range(3):
            with pytest.raises(FetchError) as caught:
                await fetcher.get(secure(secure_web, path))
            assert caught.value.reason == reason
            # What was left over from the failure does not harm the next request.
            assert (await fetcher.get(secure(secure_web, "/a"))).body == b"text"

    run(several)
    assert len(secure_web.requests) == 6


def test_a_connection_with_a_rest_that_nobody_reads_is_not_kept(secure_web):
    async def work(fetcher: FollowingFetcher) -> None:
        with pytest.raises(FetchError, match="too_large"):
            await fetcher.get(secure(secure_web, "/big"))
        await fetcher.get(secure(secure_web, "/a"))
        await fetcher.get(secure(secure_web, "/a"))

    run(work)
    assert [request.connection for request in secure_web.requests] == [1, 2, 2]


def test_a_connection_that_says_goodbye_is_replaced(secure_web):
    async def several(fetcher: FollowingFetcher) -> None:
        for _ in range(3):
            assert (await fetcher.get(secure(secure_web, "/goaway"))).body == b"abc"

    run(several)
    assert [request.connection for request in secure_web.requests] == [1, 2, 3]


def second_time(reply: Reply) -> Route:
    """Answers properly at first, and then with the reply as long as the connection is the same."""
    seen: set[int] = set()

    def answer(request: Request) -> Reply:
        if request.connection in seen:
            return reply
        seen.add(request.connection)
        return Reply(body=b"x")

    return answer


@pytest.mark.parametrize(
    ("end", "outcomes"),
    [
        pytest.param("goaway", [b"x", b"x"], id="a farewell is asked again elsewhere"),
        pytest.param("reset", [b"x", "reset"], id="a reset is meant for us"),
    ],
)
def test_what_happens_to_a_kept_connection_before_the_answer(secure_web, end, outcomes):
    secure_web.routes["/second"] = second_time(Reply(status=0, end=end))

    async def twice(fetcher: FollowingFetcher) -> None:
        found = []
        for _ in range(2):
            try:
                found.append((await fetcher.get(secure(secure_web, "/second"))).body)
            except FetchError as error:
                found.append(error.reason)
        assert found == outcomes

    run(twice)
    assert len(secure_web.requests) == (3 if end == "goaway" else 2)


def test_a_header_with_a_nul_does_not_get_through(secure_web):
    assert get(secure(secure_web, "/nul")).validators == Validators()


def test_a_certificate_of_another_name_is_refused(secure_web):
    # other.example has the same fixed address: it is the name that is verified.
    error = failure(secure_web.url("/a", host="other.example"))
    assert (error.reason, error.temporary) == ("tls", True)
    assert "Hostname mismatch" in str(error)
    assert secure_web.requests == []


def test_a_certificate_of_an_unknown_authority_is_refused(secure_web):
    async def work() -> None:
        async with FollowingFetcher(LOOPBACK) as fetcher:
            await fetcher.get(secure(secure_web, "/a"))

    with pytest.raises(FetchError) as caught:
        asyncio.run(work())
    assert caught.value.reason == "tls"
    assert secure_web.requests == []


# --------------------------------------------------------------------------------------- surroundings


@pytest.mark.parametrize("contact", ["Zoë", "a\nb", "tab\there"])
def test_a_contact_that_cannot_be_sent_is_the_users_mistake(contact):
    with pytest.raises(ConfigError, match="contact"):
        Fetcher(replace(LOOPBACK, contact=contact))


SCRIPT = """
    import asyncio, gc, ipaddress, sys, threading
    from pipeline.config import Settings
    from pipeline.errors import FetchError
    from tests.support.fetching import FollowingFetcher

    async def main():
        settings = Settings(allow_networks=(ipaddress.ip_network("127.0.0.0/8"),), max_bytes=1000)
        async with FollowingFetcher(settings) as fetcher:
            print((await fetcher.get(sys.argv[1] + "/a")).body.decode())
            for path in ("/big", "/short", "/none"):
                try:
                    await fetcher.get(sys.argv[1] + path)
                except FetchError as error:
                    print(error.reason)
    asyncio.run(main())
    gc.collect()
    for thread in threading.enumerate():
        thread is threading.main_thread() or thread.join(10)
    print(len(threading.enumerate()))
"""


def test_nothing_is_left_behind_and_the_environment_has_no_say():
    routes = {
        "/a": page("x"),
        "/big": always(Reply(pieces=(b"x" * 999,) * 9, chunked=True)),
        "/short": always(Reply(body=b"x", length=9, end="close")),
    }
    with Web(routes) as web:
        root = Path(__file__).parents[2]
        proxies = {"HTTP_PROXY": "http://127.0.0.1:1", "http_proxy": "http://127.0.0.1:1", "ALL_PROXY": "socks5://x"}
        done = subprocess.run(
            [sys.executable, "-X", "dev", "-W", "error", "-c", textwrap.dedent(SCRIPT), web.url("", host="localhost")],
            env={**os.environ, **proxies, "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.stdout.split() == ["x", "too_large", "truncated", "http_404", "1"]
    assert "Warning" not in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == 0
