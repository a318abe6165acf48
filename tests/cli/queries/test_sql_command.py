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
from pipeline.export import ExportPlan, duck, export_articles
from pipeline.store.connection.readonly import only_reading, run_readonly_query
from pipeline.store.schema.tables import ArticleRow
from tests.support.archive import HOUR, NOW, Archive

ROOT = Path(__file__).resolve().parents[2]
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
        condition = "words @@ to_tsquery('simple', 'zeilen')"
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
        answer = run_readonly_query(connection, "SELECT id FROM article")
        assert answer.fetchone()
        archive.store("https://two.example/d", now=NOW + HOUR, text="Meanwhile.")
        assert len(answer.all()) == 2
    with only_reading(archive.engine) as connection:
        assert run_readonly_query(connection, "SELECT count(*) FROM article").scalar() == 4
        begin = " " * 100 + "/* how many? */ " * 100 + "\n"
        assert run_readonly_query(connection, f"{begin}SELECT count(*) FROM article").scalar() == 4


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
        with duck.attach_archive(archive.engine, f"SELECT * FROM {view.name}") as connection:
            found = duck.query_duckdb(connection, f"SELECT * FROM {view.name}")
            assert [column[0] for column in found.description] == [column.name for column in view.columns]


def test_duckdb_answers_from_exports_with_the_last_state_of_each_article(news, archive, tmp_path):
    pytest.importorskip("duckdb")
    plan = ExportPlan("parquet", tmp_path / "out", partition="site", cursor=tmp_path / "cursor.json")
    export_articles(archive.engine, plan)
    archive.store("https://one.example/b", now=NOW + HOUR, site="one.example", text="Neu.", language="de")
    archive(lambda connection: connection.execute(sa.text("DELETE FROM article WHERE url LIKE '%/c'")))
    export_articles(archive.engine, plan)
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


DEEP = f"EXPLAIN WITH a AS ({' ' * 100}SELECT 1)"


@pytest.mark.parametrize("begin", ["EXPLAIN", "explain analyze", "EXPLAIN (FORMAT json)", "/* why */ EXPLAIN", DEEP])
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


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


@pytest.mark.parametrize("options", [(), ("--json",), ("--csv",)], ids=["table", "json", "csv"])
def test_a_statement_without_end_is_stopped_and_says_what_gives_it_more_time(news, options):
    done = news("--timeout", "0.3", *options, ENDLESS)
    assert done.exit_code == 2
    assert "stopped after 0.3 seconds" in done.stderr
    assert "--timeout" in done.stderr


def test_duckdb_is_stopped_too(news, tmp_path, archive):
    pytest.importorskip("duckdb")
    file = tmp_path / "a.parquet"
    export_articles(archive.engine, ExportPlan("parquet", file))
    endless = "SELECT count(*) FROM range(100000000000) AS a(x), v_article WHERE x % 7 = article_id % 7"
    for options in (("--duckdb",), ("--over", str(file))):
        done = news("--timeout", "0.5", *options, endless)
        assert (done.exit_code, "stopped after 0.5 seconds" in done.stderr) == (2, True)


def test_a_limit_holds_for_json_and_csv_as_well(news):
    done = news("--json", "--limit", "2", "SELECT url FROM v_article")
    assert len(json.loads(done.stdout)) == 2
    assert "--limit 0" in done.stderr
    assert len(news("--csv", "--limit", "1", "SELECT url FROM v_article").stdout.splitlines()) == 2
    assert len(json.loads(news("--json", "SELECT url FROM v_article").stdout)) == 3
    exactly = news("--limit", "3", "SELECT url FROM v_article")
    assert "--limit" not in exactly.stderr


def test_a_value_of_any_size_is_refused_on_sqlite(news, archive):
    if archive.engine.dialect.name == "sqlite":
        assert news("SELECT length(zeroblob(900000000))").exit_code == 2


