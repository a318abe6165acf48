"""The headline as printed: what h1, JSON-LD, OpenGraph, the title element and the feed agree on."""

import html
import re
from collections.abc import Iterable, Iterator

from lxml.etree import _Element

from pipeline.metadata.evidence import Candidate, Choice, choose
from pipeline.metadata.tables import load_table
from pipeline.structured import Structured
from pipeline.structured.selection import selector, text_of

MAX_TITLE = 500  # characters
_SEPARATOR = re.compile(r"\s+[|\-–—·•:»«~/]{1,2}\s+|\s*[|｜ㅣ︱]\s*|\s+::\s+|(?<=\w)-(?=\w+[|ㅣ])")
_MAX_HEADLINES = 30
_title = selector("//head/title | /html/title | //title[not(ancestor::svg)]")
_headlines = selector("//h1")


def fold_title(text: str) -> str:
    """What two forms of a headline have in common: words, without case and punctuation."""
    return " ".join(re.findall(r"\w+", text.casefold()))


def read_title(
    tree: _Element, structured: Structured, site_names: Iterable[str], hint: str | None
) -> Choice[str] | None:
    """The headline, chosen by weighted agreement of all that name one."""
    own = {fold_title(name) for name in site_names} - {""}
    sections = {fold_title(name) for name in structured.meta.get("article:section", ())}
    found = [
        Candidate(cleaned, candidate.source, candidate.weight)
        for candidate in _candidates(tree, structured, hint)
        if (cleaned := _strip_site(tidy(candidate.value), own, sections)) and fold_title(cleaned) not in own
    ]
    return choose(_merge_tails(found), fold_title)


def tidy(text: str) -> str:
    """One line of text, character references resolved (they are often escaped twice)."""
    for _ in range(2):
        if "&" in text:
            text = html.unescape(text)
    if "<" in text:
        text = re.sub(r"</?(?:b|i|em|strong|span|br|p|sup|sub|u|font|a|mark|q|small)\b[^<>]{0,200}>", " ", text)
    return " ".join(text.split())[:MAX_TITLE]


def _candidates(tree: _Element, structured: Structured, hint: str | None) -> Iterator[Candidate[str]]:
    meta = [
        ("json-ld", 0.8, _declared(structured)),
        ("og:title", 0.7, structured.first_meta("og:title")),
        ("twitter:title", 0.25, structured.first_meta("twitter:title")),
        ("meta", 0.3, structured.first_meta(*load_table("meta")["title"])),
        ("microdata", 0.4, next(iter(structured.microdata.get("headline", ())), None)),
        ("title", 0.25, next((text_of(element) for element in _title(tree)[:1]), None)),
        ("feed", 0.5, hint),
    ]
    named = [Candidate(value, source, weight) for source, weight, value in meta if value]
    printed = _printed(tree, [candidate.value for candidate in named])
    if printed:
        yield Candidate(printed, "h1", 0.9)
    yield from named


def _declared(structured: Structured) -> str | None:
    for node in structured.articles:
        for key in ("headline", "name"):
            value = node.get(key)
            if isinstance(value, str) and value.strip():
                return value
    return None


def _printed(tree: _Element, others: list[str]) -> str | None:
    """The h1 that is the headline: one that others repeat, else the first that shares most words with them."""
    texts = [text for element in _headlines(tree)[:_MAX_HEADLINES] if (text := text_of(element, MAX_TITLE))]
    keys = [fold_title(tidy(other)) for other in others]
    for text in texts:
        key = fold_title(text)
        if key and any(key == other or (len(key) > 15 and (key in other)) for other in keys):
            return text
    words = set(" ".join(keys).split())
    shared = [(len(words & set(fold_title(text).split())) / (1 + len(text.split())), text) for text in texts]
    best = max(shared, default=(0.0, ""), key=lambda pair: pair[0])
    if best[0] >= 0.4 or not words:
        return best[1] or None
    return None


def _strip_site(title: str, own: set[str], sections: set[str]) -> str:
    """The title without the site's name at its end or start, and a section before that name."""
    for _ in range(3):
        parts = _SEPARATOR.split(title)
        if len(parts) < 2:
            return title
        first, last = fold_title(parts[0]), fold_title(parts[-1])
        if _is_site(last, own) or last in sections:
            title = title[: len(title) - len(parts[-1])]
            title = re.sub(r"[\s|\-–—·•:»«~/｜ㅣ︱]+$", "", title)
        elif first in own:
            title = re.sub(r"^[\s|\-–—·•:»«~/｜ㅣ︱]+", "", title[len(parts[0]) :])
        else:
            return title
    return title


def _is_site(segment: str, own: set[str]) -> bool:
    squeezed = segment.replace(" ", "")
    return any(
        squeezed == name.replace(" ", "") or (len(name) > 3 and segment.startswith((name + " ", "the " + name)))
        for name in own
    )


def _merge_tails(found: list[Candidate[str]]) -> Iterator[Candidate[str]]:
    """Counts a title that is another one with a tail behind a separator for that other one."""
    plain = {
        fold_title(candidate.value): candidate.value for candidate in found if candidate.source in {"h1", "json-ld"}
    }
    for candidate in found:
        value = candidate.value
        for part in _heads(value):
            if fold_title(part) in plain and candidate.source not in {"h1", "json-ld"}:
                value = plain[fold_title(part)]
                break
        yield Candidate(value, candidate.source, candidate.weight)


def _heads(title: str) -> list[str]:
    """What stands before each separator, the longest first."""
    ends = [match.start() for match in _SEPARATOR.finditer(title)]
    return [title[:end] for end in reversed(ends) if len(title[end:].split()) <= 8]
