"""What a site's ``/.well-known/tdmrep.json`` says of text and data mining (TDMRep). Pure: it is fetched elsewhere.

An array of rules, each with a ``location``, a pattern of paths as in robots.txt (``*`` and ``$``), and a
``tdm-reservation``, 1 or 0. The first rule whose pattern fits counts; where none does, the file says nothing. What a
server or page says by itself outweighs the file.

https://www.w3.org/community/reports/tdmrep/CG-FINAL-tdmrep-20240510/, 6 and 7
"""

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

PATH = "/.well-known/tdmrep.json"

MAX_BYTES = 256 * 1024
"""A file that is larger is not read; the largest in the wild have some hundred rules."""

MAX_RULES = 1_000

_UNRESERVED = re.compile(r"%(2[DE]|3\d|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TdmRules:
    """The rules of one host: patterns of paths, and whether rights are reserved there, in order."""

    rules: tuple[tuple[str, bool], ...] = ()

    def is_reserved(self, url: str) -> bool | None:
        """Whether rights are reserved at a URL; None where the file does not say.

        >>> TdmRules((("/press/*.html$", False), ("/", True))).is_reserved("https://news.example/press/1.html")
        False
        """
        try:
            parts = urlsplit(url)
        except ValueError:
            return None
        path = _decoded(parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return next((reserved for pattern, reserved in self.rules if _fits(pattern, path)), None)


def parse_tdm(text: str) -> TdmRules:
    """The rules of a file; what is none, or no rule, does not count.

    >>> parse_tdm('[{"location": "/", "tdm-reservation": 1}, {"location": 7}]')
    TdmRules(rules=(('/', True),))
    """
    try:
        listed = json.loads(text)
    except (ValueError, RecursionError):
        return TdmRules()
    if not isinstance(listed, list):
        return TdmRules()
    return TdmRules(tuple(rule for one in listed[:MAX_RULES] if (rule := _rule(one)) is not None))


def tdm_text(body: bytes) -> str:
    """The text of a file, fit to be stored; empty for one that is too large, or that is no JSON array."""
    text = body.decode("utf-8-sig", "replace").replace("\0", "\ufffd") if len(body) <= MAX_BYTES else ""
    return text if text.lstrip().startswith("[") else ""  # many sites answer any path with a page


def _rule(one: Any) -> tuple[str, bool] | None:  # noqa: ANN401  # whatever the JSON holds
    if not isinstance(one, dict):
        return None
    location, value = one.get("location"), one.get("tdm-reservation")
    # Strictly a number; "1" is common. Anything else counts as not said.
    reserved = {1: True, "1": True, 0: False, "0": False}.get(value) if isinstance(value, int | str) else None
    if reserved is None or not isinstance(location, str) or not location.startswith(("/", "*")):
        return None
    return _decoded(location), reserved


def _decoded(text: str) -> str:
    """With the characters that need no encoding written as themselves (RFC 9309, 2.2.2)."""
    return _UNRESERVED.sub(lambda match: chr(int(match[1], 16)), text)


def _fits(pattern: str, path: str) -> bool:
    """Whether a pattern fits the beginning of a path, all of it with a ``$`` at the end.

    Part for part, each at its first place: a regular expression with many stars can be made to take for ever.
    """
    whole = pattern.endswith("$")
    first, *parts = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    at = len(first)
    for number, part in enumerate(parts):
        if whole and number == len(parts) - 1:
            return path.endswith(part) and len(path) - len(part) >= at
        at = path.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return not whole or at == len(path)
