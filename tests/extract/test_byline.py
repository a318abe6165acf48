"""By-lines in the body go; sentences about whoever signed stay."""

import pytest

from pipeline.extract.byline import mark_bylines

PROSE = "The harbour board has decided to rebuild the old grain pier, which the storms of last winter had damaged more "
PROSE += "than anyone had expected, although nobody knows yet who will pay for it."


@pytest.mark.parametrize(
    "line",
    [
        "By Ada Ruiz",
        "Ada Ruiz",
        "Von Ada Ruiz und Bo Lind",
        "ADA RUIZ, Reporter",
        "Par Ada Ruiz Publié le 18/10/2026 à 12h20 Temps de lecture : 3 min.",
        "Ada Ruiz | 3 October 2026, 08:10 | 4 min read",
    ],
)
def test_a_line_that_only_says_who_signed_is_a_byline(line):
    assert mark_bylines([line, PROSE], ["Ada Ruiz", "Bo Lind"]) == [True, False]


@pytest.mark.parametrize(
    "line",
    [
        "Ada Ruiz did not answer.",
        "“That is Ada Ruiz.”",
        "Ada Ruiz and the harbour board of the town",
        PROSE + " Ada Ruiz",
        "By the harbour",
        "By another name",
    ],
)
def test_other_lines_are_not(line):
    assert mark_bylines([line, PROSE], ["Ada Ruiz"]) == [False, False]


def test_once_the_text_has_begun_numbers_make_no_byline():
    assert mark_bylines([PROSE, "In 2019 Ada Ruiz won the vote by 12 to 9 against him"], ["Ada Ruiz"]) == [False, False]
    assert mark_bylines([PROSE, "Ada Ruiz"], ["Ada Ruiz"]) == [False, True]


def test_without_a_signature_there_is_no_byline():
    assert mark_bylines(["By Ada Ruiz"], []) == [False]


def test_a_word_of_a_megabyte_is_passed_over():
    words = ("a" * 1_000_000, "@" * 1_000_000, "@ada ada@news.example")
    assert mark_bylines([f"By Ada Ruiz {word}" for word in words], ["Ada Ruiz"]) == [True] * 3
