"""Whether the archive holds what was announced: counts by month, holes, and filling them."""

import json

import pytest
from click.testing import CliRunner

from pipeline.backfill import run_job
from pipeline.backfill.completeness import queue_missing, verify_completeness
from pipeline.cli import main
from pipeline.config import Settings
from pipeline.model import Entry
from pipeline.periods import Period, read_period
from pipeline.store.schema.tables import ArticleRow, BackfillJobRow, PageRow
from tests.support.archive import NOW, Archive
from tests.support.filling import XML, Filling, urlset
from tests.support.web import Web, page, status


@pytest.fixture
def web():
    with Web() as web:
        yield web


def serve(filling):
    """A site whose sitemap lists five pages of two months: one is not there, one is no article."""
    url = filling.web.url
    filling.serve({f"/2026/03/0{day}/{day}": day for day in (1, 2)} | {"/2026/04/01/3": 3})
    filling.web.routes["/2026/04/02/4"] = page("<html><body><p>Nothing here.</p></body></html>")
    paths = ("/2026/03/01/1", "/2026/03/02/2", "/2026/04/01/3", "/2026/04/02/4", "/2026/04/03/5")
    filling.web.routes["/sitemap.xml"] = page(urlset({url(path): None for path in paths}), XML)


def counts(account):
    return {
        month: {name: count for name, count in told.items() if count} for (_, month), told in account.months.items()
    }


def test_each_month_is_counted_against_the_sitemaps_and_holes_can_be_filled(filling):
    serve(filling)
    site = filling.web.url("/")
    filling.fill("sitemap", [("site", site)], since="2026-04", until="2026-05")
    account = verify_completeness(filling.settings, site, read_period("2026", "2027"), now=filling.now)
    assert counts(account) == {"2026-03": {"missing": 2}, "2026-04": {"held": 1, "no_article": 1, "failed": 1}}
    assert len(account.holes) == 3
    assert [row["options"]["dry"] for row in filling.rows(BackfillJobRow)] == [False]
    filling.serve({"/2026/04/03/5": 5})
    job, waiting = queue_missing(filling.settings, account, site, filling.now())
    assert waiting == 3
    assert run_job(filling.settings, job, now=filling.now).is_done
    assert len(filling.rows(ArticleRow)) == 4
    again = verify_completeness(filling.settings, site, read_period("2026", "2027"), now=filling.now)
    assert again.holes == {}
    assert again.is_whole


def test_what_feeds_announced_is_counted_without_a_request(engine):
    archive = Archive(engine)
    archive.store("https://one.example/a", site="one.example")
    archive.poll(Entry(guid="b", url="https://one.example/b", published_at=NOW))
    settings = Settings(database_url=engine.url.render_as_string(hide_password=False))
    account = verify_completeness(settings, None, Period())
    assert sum(each["waiting"] for each in account.months.values()) == 1
    assert account.holes == {}


def test_a_site_that_cannot_be_asked_is_not_taken_for_whole(filling):
    filling.web.routes["/sitemap.xml"] = status(404)
    account = verify_completeness(filling.settings, filling.web.url("/"), Period(), now=filling.now)
    assert not account.is_whole


def test_the_command_lists_holes_and_queues_them(web, sqlite_url):
    local = Filling(web, sqlite_url)
    serve(local)
    environment = {"NEWS_DATABASE_URL": sqlite_url, "NEWS_ALLOW_NETWORKS": "127.0.0.0/8", "NEWS_HOST_DELAY": "0"}
    runner = CliRunner(env=environment)
    shown = runner.invoke(main, ["verify", "--site", web.url("/"), "--since", "2026-03", "--until", "2026-04"])
    assert shown.exit_code == 1
    assert "2 holes" in shown.output
    queued = runner.invoke(main, ["verify", "--site", web.url("/"), "--queue", "--json"])
    assert queued.exit_code == 0, queued.output
    assert json.loads(queued.stdout)["queued"] == 5
    resumed = runner.invoke(main, ["backfill", "resume"])
    assert {row["state"] for row in local.rows(PageRow)} == {"stored", "rejected", "failed"}, resumed.output
    listed = runner.invoke(main, ["backfill", "list", "--json"])
    assert [one["source"] for one in json.loads(listed.stdout)] == ["verify"]
    local.engine.dispose()


def test_queueing_nothing_leaves_an_empty_job(filling):
    site = filling.web.url("/")
    filling.web.routes["/sitemap.xml"] = page(urlset({}), XML)
    account = verify_completeness(filling.settings, site, Period(), now=filling.now)
    job, waiting = queue_missing(filling.settings, account, site, filling.now())
    assert waiting == 0
    assert run_job(filling.settings, job, now=filling.now).is_done
