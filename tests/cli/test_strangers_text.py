"""What strangers wrote is printed as text by every command: no markup, no links, no control of the terminal."""

import json
import os
import pty
import re
import select
import subprocess
import sys
from html import escape
from pathlib import Path

import click
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.cli import main
from pipeline.model import Entry, Removed
from pipeline.store.connection.engine import open_engine, write
from pipeline.store.schema.tables import Table
from pipeline.text.control_characters import escape_in_json, show_controls
from tests.support.archive import HOUR, NOW, Archive, article
from tests.support.command_line import News
from tests.support.commands import all_commands
from tests.support.stories import rss
from tests.support.web import Web, page, status

STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb\U000e0000-\U000e007f]"
)
OUR_STYLES = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;;\x1b\\|\r")
"""What rich itself sends to a terminal for bold and colours, and the carriage returns of the terminal."""

MARKUP = "[/b] [bold]x[/bold] [link=https://evil.example]y[/link] :x: :warning:"
CONTROLS = "".join(map(chr, [*range(0x01, 0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0)]))
BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029"
OSC = "\x1b]0;title\x07 \x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\ \x1b]52;c;ZXZpbA==\x07 \x1b[2J\x9b2J"
HOSTILE = {"markup": MARKUP, "C0 and C1": CONTROLS, "writing direction": BIDI, "terminal commands": OSC}

STRANGERS = {
    "feed": ["title", "site_url", "tags", "language", "etag", "hub_url", "topic_url", "last_error"],
    "entry": ["title", "summary", "content", "authors", "tags"],
    "page": ["detail", "etag", "opt_out"],
    "host": ["robots"],
    "article": ["title", "text", "authors", "tags", "section", "description", "agency", "site_name", "publisher"],
    "revision": ["title", "text"],
    "poll": ["error"],
    "site_block": ["sample"],
    "takedown": ["note"],
    "backfill_unit": ["address", "detail"],
    "subscription": ["last_error"],
    "change": ["url"],
    "article_author": ["name"],
}
URL = "https://news.example/1"


@pytest.fixture
def archive(sqlite_url):
    engine = open_engine(sqlite_url)
    yield Archive(engine)
    engine.dispose()


def poison(archive, hostile):
    """An archive with an article in two revisions, whose every text of strangers holds this."""
    archive.store(URL, text=f"One {hostile} three.", removed=(Removed(f"ad {hostile}", "teaser"),))
    archive.poll(Entry(guid="again", url=URL, hash="2"), now=NOW + HOUR)
    page = archive.claim(now=NOW + HOUR)
    archive.save(page, article(URL, text=f"One {hostile} four.", title=f"T {hostile}"), now=NOW + HOUR)
    text = f"{hostile} a"
    for name, columns in STRANGERS.items():
        table = Table.metadata.tables[name]
        values = {name: [text] if isinstance(table.c[name].type, sa.JSON) else text for name in columns}
        write(archive.engine, lambda connection, change: connection.execute(change), table.update().values(values))


def commands(tmp_path, hostile):
    """Every command that shows something that strangers wrote, each with its words."""
    page = tmp_path / "page.html"
    page.write_text(
        f"<html><head><title>{hostile}</title><meta name=author content='{hostile}'></head>"
        f"<body><article><h1>{hostile}</h1>"
        + f"<p>{'A sentence of some length that is about boats. ' * 12}{hostile}</p>" * 3
        + "</article></body></html>",
        encoding="utf-8",
        errors="surrogatepass",
    )
    rules = tmp_path / "rules"
    rules.mkdir(exist_ok=True)
    (rules / "news.example.toml").write_text('site = "news.example"\nbody = ["article p"]\n')
    yield from (
        ["feeds", "list"],
        ["feeds", "show", "1"],
        ["status"],
        ["status", "--why"],
        ["show", URL],
        ["search", "One"],
        ["changes"],
        ["diff", URL],
        ["sql", "SELECT * FROM v_article"],
        ["sql", "SELECT * FROM feed"],
        ["sql", "SELECT * FROM entry"],
        ["sql", "SELECT * FROM poll"],
        ["sql", f'SELECT title AS "{hostile.replace(chr(34), "")}" FROM feed'],
        ["explain", str(page), "--url", URL],
        ["rules", "test", "news.example", str(page), "--url", URL],
        ["boilerplate", "list", "news.example", "--all"],
        ["boilerplate", "list"],
        ["websub", "status"],
        ["backfill", "list"],
        ["verify"],
        ["archive", "status"],
        ["config"],
        ["feeds", "show", f"https://nowhere.example/{hostile}"],
        ["show", f"https://nowhere.example/{hostile}"],
        ["explain", str(tmp_path / "none" / hostile.replace("/", ""))],
        ["sql", f"SELECT no_such_column_{hostile}"],
        ["boilerplate", "show", "news.example", hostile],
        ["backfill", "html", str(tmp_path / hostile.replace("/", ""))],
    )


