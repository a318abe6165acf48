"""Ranges of time: half-open, in UTC, right at every end of a month."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.periods import (
    Period,
    count_months,
    months_between,
    period_in_url,
    period_of,
    read_bound,
    read_period,
    select_relevant,
)


def at(*parts):
    return datetime(*parts, tzinfo=UTC)


MARCH = Period(at(2026, 3, 1), at(2026, 4, 1))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026", at(2026, 1, 1)),
        ("2026-3", at(2026, 3, 1)),
        ("2028-02-29", at(2028, 2, 29)),
        ("2026-03-01T12:30", at(2026, 3, 1, 12, 30)),
        ("2026-03-01T00:30+02:00", at(2026, 2, 28, 22, 30)),
        ("2026-03-01T23:30:00-05:00", at(2026, 3, 2, 4, 30)),
        ("2026-03-01T00:00Z", at(2026, 3, 1)),
    ],
    ids=["year", "month", "leap day", "time", "zone ahead", "zone behind", "Z"],
)
def test_a_bound_is_the_begin_of_what_is_named(text, moment):
    assert read_bound(text) == moment


@pytest.mark.parametrize("text", ["", "March", "2026-13", "2026-02-29", "2026-04-31", "0000", "26-03"])
def test_what_names_no_moment_is_an_error(text):
    with pytest.raises(ValueError):
        read_bound(text)


def test_a_period_is_half_open():
    period = read_period("2026-03", "2026-04")
    assert period == MARCH
    assert period.since in period
    assert period.until not in period
    assert period.until - timedelta(microseconds=1) in period
    assert at(1990, 1, 1) in Period()
    assert not Period().is_bounded


def test_a_period_that_ends_before_it_begins_is_an_error():
    with pytest.raises(ValueError, match="does not lie behind"):
        read_period("2026-03", "2026-03")


@given(st.integers(1, 9999), st.integers(1, 12))
def test_every_month_has_as_many_days_as_the_calendar_says(year, month):
    period = period_of(year, month)
    if period.until is None:
        assert (year, month) == (9999, 12)
    else:
        assert (period.until - period.since).days == monthrange(year, month)[1]


@given(st.dates(min_value=at(1, 1, 1).date(), max_value=at(9999, 12, 30).date()))
def test_the_days_of_a_month_follow_each_other_without_a_gap(day):
    period = period_of(day.year, day.month, day.day)
    assert period.until == period_of(*(day + timedelta(days=1)).timetuple()[:3]).since


@given(st.integers(1, 9998), st.integers(1, 12), st.integers(0, 40))
def test_months_between_counts_every_month_once(year, month, more):
    last = year * 12 + month - 1 + more
    found = months_between(f"{year:04}-{month:02}..{last // 12:04}-{last % 12 + 1:02}") if last < 120000 else None
    if found is not None:
        assert len(found) == len(set(found)) == more + 1
        assert found == sorted(found)


@pytest.mark.parametrize("text", ["2026", "2026-00", "2026-13", "2026-05..2026-03", "..", "2026-03.."])
def test_what_are_no_months_is_an_error(text):
    with pytest.raises(ValueError):
        months_between(text)


@pytest.mark.parametrize(
    ("path", "period"),
    [
        ("2026/03/05/storm.html", period_of(2026, 3, 5)),
        ("sitemap-2026-03.xml", period_of(2026, 3)),
        ("sitemap_2026_3.xml.gz", period_of(2026, 3)),
        ("sitemap.xml?yyyy=2026&mm=03&dd=07", period_of(2026, 3, 7)),
        ("sitemap.xml?year=2026&month=3", period_of(2026, 3)),
        ("world/2026/mar/05/storm", period_of(2026, 3, 5)),
        ("archive/2026/march", period_of(2026, 3)),
        ("news/20260305-storm", period_of(2026, 3, 5)),
        ("sitemaps/202603.xml", period_of(2026, 3)),
        ("sitemap-2025.xml", period_of(2025)),
        ("2026/02/30/impossible", period_of(2026, 2)),
        ("2028/02/29/leap", period_of(2028, 2, 29)),
        ("2027/02/29/no-leap", period_of(2027, 2)),
        ("article-1234567.html", None),
        ("id/20261399", None),
        ("post-sitemap2001.xml", None),
        ("", None),
    ],
)
def test_the_day_month_or_year_in_an_address(path, period):
    assert period_in_url(f"https://a.example/{path}") == period


@given(st.text(max_size=80))
def test_any_address_will_do(text):
    period = period_in_url(text)
    assert period is None or period.since.year in range(1900, 2100)


def test_the_year_in_a_host_is_no_date():
    assert period_in_url("https://news2026.example/2019-story") == period_of(2019)


def test_a_month_is_looked_for_where_a_site_of_another_zone_has_it():
    found = list(select_relevant(["/2026-02-28.xml", "/2026-02-27.xml", "/2026-04-01.xml", "/2026-04-02.xml"], MARCH))
    assert found == ["/2026-02-28.xml", "/2026-04-01.xml"]


def test_sitemaps_that_are_counted_are_not_taken_for_years():
    numbered = [f"https://a.example/sitemap-{number}.xml" for number in range(1985, 2030)]
    assert list(select_relevant(numbered, MARCH)) == numbered
    years = [f"https://a.example/sitemap-{number}.xml" for number in range(2000, 2030)]
    assert list(select_relevant(years, MARCH)) == ["https://a.example/sitemap-2026.xml"]


def test_moments_are_counted_by_their_month_in_utc():
    assert count_months([at(2026, 3, 1), datetime.fromisoformat("2026-03-01T00:30+02:00"), at(2026, 3, 31, 23)]) == {
        "2026-02": 1,
        "2026-03": 2,
    }
