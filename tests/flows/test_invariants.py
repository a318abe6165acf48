"""What ARCHITECTURE.md says of every run, where no other test shows it."""

import sqlite3
import time
from contextlib import closing
from datetime import timedelta

import pytest
import sqlalchemy as sa

from pipeline.store.connection.engine import open_engine
from tests.support.newsroom import XML, Pipeline
from tests.support.stories import article_page
from tests.support.web import Web, page

PATIENCE = timedelta(seconds=8)
"""What other tasks of the run have begun ends within that; a transaction around the request would outlast it. Less than
the time-out of the request."""


@pytest.fixture
def newsroom(database_url):
    with Web(addresses=("127.0.0.1", "127.0.0.2")) as web:
        pipeline = Pipeline(web, database_url)
        yield pipeline
        pipeline.engine.dispose()


def has_no_transaction(url):
    """Whether the database comes to rest with nothing open in it, while whoever asked waits for our answer."""
    end_at = time.monotonic() + PATIENCE.total_seconds()
    while not (is_at_rest := is_postgresql_at_rest(url) if url.startswith("postgresql") else is_sqlite_at_rest(url)):
        if time.monotonic() > end_at:
            break
        time.sleep(0.05)
    return is_at_rest


def is_postgresql_at_rest(url):
    others = "datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
    engine = open_engine(url)
    with engine.connect() as connection:
        number = connection.scalar(sa.text(f"SELECT count(*) FROM pg_stat_activity WHERE {others}"))
    engine.dispose()
    return number == 0


def is_sqlite_at_rest(url):
    """Nobody writes, and nobody reads a state of before: the log of writes can be emptied."""
    with closing(sqlite3.connect(sa.make_url(url).database, timeout=0, isolation_level=None)) as connection:
        (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return busy == 0


def test_no_transaction_is_open_while_a_server_is_waited_for(newsroom):
    seen = {}

    def watched(path, route):
        def answer(request):
            seen[path] = has_no_transaction(newsroom.url)
            return route(request)

        newsroom.web.routes[path] = answer

    newsroom.subscribe("/feed.xml")
    watched("/feed.xml", page(newsroom.feed_of(1, 2), XML))
    watched("/robots.txt", page("User-agent: *\nDisallow: /private/", "text/plain"))
    for number in (1, 2):
        watched(f"/{number}", page(article_page(number)))
    assert newsroom.ingest().new == 2
    assert seen == {"/feed.xml": True, "/robots.txt": True, "/1": True, "/2": True}