def runs(news, tmp_path, hostile):
    """The outputs of every command, standard error with it, by its words."""
    for words in commands(tmp_path, hostile):
        result = CliRunner().invoke(main, words, env=news.env | {"NEWS_RULES_DIR": str(tmp_path / "rules")})
        assert result.exception is None or isinstance(result.exception, SystemExit), (words, result.exception)
        yield words, result


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_no_command_lets_strangers_steer(archive, sqlite_url, tmp_path, hostile):
    poison(archive, hostile)
    for words, result in runs(News(sqlite_url), tmp_path, hostile):
        assert not STEERING.search(result.output), words


def test_markup_is_shown_as_it_was_written(archive, sqlite_url, tmp_path):
    poison(archive, MARKUP)
    news = News(sqlite_url)
    for words in (["feeds", "list"], ["feeds", "show", "1"], ["show", URL], ["sql", "SELECT title FROM feed"]):
        assert "[/b] [bold]x[/bold] [link=https://evil.example]y[/link] :x:" in news(*words), words


def test_controls_are_shown_as_escapes(archive, sqlite_url):
    poison(archive, "a\x1b[2Jb\u202ec")
    assert "a\\x1b[2Jb\\u202ec" in News(sqlite_url)("feeds", "list")


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_json_holds_the_text_as_it_was_and_no_control(archive, sqlite_url, hostile):
    poison(archive, hostile)
    news = News(sqlite_url)
    for words in (["feeds", "list"], ["show", URL], ["sql", "SELECT title FROM feed"], ["changes"]):
        assert not STEERING.search(news(*words, "--json")), words
    assert news.json("feeds", "list")[0]["title"] == f"{hostile} a"


class HostileSite:
    """A site on loopback whose every text holds what would steer a terminal."""

    def __init__(self, web, hostile):
        # What XML 1.0 cannot hold would only make the feed malformed: it is in the page.
        titled = re.sub("[\x00-\x08\x0b-\x1f]", "", hostile)
        body = escape(f"{hostile} A sentence of some length about boats. ") * 12
        feed = rss({web.url("/1"): titled, web.url("/2"): titled}).replace("Test Courier", escape(titled))
        web.routes = {
            "/feed.xml": page(feed, "application/rss+xml"),
            "/1": page(
                f"<html><title>{escape(hostile)}</title><article><h1>{escape(hostile)}</h1><p>{body}</p></article>"
            ),
            "/2": status(500, hostile),
            "/": page(f'<link rel="alternate" type="application/rss+xml" title="{escape(titled)}" href="/feed.xml">'),
            "/sitemap.xml": page(
                f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>{web.url("/1")}</loc></url></urlset>',
                "application/xml",
            ),
        }
        self.url = web.url


