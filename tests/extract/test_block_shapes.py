"""Each paragraph of a text comes with what the page has it as."""

import pytest

from pipeline.extract import PageInput, extract_article
from pipeline.text.shape import iterate_blocks
from tests.support.stories import paragraphs

URL = "https://lantern.example/2026/11/12/lamp"
LEAD, BODY, END = paragraphs(1)[:3], paragraphs(2)[:3], paragraphs(3)[:3]


def printed(texts):
    return "".join(f"<p>{text}</p>" for text in texts)


def read(inside, scripts=""):
    article = f"<main><article><h1>The lamp is lit</h1>{inside}</article></main><footer>The Lantern</footer>{scripts}"
    page = "<!doctype html><html lang=en><head><meta charset=utf-8><title>The lamp is lit</title></head><body>"
    return extract_article(PageInput(f"{page}{article}</body></html>".encode(), URL))


def shapes_of(inside, **page):
    """Letter by paragraph of an article with this between other paragraphs."""
    found = read(printed(LEAD) + inside + printed(BODY), **page)
    texts = found.text.split("\n\n")
    assert len(found.shape) == len(texts)
    return dict(zip(texts, found.shape, strict=True))


@pytest.mark.parametrize("level", [2, 3, 4])
def test_headings_have_the_level_of_the_page(level):
    heading = "How the lamp was mended"
    shapes = shapes_of(f"<h{level}><span>{heading}</span></h{level}>{printed(END)}")
    assert shapes[heading] == str(level)
    assert {shapes[text] for text in (*LEAD, *END)} == {"p"}


def test_items_are_told_with_the_depth_of_their_list_and_whether_it_is_numbered():
    first, second, third = END
    inside = f"<ul><li>{first}<ol><li>{second}</li></ol></li><li><p>{third}</p></li></ul>"
    shapes = shapes_of(inside)
    assert [shapes[text] for text in END] == ["i", "J", "i"]


def test_only_the_first_paragraph_of_an_entry_is_the_item():
    shapes = shapes_of(f"<ul><li>{printed(END)}</li></ul>")
    assert [shapes[text] for text in END] == ["i", "p", "p"]


def test_a_list_around_the_whole_article_makes_no_items():
    page = (
        f"<html><body><ol><li><article><h1>The lamp is lit</h1>{printed(LEAD + BODY)}</article></li></ol></body></html>"
    )
    found = extract_article(PageInput(page.encode(), URL))
    assert found.shape == "p" * len(found.text.split("\n\n"))


def test_all_paragraphs_of_a_quotation_are_quotation():
    shapes = shapes_of(f"<blockquote>{printed(END)}</blockquote>")
    assert [shapes[text] for text in END] == ["q", "q", "q"]


def test_rows_of_a_table_are_rows():
    rows = [("Lighthouse", "Height (m)", "Steps"), ("Northern", "31", "160"), ("Old mole", "9.5", "44")]
    cells = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    shapes = shapes_of(f"<table>{cells}</table>")
    assert [shapes[" | ".join(row)] for row in rows] == ["r", "r", "r"]


def test_what_is_set_as_typed_is_code():
    shapes = shapes_of(f"<p>{END[0]}</p><pre><code>lamp = Lamp(31)\nlamp.light()</code></pre>{printed(END[1:])}")
    assert shapes["lamp = Lamp(31)\nlamp.light()"] == "c"


def test_the_kind_goes_with_the_paragraph_that_cleaning_takes_out():
    found = read(printed(LEAD[:2]) + "<h2>Related articles</h2>" + "<h3>Why it went out</h3>" + printed(BODY + END))
    kinds = {block.text: block.kind for block in iterate_blocks(found.text, found.shape)}
    assert "Related articles" in [paragraph.text for paragraph in found.removed]
    assert kinds["Why it went out"] == "heading"
    assert {kinds[text] for text in (*LEAD[:2], *BODY, *END)} == {"paragraph"}


def test_a_text_that_data_of_the_page_hold_has_the_kinds_of_the_blocks_that_say_the_same():
    body = "\\n".join([*LEAD, "How the lamp was mended", *BODY])
    declared = '<script type="application/ld+json">{"@type": "NewsArticle", "headline": "The lamp is lit", '
    found = read("<h2>How the lamp was mended</h2>", f'{declared}"articleBody": "{body}"}}</script>')
    assert found.extractor == "json-ld"
    assert dict(zip(found.text.split("\n\n"), found.shape, strict=True))["How the lamp was mended"] == "2"


def test_items_that_the_other_extractor_marks_are_items():
    items = "".join(f"<li>{text}</li>" for text in END)
    inside = f"<h1>The lamp is lit</h1>{printed(LEAD)}<ul>{items}</ul>{printed(BODY)}"
    page = f"<html><body><article>{inside}</article></body></html>"
    found = extract_article(PageInput(page.encode(), URL, extractor="trafilatura"))
    kinds = {block.text: block.kind for block in iterate_blocks(found.text, found.shape)}
    assert found.extractor == "trafilatura"
    assert [kinds[f"- {text}"] for text in END] == ["item"] * 3
    assert {kinds[text] for text in (*LEAD, *BODY)} == {"paragraph"}
