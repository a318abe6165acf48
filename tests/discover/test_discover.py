"""Discovery against a site on loopback: what is found, in which order, and how politely."""

import asyncio
import gzip
import ipaddress
import json
import os
import pty
import subprocess
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.cli import main
from pipeline.config import Settings
from pipeline.discover import MAX_REQUESTS, discover_feeds
from pipeline.discover.candidates import (
    FeedCandidate,
    announced_feeds,
    common_feed_urls,
    describe_candidate,
    is_of_comments,
    linked_feeds,
    looks_like_feed,
    rank_candidates,
)
from pipeline.errors import FetchError
from pipeline.fetch import Fetcher
from pipeline.model import Response
from pipeline.parse import parse_feed
from pipeline.runtime.asking_parts import AskingParts
from pipeline.runtime.host_ledger import MemoryHostLedger
from pipeline.runtime.polite_client import PoliteClient
from pipeline.runtime.stop import Stop
from pipeline.store.connection.engine import open_engine, reading
from pipeline.store.schema.tables import FeedRow
from tests.support.web import Web, page, redirect, status

RSS, ATOM = "application/rss+xml", "application/atom+xml"
NEWEST = datetime(2026, 11, 22, 9, tzinfo=UTC)


def feed(*numbers, name="Courier", hours=6):
    """An RSS feed, newest first; without numbers an empty one."""
    items = "".join(
        f"<item><title>Story {n}</title><link>https://news.example/{n}</link>"
        f"<pubDate>{format_datetime(NEWEST - timedelta(hours=hours * place))}</pubDate></item>"
        for place, n in enumerate(numbers)
    )
    return page(f'<rss version="2.0"><channel><title>{name}</title>{items}</channel></rss>', RSS)


def atom_feed(*numbers):
    entries = "".join(
        f'<entry><id>{n}</id><title>Story {n}</title><link href="https://news.example/{n}"/>'
        f"<updated>{NEWEST.isoformat()}</updated></entry>"
        for n in numbers
    )
    return page(f'<feed xmlns="http://www.w3.org/2005/Atom"><title>Courier</title>{entries}</feed>', ATOM)


def json_feed(*numbers):
    items = [{"id": str(n), "url": f"https://news.example/{n}", "title": f"Story {n}"} for n in numbers]
    body = {"version": "https://jsonfeed.org/version/1.1", "title": "Courier", "items": items}
    return page(json.dumps(body), "application/feed+json")


def news_sitemap(*urls):
    rows = "".join(
        f"<url><loc>{url}</loc><news:news><news:publication><news:name>Courier</news:name></news:publication>"
        f"<news:publication_date>{NEWEST.isoformat()}</news:publication_date><news:title>On {url[-1]}</news:title>"
        f"</news:news></url>"
        for url in urls
    )
    spaces = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'
    return f"<urlset {spaces}>{rows}</urlset>"


def sitemap_index(*urls):
    rows = "".join(f"<sitemap><loc>{url}</loc></sitemap>" for url in urls)
    return f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{rows}</sitemapindex>'


def site_page(head="", body=""):
    return page(f"<!doctype html><html><head><title>Courier</title>{head}</head><body><p>News.</p>{body}</body></html>")


def alternate(href, kind=RSS, title=""):
    return f'<link rel="alternate" type="{kind}" href="{href}" title="{title}">'


class Sleeper(Stop):
    """Never asks a search to end, and remembers how long it would have slept."""

    def __init__(self, slept):
        super().__init__()
        self.slept = slept

    async def sleep(self, seconds):
        if seconds > 0:
            self.slept.append(round(seconds, 3))


class Site:
    """A web, and a search by a clock that goes on by what it would have slept."""

    def __init__(self, web):
        self.web = web
        self.slept = []

    def now(self):
        return NEWEST + timedelta(seconds=sum(self.slept))

    def serve(self, **routes):
        self.web.routes.update(
            {"/" + path.replace("__", "/").replace("_", "."): route for path, route in routes.items()}
        )

    def find(self, path="/", *, url=None, delay=0.0, within=None):
        networks = (ipaddress.ip_network("127.0.0.0/8"),)
        settings = Settings(allow_networks=networks, host_delay=timedelta(seconds=delay), timeout=timedelta(seconds=10))

        async def read(response, url):
            return parse_feed(response.body, url, content_type=response.content_type, charset=response.charset)

        async def search():
            async with Fetcher(settings) as fetcher:
                parts = AskingParts(settings, fetcher, MemoryHostLedger(), self.now, Sleeper(self.slept))
                return await discover_feeds(PoliteClient(parts), url or self.web.url(path), read, within)

        return asyncio.run(search())

    def paths(self, found):
        return [one.url.removeprefix(self.web.url("")) for one in found]


