"""``news publish``: a file that others read, with what they should have, and nothing else."""

import json
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from datetime import timedelta

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from pipeline.cli import main
from pipeline.model import Reference
from pipeline.store.schema.tables import FeedRow
from tests.support.archive import NOW, Archive
from tests.support.views import settle_stories


@pytest.fixture
def archive(engine):
    archive = Archive(engine)
    archive.store("https://one.example/a", site="one.example", title="Café | port", language="fr", published_at=NOW)
    archive.store("https://two.example/b", site="two.example", text="Harbour.", authors=("Bo Lind", "Ada Ruiz"))
    links = (Reference("https://one.example/a", "a port"),)
    archive.store(
        "https://two.example/b", site="two.example", text="Harbours.", links=links, now=NOW + timedelta(hours=1)
    )
    archive(
        lambda connection: connection.execute(
            sa.update(FeedRow).values(auth="me:topsecret", url="https://x/?key=topsecret")
        )
    )
    settle_stories(engine)
    return archive


def publish(archive, *words):
    url = archive.engine.url.render_as_string(hide_password=False)
    return CliRunner().invoke(main, ["publish", *map(str, words)], env={"NEWS_DATABASE_URL": url})


def ask(file, query):
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(query).fetchall()


def test_the_copy_has_the_data_of_the_views_with_search_and_without_secrets(archive, tmp_path):
    file = tmp_path / "copy" / "news.db"
    done = publish(archive, "--json", file)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["rows"]["article"], told["rows"]["revision"], told["rows"]["article_author"]) == (2, 3, 2)
    found = (
        "SELECT a.site FROM article_fts AS f JOIN article AS a ON a.article_id = f.rowid WHERE article_fts MATCH '{}'"
    )
    assert ask(file, found.format("CAFE")) == [("one.example",)]
    assert ask(file, found.format("harbour*")) == [("two.example",)]
    assert ask(file, "SELECT published_at, tags FROM article WHERE site = 'one.example'") == [
        ("2026-11-22 12:00:00.000000", "port; tides")
    ]
    joined = (
        "SELECT l.text FROM article_link AS l JOIN article AS a ON a.url = l.target_url WHERE a.site = 'one.example'"
    )
    assert ask(file, joined) == [("a port",)]
    assert ask(file, "SELECT role FROM story_article WHERE story_id = article_id")
    for name in ("news.db", "news.metadata.json", "news.md"):
        assert b"topsecret" not in (file.parent / name).read_bytes()
    assert sorted(path.name for path in file.parent.iterdir()) == ["news.db", "news.md", "news.metadata.json"]
    plan = ask(file, "EXPLAIN QUERY PLAN SELECT * FROM article WHERE story_id = 2")
    assert "USING INDEX" in plan[0][3]


def test_datasette_is_told_of_tables_columns_and_facets(archive, tmp_path):
    publish(archive, tmp_path / "public.db")
    told = json.loads((tmp_path / "public.metadata.json").read_text())["databases"]["public"]["tables"]
    for table, described in told.items():
        there = {name for (name,) in ask(tmp_path / "public.db", f"SELECT name FROM pragma_table_info('{table}')")}
        assert set(described["columns"]) == there
        assert {*described.get("facets", ())} <= there
        assert all(described["columns"].values())
    card = (tmp_path / "public.md").read_text()
    assert card.startswith("# A news archive: 2 articles\n\nPublished from 2026-11-22 to 2026-11-22. With texts.")
    assert "| two.example | 1 |" in card


def test_datasette_opens_it_with_facets_and_search(archive, tmp_path):
    """In an environment of its own: what it needs is not what we need."""
    datasette = os.environ.get("NEWS_TEST_DATASETTE") or shutil.which("datasette")
    if datasette is None:
        pytest.skip("no Datasette: pip install it, and name its command in NEWS_TEST_DATASETTE")
    publish(archive, tmp_path / "public.db")
    options = ["public.db", "--metadata", "public.metadata.json", "--get"]

    def get(path):
        done = subprocess.run([datasette, *options, path], cwd=tmp_path, check=True, capture_output=True, text=True)
        return json.loads(done.stdout)

    shown = get("/public/article.json?_shape=objects&_col=site")
    facets = {name: {row["value"]: row["count"] for row in facet["results"]} for name, facet in of(shown).items()}
    assert facets["site"] == {"one.example": 1, "two.example": 1}
    assert facets["language"] == {"fr": 1, None: 1} or facets["language"] == {"fr": 1}
    for word, site in (("cafe", "one.example"), ("HARBOUR*", "two.example")):
        found = get(f"/public/article.json?_shape=array&_search={word}&_searchmode=raw")
        assert [row["site"] for row in found] == [site]
    assert [row["site"] for row in get("/public/article.json?_shape=array&story_id=2")] == ["two.example"]


def of(shown):
    """The facets of a table, as this or a later version of Datasette has them."""
    return shown["facet_results"].get("results", shown["facet_results"])


def test_times_are_read_as_times(archive, tmp_path):
    publish(archive, tmp_path / "public.db")
    copy = sa.create_engine(f"sqlite:///{tmp_path}/public.db")
    table = sa.Table("article", sa.MetaData(), autoload_with=copy)
    with copy.connect() as connection:
        assert connection.scalars(sa.select(table.c.first_seen_at)).first() == NOW.replace(tzinfo=None)
        assert connection.scalars(sa.select(table.c.word_count).where(table.c.article_id == 1)).one() == 4
    pandas, polars = (pytest.importorskip(name) for name in ("pandas", "polars"))
    with copy.connect() as connection:
        frame = polars.read_database(sa.select(table.c.first_seen_at), connection)
        assert frame.schema["first_seen_at"].is_temporal()
        assert str(pandas.read_sql_table("article", connection)["first_seen_at"].dtype).startswith("datetime64")


def test_texts_may_be_left_out(archive, tmp_path):
    assert publish(archive, tmp_path / "public.db", "--without-text").exit_code == 0
    assert b"Harbours" not in (tmp_path / "public.db").read_bytes()
    assert ask(tmp_path / "public.db", "SELECT count(*), max(title) FROM revision") == [(3, "Headline")]
    assert "Without texts." in (tmp_path / "public.md").read_text()


def test_a_name_that_does_not_fit_is_refused_and_an_older_copy_is_replaced(archive, tmp_path):
    assert publish(archive, tmp_path / "news.sqlite").exit_code == 2
    (tmp_path / "public.db").write_bytes(b"older")
    assert publish(archive, tmp_path / "public.db").exit_code == 0
    assert ask(tmp_path / "public.db", "SELECT count(*) FROM article") == [(2,)]
    if archive.engine.dialect.name == "sqlite":
        refused = publish(archive, archive.engine.url.database)
        assert (refused.exit_code, "the archive itself" in refused.output) == (2, True)
