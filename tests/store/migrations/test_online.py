"""Migrations of a filled PostgreSQL, with writers at work: nobody waits long, and nothing is lost."""

import threading
import time

import pytest
import sqlalchemy as sa

from pipeline.store.connection.engine import open_engine
from pipeline.store.migrations.online import LOCK_TIMEOUT
from pipeline.store.migrations.upgrade import require_current, upgrade_schema

pytestmark = pytest.mark.postgres

ROWS = 100_000
PATIENCE = 5 * LOCK_TIMEOUT
"""How long a writer waits for a lock before it fails: PostgreSQL itself keeps the time."""

FILL = (
    "INSERT INTO host (name, next_fetch_at) SELECT 'h' || n || '.example', now() FROM generate_series(1, 100) AS n",
    "INSERT INTO page (id, url, host, state, next_fetch_at, discovered_at)"
    " SELECT n, 'https://h' || (1 + mod(n, 100)) || '.example/' || n, 'h' || (1 + mod(n, 100)) || '.example', 'stored',"
    f" CASE WHEN mod(n, 50) = 0 THEN now() END, now() - n * interval '1 minute' FROM generate_series(1, {ROWS}) AS n",
    "INSERT INTO article (id, page_id, url, site, title, text, authors, tags, word_count, content_hash, removed,"
    " extractor, extractor_version, first_seen_at, updated_at)"
    " SELECT id, id, url, host, 'Title ' || id, 'A text of number ' || id, '[]', '[]', 5, md5(id::text), '[]',"
    " 'test', '1', discovered_at, discovered_at FROM page",
    "INSERT INTO revision (article_id, number, changed, title, text, word_count, content_hash, removed,"
    " extractor, extractor_version, seen_at)"
    " SELECT id, 1, 'first', title, text, word_count, content_hash, removed, 'test', '1', first_seen_at FROM article",
    *(f"SELECT setval('{table}_id_seq', {ROWS})" for table in ("page", "article")),
)

PAGE = sa.text(
    "INSERT INTO page (url, host, next_fetch_at, discovered_at) VALUES (:url, 'h1.example', now(), now()) RETURNING id"
)
ARTICLE = sa.text(
    "INSERT INTO article (page_id, url, site, title, text, authors, tags, word_count, content_hash, removed, extractor,"
    " extractor_version, first_seen_at, updated_at) VALUES (:page, CAST(:url AS text), 'h1.example', 'T',"
    " 'A text', '[]', '[]', 2, md5(CAST(:url AS text)), '[]', 'test', '1', now(), now()) RETURNING id"
)
REVISION = sa.text(
    "INSERT INTO revision (article_id, number, changed, title, text, word_count, content_hash, removed, extractor,"
    " extractor_version, seen_at) SELECT id, 1 + (SELECT count(*) FROM revision WHERE article_id = :id), 'text', title,"
    " text, word_count, content_hash, removed, 'test', '1', now() FROM article WHERE id = :id"
)


class Writer(threading.Thread):
    """Stores pages and articles and edits old ones, in the words of the first schema, until it is told to stop."""

    def __init__(self, url, number, stop):
        super().__init__()
        self.engine, self.number, self.stop = open_engine(url), number, stop
        self.stored, self.edited, self.failure = 0, [], None

    def run(self):
        try:
            while not self.stop.is_set():
                with self.engine.begin() as connection:
                    milliseconds = PATIENCE.total_seconds() * 1000
                    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {milliseconds:.0f}")
                    self.work(connection, f"https://h1.example/w{self.number}/{self.stored}")
                self.stored += 1
                time.sleep(0.01)
        except Exception as failure:
            self.failure = failure
        self.engine.dispose()

    def work(self, connection, url):
        page = connection.execute(PAGE, {"url": url}).scalar_one()
        article = connection.execute(ARTICLE, {"page": page, "url": url}).scalar_one()
        connection.execute(REVISION, {"id": article})
        if self.stored % 5 == 0:
            old = 1 + self.number * 10_000 + self.stored
            connection.execute(sa.text("UPDATE page SET fetched_at = now(), attempts = 1 WHERE id = :id"), {"id": old})
            connection.execute(REVISION, {"id": old})
            self.edited.append(old)


def hold(url, held, seconds):
    """Look at the tables, and stay in the transaction for a while, as reports do."""
    engine = open_engine(url)
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM page, article WHERE page.id = 1 AND article.id = 1")
        held.set()
        time.sleep(seconds)
    engine.dispose()


def test_no_writer_waits_long_for_any_migration_and_all_is_logged_once(empty_postgres_url):
    engine = open_engine(empty_postgres_url)
    upgrade_schema(engine, "0001")
    with engine.begin() as connection:
        for statement in FILL:
            connection.exec_driver_sql(statement)
    stop, held = threading.Event(), threading.Event()
    writers = [Writer(empty_postgres_url, number, stop) for number in range(4)]
    reader = threading.Thread(target=hold, args=(empty_postgres_url, held, 2.5 * LOCK_TIMEOUT.total_seconds()))
    for thread in (*writers, reader):
        thread.start()
    held.wait()
    try:
        upgrade_schema(engine)
    finally:
        stop.set()
        for thread in (*writers, reader):
            thread.join()
    assert [writer.failure for writer in writers] == [None] * len(writers)
    assert all(writer.stored for writer in writers)
    require_current(engine)
    with engine.connect() as connection:
        told = sa.text("SELECT count(*), count(DISTINCT article_id) FROM v_changes WHERE kind = 'new'")
        assert tuple(connection.execute(told).one()) == (
            total := ROWS + sum(writer.stored for writer in writers),
            total,
        )
        edits = sa.text("SELECT article_id, revision FROM v_changes WHERE kind = 'revised' ORDER BY 1")
        assert [tuple(row) for row in connection.execute(edits)] == sorted(
            (old, 2) for writer in writers for old in writer.edited
        )
        broken = sa.text("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid")
        assert connection.scalars(broken).all() == []
    engine.dispose()


def test_whoever_works_on_after_an_upgrade_waits_for_locks_as_before(empty_postgres_url):
    engine = open_engine(empty_postgres_url)
    upgrade_schema(engine)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW lock_timeout").scalar() == "0"
    engine.dispose()
