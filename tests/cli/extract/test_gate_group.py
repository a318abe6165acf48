"""Pinned pages, and the page that shows what became of each block."""

import json

import pytest
from click.testing import CliRunner
from lxml import html

from pipeline.cli import main

URL = "https://harbour.example/cranes.html"
PAGE = """<html lang="en"><head><title>Cranes move</title><meta property="og:title" content="Cranes move"></head><body>
<article><h1>Cranes move</h1>
<p>They were carried on barges, which took the whole night and the morning &lt;script&gt;alert(1)&lt;/script&gt;.</p>
<p>The port authority says that work will begin there in May, when the rails have been laid and the quay is dry.</p>
<p>Sign up for our newsletter to get the news of the harbour every morning.</p></article></body></html>"""


@pytest.fixture
def page(tmp_path):
    file = tmp_path / "page.html"
    file.write_text(PAGE, encoding="utf-8")
    return file


def news(*words: object, **settings: str):
    return CliRunner().invoke(main, [str(word) for word in words], env=settings, catch_exceptions=False)


def test_a_pinned_page_holds_until_something_changes(tmp_path, page):
    folder = tmp_path / "gate"
    added = news("gate", "add", page, "--url", URL, "--folder", folder)
    assert added.exit_code == 0, added.output
    assert news("gate", "run", "--folder", folder).exit_code == 0

    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "harbour.example.toml").write_text('[[rule]]\ndrop = ["xpath://p[2]"]', encoding="utf-8")
    shut = news("gate", "run", "--folder", folder, "--json", NEWS_RULES_DIR=str(rules))
    assert shut.exit_code == 1
    told = json.loads(shut.stdout)
    assert told["pages"] == 1
    assert any(line.startswith("-text: The port authority") for line in told["changed"][0]["diff"])

    assert news("gate", "run", "--folder", folder, "--accept", NEWS_RULES_DIR=str(rules)).exit_code == 0
    assert news("gate", "run", "--folder", folder, NEWS_RULES_DIR=str(rules)).exit_code == 0


def test_an_answer_corrected_by_hand_keeps_the_gate_shut(tmp_path, page):
    folder = tmp_path / "gate"
    news("gate", "add", page, "--url", URL, "--folder", folder)
    (file,) = folder.glob("*.json")
    pinned = json.loads(file.read_text(encoding="utf-8"))
    pinned["expected"]["title"] = "Cranes move to the new quay"
    file.write_text(json.dumps(pinned), encoding="utf-8")
    shut = news("gate", "run", "--folder", folder)
    assert shut.exit_code == 1
    assert "-title: Cranes move to the new quay" in shut.output


@pytest.mark.parametrize("content", ["", "{}", '{"url": "x", "expected": {}, "fetched_at": "yesterday"}'])
def test_a_broken_pin_is_told_with_its_file(tmp_path, content):
    (tmp_path / "bad.json").write_text(content, encoding="utf-8")
    told = news("gate", "run", "--folder", tmp_path)
    assert told.exit_code == 2
    assert "bad.json" in told.output


def test_an_empty_folder_is_told(tmp_path):
    assert "news gate add" in news("gate", "run", "--folder", tmp_path).output


def test_the_coloured_page_shows_each_block_and_nothing_of_the_pages_own_markup(tmp_path, page):
    target = tmp_path / "why.html"
    told = news("explain", page, "--url", URL, "--html", target)
    assert told.exit_code == 0, told.output
    text = target.read_text(encoding="utf-8")
    tree = html.document_fromstring(text)
    by_class = {name: tree.find_class(name) for name in ("kept", "removed")}
    assert [line.find_class("text")[0].text_content()[:10] for line in by_class["kept"]] == ["They were ", "The port a"]
    assert any("newsletter" in line.find_class("why")[0].text_content() for line in by_class["removed"])
    assert not tree.findall(".//script")
    assert "http://" not in text.replace(URL, "")
    assert "src=" not in text
