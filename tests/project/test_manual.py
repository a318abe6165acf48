"""README and manual tell the truth: their commands exist, the settings are the settings, the SQL runs."""

import re
import shlex
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipeline.classify import CLASSES
from pipeline.config import Settings
from pipeline.errors import FetchError
from pipeline.errors.failure_reasons import FAMILIES, REASONS
from pipeline.model import Entry
from pipeline.schedule.pages import after_error
from pipeline.store.connection.engine import reading
from pipeline.store.frontier.page_outcomes import record_page
from tests.support.archive import MINUTE, NOW, POLICY, Archive
from tests.support.commands import find_command

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    page.relative_to(ROOT).as_posix(): page.read_text("utf-8")
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").rglob("*.md"))
}
MANUAL = "\n".join(text for name, text in PAGES.items() if name != "CHANGELOG.md")
SQL = re.findall(r"```sql\n(.*?)```", PAGES["docs/schema.md"], re.DOTALL)


def settings_table():
    rows = [
        f"| `{name}` | {'`' + value + '`' if value else ''} | {doc} |"
        for name, value, _, doc in Settings().described({})
    ]
    return "\n".join(["| variable | default | what it is |", "| --- | --- | --- |", *rows])


def test_the_settings_are_those_there_are():
    shown = PAGES["docs/settings.md"].split("<!-- settings")[1].split("-->\n", 1)[1].split("\n<!-- end of settings")[0]
    assert shown == settings_table()


def marked_table(name):
    """The table that stands in the page of reasons between two comments."""
    shown = PAGES["docs/reasons.md"].split(f"<!-- {name}", 1)[1].split("-->\n", 1)[1]
    return shown.split(f"\n<!-- end of {name}")[0]


def test_the_reasons_of_failures_are_those_there_are():
    reasons = [*REASONS.values(), *(reason for _, reason in FAMILIES)]
    rows = [f"| `{row.name}` | {'yes' if row.is_temporary else ''} | {row.advice} |" for row in reasons]
    assert marked_table("reasons").splitlines() == [
        "| reason | tried again | what to do |",
        "| --- | --- | --- |",
        *rows,
    ]


def test_the_classes_of_pages_are_those_there_are():
    assert all(row.is_stored or row.name in REASONS for row in CLASSES.values())
    rows = [f"| `{row.name}` | {row.meaning} | {'yes' if row.is_stored else ''} |" for row in CLASSES.values()]
    assert marked_table("classes").splitlines() == ["| class | what it is | stored |", "| --- | --- | --- |", *rows]


def named_commands():
    """The words after ``news`` in tables and console blocks."""
    for block in re.findall(r"```console\n(.*?)```", MANUAL, re.DOTALL):
        for line in re.findall(r"^\$ (?:\.venv/bin/)?news (.*)$", block, re.MULTILINE):
            yield shlex.split(line, comments=True)
    for name in re.findall(r"`news ([a-z]+(?: [a-z|\\]+)?)", MANUAL):
        first, *rest = name.replace("\\", "").split()
        yield from ([first, word] for word in rest[0].split("|")) if rest else ([first],)


@pytest.mark.parametrize("words", list(named_commands()), ids=" ".join)
def test_the_commands_exist(words):
    command = find_command(words)
    options = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options


def test_the_make_targets_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:`|^\$ )make ([a-z-]+)", MANUAL, re.MULTILINE)) - {"and"} <= targets


@pytest.mark.parametrize("page", sorted(PAGES))
def test_the_files_and_sections_it_links_to_are_there(page):
    for target, section in re.findall(r"\]\(((?!/)[^)#:]*)(?:#([^)]+))?\)", PAGES[page]):
        path = (ROOT / page).parent / target if target else ROOT / page
        assert path.exists(), target
        assert not section or section in {anchor(line) for line in path.read_text("utf-8").splitlines()}, section


def anchor(line):
    """The anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w -]", "", line.lstrip("# ")).replace(" ", "-").lower() if line.startswith("#") else None


def test_every_page_of_the_manual_is_in_its_table_of_contents_and_the_readme_is_short():
    listed = set(re.findall(r"\]\((\w[\w-]*\.md)\)", PAGES["docs/README.md"]))
    assert listed == {name.removeprefix("docs/") for name in PAGES if name.startswith("docs/")} - {"README.md"}
    assert len(PAGES["README.md"].splitlines()) <= 130


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
