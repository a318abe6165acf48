"""What a site, its server and a page say about the use of texts: signals that reserve rights, recorded, not judged.

=============  =========================================================================================================
``noarchive``  no copy is to be kept (robots meta element, X-Robots-Tag)
``noai``       not for training models (the same places; DeviantArt's words, taken up by others)
``noimageai``  the same for pictures
``tdm``        rights to text and data mining are reserved (TDMRep: a header or a meta element ``tdm-reservation: 1``)
=============  =========================================================================================================

https://www.w3.org/community/reports/tdmrep/CG-FINAL-tdmrep-20240510/,
https://developers.google.com/search/docs/crawling-indexing/robots-meta-tag

A site's ``/.well-known/tdmrep.json``, which is fetched elsewhere, is an array of rules, each with a ``location``, a
pattern of paths as in robots.txt (``*`` and ``$``), and a ``tdm-reservation``, 1 or 0. The first rule whose pattern
fits counts; where none does, the file says nothing. What a server or page says by itself outweighs the file. (TDMRep, 6
and 7.)
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

SIGNALS = ("noai", "noarchive", "noimageai", "tdm")
"""All signals that are known, in the order in which they are recorded."""

_ROBOTS = frozenset(SIGNALS) - {"tdm"}
# Directives whose value follows a colon: any other word before a colon is the name of a robot.
_VALUED = frozenset({"max-snippet", "max-image-preview", "max-video-preview", "unavailable_after"})
_AGENT = re.compile(r"\s*([\w.*/-]+)\s*:\s*(.*)\Z", re.DOTALL)
_ON = re.compile(r"\s*1(?:\s*[,;].*)?\Z", re.DOTALL)
_OFF = re.compile(r"\s*0(?:\s*[,;].*)?\Z", re.DOTALL)


def signals_of_headers(headers: Mapping[str, str], agent: str, tdm: bool | None = None) -> tuple[str, ...]:
    """The signals in the headers of an answer, and in what its host says of it.

    Args:
        headers: names in lower case; several of one name joined by commas.
        agent: our name for robots.txt: what is said to another robot alone does not count.
        tdm: whether the host's tdmrep.json reserves rights; a header that says 1 or 0 outweighs it (TDMRep, 7).

    >>> signals_of_headers({"x-robots-tag": "otherbot: noai, nofollow, news-pipeline: noarchive"}, "news-pipeline/1.0")
    ('noarchive',)
    """
    signals = _directives(headers.get("x-robots-tag", ""), _product(agent)) & _ROBOTS
    reservation = headers.get("tdm-reservation", "")
    reserved = True if _ON.match(reservation) else False if _OFF.match(reservation) else tdm
    return _sorted(signals | ({"tdm"} if reserved else set()))


def signals_of_meta(meta: Mapping[str, Sequence[str]], agent: str) -> tuple[str, ...]:
    """The signals in the meta elements of a page, by name in lower case; ``agent`` as of `signals_of_headers`.

    >>> signals_of_meta({"robots": ("index, NOAI",), "tdm-reservation": ("1",), "googlebot": ("noarchive",)}, "ours/1")
    ('noai', 'tdm')
    """
    contents = (*meta.get("robots", ()), *meta.get(_product(agent) or "robots", ()))
    signals = {word for content in contents for word in re.split(r"[\s,;]+", content.lower())} & _ROBOTS
    reserved = any(_ON.match(content) for content in meta.get("tdm-reservation", ()))
    return _sorted(signals | ({"tdm"} if reserved else set()))


def merge_signals(*signals: Iterable[str]) -> tuple[str, ...]:
    """All of them, each once, in the order in which they are recorded."""
    return _sorted({signal for some in signals for signal in some})


def is_refused(signals: Iterable[str], respected: Collection[str]) -> bool:
    """Whether one of the signals is among those that we are set to respect."""
    return any(signal in respected for signal in signals)


def _directives(value: str, product: str) -> set[str]:
    """The directives that are meant for us: for everybody, or after our name; a name holds until the next one."""
    signals: set[str] = set()
    ours = True
    for part in value.lower().split(","):
        named = _AGENT.match(part)
        if named and named[1] not in _VALUED:
            ours = named[1] in {"*", product}
            part = named[2]  # noqa: PLW2901  # what is left of it is the first directive
        if ours:
            signals.update(part.split())
    return signals


def _product(agent: str) -> str:
    return agent.partition("/")[0].strip().lower()


def _sorted(signals: Iterable[str]) -> tuple[str, ...]:
    return tuple(signal for signal in SIGNALS if signal in set(signals))


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
    return TdmRules(tuple(rule for entry in listed[:MAX_RULES] if (rule := _rule(entry)) is not None))


def tdm_text(body: bytes) -> str:
    """The text of a file, fit to be stored; empty for one that is too large, or that is no JSON array."""
    text = body.decode("utf-8-sig", "replace").replace("\0", "\ufffd") if len(body) <= MAX_BYTES else ""
    return text if text.lstrip().startswith("[") else ""  # many sites answer any path with a page


def _rule(entry: Any) -> tuple[str, bool] | None:  # noqa: ANN401  # whatever the JSON holds
    if not isinstance(entry, dict):
        return None
    location, value = entry.get("location"), entry.get("tdm-reservation")
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
