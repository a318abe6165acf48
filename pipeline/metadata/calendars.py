"""Dates of other calendars than the Gregorian one: 令和8年3月5日, 民國115年3月5日, 14 اسفند 1404."""

import re
from datetime import date, timedelta

_ERAS = {"令和": 2018, "平成": 1988, "民國": 1911, "民国": 1911}
_EAST_ASIAN = re.compile(
    rf"(?P<era>{'|'.join(_ERAS)})\s?(?P<year>\d{{1,3}}|元)\s?年\s?(?P<month>\d{{1,2}})\s?月\s?(?P<day>\d{{1,2}})\s?日"
)
_IRANIAN_MONTHS = (
    *("فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور"),
    *("مهر", "آبان", "آذر", "دی", "بهمن", "اسفند"),
)
_IRANIAN = re.compile(
    rf"(?P<day>\d{{1,2}})\s?(?P<month>{'|'.join(_IRANIAN_MONTHS)})\s?(?:ماه\s)?(?P<year>1[34]\d\d)(?!\d)"
)
_IRANIAN_NUMERIC = re.compile(
    r"(?<!\d)(?P<year>1[34]\d\d)/(?P<month>0?[1-9]|1[0-2])/(?P<day>0?[1-9]|[12]\d|3[01])(?!\d)"
)


def read_other_calendar(text: str, language: str | None = None) -> tuple[date, int] | None:
    """The Gregorian date of the first date of another calendar, and where it ends in the text; None without one.

    >>> read_other_calendar("令和8年3月5日 8時")
    (datetime.date(2026, 3, 5), 8)
    >>> read_other_calendar("14 اسفند 1404")[0].isoformat()
    '2026-03-05'

    Args:
        text: with digits in ASCII.
        language: ISO 639-1 code; years such as 1404 between strokes are read in Persian alone.
    """
    try:
        if match := _EAST_ASIAN.search(text):
            year = 1 if match["year"] == "元" else int(match["year"])
            return date(_ERAS[match["era"]] + year, int(match["month"]), int(match["day"])), match.end()
        if match := _IRANIAN.search(text):
            month = _IRANIAN_MONTHS.index(match["month"]) + 1
            return from_iranian(int(match["year"]), month, int(match["day"])), match.end()
        if language == "fa" and (match := _IRANIAN_NUMERIC.search(text)):
            return from_iranian(int(match["year"]), int(match["month"]), int(match["day"])), match.end()
    except ValueError:
        return None
    return None


def from_iranian(year: int, month: int, day: int) -> date:
    """The Gregorian date of one of the solar Hijri calendar, right from 1343 to 1472 (1965 to 2094).

    In these years the calendar leaps in the years that leave one of eight remainders by 33, as its makers reckoned.

    Raises ValueError: there is no such day.
    """
    length = 31 if month <= 6 else 30 if month <= 11 or _is_leap(year) else 29
    if not 1 <= month <= 12 or not 1 <= day <= length:
        raise ValueError(f"no such day: {year}-{month}-{day}")
    days = sum(366 if _is_leap(past) else 365 for past in range(1343, year)) if year >= 1343 else 0
    before = 31 * (month - 1) if month <= 7 else 186 + 30 * (month - 7)
    return date(1964, 3, 21) + timedelta(days=days + before + day - 1)


def _is_leap(year: int) -> bool:
    return year % 33 in {1, 5, 9, 13, 17, 22, 26, 30}
