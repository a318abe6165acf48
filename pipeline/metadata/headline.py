"""The headline as printed: what h1, JSON-LD, OpenGraph, the title element and the feed agree on."""

import html
import re
from collections.abc import Iterable, Iterator

from lxml.etree import _Element

from pipeline.decode import Elements
from pipeline.metadata.evidence import Candidate, Choice, choose
from pipeline.metadata.tables import load_table
from pipeline.structured import Structured
from pipeline.structured.selection import text_of

MAX_TITLE = 500  # characters
_SEPARATOR = re.compile(r"\s+[|\-–—·•:»«~/]{1,2}\s+|\s*[|｜ㅣ︱]\s*|\s+::\s+|(?<=\w)-(?=\w+[|ㅣ])")
_UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # XPath refuses them
_ENDS = re.compile(r"[\s|\-–—·•:»«~/｜ㅣ︱]+$")
_STARTS = re.compile(r"^[\s|\-–—·•:»«~/｜ㅣ︱]+")
_TAIL = re.compile(r"[|\-–—·•»«~/｜ㅣ︱](?!\d)")
_MAX_HEADLINES = 30
_FEW_HEADLINES = 2  # a logo and the headline; where there are more, they are those of teasers
_MIN_INSIDE = 15  # characters: shorter headlines occur inside others by chance
_MAX_LABELS = 3  # words: "live", a section, the number of comments
_MIN_CUT = 90  # characters: headlines that are cut without a mark are cut near 100 or 110
_MIN_SHARED = 0.3  # of an h1's words, for it to be about the same as the declared titles


def fold_title(text: str) -> str:
    """What two forms of a headline have in common: words, without case and punctuation."""
    return " ".join(re.findall(r"\w+", text.casefold()))


def read_title(
    elements: Elements,
    structured: Structured,
    site_names: Iterable[str] = (),
    sections: Iterable[str] = (),
    hint: str | None = None,
) -> Choice[str] | None:
    """The headline, chosen by weighted agreement of all that name one."""
    own = {fold_title(name) for name in site_names} - {""}
    parts = {fold_title(name) for name in sections} - {""}
    found = [
        Candidate(cleaned, candidate.source, candidate.weight)
        for candidate in _candidates(elements, structured, hint, own)
        if (cleaned := _strip_site(tidy(candidate.value), own, parts)) and fold_title(cleaned) not in own
    ]
    return choose(_agree(found), fold_title)


def tidy(text: str) -> str:
    """One line of text, character references resolved (they are often escaped twice)."""
    for _ in range(2):
        if "&" in text:
            text = html.unescape(text)
    if "<" in text:
        text = re.sub(r"</?(?:b|i|em|strong|span|br|p|sup|sub|u|font|a|mark|q|small)\b[^<>]{0,200}>", " ", text)
    return " ".join(_UNSTORABLE.sub("", text).split())[:MAX_TITLE]


def _candidates(
    elements: Elements, structured: Structured, hint: str | None, own: set[str]
) -> Iterator[Candidate[str]]:
    meta = [
        ("json-ld", 0.9, _declared(structured)),
        ("og:title", 0.6, structured.first_meta("og:title")),
        ("twitter:title", 0.1, structured.first_meta("twitter:title")),
        ("meta", 0.3, structured.first_meta(*load_table("meta")["title"])),
        ("microdata", 0.4, next(iter(structured.microdata.get("headline", ())), None)),
        (
            "title",
            0.2,
            next((text_of(element) for element in elements["title"] if not _is_drawing(element)), None),
        ),
        ("feed", 0.5, hint),
    ]
    named = [Candidate(value, source, weight) for source, weight, value in meta if value]
    printed = _printed(elements, [candidate.value for candidate in named], own)
    if printed:
        yield Candidate(printed, "h1", 1.3)
    yield from named


def _is_drawing(title: _Element) -> bool:
    parent = title.getparent()
    return (parent is None or parent.tag != "head") and next(title.iterancestors("svg"), None) is not None


def _declared(structured: Structured) -> str | None:
    for node in structured.articles:
        for key in ("headline", "name"):
            value = node.get(key)
            value = value[0] if isinstance(value, list) and value else value
            if isinstance(value, str) and value.strip():
                return value
    return None


