"""Pages with a text of their own that are no articles: what they are taken for, and who wants them is given them."""

import json

import pytest
from click.testing import CliRunner

from pipeline.classify.page_numbers import NAMES
from pipeline.classify.page_types import SIGNS, load_type_model, read_type_model, sum_of, type_of_numbers
from pipeline.cli import main
from pipeline.errors.failure_reasons import PAGE_TYPES
from pipeline.extract import PageInput, explain_article, extract_article
from pipeline.model import Article, NoArticle
from tests.support.page_kinds import PAGES, page
from tests.support.stories import article_page


def read(kind, **options):
    source, url = PAGES[kind]
    return extract_article(PageInput(source.encode(), url, **options))


@pytest.mark.parametrize("kind", ["product", "collection", "service", "forum", "documentation", "list"])
def test_what_is_no_article_is_refused_with_its_type(kind):
    found = read(kind)
    assert isinstance(found, NoArticle)
    assert found.reason == kind
    assert found.message


@pytest.mark.parametrize("kind", ["recipe", "video", "gallery"])
def test_what_newspapers_have_among_their_articles_is_stored_and_flagged(kind):
    found = read(kind)
    assert (type(found), found.page_class) == (Article, kind)
    assert read(kind, kept_types=()).reason == kind


@pytest.mark.parametrize("kind", PAGES)
def test_types_that_are_wanted_are_stored_and_flagged(kind):
    found = read(kind, kept_types=PAGE_TYPES)
    assert (type(found), found.page_class) == (Article, kind)
    assert found.text


def test_what_a_feed_announced_is_refused_only_where_hardly_an_article_looks_like_that():
    model = load_type_model()
    assert model.sure > model.limit
    between = model._replace(limit=-100.0, sure=100.0, hopeless=-100.0)
    numbers = explain_article(PageInput(article_page(1).encode(), "https://courier.example/2026/pier")).numbers
    found = type_of_numbers(numbers, between)
    assert (found.page_type in PAGE_TYPES, found.is_sure) == (True, False)
    for kind in ("product", "collection", "service", "forum", "documentation", "list"):
        sure = explain_article(PageInput(PAGES[kind][0].encode(), PAGES[kind][1])).verdict.is_sure
        announced = read(kind, is_announced=True)
        assert isinstance(announced, NoArticle if sure else Article), kind
        assert sure or announced.page_class == kind


OFFERS = "".join(
    f'<div class="card"><a href="/shop/{n}"><h4>Offer {n} of the reader shop</h4></a><span>€{n}.90</span></div>'
    for n in range(1, 13)
)
REPLIES = "<p>That crane was old.</p><button>Reply</button>" * 8
LINKS = "".join(f'<li><a href="/2026/{n}">What else was said of the pier, part {n}</a></li>' for n in range(15))
SHORT = {
    "a short report among offers of the shop": f"""<h1>Ferry cancelled</h1><p>The evening ferry does not run today, the
harbour board says. Tickets stay valid until Sunday.</p><aside>{OFFERS}</aside>""",
    "a report of one paragraph with comments": f"""<h1>Two hurt on the quay</h1><p>Two people were hurt on
Friday when a crane
lost its load, police said. Both are in hospital. The quay was closed until the evening.</p>
<div class="comments"><h3>Comments</h3>{REPLIES}</div>""",
    "a report with a list of links below": f"""<h1>Council votes on Monday</h1><p>The council votes on the
budget on Monday,
after three months of talks. Spending on roads is to rise by a tenth.</p><h2>More news</h2><ul>{LINKS}</ul>""",
}


@pytest.mark.parametrize("body", SHORT.values(), ids=SHORT)
def test_short_items_are_not_refused_for_what_stands_around_them(body):
    head = '<meta property="og:type" content="article">'
    head += '<meta property="article:published_time" content="2026-05-04T09:00:00Z">'
    source = page(f"<article>{body}</article>", "News of the quay", head)
    assert isinstance(
        extract_article(PageInput(source.encode(), "https://courier.example/2026/05/04/quay-news")), Article
    )


def test_numbers_are_as_many_as_their_names_and_say_what_was_counted():
    found = explain_article(PageInput(PAGES["collection"][0].encode(), PAGES["collection"][1]))
    named = dict(zip(NAMES, found.numbers, strict=True))
    assert named["prices"] > 3
    assert named["depth"] == 2
    assert named["published"] == 0
    assert found.verdict.evidence.count(",") == 3


def test_a_page_without_an_address_has_numbers_too():
    assert len(explain_article(PageInput(PAGES["collection"][0].encode(), "")).numbers) == len(NAMES)


def test_trees_are_read_and_the_signs_are_those_that_speak_most():
    model = json.dumps(
        {
            "names": ["prices", "depth"],
            "usual": [0.0, 3.0],
            "trees": [[0, 1.5, -1.0, 2.0], [1, 2.5, 0.5, -0.5]],
            "types": {"product": [0.1], "list": [[1, 2.5, 1.0, -1.0]]},
            "limit": 0.0,
            "sure": 3.0,
            "hopeless": -9.0,
        }
    )
    numbers = [0.0] * len(NAMES)
    assert type_of_numbers(numbers, read_type_model(model)) is None
    numbers[NAMES.index("prices")] = 2.0
    found = type_of_numbers(numbers, read_type_model(model))
    assert (found.page_type, found.is_sure) == ("list", False)
    assert found.evidence == "0.924, by prices 2, depth 0"


@pytest.mark.parametrize("kind", ["product", "collection", "service", "forum", "documentation", "list"])
def test_the_signs_are_the_numbers_without_which_the_trees_would_say_least(kind):
    model = load_type_model()
    found = explain_article(PageInput(PAGES[kind][0].encode(), PAGES[kind][1]))
    named = dict(zip(NAMES, found.numbers, strict=True))
    row = [named[name] for name in model.names]
    without = {
        name: sum_of(model.trees, [*row[:place], usual, *row[place + 1 :]])
        for place, (name, usual) in enumerate(zip(model.names, model.usual, strict=True))
    }
    least = sorted(without, key=without.__getitem__)[:SIGNS]
    assert found.verdict.evidence.partition(", by ")[2] == ", ".join(
        f"{name.replace('_', ' ')} {named[name]:.3g}" for name in least
    )


def test_news_extract_and_news_explain_say_the_type_and_why(tmp_path):
    source, url = PAGES["product"]
    file = tmp_path / "page.html"
    file.write_text(source, encoding="utf-8")
    env = {"NEWS_DATABASE_URL": f"sqlite:///{tmp_path}/news.db"}
    request = json.dumps({"id": 1, "url": url, "path": str(file)})
    answers = [
        json.loads(CliRunner().invoke(main, ["extract", "--jobs", "1"], input=request, env=env | kept).stdout)
        for kept in ({}, {"NEWS_KEEP_TYPES": "product"})
    ]
    assert (answers[0]["error"], answers[0]["text"]) == ("product", "")
    assert answers[0]["message"]
    assert answers[1]["page_class"] == "product"
    assert answers[1]["text"]
    told = CliRunner().invoke(main, ["explain", str(file), "--url", url], env=env).stdout
    assert f"product: {answers[0]['message']}" in told
