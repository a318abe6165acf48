"""Who asks what changed misses nothing and gets nothing twice, whoever writes meanwhile."""

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress

import pytest
import sqlalchemy as sa

from pipeline.errors import FetchError
from pipeline.model import Entry
from pipeline.schedule.pages import after_error
from pipeline.store.connection.engine import open_engine, reading, write
from pipeline.store.frontier.page_outcomes import record_page
from pipeline.store.migrations.upgrade import downgrade_schema, require_current, upgrade_schema
from pipeline.store.queries.change_log import BEGIN, cursor_at, load_changes, newest_cursor
from pipeline.store.schema.tables import ArticleRow, ArticleStoryRow, PageRow, RevisionRow
from tests.support.archive import HOUR, NOW, POLICY, Archive, article, discover_pages
from tests.support.command_line import News
from tests.support.views import settle_stories

WRITERS, ROUNDS = 8, 20


@pytest.fixture
def archive(engine):
    return Archive(engine)


def read(engine, since=None, limit=1000):
    with reading(engine) as connection:
        return load_changes(connection, since, limit)


def kinds(engine, since=None):
    return [(change.kind, change.article_id, change.revision) for change in read(engine, since).rows]


def test_an_empty_archive_has_no_changes_and_its_cursor_leads_to_the_first(archive):
    nothing = read(archive.engine)
    assert (nothing.rows, nothing.cursor) == ([], BEGIN)
    archive.store()
    assert [change.kind for change in read(archive.engine, nothing.cursor).rows] == ["new"]


def test_each_change_of_an_article_is_told_in_its_order(archive):
    archive.store()
    archive.store(text="Another text altogether.", now=NOW + HOUR)
    assert kinds(archive.engine) == [("new", 1, 1), ("revised", 1, 2)]
    since = read(archive.engine).cursor
    archive.store(text="Another text altogether.", language="en", now=NOW + 2 * HOUR)
    assert kinds(archive.engine, since) == [("updated", 1, None)]


def test_what_is_looked_at_again_and_found_unchanged_is_no_change(archive):
    archive.store()
    since = read(archive.engine).cursor
    archive.store(now=NOW + HOUR)
    assert kinds(archive.engine, since) == []


def test_a_page_that_goes_and_comes_back_is_told(archive):
    archive.store()
    since = read(archive.engine).cursor
    archive.poll(Entry(guid="again", url="https://news.example/1"), now=NOW + HOUR)
    with archive.engine.begin() as connection:
        connection.execute(sa.update(PageRow).values(next_fetch_at=NOW + HOUR))
    page = archive.claim(now=NOW + HOUR)
    lost = after_error(page, FetchError(page.url, "http_410", temporary=False, status=410), NOW + HOUR, POLICY)
    archive(record_page, page, "w", lost, NOW + HOUR)
    assert kinds(archive.engine, since) == [("gone", 1, None)]
    with archive.engine.begin() as connection:
        connection.execute(sa.update(PageRow).values(gone_at=None))
    assert [kind for kind, _, _ in kinds(archive.engine, since)] == ["gone", "back"]


def test_becoming_a_copy_and_changing_the_story_are_told(archive):
    archive.store("https://one.example/a", text="One text.")
    archive.store("https://two.example/b", text="Another text.")
    settle_stories(archive.engine)
    since = read(archive.engine).cursor
    with archive.engine.begin() as connection:
        connection.execute(sa.update(ArticleRow).where(ArticleRow.id == 2).values(duplicate_of=1))
        of_second = ArticleStoryRow.article_id == 2
        connection.execute(sa.update(ArticleStoryRow).where(of_second).values(story_id=None))
        connection.execute(sa.update(ArticleStoryRow).where(of_second).values(story_id=1))
    assert kinds(archive.engine, since) == [("duplicate", 2, None), ("story", 2, None)]


def test_of_what_was_deleted_the_address_is_left(archive):
    archive.store()
    since = read(archive.engine).cursor
    with archive.engine.begin() as connection:
        connection.execute(sa.delete(ArticleRow))
    (gone,) = read(archive.engine, since).rows
    assert (gone.kind, gone.article_id, gone.url, gone.site) == ("deleted", 1, "https://news.example/1", "news.example")
    assert read(archive.engine).rows[0].url is None