@pytest.fixture
def site():
    with Web(addresses=("127.0.0.1", "127.0.0.2")) as web:
        yield Site(web)


def test_a_feed_is_found_at_its_own_address_and_nothing_else_is_asked(site):
    site.serve(feed_xml=feed(1, 2, 3, 4, 5))
    (found,) = site.find("/feed.xml")
    assert (found.title, found.kind, found.entries, found.newest_at) == ("Courier", "rss", 5, NEWEST)
    assert found.per_day == 4.0
    assert found.samples == ("Story 1", "Story 2", "Story 3")
    assert found.found == "address itself"
    assert site.web.paths == ["/robots.txt", "/feed.xml"]


def test_what_a_page_announces_is_found_in_its_order_and_no_path_is_guessed(site):
    site.web.routes["/"] = site_page(
        alternate("/all.xml") + alternate("sport/a", ATOM) + alternate("/j", "application/feed+json; charset=utf-8")
        + '<link rel="alternate" hreflang="de" href="/de">' + alternate("/wp-json/wp/v2/pages/2", "application/json")
    )  # fmt: skip
    site.serve(all_xml=feed(1, 2), sport__a=atom_feed(3), j=json_feed(4))
    found = site.find()
    assert site.paths(found) == ["/all.xml", "/sport/a", "/j"]
    assert [one.kind for one in found] == ["rss", "atom", "json"]
    assert {one.found for one in found} == {"announced"}
    assert site.web.paths == ["/robots.txt", "/", "/all.xml", "/sport/a", "/j"]


@pytest.fixture
def never():
    """A route that answers when the test is over."""
    over = threading.Event()
    yield lambda _: page("")(over.wait())
    over.set()


def test_of_a_site_that_does_not_answer_in_time_what_was_found_up_to_then_is_told(site, never):
    site.web.routes["/"] = site_page(alternate("/all.xml") + alternate("/late.xml"))
    site.serve(all_xml=feed(1, 2))
    site.web.routes["/late.xml"] = never
    for seconds in (0.5, 4, 32, 256):  # however busy the machine is
        with suppress(FetchError):
            found = site.find(within=timedelta(seconds=seconds))
            break
    assert site.paths(found) == ["/all.xml"]


def test_a_site_that_never_answers_is_given_up(site, never):
    site.web.routes["/"] = never
    with pytest.raises(FetchError, match="too slowly") as caught:
        site.find(within=timedelta(seconds=0.3))
    assert caught.value.reason == "deadline"


def test_what_a_header_announces_is_found(site):
    site.web.routes["/"] = page("<p>News.</p>", Link=f'</h.xml>; rel="alternate"; type="{RSS}"')
    site.serve(h_xml=feed(1))
    assert site.paths(site.find()) == ["/h.xml"]


def test_links_that_look_like_feeds_are_followed_and_lists_of_feeds_are_read(site):
    site.web.routes["/"] = site_page(body='<a href="/rss/">RSS</a> <a href="/about">us</a> <a href="/a#rss">x</a>')
    site.web.routes["/rss/"] = site_page(
        body='<a href="/rss/world.xml">World</a> <a href="https://feedly.example/rss">F</a>'
    )
    site.web.routes["/rss/world.xml"] = feed(1, 2)
    (found,) = site.find()
    assert (site.paths([found]), found.found) == (["/rss/world.xml"], "linked")
    assert "/about" not in site.web.paths


def test_common_paths_are_tried_in_turn_until_one_has_a_feed(site):
    site.web.routes["/"] = site_page()
    site.serve(rss_xml=feed(1))
    (found,) = site.find()
    assert (site.paths([found]), found.found) == (["/rss.xml"], "common path")
    assert site.web.paths == ["/robots.txt", "/", "/feed", "/rss", "/rss.xml"]


