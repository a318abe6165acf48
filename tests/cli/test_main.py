"""The command line, as a user or a program calls it."""

import gzip
import json
import os
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from pipeline.cli import main
from tests.support.command_line import News
from tests.support.commands import all_commands
from tests.support.stories import PUBLISHED_AT, article_page, paragraphs, rss, title
from tests.support.web import Web, page, status


@pytest.fixture
def news(sqlite_url):
    return News(sqlite_url)


@pytest.fixture
def web():
    with Web() as web:
        for number in (1, 2):
            web.routes[f"/{number}"] = page(article_page(number))
        web.routes["/feed.xml"] = page(
            rss({web.url(f"/{number}"): title(number) for number in (1, 2)}), "application/rss+xml"
        )
        yield web


COMMANDS = {" ".join(("news", *words)): (words, command) for words, command in all_commands()}


@pytest.mark.parametrize(("words", "command"), COMMANDS.values(), ids=COMMANDS)
def test_every_command_explains_itself_with_examples(words, command):
    result = CliRunner().invoke(main, [*words, "--help"])
    assert result.exit_code == 0
    assert "Usage: " in result.output
    if not isinstance(command, click.Group) or command is main:
        assert "Example" in result.output


def test_a_database_is_made_and_brought_up_to_date(tmp_path):
    news = News(f"sqlite:///{tmp_path}/deep/new.db")
    assert "news db upgrade" in news("status", code=2)
    assert "nothing → 0" in news("db", "upgrade")
    assert "already at revision" in news("db", "upgrade")
    assert news.json("status")["articles"]["stored"] == 0
    news("db", "downgrade", "base", "--yes")
    assert "news db upgrade" in news("status", code=2)


def test_feeds_are_added_listed_paused_resumed_and_removed(news):
    assert "1 feeds added" in news("feeds", "add", "--no-check", "https://a.example/feed", "--title", "A", "--tag", "x")
    assert "0 feeds added, 1 were there" in news("feeds", "add", "--no-check", "https://a.example/feed")
    (feed,) = news.json("feeds", "list")
    assert (feed["title"], feed["tags"], feed["state"]) == ("A", ["x"], "active")
    news("feeds", "pause", feed["id"])
    assert news.json("feeds", "list", "--state", "paused")[0]["url"] == "https://a.example/feed"
    news("feeds", "resume", "https://a.example/feed")
    assert news.json("feeds", "show", feed["id"])["state"] == "active"
    assert "https://a.example/feed" in news("feeds", "list")
    news("feeds", "remove", "--yes", feed["id"])
    assert news.json("feeds", "list") == []


def test_subscriptions_travel_as_opml_and_as_a_plain_list(news, tmp_path):
    news("feeds", "import", "-", stdin="# mine\nhttps://a.example/feed\n\nhttps://b.example/feed\n")
    news("feeds", "add", "--no-check", "https://c.example/feed", "--title", "C & D", "--tag", "far/away")
    news("feeds", "export", "-o", tmp_path / "feeds.opml")
    other = News(f"sqlite:///{tmp_path}/other.db")
    other("db", "upgrade")
    assert "3 feeds added" in other("feeds", "import", tmp_path / "feeds.opml")
    known = [{key: row[key] for key in ("url", "title", "tags")} for row in news.json("feeds", "list")]
    assert [{key: row[key] for key in ("url", "title", "tags")} for row in other.json("feeds", "list")] == known
    assert sorted(other("feeds", "export", "--plain").split()) == sorted(row["url"] for row in known)


def test_an_import_takes_what_is_usable_names_the_rest_and_is_done_in_part(news):
    feeds = "".join(f"https://a.example/{number}\n" for number in range(600))
    said = news("feeds", "import", "-", stdin=f"{feeds}newsletter:12:daily\n", code=1)
    assert "600 feeds added" in said
    assert "line 601: 'newsletter:12:daily'" in said
    assert len(news("feeds", "export", "--plain").split()) == 600


