"""What pages declare of themselves is read as it stands, and survives anything."""

import doctest
import json
from itertools import chain

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import html

from pipeline.html import jsonld
from pipeline.html.json_repair import repair_json
from pipeline.html.jsonld import MAX_DEPTH, parse_script, types_of
from pipeline.html.structured_data import Structured, read_structured
from pipeline.html.xpath import text_of

URL = "https://news.example/2026/harbour.html"


def page(head: str = "", body: str = "<h1>Harbour opens again</h1><p>Text.</p>"):
    return html.document_fromstring(f"<html><head>{head}</head><body>{body}</body></html>")


def script(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return f'<script type="application/ld+json">{text}</script>'


def read(*scripts: object, head: str = "", **body: str) -> Structured:
    return read_structured(page(head + "".join(map(script, scripts)), **body), URL)


def test_the_examples_of_the_module_hold():
    assert doctest.testmod(jsonld).failed == 0


@pytest.mark.parametrize(
    ("text", "headline"),
    [
        pytest.param('{"@type": "Article", "headline": "One",}', "One", id="trailing comma"),
        pytest.param('{"@type": "Article", "headline": "One\ntwo"}', "One\ntwo", id="line break inside a string"),
        pytest.param('<!-- {"@type": "Article", "headline": "One"} -->', "One", id="HTML comment"),
        pytest.param('//<![CDATA[\n{"@type": "Article", "headline": "One"}\n//]]>', "One", id="CDATA"),
        pytest.param('/*<![CDATA[*/{"@type": "Article", "headline": "One"}/*]]>*/', "One", id="CDATA in comments"),
        pytest.param(
            "{&quot;@type&quot;: &quot;Article&quot;, &quot;headline&quot;: &quot;One&quot;}", "One", id="escaped"
        ),
        pytest.param('{"@type": "Article", // the type\n "headline": "One"}', "One", id="line comment"),
        pytest.param('{"@type": "Article", "headline": "A "quoted" word"}', 'A "quoted" word', id="stray quotes"),
        pytest.param("{&#34;@type&#34;: 1, &#x22;headline&#x22;: &#34;One&#34;}", "One", id="escaped by number"),
        pytest.param('{"headline": "One"\n "author": {"name": "B"}}', "One", id="missing comma behind a string"),
        pytest.param('{"author": {"name": "B"}\n "headline": "One"}', "One", id="missing comma behind an object"),
        pytest.param('{"n": 12 "headline": "One" "tags": ["a"] "b": [{} {}]}', "One", id="missing commas"),
        pytest.param('{"tags": ["a",, "b", /* c */ ],, "headline": "One", // d\n}', "One", id="commas too many"),
        pytest.param('{"headline": "The "big", bad wolf", "b": 1}', 'The "big", bad wolf', id="quote before a comma"),
        pytest.param('{"headline": "One: "two": three"}', 'One: "two": three', id="quote before a colon"),
        pytest.param('{"headline": "One", "author": {"name": "B"}}}', "One", id="bracket too many"),
        pytest.param('{"headline": "One", "author": {"@type": ', "One", id="cut off before a value"),
        pytest.param('{"headline": "One", "tags": ["a", "b', "One", id="cut off in a string"),
        pytest.param('[{"headline": "One"', "One", id="cut off behind a value"),
        pytest.param('{"headline": "One", "isFree": tru', "One", id="cut off in a word"),
        pytest.param('{"@type": "Article", "headline": "It\\\'s"}', "It's", id="escaped apostrophe"),
        pytest.param('{"@type": "Article", "headline": "C:\\dir"}', "C:\\dir", id="wrong escape"),
        pytest.param('{"@type": "Article", "headline": "One"};', "One", id="semicolon at the end"),
        pytest.param('\ufeff{"@type": "Article", "headline": "One"}', "One", id="byte order mark"),
        pytest.param(
            '{"@type": "Article", "headline": "A \\ud83d\\ude00 B \\ud83d C\\u0000"}', "A 😀 B  C", id="half a pair"
        ),
        pytest.param(
            '{"@type": "Article", "headline": "https://a.example // b"}', "https://a.example // b", id="valid stays"
        ),
    ],
)
def test_json_is_read_however_it_was_broken(text, headline):
    values = chain.from_iterable(value if isinstance(value, list) else [value] for value in parse_script(text))
    assert [value["headline"] for value in values] == [headline]


def test_a_value_that_was_cut_off_is_none():
    assert parse_script('{"headline": "One", "author": {"name": "Ida Ho') == [{"headline": "One", "author": {}}]
    assert parse_script('{"headline": "One", "datePublished": "2026-03-0') == [{"headline": "One"}]


@pytest.mark.parametrize("text", ["", "  ", "undefined", "{", '{"a": ', "[" * 5000, '{"a"' * 2000, "<html>"])
def test_what_is_no_json_is_nothing(text):
    assert parse_script(text) == []


def test_several_values_in_one_script_are_all_read():
    assert parse_script('{"a": 1}\n{"b": 2}, {"c": 3}') == [{"a": 1}, {"b": 2}, {"c": 3}]


def test_what_is_nested_too_deeply_is_cut_off():
    value: object = "end"
    for _ in range(200):
        value = {"name": [value]}
    (parsed,) = parse_script(json.dumps(value))
    depth = 0
    while parsed:
        parsed = next(iter(parsed.values())) if isinstance(parsed, dict) else parsed[0]
        depth += 1
    assert depth <= MAX_DEPTH


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-999, 999) | st.text("ab \"'\\,:{}[]/*\n", max_size=12),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    )
)
def test_valid_json_is_never_changed_by_the_repair(value):
    text = json.dumps(value)
    if isinstance(value, dict | list):
        assert json.loads(repair_json(text)) == value


