"""The form in which texts are indexed: on PostgreSQL the same as in Python."""

import unicodedata

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline.text.search_form import fold_for_search, search_form, split_search_words

TEXTS = st.text(
    st.sampled_from("ab1e.-+'’éßİıﬁＡ東京港ไทမကម한국हЁё\u00ad\u200b /_@:&<>;=~\"„“–½²№℃。・حأإىةک۲٣\u02bc")
    | st.characters(codec="utf-8"),
    max_size=40,
)

_ENGINES = {}


def forms_there(url, texts):
    engine = _ENGINES.setdefault(url, sa.create_engine(url, poolclass=sa.NullPool))
    with engine.connect() as connection:
        there = "SELECT news_search_text(w) FROM unnest(CAST(:texts AS text[])) WITH ORDINALITY AS x(w, n) ORDER BY n"
        return list(connection.scalars(sa.text(there), {"texts": texts}))


@pytest.mark.postgres
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(texts=st.lists(TEXTS.filter(lambda text: "\x00" not in text), min_size=20, max_size=20))
@example(texts=["Ünïcödé — 日本語 🚢 ﬁnance 1½", "ÌSTANBUL İi ıI", "Donau\u00addampf", "مُحَمَّدٌ ۱۴۰۵", "ท่าเรือ กรุงเทพ"])
def test_postgresql_makes_the_same_words(postgres_url, texts):
    there = forms_there(postgres_url, texts)
    assert [split_search_words(form) for form in there] == [split_search_words(search_form(text)) for text in texts]


@pytest.mark.postgres
def test_postgresql_folds_every_letter_alike(postgres_url):
    # Letters that are newer than either side's tables may differ: those of Unicode 14 are in both.
    letters = [chr(code) for code in range(0x20, 0x30000) if unicodedata.category(chr(code))[0] in "LN"]
    there = forms_there(postgres_url, letters)
    differing = [
        letter
        for letter, form in zip(letters, there, strict=True)
        if split_search_words(form) != split_search_words(search_form(letter))
    ]
    assert differing == []


@given(TEXTS)
def test_folding_twice_is_folding_once(text):
    once = fold_for_search(text)
    assert split_search_words(fold_for_search(once)) == split_search_words(once)


@given(TEXTS)
def test_a_text_in_capitals_has_the_same_words_where_its_letters_have_capitals(text):
    if text.upper().lower() == text.lower():
        assert search_form(text.upper()) == search_form(text)
