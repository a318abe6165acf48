"""Politeness as the servers see it: requests at once, pauses, robots.txt and leases, wherever redirects lead."""

import itertools
import threading
import time
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from pipeline.ingest import run_ingest
from pipeline.ingest.host_worker import TURN
from pipeline.runtime.host_bearing import STRIKES
from pipeline.store.connection.engine import reading
from pipeline.store.frontier.page_outcomes import give_up_pages
from pipeline.store.frontier.retries import FailureSelection, retry_pages
from pipeline.store.queries import status as report
from pipeline.store.queries.page_record import load_page_record
from pipeline.store.schema.tables import ArticleRow, FeedRow, HostRow, PageRow, PollRow, RevisionRow
from tests.support.newsroom import CHALLENGE, XML, Pipeline, totals_of
from tests.support.stories import article_page, rss, title
from tests.support.web import Reply, Web, in_turn, page, redirect, status, validated

ONE, TWO, THREE = "127.0.0.1", "127.0.0.2", "127.0.0.3"


class Watched(Web):
    """A web that takes its time, and counts for each host how many requests it answers at once, and when they began."""

    def __init__(self, **options):
        super().__init__(**options)
        self.latency = 0.0
        self.peak = defaultdict(int)
        self.began = defaultdict(list)
        self._running = defaultdict(int)
        self._counting = threading.Lock()

    def _reply(self, request):
        with self._counting:
            self._running[request.host] += 1
            self.peak[request.host] = max(self.peak[request.host], self._running[request.host])
            self.began[request.host].append(time.monotonic())
        time.sleep(self.latency)
        try:
            return super()._reply(request)
        finally:
            with self._counting:
                self._running[request.host] -= 1

    def gaps(self, host):
        began = self.began[host]
        return [after - before for before, after in itertools.pairwise(began)]


@pytest.fixture
def newsroom(request):
    """On SQLite, unless the test asks for both: most of this is between us and the servers."""
    database_url = request.getfixturevalue(f"{getattr(request, 'param', 'sqlite')}_url")
    with Watched(addresses=(ONE, TWO, THREE)) as web:
        pipeline = Pipeline(web, database_url)
        pipeline.settings = replace(pipeline.settings, tdm_file="off")
        yield pipeline
        pipeline.engine.dispose()


on_both = pytest.mark.parametrize(
    "newsroom", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)


def on(host, path):
    return f"//{host}{path}"


def announce(newsroom, *urls, feed="/feed.xml"):
    newsroom.web.routes[feed] = page(rss({url: title(1) for url in urls}), XML)
    newsroom.subscribe(feed)


def ledger(newsroom):
    return {row["url"]: (row["state"], row["reason"]) for row in newsroom.rows(PageRow)}


def asked(newsroom, path, host):
    return [request for request in newsroom.web.asked(path) if request.host == host]


def test_a_run_that_starts_beside_others_takes_on_no_more_than_its_part_of_the_hosts(newsroom):
    newsroom.web.latency = 0.05
    for host in (ONE, TWO, THREE):
        newsroom.web.routes[on(host, "/feed.xml")] = page(rss({newsroom.web.url("/1", host=host): title(1)}), XML)
        newsroom.web.routes[on(host, "/1")] = page(article_page(1))
        newsroom.subscribe("/feed.xml", host=host)
    assert totals_of(newsroom.ingest(first_hosts=1), "polls", "pages") == (3, 3)
    visits = [host for host, _ in itertools.groupby(newsroom.web.requests, lambda request: request.host)]
    assert sorted(visits) == [ONE, TWO, THREE]


# ---------------------------------------------------------------- redirects to other hosts


