"""Chains of redirects: pages that send their readers on, and the cookies that live as long as one chain.

Nothing of them outlives the chain, so that no site can tell one visit from the next.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import urljoin, urlsplit

from pipeline.model import ChainCookie
from pipeline.text.character_references import unescape_references
from pipeline.urls.authority import registered_domain

MAX_COOKIES: Final = 50
MAX_COOKIE: Final = 4096
"""Characters of one, as browsers bound them."""


def take_cookies(cookies: Sequence[ChainCookie], lines: Iterable[str], url: str) -> tuple[ChainCookie, ...]:
    """The cookies of a chain after an answer from this URL with these ``Set-Cookie`` lines."""
    kept = {(cookie.name, cookie.domain, cookie.path): cookie for cookie in cookies}
    for line in lines:
        cookie, is_over = _read_cookie(line, url)
        if cookie is None:
            continue
        key = (cookie.name, cookie.domain, cookie.path)
        kept.pop(key, None)
        if not is_over and len(kept) < MAX_COOKIES:
            kept[key] = cookie
    return tuple(kept.values())


def cookie_header(cookies: Iterable[ChainCookie], url: str) -> str:
    """The value of the ``Cookie`` header for a request of this URL; empty for none."""
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in cookies if is_sent_with(cookie, url))


def is_sent_with(cookie: ChainCookie, url: str) -> bool:
    """Whether a request for this URL carries the cookie."""
    parts = urlsplit(url)
    host, path = (parts.hostname or "").lower(), parts.path or "/"
    fits_host = host == cookie.domain or (cookie.is_wide and host.endswith(f".{cookie.domain}"))
    below = cookie.path if cookie.path.endswith("/") else f"{cookie.path}/"
    return (
        fits_host
        and (path == cookie.path or path.startswith(below))
        and (parts.scheme == "https" or not cookie.is_secure)
    )


def _may_set(host: str, domain: str) -> bool:
    """Whether a host may set cookies for a domain: for its own, or one above it that is not a public suffix."""
    if host == domain:
        return True
    registered = registered_domain(f"x.{domain}")
    return host.endswith(f".{domain}") and (domain == registered or domain.endswith(f".{registered}"))


def _read_cookie(line: str, url: str) -> tuple[ChainCookie | None, bool]:
    """The cookie that a line sets, and whether it takes it away again."""
    pair, *attributes = line.split(";")
    name, equals, value = (part.strip() for part in pair.partition("="))
    if not equals or not name or len(line) > MAX_COOKIE or not line.isprintable() or not line.isascii():
        return None, False
    given = {key.strip().lower(): text.strip() for key, _, text in (part.partition("=") for part in attributes)}
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    domain = given.get("domain", "").lower().lstrip(".")
    is_wide = bool(domain)
    if domain and not _may_set(host, domain):
        return None, False
    path = given.get("path", "")
    if not path.startswith("/"):
        path = (parts.path or "/").rpartition("/")[0] or "/"
    age = given.get("max-age", "")
    is_over = age.removeprefix("-").isdecimal() and int(age[:12]) <= 0
    return ChainCookie(name, value, domain or host, is_wide, path, "secure" in given), is_over


MAX_DELAY: Final = 10.0
"""Seconds; a page that waits for longer is one to be read, which looks for news of itself."""

_LOOKED_AT: Final = 64 * 1024
"""Bytes of a page in which its head is."""

_HIDDEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<(noscript|script|style|template)\b.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL
)
_META = re.compile(r"""<meta\b(?:[^<>"']|"[^"]*"|'[^']*')*>""", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""(?<![a-z-])([a-z-]++)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_REFRESH = re.compile(
    r"""\s*(?P<delay>\d*+(?:\.\d*+)?)\s*[;,\s]\s*(?:url\s*=\s*)?(?:"(?P<double>[^"]*)"?|'(?P<single>[^']*)'?|(?P<bare>.*))""",
    re.IGNORECASE | re.DOTALL,
)


def refresh_target(refresh: str | None, content_type: str, body: bytes, url: str) -> str | None:
    """Where an answer sends its readers on to within some seconds; None where it is to be read itself.

    Addresses in it are relative to its own URL; only of HTML the body is looked at, besides the ``Refresh`` header.
    """
    values = [refresh] if refresh else []
    if "html" in content_type or (not content_type and body.lstrip()[:1] == b"<"):
        values += _meta_values(body[:_LOOKED_AT].decode("latin-1"))
    for value in values:
        target = _read_refresh(value)
        if target is None:
            continue
        try:
            address = urljoin(url, target)
        except ValueError:
            continue
        if address.partition("#")[0] != url.partition("#")[0]:
            return address
    return None


def _meta_values(text: str) -> list[str]:
    if "refresh" not in text.lower():
        return []
    values = []
    for tag in _META.findall(_HIDDEN.sub(" ", text)):
        attributes = {name.lower(): unescape_references(a or b or c) for name, a, b, c in _ATTRIBUTE.findall(tag)}
        if attributes.get("http-equiv", "").strip().lower() == "refresh":
            values.append(attributes.get("content", ""))
    return values


def _read_refresh(value: str) -> str | None:
    """The address in a refresh that comes soon.

    >>> _read_refresh("0;URL='/next'"), _read_refresh("5; url=/next"), _read_refresh("900"), _read_refresh("900;/next")
    ('/next', '/next', None, None)
    """
    match = _REFRESH.fullmatch(value)
    if match is None:
        return None
    delay = match["delay"].strip(".")
    target = (match["double"] or match["single"] or match["bare"] or "").strip()
    is_soon = not delay or float(delay) <= MAX_DELAY
    return target if target and is_soon and not target.lower().startswith(("javascript:", "data:")) else None