@pytest.mark.parametrize(
    "args",
    [
        ("feeds", "add", "ftp://a.example/feed"),
        ("feeds", "add", "not an address"),
        ("feeds", "show", "7"),
        ("feeds", "pause", "https://unknown.example/"),
        ("feeds", "import", "no-such-file.opml"),
        ("show", "nonsense"),
        ("ingest", "--pages", "-1"),
        ("nonsense",),
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_is_said_so_with_exit_code_2(news, args):
    assert "Error: " in news(*args, code=2)


def test_a_wrong_setting_is_exit_code_2_and_names_the_variable(news):
    assert "NEWS_LEASE" in news("status", code=2, NEWS_LEASE="soon")


def test_a_database_that_is_not_there_is_exit_code_1_without_a_traceback(news):
    output = news("status", code=1, NEWS_DATABASE_URL="postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert "the database cannot be used" in output
    assert "Traceback" not in output


def test_the_main_job_from_feed_to_article(news, web):
    news("feeds", "add", web.url("/feed.xml"))
    assert news.json("ingest")["new"] == 2
    assert news.json("ingest")["pages"] == 0
    found = news.json("status")
    assert found["pages"] == {"stored": 2}
    assert found["articles"]["stored"] == 2
    told = news("status")
    assert "stored 2" in told
    shown = news.json("show", web.url("/1"))
    assert shown["article"]["text"].split("\n\n") == paragraphs(1)
    assert shown["announced_by"][0]["feed_title"] == "Test Courier"
    assert paragraphs(1)[0][:60] in news("show", web.url("/1")).replace("\n", " ")
    assert "was never seen" in news("show", web.url("/3"), code=1)


def test_polling_and_crawling_apart(news, web):
    news("feeds", "add", web.url("/feed.xml"))
    assert "entries new 2" in news("poll")
    assert news.json("crawl", "--pages", "1")["new"] == 1
    assert "new 1" in news("crawl")


def test_when_every_poll_fails_the_exit_code_is_1(news, web):
    web.routes["/feed.xml"] = status(500)
    news("feeds", "add", web.url("/feed.xml"))
    assert "every poll failed" in news("ingest", code=1)


def test_settings_are_shown_with_their_source(news):
    rows = {row["variable"]: row for row in news.json("config", NEWS_LEASE="7")}
    assert (rows["NEWS_LEASE"]["value"], rows["NEWS_LEASE"]["source"]) == ("7", "environment")
    assert "NEWS_HOST_DELAY" in news("config")


def test_a_variable_that_is_no_setting_is_pointed_out(news):
    result = CliRunner().invoke(main, ["config"], env=news.env | {"NEWS_LAESE": "1"})
    assert "NEWS_LAESE" in result.stderr


def test_articles_are_extracted_from_saved_pages(news, tmp_path):
    (tmp_path / "1.html").write_text(article_page(1))
    (tmp_path / "2.html.gz").write_bytes(gzip.compress(article_page(2).encode()))
    (tmp_path / "3.html").write_text("<html><body><p>Hi.</p></body></html>")
    lines = [
        {"id": "a", "url": "https://news.example/1", "path": str(tmp_path / "1.html")},
        {"id": "b", "url": "https://news.example/2", "path": str(tmp_path / "2.html.gz")},
        {"id": "c", "url": "https://news.example/3", "path": str(tmp_path / "3.html")},
    ]
    output = news("extract", "--jobs", "2", stdin="".join(json.dumps(line) + "\n" for line in lines))
    answers = {answer["id"]: answer for answer in map(json.loads, output.splitlines())}
    assert answers["a"]["text"].split("\n\n") == paragraphs(1)
    assert answers["b"]["title"] == title(2)
    assert answers["a"]["published_at"][:10] == PUBLISHED_AT.date().isoformat()
    assert set(answers["a"]) >= {"id", "url", "title", "authors", "published_at", "language", "text", "removed"}
    assert set(answers["c"]) >= {"id", "url", "title", "authors", "published_at", "language", "text", "removed"}
    assert answers["c"]["error"]


def test_a_page_that_cannot_be_read_is_reported_and_does_not_stop_the_others(news, tmp_path):
    (tmp_path / "1.html").write_text(article_page(1))
    (tmp_path / "2.html.gz").write_bytes(b"no gzip")
    lines = [{"id": n, "url": "https://news.example/", "path": str(tmp_path / name)} for n, name in
             enumerate(["missing.html", "2.html.gz", "1.html"])]  # fmt: skip
    env = os.environ | news.env
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "extract"],
        input="".join(json.dumps(line) + "\n" for line in lines),
        env=env, capture_output=True, text=True,
    )  # fmt: skip
    answers = {answer["id"]: answer for answer in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 1
    assert answers[0]["error"] == answers[1]["error"] == "unreadable"
    assert answers[2]["text"]


def test_a_saved_page_whose_compression_is_broken_is_the_users_mistake(news, tmp_path):
    head, body = gzip.compress(b"<p>x</p>" * 9)[:10], b"\xff" * 40
    (tmp_path / "a.html.gz").write_bytes(head + body)
    assert "cannot be read" in news("explain", str(tmp_path / "a.html.gz"), code=2)


@pytest.mark.parametrize("line", ["no json", "[]", '{"id": 1}'])
def test_input_that_is_no_request_is_exit_code_2_with_its_line(news, line):
    assert "line 1" in news("extract", code=2, stdin=line + "\n")


def test_every_command_names_what_is_set_and_is_no_setting_once(news):
    for words in (["status"], ["feeds", "list"], ["config"]):
        result = CliRunner().invoke(main, words, env=news.env | {"NEWS_HOSTDELAY": "1"})
        assert result.exit_code == 0
        assert result.stderr.count("warning: ") == 1
        assert "NEWS_HOSTDELAY is set, and is no setting; did you mean NEWS_HOST_DELAY?" in result.stderr
        assert "NEWS_HOSTDELAY" not in result.stdout


@pytest.mark.parametrize(
    ("shell", "part"), [("bash", "complete -o nosort"), ("zsh", "#compdef news"), ("fish", "complete --no-files")]
)
def test_shells_are_told_how_to_complete(shell, part):
    env = os.environ | {"_NEWS_COMPLETE": f"{shell}_source"}
    code = "from pipeline.cli import main; main(prog_name='news')"
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert part in done.stdout


def test_words_are_completed():
    env = os.environ | {"_NEWS_COMPLETE": "bash_complete", "COMP_WORDS": "news feeds re", "COMP_CWORD": "2"}
    code = "from pipeline.cli import main; main(prog_name='news')"
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["plain,remove", "plain,resume"]
