import json
import math
import pickle
from html import escape
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import html

from pipeline.errors import ExtractError
from pipeline.extract import EXTRACTOR_VERSION, PageInput, explain_article, extract_article
from pipeline.extract.blocks import segment_page
from pipeline.extract.element_names import bit, mark_names, marks_of
from pipeline.extract.features import FEATURES, features_of
from pipeline.extract.forest import body_probabilities, read_forest
from pipeline.extract.page_context import TextHints
from pipeline.extract.rescue import paragraphs_of
from pipeline.model import Article, NoArticle

URL = "https://www.courier.example/2026/03/04/old-crane-stays"
TITLE = "Old crane stays in the harbour after a long night of debate"
PARAGRAPHS = (
    "The harbour board voted on Tuesday to keep the old crane, nine votes to four, after a debate that ran past midnight.",  # noqa: E501  # a paragraph or a page, as it is
    "“Nobody builds them like this any more,” said Ottilie Brandt, who has operated it since 1988 and will retire in May.",  # noqa: E501  # a paragraph or a page, as it is
    "Repairs are to begin in the autumn and will cost 1.2 million crowns, most of it from a fund for monuments of industry.",  # noqa: E501  # a paragraph or a page, as it is
    "The crane was set up in 1911, moved once, and hit by a ship twice; its cabin, however, is that of 1954, when a storm took the first.",  # noqa: E501  # a paragraph or a page, as it is
    "Opponents had asked for the quay to be widened, which the crane stands in the way of, and for a café with a view of the sea.",  # noqa: E501  # a paragraph or a page, as it is
    "A second vote, on the lamps along the pier, was put off until April because two members had already left for the last ferry.",  # noqa: E501  # a paragraph or a page, as it is
)
BOILERPLATE = (
    "NOW WATCH: A lighthouse keeper shows how the lamp is turned by hand",
    "Harbour Courier Emails & Alerts",
    "Site highlights each day to your inbox.",
    "Follow Harbour Courier Northland on Facebook, Twitter, LinkedIn, and Instagram.",
)
SEED = Path(__file__).resolve().parents[3] / "shared" / "seed"


def news_page(*inner: str, title: str = TITLE, head: str = "", lang: str = "en") -> bytes:
    """A page of a news site around an article, with what such pages have."""
    sections = "".join(
        f"<li><a href='/{name.lower()}'>{name}</a></li>" for name in ("Home", "Harbour", "Sport", "Weather")
    )
    teasers = "".join(
        f"<div class='teaser-card'><a href='/t{n}'><h3>Ferry number {n} is late again, and nobody knows why</h3></a>"
        f"<p>Passengers waited on the quay for the {n}th time this week.</p></div>"
        for n in range(1, 6)
    )
    comments = "".join(
        f"<div class='comment'><b>Reader {n}</b><p>I have walked past that crane every day for {n} years and I like it.</p></div>"  # noqa: E501  # a paragraph or a page, as it is
        for n in range(20, 24)
    )
    return f"""<!doctype html><html lang="{lang}"><head><title>{escape(title)} - Courier</title>{head}</head><body>
    <header><a href="/">Courier</a><nav><ul>{sections}</ul></nav></header>
    <main><article class="story"><h1>{escape(title)}</h1>
    <div class="byline">By <a rel="author" href="/a">Ida Holm</a></div>
    <figure><img src="/c.jpg"><figcaption>The crane on Monday. Photo: Ida Holm</figcaption></figure>
    <div class="article-body">{"".join(inner)}</div>
    <div class="share-bar"><a href="#">Share</a> <a href="#">Tweet</a></div></article>
    <section id="comments"><h2>Comments</h2>{comments}</section></main>
    <aside class="sidebar"><h2>Most read</h2>{teasers}</aside>
    <footer><p>© 2026 Courier. All rights reserved.</p><a href="/imprint">Imprint</a></footer>
    </body></html>""".encode()


def paragraphs(*texts: str) -> str:
    return "".join(f"<p>{escape(text)}</p>\n" for text in texts)