def test_a_page_that_leads_to_another_host_is_one_article_in_the_same_run(newsroom):
    codes = (301, 302, 303, 307, 308)
    homes = [newsroom.web.url(f"/{code}", host=TWO) for code in codes]
    shorts = [newsroom.web.url(f"/short/{code}") for code in codes]
    for code, home in zip(codes, homes, strict=True):
        newsroom.web.routes[on(ONE, f"/short/{code}")] = redirect(home, code)
        newsroom.web.routes[on(TWO, f"/{code}")] = validated(article_page(code))
    announce(newsroom, *shorts)
    assert totals_of(newsroom.ingest(), "pages", "new") == (5, 5)
    assert ledger(newsroom) == dict.fromkeys(homes, ("stored", None)) | dict.fromkeys(shorts, ("alias", None))
    there = [request.path for request in newsroom.web.requests if request.host == TWO]
    assert (there[0], sorted(there[1:])) == ("/robots.txt", [f"/{code}" for code in codes])
    with reading(newsroom.engine) as connection:
        found = load_page_record(connection, shorts[0])
    assert (found["alias_of"], found["article"]["url"]) == (homes[0], homes[0])
    assert found["host"]["name"] == f"{TWO}:{newsroom.web.port}"
    aliases = [row for row in newsroom.rows(PageRow) if row["state"] == "alias"]
    assert {(row["host"], row["route"], row["attempts"]) for row in aliases} == {
        (f"{ONE}:{newsroom.web.port}", None, 0)
    }


@on_both
def test_the_robots_txt_of_the_host_that_a_page_leads_to_is_obeyed(newsroom):
    target, short = newsroom.web.url("/private/1", host=TWO), newsroom.web.url("/short")
    newsroom.web.routes[on(ONE, "/short")] = redirect(target)
    newsroom.web.routes[on(TWO, "/robots.txt")] = page("User-agent: *\nDisallow: /private/\n", "text/plain")
    newsroom.web.routes[on(TWO, "/private/1")] = page(article_page(1))
    announce(newsroom, short)
    assert newsroom.ingest().blocked == 1
    assert newsroom.web.asked("/private/1") == []
    (row,) = newsroom.rows(PageRow)
    assert (row["state"], row["reason"], row["robots"]) == ("blocked", "robots", "forbidden")
    assert target in row["detail"]
    assert row["host"] == f"{ONE}:{newsroom.web.port}"


def test_robots_txt_is_obeyed_where_a_redirect_stays_on_its_host(newsroom):
    newsroom.serve_stories(1)
    newsroom.web.routes["/1"] = redirect("/private/1")
    newsroom.web.routes["/private/1"] = page(article_page(1))
    newsroom.web.routes["/robots.txt"] = page("User-agent: *\nDisallow: /private/\n", "text/plain")
    assert newsroom.ingest().blocked == 1
    assert newsroom.web.asked("/private/1") == []
    assert "/private/1" in newsroom.page("/1")["detail"]


def test_a_chain_over_three_hosts_ends_in_one_article(newsroom):
    first, second, third = (
        newsroom.web.url(f"/{n}", host=host) for n, host in zip("abc", (ONE, TWO, THREE), strict=True)
    )
    newsroom.web.routes |= {on(ONE, "/a"): redirect(second, 301), on(TWO, "/b"): redirect(third, 302)}
    newsroom.web.routes[on(THREE, "/c")] = page(article_page(1))
    announce(newsroom, first)
    assert totals_of(newsroom.ingest(), "pages", "new") == (1, 1)
    assert ledger(newsroom) == {first: ("alias", None), third: ("stored", None)}


def test_a_loop_over_two_hosts_ends_the_page_and_the_run(newsroom):
    here, there = newsroom.web.url("/a"), newsroom.web.url("/b", host=TWO)
    newsroom.web.routes |= {on(ONE, "/a"): redirect(there), on(TWO, "/b"): redirect(here)}
    announce(newsroom, here)
    assert newsroom.ingest().failed == 1
    assert ledger(newsroom) == {here: ("failed", "redirect_loop")}
    assert (len(newsroom.web.asked("/a")), len(newsroom.web.asked("/b"))) == (1, 1)


