"""Dates are read as machines and people write them, in many languages and scripts."""

import doctest
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.metadata import written_dates
from pipeline.metadata.written_dates import WrittenDate, parse_written_date
from pipeline.metadata.zones import in_zone
from pipeline.text.months import load_months, read_month_names

FIRST, LAST = datetime.fromisoformat("1971-01-01"), datetime.fromisoformat("2099-12-31")


def test_the_examples_of_the_module_hold():
    assert doctest.testmod(written_dates).failed == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-05-03T15:47:42.389+0200", "2024-05-03T15:47:42+02:00"),
        ("2024-05-03T15:47:42 +02:00", "2024-05-03T15:47:42+02:00"),
        ("2024-05-03T15:47:42+02:00[Europe/Brussels]", "2024-05-03T15:47:42+02:00"),
        ("2024-05-03T15:47Z", "2024-05-03T15:47:00+00:00"),
        ("2024-05-03 15:47", "2024-05-03T15:47:00"),
        ("2024-05-03T20:07:46", "2024-05-03T20:07:46"),
        ("20240503T154742Z", "2024-05-03T15:47:42+00:00"),
        ("20240503", "2024-05-03"),
        ("Fri, 03 May 2024 15:47:00 GMT", "2024-05-03T15:47:00+00:00"),
        ("Fri May 03 2024 15:47:42 GMT+0200 (CEST)", "2024-05-03T15:47:42+02:00"),
        ("May 03 15:47:42 CEST 2024", "2024-05-03T15:47:42"),
        ("1714751262", "2024-05-03T15:47:42+00:00"),
        ("1714751262000", "2024-05-03T15:47:42+00:00"),
        ("May 3, 2024 3:47 pm EST", "2024-05-03T15:47:00-05:00"),
        ("Thursday 3rd of May 2024", "2024-05-03"),
        ("12:00 AM on May 3, 2024", "2024-05-03"),
        ("May 3, 2024 at 12:05 a.m.", "2024-05-03T00:05:00"),
        ("13/05/2024", "2024-05-13"),
        ("03.05.24", "2024-05-03"),
        ("Freitag, 3. Mai 2024, 15.47 Uhr", "2024-05-03T15:47:00"),
        ("3. Jänner 2024", "2024-01-03"),
        ("3 mai 2024 à 15h47", "2024-05-03T15:47:00"),
        ("1er août 2024", "2024-08-01"),
        ("3 de mayo de 2024 a las 15:47", "2024-05-03T15:47:00"),
        ("3 maggio 2024 alle 15:47", "2024-05-03T15:47:00"),
        ("3 mei 2024 om 15:47", "2024-05-03T15:47:00"),
        ("3. mai 2024 kl. 15.47", "2024-05-03T15:47:00"),
        ("3. května 2024", "2024-05-03"),
        ("3 maja 2024, 15:47", "2024-05-03T15:47:00"),
        ("2024. május 3. 15:47", "2024-05-03T15:47:00"),
        ("2024.05.03. 15:47", "2024-05-03T15:47:00"),
        ("2024 m. gegužės 3 d.", "2024-05-03"),
        ("3 Mayıs 2024", "2024-05-03"),
        ("3 мая 2024 г.", "2024-05-03"),
        ("3 Μαΐου 2024", "2024-05-03"),
        ("٣ مايو ٢٠٢٤", "2024-05-03"),
        ("3 במאי 2024", "2024-05-03"),
        ("3 मई 2024", "2024-05-03"),
        ("3 พ.ค. 2567", "2024-05-03"),
        ("2024年5月3日 15時47分", "2024-05-03T15:47:00"),
        ("２０２４年５月３日", "2024-05-03"),
        ("2024.05.03 (금) 오후 3:47", "2024-05-03T15:47:00"),
        ("3 tháng 5, 2024", "2024-05-03"),
        ("Published 3 May 2024 | Updated 9 June 2025", "2024-05-03"),
    ],
)
def test_the_first_date_is_read_with_all_that_it_says(text, expected):
    moment = parse_written_date(text)
    written = moment.at.isoformat() if moment.has_time else moment.at.date().isoformat()
    assert written == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "3 hours ago",
        "2024",
        "May 2024",
        "99/99/2024",
        "2024-02-31",
        "31. Juni",
        "1066-10-14",
        "10/10",
        "v1.2.3",
        "9999999999",
        "+49 30 1234567",
        "192.168.1.100",
        "3 minutes read, 2024 words",
    ],
)
def test_what_is_no_date_is_none(text):
    assert parse_written_date(text) is None


