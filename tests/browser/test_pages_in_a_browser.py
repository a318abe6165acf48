"""The pages in a real browser, for readers at a desk and with a telephone: `make test-browser`.

NEWS_TEST_BROWSER names a Chromium; NEWS_TEST_SCREENSHOTS a folder, in which pictures of the sample pages are left.
"""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="`make test-browser` installs what these tests need")
pytest.importorskip("starlette", reason="the pages need the extra web")

import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

from pipeline.store.schema.tables import FeedRow
from pipeline.web.application import create_app
from pipeline.web.guard import LOOPBACK
from tests.support.recording import REVISIT
from tests.support.stories import article_page, paragraphs, title
from tests.support.web import page as answer_page
from tests.support.web import validated
from tests.web.test_pages import PAGES, archive  # noqa: F401  # a fixture

BROWSER = os.environ.get("NEWS_TEST_BROWSER", "")
pytestmark = pytest.mark.skipif(not BROWSER, reason="no browser: NEWS_TEST_BROWSER names a Chromium")

DESK, TELEPHONE = {"width": 1280, "height": 900}, {"width": 380, "height": 800}
STRIPPED = "Sign up for our newsletter to get the news of the harbour every morning."
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


@contextmanager
def serving(engine, settings):
    """The address of the pages of an archive, served on loopback."""
    server = uvicorn.Server(
        uvicorn.Config(create_app(engine, settings, hosts=LOOPBACK), port=0, log_level="warning", ws="none")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            thread.join(0.05)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        options = ["--no-proxy-server", "--disable-background-networking", "--disable-component-update"]
        options += ["--disable-sync", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=BROWSER, args=options, chromium_sandbox=os.geteuid() != 0)
        yield browser
        browser.close()


@contextmanager
def leafing(chromium, **options):
    """A page of a new reader; fails where its scripts fail, a dialog opens, or anything comes from elsewhere."""
    context = chromium.new_context(**options)
    page, wrong = context.new_page(), []
    page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
    page.on("dialog", lambda dialog: (wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on("console", lambda said: wrong.append(f"console: {said.text}") if said.type == "error" else None)
    page.on("request", lambda sent: wrong.append(sent.url) if not sent.url.startswith("http://127.0.0.1:") else None)
    yield page
    context.close()
    assert wrong == []


@pytest.fixture
def newsroom(kept):
    kept.serve_stories(1, 2)
    text = paragraphs(1)
    kept.web.routes["/1"] = validated(article_page(1, text=[*text[:2], STRIPPED, *text[2:]]), '"1"')
    ingest(kept)
    return kept


def ingest(newsroom):
    """Run a round in a thread of its own: the browser's driver has the event loop of this one."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(newsroom.ingest).result()


def see(page, name):
    """Leave a picture, where one was asked for."""
    if folder := os.environ.get("NEWS_TEST_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{folder}/{name}.png", full_page=False)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, TELEPHONE], ids=["desk", "telephone"])
def test_pages_are_accessible_fit_their_width_and_load_and_run_nothing_of_strangers(
    archive,  # noqa: F811
    kept,
    chromium,
    size,
    scheme,
):
    with (
        serving(archive.engine, kept.settings) as url,
        leafing(chromium, viewport=size, color_scheme=scheme) as page,
    ):
        for path in PAGES:
            page.goto(url + path)
            found = Axe().run(page, options=RULES)
            assert found.violations_count == 0, f"{path}: {found.generate_report()}"
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], path


def test_a_feed_is_added_by_its_site_and_its_articles_come(kept, chromium):
    kept.serve_stories(1, 2)
    front = '<html><head><link rel="alternate" type="application/rss+xml" href="/feed.xml"></head></html>'
    kept.web.routes["/"] = answer_page(front)
    with serving(kept.engine, kept.settings) as url, leafing(chromium, viewport=DESK) as page:
        page.goto(f"{url}/feeds/1")
        page.get_by_text("Edit", exact=True).click()
        page.get_by_role("checkbox").check()
        page.get_by_role("button", name="Remove").click()
        page.goto(f"{url}/feeds")
        page.get_by_text("Add feeds").first.click()
        page.get_by_label("Address", exact=False).first.fill(kept.web.url("/"))
        page.get_by_role("button", name="Look for feeds").click()
        page.get_by_role("button", name="Subscribe").click()
        expect(page.get_by_role("status")).to_contain_text("1 feeds added")
        ingest(kept)
        page.goto(f"{url}/articles")
        page.get_by_role("link", name=title(2)).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(title(2))


def test_a_feed_is_paused_and_a_failed_page_asked_for_again(newsroom, chromium):
    newsroom.web.routes["/feed.xml"] = answer_page(newsroom.feed_of(1, 2, 3), "application/rss+xml")
    newsroom.web.routes["/3"] = answer_page("<p></p>")
    ingest(newsroom)
    with serving(newsroom.engine, newsroom.settings) as url, leafing(chromium, viewport=DESK) as page:
        page.goto(f"{url}/feeds/1")
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_role("status")).to_be_visible()
        assert newsroom.rows(FeedRow)[0]["state"] == "paused"
        page.goto(f"{url}/ledger?reason=no_text")
        page.get_by_role("button", name="Ask again").first.click()
        expect(page.get_by_role("status")).to_be_visible()
        assert newsroom.page("/3")["state"] == "queued"


def test_an_article_is_searched_read_compared_and_judged(newsroom, chromium, tmp_path):
    changed = [paragraphs(1)[0].replace("Friday", "Monday"), *paragraphs(1)[1:3], STRIPPED, *paragraphs(1)[3:]]
    newsroom.web.routes["/1"] = validated(article_page(1, text=changed), '"2"')
    newsroom.ahead = REVISIT
    ingest(newsroom)
    settings = replace(newsroom.settings, gate_dir=str(tmp_path / "gate"))
    with serving(newsroom.engine, settings) as url, leafing(chromium, viewport=DESK) as page:
        page.goto(url)
        see(page, "overview")
        page.keyboard.press("/")
        page.keyboard.type(title(1).split()[-1])
        page.keyboard.press("Enter")
        see(page, "search")
        page.get_by_role("link", name=title(1)).click()
        expect(page.locator("article del").filter(has_text="newsletter")).to_be_visible()
        see(page, "article")
        page.get_by_role("button", name="Wrongly removed").last.click()
        expect(page.get_by_role("status")).to_contain_text("Marked")
        assert len(list((tmp_path / "gate").glob("*.json"))) == 1
        page.locator("a[href*='/revisions/']").first.click()
        expect(page.locator("article ins").first).to_have_text("Monday")
        see(page, "revision")
        page.goto(f"{url}/feeds")
        see(page, "feeds")
    with serving(newsroom.engine, settings) as url, leafing(chromium, viewport=TELEPHONE, color_scheme="dark") as page:
        page.goto(f"{url}/articles")
        see(page, "articles-telephone")


def test_times_are_of_the_readers_zone_and_utc_when_pointed_at(newsroom, chromium):
    with (
        serving(newsroom.engine, newsroom.settings) as url,
        leafing(chromium, viewport=DESK, timezone_id="Asia/Tokyo", locale="en-GB") as page,
    ):
        page.goto(f"{url}/articles")
        shown = page.locator("time").first
        utc, local = shown.get_attribute("title"), shown.inner_text()
        assert "UTC" in utc
        assert local not in utc
