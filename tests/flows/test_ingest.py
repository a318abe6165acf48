"""The flow against a real HTTP server on loopback, on both databases."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.ingest import plan_ingest, run_ingest
from pipeline.runtime.lease_owner import LeaseOwner, is_dead
from pipeline.store.connection.engine import reading
from pipeline.store.queries.page_record import load_page_record
from pipeline.store.schema.tables import ArticleRow, EntryRow, FeedRow, HostRow, PageRow, PollRow, RevisionRow
from tests.support.newsroom import CHALLENGE, XML, Pipeline, serve_with_contents, totals_of
from tests.support.stories import article_page, paragraphs, rss, title
from tests.support.web import Reply, Web, in_turn, page, redirect, status, validated


@pytest.fixture
def newsroom(database_url):
    with Web(addresses=("127.0.0.1", "127.0.0.2", "127.0.0.3")) as web:
        pipeline = Pipeline(web, database_url)
        yield pipeline
        pipeline.engine.dispose()


def test_feeds_in_articles_out_and_a_second_run_changes_nothing(newsroom):
    newsroom.serve_stories(1, 2, 3)
    first = newsroom.ingest()
    assert totals_of(first, "polls", "entries_new", "pages", "new") == (1, 3, 3, 3)
    stored = newsroom.rows(ArticleRow)
    assert [row["title"] for row in stored] == [title(number) for number in (1, 2, 3)]
    assert stored[0]["text"] == "\n\n".join(paragraphs(1))
    tables = (ArticleRow, RevisionRow, EntryRow, PageRow)
    before = [newsroom.rows(table) for table in tables]
    asked = len(newsroom.web.requests)

    second = newsroom.ingest()

    assert totals_of(second, "polls", "pages") == (1, 0)
    assert [newsroom.rows(table) for table in tables] == before
    assert newsroom.web.paths[asked:] == ["/feed.xml"]
    assert newsroom.web.requests[-1].headers["if-none-match"] == '"(1, 2, 3)"'
    assert [row["outcome"] for row in newsroom.rows(PollRow)] == ["read", "unchanged"]


def test_a_feed_that_never_answers_304_is_known_by_its_bytes(newsroom):
    newsroom.serve_stories(1)
    newsroom.web.routes["/feed.xml"] = page(newsroom.feed_of(1), XML)
    newsroom.ingest()
    newsroom.ingest()
    assert [row["outcome"] for row in newsroom.rows(PollRow)] == ["read", "unchanged"]


def test_only_feeds_that_are_due_are_polled_unless_all_are_wanted(newsroom):
    newsroom.serve_stories(1)
    newsroom.ingest()
    assert newsroom.ingest(poll_all=False).polls == 0
    newsroom.ahead = timedelta(minutes=31)
    assert newsroom.ingest(poll_all=False).polls == 1


def test_a_change_that_a_feed_announces_becomes_a_revision(newsroom):
    newsroom.serve_stories(1, 2)
    newsroom.ingest()
    edited = [*paragraphs(1)[:3], "The board has since withdrawn its plan, and the hearing will not take place at all."]
    newsroom.web.routes["/1"] = validated(article_page(1, text=edited), '"edited"')
    newsroom.web.routes["/feed.xml"] = page(newsroom.feed_of(1, 2, updated={newsroom.web.url("/1"): "Updated"}), XML)
    totals = newsroom.ingest()
    assert totals_of(totals, "entries_new", "entries_changed", "pages", "revised") == (0, 1, 1, 1)
    assert [row["number"] for row in newsroom.rows(RevisionRow)] == [1, 1, 2]
    assert newsroom.rows(ArticleRow)[0]["text"] == "\n\n".join(edited)


def test_a_silent_edit_is_found_at_a_revisit_with_the_pages_own_validators(newsroom):
    newsroom.serve_stories(1, 2)
    newsroom.ingest()
    newsroom.web.routes["/1"] = validated(article_page(1, headline="Quite another headline"), '"edited"')
    newsroom.ahead = timedelta(days=6)  # published two days before: the revisit after a week is due
    totals = newsroom.ingest()
    assert totals_of(totals, "pages", "revised", "not_modified") == (2, 1, 1)
    assert newsroom.web.asked("/2")[-1].headers["if-none-match"] == '"2"'
    assert newsroom.rows(RevisionRow)[-1]["changed"] == "title"
    newsroom.ahead = timedelta(days=400)
    assert newsroom.ingest().pages == 0  # no revisit is left


def test_a_page_that_has_gone_is_noted_and_its_article_kept(newsroom):
    newsroom.serve_stories(1)
    newsroom.ingest()
    newsroom.web.routes["/1"] = status(410)
    newsroom.ahead = timedelta(days=6)
    assert newsroom.ingest().gone == 1
    gone = newsroom.page("/1")
    assert gone["state"] == "gone"
    assert gone["gone_at"] is not None
    assert len(newsroom.rows(ArticleRow)) == 1


def test_what_fails_for_a_while_is_tried_again_and_what_fails_for_good_is_given_up(newsroom):
    newsroom.serve_stories(1, 2, 3)
    newsroom.web.routes["/1"] = in_turn(status(503), validated(article_page(1)))
    newsroom.web.routes["/2"] = status(451)
    newsroom.web.routes["/3"] = status(500)
    assert totals_of(newsroom.ingest(), "retry", "failed", "new") == (2, 1, 0)
    assert totals_of(newsroom.ingest(), "pages") == (0,)  # not before the pause is over
    for _ in range(newsroom.settings.max_attempts):
        newsroom.ahead += timedelta(hours=24)
        newsroom.ingest()
    ledger = {path: (newsroom.page(path)["state"], newsroom.page(path)["reason"]) for path in ("/1", "/2", "/3")}
    assert ledger == {"/1": ("stored", None), "/2": ("failed", "http_451"), "/3": ("failed", "http_500")}
    assert len(newsroom.web.asked("/3")) == newsroom.settings.max_attempts


def test_one_bad_feed_fails_no_other(newsroom):
    newsroom.serve_stories(1)
    newsroom.web.routes["/html"] = page("<!doctype html><html><body><p>Please sign in.</p></body></html>")
    newsroom.web.routes["/error"] = status(500)
    newsroom.subscribe("/html", "/error", "/missing")
    totals = newsroom.ingest()
    assert totals_of(totals, "polls", "polls_failed", "new") == (4, 3, 1)
    outcomes = {row["url"].rpartition("/")[2]: (row["last_outcome"], row["failures"]) for row in newsroom.rows(FeedRow)}
    assert outcomes["feed.xml"] == ("read", 0)
    assert outcomes["html"] == ("html", 1)
    assert outcomes["error"] == ("http_500", 1)
    assert outcomes["missing"] == ("http_404", 1)
    assert newsroom.ingest().polls == 1  # the failing ones wait


def test_validators_of_a_document_that_could_not_be_read_are_not_kept(newsroom):
    newsroom.web.routes["/feed.xml"] = validated("this is no feed at all", '"bad"', XML)
    newsroom.subscribe("/feed.xml")
    newsroom.ingest()
    assert newsroom.rows(FeedRow)[0]["etag"] is None


def test_what_robots_txt_forbids_is_not_asked_for(newsroom):
    newsroom.serve_stories(1, 2)
    newsroom.web.routes["/robots.txt"] = page("User-agent: *\nDisallow: /2\n", "text/plain")
    assert totals_of(newsroom.ingest(), "new", "blocked") == (1, 1)
    assert newsroom.web.asked("/2") == []
    assert (newsroom.page("/2")["state"], newsroom.page("/2")["reason"]) == ("blocked", "robots")
    newsroom.ingest()
    assert len(newsroom.web.asked("/robots.txt")) == 1  # remembered


def test_without_a_readable_robots_txt_nothing_is_fetched_and_nothing_lost(newsroom):
    newsroom.serve_stories(1, 2)
    newsroom.web.routes["/robots.txt"] = in_turn(status(503), status(404))
    assert newsroom.ingest().new == 0
    assert newsroom.web.asked("/1") == newsroom.web.asked("/2") == []
    assert {newsroom.page(path)["reason"] for path in ("/1", "/2")} == {"robots_unreachable"}
    newsroom.ahead = timedelta(hours=1)
    assert newsroom.ingest().new == 2


def test_the_crawl_delay_of_a_host_is_kept_between_requests(newsroom):
    newsroom.serve_stories(1, 2)
    newsroom.web.routes["/robots.txt"] = page("User-agent: *\nCrawl-delay: 0.4\n", "text/plain")
    times = []

    def timed(route):
        def answer(request):
            times.append(time.monotonic())
            return route(request)

        return answer

    for path in ("/1", "/2"):
        newsroom.web.routes[path] = timed(newsroom.web.routes[path])
    newsroom.ingest()
    assert times[1] - times[0] >= 0.4
    assert newsroom.rows(HostRow)[0]["delay"] == 0.4


def test_a_redirect_is_followed_and_leads_to_one_article(newsroom):
    newsroom.serve_stories(1)
    newsroom.web.routes["/short"] = redirect("/1", 301)
    newsroom.web.routes["/feed.xml"] = page(
        rss({newsroom.web.url("/short"): title(1), newsroom.web.url("/1"): title(1)}), XML
    )
    newsroom.ingest()
    assert len(newsroom.rows(ArticleRow)) == 1
    assert newsroom.page("/short")["state"] == "alias"
    with reading(newsroom.engine) as connection:
        found = load_page_record(connection, newsroom.web.url("/1"))
    assert found["aliases"] == [newsroom.web.url("/short")]
    assert len(found["announced_by"]) == 2


@pytest.mark.parametrize(
    ("head", "leads_home"),
    [
        pytest.param('<link rel="canonical" href="{home}">', True, id="rel=canonical"),
        pytest.param('<link rel="canonical" href="/1">', True, id="relative"),
        pytest.param('<link rel="canonical" href="{home}?utm_source=amp#top">', True, id="with tracking"),
        pytest.param('<meta property="og:url" content="{home}">', True, id="og:url"),
        pytest.param('<link rel="canonical" href="https://elsewhere.example/1">', False, id="another site"),
        pytest.param(
            '<meta property="og:url" content="https://elsewhere.example/1">', False, id="another site, og:url"
        ),
        pytest.param('<link rel="canonical" href="/">', False, id="the front page"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_an_amp_page_is_folded_into_the_page_that_it_names_where_that_may_be_believed(newsroom, head, leads_home):
    newsroom.serve_stories(1)
    home, amp = newsroom.web.url("/1"), newsroom.web.url("/1/amp")
    newsroom.web.routes["/1/amp"] = page(
        article_page(1, head=head.format(home=home)).replace("<html ", "<html amp ")
    )  # fmt: skip
    newsroom.web.routes["/feed.xml"] = page(rss({amp: title(1), home: title(1), f"{home}?utm_source=x": title(1)}), XML)
    newsroom.ingest()
    ledger = {row["url"]: row["state"] for row in newsroom.rows(PageRow)}
    assert ledger == {home: "stored", amp: "alias" if leads_home else "stored"}
    urls = {row["url"]: row["duplicate_of"] is not None for row in newsroom.rows(ArticleRow)}
    assert len(urls) == (1 if leads_home else 2)
    assert sum(urls.values()) == (0 if leads_home else 1)  # a copy at another address is linked to the first


def test_an_article_that_leads_to_the_front_page_is_no_article(newsroom):
    newsroom.serve_stories(1)
    newsroom.web.routes["/1"] = redirect("/")
    newsroom.web.routes["/"] = page(article_page(9))
    newsroom.ingest()
    assert (newsroom.page("/1")["state"], newsroom.page("/1")["reason"]) == ("rejected", "front_page")


CONSENT = "<title>Before you continue</title><p>We and our partners use cookies.</p><button>Accept all</button>"
MISSING = "<title>Page not found | Test Courier</title><h1>We have looked everywhere</h1><p>It is not there.</p>"
SHELL = '<html><body><div id="root"></div><script src="/main.js"></script></body></html>'
LOGIN = "<title>Log in</title><h1>Log in</h1><form><input name=mail><input type=password></form>"


@pytest.mark.parametrize(
    ("route", "state", "reason"),
    [
        pytest.param(page(b"%PDF-1.4 ...", "application/pdf"), "rejected", "pdf", id="a PDF"),
        pytest.param(page(b"\x89PNG\r\n", "image/png"), "rejected", "content_type", id="a picture"),
        pytest.param(page(CHALLENGE), "queued", "bot_wall", id="a bot wall with a status of success"),
        pytest.param(page("<p>?</p>", cf_mitigated="challenge"), "queued", "bot_wall", id="a bot wall by its headers"),
        pytest.param(page(CONSENT), "queued", "consent", id="a consent page"),
        pytest.param(page(MISSING), "failed", "soft_404", id="not found, with a status of success"),
        pytest.param(page(SHELL), "rejected", "script_shell", id="nothing without scripts"),
        pytest.param(redirect("/account/login?next=/1"), "rejected", "login", id="a login"),
        pytest.param(page("<html><body><p>Hi.</p></body></html>"), "rejected", None, id="hardly any text"),
        pytest.param(lambda _: Reply(body=b"x" * 10, length=999, end="close"), "queued", "truncated", id="cut short"),
        pytest.param(status(200), "queued", "empty", id="nothing at all"),
    ],
)
def test_a_page_without_an_article_has_a_state_and_a_reason(newsroom, route, state, reason):
    newsroom.serve_stories(1)
    newsroom.web.routes["/1"] = route
    newsroom.web.routes["/account/login"] = page(LOGIN)
    newsroom.ingest()
    row = newsroom.page("/1")
    assert row["state"] == state
    assert row["reason"] == reason if reason else row["reason"] is not None
    assert newsroom.rows(ArticleRow) == []


def test_a_wall_that_falls_lets_the_article_in_and_one_that_stays_is_given_up(newsroom):
    newsroom.serve_stories(1, 2)
    newsroom.web.routes["/1"] = in_turn(page(CHALLENGE, ETag='"wall"'), page(article_page(1)))
    newsroom.web.routes["/2"] = page(CHALLENGE)
    newsroom.ingest()
    assert newsroom.page("/1")["etag"] is None
    for _ in range(newsroom.settings.max_attempts):
        newsroom.ahead += timedelta(hours=24)
        newsroom.ingest()
    assert (newsroom.page("/1")["state"], newsroom.page("/1")["reason"]) == ("stored", None)
    assert (newsroom.page("/2")["state"], newsroom.page("/2")["reason"]) == ("failed", "bot_wall")


@pytest.mark.parametrize(
    ("route", "state", "reason"),
    [
        pytest.param(page(MISSING), "gone", "soft_404", id="not found, with a status of success"),
        pytest.param(page(CHALLENGE), "stored", "bot_wall", id="a bot wall"),
        pytest.param(page(SHELL), "stored", "script_shell", id="nothing without scripts"),
    ],
)
def test_an_article_that_is_stored_is_not_replaced_by_what_is_none(newsroom, route, state, reason):
    newsroom.serve_stories(1)
    newsroom.ingest()
    newsroom.web.routes["/1"] = route
    newsroom.ahead = timedelta(days=6)
    newsroom.ingest()
    assert (newsroom.page("/1")["state"], newsroom.page("/1")["reason"]) == (state, reason)
    assert newsroom.rows(ArticleRow)[0]["text"] == "\n\n".join(paragraphs(1))
    assert len(newsroom.rows(RevisionRow)) == 1


def test_the_beginning_of_an_article_that_is_sold_is_stored_and_flagged(newsroom):
    newsroom.serve_stories(1, 2)
    sold = [*paragraphs(1)[:1], "Subscribe to continue reading."]
    head = '<meta property="article:content_tier" content="locked">'
    newsroom.web.routes["/1"] = page(article_page(1, text=sold, head=head))
    newsroom.ingest()
    assert [row["page_class"] for row in newsroom.rows(ArticleRow)] == ["paywall", "article"]


def test_the_refusal_of_a_bot_wall_is_told_from_that_of_a_site(newsroom):
    newsroom.serve_stories(1, 2)
    newsroom.web.routes["/1"] = status(403, CHALLENGE)
    newsroom.web.routes["/2"] = status(403, "<h1>Forbidden</h1>")
    newsroom.ingest()
    told_apart = {path: (newsroom.page(path)["reason"], newsroom.page(path)["status"]) for path in ("/1", "/2")}
    assert told_apart == {"/1": ("bot_wall", 403), "/2": ("http_403", 403)}


@pytest.mark.parametrize(
    ("route", "reason"),
    [
        pytest.param(status(451), None, id="withheld: not at all"),
        pytest.param(status(410), None, id="taken down: not at all"),
        pytest.param(status(402), "http_402", id="refused for good"),
        pytest.param(page(MISSING), "soft_404", id="not there"),
        pytest.param(page(SHELL), "script_shell", id="nothing without scripts"),
        pytest.param(page(LOGIN), "login", id="a login"),
        pytest.param(status(503), None, id="to be tried again: not yet"),
        pytest.param(page(b"%PDF-1.4", "application/pdf"), None, id="something else: not at all"),
    ],
)
def test_what_a_feed_carried_stands_in_for_a_page_that_cannot_be_had(newsroom, route, reason):
    serve_with_contents(newsroom, 1)
    newsroom.web.routes["/1"] = route
    newsroom.ingest()
    found = [(row["source"], row["extractor"], row["text"]) for row in newsroom.rows(ArticleRow)]
    if reason is None:
        assert found == []
        return
    assert found == [("feed", "feed", "\n\n".join(paragraphs(1)))]
    (article,) = newsroom.rows(ArticleRow)
    assert article["title"] == title(1)
    assert [part["text"] for part in article["removed"]] == ["NOW WATCH: a film"]
    assert (newsroom.page("/1")["state"], newsroom.page("/1")["reason"]) == ("stored", reason)
    before = newsroom.rows(ArticleRow)
    newsroom.ingest()
    assert newsroom.rows(ArticleRow) == before


def test_a_bot_wall_lets_the_feed_speak_only_after_all_attempts(newsroom):
    serve_with_contents(newsroom, 1)
    newsroom.web.routes["/1"] = page(CHALLENGE)
    newsroom.ingest()
    assert newsroom.rows(ArticleRow) == []
    for _ in range(newsroom.settings.max_attempts):
        newsroom.ahead += timedelta(hours=24)
        newsroom.ingest()
    assert [row["source"] for row in newsroom.rows(ArticleRow)] == ["feed"]
    assert (newsroom.page("/1")["state"], newsroom.page("/1")["reason"]) == ("stored", "bot_wall")


def test_what_robots_txt_forbids_is_not_taken_from_the_feed_either(newsroom):
    serve_with_contents(newsroom, 1)
    newsroom.web.routes["/robots.txt"] = page("User-agent: *\nDisallow: /1\n", "text/plain")
    newsroom.ingest()
    assert newsroom.page("/1")["state"] == "blocked"
    assert newsroom.rows(ArticleRow) == []


def test_what_opts_out_is_not_taken_from_the_feed_either(newsroom):
    serve_with_contents(newsroom, 1)
    newsroom.web.routes["/1"] = page(SHELL, tdm_reservation="1")
    newsroom.settings = replace(newsroom.settings, respect_opt_out=("tdm",))
    newsroom.ingest()
    assert newsroom.rows(ArticleRow) == []


def test_a_page_that_can_be_had_after_all_replaces_what_the_feed_carried(newsroom):
    serve_with_contents(newsroom, 1)
    newsroom.web.routes["/1"] = page(SHELL)
    newsroom.ingest()
    newsroom.web.routes["/1"] = page(article_page(1, text=[*paragraphs(1), "The board has since agreed to all of it."]))
    newsroom.ahead = timedelta(days=6)
    newsroom.ingest()
    (article,) = newsroom.rows(ArticleRow)
    assert (article["source"], article["extractor"]) == ("page", "news")
    assert [row["extractor"] for row in newsroom.rows(RevisionRow)] == ["feed", "news"]
    assert newsroom.page("/1")["reason"] is None


def test_full_text_is_kept_with_the_entry(newsroom):
    serve_with_contents(newsroom, 1)
    newsroom.ingest(kinds=frozenset({"poll"}))
    assert newsroom.rows(EntryRow)[0]["content"] == "\n\n".join([*paragraphs(1), "NOW WATCH: a film"])


RESERVED = """<meta name="robots" content="index, noai"><meta name="news-pipeline" content="noimageai">
<meta name="tdm-reservation" content="1">"""


def test_what_pages_and_servers_reserve_is_recorded_with_each_fetch(newsroom):
    newsroom.serve_stories(1, 2, 3, 4)
    newsroom.web.routes["/1"] = page(article_page(1, head=RESERVED), X_Robots_Tag="noarchive")
    newsroom.web.routes["/2"] = page(SHELL, X_Robots_Tag="otherbot: noai")
    newsroom.web.routes["/3"] = status(503)
    newsroom.web.routes["/robots.txt"] = page("User-agent: *\nDisallow: /4\n", "text/plain")
    newsroom.ingest()
    recorded = {
        number: (newsroom.page(f"/{number}")["robots"], newsroom.page(f"/{number}")["opt_out"]) for number in "1234"
    }
    assert recorded == {
        "1": ("allowed", "noai noarchive noimageai tdm"),
        "2": ("allowed", ""),
        "3": ("allowed", None),
        "4": ("forbidden", None),
    }
    assert len(newsroom.rows(ArticleRow)) == 1  # nothing is refused unless it is set


@pytest.mark.parametrize(
    "route",
    [
        pytest.param(page(article_page(1, head=RESERVED)), id="by the page"),
        pytest.param(page(article_page(1), tdm_reservation="1"), id="by the server"),
    ],
)
def test_a_setting_refuses_to_keep_what_opts_out(newsroom, route):
    newsroom.serve_stories(1, 2)
    newsroom.web.routes["/1"] = route
    newsroom.web.routes["/2"] = page(article_page(2), X_Robots_Tag="noarchive")
    newsroom.settings = replace(newsroom.settings, respect_opt_out=("tdm",))
    newsroom.ingest()
    assert (newsroom.page("/1")["state"], newsroom.page("/1")["reason"]) == ("rejected", "opt_out")
    assert "tdm" in newsroom.page("/1")["opt_out"]
    assert [row["title"] for row in newsroom.rows(ArticleRow)] == [title(2)]


def test_the_same_text_on_two_sites_is_stored_twice_and_linked(newsroom):
    text = article_page(5)
    for host in ("127.0.0.2", "127.0.0.3"):
        newsroom.web.routes[f"//{host}/wire"] = page(text)
    newsroom.web.routes["/feed.xml"] = page(
        rss({newsroom.web.url("/wire", host=host): title(5) for host in ("127.0.0.2", "127.0.0.3")}), XML
    )
    newsroom.subscribe("/feed.xml")
    assert totals_of(newsroom.ingest(), "new", "duplicate") == (1, 1)
    first, second = newsroom.rows(ArticleRow)
    assert second["duplicate_of"] == first["id"]


def test_a_budget_of_pages_is_kept_and_the_rest_stays_due(newsroom):
    newsroom.serve_stories(*range(1, 8))
    assert newsroom.ingest(max_pages=3).pages == 3
    assert plan_ingest(newsroom.settings, now=newsroom.now).pages == 4
    assert newsroom.ingest(kinds=frozenset({"crawl"})).pages == 4


def test_polling_alone_fetches_no_page_and_crawling_alone_polls_no_feed(newsroom):
    newsroom.serve_stories(1)
    assert totals_of(newsroom.ingest(kinds=frozenset({"poll"})), "polls", "pages") == (1, 0)
    assert totals_of(newsroom.ingest(kinds=frozenset({"crawl"})), "polls", "pages") == (0, 1)


def test_with_nothing_to_do_a_run_ends(newsroom):
    assert newsroom.ingest().as_dict() == dict.fromkeys(newsroom.ingest().as_dict(), 0)


def test_a_run_that_goes_on_takes_what_falls_due_meanwhile(newsroom):
    newsroom.serve_stories(1, 2)
    newsroom.serve_stories(3, feed="/later.xml")
    later = newsroom.web.url("/later.xml")
    with newsroom.engine.begin() as connection:
        due_at = newsroom.now() + timedelta(seconds=2)
        connection.execute(sa.update(FeedRow).where(FeedRow.url == later).values(next_poll_at=due_at))
    totals = run_ingest(newsroom.settings, now=newsroom.now, goes_on=timedelta(minutes=5))
    assert totals_of(totals, "polls", "new") == (2, 3)
    polls = {row["feed_id"]: row["polled_at"] for row in newsroom.rows(PollRow)}
    assert max(polls.values()) >= due_at


def test_a_run_whose_time_is_up_finishes_what_is_under_way_and_leaves_the_rest_unclaimed(newsroom):
    def slow(request):
        newsroom.ahead += timedelta(minutes=5)
        return page(article_page(1))(request)

    newsroom.serve_stories(1, 2, 3)
    newsroom.web.routes["/1"] = slow
    totals = run_ingest(newsroom.settings, now=newsroom.now, goes_on=timedelta(minutes=5))
    assert totals_of(totals, "polls", "new") == (1, 1)
    assert [(row["state"], row["attempts"], row["leased_until"]) for row in newsroom.rows(PageRow)[1:]] == [
        ("queued", 0, None)
    ] * 2
    assert newsroom.ingest().new == 2


def test_two_runs_at_once_share_the_work_and_store_nothing_twice(newsroom):
    hosts = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
    urls = {newsroom.web.url(f"/{number}", host=hosts[number % 3]): title(number) for number in range(30)}
    for number in range(30):
        newsroom.web.routes[f"/{number}"] = page(article_page(number))
    newsroom.web.routes["/feed.xml"] = page(rss(urls), XML)
    newsroom.subscribe("/feed.xml")
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
    assert sum(totals.new for totals in results) == 30
    assert len(newsroom.rows(ArticleRow)) == len(newsroom.rows(RevisionRow)) == 30
    assert {len(newsroom.web.asked(f"/{number}")) for number in range(30)} == {1}


def crawl_in_a_process(pipeline):
    code = "from tests.support.crawl import main; main()"
    env = os.environ | {
        "NEWS_DATABASE_URL": pipeline.url,
        "NEWS_ALLOW_NETWORKS": "127.0.0.0/8",
        "NEWS_HOST_DELAY": "0",
        "NEWS_JOBS": "1",
    }
    return subprocess.Popen([sys.executable, "-c", code], env=env)


def stories_that_stop_at(newsroom, stop, total=12):
    """Stories of which one holds its answer back, so that a worker is surely in the middle of its work then."""
    reached, go_on = threading.Event(), threading.Event()

    def held(request):
        reached.set()
        go_on.wait()
        return page(article_page(stop))(request)

    newsroom.serve_stories(*range(1, total + 1))
    newsroom.web.routes[f"/{stop}"] = in_turn(held, page(article_page(stop)))
    return reached, go_on


def test_a_killed_worker_loses_nothing_and_the_next_run_goes_on_at_once(newsroom):
    reached, go_on = stories_that_stop_at(newsroom, 6)
    worker = crawl_in_a_process(newsroom)
    try:
        assert reached.wait(120)
        worker.send_signal(signal.SIGKILL)
    finally:
        worker.kill()
        worker.wait()
        go_on.set()
    held = [row for row in newsroom.rows(PageRow) if row["leased_until"] is not None]
    assert len(held) >= 1
    newsroom.ingest()
    pages = newsroom.rows(PageRow)
    assert {row["state"] for row in pages} == {"stored"}
    assert [row["leased_until"] for row in pages] == [None] * 12
    assert len(newsroom.rows(ArticleRow)) == len(newsroom.rows(RevisionRow)) == 12


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_is_told_to_stop_stores_what_is_on_its_way_and_asks_for_nothing_more(newsroom, number):
    reached, go_on = stories_that_stop_at(newsroom, 3)
    worker = crawl_in_a_process(newsroom)
    try:
        assert reached.wait(120)
        worker.send_signal(number)
        time.sleep(0.3)
        go_on.set()
        assert worker.wait(60) == (128 + signal.SIGTERM if number == signal.SIGTERM else -signal.SIGINT)
    finally:
        worker.kill()
        go_on.set()
    assert newsroom.page("/3")["state"] == "stored"
    assert len([row for row in newsroom.rows(PageRow) if row["state"] == "stored"]) < 12
    held = [row for table in (PageRow, HostRow) for row in newsroom.rows(table) if row["leased_until"] is not None]
    assert not held
    newsroom.ingest()
    assert {row["state"] for row in newsroom.rows(PageRow)} == {"stored"}
    asked = Counter(path for path in newsroom.web.paths if path != "/feed.xml")
    assert set(asked.values()) == {1}


def test_a_worker_that_is_told_twice_gives_back_what_it_holds_at_once(newsroom):
    reached, go_on = stories_that_stop_at(newsroom, 3)
    worker = crawl_in_a_process(newsroom)
    try:
        assert reached.wait(120)
        worker.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert worker.poll() is None
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 128 + signal.SIGTERM
        assert not go_on.is_set()
    finally:
        worker.kill()
        go_on.set()
    pages = newsroom.rows(PageRow)
    assert [row["leased_until"] for row in pages] == [None] * 12
    assert newsroom.page("/3")["attempts"] == 0
    assert all(row["leased_until"] is None for row in newsroom.rows(HostRow))


def test_a_run_leaves_the_handlers_of_its_caller_alone(newsroom):
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    newsroom.ingest()
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


def test_a_database_that_goes_away_is_an_error_of_ours_by_itself_and_not_in_a_group(newsroom):
    newsroom.serve_stories(1)
    with newsroom.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE revision RENAME TO gone"))
    with pytest.raises(sa.exc.DBAPIError, match="revision"):
        newsroom.ingest()


def test_a_living_worker_is_not_taken_for_dead_and_a_dead_one_is():
    mine = LeaseOwner.new()
    assert not is_dead(str(mine))
    assert not is_dead("another machine|1|1.0|a")
    assert not is_dead("no signature at all")
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert is_dead(str(LeaseOwner(mine.machine, gone.pid, "1.00", "a")))
    assert is_dead(str(LeaseOwner(mine.machine, mine.pid, "1.00", "a")))  # the number is used again, by another process


def test_a_database_without_tables_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="news db upgrade"):
        run_ingest(Settings(database_url=f"sqlite:///{tmp_path}/empty.db"))