def test_a_news_page_gives_its_article_and_nothing_else():
    article = extract_article(PageInput(news_page(paragraphs(*PARAGRAPHS)), URL))
    assert isinstance(article, Article)
    assert article.text.split("\n\n") == list(PARAGRAPHS)
    assert (article.title, article.authors, article.language) == (TITLE, ("Ida Holm",), "en")
    assert (article.site, article.url) == ("courier.example", URL)
    assert article.word_count == 146
    assert article.extractor_version == EXTRACTOR_VERSION


def test_boilerplate_within_the_body_goes_with_its_reason():
    article = extract_article(PageInput(news_page(paragraphs(*PARAGRAPHS, *BOILERPLATE)), URL))
    assert article.text.split("\n\n") == list(PARAGRAPHS)
    told = {gone.text: gone.reason for gone in article.removed}
    assert [told[line] for line in BOILERPLATE] == ["teaser", "newsletter", "newsletter", "follow"]


def test_subheadings_lists_quotes_and_tables_stay_in_reading_order():
    inner = (
        paragraphs(*PARAGRAPHS[:2]),
        "<h2>What it costs</h2>",
        paragraphs(PARAGRAPHS[2]),
        "<ul><li>The cabin: 300,000 crowns, paid by the fund</li><li>The chains: 120,000 crowns, paid by the port</li></ul>",  # noqa: E501  # a paragraph or a page, as it is
        f"<blockquote><p>{PARAGRAPHS[3]}</p></blockquote>",
        "<table><tr><td>1911</td><td>The crane is set up at the northern quay</td></tr></table>",
        paragraphs(*PARAGRAPHS[4:]),
    )
    text = extract_article(PageInput(news_page(*inner), URL)).text
    wanted = [*PARAGRAPHS[:2], "What it costs", PARAGRAPHS[2], "The cabin", "The chains", PARAGRAPHS[3], PARAGRAPHS[4]]
    places = [text.find(part) for part in wanted]
    assert -1 not in places
    assert places == sorted(places)


def test_markup_that_is_nothing_but_line_breaks_gives_paragraphs():
    article = extract_article(PageInput(news_page("<br><br>\n".join(map(escape, PARAGRAPHS))), URL))
    assert article.text.split("\n\n") == list(PARAGRAPHS)


def test_text_that_only_json_ld_holds_is_found():
    data = {"@type": "NewsArticle", "headline": TITLE, "articleBody": "\n\n".join(PARAGRAPHS)}
    head = f'<script type="application/ld+json">{json.dumps(data)}</script>'
    explanation = explain_article(PageInput(news_page("<p>Loading</p>", head=head), URL))
    assert explanation.rescued == "json-ld"
    assert explanation.outcome.text.split("\n\n") == list(PARAGRAPHS)


def test_text_that_only_the_state_of_an_application_holds_is_found():
    state = json.dumps({"page": {"contentHtml": paragraphs(*PARAGRAPHS), "ads": ["a", "b"]}}).replace("<", "\\u003c")
    page = f"<html lang='en'><head><title>{TITLE}</title></head><body><div id='app'></div><script>window.x = {state}</script>"  # noqa: E501  # a paragraph or a page, as it is
    explanation = explain_article(PageInput(page.encode(), URL))
    assert explanation.rescued == "state"
    assert explanation.outcome.text.split("\n\n") == list(PARAGRAPHS)


def test_a_page_without_text_holds_no_article():
    outcome = extract_article(
        PageInput(b"<html><body><img src='x.jpg'></body></html>", URL, title_hint="From the feed")
    )
    assert outcome == NoArticle(URL, "no_text", "no text was found in the page", title="From the feed")


def test_a_few_words_are_no_article():
    outcome = extract_article(PageInput(b"<html><body><p>Page not found.</p></body></html>", URL))
    assert isinstance(outcome, NoArticle)
    assert outcome.reason in {"too_short", "no_text"}


@pytest.mark.parametrize("body", [b"", b"\0\0", b"<!-- -->"], ids=["empty", "NULs", "comment"])
def test_what_no_parser_reads_is_refused_with_its_url(body):
    with pytest.raises(ExtractError) as caught:
        extract_article(PageInput(body, URL))
    assert caught.value.url == URL
    assert not caught.value.temporary


