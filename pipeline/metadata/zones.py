"""What zone a time is in that was written without one.

The rule, in this order: the offset that the same time carries elsewhere on the page (one source writes 14:30+02:00 or
12:30Z, another 14:30); the offset of the page's other times; the zone of the site's country, by its domain or the
region of its language (``de-AT``); the zone of a language that is printed in one zone; UTC. A zone is attached, never
converted to: the date stays the one that was written.
A day without a time is midnight UTC, so that it stays that day wherever times are stored in UTC.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo

from pipeline.metadata.data_files import load_table
from pipeline.metadata.written_dates import WrittenDate

_MAX_OFFSET = timedelta(hours=14)
_QUARTER = timedelta(minutes=15)


def in_zone(date: WrittenDate, others: Iterable[WrittenDate], host: str, language_tag: str | None) -> datetime:
    """The date as a zone-aware time."""
    if not date.has_time:
        return date.at.replace(tzinfo=UTC)
    if date.has_zone:
        return date.at
    known = [other.at for other in others if other.has_time and other.has_zone]
    for offset in _offsets(date.at, known):
        return date.at.replace(tzinfo=offset)
    return date.at.replace(tzinfo=_fixed(_zone_of(host, language_tag), date.at))


def _offsets(at: datetime, known: list[datetime]) -> Iterable[timezone]:
    for at_offset in known:
        written = at_offset.replace(tzinfo=None)
        if written == at and at_offset.utcoffset():
            yield timezone(at_offset.utcoffset() or timedelta())
        ahead = at - at_offset.astimezone(UTC).replace(tzinfo=None)
        if ahead and abs(ahead) <= _MAX_OFFSET and not ahead % _QUARTER:
            yield timezone(ahead)
    declared = {at_offset.utcoffset() for at_offset in known} - {timedelta()}
    if len(declared) == 1 and (offset := declared.pop()):
        yield timezone(offset)


def _zone_of(host: str, language_tag: str | None) -> tzinfo:
    tables = load_table("zones")
    language, _, region = (language_tag or "").replace("_", "-").lower().partition("-")
    domain = host.rpartition(".")[2]
    name = (
        tables["country"].get(domain) or tables["country"].get(region[-2:]) or tables["language"].get(language) or "UTC"
    )
    return _load_zone(name)


@cache
def _load_zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # no time zone data on this machine
        return UTC


def _fixed(zone: tzinfo, at: datetime) -> tzinfo:
    """The zone's offset at that time: what is stored and printed says how far from UTC, not where."""
    offset = at.replace(tzinfo=zone).utcoffset()
    return timezone(offset) if offset else UTC
