"""Dates of other calendars, and in months of languages that few parsers read."""

import doctest
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.metadata import calendars
from pipeline.metadata.calendars import from_iranian, read_other_calendar
from pipeline.metadata.written_dates import parse_written_date

WRITTEN = {
    "Japanese era": ("令和6年5月3日", "ja", (2024, 5, 3)),
    "first year of an era": ("令和元年5月3日", "ja", (2019, 5, 3)),
    "the era before": ("平成30年5月3日 15時47分", "ja", (2018, 5, 3)),
    "the Republic's years": ("民國113年5月3日", "zh", (2024, 5, 3)),
    "Iranian": ("۱۴ اردیبهشت ۱۴۰۳", "fa", (2024, 5, 3)),
    "Iranian in numbers": ("1403/02/14", "fa", (2024, 5, 3)),
    "numbers that are no year elsewhere": ("1403/02/14", "en", None),
    "Thai years in numbers": ("03/05/2567", "th", (2024, 5, 3)),
    "Tamil": ("3 மே 2024", "ta", (2024, 5, 3)),
    "Urdu": ("3 مئی 2024", "ur", (2024, 5, 3)),
    "Telugu": ("3 మే 2024", "te", (2024, 5, 3)),
    "Malayalam": ("3 മേയ് 2024", "ml", (2024, 5, 3)),
    "Kannada": ("3 ಮೇ 2024", "kn", (2024, 5, 3)),
    "Marathi": ("3 मे 2024", "mr", (2024, 5, 3)),
    "Gujarati": ("3 મે 2024", "gu", (2024, 5, 3)),
    "Georgian": ("3 მაისი 2024", "ka", (2024, 5, 3)),
    "Armenian": ("3 մայիսի 2024", "hy", (2024, 5, 3)),
    "Azerbaijani": ("3 may 2024", "az", (2024, 5, 3)),
}


@pytest.mark.parametrize(("text", "language", "day"), WRITTEN.values(), ids=WRITTEN.keys())
def test_a_day_is_the_same_in_every_calendar(text, language, day):
    written = parse_written_date(text, language)
    assert (written.day if written else None) == day


@pytest.mark.parametrize(
    ("iranian", "gregorian"),
    [((1357, 11, 22), "1979-02-11"), ((1399, 12, 30), "2021-03-20"), ((1403, 12, 30), "2025-03-20")],
)
def test_iranian_days_are_those_of_history_and_almanacs(iranian, gregorian):
    assert from_iranian(*iranian) == date.fromisoformat(gregorian)


@pytest.mark.parametrize("iranian", [(1404, 12, 30), (1404, 13, 1), (1404, 7, 31), (1404, 1, 0)])
def test_a_day_that_there_is_not_is_refused(iranian):
    with pytest.raises(ValueError, match="no such day"):
        from_iranian(*iranian)


def test_the_examples_of_the_module_hold():
    assert doctest.testmod(calendars).failed == 0


@given(st.text(alphabet="令和平成民國元年月日 0123456789/اسفند", max_size=30))
def test_any_text_is_survived(text):
    assert read_other_calendar(text, "fa") is None or read_other_calendar(text, "fa")[1] <= len(text)
