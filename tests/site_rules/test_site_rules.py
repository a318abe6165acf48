"""Rules of single sites: what they select, when they hold, what they change, and how their faults are told."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from lxml import html

from pipeline.cli import main
from pipeline.errors import ConfigError
from pipeline.extract import PageInput, explain_article
from pipeline.html.structured_data import read_structured
from pipeline.model import Article
from pipeline.site_rules import load_rules
from pipeline.site_rules.selectors import compile_selector, compile_source

URL = "https://www.harbour.example/city/cranes.html"
PAGE = """<html lang="en"><head><title>Cranes move</title>
<meta name="desk" content="City desk">
<script type="application/ld+json">{"@type": "NewsArticle", "headline": "Cranes move to the new quay",
 "author": [{"@type": "Person", "name": "Ann Lee"}, {"@type": "Person", "name": "Bo Chen"}]}</script></head><body>
<article><h1>Cranes move</h1><div class="intro">The four old cranes of the harbour have moved to the new quay.</div>
<div class="story"><p>They were carried on barges, which took the whole night and most of the morning to arrive.</p>
<p class="card">Our shop has a model of the crane for sale, made of wood by people of the town itself.</p>
<p>The port authority says that work will begin there in May, when the rails have been laid.</p></div>
<div class="late"><time class="seen" datetime="2026-03-04T09:00:00+01:00">four days ago</time></div></article>
</body></html>"""


def folder_with(tmp_path: Path, **rules: str) -> str:
    for name, text in rules.items():
        (tmp_path / f"{name}.example.toml").write_text(text, encoding="utf-8")
    return str(tmp_path)


def read(rules_dir: str | None, fetched_at: datetime | None = None, url: str = URL) -> Article:
    outcome = explain_article(PageInput(PAGE.encode(), url, fetched_at=fetched_at, rules_dir=rules_dir)).outcome
    assert isinstance(outcome, Article)
    return outcome


def test_a_rule_drops_keeps_and_names_fields(tmp_path):
    rules_dir = folder_with(
        tmp_path,
        harbour="""
[[rule]]
keep = ["div.intro"]
drop = ["p.card"]
[rule.fields]
title = ["meta:nothing", "json-ld:headline"]
authors = ["json-ld:author.name"]
section = ["meta:desk"]
published_at = ["css:time.seen @datetime"]
""",
    )
    found = explain_article(PageInput(PAGE.encode(), URL, rules_dir=rules_dir))
    article = found.outcome
    assert isinstance(article, Article)
    assert article.title == "Cranes move to the new quay"
    assert article.authors == ("Ann Lee", "Bo Chen")
    assert article.section == "City desk"
    assert article.published_at == datetime.fromisoformat("2026-03-04T09:00:00+01:00")
    assert "four old cranes" in article.text
    assert "model of the crane" not in article.text
    assert [removed.reason for removed in article.removed if "model" in removed.text] == ["site_rule"]
    assert found.metadata.provenance["title"].source == "rule:json-ld:headline"
    assert found.metadata.provenance["title"].alternatives[0][1] == "Cranes move"


def test_a_body_is_all_of_the_text_where_the_page_has_it(tmp_path):
    paragraphs = read(folder_with(tmp_path, harbour='[[rule]]\nbody = ["div.story"]')).text.split("\n\n")
    assert len(paragraphs) == 3
    assert paragraphs[0].startswith("They were carried")


def test_a_body_that_the_page_does_not_have_changes_nothing(tmp_path):
    assert read(folder_with(tmp_path, harbour='[[rule]]\nbody = ["div.gone"]')).text == read(None).text


def test_the_rule_of_the_day_of_fetching_holds(tmp_path):
    rules_dir = folder_with(
        tmp_path,
        harbour="""
