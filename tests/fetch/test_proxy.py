"""Fetching through a real proxy on loopback: what it is asked, what it never sees, what the guard still holds."""

import asyncio
import ipaddress
import json
import os
import re
import socket
import subprocess
import sys
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.fetch.connect import GuardedBackend
from pipeline.http.failure import WireFailure
from pipeline.http.ssrf_guard import SsrfGuard
from pipeline.model import Subscription
from pipeline.store.connection.engine import write
from pipeline.store.feeds.subscriptions import add_feeds
from pipeline.store.schema.tables import FeedRow, PageRow
from tests.support.fetching import failure, get
from tests.support.http2 import server_context
from tests.support.newsroom import XML, Pipeline
from tests.support.proxy import Proxy
from tests.support.stories import article_page, rss, title
from tests.support.web import Web, page, redirect, status

SITE = ipaddress.ip_network("127.0.0.2/32")  # the only address that may be fetched from: the proxy has another one


def through(proxy: str, **changes):
    """Settings with this proxy: the names of sites have one address here, and the proxy is told its own."""
    names = (("news.test", "127.0.0.2"), ("inside.test", "127.0.0.3"))
    settings = Settings(allow_networks=(SITE,), resolve=names, timeout=timedelta(seconds=10), proxy=proxy)
    return replace(settings, **changes)


@pytest.fixture
def web():
    with Web({"/a": page("text")}, addresses=("127.0.0.2", "127.0.0.3")) as web:
        yield web


def test_a_page_is_asked_of_the_proxy_and_no_connection_made_to_its_site(web):
    with Proxy({"news.test": "127.0.0.3"}) as proxy:
        response = get(web.url("/a?b=c", host="news.test"), through(proxy.url))
    assert (response.body, response.url) == (b"text", web.url("/a?b=c", host="news.test"))
    assert proxy.asked == [f"GET {web.url('/a?b=c', host='news.test')}"]
    assert [request.address for request in web.requests] == ["127.0.0.3"]  # where the proxy knows it to be
    assert web.requests[0].headers["host"] == f"news.test:{web.port}"


@pytest.mark.parametrize("protocols", [(), ("h2", "http/1.1")], ids=["http/1.1", "http/2"])
def test_https_goes_through_a_tunnel_and_is_spoken_with_the_site(protocols):
    routes = {"/a": page("text"), "/r": redirect("/a")}
    with (
        Web(routes, addresses=("127.0.0.2",), tls=server_context(*protocols)) as web,
        Proxy({"news.test": "127.0.0.2"}, credentials="me:secret") as proxy,
    ):
        response = get(web.url("/r", host="news.test"), through(proxy.url))
    assert (response.body, len(web.requests)) == (b"text", 2)
    assert proxy.asked == [f"CONNECT news.test:{web.port}"]  # one tunnel for both
    assert not any("authorization" in name for request in web.requests for name in request.headers)


def test_a_certificate_is_held_against_the_name_of_the_site_and_not_of_the_proxy():
    with (
        Web({"/a": page("text")}, addresses=("127.0.0.2",), tls=server_context()) as web,
        Proxy({"other.example": "127.0.0.2"}) as proxy,
    ):
        limits = through(proxy.url, resolve=(("other.example", "127.0.0.2"),))
        assert failure(web.url("/a", host="other.example"), limits).reason == "tls"


