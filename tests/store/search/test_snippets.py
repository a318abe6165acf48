"""What matched is marked in the text as it was written, on both databases."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.store.connection.engine import reading
from pipeline.store.search import search_articles
from pipeline.store.search.ranking import SNIPPET, PhrasePattern, mark_snippet, mark_title
from pipeline.store.search.terms import PhraseTerm
from tests.support.archive import Archive

FILLING = "Nothing of this is looked for. " * 40
MARKED = {
    "accents": ("cafe", "Le Café de la région.", "Café"),
    "accents in the search": ("région", "Le cafe de la region.", "region"),
    "accents apart": ("cafe", "Le cafe\u0301 de nuit.", "cafe\u0301"),
    "dots": ("U.S.", "Said the U.S. envoy — again.", "U.S"),
    "hyphen": ("well-known", "Ein well-known „Plan“.", "well-known"),
    "address": ("example", "Write to ä@news.example/now for more.", "example"),
    "soft hyphen": ("hafenstadt", "Die Hafen\u00adstadt – heute.", "Hafen\u00adstadt"),
    "beginning": ("hafen*", "Die Hafenstadt – heute.", "Hafen"),
    "script without spaces": ("港区", "東京都港区で祭りが行われた。", "港区"),
    "two scripts": ("NHK東京", "昨日NHK 東京で見た。", "NHK 東京"),
    "what looks like a tag": ("harbour", "if a <b> harbour é then", "harbour"),
}


@pytest.mark.parametrize("name", MARKED)
def test_the_place_that_matches_is_shown_and_marked(engine, name):
    query, text, expected = MARKED[name]
    Archive(engine).store(title=text, text=FILLING + text + " " + FILLING)
    with reading(engine) as connection:
        (hit,) = search_articles(connection, query).hits
    for spans in (hit.title, hit.snippet):
        assert [span.text for span in spans if span.is_match] == [expected]
    assert "".join(span.text for span in hit.title) == text
    shown = "".join(span.text for span in hit.snippet)
    assert text in shown
    assert shown.startswith("…")
    assert shown.endswith("…")


ODD = st.text(st.sampled_from("aé e\u0301ß.-/@_:ﬁ港日ก…„“\u00ad\u200bＡ½한İ\n<&"), max_size=40)


@given(ODD, st.sampled_from(["a", "e", "ss", "港", "日ก", "fi", "1", "한", "i"]))
def test_marks_never_change_the_text(text, word):
    patterns = [PhrasePattern(PhraseTerm((word,))), PhrasePattern(PhraseTerm((word,), is_prefix=True))]
    for spans in (mark_title(patterns, text), mark_snippet(patterns, text)):
        assert "".join("".join(span.text for span in spans).split()) == "".join(text.split())


@given(st.text(st.sampled_from("ab \n"), max_size=900))
def test_a_snippet_has_a_bounded_length_and_what_matches(text):
    spans = mark_snippet([PhrasePattern(PhraseTerm(("aba",)))], text)
    assert sum(len(span.text) for span in spans) <= SNIPPET + 2
    found = any(word == "aba" for word in text.split())
    assert any(span.is_match for span in spans) == found


def steps_of(function, *args):
    """How many instructions of Python it takes: a measure of time that no busy machine changes."""
    steps = 0

    def trace(frame, event, _):
        nonlocal steps
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        steps += event == "opcode"
        return trace

    sys.settrace(trace)
    try:
        function(*args)
    finally:
        sys.settrace(None)
    return steps


def test_a_text_of_nothing_but_matches_takes_time_in_proportion_to_its_length():
    patterns = [PhrasePattern(PhraseTerm((word,))) for word in "ab"]
    some, many = (steps_of(mark_snippet, patterns, "a b " * count) for count in (200, 800))
    assert many < 5 * some


def test_the_snippet_is_the_first_that_shows_most_of_what_was_looked_for():
    text = "a " + FILLING + "a b " + FILLING + "b a c " + FILLING + "c b a"
    spans = mark_snippet([PhrasePattern(PhraseTerm((word,))) for word in "abc"], text)
    assert [span.text for span in spans if span.is_match] == ["b", "a", "c"]
