"""``news search`` and ``news db reindex`` as a user calls them."""

import json

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from pipeline.cli import main
from pipeline.store.articles.stories import forget_stories
from pipeline.store.connection.engine import reading
from pipeline.store.schema.tables import ArticleStoryRow
from pipeline.store.search.index_build import clear_index, index_missing
from tests.support.archive import FEED, NOW, Archive


@pytest.fixture
def news(engine):
    archive = Archive(engine)
    for name, text in {
        "one": "The harbour board voted.",
        "two": "The harbour\x1b[31m is closed.",
        "three": "Nothing.",
    }.items():
        archive.store(f"https://{name}.example/1", text=text, site=f"{name}.example", published_at=NOW, language="en")
    url = engine.url.render_as_string(hide_password=False)
    return lambda *words: CliRunner().invoke(main, words, env={"NEWS_DATABASE_URL": url}), archive


def test_hits_are_printed_with_site_time_and_the_place_that_matches(news):
    call, _ = news
    result = call("search", "harbour board")
    assert result.exit_code == 0
    assert result.output.splitlines()[:4] == [
        "Headline",
        "one.example · 2026-11-22 12:00 · en",
        "The harbour board voted.",
        "https://one.example/1",
    ]


def test_programs_get_json(news):
    call, _ = news
    (hit,) = json.loads(call("search", "--json", "harbour -board", "--site", "two.example").stdout)
    assert (hit["url"], hit["snippet_matches"]) == ("https://two.example/1", ["harbour"])
    assert json.loads(call("search", "--json", "harbour", "--since", "2026-11-23").stdout) == []


COUNTS = {
    "month": [{"month": "2026-11", "articles": 2}],
    "site": [{"site": "one.example", "articles": 1}, {"site": "two.example", "articles": 1}],
    "language": [{"language": "en", "articles": 2}],
    "feed": [{"feed": FEED, "articles": 2}],
}


@pytest.mark.parametrize("by", COUNTS)
def test_matches_are_counted(news, by):
    call, archive = news
    found = json.loads(call("search", "--json", "--count-by", by, "harbour").stdout)
    assert found == {"total": 2, "counts": COUNTS[by]}
    if by == "feed":
        archive(lambda connection: connection.exec_driver_sql("DELETE FROM entry"))
        found = json.loads(call("search", "--json", "--count-by", by, "harbour").stdout)
        assert found == {"total": 2, "counts": [{"feed": None, "articles": 2}]}


def test_an_article_that_a_feed_announced_under_another_address_counts_for_that_feed_alone(news):
    call, archive = news
    aliases = """INSERT INTO page (url, host, state, alias_of, discovered_at)
        SELECT url || '/amp', host, 'alias', id, discovered_at FROM page"""
    announced = "UPDATE entry SET page_id = (SELECT p.id FROM page AS p WHERE p.alias_of = entry.page_id)"
    for statement in (aliases, announced, "DELETE FROM entry WHERE guid LIKE '%%two.example%%'"):
        archive(lambda connection, statement=statement: connection.exec_driver_sql(statement))
    found = json.loads(call("search", "--json", "--count-by", "feed", "harbour").stdout)
    assert found == {"total": 2, "counts": [{"feed": FEED, "articles": 1}, {"feed": None, "articles": 1}]}


def test_what_says_no_language_is_counted_at_last(news):
    call, archive = news
    archive.store("https://four.example/1", text="Another harbour.", language=None)
    found = json.loads(call("search", "--json", "--count-by", "language", "harbour").stdout)
    assert found["counts"] == [{"language": "en", "articles": 2}, {"language": None, "articles": 1}]


def test_counts_keep_to_what_a_search_is_limited_to(news):
    call, _ = news
    shown = call("search", "--count-by", "site", '"harbour board" after:2026-11', "--site", "one.example")
    assert [line.split() for line in shown.stdout.splitlines()] == [["site", "articles"], ["one.example", "1"]]
    assert shown.stderr == "1 that match\n"
    assert json.loads(call("search", "--json", "--count-by", "site", "harbour before:2026").stdout)["total"] == 0


def test_searches_stand_within_statements(news):
    call, _ = news
    found = "news_search('harb* -board (is OR \"x''y\")')"
    query = f"SELECT a.site, s.rank > 0 AS fits FROM {found} AS s JOIN v_article AS a USING (article_id)"
    (row,) = json.loads(call("sql", "--json", query).stdout)
    assert (row["site"], bool(row["fits"])) == ("two.example", True)
    assert "limit here" in call("sql", "SELECT * FROM news_search('harbour after:2026')").output


def test_it_is_said_how_many_match(news):
    call, _ = news
    assert call("search", "harbour", "--limit", "1").stderr == "1 of 2 that match\n"


def test_control_characters_of_pages_do_not_reach_the_terminal(news):
    call, _ = news
    assert "\x1b" not in call("search", "closed").output


@pytest.mark.parametrize(
    "words", [("search", "-", "(a"), ("search", "a", "--since", "soon"), ("db", "reindex", "--anew")]
)
def test_a_wrong_query_or_option_ends_with_2(news, words):
    call, _ = news
    result = call(*words)
    assert result.exit_code == 2
    assert "Error" in result.output


def test_the_index_can_be_made_anew_and_what_was_broken_off_goes_on(news):
    call, archive = news
    archive(clear_index)
    refused = call("search", "harbour")
    assert (refused.exit_code, "news db upgrade" in refused.output) == (2, True)
    archive(index_missing, None, 2)
    assert call("search", "harbour").exit_code == 2
    assert call("db", "upgrade").output.endswith("\n1 articles indexed for searching\n")
    assert call("db", "reindex", "--batch", "2").output == "3 articles indexed\n"
    assert call("search", "--json", "harbour").stdout.count('"url"') == 2


def test_stories_of_what_was_stored_before_are_found(news):
    call, archive = news
    archive(forget_stories)
    assert call("db", "reindex", "--stories", "--batch", "2").output == "3 articles placed\n"
    assert call("db", "reindex", "--stories").output == "0 articles placed\n"
    assert call("db", "reindex", "--stories", "--anew").output == "3 articles placed\n"
    with reading(archive.engine) as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(ArticleStoryRow)) == 3