def test_the_proxys_credentials_are_decoded_and_shown_to_nobody_else(web):
    with Proxy(credentials="me:p@ss") as proxy:
        limits = through(f"http://me:p%40ss@127.0.0.1:{proxy.port}")
        assert get(web.url("/a"), limits).body == b"text"
    assert proxy.authorizations == [f"Basic {b64encode(b'me:p@ss').decode()}"]
    assert "proxy-authorization" not in web.requests[0].headers


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        pytest.param("ftp://news.test/a", "blocked_scheme", id="scheme"),
        pytest.param("http://me:secret@news.test/a", "blocked_credentials", id="credentials"),
        pytest.param("http://news.test:6379/a", "blocked_port", id="port"),
        pytest.param("http://127.0.0.3/a", "blocked_address", id="literal"),
        pytest.param("http://[::ffff:127.0.0.3]/a", "blocked_address", id="mapped literal"),
        pytest.param("http://169.254.169.254/latest/meta-data/", "blocked_address", id="metadata"),
        pytest.param("http://2130706435/a", "blocked_address", id="number"),
        pytest.param("http://0x7f.3/a", "blocked_address", id="hexadecimal"),
        pytest.param("http://inside.test/a", "blocked_address", id="name of a private address"),
        pytest.param("https://inside.test/a", "blocked_address", id="tunnel to a private address"),
        pytest.param("https://[2606:4700::1111]/a", "proxy", id="tunnel to an address that would be garbled"),
        pytest.param("http://name.invalid/a", "dns", id="name that nobody knows here"),
    ],
)
def test_what_the_guard_refuses_is_not_even_asked_of_the_proxy(url, reason, web):
    web.routes["/r"] = redirect(url)
    with Proxy() as proxy:
        assert failure(url, through(proxy.url)).reason == reason
        assert proxy.asked == []
        assert failure(web.url("/r"), through(proxy.url)).reason == reason
        assert proxy.asked == [f"GET {web.url('/r')}"]


def test_a_name_is_judged_at_each_request_and_by_all_of_its_addresses():
    answers = [["127.0.0.2"], ["127.0.0.2", "10.0.0.1"], ["10.0.0.1"]]
    with ThreadPoolExecutor(1) as executor:
        gate = GuardedBackend(SsrfGuard((SITE,)), executor, lambda host, port: answers.pop(0))
        asyncio.run(gate.require_permitted("news.example", 80))
        for _ in range(2):
            with pytest.raises(WireFailure, match=r"10\.0\.0\.1") as refused:
                asyncio.run(gate.require_permitted("news.example", 80))
            assert refused.value.reason == "blocked_address"


def unused_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_a_proxy_that_is_away_is_not_held_to_be_a_site_that_is(web):
    error = failure(web.url("/a"), through(f"http://me:secret@127.0.0.1:{unused_port()}"))
    assert (error.reason, error.temporary, error.status) == ("proxy", True, None)
    assert "secret" not in str(error)
    assert web.connections == 0


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_other_credentials_says_so(scheme):
    tls = server_context() if scheme == "https" else None
    with Web({"/a": page("text")}, addresses=("127.0.0.2",), tls=tls) as web, Proxy(credentials="me:other") as proxy:
        limits = through(f"http://me:secret@127.0.0.1:{proxy.port}")
        error = failure(web.url("/a", host="news.test"), limits)
    assert (error.reason, error.temporary) == ("proxy", True)
    assert "407" in str(error)
    assert "secret" not in str(error)
    assert web.connections == 0


@pytest.mark.parametrize(("refusal", "reason"), [(403, "proxy"), (502, "connect"), (504, "connect")])
def test_a_refused_tunnel_is_the_sites_fault_where_the_proxy_says_so(refusal, reason):
    with Proxy(refusal=refusal) as proxy:
        error = failure("https://news.test/a", through(proxy.url))
    assert (error.reason, error.temporary, error.status) == (reason, True, None)


def test_a_status_behind_the_proxy_is_the_sites(web):
    web.routes["/a"] = status(503, Retry_After="5")
    with Proxy() as proxy:
        error = failure(web.url("/a"), through(proxy.url))
    assert (error.reason, error.retry_after) == ("http_503", timedelta(seconds=5))


