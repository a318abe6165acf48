"""``news status --why`` and ``news retry``, as a user or a program calls them."""

import re
from pathlib import Path

import pytest

from pipeline.classify import CLASSES
from pipeline.cli.queries.status_command import what_to_do
from tests.support.command_line import News
from tests.support.stories import article_page, rss, title
from tests.support.web import Web, in_turn, page, status

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def news(sqlite_url):
    """A crawled archive: two pages that are not there, one that is."""
    with Web() as web:
        web.routes["/1"] = page(article_page(1))
        web.routes["/2"] = in_turn(status(451), page(article_page(2)))
        web.routes["/3"] = status(451)
        feed = rss({web.url(f"/{number}"): title(number) for number in (1, 2, 3)})
        web.routes["/feed.xml"] = page(feed, "application/rss+xml")
        news = News(sqlite_url)
        news("feeds", "add", web.url("/feed.xml"))
        news("ingest")
        yield news


def test_what_failed_is_told_counted_and_put_back(news):
    assert "withheld for legal reasons" in news("status", "--why")
    (stored, failed) = sorted(news.json("status", "--why"), key=lambda row: row["pages"])
    assert (stored["state"], stored["reason"], stored["pages"], stored["what_to_do"]) == ("stored", None, 1, "")
    assert (failed["state"], failed["reason"], failed["pages"]) == ("failed", "http_451", 2)
    assert failed["example"].endswith("/3")

    assert "2 pages would be put back" in news("retry", "--reason", "http_451", "--dry-run")
    assert news.json("retry", "--reason", "http_451", "--limit", "1") == {"pages": 1, "dry_run": False}
    assert news.json("crawl")["new"] == 1
    assert "1 pages put back" in news("retry", "--reason", "http_451", "--state", "failed", "--site", "127.0.0.1")
    assert news.json("crawl")["failed"] == 1
    assert "no such pages" in news("retry", "--reason", "http_500", "--site", "127.0.0.1")
    refused = news("retry", "--reason", "http_451", "--site", "elsewhere.example", code=2)
    assert "no page is of the site 'elsewhere.example'" in refused


def test_a_reason_must_be_given_and_a_state_must_exist(news):
    assert "--reason" in news("retry", code=2)
    assert "--state" in news("retry", "--reason", "x", "--state", "lost", code=2)


def given_reasons():
    """Every reason that the package gives, as far as they are written out in it."""
    classes = {row.name for row in CLASSES.values() if not row.is_stored}
    source = "".join(path.read_text() for path in (ROOT / "pipeline").rglob("*.py") if "parse" not in path.parts)
    quoted = r'(?:ExtractError|NoArticle)\([\w.]+, "(\w+)"|Failure\(\s*"(\w+)"'
    return sorted(classes | {"".join(found) for found in re.findall(quoted, source)})


@pytest.mark.parametrize("reason", [*given_reasons(), "http_404", "http_418", "http_503", "robots"])
def test_for_every_reason_there_is_something_to_do(reason):
    assert what_to_do("failed", reason) != what_to_do("failed", "something unheard of")
    assert "again by itself" in what_to_do("queued", reason)
