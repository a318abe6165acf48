"""The metadata of whole pages: each field by agreement of its sources, with where it came from."""

import doctest
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from pipeline.html.structured_data import read_structured
from pipeline.metadata import language, page_addresses, read_metadata
from pipeline.model import Metadata

URL = "https://www.courant.example/city/harbour-opens.html"
HEADLINE = "Harbour opens again after the storm"
LONG_HEADLINE = (
    "The harbour that was closed for nine weeks after the great storm opens again for all ships that bear no oil"
)
ORGANISATION = {"@type": "Organization", "name": "Courant"}


def read(head: str = "", body: str | None = None, *, url: str = URL, attributes: str = "", **options) -> Metadata:
    body = f"<article><h1>{HEADLINE}</h1><p>Text.</p></article>" if body is None else body
    tree = html.document_fromstring(f"<html {attributes}><head>{head}</head><body>{body}</body></html>")
    return read_metadata(tree, url, **options)


def script(**node: object) -> str:
    declared = json.dumps({"@type": "NewsArticle", "headline": HEADLINE, **node})
    return f'<script type="application/ld+json">{declared}</script>'


def meta(**named: str) -> str:
    return "".join(f'<meta property="{name.replace("_", ":", 1)}" content="{value}">' for name, value in named.items())


@pytest.mark.parametrize("module", [page_addresses, language])
def test_the_examples_of_the_modules_hold(module):
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ("head", "body", "title"),
    [
        pytest.param(
            "<title>One at sea | Courant</title>" + meta(og_site_name="Courant"), "", "One at sea", id="site behind"
        ),
        pytest.param(
            "<title>Courant - One at sea</title>" + meta(og_site_name="Courant"), "", "One at sea", id="site before"
        ),
        pytest.param("<title>One at sea - courant.example</title>", "", "One at sea", id="domain behind"),
        pytest.param(
            "<title>One at sea | Sport | Courant</title>" + meta(og_site_name="Courant", article_section="Sport"),
            "",
            "One at sea",
            id="section and site behind",
        ),
        pytest.param("<title>One - two at sea</title>", "", "One - two at sea", id="a dash that parts no site"),
        pytest.param(
            "<title>Best harbours 2026: ships, boats</title>" + meta(og_title="Best harbours 2026: ships, boats"),
            "<h1>Where to see ships and boats in 2026</h1>",
            "Where to see ships and boats in 2026",
            id="the printed one, not that for search engines",
        ),
        pytest.param(
            "<title>One at sea</title>" + meta(og_title="One at sea"),
            "<h1>Courant</h1><h1>One at sea</h1><h1>Most read</h1>",
            "One at sea",
            id="several h1",
        ),
        pytest.param(
            meta(og_title="Storm: Harbour opens again") + script(headline="Storm: Harbour opens again"),
            "<h1>Harbour opens again</h1>",
            "Storm: Harbour opens again",
            id="kicker that two sources carry",
        ),
        pytest.param(
            meta(og_title="Harbour opens again") + "<title>Harbour opens again</title>",
            "<h1><span>Live</span> Harbour opens again <i>12</i></h1>",
            "Harbour opens again",
            id="label and counter inside the h1",
        ),
        pytest.param(script(headline="It&#039;s &amp;amp; open"), "", "It's & open", id="escaped twice"),
        pytest.param(
            script(headline=LONG_HEADLINE[:97]),
            f"<h1>{LONG_HEADLINE}</h1>",
            LONG_HEADLINE,
            id="cut short in JSON-LD",
        ),
        pytest.param(
            "<title>港が再開　市長発表 | 湾岸新聞</title>" + meta(og_site_name="湾岸新聞"),
            "",
            "港が再開 市長発表",
            id="Japanese",
        ),
        pytest.param(meta(og_title="A <b>bold</b> harbour"), "", "A bold harbour", id="markup"),
    ],
)
def test_the_title_is_the_headline_as_printed(head, body, title):
    assert read(head, body).title == title


def test_the_headline_of_the_feed_breaks_a_tie():
    head = meta(og_title="Harbour: all ships welcome again")
    body = "<h1>Ships may come</h1>"
    assert read(head, body).title == "Ships may come"
    assert read(head, body, title_hint="Harbour: all ships welcome again").title == "Ships may come"
    assert "feed" in read(body="", title_hint="Ships may come").provenance["title"].source