def _printed(elements: Elements, others: list[str], own: set[str]) -> str | None:
    """The h1 that is the headline: one that others repeat; else that which shares most words with them.

    Where the page has one or two, a single shared word is enough: headlines are often printed otherwise than they
    are declared.
    """
    texts: dict[str, str] = {}
    for element in elements["h1"][:_MAX_HEADLINES]:
        text = text_of(element, MAX_TITLE)
        if text and not _is_site(fold_title(text), own):
            texts.setdefault(fold_title(text), text)
    keys = [fold_title(tidy(other)) for other in others]
    for key, text in texts.items():
        if any(key == other or (len(key) > _MIN_INSIDE and key in other) for other in keys):
            return text
    words = set(" ".join(keys).split())
    shared = [(len(words & set(key.split())) / (1 + len(key.split())), text) for key, text in texts.items()]
    share, best = max(shared, default=(0.0, ""), key=lambda pair: pair[0])
    return best if share >= _MIN_SHARED or (len(texts) <= _FEW_HEADLINES and (share > 0 or not words)) else None


def _strip_site(title: str, own: set[str], sections: set[str]) -> str:
    """The title without the site's name at its end or start, and without a section before that name."""
    for _ in range(3):
        parts = _SEPARATOR.split(title)
        if len(parts) < 2:
            break
        first, last = fold_title(parts[0]), fold_title(parts[-1])
        if _is_site(last, own) or last in sections:
            title = _ENDS.sub("", title[: len(title) - len(parts[-1])])
        elif _is_site(first, own):
            title = _STARTS.sub("", title[len(parts[0]) :])
        else:
            break
    head, dash, tail = title.rpartition("-")
    return head if dash and fold_title(tail) in sections else title


def _is_site(segment: str, own: set[str]) -> bool:
    """Whether a folded part of a title is the site's name, or that with an addition (*Example News*)."""
    squeezed = segment.replace(" ", "")
    return any(
        squeezed == name.replace(" ", "") or (len(name) > 3 and segment.startswith((f"{name} ", f"the {name}")))
        for name in own
    )


def _agree(found: list[Candidate[str]]) -> Iterator[Candidate[str]]:
    """Counts forms of one headline together.

    A title that goes on behind a separator where another ends counts for that other; a headline that was cut short
    counts for the whole one; an h1 that holds more than what two others agree on (a label, a counter) counts for them.
    """
    trusted = {candidate.source: candidate.value for candidate in found if candidate.source in {"h1", "json-ld"}}
    keys = [fold_title(candidate.value) for candidate in found]
    for candidate, key in zip(found, keys, strict=True):
        value = candidate.value
        if candidate.source == "h1":
            value = next((other.value for other in found if _is_inside(fold_title(other.value), key, keys)), value)
        elif candidate.source not in trusted:
            value = next((head for head in trusted.values() if _goes_on(value, head)), value)
        whole = (other.value for other in found if _is_cut(value, other.value))
        yield Candidate(next(whole, value), candidate.source, candidate.weight)


def _is_inside(part: str, whole: str, keys: list[str]) -> bool:
    """Whether two sources agree on this part of the h1: its beginning or end, or all but a few words."""
    if len(part) <= _MIN_INSIDE or part == whole or keys.count(part) < 2:
        return False
    at_edge = whole.startswith(part + " ") or whole.endswith(" " + part)
    return at_edge or (f" {part} " in whole and len(whole.split()) - len(part.split()) <= _MAX_LABELS)


def _goes_on(title: str, head: str) -> bool:
    """Whether the title is ``head`` with more behind a separator."""
    rest = title[len(head) :].lstrip()
    return bool(head) and title.casefold().startswith(head.casefold()) and bool(_TAIL.match(rest))


def _is_cut(title: str, whole: str) -> bool:
    """Whether the title is the beginning of ``whole``, cut off at a limit of characters (Google asks for 110)."""
    bare = title.rstrip(" .…")
    limit = _MIN_CUT if bare == title else _MIN_INSIDE
    rest = whole[len(bare) :].lstrip()
    return (
        len(whole) > len(title) > 0
        and len(bare) >= limit
        and whole.casefold().startswith(bare.casefold())
        and not _TAIL.match(rest)
    )
