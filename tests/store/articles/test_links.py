"""Links and pictures are stored with an article, go with its text, and are shown as rows, on both databases."""

import pytest

from pipeline.model import Reference
from pipeline.store.schema.tables import ArticleRow
from tests.support.archive import HOUR, NOW, Archive
from tests.support.views import rows

URL = "https://news.example/1"
LINKS = (Reference("https://www.port.example:8443/board?x=1", 'the "board"'), Reference("https://é.example/", "é 港"))
PICTURES = (Reference("https://img.example/Quay.jpg?w=9", ""),)


@pytest.fixture
def archive(engine):
    return Archive(engine)


def stored(archive):
    (row,) = archive.rows(ArticleRow)
    return row["links"], row["pictures"]


def test_each_link_and_picture_is_a_row(archive):
    archive.store(URL, links=LINKS, pictures=PICTURES)
    archive.store("https://news.example/2", text="Of a feed, that says nothing of links.")
    assert rows(archive.engine, "v_article_link", "position", "target_url", "target_site", "text", "url") == [
        (1, LINKS[0].url, "port.example", 'the "board"', URL),
        (2, LINKS[1].url, "é.example", "é 港", URL),
    ]
    assert rows(archive.engine, "v_article_picture", "position", "picture_url", "text", "site") == [
        (1, PICTURES[0].url, "", "news.example")
    ]


def test_links_go_with_the_text_and_are_no_news(archive):
    archive.store(URL, links=LINKS, pictures=PICTURES)
    before = archive.rows(ArticleRow)[0]["updated_at"]
    assert archive.store(URL, links=LINKS[1:], pictures=PICTURES, now=NOW + HOUR).decision == "unchanged"
    assert stored(archive) == ([[*LINKS[1]]], [[*PICTURES[0]]])
    assert archive.rows(ArticleRow)[0]["updated_at"] > before
    assert rows(archive.engine, "v_changes", "kind") == [("new",)]
    edited = {"text": "Other words of another day.", "now": NOW + 2 * HOUR}
    assert archive.store(URL, links=(), pictures=(), **edited).decision == "revised"
    assert stored(archive) == ([], [])


def test_links_that_are_known_later_are_filled_in_and_stay_where_they_are_not_read_again(archive):
    archive.store(URL)
    assert stored(archive) == (None, None)
    archive.store(URL, links=LINKS, pictures=(), now=NOW + HOUR)
    archive.store(URL, source="feed", now=NOW + 2 * HOUR)
    assert stored(archive) == ([[*link] for link in LINKS], [])


def test_the_beginning_of_a_page_takes_no_links_from_what_a_feed_carried_whole(archive):
    archive.store(URL, text="One two three four five six.", source="feed")
    less = {"text": "One two three.", "page_class": "paywall", "links": LINKS, "pictures": ()}
    assert archive.store(URL, now=NOW + HOUR, **less).decision == "unchanged"
    assert stored(archive) == (None, None)
