"""What the user gives to ask a source with: headers, cookies, a user agent, a password; checked, changed, sent.

Every value of it may be a secret: messages name what is wrong, never what was given, and `describe_credentials` is the
only form in which it is shown. It goes to one origin alone, whatever a feed links to or redirects to.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pipeline.errors import ConfigError
from pipeline.model import FeedAccess
from pipeline.urls import host_of

MASK = "***"
"""Stands for a value that is not shown."""

MAX_SIZE = 6_000
"""Characters of all that is given for one source; most servers take 8,000 for all headers of a request."""

# RFC 9110, 5.6.2; names of cookies are tokens too (RFC 6265, 4.1.1).
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_VALUE = re.compile(r"[!-~](?:[\t -~]*[!-~])?\Z")
_COOKIE = re.compile(r"[!-:<-~]*\Z")

_INSTEAD = {"user-agent": "--user-agent", "cookie": "--cookie"}

_CONNECTION = "connection keep-alive proxy-connection te trailer transfer-encoding upgrade http2-settings"
_MESSAGE = "host content-length content-type content-encoding expect accept-encoding range a-im"
_CONDITIONS = "if-match if-none-match if-modified-since if-unmodified-since if-range"
_OURS = frozenset(f"{_CONNECTION} {_MESSAGE} {_CONDITIONS}".split())
"""Headers of one connection (RFC 9110, 7.6.1), of the message itself, and those that we ask with ourselves."""


@dataclass(frozen=True, slots=True)
class CredentialsChange:
    """What is to become of a `FeedAccess`; None as a value takes it away.

    Attributes:
        values: ``user_agent`` and ``auth``, as far as they are to change.
        pages: whether pages are to be asked for with it; None for as before.
        clear: whether nothing of what was there is kept.
    """

    headers: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    cookies: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    values: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    pages: bool | None = None
    clear: bool = False

    @property
    def is_none(self) -> bool:
        """Whether it changes nothing."""
        return not (self.headers or self.cookies or self.values or self.clear or self.pages is not None)


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL (RFC 6454).

    >>> origin_of("HTTPS://Www.Example.com:443/feed")
    'https://www.example.com'

    Raises ValueError: it is no absolute http(s) URL.
    """
    return f"{url.strip().partition(':')[0].lower()}://{host_of(url)}"


def is_sent_to(access: FeedAccess | None, url: str) -> bool:
    """Whether it may be sent to this URL: its origin is the very same."""
    try:
        return access is not None and access.origin == origin_of(url)
    except ValueError:
        return False


def change_credentials(access: FeedAccess | None, change: CredentialsChange, url: str) -> FeedAccess | None:
    """What a feed at this URL is asked with after the change; None for nothing of its own.

    What was given for another origin, before the feed moved, is not taken along to this one.

    Raises ConfigError: it cannot be sent.
    """
    origin = origin_of(url)
    if change.clear or access is None or access.origin != origin:
        access = FeedAccess(origin)
    after = replace(
        access,
        headers=_merged(access.headers, change.headers, fold=True),
        cookies=_merged(access.cookies, change.cookies),
        pages=access.pages if change.pages is None else change.pages,
        user_agent=change.values.get("user_agent", access.user_agent),
        auth=change.values.get("auth", access.auth),
    )
    _check(after)
    return after if after.headers or after.cookies or after.user_agent or after.auth else None


def _merged(before: Mapping[str, str], change: Mapping[str, str | None], *, fold: bool = False) -> dict[str, str]:
    """With the changes made; names of headers are the same in any case."""
    replaced = {name.lower() if fold else name for name in change}
    kept = {name: value for name, value in before.items() if (name.lower() if fold else name) not in replaced}
    return kept | {name: value for name, value in change.items() if value is not None}


def _check(access: FeedAccess) -> None:
    for name, value in access.headers.items():
        if not _TOKEN.match(name):
            raise ConfigError("a header must be given as 'NAME: VALUE', its name of letters, digits and hyphens")
        if name.lower() in _INSTEAD:
            raise ConfigError(f"the header {name} has an option of its own: {_INSTEAD[name.lower()]}")
        if name.lower() in _OURS or name.lower().startswith("proxy-"):
            raise ConfigError(f"the header {name} belongs to the connection or to our own requests: it cannot be set")
        if not _VALUE.match(value):
            raise ConfigError(f"the value of the header {name} must be one line of plain ASCII, and not empty")
    if access.auth is not None and "authorization" in map(str.lower, access.headers):
        raise ConfigError("--auth and a header Authorization exclude each other")
    for name, value in access.cookies.items():
        if not _TOKEN.match(name) or not _COOKIE.match(value):
            raise ConfigError("a cookie must be given as NAME=VALUE, in plain ASCII without blanks and semicolons")
    if access.user_agent is not None and not _VALUE.match(access.user_agent):
        raise ConfigError("the user agent must be one line of plain ASCII, and not empty")
    if access.auth is not None and (":" not in access.auth or not access.auth.isprintable()):
        raise ConfigError("the password must be given as USER:PASSWORD, in one line")
    if sum(len(name) + len(value) + 4 for name, value in request_headers(access).items()) > MAX_SIZE:
        raise ConfigError(f"more than {MAX_SIZE:,} characters of headers and cookies: servers do not take so much")


def request_headers(access: FeedAccess) -> dict[str, str]:
    """The headers of a request that it makes; they go before our own of the same name."""
    headers = dict(access.headers)
    if access.user_agent is not None:
        headers["User-Agent"] = access.user_agent
    if access.cookies:
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in sorted(access.cookies.items()))
    if access.auth is not None:
        headers["Authorization"] = f"Basic {base64.b64encode(access.auth.encode()).decode()}"  # RFC 7617
    return headers


def describe_credentials(access: FeedAccess | None) -> dict[str, object] | None:
    """What may be shown of it: names, and where it goes."""
    if access is None:
        return None
    return {
        "origin": access.origin,
        "headers": sorted(access.headers),
        "cookies": sorted(access.cookies),
        "user_agent": MASK if access.user_agent is not None else None,
        "auth": MASK if access.auth is not None else None,
        "pages": access.pages,
    }