def test_a_chain_that_never_ends_is_left_after_as_many_hops_as_are_allowed(newsroom):
    def onward(request):
        number = int(request.path.rpartition("/")[2]) + 1
        return redirect(newsroom.web.url(f"/hop/{number}", host=(ONE, TWO, THREE)[number % 3]))(request)

    newsroom.web.routes |= {f"/hop/{number}": onward for number in range(40)}
    start = newsroom.web.url("/hop/0")
    announce(newsroom, start)
    assert newsroom.ingest().failed == 1
    assert ledger(newsroom) == {start: ("failed", "too_many_redirects")}
    hops = [request for request in newsroom.web.requests if request.path.startswith("/hop/")]
    assert len(hops) == newsroom.settings.max_redirects + 1


@on_both
def test_a_page_that_leads_to_an_article_that_is_stored_is_its_alias_without_another_request(newsroom):
    home, short = newsroom.web.url("/1", host=TWO), newsroom.web.url("/short")
    newsroom.web.routes[on(TWO, "/1")] = page(article_page(1))
    announce(newsroom, home)
    newsroom.ingest()
    newsroom.web.routes[on(ONE, "/short")] = redirect(f"{home}?utm_source=rss", 301)
    newsroom.web.routes["/feed.xml"] = page(rss({home: title(1), short: title(1)}), XML)
    assert totals_of(newsroom.ingest(), "pages", "unchanged") == (1, 1)
    assert ledger(newsroom) == {home: ("stored", None), short: ("alias", None)}
    assert len(newsroom.web.asked("/1")) == 1


def test_a_wall_on_another_host_does_not_take_the_place_of_the_page(newsroom):
    here, wall = newsroom.web.url("/1"), newsroom.web.url("/challenge", host=TWO)
    newsroom.web.routes[on(ONE, "/1")] = in_turn(redirect(wall), page(article_page(1)))
    newsroom.web.routes[on(TWO, "/challenge")] = page(CHALLENGE)
    announce(newsroom, here)
    assert newsroom.ingest().retry == 1
    assert ledger(newsroom) == {here: ("queued", "bot_wall")}
    newsroom.ahead = timedelta(hours=1)
    assert newsroom.ingest().new == 1
    assert ledger(newsroom) == {here: ("stored", None)}
    assert len(newsroom.web.asked("/challenge")) == 1


@on_both
def test_an_article_that_is_stored_stays_where_it_is_when_its_page_moves_to_another_host(newsroom):
    newsroom.serve_stories(1)
    newsroom.ingest()
    moved = newsroom.web.url("/moved", host=TWO)
    newsroom.web.routes[on(ONE, "/1")] = redirect(moved, 301)
    newsroom.web.routes[on(TWO, "/moved")] = page(article_page(1, headline="Quite another headline"))
    newsroom.ahead = timedelta(days=6)
    assert newsroom.ingest().revised == 1
    assert ledger(newsroom) == {newsroom.web.url("/1"): ("stored", None)}
    assert [row["number"] for row in newsroom.rows(RevisionRow)] == [1, 2]


def test_a_page_that_leads_where_nobody_may_go_fails_for_good(newsroom):
    newsroom.settings = replace(newsroom.settings, resolve=(("inside.newsroom.test", "10.0.0.1"),))
    reasons = {
        "http://169.254.169.254/latest/meta-data/": "blocked_address",
        "http://user:secret@127.0.0.2/": "blocked_credentials",
        "ftp://127.0.0.2/1": "blocked_scheme",
        "http://127.0.0.2:22/": "blocked_port",
        "http://inside.newsroom.test/": "blocked_address",
    }
    newsroom.serve_stories(*range(5))
    newsroom.web.routes |= {f"/{number}": redirect(target) for number, target in enumerate(reasons)}
    assert newsroom.ingest().failed == 5
    expected = {newsroom.web.url(f"/{number}"): ("failed", reason) for number, reason in enumerate(reasons.values())}
    assert ledger(newsroom) == expected


