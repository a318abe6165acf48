"""What a page and its server say about the use of it: signals that reserve rights, read and recorded, not judged.

=============  =========================================================================================================
``noarchive``  no copy is to be kept (robots meta element, X-Robots-Tag)
``noai``       not for training models (the same places; DeviantArt's words, taken up by others)
``noimageai``  the same for pictures
``tdm``        rights to text and data mining are reserved (TDMRep: a header or a meta element ``tdm-reservation: 1``)
=============  =========================================================================================================

https://www.w3.org/community/reports/tdmrep/CG-FINAL-tdmrep-20240510/,
https://developers.google.com/search/docs/crawling-indexing/robots-meta-tag
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

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
    found = _directives(headers.get("x-robots-tag", ""), _product(agent)) & _ROBOTS
    said = headers.get("tdm-reservation", "")
    reserved = True if _ON.match(said) else False if _OFF.match(said) else tdm
    return _sorted(found | ({"tdm"} if reserved else set()))


def signals_of_meta(meta: Mapping[str, Sequence[str]], agent: str = "") -> tuple[str, ...]:
    """The signals in the meta elements of a page, by name in lower case.

    >>> signals_of_meta({"robots": ("index, NOAI",), "tdm-reservation": ("1",), "googlebot": ("noarchive",)})
    ('noai', 'tdm')
    """
    contents = (*meta.get("robots", ()), *meta.get(_product(agent) or "robots", ()))
    found = {word for content in contents for word in re.split(r"[\s,;]+", content.lower())} & _ROBOTS
    reserved = any(_ON.match(content) for content in meta.get("tdm-reservation", ()))
    return _sorted(found | ({"tdm"} if reserved else set()))


def merged(*signals: Iterable[str]) -> tuple[str, ...]:
    """All of them, each once, in the order in which they are recorded."""
    return _sorted({signal for some in signals for signal in some})


def is_refused(signals: Iterable[str], respected: Collection[str]) -> bool:
    """Whether one of the signals is among those that we are set to respect."""
    return any(signal in respected for signal in signals)


def _directives(value: str, product: str) -> set[str]:
    """The directives that are meant for us: for everybody, or after our name; a name holds until the next one."""
    found: set[str] = set()
    ours = True
    for part in value.lower().split(","):
        named = _AGENT.match(part)
        if named and named[1] not in _VALUED:
            ours = named[1] in {"*", product}
            part = named[2]  # noqa: PLW2901  # what is left of it is the first directive
        if ours:
            found.update(part.split())
    return found


def _product(agent: str) -> str:
    return agent.partition("/")[0].strip().lower()


def _sorted(signals: Iterable[str]) -> tuple[str, ...]:
    return tuple(signal for signal in SIGNALS if signal in set(signals))
