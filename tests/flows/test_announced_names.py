"""Whom an entry names, and under which tags, on its way from the feed into the archive."""

import pytest
import sqlalchemy as sa

from pipeline.store.connection.engine import reading
from pipeline.store.schema.tables import ArticleAuthorRow, ArticleRow, ArticleTagRow, EntryRow
from tests.support.newsroom import XML, Pipeline, serve_with_contents
from tests.support.web import Web, page, status


@pytest.fixture
def newsroom(database_url):
    with Web() as web:
        pipeline = Pipeline(web, database_url)
        yield pipeline
        pipeline.engine.dispose()


def serve_named(newsroom):
    """A feed with the whole text, its authors and tags, of a page that cannot be had."""
    serve_with_contents(newsroom, 1)
    document = newsroom.web.routes["/feed.xml"](None).body.decode()
    named = (
        '<dc:creator xmlns:dc="http://purl.org/dc/elements/1.1/">Ada Ruiz</dc:creator>'
        "<category>Harbour</category><category>Piers &amp; quays</category></item>"
    )
    newsroom.web.routes["/feed.xml"] = page(document.replace("</item>", named, 1), XML)
    newsroom.web.routes["/1"] = status(402)


def test_the_entry_keeps_them_and_the_article_of_the_feed_has_them(newsroom):
    serve_named(newsroom)
    newsroom.ingest()
    (entry,) = newsroom.rows(EntryRow)
    assert (entry["authors"], entry["tags"]) == (["Ada Ruiz"], ["Harbour", "Piers & quays"])
    (article,) = newsroom.rows(ArticleRow)
    assert (article["source"], article["authors"]) == ("feed", ["Ada Ruiz"])
    assert article["tags"] == ["Harbour", "Piers & quays"]
    with reading(newsroom.engine) as connection:
        assert list(connection.scalars(sa.select(ArticleAuthorRow.name))) == ["Ada Ruiz"]
        assert set(connection.scalars(sa.select(ArticleTagRow.tag))) == {"Harbour", "Piers & quays"}


def test_an_entry_that_names_nobody_has_empty_lists(newsroom):
    serve_with_contents(newsroom, 1)
    newsroom.ingest(kinds=frozenset({"poll"}))
    (entry,) = newsroom.rows(EntryRow)
    assert (entry["authors"], entry["tags"]) == ([], [])
