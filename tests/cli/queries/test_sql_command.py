"""`news sql`: questions that cannot write, answered by the archive itself or by DuckDB."""

import csv
import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from pipeline.cli import main
from pipeline.export import Plan, duck, export
from pipeline.store.readonly import ask, only_reading
from pipeline.tables import ArticleRow
from tests.test_store import HOUR, NOW, Archive

ROOT = Path(__file__).resolve().parents[1]
COUNT = "SELECT site, count(*) AS articles FROM v_article GROUP BY site ORDER BY articles DESC, site"


@pytest.fixture
def archive(engine):
    archive = Archive(engine)
    archive.store("https://one.example/a", site="one.example", language="en", published_at=NOW - HOUR)
    archive.store("https://one.example/b", site="one.example", text="Zwei\nZeilen, „ja“.", language="de")
    archive.store("https://two.example/c", site="two.example", text="Word " * 100)
    return archive


@pytest.fixture
def news(archive):
    url = archive.engine.url.render_as_string(hide_password=False)

    def run(*words, text=None):
        return CliRunner().invoke(main, ["sql", *words], input=text, env={"NEWS_DATABASE_URL": url})

    return run


def test_answers_are_tables_json_or_csv(news):
    assert news(COUNT).stdout.split() == ["site", "articles", "one.example", "2", "two.example", "1"]
    rows = [{"site": "one.example", "articles": 2}, {"site": "two.example", "articles": 1}]
    assert json.loads(news("--json", COUNT).stdout) == rows
    assert json.loads(news("--json", "SELECT 1 AS a WHERE 1 = 0").stdout) == []
    found = csv.reader(io.StringIO(news("--csv", "SELECT url, text FROM v_article WHERE language = 'de'").stdout))
    assert list(found) == [["url", "text"], ["https://one.example/b", "Zwei\nZeilen, „ja“."]]


def test_a_statement_may_come_from_standard_input(news):
    statement = "-- how many?\n/* all\nof them */ WITH a AS (SELECT * FROM article) SELECT count(*) AS n FROM a;\n"
    assert json.loads(news("--json", text=statement).stdout) == [{"n": 3}]


def test_columns_of_one_name_and_signs_that_drivers_know_are_kept(news):
    found = json.loads(news("--json", "SELECT 'a %s :b' AS x, 2 AS x, '100%' AS y").stdout)
    assert found == [{"x": "a %s :b", "x_2": 2, "y": "100%"}]


def test_a_table_ends_at_its_limit_and_says_so(news):
    done = news("--limit", "2", "SELECT url FROM v_article ORDER BY url")
    assert done.stdout.count("https://") == 2
    assert "--limit 0" in done.stderr
    assert "…" in news("SELECT text FROM v_article WHERE site = 'two.example'").stdout


WRITES = {
    "delete": "DELETE FROM article",
    "delete in with": "WITH gone AS (DELETE FROM article RETURNING id) SELECT * FROM gone",
    "with before delete": "WITH a AS (SELECT 1) DELETE FROM article",
    "second statement": "SELECT 1; DELETE FROM article",
    "behind a commit": "COMMIT; DELETE FROM article",
    "explained": "EXPLAIN ANALYZE DELETE FROM article",
    "explained twice": "EXPLAIN SELECT 1; DELETE FROM article",
    "mode": "SET TRANSACTION READ WRITE",
    "pragma": "PRAGMA query_only = OFF",
    "attach": "ATTACH 'other.db' AS other",
    "vacuum": "VACUUM INTO 'other.db'",
    "table": "CREATE TABLE other (a INTEGER)",
    "select into": "SELECT * INTO other FROM article",
    "lock": "SELECT * FROM article FOR UPDATE",
    "nothing": " -- nothing",
}


def test_nothing_can_be_written(news, archive):
    exits = {name: news(statement).exit_code for name, statement in WRITES.items()}
    assert [name for name, code in exits.items() if code == 0] == []
    assert len(archive.rows(ArticleRow, ArticleRow.id)) == 3
    with archive.engine.connect() as connection:
        assert not sa.inspect(connection).has_table("other")


