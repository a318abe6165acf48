"""The full text that feeds carry, and the article that it makes where there is no page."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.extract.announced_text import MIN_WORDS, article_of_announcement
from pipeline.model import Announcement
from pipeline.parse import parse_feed
from pipeline.parse.fields import MAX_CONTENT
from pipeline.parse.plain import plain_paragraphs, plain_text
from tests.support.stories import paragraphs

URL = "https://news.example/feed"


def content_of(document):
    (entry,) = parse_feed(document.encode(), URL).entries
    return entry.content


def rss(body):
    return (
        '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>News</title>'
        f"<item><guid>1</guid><title>Pier</title><description>In short.</description>{body}</item></channel></rss>"
    )


def atom(body):
    return (
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>News</title><entry><id>urn:1</id><title>Pier</title>'
        f"<summary>In short.</summary>{body}</entry></feed>"
    )


def json_feed(**fields):
    item = {"id": "1", "title": "Pier", "summary": "In short."} | fields
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "News", "items": [item]})


@pytest.mark.parametrize(
    ("document", "content"),
    [
        pytest.param(rss(""), None, id="RSS with a summary alone"),
        pytest.param(
            rss("<content:encoded><![CDATA[<p>One <b>and</b> more.</p><p>Two.</p>]]></content:encoded>"),
            "One and more.\n\nTwo.",
            id="content:encoded",
        ),
        pytest.param(
            rss("<content:encoded>&lt;p&gt;One.&lt;/p&gt;&lt;ul&gt;&lt;li&gt;Two&lt;/ul&gt;</content:encoded>"),
            "One.\n\nTwo",
            id="content:encoded, escaped",
        ),
        pytest.param(
            atom('<content type="html">&lt;p&gt;One.&lt;/p&gt;&lt;p&gt;Two.&lt;/p&gt;</content>'),
            "One.\n\nTwo.",
            id="Atom, html",
        ),
        pytest.param(
            atom(
                '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>One.</p><p>Two.</p></div></content>'
            ),
            "One.\n\nTwo.",
            id="Atom, xhtml",
        ),
        pytest.param(atom("<content>One &lt; two.</content>"), "One < two.", id="Atom, text"),
        pytest.param(atom('<content type="image/png" src="https://news.example/a.png"/>'), None, id="Atom, a picture"),
        pytest.param(json_feed(content_html="<p>One.</p>\n<p>Two.</p>"), "One.\n\nTwo.", id="JSON, html"),
        pytest.param(json_feed(content_text="One,\nstill one.\n\nTwo."), "One, still one.\n\nTwo.", id="JSON, text"),
    ],
)
def test_full_text_is_read_with_its_paragraphs(document, content):
    assert content_of(document) == content


def test_full_text_has_a_limit():
    text = content_of(rss(f"<content:encoded>{'word ' * 60_000}</content:encoded>"))
    assert MAX_CONTENT - 10 < len(text) <= MAX_CONTENT


@given(st.text(), st.sampled_from(["html", "xhtml", "text"]))
def test_paragraphs_in_one_line_are_the_plain_text(value, kind):
    assert " ".join(plain_paragraphs(value, kind).split()) == plain_text(value, kind)


def announcement(text, **fields):
    return Announcement(1, "https://www.news.example/pier", "http_402", "\n\n".join(text), title="Pier", **fields)


def test_the_text_becomes_an_article_that_says_where_it_is_from():
    found = article_of_announcement(
        announcement(["Pier", *paragraphs(1), "Read more"], language="en", summary="Short.")
    )
    assert found.text == "\n\n".join(paragraphs(1))
    assert [part.text for part in found.removed] == ["Pier", "Read more"]
    assert (found.source, found.extractor, found.site) == ("feed", "feed", "news.example")
    assert (found.title, found.description, found.language) == ("Pier", "Short.", "en")


def test_a_summary_is_no_article():
    assert article_of_announcement(announcement(["word " * (MIN_WORDS - 1)])) is None
    assert article_of_announcement(announcement(["word " * MIN_WORDS])) is not None


def test_authors_are_persons_and_tags_as_the_feed_has_them():
    found = article_of_announcement(
        announcement(
            paragraphs(1),
            authors=("By Ada Ruiz and Bo Lind, Harbour Editor", "AFP", "Test Courier"),
            tags=("Piers", "Harbour"),
            feed_title="Test Courier",
        )
    )
    assert found.authors == ("Ada Ruiz", "Bo Lind")
    assert found.tags == ("Piers", "Harbour")
