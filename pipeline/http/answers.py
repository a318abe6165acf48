"""What a server's answer means: pure functions on status and headers."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

REDIRECTS = frozenset({301, 302, 303, 307, 308})
KEEPING_REDIRECTS = frozenset({307, 308})  # a POST stays a POST (RFC 9110, 15.4)
MAX_RETRY_AFTER = timedelta(days=7)  # longer is a mistake of the server, and would lose the source for good

_TEMPORARY = frozenset({206, 226, 304, 403, 408, 425, 429})
_SECONDS = re.compile(r"\s*([+-]?)(\d+)(?:\.\d*)?\s*")


def is_temporary(status: int) -> bool:
    """Tell whether asking again later can give another status.

    403 counts as temporary: mostly it is a bot wall that had a bad moment, or a rate limit by another name. So do
    those that answer what we did not ask: part of a page, a delta, and "not modified" to who has nothing.
    """
    return status in _TEMPORARY or status >= 500


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """How long the server asks us to wait (RFC 9110, 10.2.3), from zero to `MAX_RETRY_AFTER`.

    >>> retry_after("120", datetime(2026, 1, 1, tzinfo=UTC))
    datetime.timedelta(seconds=120)
    >>> retry_after("Thu, 01 Jan 2026 00:01:00 GMT", datetime(2026, 1, 1, tzinfo=UTC))
    datetime.timedelta(seconds=60)
    >>> retry_after("soon", datetime(2026, 1, 1, tzinfo=UTC)) is None
    True
    """
    if value is None:
        return None
    seconds = _SECONDS.fullmatch(value)
    if seconds:
        sign, digits = seconds.groups()
        # Nine digits are thirty years; Python refuses to read numbers of thousands of digits.
        wait = timedelta(seconds=int(digits)) if len(digits) < 10 else MAX_RETRY_AFTER
        wait = -wait if sign == "-" else wait
    else:
        try:
            at = parsedate_to_datetime(value)
            wait = (at if at.tzinfo else at.replace(tzinfo=UTC)) - now
        except (ValueError, TypeError, OverflowError):
            return None
    return min(max(wait, timedelta(0)), MAX_RETRY_AFTER)


def parse_url(url: str) -> httpx.URL:
    """The URL in the form in which it is sent: without its fragment, and with a path.

    Raises:
        ValueError: it cannot be asked for.
    """
    try:
        parsed = httpx.URL(url.strip())
        if parsed.fragment or "/" not in str(parsed).partition("://")[2]:
            parsed = parsed.copy_with(raw_path=parsed.raw_path, fragment=None)
    except (httpx.InvalidURL, TypeError) as error:
        raise ValueError(str(error)) from error
    if parsed.scheme in ("http", "https") and not parsed.host:
        # `https:////a` has no host, but is written back as `https://a`, which has one.
        raise ValueError("there is no host in it")
    return parsed


def redirect_target(url: httpx.URL, location: str | None) -> httpx.URL:
    """Where a redirect leads.

    Raises:
        ValueError: nowhere.
    """
    if not location or not location.strip():
        raise ValueError("a redirect without a Location")
    try:
        return parse_url(str(url.join(location.strip())))
    except httpx.InvalidURL as error:
        raise ValueError(str(error)) from error
