"""Time zones as feeds write them become offsets from UTC; one that is not known raises, since UTC would be a guess."""

import re
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

MAX_HOURS = 14
"""The farthest that a zone lies from UTC."""

# Hours east of UTC. RFC 822, 5.1, then what news feeds use; where a name has several meanings, the one that most news
# sites of the world would mean (IST: India; BST: British summer; CST: America, as RFC 822 defines it).
_HOURS = {
    "gmt": 0, "utc": 0, "ut": 0, "z": 0, "zulu": 0, "uct": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7,
    "mdt": -6, "pst": -8, "pdt": -7, "akst": -9, "akdt": -8, "hst": -10, "hdt": -9, "ast": -4, "adt": -3, "nst": -3.5,
    "ndt": -2.5, "brt": -3, "brst": -2, "art": -3, "clt": -4, "clst": -3, "cot": -5, "pet": -5, "bot": -4, "vet": -4,
    "uyt": -3, "uyst": -2, "pyt": -4, "pyst": -3, "ect": -5, "gyt": -4, "srt": -3, "gft": -3, "fnt": -2, "azot": -1,
    "cvt": -1, "wet": 0, "west": 1, "bst": 1, "cet": 1, "cest": 2, "met": 1, "mest": 2, "mez": 1, "mesz": 2, "eet": 2,
    "eest": 3, "idt": 3, "msk": 3, "msd": 4, "trt": 3, "fet": 3, "sast": 2, "eat": 3, "cat": 2, "wat": 1, "wast": 2,
    "irst": 3.5, "irdt": 4.5, "gst": 4, "samt": 4, "azt": 4, "get": 4, "aft": 4.5, "pkt": 5, "uzt": 5, "tmt": 5,
    "tjt": 5, "yekt": 5, "mvt": 5, "ist": 5.5, "npt": 5.75, "btt": 6, "kgt": 6, "omst": 6, "mmt": 6.5, "ict": 7,
    "wib": 7, "krat": 7, "novt": 7, "hovt": 7, "hkt": 8, "sgt": 8, "pht": 8, "myt": 8, "bnt": 8, "ulat": 8, "irkt": 8,
    "awst": 8, "wita": 8, "jst": 9, "kst": 9, "wit": 9, "yakt": 9, "tlt": 9, "acst": 9.5, "acdt": 10.5, "aest": 10,
    "aedt": 11, "chst": 10, "pgt": 10, "vlat": 10, "sakt": 11, "magt": 11, "sbt": 11, "nct": 11, "pett": 12, "fjt": 12,
    "nzst": 12, "nzdt": 13, "tot": 13, "lint": 14, "мск": 3,
}  # fmt: skip

# Names without a season, and what words call zones: the place whose clocks say which it is.
_PLACES = {
    "et": "America/New_York", "eastern": "America/New_York", "ct": "America/Chicago", "central": "America/Chicago",
    "mt": "America/Denver", "mountain": "America/Denver", "pt": "America/Los_Angeles",
    "pacific": "America/Los_Angeles", "atlantic": "America/Halifax", "newfoundland": "America/St_Johns",
    "alaska": "America/Anchorage", "hawaii": "Pacific/Honolulu", "aet": "Australia/Sydney",
    "australian eastern": "Australia/Sydney", "australian central": "Australia/Adelaide",
    "australian western": "Australia/Perth", "nzt": "Pacific/Auckland", "new zealand": "Pacific/Auckland",
    "central european": "Europe/Berlin", "w. europe": "Europe/Berlin", "romance": "Europe/Paris",
    "mitteleuropaische": "Europe/Berlin", "eastern european": "Europe/Athens", "western european": "Europe/Lisbon",
    "british": "Europe/London", "uk": "Europe/London", "london": "Europe/London", "irish": "Europe/Dublin",
    "greenwich mean": "UTC", "coordinated universal": "UTC", "universal": "UTC", "gmt": "UTC", "utc": "UTC",
    "moscow": "Europe/Moscow", "turkey": "Europe/Istanbul", "israel": "Asia/Jerusalem", "arabian": "Asia/Riyadh",
    "arabia": "Asia/Riyadh", "gulf": "Asia/Dubai", "iran": "Asia/Tehran", "pakistan": "Asia/Karachi",
    "india": "Asia/Kolkata", "indian": "Asia/Kolkata", "nepal": "Asia/Kathmandu", "bangladesh": "Asia/Dhaka",
    "indochina": "Asia/Bangkok", "western indonesia": "Asia/Jakarta", "china": "Asia/Shanghai",
    "beijing": "Asia/Shanghai", "hong kong": "Asia/Hong_Kong", "singapore": "Asia/Singapore",
    "malaysia": "Asia/Kuala_Lumpur", "philippine": "Asia/Manila", "japan": "Asia/Tokyo", "korea": "Asia/Seoul",
    "korean": "Asia/Seoul", "south africa": "Africa/Johannesburg", "west africa": "Africa/Lagos",
    "central africa": "Africa/Maputo", "east africa": "Africa/Nairobi", "argentina": "America/Argentina/Buenos_Aires",
    "brasilia": "America/Sao_Paulo", "chile": "America/Santiago", "colombia": "America/Bogota", "peru": "America/Lima",
    "venezuela": "America/Caracas",
}  # fmt: skip

