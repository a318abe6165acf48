"""Exports and ``news show`` have texts with their shape, as Markdown and as blocks, in every format."""

import csv
import json

import pytest
from click.testing import CliRunner

from pipeline.cli import main
from pipeline.export import ExportPlan, export_articles
from pipeline.export.formats import NAMES
from pipeline.store.articles.takedown_rows import take_down_pages
from tests.support.archive import Archive

URL = "https://one.example/a"
MARKDOWN = "# Tides \\*today\\*\n\n## When\n\nThey come.\n\n- Low\n- High\n"
BLOCKS = [
    {"kind": "heading", "level": 2, "text": "When"},
    {"kind": "paragraph", "level": None, "text": "They come."},
    {"kind": "item", "level": 1, "text": "Low"},
    {"kind": "item", "level": 1, "text": "High"},
]
PLAIN = [{"kind": None, "level": None, "text": "One two."}]
FORMS = ("markdown", "blocks")


@pytest.fixture
def archive(engine):
    archive = Archive(engine)
    archive.store(URL, title="Tides *today*", text="When\n\nThey come.\n\nLow\n\nHigh", shape="2pii")
    archive.store("https://one.example/b", title=None, text="One two.")
    return archive


def by_polars(file):
    return pytest.importorskip("polars").read_parquet(file).to_dicts()


def by_duckdb(file):
    with pytest.importorskip("duckdb").connect() as connection:
        return connection.sql(f"SELECT * FROM read_parquet('{file}') ORDER BY article_id").to_arrow_table().to_pylist()


def by_json(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


def by_csv(file):
    with file.open(newline="") as lines:
        return [row | {"blocks": json.loads(row["blocks"])} for row in csv.DictReader(lines)]


@pytest.mark.parametrize(
    ("name", "read"),
    [("a.parquet", by_polars), ("a.parquet", by_duckdb), ("a.jsonl", by_json), ("a.csv", by_csv)],
    ids=["polars", "duckdb", "jsonl", "csv"],
)
def test_both_forms_are_columns_at_the_end(archive, tmp_path, name, read):
    file = tmp_path / name
    if file.suffix == ".parquet":
        pytest.importorskip("pyarrow")
    export_articles(archive.engine, ExportPlan(file.suffix[1:], file, forms=FORMS))
    rows = read(file)
    assert [list(row) for row in rows] == [[*NAMES, *FORMS]] * 2
    assert [(row["markdown"], row["blocks"]) for row in rows] == [(MARKDOWN, BLOCKS), ("One two.\n", PLAIN)]


def test_what_was_taken_down_has_no_form(archive, tmp_path):
    plan = ExportPlan("jsonl", tmp_path / "out", cursor=tmp_path / "cursor.json", forms=FORMS, partition="site")
    export_articles(archive.engine, plan)
    archive(take_down_pages, [archive.page(URL)["id"]])
    (deletions,) = [file for file in export_articles(archive.engine, plan).files if "deletions" in file.name]
    assert [(row["deleted"], row["markdown"], row["blocks"]) for row in by_json(deletions)] == [(True, None, None)]


def test_show_prints_an_article_as_markdown(archive):
    def news(*words, code=0):
        url = archive.engine.url.render_as_string(hide_password=False)
        done = CliRunner().invoke(main, words, env={"NEWS_DATABASE_URL": url})
        assert done.exit_code == code, done.output
        return done.output

    assert news("show", "--markdown", URL) == MARKDOWN
    assert "choose one" in news("show", "--markdown", "--json", URL, code=2)
    exported = news("export", "jsonl", "--out", "-", "--add", "markdown", "--where", f"url = '{URL}'").splitlines()
    assert json.loads(exported[0])["markdown"] == MARKDOWN


def test_a_form_that_is_asked_for_twice_is_one_column(archive):
    url = archive.engine.url.render_as_string(hide_password=False)
    words = ["export", "csv", "--out", "-", *["--add", "markdown"] * 2]
    header = CliRunner().invoke(main, words, env={"NEWS_DATABASE_URL": url}).output.splitlines()[0]
    assert header.count("markdown") == 1