def test_from_an_article_the_front_page_is_looked_at_too(site):
    site.web.routes["/2026/11/story.html"] = site_page()
    site.web.routes["/"] = site_page(alternate("/all.xml"))
    site.serve(all_xml=feed(1))
    assert site.paths(site.find("/2026/11/story.html")) == ["/all.xml"]


def test_a_page_that_is_gone_does_not_hide_the_sites_feeds(site):
    site.web.routes["/"] = site_page(alternate("/all.xml"))
    site.serve(all_xml=feed(1))
    assert site.paths(site.find("/old/feed")) == ["/all.xml"]


def test_a_page_that_cannot_be_had_is_an_error_where_nothing_is_found(site):
    with pytest.raises(FetchError, match="http_404"):
        site.find("/nothing")


def test_a_site_that_does_not_answer_is_an_error_at_once(site):
    with pytest.raises(FetchError, match="connect"):
        site.find(url="http://127.0.0.1:9999/")
    assert site.web.paths == []


def test_a_site_without_feeds_gives_none(site):
    site.web.routes["/"] = site_page()
    site.serve(feed=site_page(), atom_xml=page("<other/>", "text/xml"))
    assert site.find() == []


def test_news_sitemaps_of_robots_txt_are_found_and_others_are_not(site):
    url = site.web.url
    site.web.routes["/"] = site_page(alternate("/all.xml"))
    site.web.routes["/robots.txt"] = page(
        f"Sitemap: {url('/pages.xml')}\nSitemap: {url('/index.xml')}\nSitemap: {url('/n/news.xml.gz')}\n", "text/plain"
    )
    plain = news_sitemap().replace("<news:", "<x:")
    site.serve(all_xml=feed(1), pages_xml=page(plain, "text/xml"))
    site.web.routes["/index.xml"] = page(sitemap_index(url("/news-today.xml"), url("/archive-2003.xml")), "text/xml")
    site.web.routes["/news-today.xml"] = page(news_sitemap(url("/7")), "text/xml")
    site.web.routes["/n/news.xml.gz"] = page(
        gzip.compress(news_sitemap(url("/8"), url("/9")).encode()), "application/gzip"
    )
    found = site.find()
    assert site.paths(found) == ["/all.xml", "/n/news.xml.gz", "/news-today.xml"]
    assert [one.kind for one in found] == ["rss", "news sitemap", "news sitemap"]
    assert (found[1].entries, found[1].newest_at, found[1].found) == (2, NEWEST, "robots.txt")
    assert found[1].samples == ("On 8", "On 9")
    assert "/archive-2003.xml" not in site.web.paths


def test_an_index_of_news_sitemaps_is_itself_what_to_poll(site):
    url = site.web.url
    site.web.routes["/"] = site_page()
    site.web.routes["/robots.txt"] = page(f"Sitemap: {url('/news/index.xml')}", "text/plain")
    site.web.routes["/news/index.xml"] = page(sitemap_index(url("/2026-11.xml"), url("/2026-10.xml")), "text/xml")
    site.web.routes["/2026-11.xml"] = page(news_sitemap(url("/7")), "text/xml")
    (found,) = site.find()
    assert (site.paths([found]), found.kind, found.samples) == (["/news/index.xml"], "news sitemap", ("On 7",))


def test_the_same_feed_is_found_once_however_often_it_is_announced(site):
    site.web.routes["/"] = site_page(
        "".join(map(alternate, ("/all.xml", "/moved", "/proxied", "/all.atom", "/all.xml", "/other.xml")))
    )
    site.serve(all_xml=feed(1, 2), all_atom=atom_feed(2, 1), other_xml=feed(3))
    site.serve(moved=redirect("/all.xml", 301), proxied=redirect("/all.xml", 302))
    assert site.paths(site.find()) == ["/all.xml", "/other.xml"]


