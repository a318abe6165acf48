"""The language of searches: what is understood, and what is refused with a reason."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.search import All, Any, Near, Phrase, QueryError, parse_query, split_words


def p(*words, **kinds):
    return Phrase(words, **kinds)


A, B, C = p("a"), p("b"), p("c")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", A),
        ("a b", All((A, B))),
        ("a AND b", All((A, B))),
        ("a OR b", Any((A, B))),
        ("a b OR c", Any((All((A, B)), C))),
        ("a (b OR c)", All((A, Any((B, C))))),
        ("a -b", All((A,), (B,))),
        ("a NOT b", All((A,), (B,))),
        ("a AND NOT b", All((A,), (B,))),
        ("-b a", All((A,), (B,))),
        ("-(b OR c) a", All((A,), (Any((B, C)),))),
        ('"a b"', p("a", "b")),
        ('"a b"*', p("a", "b", is_prefix=True)),
        ("well-known", p("well", "known")),
        ("U.S.", p("u", "s")),
        ("ha*", p("ha", is_prefix=True)),
        ("title:a", p("a", in_title=True)),
        ('title:"a b"', p("a", "b", in_title=True)),
        ("a NEAR b", Near(A, B, 10)),
        ("a NEAR/3 b", Near(A, B, 3)),
        ('a NEAR "b c" x', All((Near(A, p("b", "c"), 10), p("x")))),
        ("a NEAR b NEAR/2 c", All((Near(A, B, 10), Near(B, C, 2)))),
        ("and or not near", All((p("and"), p("or"), p("not"), p("near")))),
        ("Falluja", p("falluja")),
        ("title: a", p("a", in_title=True)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_queries_are_understood(text, expected):
    assert parse_query(text) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("-a", "only says what not to find"),
        ("NOT a", "only says what not to find"),
        ("a OR -b", "only says what not to find"),
        ("a AND", "missing at the end"),
        ("a OR", "missing before the end"),
        ("OR a", "missing before OR"),
        ("AND a", "missing before AND"),
        ("a AND AND b", "missing before AND"),
        ("NEAR a", "missing before NEAR"),
        ("a NEAR", "missing at the end"),
        ("a NEAR/99 b", "at most NEAR/30"),
        ("a NEAR (b OR c)", "NEAR stands between words"),
        ("a NEAR b*", "NEAR stands between words"),
        ("(a", "not closed"),
        ("a)", "too many"),
        ("()", "missing before"),
        ('"a', "no partner"),
        ('""', "no letter"),
        ("***", "no letter"),
        ("a & b", "no letter"),
        ("title:(a)", "no letter|followed by"),
        ("(" * 30 + "a" + ")" * 30, "brackets in brackets"),
        ("a " * 41, "at most 40"),
        ("a" * 1001, "at most 1000"),
    ],
    ids=lambda value: value[:20],
)
def test_what_cannot_be_understood_is_refused_with_a_reason(text, reason):
    with pytest.raises(QueryError, match=reason):
        parse_query(text)


@given(st.text(alphabet=st.sampled_from('ab "()-*:/ANDORTEtile\x00é新') | st.characters(), max_size=60))
@example("title:")
@example('a NEAR/ "')
def test_any_text_is_understood_or_refused(text):
    try:
        query = parse_query(text)
    except QueryError:
        return
    assert query


@given(st.text())
def test_words_are_made_of_letters_digits_and_marks(text):
    words = split_words(text)
    assert split_words(" ".join(words)) == words
