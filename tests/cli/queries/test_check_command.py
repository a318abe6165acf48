"""What monitors read of `news check`: exit codes, lines and JSON."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from pipeline.cli import main
from pipeline.store.connection.engine import open_engine
from pipeline.store.schema.tables import FeedRow, PageRow, PollRow
from tests.support.archive import Archive
from tests.support.command_line import News

PERFORMANCE = re.compile(r"[a-z_]+=-?[0-9.e+]+;[0-9.e+]+:?;[0-9.e+]+:?")


@pytest.fixture
def news(sqlite_url):
    engine = open_engine(sqlite_url)
    archive = Archive(engine)
    archive.store("https://news.example/1")
    now = datetime.now(UTC)
    for statement in (
        sa.update(PollRow).values(polled_at=now),
        sa.update(PageRow).values(fetched_at=now, next_fetch_at=now + timedelta(hours=1)),
    ):
        archive(lambda connection, statement: connection.execute(statement), statement)
    news = News(sqlite_url)
    news.env |= {"NEWS_CHECK_DISK": "0"}
    news.archive = archive
    yield news
    engine.dispose()


def check(news, *words, **env):
    result = CliRunner().invoke(main, ["check", *words], env=news.env | env)
    return result.exit_code, result.stdout


def test_an_archive_that_is_well_is_ok(news):
    code, output = check(news)
    first, *lines = output.splitlines()
    assert (code, first) == (0, "NEWS OK - all 10 checks are well")
    assert len(lines) == 10
    for line in lines:
        assert re.fullmatch(rf"OK [a-z_]+: [^|]+ \| {PERFORMANCE.pattern}", line), line


def test_a_warning_is_1_and_the_first_line_names_it(news):
    news.archive(lambda connection: connection.execute(sa.update(FeedRow).values(state="gone")))
    code, output = check(news)
    assert code == 1
    assert output.splitlines()[0] == "NEWS WARNING - 1 of 10 checks are not well; gone_feeds: 1 feeds are gone"
    assert "WARNING gone_feeds: 1 feeds are gone | gone_feeds=1;1;10" in output


def test_limits_are_settings(news):
    assert check(news, NEWS_CHECK_LAST_RUN="0,0")[0] == 2
    news.archive(lambda connection: connection.execute(sa.update(FeedRow).values(state="gone")))
    assert check(news, NEWS_CHECK_GONE_FEEDS="2,3")[0] == 0


def test_the_same_as_json(news):
    code, output = check(news, "--json", NEWS_CHECK_LAST_RUN="0,0")
    found = json.loads(output)
    assert (code, found["level"], len(found["checks"])) == (2, "critical", 10)
    (bad,) = [one for one in found["checks"] if one["level"] != "ok"]
    assert (bad["name"], bad["limits"]) == ("last_run", [0, 0])


def test_a_database_that_is_not_there_is_unknown_and_stays_away(tmp_path):
    news = News(f"sqlite:///{tmp_path}/none.db")
    code, output = check(news)
    assert code == 3
    assert output.startswith("NEWS UNKNOWN - ")
    assert check(news, "--json")[0] == 3
    assert list(tmp_path.iterdir()) == []


def test_looking_at_a_database_that_is_not_there_makes_none(tmp_path):
    news = News(f"sqlite:///{tmp_path}/none.db")
    for words in (["status"], ["feeds", "list"], ["show", "https://a.example/"], ["search", "x"]):
        assert "news db upgrade" in news(*words, code=2)
    assert list(tmp_path.iterdir()) == []
