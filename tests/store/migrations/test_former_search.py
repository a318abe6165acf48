"""What goes back to the release before revision 0017 is searched there as before, and stores."""

import pytest

from pipeline.store.connection.engine import open_engine
from pipeline.store.migrations.upgrade import downgrade_schema, require_current, upgrade_schema
from tests.support.archive import Archive

SOURCE = """CREATE VIEW article_search_source AS SELECT id, coalesce(title, '') AS title, text,
'sx' || lower(hex(site)) || ' lx' || lower(hex(coalesce(language, ''))) || ' mx' || '202611' AS facets FROM article"""
FOUND = "SELECT rowid FROM article_search WHERE article_search MATCH ?"


def test_the_former_index_on_sqlite_is_there_and_full_after_a_downgrade(sqlite_url):
    engine = open_engine(sqlite_url)
    Archive(engine).store(title="Harbour", text="The tide is high.", site="one.example", language="en")
    downgrade_schema(engine, "0016")
    with engine.begin() as connection:
        for words in ("harbour", "facets : sx6f6e652e6578616d706c65", "title : harbour AND text : tide"):
            assert connection.exec_driver_sql(FOUND, (words,)).fetchall() == [(1,)]
        # As that release makes it; FTS5 compares what it has with what it reads there.
        connection.exec_driver_sql(SOURCE)
        connection.exec_driver_sql("INSERT INTO article_search (article_search, rank) VALUES ('integrity-check', 1)")
        settings = dict(connection.exec_driver_sql("SELECT k, v FROM article_search_config").fetchall())
        assert (settings["automerge"], settings["crisismerge"]) == (16, 64)
    upgrade_schema(engine)
    require_current(engine)
    with engine.begin() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM article_search_docsize").scalar() == 0
    engine.dispose()


@pytest.mark.parametrize("revision", ["0014", "0008"])
def test_a_filled_archive_goes_further_back_than_the_search(sqlite_url, revision):
    engine = open_engine(sqlite_url)
    Archive(engine).store()
    downgrade_schema(engine, revision)
    upgrade_schema(engine)
    require_current(engine)
    engine.dispose()
