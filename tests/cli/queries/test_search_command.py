"""``news search`` and ``news db reindex`` as a user calls them."""

import json

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from pipeline.cli import main
from pipeline.store.engine import reading
from pipeline.store.stories import forget_all
from pipeline.tables import ArticleStoryRow
from tests.test_store import NOW, Archive


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


def test_the_index_can_be_made_anew(news):
    call, archive = news
    if archive.engine.dialect.name == "sqlite":
        archive(
            lambda connection: connection.exec_driver_sql(
                "INSERT INTO article_search (article_search) VALUES ('delete-all')"
            )
        )
    else:
        archive(lambda connection: connection.exec_driver_sql("DELETE FROM article_search"))
    assert call("search", "harbour").output == "nothing was found\n"
    assert call("db", "reindex", "--batch", "2").output == "3 articles indexed\n"
    assert call("search", "--json", "harbour").stdout.count('"url"') == 2


def test_stories_of_what_was_stored_before_are_found(news):
    call, archive = news
    archive(forget_all)
    assert call("db", "reindex", "--stories", "--batch", "2").output == "3 articles placed\n"
    assert call("db", "reindex", "--stories").output == "0 articles placed\n"
    assert call("db", "reindex", "--stories", "--anew").output == "3 articles placed\n"
    with reading(archive.engine) as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(ArticleStoryRow)) == 3
