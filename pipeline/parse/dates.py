"""Dates of feeds, in every form seen in the wild, become points in time; or nothing, rather than a wrong one."""

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache

from pipeline.parse.time_zones import offset_of
from pipeline.text.months import read_month_names

MIN_YEAR = 1990
"""Before this there was no web: the date is a default such as 1970-01-01 or 0001-01-01."""

MAX_YEAR = 2100
"""From this on the date is a placeholder."""

MAX_AHEAD = timedelta(days=366)
"""How far in the future a date may lie: embargoes and announced events, but no mistyped year."""

_MAX_LENGTH = 100  # a date with its zone's name in brackets has about 60 characters

_NAME = r"(?P<name>[^\s\d,;:/()+-]{2,20})"
_LEAD = r"(?:[^\s\d,]+(?:\s*,\s*|\s+)){0,2}"
_OF = r"(?:(?:de|of|di|da|del|do)\s+|d')?"
_HALF = r"[ap]\.?\s?m\b\.?"
_CLOCK = (
    rf"(?:(?P<early>{_HALF})\s*)?(?:(?P<hour>\d{{1,2}})\s?[:.h]\s?(?P<minute>\d{{1,2}})(?!\d)"
    rf"(?:\s?[:.]\s?(?P<second>\d{{1,2}})(?!\d)(?:[.,]\d+)?)?m?|(?P<full_hour>\d{{1,2}})(?=\s?{_HALF}|h\b))"
)
_CLOCK_WORDS = (  # "at", and after it "o'clock"
    r"at|um|a|as|alle|ore|la|ora|o|o godz\.?|godz\.?|kl\.?|klo|kello|klockan|klokken|om|v|в|о|u|saat|pukul|jam|luc|เวลา"
)
_AT = rf"(?:\s*[t,:|]\s*|\s+|\s*-\s*)(?:(?:{_CLOCK_WORDS})\s+)?"
# "Of the year" in Slavic languages; the day of the week of Turkish, which stands last.
_YEAR_WORDS = (
    r"(?:\.?\s?(?:г(?:од(?:а|ина|ине))?|р(?:оку)?|r(?:oku)?|god(?:ine|ina)?)\b\.?|\.)?"
    r"(?:,?\s(?:pazartesi|sali|carsamba|persembe|cuma|cumartesi|pazar)\b)?"
)
_REST = rf"{_YEAR_WORDS}(?:{_AT}{_CLOCK}\s*(?P<half>{_HALF})?(?P<zone>.*)|\s*z?)$"
_FORMS = tuple(
    re.compile(form)
    for form in (
        # 2024-03-12T10:00:00+01:00, 2024/3/12 10:00, Tue, 2024-03-12, 2024. 3. 12. 10:00
        rf"{_LEAD}(?P<year>\d{{4}})(?P<mark>[-/.])(?P<month>\d{{1,2}})(?P=mark)(?P<day>\d{{1,2}})\.?{_REST}",
        # 20240312T100000Z, 20240312100000, 20240312
        r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)(?:t?(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)?(?P<zone>.*))?$",
        rf"(?P<year>\d{{4}})(?P<month>\d\d)(?P<day>\d\d){_REST}",
        # 12 tháng 3, 2024; ngày 12 tháng 3 năm 2024
        rf"{_LEAD}(?P<day>\d{{1,2}})\s+thang\s+(?P<month>\d{{1,2}}),?\s+(?:nam\s+)?(?P<year>\d{{4}}){_REST}",
        # Tue, 12 Mar 2024 10:00:00 +0100; Tuesday, 12-Mar-24 10:00:00 GMT; 12. März 2024; 12/Mar/2024:10:00:00
        rf"{_LEAD}(?P<day>\d{{1,2}})(?:st|nd|rd|th|er|º)?\.?[\s/-]*{_OF}{_NAME},?[\s/-]*{_OF}"
        rf"(?P<year>\d{{4}}|\d\d(?!\d|:)){_REST}",
        # 2024. gada 12. marts
        rf"(?P<year>\d{{4}})\.?\s+gada\s+(?P<day>\d{{1,2}})\.?\s+{_NAME}{_REST}",
        # Mar 12, 2024 10:00 AM; Tue Mar 12 2024 10:00:00 GMT+0100
        rf"{_LEAD}{_NAME}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}}){_REST}",
        # Tue Mar 12 10:00:00 CET 2024
        rf"{_LEAD}{_NAME}\s+(?P<day>\d{{1,2}})\s+{_CLOCK}\s*(?P<zone>.*?)\s*(?P<year>\d{{4}})$",
        # 2024. március 12., 2024 m. kovo 12 d.
        rf"(?P<year>\d{{4}})[.,]?\s+(?:m\.\s+)?{_NAME}\s+(?P<day>\d{{1,2}})\.?(?:\s?d\.)?{_REST}",
        # 12.03.2024 10:00, 3/28/2024, 26/03/24: which is the month must be plain
        rf"{_LEAD}(?P<first>\d{{1,2}})(?P<mark>[./-])(?P<second_part>\d{{1,2}})(?P=mark)(?P<year>\d{{4}}|(?<=[./])\d\d(?!\d|:))\.?{_REST}",
    )
)
_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[tT ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(?:[zZ]|([+-]\d\d):?(\d\d)))?", re.ASCII
)
# Letters of Turkish; year, month and day of Chinese, Japanese and Korean; dashes of typographers.
_MARKS = str.maketrans(
    {"ı": "i", "ğ": "g", "年": "-", "月": "-", "日": " ", "년": "-", "월": "-", "일": " "}
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-")
)
_ASIAN_CLOCK = re.compile(r"(\d+)\s*[時时點点시]\s*(?:(\d+)\s*[分분])?\s*(?:(\d+)\s*[秒초])?")
_MORNING = re.compile("오전|午前|上午|π\\.?μ\\.?")
_AFTERNOON = re.compile("오후|午後|下午|晚上|μ\\.?μ\\.?")
_COMMENT = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]")


