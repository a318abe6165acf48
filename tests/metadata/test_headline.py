"""Headlines where markup is thin: site names, sections, static titles, and words that markup cuts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from pipeline.metadata import read_metadata
from pipeline.metadata.headline import heading_text
from pipeline.metadata.title_parts import strip_site, tidy

URL = "https://www.harbour-courant.example/city/eastern-lock-widened.html"
HEADLINE = "Eastern lock to be widened"


def title_of(head: str, body: str, url: str = URL) -> str | None:
    tree = html.document_fromstring(f"<html><head>{head}</head><body>{body}</body></html>")
    return read_metadata(tree, url).title


PAGES = {
    "underscores of Chinese sites": ("<title>东部船闸将拓宽_要闻_海港新闻网</title>", "", "东部船闸将拓宽"),
    "underscores with the h1": ("<title>东部船闸将拓宽_要闻</title>", "<h1>东部船闸将拓宽</h1>", "东部船闸将拓宽"),
    "an underscore in a name": ("<title>What read_page returns</title>", "", "What read_page returns"),
    "one title on all pages": ("<title>News of the coast</title>", f"<h1>{HEADLINE}</h1>", HEADLINE),
    "one title, and a label as h1": (
        "<title>The widening of locks</title>",
        "<h1>Details</h1>",
        "The widening of locks",
    ),
    "a lesser heading": (
        "<title>Harbour Courant</title>",
        f"<h2>Menu</h2><article><h2 class='headline'>{HEADLINE}</h2><h2>What it costs the town</h2></article>",
        HEADLINE,
    ),
    "the site's name as a linked h1": (
        f"<title>{HEADLINE} - Mist and Tide - a diary</title>",
        f"<h1><a href='/'>Mist and Tide - a diary</a></h1><h2>{HEADLINE}</h2>",
        HEADLINE,
    ),
    "the site's name from its logo": (
        f"<title>{HEADLINE} › Mist and Tide</title>",
        "<a href='https://www.harbour-courant.example/'>Mist and Tide</a><p>Text.</p>",
        HEADLINE,
    ),
    "the domain in the last part": (f"<title>{HEADLINE} - St. Mary's Harbour Courant</title>", "", HEADLINE),
    "more behind the site's name": (f"<title>{HEADLINE} | Harbour Courant | News from the sea</title>", "", HEADLINE),
    "a section as h1": (
        f"<title>City | Building | {HEADLINE}</title><meta property='og:title' content='{HEADLINE}'>",
        "<h1>Building</h1>",
        HEADLINE,
    ),
    "a headline that is the site's name": (
        "<title>Harbour Courant</title>",
        "<h1>Harbour Courant</h1>",
        "Harbour Courant",
    ),
    "a headline that begins with the site's name": (
        "<title>Harbour Courant wins the prize of the coast for its reporting</title>",
        "<h1>Harbour Courant wins the prize of the coast for its reporting</h1>",
        "Harbour Courant wins the prize of the coast for its reporting",
    ),
    "no headline but in the text": ("", f"<h1>{HEADLINE}</h1>", HEADLINE),
}


@pytest.mark.parametrize(("head", "body", "title"), PAGES.values(), ids=PAGES.keys())
def test_the_headline_is_what_is_printed_above_the_article(head, body, title):
    assert title_of(head, body) == title


HEADINGS = {
    "wbr": ("Hafen<wbr>erweiterungs<wbr>pläne liegen aus", "Hafenerweiterungspläne liegen aus"),
    "soft hyphens": ("Hafen\u00aderweiterungs\u00adpläne", "Hafenerweiterungspläne"),
    "zero-width signs": ("East\u200bern lock\u2060 \ufeffwidened", "Eastern lock widened"),
    "an initial": ("<span>E</span>astern <em>lo</em>ck", "Eastern lock"),
    "letters that are composed late": ("Scho\u0308ne Aussicht", "Schöne Aussicht"),
    "a label before it": ("<span>City</span><span>Eastern lock widened</span>", "City Eastern lock widened"),
    "a line break": ("Eastern lock<br>widened", "Eastern lock widened"),
    "a chemical formula": ("Less CO<sub>2</sub> in the port", "Less CO2 in the port"),
    "control characters": ("Eastern\x85lock \x96 widened", "Eastern lock widened"),
}


@pytest.mark.parametrize(("markup", "text"), HEADINGS.values(), ids=HEADINGS.keys())
def test_words_of_a_heading_stay_whole(markup, text):
    assert heading_text(html.fragment_fromstring(f"<h1>{markup}</h1>")) == text


def test_persian_words_keep_their_joiners():
    assert tidy("می\u200cشود") == "می\u200cشود"


@given(st.text(max_size=120))
def test_any_title_is_survived_and_taking_off_the_site_leaves_a_part_of_it(title):
    assert strip_site(tidy(title), {"courant", "a"}, {"city"}) in tidy(title)
