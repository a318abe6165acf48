"""The kinds of faults that servers have, each on a page, a feed and a robots.txt of its own, in one run.

Every kind has three hosts: on one the page fails, on one the feed, on one robots.txt. Beside them is a healthy host.
Then all servers get well, and time passes.
"""

import gzip
import shutil
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from pipeline.store.connection.engine import write
from pipeline.store.frontier.retries import FailureSelection, retry_pages
from pipeline.store.schema.tables import ArticleRow, FeedRow, HostRow, PageRow
from tests.support.newsroom import XML, Pipeline
from tests.support.stories import article_page, rss, title
from tests.support.web import Reply, Request, Route, Web, page, redirect, status

ROBOTS = page("User-agent: *\nDisallow: /private\n", "text/plain")
METADATA = "http://169.254.169.254/latest/meta-data/"  # where clouds keep their secrets


def deflated(size: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return packer.compress(bytes(size)) + packer.flush()


BOMB = deflated(64 * 2**20)


def with_headers(reply: Reply, **headers: str) -> Reply:
    return replace(reply, headers={**reply.headers, **{name.replace("_", "-"): text for name, text in headers.items()}})


def spoilt(change: Callable[[Reply], Reply]) -> Callable[[Route], Route]:
    """A fault that makes something else of a good answer."""
    return lambda route: lambda request: change(route(request))


def instead(route: Route) -> Callable[[Route], Route]:
    """A fault with an answer of its own."""
    return lambda _: route


def in_steps(first: int, second: int) -> Callable[[Route], Route]:
    """Two redirects, and then what was asked for."""

    def fault(route: Route) -> Route:
        def answer(request: Request) -> Reply:
            path, _, step = request.target.partition("?")
            if step == "2":
                return route(request)
            return redirect(f"{path}?{int(step or 0) + 1}", second if step else first)(request)

        return answer

    return fault


def endless(request: Request) -> Reply:
    path, _, step = request.target.partition("?")
    return redirect(f"{path}?{int(step or 0) + 1}")(request)


def circular(request: Request) -> Reply:
    path, _, step = request.target.partition("?")
    return redirect(path if step else f"{path}?back")(request)


def with_a_new_etag(route: Route) -> Route:
    return lambda request: with_headers(route(request), ETag=f'W/"{datetime.now(UTC).timestamp()}"')


def asking_for_time(request: Request) -> Reply:
    return status(429, Retry_After=format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True))(request)


@dataclass(frozen=True)
class Fault:
    """A kind of fault.

    Attributes:
        reason: of the page or feed that has it; None where it can be read all the same.
        is_final: whether the page is given up at once.
        opens_robots: whether a robots.txt with it lets pages be fetched.
    """

    spoil: Callable[[Route], Route]
    reason: str | None
    is_final: bool = False
    opens_robots: bool = False


