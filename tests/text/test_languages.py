"""The language of a text by the text alone: one short notice in each of forty languages, and what is no language."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.text.languages import detect_language

NOTICES = tomllib.loads(Path(__file__).with_name("notices.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("code", "text"), NOTICES.items(), ids=NOTICES.keys())
def test_a_notice_of_some_twenty_words_is_told_surely(code, text):
    detected = detect_language(text)
    assert detected is not None
    assert (detected.code, detected.is_sure) == (code, True)


def test_the_notices_are_of_forty_languages_and_more():
    assert len(NOTICES) >= 40


@pytest.mark.parametrize("text", ["", "12. 11. 2026, 17:30", "— · —", "https://courant.example/a ann@courant.example"])
def test_where_there_are_no_words_there_is_no_language(text):
    assert detect_language(text) is None


def test_a_japanese_line_with_many_chinese_signs_is_japanese():
    detected = detect_language("国土交通省港湾局長会見、東京湾岸壁改修工事予算案閣議決定の見通し")
    assert detected is not None
    assert detected.code == "ja"


def test_a_few_words_are_not_enough_to_be_sure():
    detected = detect_language("The harbour opens again")
    assert detected is None or not detected.is_sure


@given(st.text(max_size=300))
@example("\ud800\udfff surrogates")
@example("a\x00b" * 90)
def test_any_text_is_survived_and_told_the_same_twice(text):
    assert detect_language(text) == detect_language(text)
