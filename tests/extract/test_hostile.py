"""Pages made to break the reader: none does. `bench.hostile` tries the same at 20 MB, and measures."""

import random

import pytest

from bench.hostile import URL, WAYS, answer, mutants, newsroom_pages, shapes
from pipeline.extract import PageInput, extract_article
from pipeline.html.decode import MAX_EQUALS, parse_html
from pipeline.html.jsonld import MAX_REPAIRED, parse_script
from pipeline.model import Article
from tests.fuzz.targets import pages

PAGES = newsroom_pages()
SHAPES = shapes(30_000, 20_000)


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_is_an_article_or_has_a_reason(name):
    body = SHAPES[name]()
    pages(body)
    assert not str(answer(body)).startswith("CRASH")


@pytest.mark.parametrize("name", ["attribute of 1 MB", "class of 1 MB", "NUL bytes", "paragraphs", "links", "svg"])
def test_an_article_is_found_in_what_surrounds_it(name):
    article = extract_article(PageInput(SHAPES[name](), URL))
    assert isinstance(article, Article)
    assert "keep the old ferry running" in article.text


def test_broken_pages_are_articles_or_have_a_reason():
    for name, body in mutants(PAGES, 60, seed=7):
        outcome = answer(body)
        assert not str(outcome).startswith("CRASH"), name
        assert answer(body) == outcome, name


@pytest.mark.parametrize("way", WAYS)
def test_a_way_of_breaking_a_page_changes_it(way):
    page = PAGES[0]
    assert any(bytes(WAYS[way](bytearray(page), page[::-1], random.Random(seed))) != page for seed in range(5))


def test_the_attributes_of_a_page_are_bounded():
    many = "<p " + " ".join(f"a{number}=1" for number in range(100)) + ">x</p>"
    tree = parse_html((many * (MAX_EQUALS // 100 + 1000)).encode()).tree
    assert 0 < sum(len(element.attrib) for element in tree.iter()) <= MAX_EQUALS


def test_a_script_that_is_no_json_is_mended_only_where_it_is_short():
    broken = '{"@type": "Article", "name": "x",}'
    assert parse_script(broken)
    assert parse_script(" " * 10 + broken[:-1] + " " * MAX_REPAIRED + "}") == []


ENDLESS = f"&#{'1' * 5_000};"
STORY = "".join(
    f"<p>The ferry of line {line} was repaired again on Monday, said the harbour master, who had waited for it.</p>"
    for line in range(12)
)
LINKED = '<script type="application/ld+json">{}</script>'


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(f'<meta property="og:title" content="Ferry &amp;{ENDLESS[1:]}">', id="headline"),
        pytest.param(f'<meta name="author" content="Ada &amp;{ENDLESS[1:]}">', id="author"),
        pytest.param(LINKED.format(f"{{&quot;name&quot;: &quot;{ENDLESS}&quot;}}"), id="JSON"),
        pytest.param(LINKED.format(f'{{"@type": "NewsArticle", "articleBody": "{ENDLESS}"}}'), id="a body announced"),
        pytest.param(f'<script>a = [{{"type": "p", "text": "&lt; {ENDLESS} b"}}]</script>', id="state"),
    ],
)
@pytest.mark.parametrize("story", [STORY, ""])
def test_a_reference_of_thousands_of_digits_costs_no_page(head, story):
    page = f"<html><head>{head}</head><body><article><h1>Ferry</h1>{story}</article></body></html>"
    outcome = extract_article(PageInput(page.encode(), URL))
    assert isinstance(outcome, Article) is bool(story)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param('"<p ' + '"\\' * 1_000_000, id="strings without an end"),
        pytest.param("__next_f.push([" * 150_000, id="pushes without an end"),
        pytest.param('a = {"text": "&lt;p' + "<p" * 1_000_000 + '"}', id="tags without an end"),
    ],
)
def test_a_flood_in_a_script_costs_no_page(script):
    outcome = extract_article(PageInput(f"<body><script>{script}</script><p>Nothing.</p></body>".encode(), URL))
    assert not isinstance(outcome, Article)
