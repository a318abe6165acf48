"""The README tells the truth: its commands exist, its settings are the settings, its SQL runs."""

import re
import shlex
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipeline.cli import main
from pipeline.config import Settings
from pipeline.errors import FetchError
from pipeline.model import Entry
from pipeline.schedule import after_error
from pipeline.store.engine import reading
from pipeline.store.frontier import record_page
from tests.test_store import MINUTE, NOW, POLICY, Archive

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
SQL = re.findall(r"```sql\n(.*?)```", README, re.DOTALL)


def settings_table():
    rows = [
        f"| `{name}` | {'`' + value + '`' if value else ''} | {doc} |"
        for name, value, _, doc in Settings().described({})
    ]
    return "\n".join(["| variable | default | what it is |", "| --- | --- | --- |", *rows])


def test_the_settings_are_those_there_are():
    told = README.split("<!-- settings")[1].split("-->\n", 1)[1].split("\n<!-- end of settings")[0]
    assert told == settings_table()


def named_commands():
    """The words after ``news`` in tables and console blocks."""
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL):
        for line in re.findall(r"^\$ (?:\.venv/bin/)?news (.*)$", block, re.MULTILINE):
            yield shlex.split(line, comments=True)
    for name in re.findall(r"`news ([a-z]+(?: [a-z|\\]+)?)", README):
        first, *rest = name.replace("\\", "").split()
        yield from ([first, word] for word in rest[0].split("|")) if rest else ([first],)


@pytest.mark.parametrize("words", list(named_commands()), ids=" ".join)
def test_the_commands_exist(words):
    command = main
    for word in words:
        if not hasattr(command, "commands"):
            break
        command = command.commands[word]
    options = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options


def test_the_make_targets_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"make ([a-z-]+)", README)) - {"and"} <= targets


def test_the_files_it_names_are_there():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


@pytest.fixture
def archive(engine):
    """Two sites with a copy, an edit, and a page that was not found."""
    archive = Archive(engine)
    archive.store("https://one.example/a", site="one.example", language="en")
    archive.store("https://two.example/b", site="two.example", language="en", authors=("Ada Ruiz", "Bo Lind"))
    archive.store("https://two.example/c", site="two.example", language="de", text="Ein anderer Text.")
    archive.store("https://two.example/c", site="two.example", language="de", text="Noch ein Text.", now=NOW + MINUTE)
    archive.poll(Entry(guid="d", url="https://one.example/d"), now=NOW + MINUTE)
    page = archive.claim(host="one.example", now=NOW + MINUTE)
    lost = after_error(page, FetchError(page.url, "http_404", temporary=False, status=404), NOW, POLICY)
    archive(record_page, page, "w", lost, NOW)
    return archive


EXPECTED = [
    [("one.example", "en", 1, 4), ("two.example", "de", 1, 3)],
    [("failed", "http_404", 1)],
    [("https://two.example/c", "Headline", 1)],
    [("Ada Ruiz", 3, 2), ("Bo Lind", 1, 1)],
    [("https://one.example/a", "https://two.example/b")],
]


def test_five_queries_are_shown():
    assert len(SQL) == len(EXPECTED) == 5


@pytest.mark.parametrize(("query", "expected"), list(zip(SQL, EXPECTED, strict=True)), ids=map(str, range(1, 6)))
def test_the_queries_answer(archive, query, expected):
    with reading(archive.engine) as connection:
        rows = connection.execute(sa.text(query)).all()
    assert [tuple(row)[: len(expected[0])] for row in rows] == expected
