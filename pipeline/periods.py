"""Ranges of time, half-open and in UTC, and the days, months and years that addresses and command lines name."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

ZONES = timedelta(hours=14)
"""How far a site's own calendar may be from UTC: its first of March begins 14 hours before ours, or 12 after."""

YEARS = range(1990, 2100)
"""Years that a number in an address can be: newspapers are on the web since 1993."""

_NAMES = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_MONTHS = {form: number for number, name in enumerate(_NAMES, start=1) for form in (name, name[:3])} | {"sept": 9}
_YEAR, _MONTH, _DAY = r"(?P<y>(?:19|20)\d\d)", r"(?P<m>0?[1-9]|1[0-2])", r"(?P<d>0?[1-9]|[12]\d|3[01])"
_TWO_MONTH, _TWO_DAY = r"(?P<m>0[1-9]|1[0-2])", r"(?P<d>0[1-9]|[12]\d|3[01])"
_IN_URL = (
    re.compile(rf"(?<!\d){_YEAR}(?P<s>[-/_.]){_MONTH}(?P=s){_DAY}(?!\d)"),
    re.compile(rf"(?<!\d){_YEAR}(?P<s>[-/_.])(?P<w>{'|'.join(_MONTHS)})(?P=s){_DAY}(?!\d)", re.IGNORECASE),
    re.compile(rf"(?<!\d){_YEAR}{_TWO_MONTH}{_TWO_DAY}(?!\d)"),
    re.compile(
        r"[?&]y{1,4}(?:ear)?=(?P<y>(?:19|20)\d\d)&m{1,2}(?:onth)?=(?P<m>0?[1-9]|1[0-2])"
        r"(?:&d{1,2}(?:ay)?=(?P<d>0?[1-9]|[12]\d|3[01]))?(?!\d)",
        re.IGNORECASE,
    ),
    re.compile(rf"(?<!\d){_YEAR}(?P<s>[-/_.]){_MONTH}(?!\d)"),
    re.compile(rf"(?<!\d){_YEAR}(?P<s>[-/_.])(?P<w>{'|'.join(_MONTHS)})(?![a-z])", re.IGNORECASE),
    re.compile(rf"(?<!\d){_YEAR}{_TWO_MONTH}(?!\d)"),
    re.compile(r"(?<![\da-z])(?P<y>(?:19|20)\d\d)(?![\da-z])", re.IGNORECASE),
)
"""The finest first; those of one fineness in the order of how sure they are."""

_YEAR_ALONE = _IN_URL[-1]
_WRITTEN = re.compile(r"(\d{4})(?:-(\d\d?)(?:-(\d\d?))?)?\Z")


@dataclass(frozen=True, slots=True)
class Period:
    """From ``since`` on, up to ``until``, which is itself outside; None for no bound."""

    since: datetime | None = None
    until: datetime | None = None

    def __contains__(self, at: datetime) -> bool:
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)

    @property
    def is_bounded(self) -> bool:
        """Whether anything lies outside."""
        return self.since is not None or self.until is not None

    def overlaps(self, other: "Period") -> bool:
        """Whether a moment can lie in both."""
        return _before(self.since, other.until) and _before(other.since, self.until)

    def widened(self, by: timedelta) -> "Period":
        """The period with so much more at both of its ends."""
        return Period(_moved(self.since, -by), _moved(self.until, by))


def _before(begin: datetime | None, end: datetime | None) -> bool:
    return begin is None or end is None or begin < end


def _moved(at: datetime | None, by: timedelta) -> datetime | None:
    try:
        return None if at is None else at + by
    except OverflowError:
        return None


def period_of(year: int, month: int | None = None, day: int | None = None) -> Period:
    """The year, month or day, in UTC.

    >>> period_of(2028, 2).until
    datetime.datetime(2028, 3, 1, 0, 0, tzinfo=datetime.timezone.utc)

    Raises ValueError: there is no such day.
    """
    first = datetime(year, month or 1, day or 1, tzinfo=UTC)
    if day is not None:
        return Period(first, _moved(first, timedelta(days=1)))
    following = year + 1 if month in (None, 12) else year
    if following > date.max.year:
        return Period(first, None)
    return Period(first, first.replace(year=following, month=1 if month in (None, 12) else (month or 0) + 1))


