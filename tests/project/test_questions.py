"""Every question of docs/questions.md is answered by its one statement or command, on both databases."""

import json
import re
import shlex
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from pipeline.cli import main
from pipeline.errors import FetchError
from pipeline.model import Entry, Reference, Removed, Subscription
from pipeline.schedule.pages import after_error
from pipeline.store.connection.engine import reading
from pipeline.store.feeds.polls import Poll
from pipeline.store.feeds.subscriptions import add_feeds
from pipeline.store.frontier.page_outcomes import record_page
from pipeline.store.schema.tables import PageRow, PollRow, RawRow
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
    article,
    claim_feed,
    record_poll,
    scope,
)
from tests.support.views import settle_stories

PAGE = (Path(__file__).resolve().parents[2] / "docs/questions.md").read_text("utf-8")
ASKED = re.findall(r"^(\d+)\. (.+?)\n\n +```(sql|console)\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE)
WEEK = timedelta(days=7)
SUBSCRIBED = NOW - 5 * WEEK
REPORT = "The harbour board voted.\n\nWhat comes next\n\nThe tide decides, said one."
A, B, C = "https://one.example/a", "https://two.example/b", "https://two.example/c"
TOKYO, OLD, LOST = "https://three.example/d", "https://one.example/old", "https://two.example/lost"
BROKEN = "https://broken.example/feed"


@pytest.fixture
def archive(engine):
    """A report of an agency that another site copies, an edit with a correction, a page that went and one never had."""
    archive = Archive(engine)
    archive(add_feeds, [Subscription(FEED, title="All", tags=("Ports/North",))], SUBSCRIBED, HOUR)
    archive.store(OLD, now=SUBSCRIBED, site="one.example", text="The harbour of old.", published_at=SUBSCRIBED)
    for weeks, host in ((2, "quiet.example"), (1, "www.quiet.example")):
        archive.store(f"https://{host}/", now=NOW - weeks * WEEK, site="quiet.example", text=f"No {weeks}.")
    announced = {"published_at": NOW - HOUR, "title": "Board votes", "tags": ("port",)}
    lost = Entry(guid="lost", url=LOST, published_at=NOW)
    archive.poll(Entry(guid="a", url=A, **announced), lost, *(Entry(guid=url, url=url) for url in (B, C, TOKYO)))
    dated = {"from": "json-ld", "sure": 0.5, "offset": "+09:30", "others": [["feed", "2026-11-21T00:00:00+00:00"]]}
    fields = {
        A: {"links": (Reference(B, "votes"), Reference(f"{A}/more", "more"))}
        | {"title": "Harbour board votes", "text": REPORT, "shape": "p2q", "language": "en", "agency": "AP"}
        | {"published_at": NOW - HOUR, "provenance": {"published_at": dated}}
        | {"removed": (Removed("Read more", "teaser"), Removed("Share this", "phrase"))},
        B: {"title": "Board votes", "text": REPORT, "language": "en", "published_at": NOW, "authors": ("Bo Lind",)},
        C: {"text": "Ein Hafen.", "language": "de", "authors": (), "published_at": NOW},
        TOKYO: {"text": "東京都港区で祭りが行われた。", "language": "ja", "authors": ()},
        OLD: {"text": "The harbour of old.", "published_at": SUBSCRIBED},
    }
    for host in ("one", "two", "three"):
        while (page := archive.claim(host=f"{host}.example")) is not None:
            if page.url == LOST:
                error = FetchError(LOST, "http_404", temporary=False, status=404)
                archive(record_page, page, "w", after_error(page, error, NOW, POLICY), NOW)
            else:
                archive.save(page, article(page.url, site=f"{host}.example", **fields[page.url]))
    again = fields[C] | {"text": "Ein Hafen, jetzt mit Leuchtturm.", "corrections": ("Korrektur: der Turm.",)}
    archive.store(C, now=NOW + MINUTE, site="two.example", **again)
    archive(add_feeds, [Subscription(BROKEN)], NOW, HOUR)
    feed = archive(claim_feed, scope(NOW + HOUR), "broken.example", "w", NOW + HOUR, LEASE)
    archive(record_poll, Poll(feed, NOW + HOUR, "timeout", failed=True), POLLING)
    archive(note_the_rest)
    settle_stories(engine)
    return archive


def note_the_rest(connection):
    """What went, which entries were missed, and where an answer is kept."""
    connection.execute(sa.update(PageRow).where(PageRow.url == OLD).values(state="gone", gone_at=NOW))
    connection.execute(sa.update(PollRow).where(PollRow.polled_at == NOW).values(missed=True))
    page = sa.select(PageRow.id).where(PageRow.url == A).scalar_subquery()
    kept = {"page_id": page, "kind": "page", "url": A, "status": 200, "fetched_at": NOW, "digest": "sha1:D"}
    kept |= {"file": "a.warc.gz", "file_offset": 7, "file_length": 99, "record_id": "r"}
    connection.execute(sa.insert(RawRow).values(kept))


def plain(value):
    """A value as both databases give it: times to the minute, and numbers as such."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", value):
        return value[:16]
    return round(float(value), 2) if isinstance(value, float | Decimal) else value


def ask_sql(archive, statement):
    with reading(archive.engine) as connection:
        asked = put_searches(statement, archive.engine.dialect.name)
        return [tuple(map(plain, row)) for row in connection.exec_driver_sql(asked.replace("%", "%%"))]


def ask_command(archive, words):
    url = archive.engine.url.render_as_string(hide_password=False)
    done = CliRunner().invoke(main, words, env={"NEWS_DATABASE_URL": url})
    assert done.exit_code == 0, done.output
    if words[0] == "search":
        found = json.loads(done.stdout)
        return [hit["url"] for hit in found] if isinstance(found, list) else found
    if words[0] == "export":
        return sorted(json.loads(line)["url"] for line in Path("sample.jsonl").read_text("utf-8").splitlines())
    with closing(sqlite3.connect("public.db")) as connection:
        found = "SELECT a.url FROM article_fts AS f JOIN article AS a ON a.article_id = f.rowid"
        return [url for (url,) in connection.execute(f"{found} WHERE article_fts MATCH 'harbour' ORDER BY f.rowid")]


ANSWERS = {
    1: [("one.example", "en", 1, 12), ("three.example", "ja", 1, 1), ("two.example", "de", 1, 5)],
    2: [("2026-11-22 12:00", "Board votes", B), ("2026-11-22 12:00", "Headline", C)],
    3: [("Ada Ruiz", 3, 2), ("Bo Lind", 1, 1)],
    4: [(20, 1)],
    5: [(2, "heading", 2, "What comes next"), (3, "quote", None, "The tide decides, said one.")],
    6: [("2026-10", "one.example", 1), ("2026-11", "one.example", 1), ("2026-11", "two.example", 1)],
    7: [("one.example", "Ada Ruiz", A)],
    8: {
        "total": 5,
        "counts": [
            {"language": name, "articles": count} for name, count in (("de", 1), ("en", 2), ("ja", 1), (None, 1))
        ],
    },
    9: {"total": 3, "counts": [{"feed": FEED, "articles": 3}]},
    10: [TOKYO],
    11: [A],
    12: [(FEED, "Ports/North", "Board votes", "port")],
    13: [("Board votes", "Harbour board votes", A)],
    14: [(BROKEN, "failing", "timeout", 1)],
    15: [(FEED, 1, 2)],
    16: [(FEED, 1, 3600, 3600)],
    17: [("failed", "http_404", 1, LOST)],
    18: [("failed", "failed", "http_404", 1, None)],
    19: [(OLD, "2026-11-22 12:00")],
    20: [("quiet.example", 0, 1, -1)],
    21: [(1, "Read more", "teaser"), (2, "Share this", "phrase")],
    22: [("a.warc.gz", 7, 99, "sha1:D")],
    23: [(C, 2, "text", 3)],
    24: [("Headline", "Ein Hafen.")],
    25: [(C, "Korrektur: der Turm.")],
    26: [
        *(("new", url) for url in (OLD, "https://quiet.example/", "https://www.quiet.example/", A, B)),
        *(("story", B), ("new", C), ("new", TOKYO), ("updated", C), ("revised", C), ("gone", OLD)),
    ],
    27: [("one.example", "first", A), ("two.example", "copy", B)],
    28: [(A, "json-ld", "feed", "2026-11-21T00:00:00+00:00")],
    29: [A, OLD, "https://quiet.example/", TOKYO, B],
    30: [OLD, A, B],
    31: [(B, 1)],
}


def test_each_question_has_its_answer(archive, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = {}
    for number, _, kind, asked in ASKED:
        if kind == "sql":
            found[int(number)] = ask_sql(archive, asked)
        else:
            (line,) = re.findall(r"\$ news (.*)", asked)
            found[int(number)] = ask_command(archive, shlex.split(line))
    found[26] = [row[1:] for row in found[26]]  # cursors are each database's own
    assert found == ANSWERS
    assert list(found) == list(range(1, 32))
