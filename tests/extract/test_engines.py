"""Ours and trafilatura as extractors of equal standing: who chooses the text, and how both are shown side by side."""

import json

import pytest
from click.testing import CliRunner

from pipeline.cli import main
from pipeline.errors import ConfigError
from pipeline.extract import PageInput, extract_article
from pipeline.site_rules import load_rules

URL = "https://www.harbour.example/city/ferry.html"
PARAGRAPHS = [
    f"The ferry to the {place} islands runs again from Monday on, the harbour board said, after a winter of repairs."
    for place in ("northern", "outer", "smaller", "western")
]
PAGE = f"""<html lang="en"><head><title>The ferry runs again</title>
<script type="application/ld+json">{{"@type": "NewsArticle", "headline": "The ferry runs again",
 "datePublished": "2026-03-04", "author": {{"@type": "Person", "name": "Ann Lee"}}}}</script></head><body>
<main><article>
<h1>The ferry runs again</h1><p class="byline">By Ann Lee</p>{"".join(f"<p>{text}</p>" for text in PARAGRAPHS)}
<p>Sign up for our newsletter.</p>
<div class="teaser-text"><p>Tickets for the bridge cost twice as much since January, which drivers find odd.</p></div>
</article></main></body></html>"""


def read(extractor="news", **options):
    return extract_article(PageInput(PAGE.encode(), URL, extractor=extractor, **options))


@pytest.mark.parametrize("extractor", ["news", "trafilatura"])
def test_the_text_is_that_of_the_extractor_that_was_chosen_and_is_cleaned(extractor):
    article = read(extractor)
    assert article.extractor == extractor
    assert all(text in article.text for text in PARAGRAPHS)
    assert "newsletter" not in article.text
    assert "By Ann Lee" not in article.text.split("\n\n")
    assert (article.title, article.authors, article.published_at.day) == ("The ferry runs again", ("Ann Lee",), 4)


def test_what_only_one_of_them_takes_for_text_is_its_choice():
    assert "Tickets for the bridge" in read().text
    assert "Tickets for the bridge" not in read("trafilatura").text


def test_where_trafilatura_finds_nothing_ours_stands_in():
    blocks = json.dumps({"story": [{"type": "text", "content": text} for text in PARAGRAPHS]})
    page = f"<html><head><title>Ferry</title></head><body><div id=app></div><script>state = {blocks}</script></body>"
    article = extract_article(PageInput(f"{page}</html>".encode(), URL, extractor="trafilatura"))
    assert (article.extractor, article.text.split("\n\n")) == ("state", PARAGRAPHS)


@pytest.mark.parametrize(("chosen", "ruled"), [("news", "trafilatura"), ("trafilatura", "news")])
def test_a_rule_of_the_site_names_its_extractor_and_still_drops(tmp_path, chosen, ruled):
    rule = f'[[rule]]\nextractor = "{ruled}"\ndrop = ["div.teaser-text p"]'
    (tmp_path / "harbour.example.toml").write_text(rule, encoding="utf-8")
    article = read(chosen, rules_dir=str(tmp_path))
    assert (article.extractor, "Tickets" in article.text) == (ruled, False)


def test_the_body_of_a_rule_comes_before_the_extractor_that_is_set(tmp_path):
    (tmp_path / "harbour.example.toml").write_text('[[rule]]\nbody = ["article > p"]', encoding="utf-8")
    assert read("trafilatura", rules_dir=str(tmp_path)).extractor == "news"


@pytest.mark.parametrize("rule", ['extractor = "magic"', 'extractor = "trafilatura"\nbody = ["p"]', "extractor = 3"])
def test_a_rule_with_a_wrong_extractor_is_refused(tmp_path, rule):
    (tmp_path / "harbour.example.toml").write_text(f"[[rule]]\n{rule}", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"extractor should be one of news, trafilatura, in a rule without body"):
        load_rules(str(tmp_path))


def run(tmp_path, *words, stdin=None, **environ):
    page = tmp_path / "page.html"
    page.write_text(PAGE, encoding="utf-8")
    words = [str(page) if word == "PAGE" else word for word in words]
    env = {"NEWS_DATABASE_URL": f"sqlite:///{tmp_path}/news.db"} | environ
    result = CliRunner().invoke(main, words, input=stdin, env=env)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_comparison_marks_what_only_one_of_the_two_has(tmp_path):
    told = json.loads(run(tmp_path, "explain", "PAGE", "--url", URL, "--compare", "--json"))
    assert told["sources"] == {"news": "news", "trafilatura": "trafilatura"}
    both = [line["news"] for line in told["lines"] if line["news"] and line["trafilatura"]]
    alone = [line["news"] for line in told["lines"] if not line["trafilatura"]]
    assert both == PARAGRAPHS
    assert [line[:22] for line in alone] == ["Tickets for the bridge"]
    assert told["words"]["news"] > told["words"]["trafilatura"] > 70
    shown = run(tmp_path, "explain", "PAGE", "--url", URL, "--compare")
    marked = next(line for line in shown.splitlines() if "Tickets for the bridge" in line)
    assert marked.startswith("<")
    assert "1 lines of its own, marked <" in shown


def test_news_extract_reads_by_the_extractor_that_is_set(tmp_path):
    page = tmp_path / "page.html"
    request = json.dumps({"id": 1, "url": URL, "path": str(page)})
    answer = run(tmp_path, "extract", "--jobs", "1", stdin=request, NEWS_EXTRACTOR="trafilatura")
    assert json.loads(answer)["extractor"] == "trafilatura"
