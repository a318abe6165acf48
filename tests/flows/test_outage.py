"""Faults on our side: a network that is down, and what our own guard refuses, are charged to no page and no feed."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from pipeline.cli import main
from pipeline.ingest import run_ingest
from pipeline.store.connection.engine import write
from pipeline.store.frontier.retries import revive_pages
from pipeline.store.schema.tables import FeedRow, HostRow, PageRow, PollRow
from tests.support.newsroom import XML, Pipeline
from tests.support.stories import article_page, rss, title
from tests.support.web import Web, page

NAMES = ("one.test", "two.test", "three.test")
CUT_OTHERS = sa.text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
QUARTER = timedelta(minutes=15)


@pytest.fixture
def newsroom(sqlite_url):
    with Web() as web:
        pipeline = Pipeline(web, sqlite_url)
        come_back(pipeline)
        yield pipeline
        pipeline.engine.dispose()


def go_down(newsroom, *names):
    """The network of these hosts, all by default, leads nowhere: connections are refused."""
    down = names or NAMES
    resolve = tuple((name, "127.0.0.77" if name in down else "127.0.0.1") for name in NAMES)
    newsroom.settings = replace(newsroom.settings, resolve=resolve)


def come_back(newsroom):
    newsroom.settings = replace(newsroom.settings, resolve=tuple((name, "127.0.0.1") for name in NAMES))


def serve(newsroom, *hosts, pages=2):
    for host in hosts:
        urls = {newsroom.web.url(f"/{host}/{n}", host=host): title(n) for n in range(pages)}
        for n in range(pages):
            newsroom.web.routes[f"/{host}/{n}"] = page(article_page(n + 10 * NAMES.index(host)))
        newsroom.web.routes[f"/{host}.xml"] = page(rss(urls), XML)
        newsroom.subscribe(f"/{host}.xml", host=host)


def run(newsroom, events=None, **options):
    return run_ingest(
        newsroom.settings, now=newsroom.now, listener=events.append if events is not None else None, **options
    )


@pytest.mark.parametrize("hosts", [NAMES, NAMES[:1]], ids=["three hosts", "the only host"])
def test_after_an_outage_of_two_hours_a_run_stores_everything_by_itself(newsroom, hosts):
    serve(newsroom, *hosts)
    run(newsroom, kinds=frozenset({"poll"}))
    go_down(newsroom)
    newsroom.ahead += timedelta(hours=1)
    for _ in range(8):
        events = []
        totals = run(newsroom, events)
        assert totals.waiting == 3 * len(hosts)  # each with a feed and two pages
        assert [(event.kind, event.outcome) for event in events] == [("run", "outage")]
        newsroom.ahead += QUARTER
    assert {(row["state"], row["attempts"]) for row in newsroom.rows(PageRow)} == {("queued", 0)}
    assert {row["strain"] for row in newsroom.rows(HostRow)} == {1.0}
    come_back(newsroom)
    totals = run(newsroom)
    assert (totals.new, totals.waiting) == (2 * len(hosts), 0)
    assert {row["state"] for row in newsroom.rows(PageRow)} == {"stored"}


def test_feeds_that_nobody_reaches_do_not_fail_and_are_polled_by_the_next_run(newsroom):
    serve(newsroom, *NAMES)
    go_down(newsroom)
    for _ in range(8):
        assert run(newsroom).polls == 0
        newsroom.ahead += QUARTER
    assert {(row["state"], row["failures"], row["last_outcome"]) for row in newsroom.rows(FeedRow)} == {
        ("active", 0, "connect")
    }
    assert newsroom.rows(PollRow) == []
    come_back(newsroom)
    assert run(newsroom).new == 6


def test_a_host_that_is_down_while_others_answer_is_charged_for_it(newsroom):
    serve(newsroom, *NAMES)
    run(newsroom, kinds=frozenset({"poll"}))
    go_down(newsroom, "two.test")
    totals = run(newsroom)
    assert (totals.new, totals.waiting) == (4, 0)
    failed = {row["host"].partition(":")[0]: (row["reason"], row["attempts"]) for row in newsroom.rows(PageRow)}
    assert failed["two.test"] == ("robots_unreachable", 1)


def test_pages_of_a_host_that_was_given_up_come_back_once_it_answers_again_or_the_next_day(newsroom):
    serve(newsroom, *NAMES)
    newsroom.settings = replace(newsroom.settings, max_attempts=1)
    run(newsroom, kinds=frozenset({"poll"}))
    go_down(newsroom, "two.test")
    run(newsroom)
    assert sorted(row["state"] for row in newsroom.rows(PageRow)) == ["failed"] * 2 + ["stored"] * 4
    come_back(newsroom)
    assert write(newsroom.engine, revive_pages, newsroom.now(), 1) == 0
    newsroom.ahead += timedelta(hours=1)
    newsroom.ingest()  # which polls its feed
    newsroom.ingest()
    assert {row["state"] for row in newsroom.rows(PageRow)} == {"stored"}


def test_a_feed_that_our_own_guard_refuses_does_not_sleep_for_it(newsroom):
    serve(newsroom, "one.test")
    allowed = newsroom.settings
    newsroom.settings = replace(allowed, allow_networks=())
    events = []
    totals = run(newsroom, events)
    assert (totals.polls_failed, totals.waiting) == (1, 1)
    assert events[-1].facts == {"feeds": 1, "reason": "blocked_address"}
    (feed,) = newsroom.rows(FeedRow)
    assert (feed["state"], feed["failures"], feed["last_outcome"]) == ("active", 0, "blocked_address")
    newsroom.settings = allowed
    newsroom.ahead += timedelta(seconds=2)
    assert run(newsroom).new == 2


def test_the_command_says_what_waits_and_why(newsroom, monkeypatch):
    serve(newsroom, "one.test")
    monkeypatch.setenv("NEWS_DATABASE_URL", newsroom.settings.database_url)
    monkeypatch.setenv("NEWS_RESOLVE", "one.test=127.0.0.1")
    result = CliRunner().invoke(main, ["poll"])
    assert result.exit_code == 1
    assert "1 feeds: blocked_address: in a network that must not be fetched from" in result.output
    assert "wait for the next run" in result.output


def test_poll_all_polls_failing_feeds_too(newsroom, monkeypatch):
    serve(newsroom, "one.test")
    newsroom.web.routes["/one.test.xml"] = page("no feed")
    run(newsroom)
    serve_again = page(rss({}), XML)
    newsroom.web.routes["/one.test.xml"] = serve_again
    assert newsroom.ingest().polls == 0
    for name, value in {
        "NEWS_DATABASE_URL": newsroom.settings.database_url,
        "NEWS_ALLOW_NETWORKS": "127.0.0.0/8",
        "NEWS_RESOLVE": "one.test=127.0.0.1",
        "NEWS_JOBS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(main, ["poll", "--all", "--json"])
    assert '"polls": 1' in result.output
    assert [row["state"] for row in newsroom.rows(FeedRow)] == ["active"]


def test_after_a_clock_that_ran_ahead_what_waited_for_it_is_due(newsroom):
    serve(newsroom, "one.test")
    newsroom.ahead = timedelta(days=30)
    assert run(newsroom).new == 2
    newsroom.ahead = timedelta(0)
    newsroom.web.routes["/one.test.xml"] = page(rss({newsroom.web.url("/late", host="one.test"): title(7)}), XML)
    newsroom.web.routes["/late"] = page(article_page(7))
    totals = newsroom.ingest(poll_all=False)
    assert (totals.polls, totals.new) == (1, 1)


@pytest.mark.postgres
def test_a_run_goes_on_when_all_its_connections_to_the_database_are_cut(postgres_url):
    with Web() as web:
        newsroom = Pipeline(web, postgres_url)
        come_back(newsroom)
        serve(newsroom, "one.test", pages=3)
        story = web.routes["/one.test/1"]

        def cut_and_answer(request):
            with newsroom.engine.connect() as connection:
                connection.execute(CUT_OTHERS)
            return story(request)

        web.routes["/one.test/1"] = cut_and_answer
        assert run(newsroom).new == 3
        newsroom.engine.dispose()
