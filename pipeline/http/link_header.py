"""Links in HTTP headers (RFC 8288): read tolerantly, as total functions of text."""

import re
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

MAX_LINKS = 200
"""Links of one header that are read; servers that preload send some dozens."""

_TARGET = re.compile(r"<([^<>]*)>")
_PARAMETER = re.compile(r"""\s*;\s*([^\s=;,<>"]*)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"<>]*)))?""")


@dataclass(frozen=True, slots=True)
class Link:
    """One link.

    Attributes:
        url: absolute.
        rels: the relation types, in lower case.
        type: media type that the target is said to have, in lower case; empty where nothing is said.
        title: as sent.
    """

    url: str
    rels: frozenset[str]
    type: str = ""
    title: str = ""


def read_links(header: str, url: str) -> tuple[Link, ...]:
    """The links of a ``Link`` header whose targets are http(s) URLs, in order; what cannot be read is passed over.

    >>> read_links('<https://hub.example/>; rel="hub", </feed>; rel=self', "https://a.example/x")[1].url
    'https://a.example/feed'

    Args:
        header: its value; several headers joined by commas.
        url: where it came from: relative targets lead on from there.
    """
    links: list[Link] = []
    index = 0
    while len(links) < MAX_LINKS and (target := _TARGET.search(header, index)):
        index = target.end()
        parameters: dict[str, str] = {}
        while (parameter := _PARAMETER.match(header, index)) and parameter.end() > index:
            index = parameter.end()
            name, quoted, token = parameter.groups()
            # The first of equal names counts (RFC 8288, 3.3).
            parameters.setdefault(name.lower(), re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else token or "")
        absolute = absolute_url(target[1], url)
        if absolute is not None:
            rels = frozenset(parameters.get("rel", "").lower().split())
            kind = parameters.get("type", "").partition(";")[0].strip().lower()
            links.append(Link(absolute, rels, kind, parameters.get("title", "")))
    return tuple(links)


def absolute_url(target: str, url: str) -> str | None:
    """Where a link leads from this URL, as written otherwise; None where that is no http(s) URL.

    >>> absolute_url("feed.xml", "https://a.example/news/")
    'https://a.example/news/feed.xml'
    >>> absolute_url("mailto:desk@a.example", "https://a.example/") is None
    True
    """
    try:
        absolute = urljoin(url, target.strip())
        parts = urlsplit(absolute)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return None
    return absolute if usable else None