@given(st.text())
@example('"\\')
@example('{"a": "b" c"}')
def test_the_repair_survives_anything(text):
    repair_json(text)
    parse_script(text)


def test_the_article_is_found_in_a_graph_and_its_references_are_resolved():
    found = read(
        {
            "@context": "https://schema.org",
            "@graph": [
                {"@type": "WebSite", "@id": "#site", "name": "Example News"},
                {"@type": "WebPage", "@id": "#page", "datePublished": "2026-01-02"},
                {
                    "@type": "Article",
                    "headline": "Harbour opens again",
                    "author": [{"@id": "#ann"}],
                    "publisher": {"@id": "#site"},
                },
                {"@type": ["Person"], "@id": "#ann", "name": "Ann Lee"},
            ],
        }
    )
    assert found.article["author"] == [{"@type": ["Person"], "@id": "#ann", "name": "Ann Lee"}]
    assert found.article["publisher"]["name"] == "Example News"
    assert [node["@id"] for node in found.pages] == ["#page"]


def test_a_reference_to_nothing_stays_and_a_circle_ends():
    found = read(
        {"@type": "Article", "@id": "#a", "headline": "H", "author": {"@id": "#none"}, "isPartOf": {"@id": "#a"}}
    )
    assert found.article["author"] == {"@id": "#none"}
    assert found.article["isPartOf"]["headline"] == "H"


OTHER = {
    "@type": "NewsArticle",
    "headline": "Bridge closed",
    "url": "https://news.example/2026/bridge.html",
    "author": "B",
}
OURS = {"@type": "NewsArticle", "headline": "Seaport reopens", "mainEntityOfPage": {"@id": URL}}
TITLED = {"@type": "NewsArticle", "headline": "Harbour opens again"}


@pytest.mark.parametrize(
    ("scripts", "headline"),
    [
        pytest.param([OTHER, OURS], "Seaport reopens", id="by address"),
        pytest.param([OTHER, TITLED], "Harbour opens again", id="by headline"),
        pytest.param(
            [{"@type": "ItemList", "itemListElement": [OTHER]}, {**TITLED, "@type": "Article"}],
            "Harbour opens again",
            id="not of a list",
        ),
        pytest.param([{"@type": "WebPage", "mainEntity": OURS}], "Seaport reopens", id="nested"),
        pytest.param([{"@type": "Product", "name": "P"}, {"@type": "BlogPosting", "headline": "B"}], "B", id="by type"),
        pytest.param([{"@type": ["Article", "Thing"], "headline": "T"}], "T", id="several types"),
        pytest.param(["{broken", TITLED], "Harbour opens again", id="beside a broken script"),
    ],
)
def test_the_node_of_this_page_is_chosen(scripts, headline):
    assert read(*scripts).article["headline"] == headline