def test_the_whole_flow_goes_through_the_proxy(database_url):
    with Web(addresses=("127.0.0.2",)) as web, Proxy({"news.test": "127.0.0.2"}) as proxy:
        newsroom = Pipeline(web, database_url)
        newsroom.settings = replace(
            newsroom.settings, proxy=proxy.url, resolve=(("news.test", "127.0.0.2"),), allow_networks=(SITE,)
        )
        pages = {number: web.url(f"/{number}", host="news.test") for number in (1, 2)}
        web.routes |= {f"/{number}": page(article_page(number)) for number in pages}
        web.routes["/feed.xml"] = page(rss({url: title(number) for number, url in pages.items()}), XML)
        feed = Subscription(url=web.url("/feed.xml", host="news.test"))
        write(newsroom.engine, add_feeds, [feed], newsroom.now(), timedelta(minutes=30))
        totals = newsroom.ingest()
        assert (totals.polls, totals.new) == (1, 2)
        assert [row["state"] for row in newsroom.rows(PageRow)] == ["stored", "stored"]
        paths = ("/feed.xml", "/robots.txt", "/.well-known/tdmrep.json", "/1", "/2")
        assert sorted(proxy.asked) == sorted(f"GET {web.url(path, host='news.test')}" for path in paths)
        newsroom.engine.dispose()


def test_a_proxy_that_is_away_costs_a_run_nothing_but_time(database_url):
    with Web(addresses=("127.0.0.2",)) as web:
        newsroom = Pipeline(web, database_url)
        newsroom.serve_stories(1, 2)
        newsroom.ingest(kinds=frozenset({"poll"}))
        direct = newsroom.settings
        newsroom.settings = replace(direct, proxy=f"http://127.0.0.1:{unused_port()}")
        newsroom.ingest()
        assert [(row["state"], row["reason"]) for row in newsroom.rows(PageRow)] == [
            ("queued", "robots_unreachable")
        ] * 2
        assert newsroom.rows(FeedRow)[0]["last_outcome"] == "proxy"
        newsroom.settings, newsroom.ahead = direct, timedelta(hours=1)
        assert newsroom.ingest().new == 2
        newsroom.engine.dispose()


def test_no_word_of_the_command_line_or_its_logs_tells_the_credentials(tmp_path, web):
    with Proxy(credentials="me:other") as proxy:
        environment = os.environ | {
            "NEWS_DATABASE_URL": f"sqlite:///{tmp_path / 'news.db'}",
            "NEWS_PROXY": f"http://robot:t0psecret@127.0.0.1:{proxy.port}",
            "NEWS_ALLOW_NETWORKS": "127.0.0.0/8",
            "NEWS_LOG_LEVEL": "debug",
            "NEWS_LOG_FORMAT": "json",
        }
        said = ""
        for words in (("config",), ("db", "upgrade"), ("feeds", "add", web.url("/feed.xml")), ("ingest",), ("status",)):
            told = subprocess.run(
                [sys.executable, "-m", "pipeline", *words], env=environment, capture_output=True, text=True
            )
            said += told.stdout + told.stderr
    assert set(proxy.authorizations) == {f"Basic {b64encode(b'robot:t0psecret').decode()}"}
    assert f"http://***@127.0.0.1:{proxy.port}" in said
    for secret in ("t0psecret", "robot:", b64encode(b"robot:t0psecret").decode()):
        assert secret not in said


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("socks5://me:secret@proxy.example:1080", id="another protocol"),
        pytest.param("me:secret@proxy.example:3128", id="no scheme"),
        pytest.param("http://me:secret@proxy.example:port", id="no port"),
        pytest.param("http://me:sec:ret@:3128", id="no host"),
        pytest.param("http://me:secret@proxy.example/path", id="a path"),
        pytest.param("http://me:secret@[::1", id="half of an address"),
    ],
)
def test_an_address_that_is_no_proxys_is_refused_without_showing_the_password(value):
    with pytest.raises(ConfigError, match="NEWS_PROXY") as refused:
        Settings.from_env({"NEWS_PROXY": value})
    assert not re.search("secret|me:", str(refused.value))


def test_settings_do_not_tell_credentials_when_they_are_printed():
    settings = Settings.from_env({"NEWS_PROXY": "http://t0ken@proxy.example:3128/"})
    assert settings.proxy == "http://t0ken@proxy.example:3128"
    assert "t0ken" not in repr(settings)
    assert "t0ken" not in json.dumps(settings.described({}))
