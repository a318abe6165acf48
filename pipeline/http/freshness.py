"""What servers and feeds say of how often they may be asked: pure functions on headers and on a feed's own words.

Tolerant: what cannot be read counts as not said. Nothing here decides anything; `pipeline.schedule.feeds` does.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from pipeline.model import FeedHints

# RSS 1.0 syndication module; `dayly` and `always` are met in the wild (Media Cloud).
_PERIODS = {
    "always": timedelta(0),
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "dayly": timedelta(days=1),
    "weekly": timedelta(days=7),
    "monthly": timedelta(days=30),
    "yearly": timedelta(days=365),
}


def cache_hint(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long the answer stays fresh by its headers (RFC 9111, 4.2.1); None where they do not say, or cannot be read.

    >>> cache_hint({"cache-control": "public, max-age=600"}, datetime(2026, 1, 1, tzinfo=UTC))
    datetime.timedelta(seconds=600)
    >>> cache_hint({"expires": "0"}, datetime(2026, 1, 1, tzinfo=UTC)) is None
    True
    """
    directives = dict(_directive(part) for part in headers.get("cache-control", "").split(","))
    if {"no-cache", "no-store"} & directives.keys():
        return None
    if "max-age" in directives:  # then Expires does not count
        return _positive(_seconds(directives["max-age"]))
    expires = _date(headers.get("expires"))
    return _positive(expires - (_date(headers.get("date")) or now)) if expires else None


def has_trusted_validators(headers: Mapping[str, str]) -> bool:
    """Whether the answer may be asked for conditionally; ``Expires: 0`` says that nothing of it may be reused."""
    return headers.get("expires", "").strip() not in {"0", "-1"}


def announced_ttl(hints: FeedHints) -> timedelta | None:
    """How long the feed may be kept by its own ``ttl``, in minutes (RSS 2.0)."""
    minutes = _number(hints.ttl)
    return _positive(timedelta(minutes=minutes)) if minutes is not None else None


def announced_period(hints: FeedHints) -> timedelta | None:
    """How often the feed says that it is updated (``sy:updatePeriod``, ``sy:updateFrequency``).

    >>> announced_period(FeedHints(update_period="dayly", update_frequency="4"))
    datetime.timedelta(seconds=21600)
    """
    if hints.update_period is None and hints.update_frequency is None:
        return None
    period = _PERIODS.get((hints.update_period or "daily").strip().lower())
    if period is None:
        return None
    times = _number(hints.update_frequency)
    return _positive(period / times if times else period)


DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""As `datetime.weekday` numbers them."""


def after_skips(at: datetime, skips: Collection[str]) -> datetime:
    """The first time from then on that is in none of these hours and days (`FeedHints.skips`).

    >>> after_skips(datetime(2026, 11, 28, 23, 30, tzinfo=UTC), ["23", "sun"])  # a Saturday
    datetime.datetime(2026, 11, 30, 0, 0, tzinfo=datetime.timezone.utc)
    """
    hour = at.replace(minute=0, second=0, microsecond=0)
    times = [at, *(hour + timedelta(hours=later) for later in range(1, 24 * len(DAYS)))] if skips else [at]
    return next((time for time in times if not {str(time.hour), DAYS[time.weekday()]} & {*skips}), at)


def _directive(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip().lower(), value.strip().strip('"')


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 < number < 10**7 else None


def _seconds(text: str) -> timedelta | None:
    number = _number(text)
    return timedelta(seconds=number) if number is not None else None


def _date(text: str | None) -> datetime | None:
    try:
        at = parsedate_to_datetime(text or "")
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _positive(pause: timedelta | None) -> timedelta | None:
    return pause if pause is not None and pause > timedelta(0) else None