LIVE = [
    ["feeds", "add", "{url}/feed.xml", "--title", "{hostile}", "--tag", "{hostile}"],
    ["feeds", "add", "{url}/feed.xml?again"],
    ["feeds", "discover", "{url}/", "--add", "all"],
    ["feeds", "import", "{folder}/feeds.txt"],
    ["feeds", "import", "{folder}/feeds.opml"],
    ["feeds", "set", "1", "--user-agent", "x"],
    ["poll"],
    ["crawl"],
    ["ingest"],
    ["check"],
    ["retry", "--reason", "http_500", "--dry-run"],
    ["archive", "check"],
    ["archive", "cat", "{url}/1", "--list"],
    ["explain", "{url}/1"],
    ["explain", "{url}/1", "--stored"],
    ["gate", "add", "{url}/1", "--folder", "{folder}/gate"],
    ["gate", "run", "--folder", "{folder}/gate"],
    ["reclean", "--dry-run"],
    ["boilerplate", "keep", "{host}", "{hostile} and more"],
    ["boilerplate", "drop", "{host}", "{hostile} and more"],
    ["rules", "list"],
    ["backfill", "sitemap", "{url}/sitemap.xml"],
    ["backfill", "feed", "{url}/feed.xml"],
    ["backfill", "warc", "{folder}/{name}.warc"],
    ["backfill", "html", "{folder}/saved"],
    ["backfill", "show", "1"],
    ["backfill", "resume"],
    ["export", "jsonl", "--out", "{folder}/articles.jsonl"],
    ["report", "--out", "{folder}/report.html"],
    ["feeds", "pause", "1"],
    ["feeds", "resume", "1"],
    ["prune", "--polls-older-than", "1d", "--dry-run"],
    ["takedown", "{url}/1", "--note", "{hostile}", "--yes"],
    ["feeds", "remove", "1", "--yes"],
    ["extract"],
]


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_no_command_that_works_lets_strangers_steer(sqlite_url, tmp_path, hostile):
    saved = tmp_path / "saved"
    saved.mkdir()
    name = hostile.replace("/", "")[:60]
    (saved / "index.csv").write_text(f"file,url\n{name}.html,https://a.example/1\n", "utf-8")
    (tmp_path / "feeds.txt").write_text(f"https://{hostile}.example/feed\n", "utf-8")
    (tmp_path / "feeds.opml").write_text(
        f'<opml><body><outline type="rss" text="{escape(hostile)}" xmlUrl="feed:{escape(hostile)}"/></body></opml>',
        "utf-8",
    )
    with Web() as web:
        site = HostileSite(web, hostile)
        url = site.url("/").rstrip("/")
        words_for = {"url": url, "host": "127.0.0.1", "folder": tmp_path, "hostile": hostile, "name": name}
        env = News(sqlite_url).env | {"NEWS_LOG_LEVEL": "debug", "NEWS_RETRY_DELAY": "1"}
        for pattern in LIVE:
            words = [word.format(**words_for) for word in pattern]
            request = json.dumps({"id": hostile, "url": f"https://a.example/{hostile}", "path": hostile}) + "\n"
            result = CliRunner().invoke(main, words, env=env, input=request)
            assert result.exception is None or isinstance(result.exception, SystemExit), (words, result.exception)
            assert not STEERING.search(result.output), words
        assert any(request.path == "/1" for request in web.requests)


ELSEWHERE = {
    "db upgrade": "shows nothing of strangers",
    "db downgrade": "shows nothing of strangers",
    "db reindex": "shows nothing of strangers",
    "db dictionary": "shows nothing of strangers",
    "backfill ccnews": "reads WARC files, as `backfill warc` does",
    "backfill wayback": "fetches pages, as `backfill sitemap` does",
    "serve": "prints its own address; its pages are tried in tests/web",
    "websub serve": "prints addresses of feeds by the same function",
    "watch": "prints outcomes by the function of `ingest`, and runs until it is told to end",
    "publish": "writes a database, and prints how many rows",
    "feeds export": "tried on a terminal",
}


def test_no_command_is_left_out(tmp_path):
    tried = [*commands(tmp_path, "x"), *LIVE]
    names = {" ".join(words) for words, command in all_commands() if not isinstance(command, click.Group)}
    missing = {name for name in names if not any(words[: len(name.split())] == name.split() for words in tried)}
    assert missing == ELSEWHERE.keys()


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_the_explanation_of_a_page_holds_no_control(archive, sqlite_url, tmp_path, hostile):
    poison(archive, hostile)
    source = next(words[1] for words in commands(tmp_path, hostile) if words[0] == "explain")
    News(sqlite_url)("explain", source, "--html", tmp_path / "why.html")
    assert not STEERING.search((tmp_path / "why.html").read_text("utf-8"))


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_the_report_holds_no_control(archive, sqlite_url, tmp_path, hostile):
    pytest.importorskip("matplotlib")
    poison(archive, hostile)
    News(sqlite_url)("report", "--out", tmp_path / "report.html")
    assert not STEERING.search((tmp_path / "report.html").read_text("utf-8"))