def test_the_explanation_shows_each_block_with_the_step_that_decided():
    explanation = explain_article(PageInput(news_page(paragraphs(*PARAGRAPHS, *BOILERPLATE)), URL))
    by_text = {line.text: line for line in explanation.lines}
    assert explanation.encoding == "utf-8"
    assert explanation.rescued is None
    assert [by_text[text].reason for text in PARAGRAPHS] == [None] * len(PARAGRAPHS)
    assert all(by_text[text].probability > 0.5 for text in PARAGRAPHS)
    assert by_text["Weather"].reason == "outside"
    assert [line.text for line in explanation.lines if line.reason is None] == explanation.outcome.text.split("\n\n")


def test_pages_do_not_change_each_other():
    pages = [
        news_page(paragraphs(*PARAGRAPHS[n:], *BOILERPLATE), title=f"Crane, part {n} of several") for n in range(4)
    ]
    forward = [extract_article(PageInput(page, URL)) for page in pages]
    backward = [extract_article(PageInput(page, URL)) for page in reversed(pages * 3)]
    assert forward * 3 == backward[::-1]


def test_an_article_travels_between_processes():
    article = extract_article(PageInput(news_page(paragraphs(*PARAGRAPHS)), URL))
    assert pickle.loads(pickle.dumps(article)) == article


@pytest.mark.parametrize(
    "inner",
    [
        pytest.param("<div>" * 3000 + "<p>deep</p>", id="deep nesting"),
        pytest.param("<b>" * 3000, id="deep inline nesting"),
        pytest.param(f"<p data-state='{'x' * 1_100_000}'>wide</p>", id="long attribute"),
        pytest.param("<p>\0&#0;&#1;&#x1f;</p>", id="control characters"),
        pytest.param("<table>" * 200 + "<tr><td>cell" * 200, id="nested tables"),
        pytest.param("<p>" + "a " * 200_000 + "</p>", id="one endless paragraph"),
        pytest.param("a<br>" * 50_000, id="line breaks"),
        pytest.param("<p>x</p>" * 250_000, id="paragraphs without end"),
        pytest.param("<li>" * 5_000, id="list items"),
        pytest.param("\ufffe\uffff<p>\U0001f6a2</p>", id="code points that are no characters"),
    ],
)
def test_hostile_markup_does_not_hide_the_article(inner):
    article = extract_article(PageInput(news_page(paragraphs(*PARAGRAPHS), inner), URL))
    assert isinstance(article, Article)
    assert all(text in article.text for text in PARAGRAPHS[1:-1])


PAGE = news_page(paragraphs(*PARAGRAPHS, *BOILERPLATE))


@settings(max_examples=25)
@given(st.data())
@example(None)
def test_mutated_pages_are_read_or_refused(data):
    body = bytearray(PAGE)
    if data is not None:
        for _ in range(data.draw(st.integers(1, 12))):
            place = data.draw(st.integers(0, len(body)))
            body[place : place + data.draw(st.integers(0, 300))] = data.draw(st.binary(max_size=20))
    try:
        outcome = extract_article(PageInput(bytes(body), URL))
    except ExtractError as error:
        outcome = error
    assert isinstance(outcome, Article | NoArticle | ExtractError)


@pytest.mark.skipif(not SEED.is_dir(), reason="the seed article is not beside this checkout")
def test_the_seed_article_in_a_news_page_comes_out_whole_and_clean():
    for file in SEED.glob("*.txt"):
        title, *lines = [line.strip() for line in file.read_text("utf-8").split("\n") if line.strip()]
        article = extract_article(PageInput(news_page(paragraphs(*lines), title=title), URL))
        assert article.title == title
        assert [" ".join(text.split()) for text in article.text.split("\n\n")] == [
            " ".join(text.split()) for text in lines[:-4]
        ]
        assert {gone.text for gone in article.removed} >= set(lines[-4:])


def blocks_of(source: str) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for block in segment_page(html.document_fromstring(source)).blocks]