[[rule]]
valid_until = 2026-02-01
[rule.fields]
title = ["meta:desk"]
[[rule]]
valid_from = 2026-02-01
[rule.fields]
title = ["json-ld:headline"]
""",
    )
    titles = [read(rules_dir, datetime(2026, month, day, 23, tzinfo=UTC)).title for month, day in ((1, 31), (2, 1))]
    assert titles == ["City desk", "Cranes move to the new quay"]
    assert read(rules_dir).title == "Cranes move to the new quay"


@pytest.mark.parametrize(
    ("url", "applies"),
    [
        pytest.param("https://harbour.example/a", True, id="the host"),
        pytest.param("https://www.harbour.example/a", True, id="with www"),
        pytest.param("https://blog.harbour.example/a", True, id="below it"),
        pytest.param("https://oldharbour.example/a", False, id="a name that ends alike"),
        pytest.param("https://example/a", False, id="above it"),
    ],
)
def test_a_rule_holds_for_its_site_and_below(tmp_path, url, applies):
    book = load_rules(folder_with(tmp_path, harbour='[[rule]]\ndrop = ["p"]'))
    assert (book.for_page(url) is not None) == applies


def test_the_users_rule_takes_the_place_of_ours(tmp_path):
    shipped = load_rules("").of_site("metro.co.uk")
    assert shipped
    (tmp_path / "metro.co.uk.toml").write_text('[[rule]]\ndrop = ["p.mine"]', encoding="utf-8")
    own = load_rules(str(tmp_path)).of_site("metro.co.uk")
    assert [selector.text for rule in own for selector in rule.drop] == ["p.mine"]


def test_the_packages_rules_are_for_a_dozen_sites_and_can_be_read():
    assert len(load_rules("").rules) >= 12


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("", "[[rule]]", id="empty"),
        pytest.param("[[rule]]\nkep = []", "kep", id="unknown key"),
        pytest.param('[[rule]]\ndrop = ["p["]', "'p['", id="wrong CSS"),
        pytest.param('[[rule]]\ndrop = ["xpath://p["]', "xpath://p[", id="wrong XPath"),
        pytest.param('[[rule]]\ndrop = "p"', "list", id="no list"),
        pytest.param('[[rule]]\nvalid_from = "2026"', "valid_from", id="no day"),
        pytest.param('[[rule]]\n[rule.fields]\nheadline = ["css:h1"]', "headline", id="unknown field"),
        pytest.param('[[rule]]\n[rule.fields]\ntitle = ["h1"]', "json-ld:", id="unknown source"),
        pytest.param("[[rule]\n", "line 1", id="no TOML"),
    ],
)
def test_a_fault_is_told_with_its_file(tmp_path, text, told):
    with pytest.raises(ConfigError) as caught:
        load_rules(folder_with(tmp_path, harbour=text))
    assert "harbour.example.toml" in str(caught.value)
    assert told in str(caught.value)


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ConfigError, match="no such folder"):
        load_rules(str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("source", "values"),
    [
        ("json-ld:headline", ("Cranes move to the new quay",)),
        ("json-ld:author.name", ("Ann Lee", "Bo Chen")),
        ("json-ld:author.email", ()),
        ("meta:DESK", ("City desk",)),
        ("css:h1", ("Cranes move",)),
        ("css:time @datetime", ("2026-03-04T09:00:00+01:00",)),
        ("css:h1 @title", ()),
        ("xpath://div[@class='late']/time", ("four days ago",)),
        ("xpath:count(//p)", ()),
    ],
)
def test_a_source_reads_what_it_names(source, values):
    tree = html.document_fromstring(PAGE)
    assert compile_source(source).read(tree, read_structured(tree, URL)) == values


def test_an_xpath_that_fails_on_a_page_selects_nothing():
    assert compile_selector("xpath://p[unknown()]").select(html.document_fromstring(PAGE)) == []


def test_the_command_lists_and_shows_the_effect(tmp_path):
    rules_dir = folder_with(tmp_path, harbour='[[rule]]\nvalid_from = 2020-01-01\ndrop = ["p.card"]')
    page = tmp_path / "page.html"
    page.write_text(PAGE, encoding="utf-8")
    runner, settings = CliRunner(), {"NEWS_RULES_DIR": rules_dir, "COLUMNS": "200"}
    listed = json.loads(runner.invoke(main, ["rules", "list", "--json"], env=settings).output)
    assert [(row["valid_from"], row["drop"]) for row in listed if row["site"] == "harbour.example"] == [
        (date(2020, 1, 1).isoformat(), 1)
    ]
    told = runner.invoke(main, ["rules", "test", "harbour.example", str(page)], env=settings)
    assert told.exit_code == 0, told.output
    assert "model of the crane" in told.output
    assert "1 pages read, 1 come out otherwise" in told.output
    unknown = runner.invoke(main, ["rules", "test", "other.example", str(page)], env=settings)
    assert unknown.exit_code == 2
    assert "no rule for other.example" in unknown.output
