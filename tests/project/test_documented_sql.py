"""Every statement and condition in SQL that a page or a help text shows is run on both databases, with its answer.

Blocks of SQL are run by `test_documented_queries` and `test_manual`; here is what stands in command lines and in the
running text, wherever it stands. A new one fails until its answer is told.
"""

import json
import re
import shlex
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from pipeline.cli import main
from pipeline.export import ExportPlan, export_articles
from tests.project.test_documented_queries import TESTED
from tests.support.archive import HOUR, NOW, Archive
from tests.support.commands import all_commands

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    *ROOT.glob("*.md"),
    *(ROOT / "docs").glob("*.md"),
    *(ROOT / "examples").rglob("*.md"),
    ROOT / "bench/README.md",
)
DAGS = tuple((ROOT / "dags").glob("*.py"))


HELPS = {f"{' '.join(('news', *words))} --help": command.help or "" for words, command in all_commands()}
SHOWN = {str(page.relative_to(ROOT)): page.read_text() for page in (*PAGES, *DAGS)} | HELPS
LINES = sorted(
    {line for text in SHOWN.values() for line in re.findall(r"^[$ ]*(?:\S*/)?news (.*)$", text, re.MULTILINE)}
)
# A line that tells of a command, as the table of commands does, is none.
ASKED = [line for line in LINES if line.startswith("sql ") and re.search(r"['\"]", line)]
WHERE = sorted({where for text in SHOWN.values() for where in re.findall(r"--where \"(.*?)\"", text)})
STATEMENT = re.compile(r"`((?:SELECT|WITH|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|SET|GRANT|PRAGMA|VALUES) [^`]+)`")
INLINE = {statement for text in SHOWN.values() for statement in STATEMENT.findall(text)}

ANSWERS = {
    'sql "SELECT site, count(*) AS articles FROM v_article GROUP BY site ORDER BY articles DESC"': [
        {"site": "one.example", "articles": 2},
        {"site": "two.example", "articles": 1},
    ],
    "sql --csv \"SELECT url, title FROM v_article WHERE language = 'de'\" > german.csv": [
        {"url": "https://one.example/b", "title": "Headline"}
    ],
    'sql --over archive/ "SELECT year(published_at) AS year, count(*) AS articles FROM v_article GROUP BY ALL"': [
        {"year": 2026, "articles": 1},
        {"year": None, "articles": 2},
    ],
    'sql --over archive/ "SELECT month(published_at) AS month, count(*) FROM v_article GROUP BY ALL"': [
        {"month": 11, "count_star()": 1},
        {"month": None, "count_star()": 2},
    ],
    'sql --duckdb "SELECT site, median(word_count) AS words FROM v_article GROUP BY ALL"': [
        {"site": "one.example", "words": 3.5},
        {"site": "two.example", "words": 100.0},
    ],
    "sql \"SELECT min(published_at) AS first FROM news_search('harbour board') JOIN v_article USING (article_id)\"": [
        {"first": None}
    ],
}
MEET = {"word_count >= 300": [], "duplicate_of IS NULL": ["a", "b", "c"]}
"""The last letters of the URLs of those that meet a condition."""


@pytest.fixture
def archive(engine):
    """Three articles of two sites."""
    archive = Archive(engine)
    archive.store("https://one.example/a", site="one.example", language="en", published_at=NOW - HOUR)
    archive.store("https://one.example/b", site="one.example", text="Zwei\nZeilen, „ja“.", language="de")
    archive.store("https://two.example/c", site="two.example", text="Word " * 100)
    return archive


def news(archive, *words):
    url = archive.engine.url.render_as_string(hide_password=False)
    return CliRunner().invoke(main, words, env={"NEWS_DATABASE_URL": url})


def test_every_question_to_news_sql_that_is_shown_is_answered(archive, tmp_path):
    """In any order of rows where the question asks for none."""
    pytest.importorskip("duckdb")
    export_articles(archive.engine, ExportPlan("parquet", tmp_path / "archive"))
    assert set(ASKED) == set(ANSWERS)
    for line in ASKED:
        words = [word for word in shlex.split(line.partition(" > ")[0]) if word != "--csv"]
        words = [str(tmp_path / "archive") if word == "archive/" else word for word in words]
        done = news(archive, *words, "--json")
        assert done.exit_code == 0, (line, done.output)
        assert sorted(json.loads(done.stdout), key=str) == sorted(ANSWERS[line], key=str), line


def test_every_condition_that_is_shown_selects(archive, tmp_path):
    assert set(WHERE) == set(MEET)
    for condition, expected in MEET.items():
        out = tmp_path / "a.jsonl"
        done = news(archive, "export", "jsonl", "--out", str(out), "--where", condition)
        assert done.exit_code == 0, done.output
        assert [json.loads(line)["url"][-1] for line in out.read_text().splitlines()] == expected


def test_every_statement_in_the_running_text_is_run_somewhere(archive):
    run_elsewhere = {
        "SELECT max(cursor) FROM v_changes",  # tests/project/test_documented_queries.py
        "ALTER DEFAULT PRIVILEGES",  # the name of a statement
    }
    grant = "GRANT SELECT ON ALL TABLES IN SCHEMA public"
    here = {"SET timezone = 'UTC'", grant}
    assert {found for found in INLINE if "…" not in found} - run_elsewhere == here
    if archive.engine.dialect.name == "postgresql":
        day = sa.text("SELECT CAST(CAST('2026-11-22 23:30+00' AS timestamptz) AS date)")
        with archive.engine.connect() as connection:
            connection.exec_driver_sql(f"{grant} TO CURRENT_USER")
            connection.exec_driver_sql("SET timezone = 'Asia/Tokyo'")
            before = str(connection.scalar(day))
            connection.exec_driver_sql("SET timezone = 'UTC'")
            assert (before, str(connection.scalar(day))) == ("2026-11-23", "2026-11-22")


def test_blocks_of_sql_stand_only_where_they_are_run():
    assert {name for name, text in SHOWN.items() if "```sql" in text} == TESTED
