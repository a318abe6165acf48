"""Backfills from sitemaps against a real server, on both databases; the frontier and the ledger are those of live."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from pipeline.backfill import BackfillRequest, begin_job
from pipeline.cli import main
from pipeline.errors import FetchError
from pipeline.fetch import ACCEPT_FEED, ACCEPT_PAGE, ACCEPT_TEXT
from pipeline.fetch.response_journal import ResponseJournal
from pipeline.ingest import run_ingest as run_live
from pipeline.model import Address, Entry
from pipeline.store.backfill.jobs import list_open_jobs
from pipeline.store.connection.engine import reading, write
from pipeline.store.frontier.discovery import put_addresses
from pipeline.store.schema.tables import ArticleRow, BackfillJobRow, BackfillUnitRow, HostRow, PageRow, RawRow
from tests.support.archive import discover_pages
from tests.support.fetching import FollowingFetcher
from tests.support.filling import XML, index, urlset
from tests.support.stories import article_page
from tests.support.web import Web, in_turn, page, redirect, status

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def web():
    with Web(addresses=("127.0.0.1", "127.0.0.2")) as web:
        yield web


def serve_year(filling):
    """A site with a sitemap for each month of 2026, two pages each, robots.txt and an index."""
    url = filling.web.url
    months = [f"2026-{month:02}" for month in range(1, 13)]
    filling.web.routes["/robots.txt"] = page(f"User-agent: *\nSitemap: {url('/index.xml')}\n", "text/plain")
    filling.web.routes["/index.xml"] = page(index({url(f"/sitemap-{month}.xml"): None for month in months}), XML)
    for number, month in enumerate(months):
        pages = {f"/{month.replace('-', '/')}/{day:02}/story-{number}-{day}": 10 * number + day for day in (1, 28)}
        filling.serve(pages)
        filling.web.routes[f"/sitemap-{month}.xml"] = page(urlset({url(path): None for path in pages}), XML)


def stored(filling):
    return sorted(row["url"].partition("/2026/")[2] for row in filling.rows(ArticleRow))


def test_a_month_of_a_site_is_all_of_it_and_nothing_else(filling):
    serve_year(filling)
    result = filling.fill("sitemap", [("site", filling.web.url("/"))], since="2026-03", until="2026-04")
    assert result.is_done
    assert stored(filling) == ["03/01/story-2-1", "03/28/story-2-28"]
    asked = [path for path in filling.web.paths if "sitemap-" in path]
    assert asked == ["/sitemap-2026-02.xml", "/sitemap-2026-03.xml", "/sitemap-2026-04.xml"]  # zones differ by a day
    assert all(row["backfill_id"] is None for row in filling.rows(PageRow))
    assert [row["finished_at"] is not None for row in filling.rows(BackfillJobRow)] == [True]


def test_the_same_again_fetches_no_page_a_second_time(filling):
    serve_year(filling)
    units = [("site", filling.web.url("/"))]
    filling.fill("sitemap", units, since="2026-03", until="2026-05")
    first = Counter(path for path in filling.web.paths if "story" in path)
    result = filling.fill("sitemap", units, since="2026-03", until="2026-06")
    assert set(first.values()) == {1}
    assert Counter(path for path in filling.web.paths if "story" in path).total() == first.total() + 2
    assert result.counts["known"] == 4


def test_a_dry_run_says_how_much_and_leaves_nothing_behind(local):
    serve_year(local)
    units = [("site", local.web.url("/"))]
    result = local.fill("sitemap", units, since="2026-03", until="2026-05", dry=True)
    assert (result.counts["queued"], len(result.findings.sample)) == (4, 4)
    for table in (PageRow, ArticleRow, BackfillJobRow, BackfillUnitRow):
        assert local.rows(table) == []


def test_a_page_in_two_sitemaps_is_one_page(local):
    url = local.web.url
    local.serve({"/2026/03/05/a": 1})
    listed = {url("/2026/03/05/a"): "2026-03-05T10:00Z"}
    local.web.routes["/one.xml"] = page(urlset(listed), XML)
    local.web.routes["/two.xml"] = page(urlset(listed, news={url("/2026/03/05/a"): "2026-03-05T09:00Z"}), XML)
    result = local.fill("sitemap", [("sitemap", url("/one.xml")), ("sitemap", url("/two.xml"))])
    assert (result.counts["queued"], result.counts["known"]) == (1, 1)
    dry = local.fill("sitemap", [("sitemap", url("/one.xml"))], dry=True)
    assert (dry.counts["queued"], dry.counts["known"]) == (0, 1)


def test_indexes_that_name_each_other_come_to_an_end(local):
    url = local.web.url
    local.web.routes["/a.xml"] = page(index({url("/b.xml"): None, url("/a.xml"): None}), XML)
    local.web.routes["/b.xml"] = page(index({url("/a.xml"): None, url("/b.xml"): None}), XML)
    result = local.fill("sitemap", [("sitemap", url("/a.xml"))])
    assert result.is_done
    assert Counter(local.web.paths) == {"/robots.txt": 1, "/a.xml": 1, "/b.xml": 1}


def test_indexes_without_end_are_left_at_some_depth(local):
    url = local.web.url
    for number in range(9):
        local.web.routes[f"/i{number}.xml"] = page(index({url(f"/i{number + 1}.xml"): None}), XML)
    result = local.fill("sitemap", [("sitemap", url("/i0.xml"))])
    assert [trouble["reason"] for trouble in result.troubles] == ["too_deep"]


def test_one_bad_sitemap_ends_nothing(local):
    url = local.web.url
    serve_year(local)
    local.web.routes["/sitemap-2026-03.xml"] = page("<html><body>Sorry!</body></html>")
    local.web.routes["/sitemap-2026-04.xml"] = status(404)
    result = local.fill("sitemap", [("site", url("/"))], since="2026-02", until="2026-06")
    assert result.is_done
    assert [(one["address"], one["state"], one["reason"]) for one in result.troubles] == [
        (url("/sitemap-2026-03.xml"), "failed", "html"),
        (url("/sitemap-2026-04.xml"), "failed", "http_404"),
    ]
    assert len(local.rows(ArticleRow)) == 4


def test_a_sitemap_that_cannot_be_had_now_is_tried_later(local):
    url = local.web.url
    local.serve({"/2026/03/05/a": 1})
    good = page(urlset({url("/2026/03/05/a"): None}), XML)
    local.web.routes["/s.xml"] = in_turn(status(503, Retry_After="3600"), good)
    result = local.fill("sitemap", [("sitemap", url("/s.xml"))])
    assert (result.is_done, result.units) == (False, {"queued": 1})
    assert timedelta(minutes=55) < result.next_at - local.now() < timedelta(minutes=65)
    local.ahead = timedelta(hours=2)
    assert local.fill("sitemap", [("sitemap", url("/s.xml"))]).is_done
    assert len(local.rows(ArticleRow)) == 1


def test_robots_txt_is_obeyed_for_sitemaps_and_for_pages(local):
    url = local.web.url
    local.web.routes["/robots.txt"] = page("User-agent: *\nDisallow: /private\n", "text/plain")
    local.web.routes["/s.xml"] = page(urlset({url("/private/a"): None, url("/b"): None}), XML)
    local.serve({"/private/a": 1, "/b": 2})
    result = local.fill("sitemap", [("sitemap", url("/private/s.xml")), ("sitemap", url("/s.xml"))])
    assert [(one["reason"]) for one in result.troubles] == ["robots"]
    assert {row["state"] for row in local.rows(PageRow)} == {"blocked", "stored"}
    assert not any("/private" in path for path in local.web.paths)


def test_a_limit_holds_over_all_units(filling):
    serve_year(filling)
    result = filling.fill("sitemap", [("site", filling.web.url("/"))], limit=3)
    assert result.counts["queued"] == 3
    assert len(filling.rows(ArticleRow)) == 3


def test_only_pages_of_the_sites_that_are_asked_for(local):
    url = local.web.url
    other = url("/2026/03/05/b", host="127.0.0.2")
    local.serve({"/2026/03/05/a": 1, "/2026/03/05/b": 2})
    local.web.routes["/s.xml"] = page(urlset({url("/2026/03/05/a"): None, other: None}), XML)
    result = local.fill("sitemap", [("sitemap", url("/s.xml"))], sites=("127.0.0.2",))
    assert [row["url"] for row in local.rows(ArticleRow)] in ([other], [])
    assert result.counts["queued"] <= 1


def test_what_is_live_does_not_wait_behind_a_backfill(filling):
    """A run of today's takes no page of a backfill, and a page that a feed announces is today's."""
    url = filling.web.url
    filling.serve({f"/{number}": number for number in range(4)})
    filling.web.routes["/s.xml"] = page(urlset({url(f"/{number}"): None for number in range(3)}), XML)
    wanted = BackfillRequest("sitemap", (url("/s.xml"),), limit=3)
    job = begin_job(filling.settings, wanted, [("sitemap", url("/s.xml"))], now=filling.now)

    past = filling.now() - timedelta(days=1)
    write(filling.engine, put_addresses, [Address(url(f"/{number}")) for number in range(3)], past, past, job.id)
    entries = [Entry(guid=str(number), url=url(f"/{number}")) for number in (2, 3)]
    write(filling.engine, discover_pages, entries, filling.now(), filling.now())
    run_live(filling.settings, now=filling.now)
    assert [path for path in sorted(filling.web.paths) if path[1:].isdigit()] == ["/2", "/3"]
    with reading(filling.engine) as connection:
        assert [each.id for each in list_open_jobs(connection)] == [job.id]
    filling.fill("sitemap", [("sitemap", url("/s.xml"))], limit=3)
    assert len(filling.rows(ArticleRow)) == 4


def test_dates_come_from_the_sitemap_where_the_page_has_none_and_say_so(local):
    url = local.web.url
    bare = article_page(1).replace("article:published_time", "nothing")
    local.web.routes |= {
        "/dated": page(article_page(2)),
        "/bare": page(bare),
        "/changed": page(bare.replace("1", "7")),
    }
    rows = {url("/dated"): "2026-03-01", url("/bare"): None, url("/changed"): "2026-03-09T08:00Z"}
    local.web.routes["/s.xml"] = page(urlset(rows, news={url("/bare"): "2026-03-05T10:00Z"}), XML)
    local.fill("sitemap", [("sitemap", url("/s.xml"))])
    told = {row["url"]: (row["published_at"], row["published_from"]) for row in local.rows(ArticleRow)}
    assert told[url("/bare")] == (datetime(2026, 3, 5, 10, tzinfo=UTC), "news_sitemap")
    assert told[url("/changed")] == (datetime(2026, 3, 9, 8, tzinfo=UTC), "lastmod")
    assert told[url("/dated")][1] == "article:published_time"


def test_the_pause_of_a_host_holds_for_sitemaps_and_pages_alike(local):
    serve_year(local)
    local.web.routes["/robots.txt"] = page(
        f"User-agent: *\nCrawl-delay: 0.3\nSitemap: {local.web.url('/sitemap-2026-03.xml')}\n", "text/plain"
    )
    began = time.monotonic()
    local.fill("sitemap", [("site", local.web.url("/"))])
    assert time.monotonic() - began >= 0.9  # robots.txt, the sitemap, two pages: three pauses
    assert [row["delay"] for row in local.rows(HostRow)] == [0.3]


def test_a_rate_slows_down_all_hosts_together(local):
    serve_year(local)
    began = time.monotonic()
    local.fill("sitemap", [("sitemap", local.web.url("/sitemap-2026-03.xml"))], rate=4)
    assert time.monotonic() - began >= 0.25


@pytest.mark.parametrize("archive", ["auto", "off"])
def test_what_a_killed_run_had_received_is_not_asked_for_again(filling, archive):
    """As if the process had died between the last byte of an answer and storing what was made of it."""
    url, web = filling.web.url, filling.web
    filling.settings = replace(filling.settings, archive_url=archive)
    filling.serve({"/1": 1, "/moved": 2})
    web.routes |= {
        "/2": redirect("/moved"),
        "/3": status(404),
        "/s.xml": page(urlset({url(path): None for path in ("/1", "/2", "/3")}), XML),
        "/robots.txt": page(f"User-agent: *\nSitemap: {url('/s.xml')}", "text/plain"),
    }
    wanted = BackfillRequest("sitemap", (url("/"),))
    begin_job(filling.settings, wanted, [("site", url("/"))], now=filling.now)

    async def receive(paths):
        inbox = ResponseJournal(Path(filling.settings.journal_folder))
        inbox.open()
        async with FollowingFetcher(filling.settings, journal=inbox) as fetcher:
            for path, accept in paths.items():
                with suppress(FetchError):
                    await fetcher.get(url(path), accept=accept, kept_since=filling.now() - timedelta(hours=1))
        inbox.close(is_done=False)

    since = filling.now()
    asyncio.run(receive({"/robots.txt": ACCEPT_TEXT}))
    with filling.engine.begin() as connection:
        put_addresses(connection, [Address(url(path), None, None) for path in ("/1", "/2", "/3")], since, since, 1)
        connection.execute(sa.update(PageRow).values(discovered_at=since - timedelta(minutes=1)))
    asyncio.run(receive({"/s.xml": ACCEPT_FEED, "/1": ACCEPT_PAGE, "/2": ACCEPT_PAGE, "/3": ACCEPT_PAGE}))
    assert filling.fill("sitemap", [("site", url("/"))]).is_done
    assert [row["state"] for row in filling.rows(PageRow)] == ["stored", "alias", "failed", "stored"]
    asked = Counter(path for path in web.paths if path != "/.well-known/tdmrep.json")
    assert asked == dict.fromkeys(("/robots.txt", "/s.xml", "/1", "/2", "/moved", "/3"), 1)
    assert not Path(filling.settings.journal_folder).exists(), "nothing is left of it"
    assert len(filling.rows(RawRow)) == (4 if filling.settings.archive_place else 0)


def test_told_to_stop_again_and_again_it_asks_for_nothing_twice(filling):
    serve_year(filling)
    environment = environment_for(filling)
    command = [sys.executable, "-m", "pipeline", "backfill", "sitemap", filling.web.url("/"), "--json"]
    stops = 0
    for number in [*[signal.SIGTERM, signal.SIGINT] * 4, None]:
        before = len(filling.web.requests)
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL)
        while number is not None and process.poll() is None and len(filling.web.requests) < before + 4:
            time.sleep(0.01)
        if number is not None and process.poll() is None:
            process.send_signal(number)
            stops += process.wait() != 0
        process.wait()
    assert stops >= 4
    assert len(filling.rows(ArticleRow)) == 24
    assert set(Counter(filling.web.paths).values()) == {1}


KILLS = 4


def environment_for(filling):
    return os.environ | {
        "NEWS_DATABASE_URL": filling.engine.url.render_as_string(hide_password=False),
        "NEWS_ALLOW_NETWORKS": "127.0.0.0/8",
        "NEWS_HOST_DELAY": "0.05",
        "NEWS_JOBS": "1",
    }


def test_killed_again_and_again_it_goes_on_and_fetches_nothing_twice_that_was_stored(filling):
    """What was under way at a kill may be asked for again: nobody can know whether it was answered."""
    url = filling.web.url
    filling.serve({f"/2026/03/05/{number}": number for number in range(40)})
    listed = {url(f"/2026/03/05/{number}"): None for number in range(40)}
    filling.web.routes["/s.xml"] = page(urlset(listed), XML)
    environment = environment_for(filling)
    command = [sys.executable, "-m", "pipeline", "backfill", "sitemap", url("/s.xml"), "--json"]
    had: set[str] = set()
    again = 0
    for turn in range(KILLS + 1):
        before = len(filling.web.requests)
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL)
        if turn < KILLS:
            while process.poll() is None and len(filling.web.requests) < before + 7:
                time.sleep(0.02)
            process.send_signal(signal.SIGKILL)
        process.wait()
        again += len(had.intersection(filling.web.paths[before:]))
        had |= {row["url"].partition(str(filling.web.port))[2] for row in filling.rows(ArticleRow)}
    assert len(had) == len(filling.rows(ArticleRow)) == 40
    assert again == 0


def test_the_command_says_what_it_came_to(local, environment_of):
    serve_year(local)
    runner = CliRunner(env=environment_of(local))
    target = local.web.url("/")
    dry = runner.invoke(main, ["backfill", "sitemap", target, "--since", "2026-03", "--until", "2026-04", "--dry-run"])
    assert dry.exit_code == 0, dry.output
    assert "pages 2" in dry.output
    done = runner.invoke(main, ["backfill", "sitemap", target, "--since", "2026-03", "--until", "2026-04"])
    assert done.exit_code == 0, done.output
    assert "new 2" in done.output
    wrong = runner.invoke(main, ["backfill", "sitemap", target, "--since", "2026-04", "--until", "2026-03"])
    assert wrong.exit_code == 2
    assert "does not lie behind" in wrong.output


@pytest.fixture
def environment_of():
    def of(filling):
        return {
            "NEWS_DATABASE_URL": filling.engine.url.render_as_string(hide_password=False),
            "NEWS_ALLOW_NETWORKS": "127.0.0.0/8",
            "NEWS_HOST_DELAY": "0",
            "NEWS_JOBS": "1",
        }

    return of


@pytest.mark.parametrize("target", ["not a site", "http://", "ftp://example.org/", "https://exa mple.org/sitemap.xml"])
def test_what_is_no_site_is_refused_and_leaves_no_job(local, environment_of, target):
    told = CliRunner(env=environment_of(local)).invoke(main, ["backfill", "sitemap", target])
    assert (told.exit_code, target in told.output) == (2, True)
    assert not local.rows(BackfillJobRow)