FAULTS = {
    "500": Fault(instead(status(500)), "http_500"),
    "502": Fault(instead(status(502)), "http_502"),
    "503": Fault(instead(status(503)), "http_503"),
    "403": Fault(instead(status(403)), "http_403", opens_robots=True),
    "404": Fault(instead(status(404)), "http_404", is_final=True, opens_robots=True),
    "410": Fault(instead(status(410)), "http_410", is_final=True, opens_robots=True),
    "429 with seconds": Fault(instead(status(429, Retry_After="1")), "http_429"),
    "429 with a date": Fault(instead(asking_for_time), "http_429"),
    "slow loris": Fault(instead(lambda _: Reply(pieces=(b"x",) * 9000, chunked=True, pause=0.1)), "deadline"),
    "hang": Fault(instead(lambda _: Reply(raw=(), end="hang")), "timeout"),
    "reset": Fault(spoilt(lambda good: replace(good, length=len(good.body) + 9000, end="reset")), "reset"),
    "short": Fault(spoilt(lambda good: replace(good, length=len(good.body) + 9000, end="close")), "truncated"),
    "truncated gzip": Fault(
        spoilt(lambda good: with_headers(replace(good, body=gzip.compress(good.body)[:-9]), Content_Encoding="gzip")),
        "truncated",
    ),
    "false gzip": Fault(spoilt(lambda good: with_headers(good, Content_Encoding="gzip")), "bad_encoding"),
    "bomb": Fault(instead(page(BOMB, Content_Encoding="gzip")), "too_large", is_final=True),
    "redirects in a circle": Fault(instead(circular), "redirect_loop", is_final=True, opens_robots=True),
    "redirects without end": Fault(instead(endless), "too_many_redirects", is_final=True, opens_robots=True),
    "redirect to metadata": Fault(instead(redirect(METADATA)), "blocked_address", is_final=True),
    "two redirects": Fault(in_steps(301, 302), None, opens_robots=True),
    "unknown charset": Fault(
        spoilt(lambda good: with_headers(good, Content_Type="text/html; charset=x-none")), None, opens_robots=True
    ),
    "lying charset": Fault(
        spoilt(lambda good: with_headers(good, Content_Type="text/html; charset=utf-16")), None, opens_robots=True
    ),
    "wrong type": Fault(
        spoilt(lambda good: with_headers(good, Content_Type="application/pdf")), "pdf", is_final=True, opens_robots=True
    ),
    "empty": Fault(instead(status(200)), "empty", opens_robots=True),
    "header bomb": Fault(
        spoilt(lambda good: with_headers(good, **{f"X_{n}": "j" * 60 for n in range(5000)})), "protocol"
    ),
}
FEED_FAULTS = {
    "html for a feed": Fault(instead(page("<!doctype html><title>Sign in</title><p>Please sign in.</p>")), "html"),
    "undeclared namespace": Fault(
        spoilt(lambda good: replace(good, body=good.body.replace(b"<item>", b"<item><no:such>x & y</no:such>"))), None
    ),
    "leading junk": Fault(spoilt(lambda good: replace(good, body=b"\n\n<!-- junk -->\n" + good.body)), None),
    "cut in the middle": Fault(spoilt(lambda good: replace(good, body=good.body[:-20])), None),
    "weak etag each time": Fault(with_a_new_etag, None),
}
ALL = FAULTS | FEED_FAULTS
READ_AS_FEED = {"wrong type"}  # what a feed is labelled does not matter


def hosts_of(name: str) -> dict[str, str]:
    """Where the page, the feed and robots.txt fail."""
    number = list(ALL).index(name) + 1
    kinds = ("page", "feed", "robots") if name in FAULTS else ("feed",)
    return {kind: f"127.3.{number}.{place}" for place, kind in enumerate(kinds, 1)}


HEALTHY = "127.3.0.1"
PLACES = {(name, kind): host for name in ALL for kind, host in hosts_of(name).items()}


class Town(Pipeline):
    """All hosts, each with a feed that announces a page and one that robots.txt forbids."""

    def __init__(self, web: Web, url: str) -> None:
        super().__init__(web, url)
        # Long enough for a busy machine to answer in, and well apart.
        brief = {"timeout": timedelta(seconds=4), "deadline": timedelta(seconds=9), "max_bytes": 2**20}
        self.settings = replace(self.settings, **brief, revisits=(), concurrency=100)
        self.well = {}
        for number, host in enumerate([HEALTHY, *PLACES.values()], 1):
            urls = {self.at(host, "/story"): title(number), self.at(host, "/private"): "Private"}
            self.well |= {
                f"//{host}/story": page(article_page(number)),
                f"//{host}/feed.xml": page(rss(urls), XML),
                f"//{host}/robots.txt": ROBOTS,
            }
            self.subscribe("/feed.xml", host=host)
        web.routes |= self.well
        for (name, kind), host in PLACES.items():
            route = f"//{host}/" + {"page": "story", "feed": "feed.xml", "robots": "robots.txt"}[kind]
            web.routes[route] = ALL[name].spoil(self.well[route])

    def at(self, host: str, path: str) -> str:
        return self.web.url(path, host=host)

    def get_well(self) -> None:
        """All faults stop."""
        self.web.routes |= self.well

    def ledger(self) -> dict[str, tuple[str, str | None]]:
        """State and reason of each page, by its URL."""
        return {row["url"]: (row["state"], row["reason"]) for row in self.rows(PageRow)}

    def feeds(self) -> dict[str, tuple[str, str]]:
        """State and outcome of each feed, by its URL."""
        return {row["url"]: (row["state"], row["last_outcome"]) for row in self.rows(FeedRow)}

    def leases(self) -> list[str]:
        """Claims that nobody has ended."""
        return [row["host"] for table in (PageRow, FeedRow) for row in self.rows(table) if row["leased_until"]] + [
            row["name"] for row in self.rows(HostRow) if row["leased_until"]
        ]


