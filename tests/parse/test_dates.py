"""Dates as feeds write them."""

import doctest
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.parse import dates
from pipeline.parse.dates import MAX_AHEAD, MAX_YEAR, MIN_YEAR, parse_date

NINE = "2024-03-12 09:00:00"
TEN = "2024-03-12 10:00:00"
MIDNIGHT = "2024-03-12 00:00:00"
DATES = {
    # RFC 822 and what became of it
    "Tue, 12 Mar 2024 10:00:00 GMT": TEN,
    "Tue, 12 Mar 2024 10:00:00 +0000": TEN,
    "Tue, 12 Mar 2024 10:00:00 -0000": TEN,
    "Tue, 12 Mar 2024 10:00:00 Z": TEN,
    "Tue, 12 Mar 2024 10:00:00 UTC": TEN,
    "Tue, 12 Mar 2024 10:00:00 +0100": NINE,
    "Tue, 12 Mar 2024 10:00:00 +01:00": NINE,
    "Tue, 12 Mar 2024 10:00:00 GMT+1": NINE,
    "Tue, 12 Mar 2024 10:00:00 GMT+01:00": NINE,
    "Tue, 12 Mar 2024 10:00:00 -0530": "2024-03-12 15:30:00",
    "Tue, 12 Mar 2024 10:00:00 EST": "2024-03-12 15:00:00",
    "Tue, 12 Mar 2024 10:00:00 PDT": "2024-03-12 17:00:00",
    "Tue, 12 Mar 2024 10:00:00 CET": NINE,
    "Tue, 12 Mar 2024 10:00:00 CEST": "2024-03-12 08:00:00",
    "Tue, 12 Mar 2024 10:00:00 MESZ": "2024-03-12 08:00:00",
    "Tue, 12 Mar 2024 10:00:00 BST": NINE,
    "Tue, 12 Mar 2024 10:00:00 MSK": "2024-03-12 07:00:00",
    "Tue, 12 Mar 2024 10:00:00 IST": "2024-03-12 04:30:00",
    "Tue, 12 Mar 2024 10:00:00 JST": "2024-03-12 01:00:00",
    "Tue, 12 Mar 2024 10:00:00 AEDT": "2024-03-11 23:00:00",
    "Tue, 12 Mar 2024 10:00:00 XYZ": TEN,
    "Tue, 12 Mar 2024 10:00:00": TEN,
    "Tue, 12 Mar 2024 10:00 GMT": TEN,
    "Tue, 12 Mar 2024": MIDNIGHT,
    "12 Mar 2024 10:00:00 GMT": TEN,
    "Tue,12 Mar 2024 10:00:00GMT": TEN,
    "Tue,  12  Mar  2024\t10:00:00  GMT": TEN,
    "TUE, 12 MAR 2024 10:00:00 GMT": TEN,
    "Tuesday, 12 March 2024 10:00:00 GMT": TEN,
    "Tuesday, 12-Mar-24 10:00:00 GMT": TEN,
    "Tue, 12-Mar-2024 10:00:00 GMT": TEN,
    "Tue, 12 Mar 24 10:00:00 GMT": TEN,
    "Tue, 12 Mar 99 10:00:00 GMT": "1999-03-12 10:00:00",
    "Tue, 2 Mar 2024 1:02:03 GMT": "2024-03-02 01:02:03",
    "Wed, 31 Feb 2024 10:00:00 GMT": None,
    "Tue, 12 Mar 2024 24:00:00 GMT": "2024-03-13 00:00:00",
    "Sat, 31 Dec 2016 23:59:60 GMT": "2016-12-31 23:59:59",
    "Tue, 12 Mar 2024 25:00:00 GMT": None,
    "Tue, 12 Mar 2024 10:61:00 GMT": None,
    "Tue, 12 Mar 2024 10:00:00 +9900": None,
    "Tue, 12 Mar 2024 10:00:00 PM GMT": "2024-03-12 22:00:00",
    "Tue, 12 Mar 2024 12:00 AM": MIDNIGHT,
    "Tue, 12 Mar 2024 15:00 PM": "2024-03-12 15:00:00",
    # ISO 8601 and what became of it
    "2024-03-12T10:00:00Z": TEN,
    "2024-03-12t10:00:00z": TEN,
    "2024-03-12T10:00Z": TEN,
    "2024-03-12T10:00:00.123Z": TEN,
    "2024-03-12T10:00:00,5Z": TEN,
    "2024-03-12T10:00:00+01:00": NINE,
    "2024-03-12T10:00:00+0100": NINE,
    "2024-03-12T10:00:00+01": NINE,
    "2024-03-12T10:00:00 +01:00": NINE,
    "2024-03-12T10:00:00.000-0500": "2024-03-12 15:00:00",
    "2024-03-12T10:00:00\u221205:00": "2024-03-12 15:00:00",
    "2024-03-12T10:00:00+01:00[Europe/Paris]": NINE,
    "2024-03-12 10:00:00": TEN,
    "2024-03-12 10:00:00 +0000 UTC": TEN,
    "2024-03-12, 10:00": TEN,
    "2024-03-12": MIDNIGHT,
    "2024-03-12Z": MIDNIGHT,
    "2024/03/12 10:00:00": TEN,
    "2024.03.12": MIDNIGHT,
    "2024-3-2": "2024-03-02 00:00:00",
    "20240312": MIDNIGHT,
    "20240312T100000Z": TEN,
    "20240312100000": TEN,
    "20240312T100000+0100": NINE,
    # Programs
    "1710237600": TEN,
    "1710237600000": TEN,
    "Tue Mar 12 10:00:00 2024": TEN,
    "Tue Mar 12 10:00:00 CET 2024": NINE,
    "Tue Mar 12 10:00:00 +0100 2024": NINE,
    "Tue Mar 12 2024 10:00:00 GMT+0100 (Central European Standard Time)": NINE,
    # People, in their languages
    "March 12, 2024": MIDNIGHT,
    "March 12th, 2024 at 10:00 am": TEN,
    "Mar. 12, 2024 10:00 a.m.": TEN,
    "12 March 2024, 10:00": TEN,
    "12th March 2024": MIDNIGHT,
    "12. März 2024, 10:00 Uhr": TEN,
    "12. März 2024 um 10:00": TEN,
    "Di, 12 Mär 2024 10:00:00 +0100": NINE,
    "Mi, 6 Dez 2023 07:08:09 MEZ": "2023-12-06 06:08:09",
    "mar., 12 mars 2024 10:00:00 +0100": NINE,
    "mar 12 mars 2024": MIDNIGHT,
    "12 août 2024": "2024-08-12 00:00:00",
    "12 juin 2024": "2024-06-12 00:00:00",
    "12 juil. 2024": "2024-07-12 00:00:00",
    "12 jui 2024": None,
    "12 de marzo de 2024": MIDNIGHT,
    "12 mrt 2024": MIDNIGHT,
    "вт, 12 мар 2024 10:00:00 +0300": "2024-03-12 07:00:00",
    "12 мая 2024": "2024-05-12 00:00:00",
    "Τρι, 12 Μαρ 2024 10:00:00 EET": "2024-03-12 08:00:00",
    "12 Ağustos 2024": "2024-08-12 00:00:00",
    "12 Kasım 2024": "2024-11-12 00:00:00",
    "12 września 2024": "2024-09-12 00:00:00",
    "2024年3月12日 10:00": TEN,
    "2024년 3월 12일 10:00": TEN,
    "12.03.2024 10:00": TEN,
    "12.3.2024": MIDNIGHT,
    "28/3/2024": "2024-03-28 00:00:00",
    "3/28/2024 10:00 AM": "2024-03-28 10:00:00",
    "3/3/2024": "2024-03-03 00:00:00",
    # None rather than wrong
    "03/04/2024": None,
    "2024": None,
    "2024-03": None,
    "March 2024": None,
    "10:00": None,
    "2024-13-01": None,
    "0000-00-00T00:00:00Z": None,
    "yesterday": None,
    "": None,
    "Thu, 01 Jan 1970 00:00:00 GMT": None,
    "0": None,
    "0001-01-01T00:00:00Z": None,
    "9999-12-31T23:59:59+14:00": None,
    "0001-01-01T00:00:00+14:00": None,
    "9999999999999": None,
}


