"""Bylines that only readers see, and declared names that they correct."""

import json

import pytest
from lxml import html

from pipeline.metadata import read_metadata

URL = "https://www.courant.example/city/lock.html"
TEXT = "<p>The board agreed on Tuesday to widen the lock, after two years of talks with all who use it.</p>"


def authors_of(byline: str, head: str = "") -> list[str]:
    page = (
        f"<html><head>{head}</head><body><article><h1>Lock to be widened</h1>{byline}{TEXT * 3}</article></body></html>"
    )
    metadata = read_metadata(html.document_fromstring(page), URL)
    return list(metadata.authors or metadata.signed)


BYLINES = {
    "a role in an element of its own": (
        "<p class='byline'><span>Ann Lee</span> <span>Harbour correspondent</span></p>",
        ["Ann Lee"],
    ),
    "a role in a block": ("<div class='byline'><span>Ann Lee</span><div>Harbour reporter</div></div>", ["Ann Lee"]),
    "two links in one line": (
        "<p>By <a href='/author/ann'>Ann Lee</a> in Ghent and <a href='/author/bo'>Bo Chen</a> in Mons</p>",
        ["Ann Lee", "Bo Chen"],
    ),
    "a lone name that links": (
        "<p>von <a href='/author/seagull' rel='author'>Seagull</a></p>",
        ["Seagull"],
    ),
    "a lone word that links elsewhere": ("<p>From <a href='/people/'>People</a></p>", []),
    "a phrase": ("<p>A letter to the town by Ann Lee</p>", ["Ann Lee"]),
    "a phrase about pictures": ("<p>All photographs by Ann Lee</p>", []),
    "behind a date": ("<div>05.02.2026 <span>- Redaktion: Jan Roth (Pressestelle)</span></div>", ["Jan Roth"]),
    "who is introduced comes first": (
        "<p class='author-box-name'>Eva Roth</p><p class='author'>Erstellt von Jan Roth</p>",
        ["Jan Roth"],
    ),
}


@pytest.mark.parametrize(("byline", "names"), BYLINES.values(), ids=BYLINES.keys())
def test_the_printed_byline_is_read(byline, names):
    assert authors_of(byline) == names


def declared(name: str) -> str:
    node = {"@type": "NewsArticle", "headline": "Lock to be widened", "author": {"@type": "Person", "name": name}}
    return f'<script type="application/ld+json">{json.dumps(node)}</script>'


def test_a_first_name_that_is_declared_gives_way_to_the_whole_one_that_is_printed():
    assert authors_of("<p class='byline'>By Stefania Roth</p>", declared("Stefania")) == ["Stefania Roth"]


def test_a_login_that_is_declared_stays_where_another_is_printed():
    assert authors_of("<p class='byline'>By Stefania Roth</p>", declared("seagull")) == ["seagull"]


def test_of_two_that_are_declared_the_one_that_is_printed_is_taken():
    head = "<meta name='author' content='Great Press'><meta property='article:author' content='Ann Lee'>"
    assert authors_of("<p class='byline'>By Ann Lee</p>", head) == ["Ann Lee"]


def desk(name: str) -> str:
    author = {"@type": "Organization", "name": name}
    return declared("").replace('{"@type": "Person", "name": ""}', json.dumps(author))


def test_a_desk_that_is_declared_gives_way_only_to_a_line_that_says_who_wrote():
    assert authors_of("<p class='byline'>Ann Lee</p>", desk("Harbour News Desk")) == ["Harbour News Desk"]
    assert authors_of("<p class='byline'>By Ann Lee</p>", desk("Harbour News Desk")) == ["Ann Lee"]


def test_the_site_that_is_declared_gives_way_to_any_name():
    assert authors_of("<p class='byline'>Ann Lee</p>", desk("courant.example")) == ["Ann Lee"]


def test_cards_for_twitter_name_the_author():
    head = "<meta name='twitter:label1' content='Written by'><meta name='twitter:data1' content='Ann Lee'>"
    assert authors_of("", head) == ["Ann Lee"]


def test_other_facts_of_cards_for_twitter_name_nobody():
    head = "<meta name='twitter:label1' content='Reading time'><meta name='twitter:data1' content='Five Minutes'>"
    assert authors_of("", head) == []
