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
    "12. července 2023": "2023-07-12 00:00:00",
    "12 marts 2024": MIDNIGHT,
    "12 मार्च 2024": MIDNIGHT,
    "12 martie 2024": MIDNIGHT,
    "12 березня 2024 10:00": TEN,
    "12 tháng 3 2024": MIDNIGHT,
    "12 tháng 3, năm 2024 10:00": TEN,
    "ngày 12 tháng 3 năm 2024 10:00": TEN,
    "2024. március 12. 10:00": TEN,
    "2024 m. kovo 12 d.": MIDNIGHT,
    "12 maaliskuuta 2024 klo 10.00": TEN,
    "12 mars 2024 à 10h00": TEN,
    "12 de março de 2024 às 10:00": TEN,
    "الثلاثاء, 12 مارس 2024 10:00:00 +0300": "2024-03-12 07:00:00",
    "2024-03-12 下午 10:00": "2024-03-12 22:00:00",
    "2024-03-12 오후 3:00:00": "2024-03-12 15:00:00",
    "2024年3月12日10時05分": "2024-03-12 10:05:00",
    "2024. 3. 12. 오전 10:00": TEN,
    "12. 3. 2024 10:00": TEN,
    "26/03/24 10:00": "2024-03-26 10:00:00",
    "12.03.24": MIDNIGHT,
    "March 12, 2024 10am": TEN,
    "March 12, 2024, 10 PM": "2024-03-12 22:00:00",
    "12 March 2024 - 10:00": TEN,
    "Tuesday, March 12, 2024 - 10:00": TEN,
    "Dienstag, 12. März 2024 - 10:00": TEN,
    "Tue, 12 Mar 2024 9:5:7 GMT": "2024-03-12 09:05:07",
    "Tue , 12 Mar 2024 10:00:00 +0000": TEN,
    "Tue, 2024-03-12 10:00:00": TEN,
    "12/Mar/2024:10:00:00 +0100": NINE,
    "20240312 10:00:00": TEN,
    # Zones by other names
    "Tue, 12 Mar 2024 10:00:00 CLT": "2024-03-12 14:00:00",
    "Tue, 12 Mar 2024 10:00:00 WITA": "2024-03-12 02:00:00",
    "Fri, 12 Jul 2024 10:00:00 America/New_York": "2024-07-12 14:00:00",
    "Fri, 12 Jan 2024 10:00:00 america/new_york": "2024-01-12 15:00:00",
    "2024-03-12 10:00:00 Asia/Tehran": "2024-03-12 06:30:00",
    "Fri, 12 Jul 2024 10:00:00 ET": "2024-07-12 14:00:00",
    "Fri, 12 Jan 2024 10:00:00 ET": "2024-01-12 15:00:00",
    "Fri, 12 Jul 2024 10:00 am PT": "2024-07-12 17:00:00",
    "Fri, 12 Jul 2024 10:00:00 MT": "2024-07-12 16:00:00",
    "Fri, 12 Jul 2024 10:00:00 EST/EDT": "2024-07-12 14:00:00",
    "Tue, 12 Mar 2024 10:00:00 Eastern Daylight Time": "2024-03-12 14:00:00",
    "Tue, 12 Mar 2024 10:00:00 Eastern Standard Time": "2024-03-12 15:00:00",
    "Tue, 12 Mar 2024 10:00:00 Eastern Time": "2024-03-12 14:00:00",
    "Tue, 12 Mar 2024 10:00:00 Central European Summer Time": "2024-03-12 08:00:00",
    "Fri, 12 Jul 2024 10:00:00 Mitteleuropäische Sommerzeit": "2024-07-12 08:00:00",
    "Tue, 12 Mar 2024 10:00:00 India Standard Time": "2024-03-12 04:30:00",
    "Tue, 12 Mar 2024 10:00:00 (CET)": NINE,
    "Tue, 12 Mar 2024 10:00:00 (updated)": TEN,
    "12. März 2024, 10:00 Uhr MEZ": NINE,
    "Tue, 12 Mar 2024 10:00:00 --0700": "2024-03-12 17:00:00",
    "Tue, 12 Mar 2024 10:00:00 –0700": "2024-03-12 17:00:00",
    "Tue, 12 Mar 2024 10:00:00 +530": "2024-03-12 04:30:00",
    # None rather than wrong
    "Tue, 12 Mar 2024 10:00:00 XYZ": None,
    "Tue, 12 Mar 2024 10:00:00 Q": None,
    "Tue, 12 Mar 2024 10:00:00 Middle Earth Time": None,
    "Tue, 12 Mar 2024 10:00:00 Europe/Atlantis": None,
    "12. listopada 2024": None,
    "12 lip 2024": None,
    "24-03-12 10:00": None,
    "12/03/24": None,
    "Tue, 12 Mar 2567 10:00:00 +0700": None,
    "1402/12/22 10:00": None,
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


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("10 июля 2026 г. в 10:00", "ru", "2026-07-10T10:00"),
        ("10 июля 2026, 10:00 МСК", "ru", "2026-07-10T07:00"),
        ("10 липня 2026 року, 10:00", "uk", "2026-07-10T10:00"),
        ("10 lipca 2026 r., godz. 10:00", "pl", "2026-07-10T10:00"),
        ("10. srpnja 2026. u 10:00", "hr", "2026-07-10T10:00"),
        ("10 Temmuz 2026, Cuma, saat 10:00", "tr", "2026-07-10T10:00"),
        ("2026. gada 10. jūlijs", "lv", "2026-07-10T00:00"),
        ("10 luglio 2026 ore 10:00", "it", "2026-07-10T10:00"),
        ("Jumat, 10 Juli 2026 pukul 10:00 WIB", "id", "2026-07-10T03:00"),
        ("10 กรกฎาคม 2026 เวลา 10:00 น.", "th", "2026-07-10T10:00"),
        ("10 Jul 2026 10:00:00 GMT + 2", "", "2026-07-10T08:00"),
        ("10 Jul 2026 10:00:00 +05.30", "", "2026-07-10T04:30"),
        ("Fri, 10 Jul 2026 10:00 - 12:00", "", None),  # until noon, or a zone
        ("10 Jul 2026 10:00:00 GMT + 2 hours or so", "", "2026-07-10T08:00"),
    ],
)
def test_words_around_years_and_times_are_understood(text, language, expected):
    moment = parse_date(text, language=language)
    assert (moment and moment.isoformat()[:16]) == expected


@pytest.mark.parametrize(
    ("text", "language", "month"),
    [
        ("12. listopada 2024", "hr", 10),
        ("12 listopada 2024", "pl", 11),
        ("12. lip 2024", "hr-HR", 6),
        ("12 lip 2024", "pl", 7),
        ("12. srpnja 2024", "hr", 7),
        ("12. srpna 2024", "cs", 8),
        ("Fri, 12 Jul 2024", "hr", 7),
    ],
)
def test_the_language_of_the_feed_decides_what_a_month_is_called(text, language, month):
    assert parse_date(text, language=language) == datetime(2024, month, 12, tzinfo=UTC)


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