def test_changes_come_in_portions_that_join(archive):
    for number in range(5):
        archive.store(f"https://news.example/{number}", text=f"Text of number {number}.")
    whole, cursor, parts = read(archive.engine).rows, None, []
    while (part := read(archive.engine, cursor, limit=2)).rows:
        parts += part.rows
        cursor = part.cursor
    assert parts == whole
    assert read(archive.engine, cursor).cursor == cursor == newest(archive.engine)


def newest(engine):
    with reading(engine) as connection:
        return newest_cursor(connection)


def test_a_time_leads_to_the_first_change_from_then_on(archive):
    archive.store("https://news.example/1", text="One text.")
    archive.store("https://news.example/2", text="Another text.")
    first, second = read(archive.engine).rows
    with reading(archive.engine) as connection:
        cursors = [
            cursor_at(connection, time) for time in (first.changed_at, second.changed_at, NOW.replace(year=2999))
        ]
    assert [len(read(archive.engine, cursor).rows) for cursor in cursors] == [2, 1, 0]


@pytest.mark.postgres
def test_a_change_is_held_back_while_an_older_transaction_may_still_commit(postgres_url):
    engine = open_engine(postgres_url)
    archive = Archive(engine)
    with engine.connect() as slow:
        write_article(slow, "https://slow.example/1", "Slow.")
        archive.store("https://news.example/1", text="Quick.")
        assert read(engine).rows == []
        slow.commit()
    assert [change.url for change in read(engine).rows] == ["https://slow.example/1", "https://news.example/1"]
    engine.dispose()


def write_article(connection, url, text):
    """An article and its first revision, with no lock that would let writers in one after the other only."""
    page = discover_pages(connection, [Entry(guid=url, url=url)], NOW, NOW)[url]
    found = article(url, text=text)
    values = {name: getattr(found, name) for name in ("title", "text", "word_count", "content_hash")}
    values |= {"removed": [], "extractor": "test", "extractor_version": "1"}
    fields = {"page_id": page, "url": url, "site": "news.example", "authors": [], "tags": []}
    times = {"first_seen_at": NOW, "updated_at": NOW}
    query = sa.insert(ArticleRow).values(values | fields | times).returning(ArticleRow.id)
    article_id = connection.execute(query).scalar_one()
    write_revision(connection, article_id, values | {"number": 1, "changed": "first"})
    return article_id, values


def write_revision(connection, article_id, values):
    connection.execute(sa.insert(RevisionRow).values(values | {"article_id": article_id, "seen_at": NOW}))


class Writer(threading.Thread):
    """Stores, edits and deletes articles; now and then takes its time, or thinks better of it."""

    def __init__(self, url, number):
        super().__init__()
        self.engine, self.number, self.done = open_engine(url), number, Counter()
        self.random = random.Random(number)

    def run(self):
        for turn in range(ROUNDS):
            address = f"https://w{self.number}.example/{turn}"
            with suppress(GivenUpError):
                self.done += Counter(write(self.engine, self.transaction, address, turn))
        self.engine.dispose()

    def transaction(self, connection, address, turn):
        article_id, values = write_article(connection, address, f"Text {self.number} {turn}.")
        told = [("new", article_id)]
        if turn % 3 == 0:
            self.wait(connection)
            write_revision(connection, article_id, values | {"number": 2, "changed": "text"})
            told.append(("revised", article_id))
        if turn % 5 == 0:
            connection.execute(sa.delete(RevisionRow).where(RevisionRow.article_id == article_id))
            connection.execute(sa.delete(ArticleRow).where(ArticleRow.id == article_id))
            told.append(("deleted", article_id))
        self.wait(connection)
        if turn % 7 == 0:
            raise GivenUpError
        return told

    def wait(self, connection):
        # On SQLite nobody else could write meanwhile.
        if connection.dialect.name == "postgresql":
            time.sleep(self.random.random() / 50)


class GivenUpError(Exception):
    """The transaction is not to be."""