def test_sources_that_disagree_are_kept_as_alternatives():
    found = read(meta(og_title="Harbour guide: ships and boats"), "<h1>Harbour opens again</h1>").provenance["title"]
    assert found.source == "h1"
    assert found.alternatives == (("og:title", "Harbour guide: ships and boats"),)
    agreed = read(meta(og_title=HEADLINE) + script()).provenance["title"]
    assert agreed.source == "h1+json-ld+og:title"
    assert agreed.confidence > found.confidence


@pytest.mark.parametrize(
    ("head", "body", "published", "precision"),
    [
        pytest.param(
            script(datePublished="2026-01-02T08:00:00+01:00"), None, "2026-01-02T08:00:00+01:00", "time", id="JSON-LD"
        ),
        pytest.param(
            meta(article_published_time="2026-01-02T08:00:00Z"), None, "2026-01-02T08:00:00+00:00", "time", id="meta"
        ),
        pytest.param(script(datePublished="2026-01-02"), None, "2026-01-02T00:00:00+00:00", "day", id="only a day"),
        pytest.param(
            script(datePublished="2026-01-02") + meta(article_published_time="2026-01-02T08:00:00+01:00"),
            None,
            "2026-01-02T08:00:00+01:00",
            "time",
            id="the day's time is known elsewhere",
        ),
        pytest.param(
            "",
            f"<h1>{HEADLINE}</h1><p>Updated 5 January 2026 | Published 2 January 2026</p>",
            "2026-01-02T00:00:00+00:00",
            "day",
            id="printed, with an update",
        ),
        pytest.param(
            "",
            f"<p>Von Eva Roth · 2. Jänner 2026, 8.15 Uhr</p><h1>{HEADLINE}</h1><p>Am 24. Dezember 2025 war Sturm.</p>",
            "2026-01-02T08:15:00+00:00",
            "time",
            id="printed above the headline",
        ),
        pytest.param(
            "",
            f"<header>5 March 2027</header><h1>{HEADLINE}</h1>"
            "<div><time datetime='2026-01-02T08:00:00Z'>2 h ago</time></div>",
            "2026-01-02T08:00:00+00:00",
            "time",
            id="time element, not today's date in the header",
        ),
        pytest.param(
            "",
            "<div class='related-teasers'><time datetime='2027-03-05'></time></div>"
            f"<article><h1>{HEADLINE}</h1><p>Text</p></article>"
            "<section id='comments'><time datetime='2026-02-02'></time></section><footer>3 March 2026</footer>",
            None,
            None,
            id="neither of a teaser nor of a comment nor of the footer",
        ),
        pytest.param(
            "",
            f"<article><h1>{HEADLINE}</h1><p>No date.</p></article>"
            "<article><h2>Other</h2><time datetime='2026-02-02'></time></article>",
            None,
            None,
            id="not of the next article",
        ),
        pytest.param(
            meta(article_modified_time="2026-01-05T08:00:00Z"),
            None,
            "2026-01-05T08:00:00+00:00",
            "time",
            id="only an update",
        ),
        pytest.param(
            script(datePublished="2026-01-09T04:00:00Z", dateModified="2026-01-09T04:00:00Z"),
            f"<h1>{HEADLINE}</h1><p>2 January 2026</p>",
            "2026-01-02T00:00:00+00:00",
            "day",
            id="printed, before the stamp of the last export",
        ),
        pytest.param(
            script(datePublished="2026-01-02T04:00:00Z", dateModified="2026-01-09T04:00:00Z"),
            f"<h1>{HEADLINE}</h1><p>1 December 2025</p>",
            "2026-01-02T04:00:00+00:00",
            "time",
            id="declared, where the declared change is later",
        ),
        pytest.param(
            script(datePublished="2026-01-02T04:00:00Z", dateModified="2026-01-02T04:00:00Z"),
            f"<h1>{HEADLINE}</h1><p>9 January 2026</p>",
            "2026-01-02T04:00:00+00:00",
            "time",
            id="declared, where a later day is printed",
        ),
        pytest.param(
            meta(article_published_time="2026-01-22T04:00:00Z") + script(datePublished="2026-01-02T08:00:00Z"),
            f"<h1>{HEADLINE}</h1><p>22 January 2026</p>",
            "2026-01-22T04:00:00+00:00",
            "time",
            id="the declared one of two that is printed",
        ),
        pytest.param(
            '<meta name="published" content="January 2, 2026">',
            None,
            "2026-01-02T00:00:00+00:00",
            "day",
            id="meta, plain",
        ),
        pytest.param(
            "",
            f"<article class='node node--type-article node--promoted'><h1>{HEADLINE}</h1></article>"
            "<article class='node node--promoted'><footer>By Eva Roth on <span>2 January 2026</span></footer>"
            f"<p>{'The harbour opens again. ' * 40}</p></article>",
            "2026-01-02T00:00:00+00:00",
            "day",
            id="in the footer of the article, above its text",
        ),
        pytest.param(
            "",
            f"<fieldset><legend><h1>{HEADLINE}</h1></legend> 2 January 2026 <div><p>Text.</p></div></fieldset>",
            "2026-01-02T00:00:00+00:00",
            "day",
            id="behind the headline without an element of its own",
        ),
    ],
)
def test_the_publication_is_found(head, body, published, precision):
    found = read(head, body)
    assert (found.published_at and found.published_at.isoformat(), found.published_precision) == (published, precision)