def parse_date(text: str | None, now: datetime | None = None, language: str | None = None) -> datetime | None:
    """The time in UTC; None for what is no date, is ambiguous, is of an unknown zone, or cannot be true.

    A date without time is its midnight, a time without zone is UTC.

    Args:
        text: the date, in any form and language.
        now: the time of the poll; dates far beyond it are mistakes.
        language: of the feed, for names of months that mean different ones in different languages.

    >>> parse_date("Tue, 12 Mar 2024 10:00:00 CET")
    datetime.datetime(2024, 3, 12, 9, 0, tzinfo=datetime.timezone.utc)
    >>> parse_date("03/04/2024") is None
    True
    """
    if not text:
        return None
    try:
        moment = _read_iso(text.strip()) or _read(text, (language or "").partition("-")[0].lower())
    except (ValueError, OverflowError):
        return None
    return _plausible(moment, now)


def _plausible(moment: datetime | None, now: datetime | None) -> datetime | None:
    """The time itself, if a feed may announce it."""
    if moment is None or not MIN_YEAR <= moment.year < MAX_YEAR or (now is not None and moment > now + MAX_AHEAD):
        return None
    return moment


def _read_iso(text: str) -> datetime | None:
    """The form that most feeds of Atom and all sitemaps have, read without ado; None for any other."""
    match = _ISO.fullmatch(text)
    if match is None or (match[4] and (int(match[4]) > 23 or int(match[6] or 0) > 59)):
        return None
    at = datetime(
        int(match[1]), int(match[2]), int(match[3]), int(match[4] or 0), int(match[5] or 0), int(match[6] or 0),
        tzinfo=UTC,
    )  # fmt: skip
    if not match[7]:
        return at
    hours, minutes = int(match[7]), int(match[8])
    if abs(hours) > 14 or minutes > 59:
        raise ValueError(f"no zone is {match[7]}:{match[8]}")
    return at - timedelta(hours=hours, minutes=-minutes if match[7][0] == "-" else minutes)


def _read(text: str, language: str) -> datetime | None:
    simple, remark = _simplify(text)
    if re.fullmatch(r"\d{10}|\d{13}", simple):
        # Seconds or milliseconds since 1970, as JavaScript writes them.
        return datetime.fromtimestamp(int(simple) / (1000 if len(simple) == 13 else 1), UTC)
    for form in _FORMS:
        if match := form.match(simple):
            parts = {key: value for key, value in match.groupdict().items() if value}
            if day := _day(parts, language):
                return _with_time(day, parts, remark)
    return None


