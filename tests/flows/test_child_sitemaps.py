"""A sitemap index is polled with its newest sitemaps, on a real server and both databases."""

import gzip

import pytest

from pipeline.ingest.child_sitemaps import MAX_FOLLOWED
from pipeline.store.schema.tables import EntryRow, FeedRow, PollRow
from tests.support.newsroom import Pipeline
from tests.support.stories import article_page
from tests.support.web import Web, page, status

XML = "application/xml"


@pytest.fixture
def newsroom(database_url):
    with Web(addresses=("127.0.0.1",)) as web:
        pipeline = Pipeline(web, database_url)
        yield pipeline
        pipeline.engine.dispose()


def index(newsroom, *days):
    """An index of one sitemap a day, at /DAY.xml.gz."""
    return "<sitemapindex>{}</sitemapindex>".format(
        "".join(
            f"<sitemap><loc>{newsroom.web.url(f'/{day}.xml.gz')}</loc><lastmod>2024-03-{day:02}</lastmod></sitemap>"
            for day in days
        )
    )


def sitemap(newsroom, day, *numbers):
    """The sitemap of a day with these articles, compressed."""
    urls = (
        f"<url><loc>{newsroom.web.url(f'/{number}')}</loc><lastmod>2024-03-{day:02}</lastmod></url>"
        for number in numbers
    )
    return page(gzip.compress(f"<urlset>{''.join(urls)}</urlset>".encode()), "application/gzip")


def serve(newsroom, *days):
    newsroom.web.routes["/index.xml"] = page(index(newsroom, *days), XML)
    for day in days:
        newsroom.web.routes[f"/{day}.xml.gz"] = sitemap(newsroom, day, day)
        newsroom.web.routes[f"/{day}"] = page(article_page(day))
    newsroom.subscribe("/index.xml")


def test_the_newest_sitemaps_of_an_index_are_read_with_it(newsroom):
    serve(newsroom, *range(1, MAX_FOLLOWED + 4))
    totals = newsroom.ingest()
    assert (totals.polls, totals.entries_new, totals.new) == (1, MAX_FOLLOWED, MAX_FOLLOWED)
    asked = [path for path in newsroom.web.paths if path.endswith((".gz", "index.xml"))]
    assert asked == ["/index.xml", *(f"/{day}.xml.gz" for day in range(MAX_FOLLOWED + 3, 3, -1))]


def test_an_index_that_did_not_change_does_not_hide_what_its_sitemaps_bring(newsroom):
    serve(newsroom, 1)
    newsroom.ingest()
    newsroom.web.routes["/1.xml.gz"] = sitemap(newsroom, 1, 1, 2)
    newsroom.web.routes["/2"] = page(article_page(2))
    assert newsroom.ingest().entries_new == 1
    assert [row["outcome"] for row in newsroom.rows(PollRow)] == ["read", "read"]


def test_a_sitemap_that_cannot_be_had_costs_no_other(newsroom):
    serve(newsroom, 1, 2, 3)
    newsroom.web.routes["/3.xml.gz"] = status(404)
    newsroom.web.routes["/2.xml.gz"] = page("<html></html>")
    newsroom.ingest()
    assert [row["guid"] for row in newsroom.rows(EntryRow)] == [newsroom.web.url("/1")]


def test_an_index_of_which_no_sitemap_can_be_had_has_failed(newsroom):
    serve(newsroom, 1, 2)
    for day in (1, 2):
        newsroom.web.routes[f"/{day}.xml.gz"] = status(404)
    newsroom.ingest()
    assert newsroom.rows(PollRow)[0]["outcome"] == "unparsable"
    assert newsroom.rows(FeedRow)[0]["state"] != "gone"
