"""Keys of views find on both databases what they should, and columns have the types that the data dictionary tells."""

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from pipeline.store.schema.views import VIEWS
from tests.support.archive import HOUR, NOW, Archive
from tests.support.views import settle_stories

COPY = "A report of the harbour board on tides and ships that two sites print word for word, with nothing added to it."


@pytest.fixture
def archive(engine):
    archive = Archive(engine)
    archive.store("https://one.example/a", site="one.example", text=COPY, agency="AP")
    archive.store("https://two.example/b", site="two.example", text=COPY, now=NOW + HOUR)
    archive.store("https://two.example/c", site="two.example", text="Something else.", authors=("Bo Lind", "Ada Ruiz"))
    settle_stories(engine)
    return archive


def rows(archive, query):
    with archive.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


KEYS = {
    "agency": "SELECT url FROM v_article WHERE agency = 'AP'",
    "article of the ledger": "SELECT url FROM v_ledger WHERE article_id = 2",
    "articles of a story": "SELECT article_id FROM v_story_article WHERE story_id = 1",
    "story of an article": "SELECT story_id FROM v_story_article WHERE article_id = 2",
}


def test_what_the_keys_find(archive):
    assert rows(archive, KEYS["agency"]) == [("https://one.example/a",)]
    assert rows(archive, KEYS["article of the ledger"]) == [("https://two.example/b",)]
    assert sorted(rows(archive, KEYS["articles of a story"])) == [(1,), (2,)]
    assert rows(archive, KEYS["story of an article"]) == [(1,)]
    assert rows(archive, "SELECT role, similarity FROM v_story_article WHERE article_id = 2") == [("copy", 1.0)]


AS_TEXT = {
    "story": "SELECT count(*) FROM v_article WHERE story_id = '1'",
    "articles of a story": "SELECT count(*) * 2 FROM v_story WHERE articles = '2' AND sites = '2'",
    "feeds of the ledger": "SELECT count(*) - 1 FROM v_ledger WHERE feeds = '1'",
    "new entries": "SELECT count(*) + 1 FROM v_feed_health WHERE new_entries = '3'",
}


@pytest.mark.parametrize("name", AS_TEXT)
def test_numbers_that_come_as_text_are_numbers_on_both_databases(archive, name):
    """As Datasette and forms send them."""
    assert rows(archive, AS_TEXT[name]) == [(2,)]


def test_every_column_has_the_type_that_the_dictionary_tells(archive):
    if archive.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has types of values, not of columns")
    columns = sa.text(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = to_regclass(:view) AND attnum > 0"
    )
    with archive.engine.connect() as connection:
        for view in VIEWS:
            there = dict(connection.execute(columns, {"view": view.name}).all())
            told = {column.name: column.type.compile(postgresql.dialect()).lower() for column in view.columns}
            assert told == {name: kind.replace("character varying", "varchar") for name, kind in there.items()}, (
                view.name
            )


def test_every_expression_has_an_affinity_on_sqlite(archive):
    if archive.engine.dialect.name != "sqlite":
        pytest.skip("only SQLite has affinities")
    for view in VIEWS:
        for column in view.columns:
            is_plain = (
                "." in column.expression and "(" not in column.expression and not column.expression.startswith("d.")
            )
            assert is_plain or column.typed("sqlite").startswith("CAST("), f"{view.name}.{column.name}"