@pytest.mark.parametrize(
    ("url", "day"),
    [
        ("https://courant.example/2026/01/02/harbour", "2026-01-02"),
        ("https://courant.example/news/2026-01-02-harbour", "2026-01-02"),
        ("https://courant.example/2026/jan/02/harbour", "2026-01-02"),
        ("https://courant.example/20260102/harbour", "2026-01-02"),
        ("https://courant.example/2026/harbour-12", None),
        ("https://courant.example/guide-2026/13/45/x", None),
    ],
)
def test_the_address_tells_the_day_where_nothing_else_does(url, day):
    found = read(url=url).published_at
    assert (found and found.date().isoformat()) == day


def test_what_is_declared_beats_the_address_and_the_address_is_kept():
    found = read(script(datePublished="2026-01-04T08:00:00Z"), url="https://courant.example/2026/01/02/harbour")
    assert found.published_at.day == 4
    assert found.provenance["published_at"].alternatives == (("url", "2026-01-02T00:00:00"),)


def test_a_publication_declared_in_utc_keeps_the_day_that_the_site_prints():
    found = read(
        meta(article_published_time="2026-01-03T03:05:00+00:00"),
        f"<h1>{HEADLINE}</h1><time datetime='2026-01-02T19:05:00-08:00'>2 January</time>",
        url="https://courant.example/2026/01/02/harbour",
    )
    assert found.published_at.isoformat() == "2026-01-02T19:05:00-08:00"


def test_the_zone_of_any_time_on_the_page_is_the_sites():
    found = read(
        meta(article_published_time="2026-01-03T03:05:00+00:00"),
        f"<h1>{HEADLINE}</h1><ol class='comments'><time datetime='2026-01-04T09:30:00-08:00'>4 January</time></ol>",
        url="https://courant.example/2026/01/02/harbour",
    )
    assert found.published_at.isoformat() == "2026-01-02T19:05:00-08:00"


def test_dates_in_the_future_are_not_believed():
    head = script(datePublished="2036-01-02T08:00:00Z")
    assert read(head).published_at is not None
    assert read(head, now=datetime(2026, 1, 2, tzinfo=UTC)).published_at is None


def test_the_feeds_date_serves_where_the_page_has_none_and_disagreement_is_seen():
    hint = datetime(2026, 1, 2, 8, tzinfo=UTC)
    assert read(published_hint=hint).published_at == hint
    found = read(script(datePublished="2026-01-04T08:00:00Z"), published_hint=hint).provenance["published_at"]
    assert found.alternatives == (("feed", "2026-01-02T08:00:00+00:00"),)


def test_the_last_change_is_found_and_never_lies_before_the_publication():
    found = read(script(datePublished="2026-01-02T08:00:00Z", dateModified="2026-01-03T09:30:00Z"))
    assert found.modified_at.isoformat() == "2026-01-03T09:30:00+00:00"
    assert read(script(datePublished="2026-01-02T08:00:00Z", dateModified="2025-01-03T09:30:00Z")).modified_at is None


PERSON = {"@type": "Person", "name": "Ann Lee"}