def _simplify(text: str) -> tuple[str, str]:
    """In lower case, without accents and double spaces; and what stands in brackets, which may be the zone."""
    folded = _fold(text[:_MAX_LENGTH])
    if not folded.isascii():
        folded = _AFTERNOON.sub(" pm ", _MORNING.sub(" am ", _ASIAN_CLOCK.sub(_clock, folded)))
    remarks = [first or second for first, second in _COMMENT.findall(folded)]
    without = _COMMENT.sub(" ", folded)
    joined = re.sub(r"(?<=\d-)\s+(?=\d)|(?<=\d\.)\s+(?=\d{1,2}\.|\d{4}\b)", "", without)
    return " ".join(joined.split()), remarks[0] if len(remarks) == 1 else ""


def _fold(text: str) -> str:
    text = text.lower()
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text)
    # The breve makes other letters of и and у, and but marks a vowel of Latin.
    without = "".join(c for c, before in zip(decomposed, f" {decomposed}", strict=False) if _is_letter(c, before))
    return unicodedata.normalize("NFC", without).translate(_MARKS)


def _is_letter(character: str, before: str) -> bool:
    return not unicodedata.combining(character) or (character == "\u0306" and before in "иу")


def _clock(match: re.Match[str]) -> str:
    return ":".join(part or "00" for part in match.groups()[: 3 if match[3] else 2]) + " "


def _day(parts: dict[str, str], language: str) -> datetime | None:
    year = int(parts["year"])
    if len(parts["year"]) == 2:
        year += 2000 if year < 50 else 1900  # RFC 5322, 4.3
    if "first" in parts:
        first, second = int(parts["first"]), int(parts["second_part"])
        if parts["mark"] == "." or first > 12 or first == second:
            return datetime(year, second, first, tzinfo=UTC)
        return datetime(year, first, second, tzinfo=UTC) if second > 12 else None
    month = _month(parts["name"].rstrip("."), language) if "name" in parts else int(parts["month"])
    return datetime(year, month, int(parts["day"]), tzinfo=UTC) if month else None


@lru_cache(maxsize=1024)
def _month(name: str, language: str) -> int | None:
    """The month that the word, or the beginning of a word, names in the language; else in English, or in all others.

    >>> _month("lip", "hr"), _month("lip", "pl"), _month("lip", ""), _month("mar", "")
    (6, 7, None, 3)
    """
    own = _months().get(language, {})
    for names in (own, _months()["en"]):
        if name in names:
            return names[name]
    if len(name) < 3:
        return None
    for languages in ([own], _months().values()):
        meant = {month for names in languages for known, month in names.items() if known.startswith(name)}
        if len(meant) == 1:
            return meant.pop()
    return None


@cache
def _months() -> dict[str, dict[str, int]]:
    """By language the names of months, folded as dates are."""
    return {
        language: {_fold(name): i for i, names in enumerate(line.split(), 1) for name in names.split("/")}
        for language, line in read_month_names().items()
    }


def _with_time(day: datetime, parts: dict[str, str], remark: str) -> datetime | None:
    hour, minute, second = (int(parts.get(part, 0)) for part in ("hour", "minute", "second"))
    hour = int(parts.get("full_hour", hour))
    half = parts.get("half") or parts.get("early")
    if half and hour <= 12:
        hour = hour % 12 + (12 if half[0] == "p" else 0)
    if hour > 24 or minute > 59 or second > 60:
        return None
    # 24:00 is the next midnight (ISO 8601); second 60 is a leap second.
    local = day + timedelta(hours=hour, minutes=minute, seconds=min(second, 59))
    naive = local.replace(tzinfo=None)
    zone = parts.get("zone", "").strip()
    if not zone and remark and ("hour" in parts or "full_hour" in parts):
        try:
            return local - offset_of(remark, naive)
        except ValueError:  # it was no zone
            return local
    return local - offset_of(zone, naive)