@pytest.mark.parametrize(("text", "expected"), DATES.items(), ids=DATES.keys())
def test_a_date_is_read_or_left(text, expected):
    moment = parse_date(text)
    assert moment == (datetime.fromisoformat(f"{expected}+00:00") if expected else None)
    assert moment is None or moment.tzinfo is UTC


def test_nothing_is_no_date():
    assert parse_date(None) is None


def test_the_future_begins_at_the_poll():
    now = datetime(2024, 3, 12, tzinfo=UTC)
    assert parse_date("2024-12-31", now) is not None
    assert parse_date("2026-12-31", now) is None
    assert parse_date("2026-12-31") is not None
    assert parse_date((now + MAX_AHEAD).isoformat(), now) == now + MAX_AHEAD


MOMENTS = st.integers(0, (MAX_YEAR - MIN_YEAR) * 31_500_000).map(
    lambda seconds: datetime(MIN_YEAR, 1, 2, tzinfo=UTC) + timedelta(seconds=seconds)
)


@given(MOMENTS, st.integers(-14 * 4, 14 * 4))
def test_what_programs_write_is_read(moment, quarters):
    local = moment.astimezone(timezone(timedelta(minutes=15 * quarters)))
    assert parse_date(local.isoformat()) == moment
    assert parse_date(format_datetime(local)) == moment


@given(st.text(st.characters(), max_size=150))
@example("12 " * 30)
@example("1" * 14)
@example("Tue, 12 Mar 2024 10:00:00 (" + "(" * 80)
@example("²⁰²⁴-03-12")
@example("٢٠٢٤-03-12")
def test_any_text_is_a_plausible_date_or_none(text):
    moment = parse_date(text)
    assert moment is None or MIN_YEAR <= moment.year < MAX_YEAR


def test_the_examples_in_the_documentation_hold():
    failed, tried = doctest.testmod(dates)
    assert (failed, tried > 0) == (0, True)
