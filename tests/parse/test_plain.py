"""Markup becomes plain text. (What entries look like after it is in test_parse.)"""

import doctest

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.parse import plain
from pipeline.parse.plain import MAX_MARKUP, plain_text, shorten_text

MARKUP = {
    "blocks part words": ("<p>A</p><p>B</p><ul><li>C</li><li>D</li></ul>E<br>F", "A B C D E F"),
    "inline elements do not": ("<b>Don</b>au<i>dampf</i>", "Donaudampf"),
    "names in upper case": ("<P>A <B>b</B></P>", "A b"),
    "attributes over lines": ("<a\n  href='x'\n  title=\"y\">A</a>", "A"),
    "unknown elements are text": ("a <thing> & <other/>", "a <thing> & <other/>"),
    "names that begin like elements": ("<bold>x</bold> <pain>", "<bold>x</bold> <pain>"),
    "end of a tag is missing": ("A <a href='x'", "A <a href='x'"),
    "arrows": ("a -> b <- c <-- d", "a -> b <- c <-- d"),
    "references without semicolon": ("R&D &amp B &copy", "R&D &amp B &copy"),
    "reference to nothing": ("&nosuch; &#xFFFFFFF;", "&nosuch; &#xFFFFFFF;"),
    "beginning of a reference": ("&notit;", "&notit;"),
    "script in the middle": ("A<script>if (a<b) {}</script>B", "A B"),
    "escaped three times": ("&amp;amp;amp;lt;", "<"),
}


@pytest.mark.parametrize(("markup", "text"), MARKUP.values(), ids=MARKUP.keys())
def test_markup_becomes_text(markup, text):
    assert plain_text(markup) == text


def test_text_that_speaks_of_markup_is_kept():
    assert plain_text("Use <b> sparingly", "text") == "Use <b> sparingly"
    assert plain_text("<code>&lt;/b&gt;</code> ends it", "xhtml") == "</b> ends it"


def test_text_that_is_markup_after_all_is_stripped():
    assert plain_text("<p>Really?</p>", "text") == "Really?"


@given(
    st.one_of(
        st.text(st.characters(), max_size=80),
        st.lists(st.sampled_from([*"<>/&;'\" ab!-", "script", "<p "])).map("".join),
    )
)
@example("\x00\ud800\ufffe")
@example("<!--" * 9)
@example("&amp;" * 20)
def test_any_text_survives_in_one_line(text):
    for kind in ("text", "html", "xhtml"):
        result = plain_text(text, kind)
        result.encode()
        assert result == " ".join(result.split())
        assert "\x00" not in result


@pytest.mark.parametrize(
    "piece", ["<a ", '<a "', "<a '\"", "<!--", "<script ", "<p", "&amp;", "&#", "</p>", "<![CDATA["]
)
def test_beginnings_without_end_do_not_take_for_ever(piece):
    plain_text(piece * (MAX_MARKUP // len(piece)))


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("short", 5, "short"),
        ("one two three", 9, "one two…"),
        ("日本語の長い見出しです", 5, "日本語の…"),
        ("x " + "y" * 50, 20, "x " + "y" * 17 + "…"),
        ("", 5, ""),
    ],
)
def test_long_texts_are_cut_between_words_where_there_are_words(text, limit, expected):
    assert shorten_text(text, limit) == expected
    assert len(expected) <= limit


def test_the_examples_in_the_documentation_hold():
    failed, tried = doctest.testmod(plain)
    assert (failed, tried > 0) == (0, True)
