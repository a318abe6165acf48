"""The next article of an endless page is none of the first one's text; chapters and lists of links are."""

import pytest

from pipeline.extract import PageInput, extract_article
from tests.support.stories import paragraphs

URL = "https://lantern.example/2026/11/12/lamp"
FIRST = paragraphs(1) + paragraphs(2)[:2]
SECOND = paragraphs(40)[:3]


def printed(texts):
    return "".join(f"<p>{text}</p>" for text in texts)


def text_of(inside):
    page = f"<!doctype html><html lang=en><head><meta charset=utf-8><title>The lamp</title></head><body><main>{inside}"
    return extract_article(PageInput(f"{page}</main><footer>The Lantern</footer></body></html>".encode(), URL)).text


APPENDED = {
    "in a box of its own": f"<div class=next-article><article><h1>The mill</h1>{printed(SECOND)}</article></div>",
    "as an article beside it": f"<article><h1>The mill</h1>{printed(SECOND)}</article>",
    "in a box that is named for nothing": f"<div class=x7><div><h1>The mill</h1></div>{printed(SECOND)}</div>",
    "under a headline that leads to it": f"<section><h2><a href=/mill-4>The mill</a></h2>{printed(SECOND)}</section>",
    "in a link around its headline": f"<section><a href=/mill-4><h3>The mill</h3></a>{printed(SECOND)}</section>",
}


@pytest.mark.parametrize("appended", APPENDED.values(), ids=APPENDED)
def test_the_next_article_stays_out(appended):
    text = text_of(f"<article><h1>The lamp is lit</h1>{printed(FIRST)}</article>{appended}")
    assert text.split("\n\n") == FIRST


def test_chapters_stay_whatever_their_headings():
    chapters = f"<section><h2>The mill</h2>{printed(SECOND)}</section>"
    text = text_of(f"<article><h1>The lamp is lit</h1>{printed(FIRST)}{chapters}</article>")
    assert text.split("\n\n") == [*FIRST, "The mill", *SECOND]


def test_headings_that_each_lead_to_what_they_tell_of_are_a_list_and_stay():
    entries = "".join(
        f"<div><h2><a href=/review/{number}>Lamp {number}</a></h2>{printed(paragraphs(number)[:2])}</div>"
        for number in range(50, 54)
    )
    text = text_of(f"<article><h1>Four lamps</h1>{printed(FIRST)}{entries}</article>")
    assert all(paragraph in text for number in range(50, 54) for paragraph in paragraphs(number)[:2])


def test_a_link_to_a_place_on_the_page_is_no_other_article():
    chapter = f"<section><h2><a href=#mill>The mill</a></h2>{printed(SECOND)}</section>"
    text = text_of(f"<article><h1>The lamp is lit</h1>{printed(FIRST)}{chapter}</article>")
    assert all(paragraph in text for paragraph in SECOND)