def test_a_host_whose_pages_lead_nowhere_is_not_out_of_reach(newsroom):
    newsroom.serve_stories(*range(STRIKES + 2))
    newsroom.web.routes |= {f"/{number}": redirect(f"/{number}") for number in range(STRIKES + 1)}
    assert totals_of(newsroom.ingest(), "failed", "new") == (STRIKES + 1, 1)
    assert set(ledger(newsroom).values()) == {("failed", "redirect_loop"), ("stored", None)}


def test_a_bare_name_and_www_are_two_hosts_and_one_article(newsroom):
    names = {"paper.test": ONE, "www.paper.test": ONE}
    newsroom.settings = replace(newsroom.settings, resolve=tuple(names.items()))
    bare, www = (newsroom.web.url("/1", host=name) for name in names)
    newsroom.web.routes[on("paper.test", "/1")] = redirect(www, 301)
    newsroom.web.routes[on("paper.test", "/robots.txt")] = redirect(
        newsroom.web.url("/robots.txt", host="www.paper.test")
    )
    newsroom.web.routes[on("www.paper.test", "/1")] = page(article_page(1))
    announce(newsroom, bare, www)
    newsroom.ingest()
    assert ledger(newsroom) == {bare: ("alias", None), www: ("stored", None)}
    assert len(newsroom.rows(ArticleRow)) == 1


def test_a_robots_txt_that_another_host_answers_for_is_obeyed(newsroom):
    newsroom.serve_stories(1, 2)
    newsroom.web.routes[on(ONE, "/robots.txt")] = redirect(newsroom.web.url("/robots.txt", host=TWO), 301)
    newsroom.web.routes[on(TWO, "/robots.txt")] = page("User-agent: *\nDisallow: /2\n", "text/plain")
    assert totals_of(newsroom.ingest(), "new", "blocked") == (1, 1)
    assert newsroom.web.asked("/2") == []


@on_both
def test_a_worker_that_dies_between_two_hosts_loses_nothing(newsroom):
    home, short = newsroom.web.url("/1", host=TWO), newsroom.web.url("/short")
    newsroom.web.routes |= {on(ONE, "/short"): redirect(home), on(TWO, "/1"): page(article_page(1))}
    announce(newsroom, short)
    # The host that it leads to may not be asked yet, and not for so long that the run does not wait for it.
    later = newsroom.now() + timedelta(hours=1)
    with newsroom.engine.begin() as connection:
        connection.execute(sa.insert(HostRow).values(name=f"{TWO}:{newsroom.web.port}", next_fetch_at=later))
    assert newsroom.ingest().pages == 0
    (waiting,) = newsroom.rows(PageRow)
    assert (waiting["state"], waiting["reason"], waiting["attempts"]) == ("queued", "redirect", 0)
    assert waiting["route"]["url"] == home
    assert newsroom.web.asked("/1") == []
    newsroom.ahead = timedelta(hours=2)
    assert newsroom.ingest().new == 1
    assert len(newsroom.web.asked("/short")) == 1


@on_both
def test_a_page_that_is_given_up_on_its_way_begins_again_at_its_own_url(newsroom):
    home, short = newsroom.web.url("/1", host=TWO), newsroom.web.url("/short")
    newsroom.web.routes |= {on(ONE, "/short"): redirect(home), on(TWO, "/1"): page(article_page(1))}
    newsroom.web.routes[on(TWO, "/robots.txt")] = in_turn(status(503), status(404))
    announce(newsroom, short)
    newsroom.ingest()
    (row,) = newsroom.rows(PageRow)
    assert (row["state"], row["reason"], row["attempts"]) == ("queued", "robots_unreachable", 1)
    assert (row["host"], row["route"]) == (f"{ONE}:{newsroom.web.port}", None)
    with newsroom.engine.begin() as connection:
        connection.execute(
            sa.update(PageRow).values(attempts=9, host=f"{TWO}:{newsroom.web.port}", route={"url": home, "hops": []})
        )
        assert give_up_pages(connection, newsroom.now(), 5) == 1
        assert retry_pages(connection, FailureSelection("robots_unreachable"), newsroom.now()) == 1
    newsroom.ahead = timedelta(hours=1)
    assert newsroom.ingest().new == 1
    assert len(newsroom.web.asked("/short")) == 2