@pytest.mark.parametrize(
    ("head", "body", "signed"),
    [
        pytest.param(script(author=PERSON), None, ["Ann Lee"], id="person"),
        pytest.param(script(author=["Ann Lee", {"name": ["Bo Chen"]}]), None, ["Ann Lee", "Bo Chen"], id="forms mixed"),
        pytest.param(script(author={"givenName": "Ann", "familyName": "Lee"}), None, ["Ann Lee"], id="name in parts"),
        pytest.param(
            script(author=[PERSON, {"@type": "Organization", "name": "AFP"}]), None, ["Ann Lee", "AFP"], id="agency too"
        ),
        pytest.param(
            script(author="https://courant.example/ann") + '<meta name="author" content="Ann Lee">',
            None,
            ["Ann Lee"],
            id="address",
        ),
        pytest.param(
            script(author=ORGANISATION, publisher={"name": "Courant"}),
            f"<h1>{HEADLINE}</h1><p class='byline'>By Ann Lee</p>",
            ["Ann Lee"],
            id="the printed person, not the paper",
        ),
        pytest.param(script(author=ORGANISATION), None, ["Courant"], id="the paper where nobody else"),
        pytest.param("", f"<h1>{HEADLINE}</h1><a href='/author/ann'>Ann Lee</a>", ["Ann Lee"], id="link to an author"),
        pytest.param("", f"<h1>{HEADLINE}</h1><span>By</span> <b>Ann Lee</b>", ["Ann Lee"], id="By and the name apart"),
        pytest.param("", f"<h1>{HEADLINE}</h1><p>Von Eva Roth, Wien</p>", ["Eva Roth"], id="by-line without a class"),
        pytest.param(
            "",
            f"<h1>{HEADLINE}</h1><div class='comments'><span class='author'>Bo Chen</span></div>",
            [],
            id="not of a comment",
        ),
        pytest.param("", f"<h1>{HEADLINE}</h1><p>From The Harbour we see ships.</p>", [], id="a sentence"),
    ],
)
def test_the_by_line_is_found(head, body, signed):
    assert list(read(head, body).signed) == signed


def test_persons_agencies_and_newsrooms_are_apart():
    found = read(script(author=["Ann Lee", "dpa", "Courant newsroom"]))
    assert (found.authors, found.agencies, found.newsrooms) == (("Ann Lee",), ("dpa",), ("Courant newsroom",))


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        pytest.param(
            '<link rel="canonical" href="/city/harbour">', "https://www.courant.example/city/harbour", id="relative"
        ),
        pytest.param(
            '<link rel="canonical" href="https://m.courant.example/x#top">',
            "https://m.courant.example/x",
            id="same site",
        ),
        pytest.param('<link rel="canonical" href="https://other.example.org/x">', URL, id="other site"),
        pytest.param('<link rel="canonical" href="/">', URL, id="front page"),
        pytest.param('<link rel="canonical" href="http://[">', URL, id="no address"),
        pytest.param('<link rel="canonical" href="/a"><link rel="canonical" href="/b">', URL, id="two that differ"),
        pytest.param(meta(og_url="https://courant.example/y"), "https://courant.example/y", id="OpenGraph"),
        pytest.param('<link rel="canonical" href="javascript:void(0)">', URL, id="script"),
        pytest.param("", URL, id="none"),
    ],
)
def test_the_canonical_address_is_believed_only_on_the_same_site(head, expected):
    assert read(head).url == expected


@pytest.mark.parametrize(
    ("attributes", "head", "code"),
    [
        ('lang="de-AT"', "", "de"),
        ('lang="nb"', "", "no"),
        ("", meta(og_locale="pt_BR"), "pt"),
        ("", script(inLanguage={"@type": "Language", "name": "Deutsch"}), "de"),
        ('lang="en"', script(inLanguage="cs") + meta(og_locale="cs_CZ"), "cs"),
        ('lang="x-default"', "", None),
        ('lang="{{ locale }}"', "", None),
        ("", "", None),
    ],
)
def test_the_declared_language_of_a_page_without_words_is_a_two_letter_code(attributes, head, code):
    assert read(head, "<h1>2026</h1>", attributes=attributes).language == code


GERMAN = (
    "<p>Der Hafenausschuss teilte am Montag mit, dass der östliche Kai den ganzen Winter gesperrt bleibt.</p>"
    "<p>Die Fischer weichen so lange auf die Mole im Norden aus, deren Kräne schon im Sommer erneuert worden sind.</p>"
)
CROATIAN = (
    "<p>Lučka uprava objavila je u ponedjeljak da će istočni gat biti zatvoren cijelu zimu zbog popravka dizalica.</p>"
    "<p>Ribari će do tada koristiti sjeverni gat, a brodovi će ponovno pristajati u proljeće, kažu u gradu.</p>"
)
MENU = "<nav><a href='/a'>News</a><a href='/b'>Sport</a><a href='/c'>About us and our newsletter</a></nav>"