_SEASONED = (
    "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "Europe/Berlin", "Europe/Athens",
    "Europe/Lisbon", "Europe/London", "Australia/Sydney", "Pacific/Auckland",
)  # fmt: skip

_OFFSET = re.compile(r"(?:gmt|utc|ut|z)?\s*(?P<sign>[+-])[+-]?(?P<hours>\d{1,2})(?:[:.]?(?P<minutes>\d{2}))?(?!\d)")
_WORDS = re.compile(r"(?P<name>[a-z. ]+?)\s*\b(?P<season>standard|daylight|summer)?\s*(?:time|zeit)?")
_GERMAN = re.compile(r"(mitteleuropaische) sommerzeit")
_NOISE = re.compile(r"^(?:uhr|hrs?|hs?|hours?|o'clock|ч|час\w*|год|น)\b\.?\s*")
_WIDE = re.compile(r"^(gmt|utc|ut)\s*([+-])\s+(?=\d)")
_SUMMER = timedelta(hours=1)


def offset_of(zone: str, at: datetime) -> timedelta:
    """How far east of UTC the zone lies.

    Args:
        zone: what stands behind the time of day, in lower case; nothing at all means UTC.
        at: the local time, naive, for zones whose offset changes with the season.

    Raises ValueError: the zone is not known.
    """
    zone = _WIDE.sub(r"\1\2", _NOISE.sub("", zone.strip()).strip(" .,;"))
    if not zone:
        return timedelta(0)
    if match := _OFFSET.match(zone):
        hours, minutes = int(match["hours"]), int(match["minutes"] or 0)
        if hours > MAX_HOURS or minutes > 59:
            raise ValueError(f"no zone is {zone}")
        east = timedelta(hours=hours, minutes=minutes)
        return -east if match["sign"] == "-" else east
    if zone in _HOURS:
        return timedelta(hours=_HOURS[zone])
    place = _PLACES.get(zone) or _names().get(zone) or _names().get(zone.replace(" ", "_"))
    if place:
        return _east_of(place, at)
    if "/" in zone and all(part in _HOURS for part in zone.split("/")):
        return _in_season(zone.split("/"), at)
    return _of_words(zone, at)


def _of_words(zone: str, at: datetime) -> timedelta:
    match = _WORDS.fullmatch(_GERMAN.sub(r"\1 summer", zone))
    place = _PLACES.get(match["name"].strip()) if match else None
    if match is None or place is None:
        first, _, rest = zone.partition(" ")
        if first in _HOURS and not rest.startswith(("standard", "daylight")):
            return timedelta(hours=_HOURS[first])  # "GMT, updated 11:00"
        raise ValueError(f"no zone that is known: {zone[:40]!r}")
    standard = min(_east_of(place, at.replace(month=month, day=1)) for month in (1, 7))
    if match["season"] == "standard":
        return standard
    return standard + _SUMMER if match["season"] else _east_of(place, at)


def _in_season(names: list[str], at: datetime) -> timedelta:
    """Of a pair such as ``est/edt``: whichever the clocks of a place with both say."""
    offsets = {timedelta(hours=_HOURS[name]) for name in names}
    for place in _SEASONED:
        if {_east_of(place, at.replace(month=month, day=1)) for month in (1, 7)} == offsets:
            return _east_of(place, at)
    raise ValueError(f"no one zone is {'/'.join(names)}")


def _east_of(place: str, at: datetime) -> timedelta:
    try:
        return ZoneInfo(place).utcoffset(at) or timedelta(0)
    except (KeyError, OSError) as error:  # no time zone data on this machine
        raise ValueError(f"nothing is known of the zone {place}") from error


@cache
def _names() -> dict[str, str]:
    return {name.lower(): name for name in available_timezones()}