# ---------------------------------------------------------------- feeds that lead to other hosts


@on_both
def test_a_feed_that_leads_to_another_host_is_read_there_in_the_same_run_and_adopted_in_time(newsroom):
    newsroom.serve_stories(1)
    there = newsroom.web.url("/feed.xml", host=TWO)
    newsroom.web.routes[on(TWO, "/feed.xml")] = newsroom.web.routes.pop("/feed.xml")
    newsroom.web.routes[on(ONE, "/feed.xml")] = redirect(there, 301)
    assert totals_of(newsroom.ingest(), "polls", "polls_failed", "new") == (1, 0, 1)
    (feed,) = newsroom.rows(FeedRow)
    assert (feed["host"], feed["route"], feed["target_url"]) == (f"{ONE}:{newsroom.web.port}", None, there)
    for _ in range(2):
        newsroom.ahead += timedelta(days=1)
        newsroom.ingest()
    (feed,) = newsroom.rows(FeedRow)
    assert (feed["url"], feed["host"]) == (there, f"{TWO}:{newsroom.web.port}")
    assert [row["outcome"] for row in newsroom.rows(PollRow)] == ["read", "unchanged", "unchanged"]


def test_feeds_that_lead_in_a_circle_fail_and_are_asked_at_their_own_address_again(newsroom):
    newsroom.web.routes[on(ONE, "/feed.xml")] = redirect(newsroom.web.url("/f", host=TWO))
    newsroom.web.routes[on(TWO, "/f")] = redirect(newsroom.web.url("/feed.xml"))
    newsroom.subscribe("/feed.xml")
    assert totals_of(newsroom.ingest(), "polls", "polls_failed") == (1, 1)
    (feed,) = newsroom.rows(FeedRow)
    assert (feed["last_outcome"], feed["route"]) == ("redirect_loop", None)
    assert feed["host"] == f"{ONE}:{newsroom.web.port}"


def test_feeds_of_many_hosts_that_one_host_serves_are_asked_for_there_one_after_the_other(newsroom):
    newsroom.web.latency = 0.03
    for number, host in enumerate((ONE, TWO, THREE) * 3):
        newsroom.web.routes[on(host, f"/f{number}")] = redirect(newsroom.web.url(f"/burner/{number}", host=THREE))
        newsroom.web.routes[on(THREE, f"/burner/{number}")] = page(rss({}), XML)
        newsroom.subscribe(f"/f{number}", host=host)
    assert totals_of(newsroom.ingest(), "polls", "polls_failed") == (9, 0)
    assert set(newsroom.web.peak.values()) == {1}


# ---------------------------------------------------------------- how many at once, and how fast


def serve_everywhere(newsroom, total=24):
    """Stories on three hosts, each announced by a URL of the host before, which redirects to it."""
    hosts = (ONE, TWO, THREE)
    urls = []
    for number in range(total):
        here, there = hosts[number % 3], hosts[(number + 1) % 3]
        newsroom.web.routes[on(here, f"/go/{number}")] = redirect(newsroom.web.url(f"/{number}", host=there), 302)
        newsroom.web.routes[on(there, f"/{number}")] = page(article_page(number))
        urls.append(newsroom.web.url(f"/go/{number}", host=here))
    newsroom.web.routes["/feed.xml"] = page(rss({url: title(n) for n, url in enumerate(urls)}), XML)
    newsroom.subscribe("/feed.xml")


