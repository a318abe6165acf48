"""What a server's answer means, by its status, its headers and how much of its body came."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

REDIRECTS = frozenset({301, 302, 303, 307, 308})
KEEPING_REDIRECTS = frozenset({307, 308})  # a POST stays a POST (RFC 9110, 15.4)
MAX_RETRY_AFTER = timedelta(days=7)  # longer is a mistake of the server, and would lose the source for good

_SECONDS = re.compile(r"\s*([+-]?)(\d+)(?:\.\d*)?\s*")


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

    Raises ValueError: it cannot be asked for.
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
    r"""Where a redirect leads. Raises ValueError when it leads nowhere.

    >>> str(redirect_target(httpx.URL("http://a.example/x"), "\\b\tc?d=e"))
    'http://a.example/bc?d=e'
    """
    # As browsers read addresses: without line ends and tabs, and a backslash of the path is a slash.
    path, mark, query = re.sub(r"[\t\r\n]", "", location or "").strip().partition("?")
    if not path and not mark:
        raise ValueError("a redirect without a Location")
    try:
        return parse_url(str(url.join(path.replace("\\", "/") + mark + query)))
    except httpx.InvalidURL as error:
        raise ValueError(str(error)) from error


_LOOKED_AT: Final = 1024
_END: Final = re.compile(  # with each comment ended once: tried all ways, a hundred of them never come to an end
    rb"</(?:html|rss|feed|rdf:rdf|urlset|sitemapindex)\s*>\s*(?:<!--.*?-->\s*)*+\Z", re.IGNORECASE | re.DOTALL
)


def is_complete_document(body: bytes) -> bool:
    r"""Whether a document ends with its own end: the last tag of a page or feed, or the last bracket of a JSON Feed.

    >>> is_complete_document(b"<html><p>All of it.</p></html>\n"), is_complete_document(b"<html><p>Some of")
    (True, False)
    """
    if _END.search(body[-_LOOKED_AT:]):
        return True
    if body.lstrip()[:1] != b"{" or body.rstrip()[-1:] != b"}":
        return False
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


@dataclass(frozen=True, slots=True)
class Download:
    """A file that is being read.

    Attributes:
        chunks: its bytes, as sent, from the byte on that was asked for.
        size: bytes of the whole file, where the server says so.
    """

    chunks: AsyncIterator[bytes]
    size: int | None


def size_of(status: int, length: str | None, content_range: str | None, offset: int) -> int | None:
    """The size of the whole file by the headers of an answer.

    >>> size_of(206, "50", "bytes 50-99/100", 50), size_of(200, "100", None, 50), size_of(206, None, "bytes 5-9/*", 5)
    (100, 100, None)
    """
    total = (content_range or "").rpartition("/")[2].strip()
    if status == 206 and (size := _count(total)) is not None:
        return size
    left = _count((length or "").strip())
    return left if left is None or status != 206 else offset + left


def begins_at(status: int, content_range: str | None) -> int | None:
    """The byte that an answer begins with; None where it does not say.

    >>> begins_at(206, "bytes 50-99/100"), begins_at(200, None), begins_at(206, "lines 1-2/3")
    (50, 0, None)
    """
    if status != 206:
        return 0
    unit, _, span = (content_range or "").strip().partition(" ")
    first = span.partition("-")[0].strip()
    return _count(first) if unit.lower() == "bytes" else None


def _count(digits: str) -> int | None:
    # As in `retry_after`; no file has as many bytes as nineteen digits can say.
    return int(digits) if digits.isdecimal() and len(digits) < 20 else None