@pytest.mark.parametrize(
    ("statuses", "kept"), [((301,), "/b"), ((302,), "/a"), ((308, 302), "/b"), ((302, 301), "/a"), ((301, 308), "/c")]
)
def test_the_address_kept_is_that_which_the_feed_has_for_good(site, statuses, kept):
    names = "abc"
    for place, code in enumerate(statuses):
        site.web.routes[f"/{names[place]}"] = redirect(f"/{names[place + 1]}", code)
    site.web.routes[f"/{names[len(statuses)]}"] = feed(1)
    assert site.paths(site.find("/a")) == [kept]


def test_feeds_of_comments_and_empty_ones_come_last_and_do_not_count_as_found(site):
    site.web.routes["/"] = site_page(
        alternate("/comments/feed/") + alternate("/c2", title="x") + alternate("/empty.xml")
    )
    site.web.routes["/comments/feed/"] = feed(8, name="Courier")
    site.serve(c2=feed(9, name="Comments on: Story 9"), empty_xml=feed(), rss_xml=feed(1))
    assert site.paths(site.find()) == ["/rss.xml", "/empty.xml", "/comments/feed/", "/c2"]


def test_robots_txt_is_obeyed_on_every_host(site):
    other = site.web.url("/all.xml", host="127.0.0.2")
    site.web.routes["/"] = site_page(alternate("/private/feed.xml") + alternate(other))
    site.web.routes["//127.0.0.1/robots.txt"] = page("User-agent: *\nDisallow: /private\nDisallow: /feed", "text/plain")
    site.web.routes["//127.0.0.2/robots.txt"] = page("User-agent: news-pipeline\nDisallow: /", "text/plain")
    site.web.routes["/private/feed.xml"] = site.web.routes["/all.xml"] = site.web.routes["/feed"] = feed(1)
    site.serve(rss=feed(2))
    assert site.paths(site.find()) == ["/rss"]
    asked = [(request.host, request.path) for request in site.web.requests]
    assert asked == [
        ("127.0.0.1", "/robots.txt"),
        ("127.0.0.1", "/"),
        ("127.0.0.2", "/robots.txt"),
        ("127.0.0.1", "/rss"),
    ]


@pytest.mark.parametrize("code", [500, 429])
def test_a_site_whose_robots_txt_is_out_of_order_is_left_alone(site, code):
    site.web.routes["/robots.txt"] = status(code)
    site.web.routes["/"] = site_page(alternate("/all.xml"))
    with pytest.raises(FetchError, match="robots"):
        site.find()
    assert site.web.paths == ["/robots.txt"]


def test_requests_to_one_host_are_as_far_apart_as_it_asks(site):
    site.web.routes["/"] = site_page(alternate("/all.xml") + alternate(site.web.url("/b.xml", host="127.0.0.2")))
    site.web.routes["//127.0.0.1/robots.txt"] = page("User-agent: *\nCrawl-delay: 7", "text/plain")
    site.serve(all_xml=feed(1), b_xml=feed(2))
    site.find(delay=2)
    assert [request.path for request in site.web.requests] == ["/robots.txt", "/", "/all.xml", "/robots.txt", "/b.xml"]
    assert site.slept == [7, 7, 2]


def test_the_number_of_requests_is_bounded(site):
    def maze(request):
        links = "".join(f'<a href="{request.path.rstrip("/")}/{n}/rss">more</a>' for n in range(50))
        return site_page("".join(alternate(f"{request.path}{n}") for n in range(50)), links)(request)

    with Web({"/robots.txt": status(404)}) as web:
        web.routes = Anything(web.routes, maze)
        searched = Site(web)
        assert searched.find() == []
        assert len(web.requests) == MAX_REQUESTS


class Anything(dict):
    """Routes with an answer to everything."""

    def __init__(self, routes, other):
        super().__init__(routes)
        self.other = other

    def get(self, key, default=None):
        return super().get(key) or (None if key.startswith("//") else self.other)


def test_no_address_that_is_forbidden_is_asked(site):
    site.web.routes["/"] = site_page(alternate("http://169.254.169.254/feed") + alternate("http://[::1]:80/rss"))
    assert site.find() == []


# ---------------------------------------------------------------- pure