@on_both
@pytest.mark.parametrize("connections", [1, 3])
def test_no_host_is_asked_for_more_at_once_than_is_allowed_whoever_asks(newsroom, connections):
    serve_everywhere(newsroom)
    newsroom.web.latency = 0.5  # long beside what a busy machine takes between two requests
    # Readers enough that three hosts may have three pages under way: fewer share their places among the hosts.
    newsroom.settings = replace(newsroom.settings, host_connections=connections, jobs=3)
    newsroom.ingest(kinds=frozenset({"poll"}))
    results, errors = [], []

    def crawl():
        try:
            results.append(run_ingest(newsroom.settings, kinds=frozenset({"crawl"}), now=newsroom.now))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=crawl) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(newsroom.rows(ArticleRow)) == sum(totals.new for totals in results) == 24
    assert {state for state, _ in ledger(newsroom).values()} == {"alias", "stored"}
    assert max(newsroom.web.peak.values()) == connections
    assert {len(newsroom.web.asked(f"/{number}")) for number in range(24)} == {1}


@pytest.mark.parametrize("connections", [1, 2])
def test_requests_to_a_host_begin_no_faster_than_its_pause_allows(newsroom, connections):
    newsroom.serve_stories(1, 2, 3, 4)
    newsroom.web.routes["/1"] = redirect("/elsewhere")
    newsroom.web.routes["/elsewhere"] = page(article_page(1))
    newsroom.web.latency = 0.4
    newsroom.settings = replace(newsroom.settings, host_delay=timedelta(seconds=0.3), host_connections=connections)
    assert newsroom.ingest().new == 4
    assert len(newsroom.web.requests) == 7
    # Where one runs at a time the pause begins at the end of a request, else at its beginning. Threads of the server
    # take note of the beginning a little late, and more so where the machine is busy.
    assert min(newsroom.web.gaps(ONE)) >= (0.6 if connections == 1 else 0.2)
    assert newsroom.web.peak[ONE] == connections


def test_without_a_pause_none_is_made_however_busy_the_host_is(newsroom):
    newsroom.serve_stories(1, 2, 3)
    newsroom.web.routes["/1"] = status(503)
    newsroom.ingest()
    (host,) = newsroom.rows(HostRow)
    assert (host["pause"], host["strain"] > 1) == (0, True)


@on_both
def test_a_busy_host_is_left_alone_for_longer_and_the_next_worker_knows(newsroom):
    newsroom.serve_stories(1, 2, 3, 4)
    newsroom.web.routes["/1"] = newsroom.web.routes["/2"] = status(503)
    newsroom.settings = replace(newsroom.settings, host_delay=timedelta(seconds=0.1))
    newsroom.ingest(kinds=frozenset({"poll"}))
    newsroom.ingest(kinds=frozenset({"crawl"}), max_pages=2, poll_all=False)
    (host,) = newsroom.rows(HostRow)
    with reading(newsroom.engine) as connection:
        assert report.load_status(connection, newsroom.now())["hosts"]["slowed"] == 1
    busy = host["pause"]
    assert busy >= 0.3
    began = len(newsroom.web.requests)
    newsroom.ingest(kinds=frozenset({"crawl"}), poll_all=False)
    assert newsroom.web.gaps(ONE)[began - 1] >= busy * 0.9
    (host,) = newsroom.rows(HostRow)
    assert 0.1 <= host["pause"] < busy
    assert host["response_time"] > 0


def test_a_slow_host_is_given_as_much_time_as_it_takes(newsroom):
    newsroom.serve_stories(1, 2, 3)
    newsroom.web.latency = 0.3
    newsroom.settings = replace(newsroom.settings, host_delay=timedelta(seconds=0.05))
    newsroom.ingest()
    (host,) = newsroom.rows(HostRow)
    assert host["pause"] == pytest.approx(host["response_time"])
    assert min(newsroom.web.gaps(ONE)[1:]) >= 0.55


def test_a_host_that_answers_nothing_but_503_is_not_asked_for_everything(newsroom):
    total = STRIKES + 6
    assert total < TURN
    newsroom.serve_stories(*range(total))
    newsroom.web.routes |= {f"/{number}": status(503) for number in range(total)}
    newsroom.ingest()
    pages = [request for request in newsroom.web.requests if request.path[1:].isdigit()]
    assert len(pages) == STRIKES
    assert set(ledger(newsroom).values()) == {("queued", "http_503")}
    for number in range(total):
        newsroom.web.routes[f"/{number}"] = page(article_page(number))
    newsroom.ahead = timedelta(hours=1)
    assert newsroom.ingest().new == total


