"""One definition of words for everything that splits, counts or folds them."""

import re
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.classify.class_phrases import find_title
from pipeline.extract import PageInput, extract_article
from pipeline.model import Article
from pipeline.text.diff import compare_paragraphs, count_changed_words
from pipeline.text.duplicates import compared_text
from pipeline.text.search_form import is_paired
from pipeline.text.words import (
    CHARACTERS_PER_WORD,
    UNSPACED,
    WORD,
    count_words,
    find_words,
    fold,
    fold_words,
    is_mostly_unspaced,
    is_unspaced,
    normalise,
    split_units,
    split_words,
)

SCRIPTS = {
    "Thai": "ประเทศไทยมีข่าวใหม่",
    "Lao": "ປະເທດລາວມີຂ່າວ",
    "Burmese": "မြန်မာသတင်းများ",
    "Khmer": "កម្ពុជាមានព័ត៌មាន",
    "Chinese": "港口委员会周三表示",
    "Japanese": "港の古い桟橋が閉鎖された",
}
TEXTS = st.text(st.sampled_from("ab 1.-'’é\u0301\u00ad\u200bßİıﬁＡ東京港のไทยမာកម한국\n"), max_size=40) | st.text(
    max_size=20
)


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS)
def test_every_script_without_spaces_is_one_for_each_who_asks(text):
    assert is_unspaced(text)
    assert is_mostly_unspaced(text)
    assert compared_text(text).is_unspaced
    assert split_words(text) == list(text)
    assert count_words(text) == (len(text) + 1) // CHARACTERS_PER_WORD
    assert count_changed_words(compare_paragraphs([], [text]), "added") == count_words(text)


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS)
def test_an_article_has_as_many_words_as_its_text(text):
    body = "".join(f"<p>{text * 12}{number}。</p>" for number in range(6))
    page = f"<html><head><title>{text}</title></head><body><article><h1>{text}</h1>{body}</article></body></html>"
    found = extract_article(PageInput(page.encode(), "https://news.example/1"))
    assert isinstance(found, Article)
    assert found.word_count == count_words(found.text)


def test_searches_know_the_scripts_that_articles_are_counted_by():
    letters = [chr(code) for code in range(0x30000) if unicodedata.category(chr(code)) == "Lo"]
    known = [letter for letter in letters if UNSPACED.match(letter)]
    assert len(known) > 20_000
    assert [letter for letter in known if not is_paired(letter)] == []


@given(TEXTS)
@example("Ａ東 b")
def test_units_are_in_the_text_in_their_order_and_hold_all_its_letters(text):
    units = split_units(text)
    rest = text
    for unit in units:
        before, found, rest = rest.partition(unit)
        assert found
        assert not re.search(r"\w", before)
        assert len(unit) == 1 or not UNSPACED.search(unit)
    assert not re.search(r"\w", rest)


@given(TEXTS, TEXTS)
def test_words_of_two_texts_are_those_of_both(one, other):
    assert split_words(f"{one}\n{other}") == split_words(one) + split_words(other)
    assert count_words(f"{one}\n{other}") in {count_words(one) + count_words(other) - bit for bit in (0, 1)}


@given(TEXTS)
def test_a_text_without_such_scripts_has_as_many_words_as_units(text):
    if not is_unspaced(text):
        assert count_words(text) == len(split_units(text))
    assert (count_words(text) == 0) == (not split_units(text))


@given(TEXTS)
@example("İ")
@example("ﬁ\u00adn")
def test_folding_twice_is_folding_once(text):
    for folded in (fold, normalise, fold_words):
        once = folded(text)
        assert folded(once) == once, folded.__name__


@given(TEXTS)
def test_what_has_no_width_makes_no_difference(text):
    hyphenated = "\u00ad".join(text)
    if fold(text) != fold(hyphenated):
        # A mark that composed with the letter before it can no longer do so.
        assert any(fold(one + other) != fold(one) + fold(other) for one, other in pairwise(text))


def test_a_title_is_found_whatever_its_accents_and_case():
    assert find_title("soft_404", ["PAGE NON TROUVÉE"]) or find_title("soft_404", ["Page introuvable"])


@given(st.text() | st.text(st.characters(max_codepoint=127)))
@example("\x1fIt's\x0b10:30,\x85São_Tomé\x7f")
def test_words_are_found_alike_in_ascii_and_other_texts(text):
    assert find_words(text) == WORD.findall(text)