def read_bound(text: str) -> datetime:
    """The moment that a command line names: the begin of a year, month or day, or a time; in UTC unless it has a zone.

    >>> read_bound("2026-03"), read_bound("2026-03-01T02:00+02:00")
    (datetime.datetime(2026, 3, 1, 0, 0, tzinfo=datetime.timezone.utc), datetime.datetime(2026, 3, 1, 0, 0, \
tzinfo=datetime.timezone.utc))

    Raises ValueError: it is none of these.
    """
    written = _WRITTEN.match(text.strip())
    if written:
        begin = period_of(*(int(part) for part in written.groups() if part is not None)).since
        if begin is not None:
            return begin
    at = datetime.fromisoformat(text.strip())
    try:
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(str(error)) from error


def read_period(since: str | None, until: str | None) -> Period:
    """The period between two bounds, as `read_bound` reads them.

    Raises ValueError: one cannot be read, or the end does not lie behind the begin.
    """
    period = Period(read_bound(since) if since else None, read_bound(until) if until else None)
    if period.since is not None and period.until is not None and period.since >= period.until:
        raise ValueError(f"the end ({until}) does not lie behind the begin ({since}); the end itself is outside")
    return period


def months_between(text: str) -> list[tuple[int, int]]:
    """The months (year, month) of ``2026-03..2026-05``, both named months inside, or of ``2026-03`` alone.

    >>> months_between("2025-12..2026-02")
    [(2025, 12), (2026, 1), (2026, 2)]

    Raises ValueError: these are no months, or in the wrong order.
    """
    first, dots, last = text.strip().partition("..")
    begin, end = (_month(part) for part in (first, last if dots else first))
    months = [(count // 12, count % 12 + 1) for count in range(begin, end + 1)]
    if not months:
        raise ValueError(f"{text}: the first month lies behind the last")
    return months


def _month(text: str) -> int:
    written = re.fullmatch(r"(\d{4})-(\d\d?)", text.strip())
    if not written or not 1 <= int(written[2]) <= 12:
        raise ValueError(f"{text!r} is no month, such as 2026-03")
    return int(written[1]) * 12 + int(written[2]) - 1


def count_months(moments: Iterable[datetime]) -> dict[str, int]:
    """How many of the moments lie in each month, such as ``2026-03``, in UTC, in order."""
    counts: dict[str, int] = {}
    for at in moments:
        name = at.astimezone(UTC).strftime("%Y-%m")
        counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items()))


def period_in_url(url: str) -> Period | None:
    """The day, month or year that an address names, by the site's own calendar, taken as UTC; the finest it names.

    >>> period_in_url("https://a.example/sitemap.xml?yyyy=2026&mm=03").until
    datetime.datetime(2026, 4, 1, 0, 0, tzinfo=datetime.timezone.utc)
    >>> period_in_url("https://a.example/2026/feb/30/storm") == period_of(2026, 2)
    True
    >>> period_in_url("https://a.example/article/1234567")
    """
    tail = url.partition("://")[2].partition("/")[2]
    for pattern in _IN_URL:
        for match in pattern.finditer(f"/{tail}"):
            period = _named(match)
            if period is not None:
                return period
    return None


def _named(match: re.Match[str]) -> Period | None:
    parts = match.groupdict()
    month = _MONTHS[parts["w"].lower()] if parts.get("w") else parts.get("m") and int(parts["m"])
    try:
        return period_of(int(parts["y"]), month or None, int(parts["d"]) if parts.get("d") else None)
    except ValueError:
        return None


def select_relevant(urls: Iterable[str], period: Period) -> Iterator[str]:
    """The addresses that may hold what is of the period, as far as they say what they hold.

    A number that might be a year is none where its neighbours count on: ``sitemap-1999.xml``, ``sitemap-2000.xml``.

    >>> march = Period(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
    >>> list(select_relevant(["/s-2026-01.xml", "/s-2026-03.xml", "/s-2024.xml", "/s.xml"], march))
    ['/s-2026-03.xml', '/s.xml']
    >>> list(select_relevant(["/s-1989.xml", "/s-1990.xml"], march))
    ['/s-1989.xml', '/s-1990.xml']
    """
    kept = list(urls)
    counted = {shape for url in kept for shape, number in _numbers(url) if number not in YEARS}
    for url in kept:
        named = period_in_url(url if "://" in url else f"http://x{url}")
        is_counted = any(shape in counted for shape, number in _numbers(url) if 1900 <= number < 2100)
        if named is None or (is_counted and _is_year(named)) or named.widened(ZONES).overlaps(period):
            yield url


def _is_year(named: Period) -> bool:
    return named.since is not None and period_of(named.since.year) == named


def _numbers(url: str) -> Iterator[tuple[tuple[str, str], int]]:
    """Each number of up to six digits with what stands around it."""
    for match in re.finditer(r"\d+", url):
        if len(match.group()) <= 6:
            yield (url[: match.start()], url[match.end() :]), int(match.group())