def test_a_host_that_says_enough_is_asked_for_nothing_more_by_any_of_several_requests(newsroom):
    newsroom.serve_stories(*range(12))
    newsroom.web.routes["/0"] = status(429, Retry_After="3600")
    newsroom.web.latency = 0.05
    newsroom.settings = replace(newsroom.settings, host_connections=3)
    newsroom.ingest()
    pages = [request for request in newsroom.web.requests if request.path[1:].isdigit()]
    assert len(pages) <= 3
    waiting = [row for row in newsroom.rows(PageRow) if row["state"] == "queued"]
    assert {row["leased_until"] for row in waiting} == {None}
    assert {row["attempts"] for row in waiting if row["reason"] is None} == {0}
    newsroom.ahead = timedelta(hours=2)
    newsroom.web.routes["/0"] = page(article_page(0))
    newsroom.ingest()
    assert {row["state"] for row in newsroom.rows(PageRow)} == {"stored"}


# ---------------------------------------------------------------- tdmrep.json

TDM = "/.well-known/tdmrep.json"


@pytest.fixture
def reserving(newsroom):
    """A newsroom whose host reserves everything but /2."""
    newsroom.settings = replace(newsroom.settings, tdm_file="on")
    rules = '[{"location": "/2", "tdm-reservation": 0}, {"location": "/", "tdm-reservation": 1}]'
    newsroom.web.routes[TDM] = page(rules, "application/json")
    newsroom.serve_stories(1, 2, 3)
    newsroom.web.routes["/3"] = page(article_page(3), tdm_reservation="0")
    return newsroom


def signals(newsroom):
    return {number: newsroom.page(f"/{number}")["opt_out"] for number in "123"}


def test_what_a_host_reserves_in_its_file_is_recorded_with_each_fetch(reserving):
    assert reserving.ingest().new == 3
    assert signals(reserving) == {"1": "tdm", "2": "", "3": ""}
    reserving.ahead = timedelta(days=6)
    reserving.ingest()
    assert len(reserving.web.asked(TDM)) == 2  # once for each time that robots.txt was read
    assert len(reserving.web.asked("/robots.txt")) == 2


def test_a_setting_refuses_to_keep_what_the_file_reserves(reserving):
    reserving.settings = replace(reserving.settings, respect_opt_out=("tdm",))
    assert reserving.ingest().new == 2
    assert (reserving.page("/1")["state"], reserving.page("/1")["reason"]) == ("rejected", "opt_out")


def test_the_file_is_not_asked_for_where_that_is_switched_off_or_forbidden(reserving):
    reserving.web.routes["/robots.txt"] = page("User-agent: *\nDisallow: /.well-known/\n", "text/plain")
    assert reserving.ingest().new == 3
    assert reserving.web.asked(TDM) == []
    assert signals(reserving)["1"] == ""


def test_a_file_that_cannot_be_had_says_nothing_and_is_not_asked_for_again_that_day(newsroom):
    newsroom.settings = replace(newsroom.settings, tdm_file="on")
    broken = {
        ONE: redirect("http://169.254.169.254/"),
        TWO: page("<html>Sorry</html>"),
        THREE: lambda _: Reply(body=b"[", length=99, end="close"),
    }
    newsroom.web.routes |= {on(host, TDM): route for host, route in broken.items()}
    for day in range(2):
        urls = [newsroom.web.url(f"/{day}{number}", host=host) for number, host in enumerate(broken)]
        newsroom.web.routes |= {f"/{day}{number}": page(article_page(10 * day + number)) for number in range(3)}
        announce(newsroom, *urls)
        assert newsroom.ingest().new == 3
        newsroom.ahead += timedelta(hours=2)
    assert {row["opt_out"] for row in newsroom.rows(PageRow)} == {""}
    assert sorted(request.host for request in newsroom.web.asked(TDM)) == [ONE, TWO, THREE]