@pytest.mark.parametrize(
    ("source", "blocks"),
    [
        pytest.param(
            "<p>one <b>two</b> <a href=x>three</a></p>", [("paragraph", "one two three")], id="inline elements"
        ),
        pytest.param(
            "<div>one<p>two</p>three</div>",
            [("text", "one"), ("paragraph", "two"), ("text", "three")],
            id="text around",
        ),
        pytest.param(
            "<p>one<br>two<br> <br>three</p>", [("paragraph", "one\ntwo"), ("paragraph", "three")], id="line breaks"
        ),
        pytest.param("<table><tr><th>a</th><td>b</td></tr></table>", [("row", "a | b")], id="a row of a table"),
        pytest.param(
            "<table><tr><td><p>a</p><p>b</p></td></tr></table>",
            [("paragraph", "a"), ("paragraph", "b")],
            id="layout table",
        ),
        pytest.param("<ul><li>one</li><li><p>two</p></li></ul>", [("item", "one"), ("paragraph", "two")], id="list"),
        pytest.param("<p>a<script>x()</script>b</p><style>p{}</style>", [("paragraph", "ab")], id="scripts"),
        pytest.param(
            "<p>the<ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp></ruby></p>",
            [("paragraph", "the漢(kan)")],
            id="ruby with brackets",
        ),
        pytest.param("<p><ruby>漢<rt>kan</rt></ruby></p>", [("paragraph", "漢")], id="ruby without brackets"),
        pytest.param("<h2>one\n  two</h2>", [("heading", "one two")], id="white space"),
    ],
)
def test_blocks_are_the_lines_that_a_browser_shows(source, blocks):
    assert blocks_of(source) == blocks


def test_links_are_measured():
    block = segment_page(html.document_fromstring("<p>all of <a href=x>this</a></p>")).blocks[0]
    assert (block.linked, block.links, len(block.text)) == (4, 1, 11)


@pytest.mark.parametrize(
    ("names", "marks"),
    [
        ("article-body", {"body"}),
        ("c-newsletterSignup", {"newsletter"}),
        ("Kommentarbereich", {"comment"}),
        ("header address adobe", set()),
        ("ad", {"advert"}),
        ("te-puede-interesar", {"related"}),
        ("a-lire-aussi__bloc", {"related"}),
        ("flex mt-4 col-12", set()),
    ],
)
def test_names_of_elements_are_read_in_many_languages(names, marks):
    found = {name for name in mark_names() if marks_of(names) & bit(name)}
    assert found >= marks
    assert marks or not found


@given(st.text(max_size=60))
def test_any_names_give_a_mask(names):
    assert 0 <= marks_of(names) < 1 << len(mark_names())


def test_a_forest_is_walked_by_the_names_of_its_features():
    trees = "[[1, 2.5, -3.0, [0, 1.0, 0.0, 3.0]]]"
    forest = read_forest(f'{{"names": ["spaces", "chars"], "hopeless": -9, "trees": {trees}}}')
    assert forest.names == ("spaces", "chars")
    low, even, high = body_probabilities(forest, ([0, 0, 2], [0.0, 3.0, 3.0]))
    assert low < 0.05
    assert even == 0.5
    assert high > 0.95


def test_every_feature_has_a_finite_number_for_each_block_that_is_looked_at():
    menu = "".join(f"<li><a href='/{n}'>Section {n}</a></li>" for n in range(12))
    layout = segment_page(
        html.document_fromstring(news_page(*map(paragraphs, PARAGRAPHS)) + f"<ul>{menu}</ul>".encode())
    )
    index, columns = features_of(layout, TextHints(TITLE, PARAGRAPHS[0], " ".join(PARAGRAPHS), "newsarticle"))
    assert 0 < len(index) < len(layout.blocks)
    assert len(columns) == len(FEATURES)
    assert all(len(column) == len(index) and all(map(math.isfinite, column)) for column in columns)


def test_a_forest_for_features_that_there_are_no_longer_is_refused():
    with pytest.raises(ValueError):
        read_forest('{"names": ["phase of the moon"], "hopeless": -9, "trees": []}')


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("one\n\ntwo", ("one", "two"), id="plain"),
        pytest.param("<p>one</p><p>t<b>w</b>o</p>", ("one", "two"), id="markup"),
        pytest.param("&lt;p&gt;one&lt;/p&gt;&lt;p&gt;two&lt;/p&gt;", ("one", "two"), id="escaped markup"),
        pytest.param("one &amp; two", ("one & two",), id="entities"),
        pytest.param("", (), id="nothing"),
    ],
)
def test_declared_bodies_are_read_with_and_without_markup(text, found):
    assert paragraphs_of(text) == found
