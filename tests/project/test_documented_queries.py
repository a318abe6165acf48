"""Every query of docs/queries.md runs on both databases, and gives what it says."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipeline.errors import FetchError
from pipeline.model import Entry, Reference
from pipeline.schedule.pages import after_error
from pipeline.store.connection.engine import reading
from pipeline.store.feeds.polls import Poll
from pipeline.store.feeds.subscriptions import make_feeds_due
from pipeline.store.frontier.page_outcomes import record_page
from pipeline.store.queries.change_log import newest_cursor
from pipeline.store.schema.tables import HostRow
from pipeline.store.schema.views import VIEWS
from pipeline.store.search.in_sql import put_searches
from tests.support.archive import (
    FEED,
    HOUR,
    LEASE,
    MINUTE,
    NOW,
    POLICY,
    POLLING,
    Archive,
    claim_feed,
    record_poll,
    scope,
)
from tests.support.views import settle_stories

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/queries.md").read_text()
SQL = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
WEEK = timedelta(days=7)

TESTED = {"docs/schema.md", "docs/queries.md", "docs/questions.md", "docs/politeness.md", "docs/export.md"}
"""Pages whose queries are run, here, by test_questions.py, test_manual.py or test_deployment.py beside it."""


@pytest.fixture
def archive(engine):
    """Two sites with a copy, an edit and a page that was not found; a third that fell silent; a feed that failed."""
    archive = Archive(engine)
    for weeks, host in ((2, "www.quiet.example"), (1, "quiet.example:8080")):
        for number in (1, 2):
            url = f"https://{host}/{weeks}/{number}"
            archive.store(url, site="quiet.example", text=f"Text {weeks} {number}.", now=NOW - weeks * WEEK)
    dated = {"from": "json-ld", "sure": 0.5, "others": [["url", "2026-11-20"], ["feed", "2026-11-21T00:00:00+00:00"]]}
    told = {
        "shape": "p",
        "provenance": {"title": {"from": "h1", "sure": 0.75}, "published_at": dated},
        "access": "free",
    }
    archive.store("https://one.example/a", site="one.example", language="en", **told)
    by = {
        "links": (Reference("https://one.example/a", "a report"), Reference("https://two.example/x", "x")),
        "shape": "q",
        "authors": ("Ada Ruiz", "Bo Lind"),
        "provenance": {"published_at": {"from": "feed", "sure": 0.25}},
    }
    archive.store("https://two.example/b", site="two.example", language="en", **by)
    fields = {"site": "two.example", "language": "de", "authors": (), "tags": (), "access": "paid"}
    fields |= {"published_at": NOW + MINUTE, "corrections": ("Korrektur: der Name.",)}
    archive.store("https://two.example/c", text="Ein anderer Text.", **fields)
    archive.store("https://two.example/c", text="Noch ein Text, jetzt mit mehr Wörtern.", now=NOW + MINUTE, **fields)
    archive.poll(Entry(guid="d", url="https://two.example/d"), now=NOW + MINUTE)
    page = archive.claim(host="two.example", now=NOW + MINUTE)
    lost = after_error(page, FetchError(page.url, "http_404", temporary=False, status=404), NOW, POLICY)
    archive(record_page, page, "w", lost, NOW)
    archive(make_feeds_due, NOW + HOUR)
    feed = archive(claim_feed, scope(NOW + HOUR), "feeds.news.example", "w", NOW + HOUR, LEASE)
    archive(record_poll, Poll(feed, NOW + HOUR, "timeout", failed=True), POLLING)
    settle_stories(engine)
    return archive


EXPECTED = [
    [("one.example", "en", 1, 4), ("two.example", "de", 1, 7)],
    [
        ("Headline", None, None, "https://two.example/c"),
        ("Headline", "Ada Ruiz; Bo Lind", "port; tides", "https://two.example/b"),
    ],
    [("Ada Ruiz", 6, 3), ("Bo Lind", 1, 1)],
    [("https://two.example/c", 2, "text", "Headline", "Headline", 4)],
    [
        ("https://two.example/b", "Headline", "One two three four."),
        ("https://two.example/c", "Headline", "Ein anderer Text."),
    ],
    [
        *(("new", number, 1) for number in range(1, 8)),
        ("revised", 7, 2),
    ],
    [(FEED, "failing", "timeout", 1, 6, 1, 0)],
    [("quiet.example", 0, 0, 0, 2.0, -1.0)],
    [("Headline", "one.example", None, 2, 2)],
    [
        ("one.example", None, "first", None, "https://one.example/a"),
        ("two.example", None, "copy", 1.0, "https://two.example/b"),
    ],
    [("failed", "http_404", 1, "https://two.example/d")],
    [("https://one.example/a", None, "json-ld", "feed", "2026-11-21T00:00:00+00:00")],
    [("published_at", 2.0, 0.375, 1.0), ("title", 1.0, 0.75, 0.0)],
    [("https://two.example/c", "Headline", "Korrektur: der Name.")],
    [("two.example", 1, 1.0), ("one.example", 1, 0.0)],
    [("one.example", "paragraph", 1, 1), ("two.example", "quote", 1, 1)],
    [("https://one.example/a", 1, "a report")],
    [("https://two.example/b", "a report", "https://one.example/a", "Headline")],
    [("2026-11", "one.example", 1), ("2026-11", "two.example", 1)],
    [
        ("one.example", "Ada Ruiz", "Headline", "https://one.example/a"),
        ("two.example", None, "Headline", "https://two.example/c"),
    ],
]
FROM = (0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0)
"""Columns before these are left out: times that the databases give in types of their own, and cursors."""


@pytest.mark.parametrize(
    ("query", "expected", "first"), list(zip(SQL, EXPECTED, FROM, strict=True)), ids=map(str, range(1, 21))
)
def test_the_queries_answer(archive, query, expected, first):
    if archive.engine.dialect.name == "sqlite":  # as news sql does; PostgreSQL has the function
        query = put_searches(query, "sqlite")
    with reading(archive.engine) as connection:
        rows = [tuple(row)[first:] for row in connection.exec_driver_sql(query.replace("%", "%%"))]
    found = [tuple(float(value) if first == 0 and is_decimal(value) else value for value in row) for row in rows]
    kept = [row for row in found if row[0] != "story"]
    assert [row[: len(expected[0])] for row in kept] == expected


def is_decimal(value):
    return type(value).__name__ == "Decimal"


def test_what_the_text_says_to_begin_with_runs_too(archive):
    (query,) = re.findall(r"`(SELECT max\(cursor\) FROM v_changes)`", PAGE)
    with reading(archive.engine) as connection:
        assert connection.scalar(sa.text(query)) == newest_cursor(connection)


def test_what_was_current_changes_at_the_very_moment_of_the_edit(archive):
    for moment, text in (("12:00:59.999999", "Ein anderer"), ("12:01:00.000000", "Noch ein")):
        query = SQL[4].replace("12:00:30.000000", moment)
        assert query != SQL[4]
        with reading(archive.engine) as connection:
            found = {url: said for url, _, said in connection.execute(sa.text(query))}
        assert found["https://two.example/c"].startswith(text)


@pytest.mark.postgres
def test_the_short_form_for_what_was_current_gives_the_same(archive):
    if archive.engine.dialect.name != "postgresql":
        pytest.skip("a function of PostgreSQL")
    (call,) = re.findall(r"`(v_article_as_of\(.*?\))`", PAGE)
    with reading(archive.engine) as connection:
        rows = connection.execute(sa.text(f"SELECT url, title, text FROM {call} WHERE site = 'two.example' ORDER BY 1"))
        assert [tuple(row) for row in rows] == EXPECTED[4]


def test_the_page_names_all_views():
    named = set(re.findall(r"`(v_[a-z_]+)`", PAGE))
    assert {view.name for view in VIEWS} <= named


def test_the_hosts_that_made_us_slow_down_are_found(archive):
    (query,) = re.findall(r"```sql\n(.*?)```", (ROOT / "docs/politeness.md").read_text(), re.DOTALL)
    with archive.engine.begin() as connection:
        connection.execute(sa.update(HostRow).where(HostRow.name == "two.example").values(strain=4, pause=8))
        assert [tuple(row)[:3] for row in connection.execute(sa.text(query))] == [("two.example", 8, 4)]
