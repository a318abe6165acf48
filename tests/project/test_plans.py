"""On a filled archive no statement of the manual and no key of a view makes either database read a whole table.

What they plan is looked at, on thousands of articles with the statistics of those: none is talked into an index.
"""

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from bench.archive import fill
from pipeline.store.queries.known_lists import ARTICLES
from pipeline.store.queries.view_lists import write_sql
from pipeline.store.schema.views import VIEWS
from pipeline.store.search.in_sql import put_searches
from tests.support.plans import scanned_tables

DOCS = Path(__file__).resolve().parents[2] / "docs"
SMALL = {"feed", "host", "change_clock"}
"""Tables that do not grow with the archive."""

# Periods of the manual in the month with which the filled archive ends, and feeds and hosts that it has.
HERE = {"2026-11-": "2026-10-", "feed_id = 1 ": "feed_id = 50 ", "'two.example'": "'site150.example'"}


def statements():
    """The manual's statements by page and what they begin with."""
    for page in ("queries", "questions"):
        for statement in re.findall(r"```sql\n(.*?)```", (DOCS / f"{page}.md").read_text("utf-8"), re.DOTALL):
            asked = statement
            for shown, here in HERE.items():
                asked = asked.replace(shown, here)
            yield f"{page}: {' '.join(statement.split())[:60]}", asked
    yield (
        "stories of the articles of a site",
        "SELECT s.title FROM v_article AS a JOIN v_story_article AS m ON m.article_id = a.article_id"
        " JOIN v_story AS s ON s.story_id = m.story_id WHERE a.site = 'site150.example'",
    )
    for given in ({"language": "eo"}, {"page_class": "live_blog"}, {"page_class": "live_blog", "language": "en"}):
        yield f"a list of articles: {given}", write_sql(ARTICLES.select(given, 50), "postgresql")


MAY_SCAN = {
    "v_feed_delay": ({"entry", "page"}, "ranks the entries of all feeds by their delay"),
    "v_source_daily": ({"page", "entry"}, "reads the first and the last page, in the order of their numbers"),
    "FROM v_article_author": ({"article_author"}, "a month's authors: a twelfth of all, and the archive is small here"),
    "wörter*": ({"article_search"}, "PostgreSQL does not know how few words begin so, and its index is small here"),
}
"""What statements read whole all the same, by a part of them, and why."""


KEYS = {
    **dict.fromkeys(("article_id", "page_id", "revision_id", "correction_id", "entry_id", "raw_id"), 7),
    **dict.fromkeys(("story_id", "duplicate_of", "refers_to"), 7),
    "feed_id": 150,
    "site": "site150.example",
    "host": "www.site150.example",
    "author": "Author 0150",
    "tag": "tag150",
    **dict.fromkeys(("url", "leads_to"), "https://www.site150.example/2026/10/01/9"),
    "feed_url": "https://www.site150.example/feed.xml",
    "agency": "AP",
    "content_hash": "0" * 64,
    "cursor": "0000000000000000000000000000",
}

NO_KEYS = {
    "v_article.story_id": "of two tables, for an article whose story is not known yet; v_story_article has an index",
    "v_revision.content_hash": "copies are asked of v_article",
    "v_article_version.content_hash": "copies are asked of v_article",
    "v_changes.url": "of two tables, for what was deleted; article_id has an index",
    "v_changes.site": "the same",
    "v_feed_delay.url": "the delays of all feeds are ranked at once",
    "v_raw.url": "page_id has an index, and v_ledger knows it of a URL",
}
"""Columns that look like keys, and lead to no index; docs/queries.md says which to ask instead."""

NO_KEYS_ON_SQLITE = {"v_entry.article_id", "v_raw.article_id", "v_feed_delay.feed_id"}
"""SQLite does not begin with the article of what may be without a page: page_id has an index there, too."""


@pytest.fixture
def filled(engine):
    """Some thousand articles of a year, with notices of corrections and answers that are kept."""
    fill(engine, 4_000)
    kept = "page_id, kind, url, status, fetched_at, file, file_offset, file_length, record_id, digest"
    with engine.begin() as connection:
        connection.exec_driver_sql(
            f"INSERT INTO raw ({kept}) SELECT id, 'page', url, 200, fetched_at, 'a.warc.gz', id, 9, id, id FROM page"
        )
        connection.exec_driver_sql(
            "INSERT INTO article_correction (article_id, revision, notice, seen_at)"
            " SELECT id, 1, 'A name.', first_seen_at FROM article"
        )
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("ANALYZE"))
    return engine


def test_an_index_that_is_made_for_one_statement_is_a_scan(engine):
    statement = "SELECT a.url FROM host AS h LEFT JOIN article AS a ON a.description = h.name"
    assert "article" in scanned_tables(engine, statement)


def test_what_is_asked_reaches_indexes(filled):
    """All in one test, since filling an archive takes long."""
    for name, statement in statements():
        allowed = set().union(*(tables for part, (tables, _) in MAY_SCAN.items() if part in statement))
        assert scanned_tables(filled, put_searches(statement, filled.dialect.name)) - SMALL - allowed == set(), name
    unreached = set()
    for view in VIEWS:
        for column in {column.name for column in view.columns} & {*KEYS}:
            query = f"SELECT * FROM {view.name} WHERE {column} = {KEYS[column]!r}"
            if scanned_tables(filled, query) - SMALL:
                unreached.add(f"{view.name}.{column}")
    assert unreached == {*NO_KEYS} | (NO_KEYS_ON_SQLITE if filled.dialect.name == "sqlite" else set())