@pytest.mark.parametrize(
    ("attributes", "head", "body", "code"),
    [
        pytest.param('lang="en"', meta(og_locale="en_US"), GERMAN, "de", id="the text against the theme"),
        pytest.param("", "", MENU + GERMAN, "de", id="nothing declared"),
        pytest.param("", "", MENU + GERMAN.replace("<p>", "<div>").replace("</p>", "</div>"), "de", id="no paragraphs"),
        pytest.param('lang="sr"', "", CROATIAN, "sr", id="the page among languages that read alike"),
        pytest.param('lang="en"', "", CROATIAN, "hr", id="the text against a language that reads otherwise"),
        pytest.param(
            'lang="en"', "", "<p>" + "Lorem ipsum dolor sit amet, sed do eiusmod tempor. " * 4, "en", id="filler"
        ),
    ],
)
def test_the_language_is_that_of_the_text(attributes, head, body, code):
    assert read(head, f"<article><h1>2026</h1>{body}</article>", attributes=attributes).language == code


@pytest.mark.parametrize(
    ("head", "access"),
    [
        (script(isAccessibleForFree=True), "free"),
        (script(isAccessibleForFree="False"), "paid"),
        (meta(article_content_tier="metered"), "metered"),
        (meta(article_content_tier="locked"), "paid"),
        (meta(article_content_tier="whatever"), "unknown"),
        ("", "unknown"),
    ],
)
def test_access_is_what_the_page_declares(head, access):
    assert read(head).access == access


def test_the_other_fields_come_with_their_sources():
    head = script(
        articleSection=["City", "Harbour"],
        keywords="ships, Storm, ships",
        publisher={"name": "Courant Press"},
        image=[{"url": "/p.jpg"}],
    ) + meta(og_site_name="The Courant", og_description="Ships  may come.", og_type="article")
    found = read(head)
    assert (found.section, found.tags, found.site_name, found.publisher) == (
        "City",
        ("ships", "Storm"),
        "The Courant",
        "Courant Press",
    )
    assert (found.description, found.image, found.kind) == (
        "Ships may come.",
        "https://www.courant.example/p.jpg",
        "news",
    )
    assert {"section", "tags", "site_name", "publisher", "description", "image", "kind", "url", "title"} <= set(
        found.provenance
    )
    assert all(0 < value.confidence <= 1 for value in found.provenance.values())


def test_the_tree_is_not_changed_and_the_same_page_reads_the_same():
    tree = html.document_fromstring(
        f"<html><head>{script(author=PERSON)}</head><body><h1>{HEADLINE}</h1></body></html>"
    )
    before = html.tostring(tree)
    assert read_metadata(tree, URL) == read_metadata(tree, URL, read_structured(tree, URL))
    assert html.tostring(tree) == before


TEXTS = st.text(max_size=20) | st.sampled_from(["2026-01-02", "By A B", "//", "\ud800", "\x00"])
NONSENSE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "url", "@id", "@type", "@value", "item"]), inner, max_size=3)
    ),
    max_leaves=8,
)
KEYS = st.sampled_from(
    [
        "@type",
        "@id",
        "headline",
        "name",
        "author",
        "creator",
        "datePublished",
        "dateModified",
        "publisher",
        "image",
        "keywords",
        "inLanguage",
        "articleSection",
        "description",
        "isPartOf",
        "mainEntityOfPage",
        "itemListElement",
        "articleBody",
        "wordCount",
        "isAccessibleForFree",
        "@graph",
    ]
)


@settings(max_examples=150)
@given(st.dictionaries(KEYS, NONSENSE, max_size=8), st.text(max_size=30), st.text(max_size=30))
def test_any_values_are_survived(node, content, address):
    node.setdefault("@type", "Article")
    tree = html.document_fromstring("<html><head></head><body><h1>x</h1></body></html>")
    head = tree.find("head")
    element = head.makeelement("script", {"type": "application/ld+json"})
    element.text = json.dumps(node)
    head.append(element)
    plain = "".join(c for c in content if c.isprintable())
    for name in ("og:title", "og:url", "article:published_time", "author", "og:locale", "keywords"):
        head.append(head.makeelement("meta", {"property": name, "content": plain}))
    found = read_metadata(tree, "https://courant.example/" + address)
    assert isinstance(found, Metadata)
    repr(found).encode("utf-8")


@pytest.mark.parametrize("url", ["http://[", "", "no address", "https://courant.example"])
def test_any_address_is_survived(url):
    assert read(url=url).url == url


@pytest.mark.parametrize(
    "source", ["<p>x", "<html></html>", "<svg><title>t</title></svg>", "<h1></h1>", "<time>2026</time>"]
)
def test_any_tree_is_survived(source):
    assert isinstance(read_metadata(html.document_fromstring(source), URL), Metadata)