@dataclass
class Seen:
    """What was there after the run with faults, after those that followed, and after the retry of what was given up."""

    town: Town
    pages: list[dict[str, tuple[str, str | None]]]
    feeds: list[dict[str, tuple[str, str]]]
    leases: list[str]


@pytest.fixture(scope="module")
def seen(sqlite_template, tmp_path_factory):
    url = f"sqlite:///{shutil.copy(sqlite_template, tmp_path_factory.mktemp('faults') / 'news.db')}"
    with Web(addresses=[HEALTHY, *PLACES.values()]) as web:
        town = Town(web, url)
        seen = Seen(town, [], [], [])

        def note():
            seen.pages.append(town.ledger())
            seen.feeds.append(town.feeds())
            seen.leases += town.leases()

        town.ingest()
        note()
        town.get_well()
        for days in (2, 4):
            town.ahead = timedelta(days=days)
            town.ingest(poll_all=False)
        note()
        for reason in {fault.reason for fault in ALL.values() if fault.is_final}:
            write(town.engine, retry_pages, FailureSelection(reason), town.now())
        town.ingest(poll_all=False)
        note()
        yield seen
        town.engine.dispose()


def test_every_page_and_feed_has_one_state_with_a_reason_and_no_claim_outlives_a_run(seen):
    for pages in seen.pages:
        assert {url for url, (state, why) in pages.items() if state not in {"stored", "alias"} and not why} == set()
    for feeds in seen.feeds:
        assert {url for url, (_, outcome) in feeds.items() if not outcome} == set()
    assert seen.leases == []


def test_what_is_healthy_is_stored_in_the_run_with_faults(seen):
    assert seen.pages[0][seen.town.at(HEALTHY, "/story")] == ("stored", None)
    assert seen.feeds[0][seen.town.at(HEALTHY, "/feed.xml")] == ("active", "read")


@pytest.mark.parametrize("name", FAULTS)
def test_a_page_with_a_fault_has_its_reason_and_comes_back(seen, name):
    fault, url = FAULTS[name], seen.town.at(PLACES[name, "page"], "/story")
    first, later, retried = (pages[url] for pages in seen.pages)
    if fault.reason is None:
        assert first[0] in {"stored", "alias"}
    else:
        waits = "rejected" if fault.reason == "pdf" else "failed" if fault.is_final else "queued"
        assert first == (waits, fault.reason)
        assert later == (first if fault.is_final else ("stored", None))
    assert retried[0] in {"stored", "alias"}


@pytest.mark.parametrize("name", ALL)
def test_a_feed_with_a_fault_is_failing_and_comes_back(seen, name):
    fault, host = ALL[name], PLACES[name, "feed"]
    feed, url = seen.town.at(host, "/feed.xml"), seen.town.at(host, "/story")
    if fault.reason is None or name in READ_AS_FEED:
        assert seen.feeds[0][feed] == ("active", "read")
        assert seen.pages[0][url] == ("stored", None)
    else:
        assert seen.feeds[0][feed] == ("failing", fault.reason)
        assert url not in seen.pages[0]
    assert seen.feeds[1][feed][0] == "active"
    assert seen.pages[1][url] == ("stored", None)


@pytest.mark.parametrize("name", FAULTS)
def test_a_robots_txt_with_a_fault_lets_pages_be_fetched_or_wait(seen, name):
    url = seen.town.at(PLACES[name, "robots"], "/story")
    first = ("stored", None) if FAULTS[name].opens_robots else ("queued", "robots_unreachable")
    assert [pages[url] for pages in seen.pages] == [first, ("stored", None), ("stored", None)]


def test_what_robots_txt_forbids_was_never_asked_for_where_it_could_be_read(seen):
    without_rules = [name for name, fault in FAULTS.items() if fault.opens_robots and fault.reason not in {None, "pdf"}]
    unread = {PLACES[name, "robots"] for name in without_rules}
    assert {request.address for request in seen.town.web.asked("/private")} == unread


def test_no_host_saw_two_requests_at_once(seen):
    assert set(seen.town.web.most_at_once.values()) == {1}


def test_no_article_is_there_twice(seen):
    urls = [row["url"] for row in seen.town.rows(ArticleRow)]
    assert len(urls) == len(set(urls)) >= 1 + len(PLACES)
