"""Readers that turn the text of a setting into its value, and how secrets in it are hidden."""

import ipaddress
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Notifiers = tuple[tuple[str, dict[str, Any]], ...]
Limits = tuple[float, float]
"""Limits for a warning, and for a critical state."""


def read_seconds(text: str, least: float = 0) -> timedelta:
    """A duration, given as a number of seconds, ``least`` or more."""
    seconds = float(text)
    if not least <= seconds < 10**9:
        raise ValueError(f"not a number of seconds from {least:g} up")
    return timedelta(seconds=seconds)


def read_seconds_list(text: str) -> tuple[timedelta, ...]:
    """Durations in seconds, comma-separated, in ascending order."""
    return tuple(sorted(read_seconds(part) for part in text.split(",") if part.strip()))


def read_networks(text: str) -> tuple[Network, ...]:
    """Networks in CIDR notation, comma-separated."""
    return tuple(ipaddress.ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())


def read_notifiers(text: str) -> Notifiers:
    """Classes with their arguments, written as JSON."""
    pairs = json.loads(text)
    if not all(isinstance(name, str) and isinstance(arguments, dict) for name, arguments in pairs):
        raise ValueError("not of the form [[CLASS, {ARGUMENT: VALUE}], …]")
    return tuple((name, arguments) for name, arguments in pairs)


def read_name_list(text: str) -> tuple[str, ...]:
    """Host names in lower case, comma-separated."""
    return tuple(part.strip().lower() for part in text.split(",") if part.strip())


def read_hosts(text: str) -> tuple[tuple[str, str], ...]:
    """Pairs of a host name in lower case and its address, written as NAME=ADDRESS and comma-separated."""
    pairs = []
    for part in filter(None, map(str.strip, text.split(","))):
        name, equals, address = part.partition("=")
        if not equals:
            raise ValueError(f"{part!r} is not of the form NAME=ADDRESS")
        pairs.append((name.strip().lower(), str(ipaddress.ip_address(address.strip()))))
    return tuple(pairs)


def read_proxy(text: str) -> str:
    """The address of an HTTP proxy."""
    try:
        parts = urlsplit(text)
        well_formed = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        well_formed = False  # without the words of the error, which may hold the password
    if not well_formed or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("must be of the form http://HOST:PORT or http://USER:PASSWORD@HOST:PORT")
    return text.rstrip("/")


def read_positive(text: str) -> int:
    """A number from 1 up."""
    return _read_from(1, text)


def read_count(text: str) -> int:
    """A number from 0 up."""
    return _read_from(0, text)


def _read_from(least: int, text: str) -> int:
    number = int(text)
    if number < least:
        raise ValueError(f"must be {least} or more")
    return number


def read_limits(text: str) -> Limits:
    """Two numbers, comma-separated: the limits for a warning and for a critical state."""
    warning, comma, critical = text.partition(",")
    limits = float(warning), float(critical if comma else warning)
    if not all(0 <= limit < 10**15 for limit in limits):
        raise ValueError("must be one or two numbers from 0 up: where a warning begins, and where it is critical")
    return limits


def reader_of_one(*words: str) -> Callable[[str], str]:
    """Return a reader that accepts one of these words."""

    def read(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return text.lower()

    return read


def reader_of_some(*words: str) -> Callable[[str], tuple[str, ...]]:
    """Return a reader that accepts any of these words, comma-separated, and sorts them."""

    def read(text: str) -> tuple[str, ...]:
        given = {part.strip().lower() for part in text.split(",")} - {""}
        if unknown := given - set(words):
            raise ValueError(f"{', '.join(sorted(unknown))}: must be some of {', '.join(words)}")
        return tuple(sorted(given))

    return read


_UNSHOWN = frozenset({"alerts", "web_token"})
"""Settings of which any part may be secret: a token, arguments of notifiers with the address of a web hook."""

_CREDENTIALS = re.compile(r"^(\w[\w+.-]*://)?.*@", re.DOTALL)
_SECRET_PARAMETER = re.compile(r"((?:^|&)[^=&]*(?:password|secret|token|key)[^=&]*=)[^&]*", re.IGNORECASE)


def masked_url(url: str) -> str:
    """Hide the password of a URL, and the values of parameters such as ``password`` or ``token``.

    >>> masked_url("postgresql://news:secret@db/news?sslmode=require&password=secret")
    'postgresql://news:***@db/news?sslmode=require&password=***'
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return mask_credentials(url)
    netloc = parts.netloc
    if parts.password is not None:
        user, _, host = netloc.rpartition("@")
        netloc = f"{user.partition(':')[0]}:***@{host}"
    query = _SECRET_PARAMETER.sub(r"\1***", parts.query)
    if (netloc, query) == (parts.netloc, parts.query):
        return url
    return urlunsplit(parts._replace(netloc=netloc, query=query))


def mask_credentials(text: str) -> str:
    """Hide user name and password of an address, even a malformed one: either may be a key."""
    return _CREDENTIALS.sub(r"\1***@", text)


def shown_text(name: str, text: str) -> str:
    """A secret setting as it was given, for an error that speaks of it."""
    return "***" if name in _UNSHOWN else mask_credentials(text)


def shown_value(name: str, value: object) -> str:
    """The value of a setting as it would be given; passwords are masked, and of notifiers only the classes told."""
    if name == "alerts" and isinstance(value, tuple):
        return ",".join(notifier for notifier, _ in value)
    if name in _UNSHOWN:
        return "***" if value else ""
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}"
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, tuple):
        if name == "resolve":
            return ",".join(f"{host}={address}" for host, address in value)
        return ",".join(shown_value("", part) for part in value)
    return mask_credentials(str(value)) if name == "proxy" else masked_url(str(value))