@pytest.mark.parametrize(("language", "month"), [("hr", 10), ("pl", 11), (None, None)], ids=["hr", "pl", "unknown"])
def test_a_month_with_two_meanings_is_read_by_the_language(language, month):
    moment = parse_written_date("3. listopada 2024", language)
    assert (moment and moment.at.month) == month


@pytest.mark.parametrize(
    ("month_first", "month", "ambiguous", "text"),
    [
        (True, 3, True, "03/04/2024"),
        (False, 4, True, "03/04/2024"),
        (True, 4, False, "03.04.2024"),
        (True, 4, False, "04/25/2024"),
    ],
)
def test_day_and_month_are_told_apart_as_far_as_can_be(month_first, month, ambiguous, text):
    moment = parse_written_date(text, month_first=month_first)
    assert (moment.at.month, moment.is_ambiguous) == (month, ambiguous)


def test_every_language_has_twelve_months():
    for language, line in read_month_names().items():
        assert len(line.split()) == 12, language
        assert set(load_months(language).values()) == set(range(1, 13)), language


@given(st.text() | st.from_regex(r"[0-9]{1,4}[-/. ][A-Za-z0-9]{1,9}[-/. ][0-9]{1,4}[T ][0-9:+-]{0,14}"))
@example("9" * 400)
@example("2024-05-03T99:99:99+99:99")
@example("1 \u0130 2024")
@example("٣" * 10)
def test_any_text_is_survived_and_a_date_lies_in_reason(text):
    moment = parse_written_date(text)
    assert moment is None or 1970 <= moment.at.year <= 2100


@given(st.datetimes(FIRST, LAST, timezones=st.none() | st.just(UTC)))
def test_iso_8601_is_read_to_the_second(at):
    assert parse_written_date(at.isoformat()).at == at.replace(microsecond=0)


CEST = timezone(timedelta(hours=2))
NOON = datetime.fromisoformat("2024-05-03T12:00")


@pytest.mark.parametrize(
    ("moment", "others", "host", "tag", "expected"),
    [
        pytest.param(
            WrittenDate(NOON, True), [], "news.example", None, "2024-05-03T12:00:00+00:00", id="nothing known: UTC"
        ),
        pytest.param(
            WrittenDate(NOON, True), [], "zeitung.de", None, "2024-05-03T12:00:00+02:00", id="country of the domain"
        ),
        pytest.param(WrittenDate(NOON, True), [], "news.example", "de-AT", "2024-05-03T12:00:00+02:00", id="region"),
        pytest.param(
            WrittenDate(NOON, True), [], "news.example", "ja", "2024-05-03T12:00:00+09:00", id="language of one zone"
        ),
        pytest.param(
            WrittenDate(NOON, True), [], "news.example", "en", "2024-05-03T12:00:00+00:00", id="language of many"
        ),
        pytest.param(
            WrittenDate(NOON, True),
            [WrittenDate(datetime(2024, 5, 3, 10, 0, tzinfo=UTC), True)],
            "news.example",
            None,
            "2024-05-03T12:00:00+02:00",
            id="the same moment in UTC",
        ),
        pytest.param(
            WrittenDate(NOON, True),
            [WrittenDate(datetime(2024, 5, 9, 8, 13, 1, tzinfo=CEST), True)],
            "news.example",
            None,
            "2024-05-03T12:00:00+02:00",
            id="offset of another time",
        ),
        pytest.param(
            WrittenDate(datetime.fromisoformat("2024-05-03")),
            [],
            "zeitung.de",
            None,
            "2024-05-03T00:00:00+00:00",
            id="day: UTC",
        ),
        pytest.param(
            WrittenDate(NOON.replace(tzinfo=CEST), True), [], "a.jp", None, "2024-05-03T12:00:00+02:00", id="declared"
        ),
    ],
)
def test_a_time_without_a_zone_gets_the_likeliest_and_keeps_its_date(moment, others, host, tag, expected):
    if host == "zeitung.de" or tag in {"de-AT", "ja"}:
        pytest.importorskip("zoneinfo").ZoneInfo("Europe/Berlin")
    assert in_zone(moment, others, host, tag).isoformat() == expected
