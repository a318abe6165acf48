"""Tables are taken as a whole, and a block is not left out for its length; who gave the text is told."""

import pytest

from pipeline.extract import PageInput, extract_article
from tests.support.stories import paragraphs

URL = "https://lantern.example/2026/11/12/lamp"
LONG = " ".join(text for number in range(60, 72) for text in paragraphs(number))
MENU = "<nav><a href=/>Home</a> <a href=/sea>Sea</a></nav>"


def read(inside, scripts=""):
    page = f"<!doctype html><html lang=en><head><meta charset=utf-8><title>The lamp</title></head><body>{MENU}"
    article = f"<main><article><h1>The lamp is lit</h1>{inside}</article></main><footer>The Lantern</footer>{scripts}"
    return extract_article(PageInput(f"{page}{article}</body></html>".encode(), URL))


def printed(texts):
    return "".join(f"<p>{text}</p>" for text in texts)


def table(rows):
    return (
        "<table>" + "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows) + "</table>"
    )


def test_all_rows_of_a_table_within_the_text_are_text():
    rows = [("Lighthouse", "Height (m)", "Steps"), ("Northern", "31", "160"), ("Old mole", "9.5", "44")]
    text = read(printed(paragraphs(1)[:3]) + table(rows) + printed(paragraphs(2)[:3])).text
    assert "Lighthouse | Height (m) | Steps\n\nNorthern | 31 | 160\n\nOld mole | 9.5 | 44" in text


def test_scripts_within_a_cell_are_no_text():
    rows = [("Northern", "31<script>draw(31)</script>"), ("Old mole", "9.5<style>td {color: red}</style>")]
    text = read(printed(paragraphs(1)[:3]) + table(rows) + printed(paragraphs(2)[:3])).text
    assert "draw" not in text
    assert "color" not in text


@pytest.mark.parametrize("words", [250, 400, 800])
def test_a_long_block_is_text(words):
    block = " ".join(LONG.split()[:words]) + "."
    assert block in read(printed([*paragraphs(1)[:2], block, *paragraphs(2)[:2]])).text


def test_the_source_of_the_text_is_told():
    assert read(printed(paragraphs(1))).extractor == "news"
    declared = '<script type="application/ld+json">{"@type": "NewsArticle", "headline": "The lamp is lit", '
    body = "\\n".join(paragraphs(1) + paragraphs(2))
    assert read("<p>Loading</p>", f'{declared}"articleBody": "{body}"}}</script>').extractor == "json-ld"
