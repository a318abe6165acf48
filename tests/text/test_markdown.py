"""A text in Markdown reads as it was, whatever stands in it, to a library that renders Markdown."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pipeline.text.markdown import make_markdown
from pipeline.text.shape import LETTERS

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
BREAKS = {"softbreak": "\n", "hardbreak": "\n"}
# fmt: off
MEANT = [
    "#", "##", "-", "+", "*", "_", "**", "__", "1.", "2)", ">", "|", "---", "===", ":--", "~~", "```", "`", "``", "\\",
    "[a]", "[a]:", "(b)", "![a](b)", "<b>", "</div>", "<!--", "&amp;", "&lt", "&#33;", "a_b_c", "a*b*", "~~x~~", "`x`",
    "https://a.example/_b_", "<https://a.example>", "tide", "Ebbe", "潮", "!", "é", "c#", "0", "'", '"', "^", "$x$",
]
# fmt: on
WORDS = st.sampled_from(MEANT) | st.text("a#-*_`~[]<>&\\|!1. +=:)", min_size=1, max_size=6)
LINES = st.lists(WORDS, min_size=1, max_size=4).map(lambda words: " ".join(" ".join(words).split())).filter(bool)
PARAGRAPHS = st.lists(LINES, min_size=1, max_size=3).map("\n".join)
TEXTS = st.lists(st.tuples(PARAGRAPHS, st.sampled_from(sorted(LETTERS))), min_size=1, max_size=7)


def read_back(markdown):
    """What a reader sees, as pairs of kind and text; rows are joined as they are in the text."""
    found, cells, within, is_in_table = [], [], [], False
    for token in READER.parse(markdown):
        if token.type.endswith("_open"):
            within.append(token.type.removesuffix("_open"))
            if token.type == "heading_open":
                within[-1] = token.tag
        elif token.type.endswith("_close"):
            within.pop()
            if token.type == "tr_close":
                found.append(("row", " | ".join(filter(None, cells))))
                cells = []
        elif token.type == "fence":
            found.append(("code", token.content.removesuffix("\n")))
        elif token.type == "inline":
            is_in_table = "tr" in within
            text = "".join(BREAKS.get(child.type, child.content) for child in token.children)
            marks = {child.type for child in token.children} - {*BREAKS, "text", "text_special"}
            assert marks <= {"em_open", "em_close"}, f"{marks}: {markdown!r}"
            if is_in_table:
                cells.append(text)
            else:
                found.append((kind_of(within, marks), text))
        else:
            raise AssertionError(f"{token.type}: {markdown!r}")
    return found


def kind_of(within, marks):
    if marks:
        return "caption"
    kinds = {"list_item": "item", "blockquote": "quote", "paragraph": "paragraph"}
    return next((kinds.get(each, each) for each in within if each in kinds or each.startswith("h")), "?")


def expected(pairs):
    """The same of what was given: in one line where Markdown has no other way."""
    for place, (text, letter) in enumerate(pairs):
        kind, level = LETTERS[letter]
        if kind == "heading":
            yield f"h{level or 3}", text.replace("\n", " ")
        elif kind == "row":
            # Rows in a row are a table where one of them has cells; else they are paragraphs.
            first = last = place
            while first and pairs[first - 1][1] == "r":
                first -= 1
            while last + 1 < len(pairs) and pairs[last + 1][1] == "r":
                last += 1
            if any(" | " in row for row, _ in pairs[first : last + 1]):
                yield kind, " | ".join(filter(None, text.replace("\n", " ").split(" | ")))
            else:
                yield "paragraph", text
        else:
            yield kind, text


@given(TEXTS)
@example([("a | b", "r"), ("c", "r"), ("d | e | f", "r")])
@example([("one", "I"), ("two", "I"), ("deep", "j"), ("deeper", "K"), ("three", "I"), ("other", "i")])
@example([("# #", "1"), ("c #", "2"), ("##", "h")])
@example([("```\n````", "c"), ("~~~", "c")])
@example([("lone\\\nback\\", "p"), ("lone\\\nback\\", "q"), ("\\", "f"), ("a\\ | \\", "r")])
def test_what_a_reader_sees_is_the_text_with_its_kinds(pairs):
    text, shape = "\n\n".join(text for text, _ in pairs), "".join(letter for _, letter in pairs)
    assert read_back(make_markdown(text, shape)) == list(expected(pairs))


@given(PARAGRAPHS, PARAGRAPHS)
def test_the_headline_stands_above(title, text):
    assert read_back(make_markdown(text, None, title)) == [("h1", title.replace("\n", " ")), ("paragraph", text)]


@pytest.mark.parametrize(
    ("text", "shape", "markdown"),
    [
        ("Tides\n\nThey come.", "2p", "## Tides\n\nThey come.\n"),
        ("a\n\nb\n\nc\n\nd", "iJJi", "- a\n  1. b\n  2. c\n- d\n"),
        ("a\n\nb\n\nc", "kji", "- a\n  - b\n- c\n"),
        ("a\nb\n\nc", "qq", "> a\\\n> b\n>\n> c\n"),
        ("a | b\n\nc | d | e", "rr", "| a | b |  |\n| --- | --- | --- |\n| c | d | e |\n"),
        ("x = 1\ny = 2", "c", "```\nx = 1\ny = 2\n```\n"),
        ("The mole, seen from north.", "f", "*The mole, seen from north.*\n"),
        ("1. of\n- no list", "p", "1\\. of\\\n\\- no list\n"),
        ("a\n\nb", "h", "### a\n\nb\n"),
        ("    a\r\n\tb", "p", "a\\\nb\n"),
    ],
)  # fmt: skip
def test_each_kind_is_written_as_markdown_has_it(text, shape, markdown):
    assert make_markdown(text, shape) == markdown
