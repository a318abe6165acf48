"""The language of searches: what is understood, and what is refused with a reason."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.periods import read_period
from pipeline.store.search.query import parse_query
from pipeline.store.search.terms import AllOf, AnyOf, FeedTerm, FieldTerm, NearTerm, PeriodTerm, PhraseTerm, QueryError
from pipeline.text.search_form import fold_for_search, split_search_words


def p(*words, **kinds):
    return PhraseTerm(words, **kinds)


A, B, C = p("a"), p("b"), p("c")
AROUND = (("2026-11", None), (None, "2027"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", A),
        ("a b", AllOf((A, B))),
        ("a AND b", AllOf((A, B))),
        ("a OR b", AnyOf((A, B))),
        ("a b OR c", AnyOf((AllOf((A, B)), C))),
        ("a (b OR c)", AllOf((A, AnyOf((B, C))))),
        ("a -b", AllOf((A,), (B,))),
        ("a NOT b", AllOf((A,), (B,))),
        ("a AND NOT b", AllOf((A,), (B,))),
        ("-b a", AllOf((A,), (B,))),
        ("-(b OR c) a", AllOf((A,), (AnyOf((B, C)),))),
        ('"a b"', p("a", "b")),
        ('"a b"*', p("a", "b", is_prefix=True)),
        ("well-known", p("well", "known")),
        ("U.S.", p("u", "s")),
        ("ha*", p("ha", is_prefix=True)),
        ("title:a", p("a", in_title=True)),
        ('title:"a b"', p("a", "b", in_title=True)),
        ("a NEAR b", NearTerm(A, B, 10)),
        ("a NEAR/3 b", NearTerm(A, B, 3)),
        ('a NEAR "b c" x', AllOf((NearTerm(A, p("b", "c"), 10), p("x")))),
        ("a NEAR b NEAR/2 c", AllOf((NearTerm(A, B, 10), NearTerm(B, C, 2)))),
        ("and or not near", AllOf((p("and"), p("or"), p("not"), p("near")))),
        ("Falluja", p("falluja")),
        ("title: a", p("a", in_title=True)),
        ("site:www.One.example", FieldTerm("s", "one.example")),
        ("a -lang:DE", AllOf((A,), (FieldTerm("l", "de"),))),
        ('author:"Ada Rui"*', FieldTerm("a", "ada rui", is_prefix=True)),
        ("a OR author:Ruíz", AnyOf((A, FieldTerm("a", "ruiz")))),
        ("a feed:sport", AllOf((A, FeedTerm("sport")))),
        ("a after:2026-11 before:2027", AllOf((A, *(PeriodTerm(read_period(*around)) for around in AROUND)))),
        ("published:2026-11-03 a", AllOf((PeriodTerm(read_period("2026-11-03", "2026-11-04")), A))),
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
        ("*x", "a star stands at the end of a word"),
        ("har*bour", "a star stands at the end of a word"),
        ("tag:ports", 'the fields are title:, site:, .*; to find the words, write "tag ports"'),
        ('section:"front page"', "the fields are title:"),
        ("storm AND tag: ports", "the fields are title:"),
        ("storm until:may", "until:may: .*2026-11-03"),
        ("storm published:2026-13", "published:2026-13: "),
        ("storm published:autumn", "is no day, month or year"),
        ("colour:(red OR blue)", "the fields are title:"),
        ("site:(one OR two)", "site: is followed by a word"),
        ("author:*", "author:ruiz"),
        ("language:german", "language:de"),
        ("after:2026-11", "give a word to find, too"),
        ("feed:12", "give a word to find, too"),
        ("a OR b after:2026", "limit a search as a whole"),
        ("a -feed:12", "limit a search as a whole"),
        ("a (b after:2026)", "limit a search as a whole"),
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


@pytest.mark.parametrize(
    "text", ["Breaking: storm", "12:30", "covid:19", "https://one.example/a", "harb*", "title:harb*"]
)
def test_what_only_looks_like_a_field_or_a_star_is_looked_for(text):
    assert parse_query(text)


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
    words = split_search_words(fold_for_search(text))
    assert split_search_words(" ".join(words)) == words