def test_eight_writers_and_a_reader_of_every_change_exactly_once(engine, database_url):
    writers = [Writer(database_url, number) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    seen, cursor, portions = [], None, 0
    while True:
        running = any(writer.is_alive() for writer in writers)
        found = read(engine, cursor, limit=7)
        seen += found.rows
        cursor, portions = found.cursor, portions + bool(found.rows)
        if not running and not found.rows:
            break
    cursors = [change.cursor for change in seen]
    assert cursors == sorted(set(cursors))
    expected = sum((writer.done for writer in writers), Counter())
    assert Counter((change.kind, change.article_id) for change in seen) == expected
    assert sum(expected.values()) > WRITERS * ROUNDS
    assert portions > 1


def test_articles_from_before_the_log_are_logged_by_the_upgrade_once(engine):
    archive = Archive(engine)
    archive.store()
    archive.store(text="Edited.", now=NOW + HOUR)
    downgrade_schema(engine, "0005")
    upgrade_schema(engine)
    assert kinds(engine) == [("new", 1, 1), ("revised", 1, 2)]
    archive.store("https://news.example/2", text="New.", now=NOW + 2 * HOUR)
    assert kinds(engine)[2:] == [("new", 2, 1)]


@pytest.mark.postgres
def test_on_another_server_the_order_goes_on(postgres_url):
    """A dump brings numbers of another server's transactions; those of this one are far below them."""
    engine = open_engine(postgres_url)
    archive = Archive(engine)
    archive.store()
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE change_clock SET server = 'another'")
        connection.exec_driver_sql("UPDATE change SET cursor = '00000900000000' || right(cursor, 14)")
    with pytest.raises(Exception, match="moved here from another server"):
        require_current(engine)
    upgrade_schema(engine)
    require_current(engine)
    since = read(engine).cursor
    assert since.startswith("00000900000000")
    archive.store("https://news.example/2", text="Later.", now=NOW + HOUR)
    assert kinds(engine, since) == [("new", 2, 1)]
    engine.dispose()


@pytest.fixture
def news(sqlite_url):
    engine = open_engine(sqlite_url)
    archive = Archive(engine)
    archive.store("https://news.example/1", text="One text.")
    archive.store("https://news.example/2", text="Another text.")
    engine.dispose()
    return News(sqlite_url)


def lines(told):
    return [json.loads(line) for line in told.splitlines()]


def test_the_command_prints_changes_and_goes_on_where_one_was(news):
    first, second = lines(news("changes", "--json"))
    assert (first["kind"], first["url"]) == ("new", "https://news.example/1")
    assert lines(news("changes", "--since", first["cursor"], "--json")) == [second]
    assert lines(news("changes", "--since", first["changed_at"], "--limit", "1", "--json")) == [first]
    assert news("changes", "--since", "now") == ""
    assert news("changes", "--since", first["cursor"]).split()[0] == second["cursor"]


def test_what_is_no_cursor_and_no_time_is_refused(news):
    assert "neither a cursor" in news("changes", "--since", "yesterdayish", code=2)


def test_following_waits_for_what_comes(news, sqlite_url):
    def come():
        engine = open_engine(sqlite_url)
        Archive(engine).store("https://news.example/3", text="A third text.")
        engine.dispose()

    later = threading.Timer(0.5, come)
    later.start()
    told = lines(news("changes", "--follow", "--limit", "3", "--json"))
    later.join()
    assert [change["url"][-1] for change in told] == ["1", "2", "3"]


@pytest.mark.postgres
def test_following_goes_on_when_the_database_comes_back(postgres_url):
    name, engine = sa.make_url(postgres_url).database, open_engine(postgres_url)
    Archive(engine).store("https://news.example/1", text="A first text.")
    server = sa.create_engine(sa.make_url(postgres_url).set(database="postgres"), isolation_level="AUTOCOMMIT")
    command = [sys.executable, "-m", "pipeline", "changes", "--follow", "--json"]
    environment = os.environ | {"NEWS_DATABASE_URL": postgres_url}
    with (
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run,
        server.connect() as connection,
    ):
        assert json.loads(run.stdout.readline())["url"].endswith("/1")
        engine.dispose()
        connection.exec_driver_sql(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        connection.execute(
            sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"), {"name": name}
        )
        assert "the database is away" in run.stderr.readline()
        connection.exec_driver_sql(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        Archive(engine).store("https://news.example/2", text="A second text.")
        assert json.loads(run.stdout.readline())["url"].endswith("/2")
        run.kill()
    engine.dispose()
    server.dispose()