OUTSIDE = {
    "text": "SELECT content FROM read_text('{secret}')",
    "csv": "SELECT * FROM read_csv('{secret}')",
    "by its name": "SELECT * FROM '{secret}'",
    "listing": "SELECT * FROM glob('{folder}/*')",
    "guess": "SELECT * FROM sniff_csv('{secret}')",
    "another export": "SELECT * FROM read_parquet('{other}')",
    "the network": "SELECT * FROM 'https://news.example/a.parquet'",
    "a variable of ours": "SELECT * FROM connection",
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_duckdb_reads_nothing_but_what_it_was_given(news, tmp_path, archive, name):
    pytest.importorskip("duckdb")
    secret, other, file = tmp_path / "secret.csv", tmp_path / "other" / "b.parquet", tmp_path / "in" / "a.parquet"
    secret.write_text("a,b\n1,hush\n")
    for out in (file, other):
        export_articles(archive.engine, ExportPlan("parquet", out))
    statement = OUTSIDE[name].format(secret=secret, other=other, folder=tmp_path)
    for options in (("--duckdb",), ("--over", str(file.parent))):
        done = news(*options, statement)
        assert done.exit_code == 2, (options, done.output)
        assert "hush" not in done.output
    assert json.loads(news("--json", "--over", str(file.parent), "SELECT count(*) AS n FROM v_article").stdout) == [
        {"n": 3}
    ]


UNLOCKING = {
    "setting": "SET enable_external_access = true",
    "install": "INSTALL httpfs",
    "load": "LOAD httpfs",
    "attach": "ATTACH '{folder}/x.db'",
    "copy": "COPY (SELECT 1) TO '{folder}/x.csv'",
}


@pytest.mark.parametrize("name", UNLOCKING)
def test_duckdb_is_not_unlocked_by_a_statement(news, name, tmp_path):
    pytest.importorskip("duckdb")
    folder = tmp_path / "empty"
    folder.mkdir()
    assert news("--duckdb", UNLOCKING[name].format(folder=folder)).exit_code == 2
    assert list(folder.iterdir()) == []


def test_the_role_of_the_documentation_asks_and_sees_no_secret(news, archive):
    if archive.engine.dialect.name != "postgresql":
        pytest.skip("roles are PostgreSQL's")
    (told,) = re.findall(
        r"```sql\n(CREATE ROLE news_reader.*?)```", (ROOT.parent / "docs/export.md").read_text(), re.DOTALL
    )
    url = archive.engine.url
    with archive.engine.begin() as connection:
        connection.exec_driver_sql("DROP OWNED BY news_reader; DROP ROLE news_reader") if connection.scalar(
            sa.text("SELECT 1 FROM pg_roles WHERE rolname = 'news_reader'")
        ) else None
        connection.exec_driver_sql(told.replace("DATABASE news", f'DATABASE "{url.database}"'))
    reader = url.set(username="news_reader", password="change-me").render_as_string(hide_password=False)
    try:
        asked = CliRunner().invoke(main, ["sql", "--json", COUNT], env={"NEWS_DATABASE_URL": reader})
        assert len(json.loads(asked.stdout)) == 2
        for statement in ("SELECT headers FROM feed", "SELECT * FROM page", "SELECT pg_read_file('PG_VERSION')"):
            assert CliRunner().invoke(main, ["sql", statement], env={"NEWS_DATABASE_URL": reader}).exit_code == 2
    finally:
        with archive.engine.begin() as connection:
            connection.exec_driver_sql("DROP OWNED BY news_reader")
            connection.exec_driver_sql("DROP ROLE news_reader")


def test_csv_for_spreadsheets_has_no_formulas_in_cells(news):
    done = news("--csv", "--excel", "SELECT '=1+1' AS \"=a\", -1 AS b, 'x' AS c")
    assert done.stdout.splitlines() == ["'=a,b,c", "'=1+1,-1,x"]
    assert news("--excel", "SELECT 1").exit_code == 2