def on_terminal(words, env):
    """What a command sends to a terminal."""
    parent, child = pty.openpty()
    command = [sys.executable, "-m", "pipeline", *words]
    process = subprocess.Popen(command, stdin=child, stdout=child, stderr=child, env=os.environ | env)
    os.close(child)
    sent = b""
    while True:
        if not select.select([parent], [], [], 60)[0]:
            break
        try:
            part = os.read(parent, 65536)
        except OSError:  # Linux says so when the other side is closed
            break
        if not part:
            break
        sent += part
    process.wait()
    os.close(parent)
    return sent.decode("utf-8", "replace")


@pytest.mark.parametrize(
    "words",
    [
        ["feeds", "list"],
        ["feeds", "export"],
        ["show", URL],
        ["sql", "SELECT title FROM feed"],
        ["sql", "--csv", "SELECT title FROM feed"],
        ["search", "One"],
        ["diff", URL],
        ["sql", "SELECT no_such_column_\x1b[2J"],
    ],
    ids=lambda words: " ".join(words[:2]).replace("\x1b", ""),
)
def test_a_terminal_gets_our_styles_and_nothing_of_strangers(archive, sqlite_url, words):
    poison(archive, f"{OSC} {MARKUP} {BIDI}")
    output = on_terminal(words, News(sqlite_url).env | {"TERM": "xterm-256color", "COLUMNS": "300"})
    assert output.strip()
    assert not STEERING.search(OUR_STYLES.sub("", output))
    assert "evil.example\x1b\\" not in output


def test_logs_show_controls_as_escapes(sqlite_url):
    code = "import sys, structlog, logging; from pipeline.runtime.log import configure_logging\n"
    code += "from pipeline.config import Settings; configure_logging(Settings(log_format=sys.argv[1]))\n"
    code += "structlog.get_logger().error('seen', title='a\\x1b[2J\\x9b\\u202e', names=['\\x9b'])\n"
    code += "logging.getLogger('lxml').error('%s', 'b\\x1b[2J\\u202e')"
    for form in ("console", "json"):
        done = subprocess.run([sys.executable, "-c", code, form], capture_output=True, text=True, check=True)
        assert "seen" in done.stderr
        assert not STEERING.search(done.stderr)


def test_a_traceback_shows_controls_as_escapes(sqlite_url):
    code = "from pipeline.cli import main\n"
    code += "try: main(['status'])\nexcept SystemExit: pass\n"
    code += "raise ValueError('page \\x1b[2J\\x9b\\u202e')"
    env = os.environ | News(sqlite_url).env
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert "ValueError: page \\x1b[2J\\x9b\\u202e" in done.stderr
    assert not STEERING.search(done.stderr)


ANY = st.text(st.characters(codec=None))


@given(ANY)
@example("".join(HOSTILE.values()))
@example("\ud800\udfff")
def test_any_text_is_shown_without_controls_and_the_rest_of_it_as_it_is(text):
    shown = show_controls(text)
    assert not STEERING.search(shown)
    shown.encode()
    assert show_controls(shown) == shown
    assert STEERING.sub("", show_controls(text, multiline=True)) == show_controls(text, multiline=True)


@given(st.dictionaries(ANY, ANY))
@example({"\U000e0041": "\x9b\u202e\ud800"})
def test_escaped_json_says_the_same(value):
    escaped = escape_in_json(json.dumps(value, ensure_ascii=False))
    assert not STEERING.search(escaped.replace("\n", ""))
    assert json.loads(escaped) == json.loads(json.dumps(value))


PRINTS = re.compile(r"\bclick\.(?:echo|secho)\b|\bConsole\(|(?<![\w.])print\(|rich\.(?:markup|print)")


def test_one_module_prints():
    folder = Path(__file__).resolve().parents[2] / "pipeline" / "cli"
    found = {path.name for path in folder.rglob("*.py") if PRINTS.search(path.read_text("utf-8"))}
    # The group of all commands names slips in settings before any command, and the module that prints, is imported.
    assert found == {"output.py", "__init__.py"}
