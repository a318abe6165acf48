"""The same situations however a host is asked: by live ingestion, a backfill, the search for feeds, or one command."""

import asyncio
import ipaddress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.cli.page_sources import fetch_page
from pipeline.config import Settings
from pipeline.discover import discover_feeds
from pipeline.errors import FetchError
from pipeline.runtime.run import open_client
from pipeline.store.schema.tables import HostRow
from tests.support.filling import Filling, urlset
from tests.support.newsroom import XML, Pipeline
from tests.support.stories import article_page, rss, title
from tests.support.web import Web, in_turn, page, redirect, status

ONE, TWO = "127.0.0.1", "127.0.0.2"
SETTINGS = Settings(
    allow_networks=(ipaddress.ip_network("127.0.0.0/8"),), host_delay=timedelta(0), timeout=timedelta(seconds=10)
)


@pytest.fixture
def web():
    with Web(addresses=(ONE, TWO)) as web:
        yield web


async def read_nothing(response, url):
    raise AssertionError("no document is read here")


def live(web, url, sqlite_url):
    """A page that a feed on the second host announces."""
    newsroom = Pipeline(web, sqlite_url)
    web.routes[f"//{TWO}/feed.xml"] = page(rss({url: title(1)}), XML)
    web.routes.setdefault(f"//{TWO}/robots.txt", status(404))
    newsroom.subscribe("/feed.xml", host=TWO)
    newsroom.ingest()
    newsroom.engine.dispose()


def backfill(web, url, sqlite_url):
    """A sitemap of a backfill."""
    filling = Filling(web, sqlite_url)
    filling.fill("sitemap", [("sitemap", url)])
    filling.engine.dispose()


def discovery(web, url, sqlite_url):
    """A page that somebody looks for feeds on."""

    async def search():
        async with open_client(SETTINGS) as client:
            await discover_feeds(client, url, read_nothing)

    with pytest.raises(FetchError):
        asyncio.run(search())


def explanation(web, url, sqlite_url):
    """A page that somebody wants explained."""
    with pytest.raises(FetchError):
        asyncio.run(fetch_page(SETTINGS, url))


WAYS = pytest.mark.parametrize("way", [live, backfill, discovery, explanation])
HEEDING = pytest.mark.parametrize("way", [live, backfill, discovery])  # an explanation tells what robots.txt says


def asked_of(web, host):
    return [request.path for request in web.requests if request.host == host and request.path != "/feed.xml"]


@HEEDING
def test_a_host_whose_robots_txt_is_out_of_order_is_asked_for_nothing_else(way, web, sqlite_url):
    web.routes[f"//{ONE}/robots.txt"] = status(503)
    web.routes["/a"] = page(article_page(1))
    way(web, web.url("/a", host=ONE), sqlite_url)
    assert set(asked_of(web, ONE)) == {"/robots.txt"}


@WAYS
def test_a_host_that_says_how_long_to_wait_is_left_alone(way, web, sqlite_url):
    web.routes["/robots.txt"] = status(404)
    web.routes["/a"] = status(429, **{"Retry-After": "3600"})
    way(web, web.url("/a", host=ONE), sqlite_url)
    after = asked_of(web, ONE)
    assert after[after.index("/a") + 1 :] == []


@HEEDING
def test_the_robots_txt_of_a_host_that_a_redirect_leads_to_is_obeyed(way, web, sqlite_url):
    web.routes[f"//{ONE}/robots.txt"] = status(404)
    web.routes[f"//{TWO}/robots.txt"] = page("User-agent: *\nDisallow: /b", "text/plain")
    web.routes["/a"] = redirect(web.url("/b", host=TWO))
    way(web, web.url("/a", host=ONE), sqlite_url)
    assert "/robots.txt" in asked_of(web, TWO)
    assert "/b" not in asked_of(web, TWO)


@pytest.mark.parametrize("way", [live, backfill])
def test_where_robots_txt_is_out_of_order_what_it_said_last_holds(way, web, sqlite_url):
    web.routes[f"//{ONE}/robots.txt"] = in_turn(page("User-agent: *\nDisallow: /no", "text/plain"), status(503))
    web.routes["/a"] = page(urlset({}), XML)
    way(web, web.url("/a", host=ONE), sqlite_url)
    filling = Filling(web, sqlite_url)
    filling.ahead = timedelta(days=3)
    filling.fill("sitemap", [("sitemap", web.url("/b", host=ONE))])
    assert asked_of(web, ONE)[-2:] == ["/robots.txt", "/b"]
    filling.engine.dispose()


@pytest.mark.parametrize("way", [live, backfill])
def test_a_busy_host_is_left_alone_for_longer_by_all_workers(way, web, sqlite_url):
    web.routes["/robots.txt"] = status(404)
    web.routes["/a"] = status(503)
    way(web, web.url("/a", host=ONE), sqlite_url)
    filling = Filling(web, sqlite_url)
    row = next(row for row in filling.rows(HostRow) if row["name"].startswith(f"{ONE}:"))
    assert row["strain"] > 1
    filling.engine.dispose()


def test_a_command_asks_under_its_own_leases_and_waits_out_its_pause(web):
    web.routes["/robots.txt"] = status(404)
    web.routes["/a"] = page(article_page(1))

    async def ask_twice():
        async with open_client(replace(SETTINGS, host_delay=timedelta(seconds=0.3))) as client:
            began = datetime.now(UTC)
            await client.get(web.url("/a", host=ONE))
            await client.get(web.url("/a", host=ONE))
            return datetime.now(UTC) - began

    assert asyncio.run(ask_twice()) >= timedelta(seconds=0.6)  # robots.txt, a page, a page