def response(body, url="https://www.news.example/world/", **headers):
    return Response(url, 200, {"content-type": "text/html", **headers}, body.encode(), NEWEST, timedelta(0))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/feed", True),
        ("https://a.example/feed/", True),
        ("https://a.example/world/rss.xml", True),
        ("https://a.example/index.rdf", True),
        ("https://a.example/sport.rss", True),
        ("https://a.example/feeds/all.atom.xml", True),
        ("https://a.example/rssfeed-world.xml", True),
        ("https://a.example/?feed=rss2", True),
        ("https://a.example/api?format=rss", True),
        ("https://feeds.a.example/world", True),
        ("https://feeds2.feedburner.com/x", True),
        ("https://a.example/feedback", False),
        ("https://a.example/rssi/", False),
        ("https://a.example/atomic-age", False),
        ("https://a.example/sitemap.xml", False),
        ("https://a.example/newsfeed-explained.html", False),
        ("http://[", False),
        pytest.param("https://a.example/" + "rss" * 1_000_000, False, id="an address of megabytes"),
    ],
)
def test_addresses_that_look_like_feeds(url, expected):
    assert looks_like_feed(url) is expected


@pytest.mark.parametrize(
    ("url", "title", "expected"),
    [
        ("https://a.example/comments/feed/", None, True),
        ("https://a.example/2026/story/comments.xml", None, True),
        ("https://a.example/?feed=comments-rss2", None, True),
        ("https://a.example/feeds/comments/default", None, True),
        ("https://a.example/x", "Comments on: Story", True),
        ("https://a.example/x", "Kommentare zu Bericht", True),
        ("https://a.example/commentisfree/rss", "Opinion", False),
        ("https://a.example/feed", "Comment", False),
    ],
)
def test_feeds_of_comments_are_known(url, title, expected):
    assert is_of_comments(url, title) is expected


def test_the_base_of_a_page_is_taken_into_account():
    body = f'<head><base href="/base/">{alternate("f.xml")}</head><body><a href="rss">r</a></body>'
    assert announced_feeds(response(body)) == ["https://www.news.example/base/f.xml"]
    assert linked_feeds(response(body)) == ["https://www.news.example/base/rss"]


def test_links_to_other_sites_feeds_are_left_out_but_hosted_ones_are_not():
    links = (
        "https://news.example/rss",
        "https://m.news.example/rss",
        "https://feeds.feedburner.com/news",
        "//b.example/rss",
    )
    body = "".join(f'<a href="{link}">x</a>' for link in links)
    assert linked_feeds(response(body)) == list(links[:3])


def test_common_paths_are_also_tried_below_a_folder():
    assert common_feed_urls("https://a.example/blog/")[:4] == [
        "https://a.example/blog/feed",
        "https://a.example/blog/rss",
        "https://a.example/blog/rss.xml",
        "https://a.example/feed",
    ]
    assert common_feed_urls("https://a.example")[0] == "https://a.example/feed"


def test_of_a_feed_over_http_and_https_the_latter_is_kept():
    def one(url):
        return FeedCandidate(url, None, "rss", 1, None, None, (), "announced")

    assert rank_candidates([one("http://a.example/f/"), one("https://a.example/f")]) == [one("https://a.example/f")]


@given(st.text(max_size=300))
@example('<base href="http://["><a href="//[/rss">')
@example('<link rel="alternate" type="application/rss+xml" href="http://[">')
def test_any_page_is_searched_without_a_crash(text):
    for url in announced_feeds(response(text)) + linked_feeds(response(text)):
        assert url.startswith(("http://", "https://"))


# ---------------------------------------------------------------- the command


@pytest.fixture
def news(sqlite_url):
    env = {"NEWS_DATABASE_URL": sqlite_url, "NEWS_ALLOW_NETWORKS": "127.0.0.0/8", "NEWS_HOST_DELAY": "0"}

    def call(*words, code=0, stdin=None):
        done = CliRunner().invoke(
            main, ["feeds", "discover", *words], env=env | {"NEWS_LOG_LEVEL": "error"}, input=stdin
        )
        assert done.exit_code == code, done.output
        return done

    return call


@pytest.fixture
def two_feeds(site):
    site.web.routes["/"] = site_page(alternate("/a.xml") + alternate("/b.xml"))
    site.serve(a_xml=feed(1, 2, name="World"), b_xml=feed(3, name="Sport"))
    return site.web


