"""The data dictionary is what the code says now, and tells everything."""

from pathlib import Path

import pytest

from pipeline.store.schema.dictionary import render_dictionary
from pipeline.store.schema.tables import Table
from pipeline.store.schema.views import VIEWS
from tests.support.command_line import News

PAGE = Path(__file__).resolve().parents[3] / "docs/data-dictionary.md"


def test_the_page_is_not_stale():
    assert PAGE.read_text() == render_dictionary(), "run: news db dictionary -o docs/data-dictionary.md"


@pytest.mark.parametrize("name", [*(view.name for view in VIEWS), *Table.metadata.tables])
def test_every_view_and_table_is_told_with_all_its_columns(name):
    told = render_dictionary().split(f"\n### {name}\n")[1].split("\n###")[0].split("\n## ")[0]
    view = next((view for view in VIEWS if view.name == name), None)
    columns = [column.name for column in (view.columns if view else Table.metadata.tables[name].columns)]
    lines = [line for line in told.splitlines() if line.startswith("| `")]
    assert [line.split("`")[1] for line in lines] == columns
    assert all(line.rstrip(" |").count("|") >= 3 and not line.endswith("|  |") for line in lines)


def test_the_command_prints_it_or_writes_it(tmp_path, sqlite_url):
    news = News(sqlite_url)
    assert news("db", "dictionary") == render_dictionary()
    news("db", "dictionary", "-o", tmp_path / "told.md")
    assert (tmp_path / "told.md").read_text() == render_dictionary()
