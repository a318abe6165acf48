"""Feeds: looked for, added, polled, paused, edited, removed; lists of them in and out."""

from contextlib import ExitStack

import pytest

pytest.importorskip("starlette", reason="the pages need the extra web")
pytest.importorskip("itsdangerous", reason="the pages need the extra web")

from pipeline.store.schema.tables import FeedRow
from pipeline.web.pages.feed_actions import SEARCHES
from tests.support.pages import Reader, text_of
from tests.support.stories import title
from tests.support.web import page, status

FRONT = '<html><head><link rel="alternate" type="application/rss+xml" href="/feed.xml"></head><body></body></html>'


@pytest.fixture
def newsroom(kept):
    return kept


@pytest.fixture
def reader(newsroom):
    return Reader(newsroom.engine, newsroom.settings)


def feed(newsroom):
    (row,) = newsroom.rows(FeedRow)
    return row


def test_a_feed_is_found_by_its_site_added_and_its_articles_come(newsroom, reader):
    newsroom.serve_stories(1, 2)
    reader.get("/feeds")
    reader.send("/feeds/1/remove", "/feeds/1", sure="yes")
    newsroom.web.routes["/"] = page(FRONT)
    token = {"form_token": reader.token("/feeds"), "url": newsroom.web.url("/")}
    shown = reader.tree(reader.client.post("/feeds/discover", data=token))
    assert shown.xpath("//input[@type='checkbox']/@value") == [newsroom.web.url("/feed.xml")]
    assert title(1) in text_of(shown, "//li/ul/li")

    said = reader.send("/feeds/subscribe", "/feeds", url=newsroom.web.url("/feed.xml"), tags="town; port ;town")
    assert "1 feeds added" in text_of(said, "//*[@role='status']")[0]
    assert feed(newsroom)["tags"] == ["town", "port"]
    newsroom.ingest()
    assert text_of(reader.get("/articles"), "//td[@class='text']") == [title(2), title(1)]


def test_only_so_many_sites_are_searched_at_once(newsroom, reader):
    newsroom.web.routes["/"] = page(FRONT)
    form = {"form_token": reader.token("/feeds"), "url": newsroom.web.url("/")}
    with ExitStack() as taken:
        for _ in range(4):
            taken.enter_context(SEARCHES)
        answer = reader.client.post("/feeds/discover", data=form)
        assert (answer.status_code, newsroom.web.paths) == (400, [])
        assert "try again" in answer.text
    assert reader.client.post("/feeds/discover", data=form).status_code == 200


def test_what_was_said_is_said_once(newsroom, reader):
    newsroom.serve_stories(1)
    assert text_of(reader.send("/feeds/1/pause", "/feeds/1"), "//*[@role='status']") != []
    assert text_of(reader.get("/feeds/1"), "//*[@role='status']") == []


def test_a_feed_is_paused_resumed_polled_now_edited_and_removed(newsroom, reader):
    newsroom.serve_stories(1)
    newsroom.ingest()
    waits = feed(newsroom)["next_poll_at"]
    reader.send("/feeds/1/poll", "/feeds/1")
    assert feed(newsroom)["next_poll_at"] < waits
    reader.send("/feeds/1/pause", "/feeds/1")
    assert feed(newsroom)["state"] == "paused"
    assert text_of(reader.get("/feeds", state="paused"), "//td//*[contains(@class, 'state')]") == ["paused"]
    reader.send("/feeds/1/resume", "/feeds/1")
    assert feed(newsroom)["state"] == "active"
    reader.send("/feeds/1/edit", "/feeds/1", title="<b>Mine</b>", tags="sport")
    assert (feed(newsroom)["title"], feed(newsroom)["tags"]) == ("<b>Mine</b>", ["sport"])
    assert text_of(reader.get("/feeds", tag="sport"), "//td[@class='text']/a[@data-row]") == ["<b>Mine</b>"]
    assert text_of(reader.get("/feeds", tag="port"), "//td[@class='text']/a[@data-row]") == []
    reader.send("/feeds/1/remove", "/feeds/1", sure="yes")
    assert newsroom.rows(FeedRow) == []
    reader.get("/feeds/1", status=404)


def test_a_feed_that_fails_is_shown_with_its_error(newsroom, reader):
    newsroom.subscribe("/nowhere.xml")
    newsroom.ingest()
    tree = reader.get("/feeds/1")
    assert "404" in " ".join(text_of(tree, "//dl"))
    assert text_of(tree, "//h2[.='Last polls']/following-sibling::div//td[2]") == ["http_404"]


def test_lists_of_feeds_go_out_and_come_in(newsroom, reader):
    newsroom.subscribe("/a.xml", "/b.xml")
    opml = reader.client.get("/feeds.opml")
    assert opml.headers["content-disposition"].startswith("attachment")
    for number in ("1", "2"):
        reader.send(f"/feeds/{number}/remove", f"/feeds/{number}", sure="yes")
    said = reader.send("/feeds/import", "/feeds", files={"file": ("feeds.opml", opml.content)})
    assert "2 feeds added" in text_of(said, "//*[@role='status']")[0]
    assert {row["url"] for row in newsroom.rows(FeedRow)} == {newsroom.web.url("/a.xml"), newsroom.web.url("/b.xml")}


@pytest.mark.parametrize("url", ["", "javascript:alert(1)", "file:///etc/passwd", "http://169.254.169.254/latest"])
def test_what_is_no_feed_is_refused_in_words(newsroom, reader, url):
    form = {"form_token": reader.token("/feeds"), "url": url}
    for path in ("/feeds/discover", "/feeds/subscribe"):
        if path == "/feeds/subscribe" and url.startswith("http"):
            continue  # may be subscribed to: the guard is asked at each poll
        assert reader.client.post(path, data=form).status_code == 400
    assert newsroom.rows(FeedRow) == []


def test_an_address_that_does_not_answer_can_be_added_unread_and_one_that_has_no_feed_cannot(newsroom, reader):
    newsroom.web.routes["/feed.xml"] = status(503)
    form = {"form_token": reader.token("/feeds"), "url": newsroom.web.url("/feed.xml")}
    shown = reader.tree(reader.client.post("/feeds/discover", data=form), status=400)
    assert "http_503" in " ".join(text_of(shown, "//main//p"))
    assert shown.xpath("//form[@action='/feeds/subscribe']/input[@name='url']/@value") == [form["url"]]
    reader.send("/feeds/subscribe", "/feeds", url=form["url"])
    assert feed(newsroom)["url"] == form["url"]
    shown = reader.tree(
        reader.client.post("/feeds/discover", data=form | {"url": newsroom.web.url("/nothing")}), status=400
    )
    assert shown.xpath("//form[@action='/feeds/subscribe']") == []


def test_a_password_in_an_address_is_kept_apart(newsroom, reader):
    reader.send("/feeds/subscribe", "/feeds", url="https://ann:secret@paper.example/rss")
    assert feed(newsroom)["url"] == "https://paper.example/rss"
    for path in ("/feeds", "/feeds/1", "/feeds.opml", "/feeds?format=json"):
        assert "secret" not in reader.client.get(path).text