def subscribed(url):
    engine = open_engine(url)
    with reading(engine) as connection:
        urls = connection.scalars(sa.select(FeedRow.url).order_by(FeedRow.url)).all()
    engine.dispose()
    return urls


def test_the_command_shows_what_was_found_and_adds_nothing_unasked(news, two_feeds, sqlite_url):
    told = news(two_feeds.url()).output
    for word in ("World", "Sport", "Story 1", "announced", two_feeds.url("/a.xml")):
        assert word in told
    assert subscribed(sqlite_url) == []


@pytest.mark.parametrize(
    ("choice", "paths"), [("all", ["/a.xml", "/b.xml"]), ("2", ["/b.xml"]), ("2, 1", ["/a.xml", "/b.xml"])]
)
def test_the_command_adds_what_was_chosen(news, two_feeds, sqlite_url, choice, paths):
    assert f"{len(paths)} feeds added" in news(two_feeds.url(), "--add", choice).output
    assert subscribed(sqlite_url) == [two_feeds.url(path) for path in paths]


@pytest.mark.parametrize("choice", ["3", "0", "x", "1-2", "-1"])
def test_a_choice_that_there_is_not_is_an_error_of_the_user(news, two_feeds, sqlite_url, choice):
    assert "numbers from 1 to 2" in news(two_feeds.url(), "--add", choice, code=2).output
    assert subscribed(sqlite_url) == []


def test_the_command_speaks_json(news, two_feeds, sqlite_url):
    done = news(two_feeds.url(), "--json", "--add", "1")
    found = json.loads(done.stdout)
    assert [one["url"] for one in found] == [two_feeds.url("/a.xml"), two_feeds.url("/b.xml")]
    assert found[0]["newest_at"] == NEWEST.isoformat()
    assert "1 feeds added" in done.stderr
    assert subscribed(sqlite_url) == [two_feeds.url("/a.xml")]


def test_nothing_found_is_said_so_with_exit_code_1(news, site):
    site.web.routes["/"] = site_page()
    assert "no feed found at" in news(site.web.url(), code=1).output
    assert "http_404" in news(site.web.url("/nothing"), code=1).output


def test_on_a_terminal_the_command_asks_which_feeds_to_add(two_feeds, sqlite_url):
    env = os.environ | {"NEWS_DATABASE_URL": sqlite_url, "NEWS_ALLOW_NETWORKS": "127.0.0.0/8", "NEWS_HOST_DELAY": "0"}
    terminal, end = pty.openpty()
    command = [sys.executable, "-m", "pipeline", "feeds", "discover", two_feeds.url()]
    process = subprocess.Popen(command, stdin=end, stdout=end, stderr=end, env=env | {"COLUMNS": "200"})
    os.close(end)
    told = read_until(terminal, b"Add which?")
    assert b"World" in told
    assert b"Sport" in told
    os.write(terminal, b"2\n")
    assert b"1 feeds added" in read_until(terminal, b"there already")
    assert process.wait(timeout=60) == 0
    os.close(terminal)
    assert subscribed(sqlite_url) == [two_feeds.url("/b.xml")]


def read_until(terminal, word):
    """What a program writes to its terminal, up to this word or its end."""
    told = b""
    while word not in told:
        try:
            told += os.read(terminal, 65_536)
        except OSError:  # the program has ended, and closed the other end
            break
    return told


@pytest.mark.parametrize(
    ("asked", "final", "kept"),
    [
        ("https://a.example/f", "http://a.example/g", "https://a.example/f"),
        ("https://a.example/f", "https://a.example/g", "https://a.example/g"),
        ("http://a.example/f", "https://a.example/f", "https://a.example/f"),
    ],
    ids=["encryption given up", "encryption kept", "encryption won"],
)
def test_a_lasting_redirect_is_followed_but_for_one_that_gives_up_encryption(asked, final, kept):
    parsed = parse_feed(b"<rss><channel><item><title>One</title></item></channel></rss>", final)
    response = Response(final, 200, {}, b"", NEWEST, timedelta(0), redirects=((asked, 301),))
    assert describe_candidate(asked, response, parsed, "announced").url == kept
