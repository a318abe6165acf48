"""The examples of analyses run, and three tools give one answer."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.export import ExportPlan, export_articles
from pipeline.store.connection.engine import open_engine
from pipeline.store.schema.views import VIEWS
from tests.support.archive import HOUR, NOW, Archive

FOLDER = Path(__file__).resolve().parents[2] / "examples/analysis"
DAY = timedelta(days=1)


def fill(engine):
    """Three articles of two sites, of which one is a copy and one was edited."""
    archive = Archive(engine)
    archive.store("https://one.example/a", site="one.example", published_at=NOW - HOUR, authors=("Ada Ruiz", "Bo Lind"))
    archive.store("https://two.example/b", site="two.example", published_at=NOW - 2 * DAY, text="Other words here.")
    archive.store("https://two.example/c", site="two.example", now=NOW + HOUR)
    text = "Other words stand here now."
    archive.store("https://two.example/b", site="two.example", now=NOW + HOUR, published_at=NOW - 2 * DAY, text=text)


@pytest.fixture
def exported(sqlite_url, tmp_path):
    """An export of a small archive."""
    pytest.importorskip("pyarrow")
    engine = open_engine(sqlite_url)
    fill(engine)
    export_articles(engine, ExportPlan("parquet", tmp_path / "articles.parquet"))
    return str(tmp_path / "articles.parquet")


def test_three_tools_give_one_answer(exported):
    pandas, polars, duckdb = (pytest.importorskip(name) for name in ("pandas", "polars", "duckdb"))
    from examples.analysis import with_duckdb, with_pandas, with_polars

    lazy, frame = polars.scan_parquet(exported), pandas.read_parquet(exported)
    with with_duckdb.opened(exported) as connection:
        assert isinstance(connection, duckdb.DuckDBPyConnection)
        by_duckdb = [connection.sql(query).fetchall() for query in (with_duckdb.BY_SITE_AND_DAY, with_duckdb.AUTHORS)]
    by_polars = [question(lazy).rows() for question in (with_polars.by_site_and_day, with_polars.authors)]
    by_pandas = [
        [tuple(row) for row in question(frame).itertuples(index=False)]
        for question in (with_pandas.by_site_and_day, with_pandas.authors)
    ]
    expected = [
        [("one.example", NOW.date(), 1, 4), ("two.example", (NOW - 2 * DAY).date(), 1, 5)],
        [("Ada Ruiz", 3, 2), ("Bo Lind", 1, 1)],
    ]
    assert by_duckdb == by_polars == by_pandas == expected


def test_the_notebook_runs_on_an_archive(database_url):
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    for name in ("ipykernel", "pandas", "matplotlib"):
        pytest.importorskip(name)
    fill(open_engine(database_url))
    notebook = nbformat.read(FOLDER / "archive.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)  # kept without answers
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("NEWS_DATABASE_URL", database_url)
        environment.setenv("PYTHONPATH", str(FOLDER.parents[1]))
        nbclient.NotebookClient(notebook, timeout=None, kernel_name="python3").execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    told = "".join(output.get("text", "") for output in outputs)
    assert "2 articles of 2 sites, 1 edits" in told
    assert any("image/png" in output.get("data", {}) for output in outputs)


def test_the_sources_of_dbt_are_the_views():
    yaml = pytest.importorskip("yaml")
    (source,) = yaml.safe_load((FOLDER / "dbt/sources.yml").read_text())["sources"]
    views = {view.name: view for view in VIEWS}
    for table in source["tables"]:
        view = views[table["name"]]
        assert table["description"] == view.comment
        columns = {column.name for column in view.columns}
        assert {column["name"] for column in table.get("columns", ())} <= columns
        assert table.get("loaded_at_field", view.columns[0].name) in columns
    assert {"v_article", "v_changes", "v_story", "v_source_daily"} <= {table["name"] for table in source["tables"]}


def test_the_readme_names_what_is_there():
    told = (FOLDER / "README.md").read_text()
    for file in FOLDER.iterdir():
        assert file.name in told or file.name.startswith("__") or file.name in {"README.md", "dbt"}, file
    assert json.loads((FOLDER / "archive.ipynb").read_text())["nbformat"] == 4
