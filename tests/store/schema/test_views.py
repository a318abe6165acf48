"""The views are there, on both databases alike, and go and come with the migrations."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from pipeline.errors import ConfigError
from pipeline.model import Entry
from pipeline.store.articles import save_article
from pipeline.store.engine import open_engine, reading
from pipeline.store.migrate import downgrade, require_current, upgrade
from pipeline.views import VERSION, VIEWS
from tests.test_store import FETCHED, HOUR, NOW, POLICY, Archive, article


@pytest.fixture
def archive(engine):
    """A copy on another site, an article that was edited, and one without authors and tags."""
    archive = Archive(engine)
    told = {
        "corrections": ("Correction: May.",),
        "provenance": {"title": {"from": "h1", "sure": 1, "others": [["og", "T"]]}},
    }
    archive.store("https://one.example/a", site="one.example", language="en", authors=("Ada Ruiz", "Bo Lind"), **told)
    archive.store("https://two.example/b", site="two.example", language="en")
    archive.store("https://two.example/c", site="two.example", text="Before the edit.", authors=(), tags=())
    archive.store("https://two.example/c", site="two.example", text="After.", authors=(), tags=(), now=NOW + HOUR)
    settle_stories(engine)
    return archive


def settle_stories(engine):
    """File the articles under their stories, where that has not been done as they came."""
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO article_story (article_id, story_id, role, similarity) SELECT id, coalesce(duplicate_of, id),"
            " CASE WHEN duplicate_of IS NULL THEN 'first' ELSE 'copy' END, 1 FROM article AS a"
            " WHERE NOT EXISTS (SELECT 1 FROM article_story AS s WHERE s.article_id = a.id)"
        )


def rows(engine, name, *columns, order=None):
    view = next(view for view in VIEWS if view.name == name).table
    query = sa.select(*(view.c[column] for column in columns)).order_by(view.c[order or columns[0]])
    with reading(engine) as connection:
        return [tuple(row) for row in connection.execute(query)]


def test_the_views_have_the_columns_that_are_promised(engine):
    inspector = sa.inspect(engine)
    assert set(promised(engine)) == {view.name for view in VIEWS}
    for view in VIEWS:
        assert [column["name"] for column in inspector.get_columns(view.name)] == [
            column.name for column in view.columns
        ]


def promised(engine):
    return [name for name in sa.inspect(engine).get_view_names() if name.startswith("v_")]


def test_the_version_of_the_contract_is_in_the_database(engine):
    assert rows(engine, "v_contract", "version") == [(VERSION,)]


@pytest.mark.parametrize("view", [view.name for view in VIEWS])
def test_each_view_can_be_read_whole_with_its_types(archive, view):
    columns = [column.name for column in next(known for known in VIEWS if known.name == view).columns]
    assert rows(archive.engine, view, *columns)


def test_v_article_has_one_row_for_each_article_with_lists_as_text(archive):
    assert rows(archive.engine, "v_article", "url", "authors", "tags", "story_id") == [
        ("https://one.example/a", "Ada Ruiz; Bo Lind", "port; tides", 1),
        ("https://two.example/b", "Ada Ruiz", "port; tides", 1),
        ("https://two.example/c", None, None, 3),
    ]


def test_v_revision_says_what_changed(archive):
    found = rows(archive.engine, "v_revision", "article_id", "number", "changed", "word_change", order="revision_id")
    assert found == [(1, 1, "first", None), (2, 1, "first", None), (3, 1, "first", None), (3, 2, "text", -2)]


AS_OF = sa.text(
    "SELECT url, text FROM v_article_version"
    " WHERE valid_from <= :time AND (valid_to IS NULL OR valid_to > :time) ORDER BY url"
).bindparams(sa.bindparam("time", type_=next(view for view in VIEWS if view.name == "v_changes").columns[-1].type))


@pytest.mark.parametrize(
    ("time", "text"), [(NOW, "Before the edit."), (NOW + HOUR, "After.")], ids=["before the edit", "at the edit"]
)
def test_one_query_says_on_both_databases_what_was_current(archive, time, text):
    with reading(archive.engine) as connection:
        found = connection.execute(AS_OF, {"time": time}).all()
    assert dict(map(tuple, found))["https://two.example/c"] == text
    assert len(found) == 3


def test_an_older_capture_of_another_address_changes_neither_what_is_current_nor_what_was(archive):
    """A backfill may find a page by an address of its own that leads to an article that is stored."""
    before = rows(archive.engine, "v_article_version", "article_id", "number", "valid_from", "valid_to", "text")
    archive.poll(Entry(guid="m", url="https://m.two.example/c"), now=NOW + 2 * HOUR)
    page = archive.claim(host="m.two.example", now=NOW + 2 * HOUR)
    found = article("https://two.example/c", site="two.example", text="Long before.")
    older = replace(FETCHED, at=NOW - 24 * HOUR)
    assert archive(save_article, page, "w", found, older, NOW + 2 * HOUR, POLICY).decision == "unchanged"
    after = rows(archive.engine, "v_article_version", "article_id", "number", "valid_from", "valid_to", "text")
    assert after == before
    assert archive.page("https://m.two.example/c")["state"] == "alias"


def test_nothing_was_current_before_the_archive_began(archive):
    with reading(archive.engine) as connection:
        assert connection.execute(AS_OF, {"time": NOW - HOUR}).all() == []


@pytest.mark.postgres
def test_postgresql_has_a_function_for_what_was_current(postgres_url):
    engine = open_engine(postgres_url)
    archive = Archive(engine)
    archive.store(text="Before.")
    archive.store(text="After.", now=NOW + HOUR)
    with reading(engine) as connection:
        query = sa.text("SELECT text FROM v_article_as_of(:time)")
        assert [connection.scalar(query, {"time": time}) for time in (NOW, NOW + HOUR)] == ["Before.", "After."]
    engine.dispose()


@pytest.mark.postgres
def test_comments_and_rights_of_views_are_there_after_views_were_made_anew(postgres_url):
    engine = open_engine(postgres_url)
    role = f"analyst_{sa.make_url(postgres_url).database}"
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {role}")
        connection.exec_driver_sql(f"GRANT SELECT ON v_article TO {role}")
    downgrade_and_up(engine)
    with engine.begin() as connection:
        assert connection.scalar(sa.text(f"SELECT has_table_privilege('{role}', 'v_article', 'SELECT')"))
        comments = connection.scalar(
            sa.text(
                "SELECT count(*) FROM pg_description AS d JOIN pg_class AS c ON c.oid = d.objoid"
                " WHERE c.relkind = 'v' AND d.classoid = 'pg_class'::regclass AND c.relname LIKE 'v\\_%'"
            )
        )
        connection.exec_driver_sql(f"DROP OWNED BY {role}")
        connection.exec_driver_sql(f"DROP ROLE {role}")
    assert comments == sum(1 + len(view.columns) for view in VIEWS)
    engine.dispose()


def downgrade_and_up(engine):
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE OR REPLACE VIEW v_contract AS SELECT 'old'::text AS version, '' AS definition"
        )
    upgrade(engine)


def test_views_of_another_version_are_refused_and_made_anew(engine):
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP VIEW v_contract")
        connection.exec_driver_sql("CREATE VIEW v_contract AS SELECT '0.1' AS version, 'x' AS definition")
    with pytest.raises(ConfigError, match="run: news db upgrade"):
        require_current(engine)
    upgrade(engine)
    require_current(engine)


def test_views_go_with_the_schema_that_they_are_of(engine):
    downgrade(engine, "0005")
    assert promised(engine) == []
    upgrade(engine)
    require_current(engine)


@pytest.mark.postgres
def test_a_users_view_that_stands_on_ours_is_named_instead_of_dropped(postgres_url):
    engine = open_engine(postgres_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE VIEW mine AS SELECT url FROM v_article")
    with pytest.raises(ConfigError, match="mine"):
        downgrade(engine, "0005")
    engine.dispose()
