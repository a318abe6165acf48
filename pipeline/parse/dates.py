"""Dates of feeds, in every form seen in the wild, become points in time; or nothing, rather than a wrong one.

feedparser reads dates too, but takes every time zone whose name it does not know for UTC ("CET", "JST"), and a bare
year for the first of January.
"""

import re
import unicodedata
from datetime import UTC, datetime, timedelta

MIN_YEAR = 1990
"""Before this there was no web: the date is a default such as 1970-01-01 or 0001-01-01."""

MAX_YEAR = 2100
"""From this on the date is a placeholder."""

MAX_AHEAD = timedelta(days=366)
"""How far in the future a date may lie: embargoes and announced events, but no mistyped year."""

_MAX_LENGTH = 100  # a date with its zone's name in brackets has about 60 characters

# Hours east of UTC. RFC 822, 5.1, then what news feeds use; where a name has several meanings, the one that most news
# sites of the world would mean (IST: India; BST: British summer; CST: America, as RFC 822 defines it). Names that are
# missing here count as UTC: RFC 5322, 4.3.
_ZONES = {
    "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7, "et": -5, "ct": -6,
    "pt": -8, "akst": -9, "akdt": -8, "hst": -10, "ast": -4, "adt": -3, "nst": -3.5, "ndt": -2.5, "brt": -3, "art": -3,
    "wet": 0, "west": 1, "bst": 1, "cet": 1, "cest": 2, "met": 1, "mest": 2, "mez": 1, "mesz": 2, "eet": 2, "eest": 3,
    "msk": 3, "msd": 4, "trt": 3, "sast": 2, "eat": 3, "cat": 2, "wat": 1, "gst": 4, "pkt": 5, "ist": 5.5, "npt": 5.75,
    "ict": 7, "wib": 7, "hkt": 8, "sgt": 8, "pht": 8, "myt": 8, "awst": 8, "jst": 9, "kst": 9, "acst": 9.5,
    "acdt": 10.5, "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13,
}  # fmt: skip

# English, German, French, Spanish, Italian, Portuguese, Dutch, Danish and Norwegian, Swedish, Hungarian, Turkish,
# Polish, Czech, Russian, Greek; without accents.
_MONTHS = (
    "january januar janvier enero gennaio janeiro januari ocak stycznia ledna января январь ιανουαριου",
    "february februar fevrier febrero febbraio fevereiro februari subat lutego unora февраля февраль φεβρουαριου",
    "march marz maerz mars marzo marco maart marcius mart marca brezna марта март μαρτιου",
    "april avril abril aprile aprilis nisan kwietnia dubna апреля апрель απριλιου",
    "may mai mayo maggio maio mei maj majus mayis maja kvetna мая май μαιου",
    "june juni juin junio giugno junho junius haziran czerwca июня июнь ιουνιου",
    "july juli juillet julio luglio julho julius temmuz lipca июля июль ιουλιου",
    "august aout agosto augustus augusti augusztus agustos sierpnia srpna августа август αυγουστου",
    "september septembre septiembre settembre setembro setiembre szeptember eylul wrzesnia zari сентября сентябрь"
    " σεπτεμβριου",
    "october oktober octobre octubre ottobre outubro ekim pazdziernika rijna октября октябрь οκτωβριου",
    "november novembre noviembre novembro kasim listopada listopadu ноября ноябрь νοεμβριου",
    "december dezember decembre diciembre dicembre dezembro desember aralik grudnia prosince декабря декабрь"
    " δεκεμβριου",
)

_WORD = r"[^\W\d_]+\.?"
_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?"
_REST = rf"(?:(?:\s*[t,]\s*|\s+|\s*-\s+)(?:(?:at|um|a|kl\.?)\s+)?{_CLOCK}\s*(?P<half>[ap]\.?m\.?)?(?P<zone>.*)|\s*z?)$"
_FORMS = tuple(
    re.compile(form)
    for form in (
        # 2024-03-12T10:00:00+01:00, 2024/3/12 10:00
        rf"(?P<year>\d{{4}})(?P<mark>[-/.])(?P<month>\d{{1,2}})(?P=mark)(?P<day>\d{{1,2}}){_REST}",
        # 20240312T100000Z, 20240312100000, 20240312
        r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)(?:t?(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)?(?P<zone>.*))?$",
        # Tue, 12 Mar 2024 10:00:00 +0100; Tuesday, 12-Mar-24 10:00:00 GMT; 12. März 2024
        rf"(?:{_WORD},?\s*)?(?P<day>\d{{1,2}})(?:st|nd|rd|th|er|º)?\.?[\s-]*(?:de\s+)?(?P<name>{_WORD}),?[\s-]*(?:de\s+)?"
        rf"(?P<year>\d{{4}}|\d\d(?!\d|:)){_REST}",
        # Mar 12, 2024 10:00 AM; Tue Mar 12 2024 10:00:00 GMT+0100
        rf"(?:{_WORD},?\s+)?(?P<name>{_WORD})\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}}){_REST}",
        # Tue Mar 12 10:00:00 CET 2024
        rf"(?:{_WORD},?\s+)?(?P<name>{_WORD})\s+(?P<day>\d{{1,2}})\s+{_CLOCK}\s*(?P<zone>.*?)\s*(?P<year>\d{{4}})$",
        # 12.03.2024 10:00, 3/28/2024: which is the month must be plain
        rf"(?P<first>\d{{1,2}})(?P<mark>[./-])(?P<other>\d{{1,2}})(?P=mark)(?P<year>\d{{4}}){_REST}",
    )
)
_OFFSET = re.compile(r"(?:gmt|utc|ut|z)?\s*(?P<sign>[+-])(?P<hours>\d{1,2}):?(?P<minutes>\d{2})?(?!\d)")
_ZONE_NAME = re.compile(r"(?:etc/)?([a-z]{2,5})\b")
# Letters of Turkish; year, month and day of Chinese, Japanese and Korean; the minus sign of typographers.
_MARKS = str.maketrans(
    {"ı": "i", "ğ": "g", "年": "-", "月": "-", "日": " ", "년": "-", "월": "-", "일": " ", "\u2212": "-"}
)
_COMMENT = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")