def test_teasers_alone_are_no_article():
    assert read({"@type": "ItemList", "itemListElement": [OTHER]}).article is None


def test_a_live_blog_is_the_article_and_not_its_updates():
    found = read(
        {
            "@type": "LiveBlogPosting",
            "headline": "Storm: all that happens",
            "liveBlogUpdate": [{"@type": "BlogPosting", "headline": "Roof gone", "articleBody": "The roof is gone."}],
        }
    )
    assert (found.article["headline"], found.article_type, found.article_body) == (
        "Storm: all that happens",
        "liveblogposting",
        None,
    )


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        pytest.param({"articleBody": "One two."}, ("One two.", None, None), id="body"),
        pytest.param({"articleBody": ["One.", "Two."]}, ("One.\nTwo.", None, None), id="body in parts"),
        pytest.param({"wordCount": "1,204"}, (None, 1204, None), id="count with a separator"),
        pytest.param({"wordCount": 0}, (None, None, None), id="count of nothing"),
        pytest.param({"isAccessibleForFree": False}, (None, None, False), id="paid"),
        pytest.param({"isAccessibleForFree": "http://schema.org/True"}, (None, None, True), id="free by address"),
        pytest.param(
            {"articleBody": {"a": 1}, "wordCount": [], "isAccessibleForFree": "maybe"},
            (None, None, None),
            id="nonsense",
        ),
    ],
)
def test_body_count_and_access_are_given_raw(declared, expected):
    found = read({"@type": "NewsArticle", "headline": "Harbour opens again", **declared})
    assert (found.article_body, found.word_count, found.is_accessible_for_free) == expected


def test_meta_elements_are_read_by_name_property_and_itemprop():
    found = read_structured(
        page(
            '<meta property="OG:Title" content="One"><meta name="author" content="A"><meta name="author" content="B">'
            '<meta name="empty" content=" "><meta itemprop="datePublished" content="2026-01-02"><meta charset="utf-8">'
            '<link rel="canonical" href="/x"><link rel="stylesheet" href="/y">'
        )
    )
    assert found.first_meta("twitter:title", "og:title") == "One"
    assert found.meta["author"] == ("A", "B")
    assert found.meta["itemprop:datepublished"] == ("2026-01-02",)
    assert "empty" not in found.meta
    assert dict(found.links) == {"canonical": ("/x",)}


ITEM = """<div itemscope itemtype="https://schema.org/NewsArticle"><h1 itemprop="headline">Harbour</h1>
<div itemprop="author" itemscope itemtype="https://schema.org/Person"><a itemprop="url" href="/ann">
<span itemprop="name">Ann Lee</span></a></div><time itemprop="datePublished" datetime="2026-01-02">yesterday</time>
<div itemprop="comment" itemscope itemtype="https://schema.org/Comment">
<span itemprop="datePublished">2027</span></div></div>"""


def test_microdata_of_the_article_leaves_out_what_belongs_to_items_within():
    found = read_structured(page(body=ITEM)).microdata
    assert found["headline"] == ("Harbour",)
    assert found["author"] == ("Ann Lee",)
    assert found["datepublished"] == ("2026-01-02",)


def test_microdata_of_a_list_of_teasers_is_not_the_articles():
    assert read_structured(page(body=f"<div>{ITEM}{ITEM}</div>")).microdata == {}


@pytest.mark.parametrize(
    ("node", "types"),
    [
        ({"@type": "schema:Article"}, ("article",)),
        ({"@type": [None, 3, "A"]}, ("a",)),
        ({}, ()),
        ({"@type": {"a": 1}}, ()),
    ],
)
def test_types_are_named_without_their_vocabulary(node, types):
    assert types_of(node) == types


@pytest.mark.parametrize(
    "source", ["<html></html>", "<p>x", "<!-- c --><html/>", "<svg><title>t</title></svg>", "<meta>"]
)
def test_any_tree_is_survived(source):
    assert isinstance(read_structured(html.document_fromstring(source)), Structured)


def test_text_leaves_out_scripts_and_keeps_what_follows_them():
    (tree,) = html.fromstring("<div><p>One <script>x</script>two <b>three</b> four</p> tail</div>")
    assert text_of(tree) == "One two three four"
    assert text_of(tree, 5) == "One t"
