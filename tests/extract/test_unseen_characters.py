"""Characters that no reader sees, readings above characters, notes and line breaks as typed."""

import pytest

from pipeline.extract import PageInput, explain_article, extract_article
from pipeline.model import Article
from tests.support.stories import paragraphs as texts_of

URL = "https://news.example/2026/11/lighthouse"
FIRST = "The keepers of the old lighthouse met on Thursday to speak about the lamp, which has been dark for weeks."


def paragraphs(count, number=3):
    """Paragraphs of the article around what is tried."""
    return "".join(f"<p>{text}</p>" for text in (texts_of(number) + texts_of(number + 1))[:count])


def article_page(inside):
    return (
        "<!doctype html><html lang=en><head><meta charset=utf-8><title>The lamp is dark</title></head><body><nav>"
        f"<a href=/>Home</a></nav><main><article><h1>The lamp is dark</h1>{inside}</article></main></body></html>"
    )


def text_of_page(inside):
    found = extract_article(PageInput(article_page(inside).encode(), URL))
    assert isinstance(found, Article)
    return found.text


@pytest.mark.parametrize(
    ("written", "read"),
    [
        pytest.param("The light&shy;house keep&shy;ers met", "The lighthouse keepers met", id="soft hyphens"),
        pytest.param("The light\u200bhouse\ufeff keepers\u2060 met", "The lighthouse keepers met", id="no width"),
        pytest.param("The light<wbr>house keepers met", "The lighthouse keepers met", id="wbr"),
        pytest.param("The cafe\u0301 at the quay", "The café at the quay", id="letters not composed"),
        pytest.param("The \u0093light\u0094 \u0096 and more", "The “light” – and more", id="Windows' numbers"),
        pytest.param("می\u200cخواهم", "می\u200cخواهم", id="a joiner is spelling"),
        pytest.param(
            "the lamp<sup><a href='#note-1'>1</a></sup> is dark", "the lamp is dark", id="the mark of a footnote"
        ),
        pytest.param("ten m<sup>2</sup> of glass", "ten m2 of glass", id="a number above that is no note"),
        pytest.param("<ruby>灯台<rt>とうだい</rt></ruby>の光", "灯台の光", id="a reading"),
        pytest.param("<ruby>灯台<rp>（</rp><rt>とうだい</rt><rp>）</rp></ruby>", "灯台（とうだい）", id="in brackets"),
    ],
)
def test_text_holds_what_a_reader_sees(written, read):
    assert f"{FIRST} {read}." in text_of_page(f"<p>{FIRST} {written}.</p>{paragraphs(4)}")


def test_empty_lines_of_a_text_as_typed_part_its_paragraphs_and_lines_of_verse_stay():
    typed = f"{FIRST}\n\nNobody knows who has\nthe key to it.\n\nThe town will look for another."
    assert f"{FIRST}\n\nNobody knows who has\nthe key to it.\n\nThe town will look" in text_of_page(
        f"{paragraphs(3)}<pre>{typed}</pre>{paragraphs(2, 7)}"
    )


def test_a_program_stays_in_one_piece():
    code = "def lamp():\n    on = 1\n\n    return on\n\nlamp()"
    layout = explain_article(PageInput(article_page(f"{paragraphs(3)}<pre>{code}</pre>").encode(), URL)).lines
    assert "def lamp():\non = 1\nreturn on\nlamp()" in [block.text for block in layout]


def test_a_question_on_a_button_is_the_heading_of_its_answer():
    inside = f"{paragraphs(3)}<div><button>Who has the key?</button><div>{paragraphs(2, 5)}</div></div>"
    kinds = {block.text: block.kind for block in explain_article(PageInput(article_page(inside).encode(), URL)).lines}
    assert kinds["Who has the key?"] == "heading"
