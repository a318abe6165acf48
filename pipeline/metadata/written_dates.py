"""Dates as pages write them, for machines and for people, in many languages and scripts.

A `WrittenDate` is what was written, no more: whether a time of day stood there, whether a zone did, and whether day and
month could be told apart. What a missing zone means is decided by `pipeline.metadata.zones`.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from pipeline.metadata.calendars import read_other_calendar
from pipeline.metadata.data_files import load_table
from pipeline.text.months import load_months

MIN_YEAR = 1970  # what is older is the date of what the article tells
MAX_YEAR = 2100

_TIME = re.compile(
    r"[\s,.T|·•–—-]{0,4}(?:\([^()]{1,12}\)\s?)?"  # 2024.05.03. (Fri)
    r"(?:(?:at|um|à|a las|alle|klokken|kl|om|o|ob|в|the|às|saat|ora|στις|pada|u|jam)\b[\s.:]{0,2})?"
    r"(?P<early>오전|오후|午前|午後|上午|下午)?\s?"
    r"(?P<hour>2[0-4]|[01]?\d)(?:[:.h時시点]\s?(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d)(?:[.,]\d{1,9})?)?)?"
    r"\s?(?:Uhr|h\b|分|분)?\s?(?P<half>[ap]\.?m\b\.?)?"
    r"\s?(?P<zone>(?:GMT|UTC)?\s?[+-]\d{2}:?\d{2}|[+-]\d{2}\b|[A-Z][A-Za-z]{0,4}\b)?",
    re.IGNORECASE,
)
_AFTERNOON = frozenset({"오후", "午後", "下午"})
_ISO = re.compile(
    r"(?<![\d.])(?P<year>(?:19|20)\d\d)(?P<mark>[-/.])(?P<month>0?[1-9]|1[0-2])(?P=mark)(?P<day>0?[1-9]|[12]\d|3[01])(?!\d)"
)
_COMPACT = re.compile(
    r"^(?P<year>20\d\d)(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01])(?:T?(?P<clock>\d{4,6}))?(?!\d)"
)
_ASIAN = re.compile(r"(?P<year>(?:19|20)\d\d)\s?[年년]\s?(?P<month>\d{1,2})\s?[月월]\s?(?P<day>\d{1,2})\s?[日일]?")
_VIETNAMESE = re.compile(r"(?P<day>\d{1,2})\s?tháng\s(?P<month>\d{1,2}),?\s(?:năm\s)?(?P<year>(?:19|20)\d\d)")
_NUMERIC = re.compile(
    r"(?<![\d./-])(?P<first>\d{1,2})(?P<mark>[./-])\s?(?P<second>\d{1,2})(?P=mark)\s?(?P<year>(?:19|20|25)\d\d|\d\d)(?![\d./-]*\d)"
)
_WORD = r"""(?P<word>[^\s\d,;:|/()\[\]"'’–—-]{2,20})"""
_DAY = r"(?P<day>0?[1-9]|[12]\d|3[01])"
_ORDINAL = r"(?:st|nd|rd|th|er|ère|ª|º|°|ος|\.|-)?"
_TEXTUAL = (
    re.compile(  # 3 May 2024, 3. Mai 2024, 3 de mayo de 2024, 3rd of May, 2024
        rf"(?<!\d){_DAY}{_ORDINAL}[\s.\-]{{0,3}}(?:de\s|of\s|d['’]|di\s|da\s|del\s)?{_WORD}"
        r"[.,]?(?:\s|-|,|/|'|’){0,3}(?:de\s|del\s|do\s|of\s|г\.?)?\s?(?P<year>(?:19|20|25)\d\d|(?<=['’-])\d\d)(?!\d)",
        re.IGNORECASE,
    ),
    re.compile(  # May 3, 2024; Fri May 03 2024; mayo 3, 2024
        rf"(?<!\w){_WORD}[\s.\-]{{1,2}}{_DAY}{_ORDINAL}[\s,]{{1,3}}(?P<year>(?:19|20)\d\d)(?!\d)",
        re.IGNORECASE,
    ),
    re.compile(  # 2024. május 3., 2024 m. gegužės 3 d., 2024 May 3
        rf"(?P<year>(?:19|20)\d\d)[.,]?\s(?:m\.\s|gada\s)?(?P<day1>\d{{1,2}}\.\s)?{_WORD}\s?{_DAY}?(?!\d)",
        re.IGNORECASE,
    ),
    re.compile(  # May 03 15:47:42 CEST 2024
        rf"{_WORD}\s(?P<day>\d{{1,2}})\s(?P<clock>\d\d:\d\d:\d\d)\s(?:[A-Z]{{2,5}}\s|[+-]\d{{4}}\s)?(?P<year>20\d\d)",
        re.IGNORECASE,
    ),
)
_ANY_DATE = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class WrittenDate:
    """A date as it was written.

    Attributes:
        at: naive where no zone was written; midnight where no time was.
        has_time: whether a time of day was written.
        is_ambiguous: whether day and month could be exchanged (03/04/2024).
    """

    at: datetime
    has_time: bool = False
    is_ambiguous: bool = False

    @property
    def has_zone(self) -> bool:
        """Whether the zone was written too."""
        return self.at.tzinfo is not None

    @property
    def day(self) -> tuple[int, int, int]:
        """Year, month and day as written."""
        return self.at.year, self.at.month, self.at.day


def parse_written_date(text: str, language: str | None = None, *, month_first: bool = False) -> WrittenDate | None:
    """The first date in the text; None where there is none.

    Args:
        text: a machine's form (ISO 8601, RFC 2822, Unix time) or a person's.
        language: ISO 639-1, for names of months that mean different ones in different languages.
        month_first: how to read 03/04/2024.

    >>> parse_written_date("2024-05-03T15:47:42.389+0200").at.isoformat()
    '2024-05-03T15:47:42+02:00'
    >>> parse_written_date("Freitag, 3. Mai 2024, 15.47 Uhr").at.isoformat()
    '2024-05-03T15:47:00'
    >>> parse_written_date("yesterday") is None
    True
    """
    text = text[:300].strip()
    if not _ANY_DATE.search(text):
        return None
    if not text.isascii():
        text = _with_ascii_digits(unicodedata.normalize("NFKC", text))
    for reader in (_machine, _other_calendar, _asian, _textual, _numeric):
        date = reader(text, language, month_first)
        if date is not None:
            return date
    return None


def _with_ascii_digits(text: str) -> str:
    return "".join(str(unicodedata.digit(c)) if c.isdigit() and not c.isascii() and c.isdecimal() else c for c in text)


def _machine(text: str, _language: str | None, _month_first: bool) -> WrittenDate | None:
    if text.isdigit() and len(text) in {10, 13}:
        return _from_unix(int(text[:10]))
    if match := _ISO.search(text):
        return _build(match, int(match["month"]), text)
    if match := _COMPACT.match(text):
        clock = match["clock"]
        tail = f" {clock[:2]}:{clock[2:4]}:{clock[4:6] or '00'}{text[match.end() :]}" if clock else ""
        return _build(match, int(match["month"]), tail, at=0)
    return None


def _from_unix(seconds: int) -> WrittenDate | None:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return WrittenDate(at, has_time=True) if 1995 <= at.year <= MAX_YEAR else None  # smaller numbers are identifiers


def _other_calendar(text: str, language: str | None, _month_first: bool) -> WrittenDate | None:
    converted = None if text.isascii() and language != "fa" else read_other_calendar(text, language)
    if converted is None:
        return None
    day, end = converted
    return _with_time(datetime(day.year, day.month, day.day), text, end)  # noqa: DTZ001  # naive on purpose: as written


def _asian(text: str, _language: str | None, _month_first: bool) -> WrittenDate | None:
    match = _ASIAN.search(text) or _VIETNAMESE.search(text)
    return _build(match, int(match["month"]), text) if match else None


def _textual(text: str, language: str | None, _month_first: bool) -> WrittenDate | None:
    months = load_months(language)
    for pattern in _TEXTUAL:
        for match in pattern.finditer(text):
            groups = match.groupdict()
            month = months.get(match["word"].lower().rstrip("."))
            if month and (groups["day"] or groups.get("day1")):
                clock = groups.get("clock")
                return _build(match, month, f" {clock}" if clock else text, at=0 if clock else None)
    return None


def _numeric(text: str, _language: str | None, month_first: bool) -> WrittenDate | None:
    for match in _NUMERIC.finditer(text):
        first, second = int(match["first"]), int(match["second"])
        slashed = match["mark"] == "/"  # nobody writes 05.31.2024, and few 05-31-2024
        day, month = (second, first) if month_first and slashed else (first, second)
        if month > 12 >= day:
            day, month = month, day
        date = _build(match, month, text, day=day)
        if date:
            ambiguous = slashed and first <= 12 and second <= 12 and first != second
            return WrittenDate(date.at, date.has_time, ambiguous)
    return None


def _build(match: re.Match[str], month: int, text: str, *, day: int = 0, at: int | None = None) -> WrittenDate | None:
    groups = match.groupdict()
    year = int(groups["year"])
    year += 2000 if year < 100 else -543 if year > 2400 else 0  # Thai years count from the Buddha
    day = day or int((groups.get("day") or groups.get("day1") or "0").strip(". "))
    if not MIN_YEAR <= year <= MAX_YEAR:
        return None
    try:
        date = datetime(year, month, day)  # noqa: DTZ001  # naive on purpose: what was written
    except ValueError:
        return None
    return _with_time(date, text, match.end() if at is None else at)


def _with_time(date: datetime, text: str, at: int) -> WrittenDate:
    match = _TIME.match(text, at)
    if match is None or not (match["minute"] or match["half"]):
        return WrittenDate(date)
    hour = int(match["hour"]) % 24
    half = match["half"] or match["early"]
    if half and hour <= 12:
        hour = hour % 12 + (12 if half[0] in "pP" or half in _AFTERNOON else 0)
    at_time = date.replace(hour=hour, minute=int(match["minute"] or 0), second=int(match["second"] or 0))
    zone = _zone(match["zone"])
    return WrittenDate(at_time.replace(tzinfo=zone) if zone else at_time, has_time=True)


def _zone(text: str | None) -> timezone | None:
    if not text:
        return None
    if match := re.search(r"([+-])(\d{2}):?(\d{2})?$", text):
        minutes = int(match[2]) * 60 + int(match[3] or 0)
        return timezone(timedelta(minutes=minutes if match[1] == "+" else -minutes)) if minutes <= 14 * 60 else None
    minutes = load_table("zones")["offset"].get(text.lower())
    return None if minutes is None else timezone(timedelta(minutes=minutes))