def parse_date(text: str | None, now: datetime | None = None) -> datetime | None:
    """The time in UTC; None for what is no date, is ambiguous, or cannot be true.

    A date without time is its midnight, a time without zone is UTC.

    >>> parse_date("Tue, 12 Mar 2024 10:00:00 CET")
    datetime.datetime(2024, 3, 12, 9, 0, tzinfo=datetime.timezone.utc)
    >>> parse_date("03/04/2024") is None
    True
    """
    if not text:
        return None
    try:
        return plausible(_read(_simple(text)), now)
    except (ValueError, OverflowError):
        return None


def plausible(moment: datetime | None, now: datetime | None = None) -> datetime | None:
    """The time itself, if a feed may announce it."""
    if moment is None or not MIN_YEAR <= moment.year < MAX_YEAR or (now is not None and moment > now + MAX_AHEAD):
        return None
    return moment


def _simple(text: str) -> str:
    """In lower case, without accents, brackets and double spaces."""
    decomposed = unicodedata.normalize("NFKD", _COMMENT.sub(" ", text[:_MAX_LENGTH]).lower())
    without = "".join(c for c in decomposed if not unicodedata.combining(c) or c == "\u0306")
    composed = unicodedata.normalize("NFC", without).translate(_MARKS)
    return " ".join(re.sub(r"-\s+(?=\d)", "-", composed).split())


def _read(text: str) -> datetime | None:
    if re.fullmatch(r"\d{10}|\d{13}", text):
        # Seconds or milliseconds since 1970, as JavaScript writes them.
        return datetime.fromtimestamp(int(text) / (1000 if len(text) == 13 else 1), UTC)
    for form in _FORMS:
        if match := form.match(text):
            found = {key: value for key, value in match.groupdict().items() if value}
            if day := _day(found):
                return _with_time(day, found)
    return None


def _day(found: dict[str, str]) -> datetime | None:
    year = int(found["year"])
    if len(found["year"]) == 2:
        year += 2000 if year < 50 else 1900  # RFC 5322, 4.3
    if "first" in found:
        first, other = int(found["first"]), int(found["other"])
        if found["mark"] == "." or first > 12 or first == other:
            return datetime(year, other, first, tzinfo=UTC)
        return datetime(year, first, other, tzinfo=UTC) if other > 12 else None
    month = _month(found["name"]) if "name" in found else int(found["month"])
    return datetime(year, month, int(found["day"]), tzinfo=UTC) if month else None


def _month(name: str) -> int | None:
    """The month that the word, or the beginning of a word, names in one of the languages and no other in another."""
    name = name.rstrip(".")
    if len(name) < 3:
        return None
    meant = {i for i, names in enumerate(_MONTHS, 1) if any(known.startswith(name) for known in names.split())}
    # German and Dutch shorten March to what is no beginning of it.
    return meant.pop() if len(meant) == 1 else {"mrz": 3, "mrt": 3}.get(name)


def _with_time(day: datetime, found: dict[str, str]) -> datetime | None:
    hour, minute, second = (int(found.get(part, 0)) for part in ("hour", "minute", "second"))
    if (half := found.get("half")) and hour <= 12:
        hour = hour % 12 + (12 if half[0] == "p" else 0)
    if hour > 24 or minute > 59 or second > 60:
        return None
    # 24:00 is the next midnight (ISO 8601); second 60 is a leap second.
    return day + timedelta(hours=hour, minutes=minute, seconds=min(second, 59)) - _east(found)


def _east(found: dict[str, str]) -> timedelta:
    zone = found.get("zone", "").strip()
    if offset := _OFFSET.match(zone):
        hours, minutes = int(offset["hours"]), int(offset["minutes"] or 0)
        if hours > 14 or minutes > 59:
            raise ValueError(f"no zone is {zone}")
        east = timedelta(hours=hours, minutes=minutes)
        return -east if offset["sign"] == "-" else east
    name = _ZONE_NAME.match(zone)
    return timedelta(hours=_ZONES.get(name[1], 0) if name else 0)
