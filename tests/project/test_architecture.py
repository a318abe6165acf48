"""ARCHITECTURE.md, the glossary and SECURITY.md speak of the code as it is: what they name is there."""

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["ARCHITECTURE.md", "SECURITY.md", "CONTRIBUTING.md", "docs/glossary.md"]
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
FOLDERS = "pipeline|tests|dags|docs|examples|bench|migrations"


def references(page):
    """The paths that a page names between backticks or as links, with what is named in them."""
    text = (ROOT / page).read_text("utf-8")
    for path, name in re.findall(rf"`((?:{FOLDERS})/[\w./-]*)(?:::(\w+))?`", text):
        yield path.rstrip("/"), name
    for path in re.findall(r"\]\(([^)#:]+)\)", text):
        yield ((ROOT / page).parent / path).resolve().relative_to(ROOT).as_posix(), ""


@cache
def names_in(path):
    """The functions, classes and constants that a module defines."""
    names = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


@pytest.mark.parametrize("page", PAGES)
def test_what_the_page_names_is_there(page):
    named = list(references(page))
    assert named
    assert [path for path, _ in named if not (ROOT / path).exists()] == []
    assert [f"{path}::{name}" for path, name in named if name and name not in names_in(path)] == []


def layers(container):
    """The layers of the import contract, as `pyproject.toml` has them."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    return next(contract["layers"] for contract in contracts if contract.get("containers") == [container])


def test_the_floors_are_the_contract_that_the_imports_are_held_to():
    shown = re.findall(r"```text\n(.*?)```", ARCHITECTURE, re.DOTALL)
    floors = [[re.split(r"\s{4,}", line)[0] for line in block.splitlines()] for block in shown]
    assert floors == [layers("pipeline"), layers("pipeline.store")]


def test_every_invariant_has_a_test():
    table = ARCHITECTURE.split("| invariant |")[1].split("\n\n")[0]
    rows = [row for row in table.splitlines()[2:] if row.startswith("|")]
    assert len(rows) >= 12
    assert [row for row in rows if not re.search(r"`tests/[\w/]+\.py::test_\w+` \|$", row)] == []


def test_the_states_are_those_of_the_tables():
    from pipeline.store.schema.tables import FEED_STATES, PAGE_STATES

    pages, feeds = re.findall(r"stateDiagram-v2\n(.*?)```", ARCHITECTURE, re.DOTALL)
    for diagram, states in ((pages, PAGE_STATES), (feeds, FEED_STATES)):
        drawn = {word for ends in re.findall(r"^ +(\S+) --> (\w+)", diagram, re.MULTILINE) for word in ends}
        assert drawn - {"[*]"} == set(states)


def test_it_is_short_enough_to_be_read():
    assert len(ARCHITECTURE.splitlines()) <= 220


def test_the_tables_and_columns_of_the_glossary_are_those_of_the_schema():
    from pipeline.config import Settings
    from pipeline.store.schema.tables import Table
    from pipeline.store.schema.views import VIEWS

    text = (ROOT / "docs/glossary.md").read_text("utf-8")
    columns = {table.name: set(table.columns.keys()) for table in Table.metadata.sorted_tables}
    columns |= {table: set() for table in ("article_search",)}  # each database makes it in its own way
    named = re.findall(r"`([a-z_]+)(?:\.([a-z_]+))?`(?=[, |])", text)
    tables = {(table, column) for table, column in named if column or table in columns}
    assert {table for table, _ in tables} - columns.keys() == set()
    assert {(table, column) for table, column in tables if column and column not in columns[table]} == set()
    assert set(re.findall(r"view `(\w+)`", text)) <= {view.name for view in VIEWS}
    assert set(re.findall(r"`(NEWS_\w+)`", text)) <= {name for name, *_ in Settings().described({})}


def test_each_word_of_the_glossary_stands_in_it_once():
    words = re.findall(r"^\| ([^|]+) \| [^|]+ \| ", (ROOT / "docs/glossary.md").read_text("utf-8"), re.MULTILINE)
    words = [word for word in words if word not in {"word", "---"}]
    assert len(words) > 50
    assert [word for word in words if words.count(word) > 1] == []