WRONG = {
    "no SQL": ("SELEC 1", "SELEC"),
    "no such column": ("SELECT nothing_there FROM v_article", "nothing_there"),
    "a row that cannot be computed": ("SELECT abs(-9223372036854775807 - article_id) FROM v_article", "overflow|range"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_statement_that_is_wrong_is_told_as_the_users_own(news, name):
    statement, message = WRONG[name]
    done = news(statement)
    assert done.exit_code == 2
    assert re.search(message, done.stderr)
    assert "cannot be used" not in done.stderr


def test_the_index_of_words_can_be_asked(news, archive):
    condition = "article_search MATCH 'zeilen'"
    if archive.engine.dialect.name == "postgresql":
        condition = "words @@ to_tsquery('news_german', 'zeilen')"
    found = json.loads(news("--json", f"SELECT count(*) AS n FROM article_search WHERE {condition}").stdout)
    assert found == [{"n": 1}]


def test_the_database_itself_refuses_to_write(archive):
    """Not our look at the first word: past it, too."""
    with (
        only_reading(archive.engine) as connection,
        pytest.raises(sa.exc.DBAPIError, match=r"read-only|not authorized"),
    ):
        connection.exec_driver_sql("DELETE FROM article")


def test_writers_go_on_while_an_answer_is_read(archive):
    with only_reading(archive.engine) as connection:
        answer = ask(connection, "SELECT id FROM article")
        assert answer.fetchone()
        archive.store("https://two.example/d", now=NOW + HOUR, text="Meanwhile.")
        assert len(answer.all()) == 2
    with only_reading(archive.engine) as connection:
        assert ask(connection, "SELECT count(*) FROM article").scalar() == 4


def test_duckdb_answers_from_the_archive(news):
    pytest.importorskip("duckdb")
    found = json.loads(news("--json", "--duckdb", f"{COUNT.replace('ORDER', 'HAVING true ORDER')}").stdout)
    assert found == [{"site": "one.example", "articles": 2}, {"site": "two.example", "articles": 1}]
    query = "SELECT max(published_at) AT TIME ZONE 'UTC' AS newest, any_value(authors) AS authors FROM v_article"
    assert json.loads(news("--json", "--duckdb", query).stdout) == [
        {"newest": (NOW - HOUR).replace(tzinfo=None).isoformat(), "authors": "Ada Ruiz"}
    ]


def test_duckdb_reads_every_view(archive):
    pytest.importorskip("duckdb")
    for view in duck.VIEWS:
        with duck.attached(archive.engine, f"SELECT * FROM {view.name}") as connection:
            found = duck.ask(connection, f"SELECT * FROM {view.name}")
            assert [column[0] for column in found.description] == [column.name for column in view.columns]


def test_duckdb_answers_from_exports_with_the_last_state_of_each_article(news, archive, tmp_path):
    pytest.importorskip("duckdb")
    plan = Plan("parquet", tmp_path / "out", partition="site", cursor=tmp_path / "cursor.json")
    export(archive.engine, plan)
    archive.store("https://one.example/b", now=NOW + HOUR, site="one.example", text="Neu.", language="de")
    archive(lambda connection: connection.execute(sa.text("DELETE FROM article WHERE url LIKE '%/c'")))
    export(archive.engine, plan)
    query = "SELECT url, word_count, first_seen_at FROM v_article ORDER BY url"
    found = json.loads(news("--json", "--over", str(tmp_path / "out"), query).stdout)
    assert [(row["url"][-1], row["word_count"]) for row in found] == [("a", 4), ("b", 1)]
    assert datetime.fromisoformat(found[0]["first_seen_at"]).astimezone(UTC) == NOW


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("COPY (SELECT 1) TO 'out.csv'", "only one statement"),
        ("EXPLAIN ANALYZE COPY (SELECT 1) TO 'out.csv'", "only one statement"),
        ("/* a */ explain -- b\n (ANALYZE) COPY (SELECT 1) TO 'out.csv'", "only one statement"),
        ("EXPLAIN EXPLAIN COPY (SELECT 1) TO 'out.csv'", "DuckDB"),
        ("SELECT 1; SELECT 2", "only one statement"),
        ("SELEC", "DuckDB"),
        ("SELECT * FROM nothing_there", "DuckDB"),
    ],
    ids=["writes", "explained", "explained in other words", "explained twice", "two", "no SQL", "no such table"],
)
def test_duckdb_runs_one_statement_that_asks(sqlite_url, tmp_path, statement, message):
    pytest.importorskip("duckdb")
    file = tmp_path / "out.csv"
    words = ["sql", "--duckdb", statement.replace("out.csv", str(file))]
    done = CliRunner().invoke(main, words, env={"NEWS_DATABASE_URL": sqlite_url})
    assert (done.exit_code, message in done.stderr, file.exists()) == (2, True, False)


@pytest.mark.parametrize("begin", ["EXPLAIN", "explain analyze", "EXPLAIN (FORMAT json)", "/* why */ EXPLAIN"])
def test_duckdb_explains_questions(sqlite_url, begin):
    pytest.importorskip("duckdb")
    words = ["sql", "--duckdb", f"{begin} SELECT version FROM v_contract"]
    done = CliRunner().invoke(main, words, env={"NEWS_DATABASE_URL": sqlite_url})
    assert done.exit_code == 0, done.output


def test_a_folder_without_exports_says_what_to_do(sqlite_url, tmp_path):
    pytest.importorskip("duckdb")
    words = ["sql", "--over", str(tmp_path), "SELECT 1"]
    done = CliRunner().invoke(main, words, env={"NEWS_DATABASE_URL": sqlite_url})
    assert (done.exit_code, "news export parquet" in done.stderr) == (2, True)
