"""Forms of one headline: tidied, folded, without the site's name, and told apart from labels and cut ends."""

import re
import unicodedata
from collections.abc import Iterator

from pipeline.metadata.evidence import FieldCandidate
from pipeline.text.character_references import unescape_references
from pipeline.text.words import find_words

MAX_TITLE = 500  # characters
_SEPARATOR = re.compile(
    r"\s+[|\-–—·•:»«›‹~/_]{1,2}\s+|\s*[|｜ㅣ︱]\s*|\s+::\s+|(?<=\w)-(?=\w+[|ㅣ])"
    r"|(?<=[\u3000-\u9fff\uac00-\ud7af\uff00-\uffef])_+(?=\w)|(?<=\w)_+(?=[\u3000-\u9fff\uac00-\ud7af])"
)
# C0, C1 and surrogates, which XPath and databases refuse; soft hyphens, zero-width spaces, joiners of words, marks of
# direction and of byte order, which nobody sees. The joiners of Arabic and Indian scripts stay: they change letters.
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u200b\u200e\u200f\u2060-\u2064\ufeff\ud800-\udfff\ufffe\uffff]"
)
_MARKS = r"|\-–—·•:»«›‹~/_｜ㅣ︱"
_ENDS = re.compile(rf"[\s{_MARKS}]+$")
_STARTS = re.compile(rf"^[\s{_MARKS}]+")
_TAIL = re.compile(r"[|\-–—·•»«›‹~/_｜ㅣ︱](?!\d)")
_MIN_INSIDE = 15  # characters: shorter headlines occur inside others by chance
_MAX_LABELS = 3  # words: "live", a section, the number of comments
_MIN_CUT = 90  # characters: headlines that are cut without a mark are cut near 100 or 110
_MIN_HAN = 4  # signs: a shorter beginning of a Chinese title is a label
_MIN_DOMAIN = 5  # characters: shorter labels of domains occur in words by chance


def fold_title(text: str) -> str:
    """What two forms of a headline have in common: words, without case and punctuation."""
    return " ".join(find_words(text.casefold()))


def tidy(text: str) -> str:
    """One line of text in composed letters, without what is invisible.

    Character references are resolved: they are often escaped twice.
    """
    for _ in range(2):
        if "&" in text:
            text = unescape_references(text)
    if "<" in text:
        text = re.sub(r"</?(?:b|i|em|strong|span|br|p|sup|sub|u|font|a|mark|q|small)\b[^<>]{0,200}>", " ", text)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return " ".join(_INVISIBLE.sub("", text).split())[:MAX_TITLE]


def split_title(title: str) -> list[str]:
    """The parts of a title between separators.

    >>> split_title("Harbour opens again | City - Courant"), split_title("港口开放_新闻_港口日报")
    (['Harbour opens again', 'City', 'Courant'], ['港口开放', '新闻', '港口日报'])
    """
    return _SEPARATOR.split(title)


def strip_site(title: str, own: set[str], sections: set[str]) -> str:
    """The title without the site's name and what stands behind it, without that name in front, and without a section.

    Args:
        title: one line.
        own: what the site is called, folded.
        sections: what its sections are called, folded.
    """
    for _ in range(3):
        parts = split_title(title)
        if len(parts) < 2:
            break
        if is_site(fold_title(parts[0]), own):
            title = _STARTS.sub("", title[len(parts[0]) :])
        elif (begin := _begin_of_site(title, parts, own, sections)) is not None:
            title = _ENDS.sub("", title[:begin])
        else:
            break
    head, dash, tail = title.rpartition("-")
    title = head if dash and fold_title(tail) in sections else title
    headline, mark, _ = title.partition("_")  # what Chinese sites put behind it are channels and names
    return headline if mark and len(split_title(title)) > 1 and len(headline) >= _MIN_HAN else title


def _begin_of_site(title: str, parts: list[str], own: set[str], sections: set[str]) -> int | None:
    """Where the part that names the site begins, alone or with all that follows; or a section at the end."""
    begin = len(parts[0])
    for index, part in enumerate(parts[1:], start=1):
        begin = title.index(part, begin)
        folded, rest = fold_title(part), fold_title(title[begin:])
        is_last = index == len(parts) - 1
        if rest in own or is_site(folded, own) or _has_domain(folded, own) or (is_last and folded in sections):
            return begin
        begin += len(part)
    return None


def _has_domain(segment: str, own: set[str]) -> bool:
    """Whether the last part of a title holds the name of the site's domain: *St. Mary's Choir Ulm* on choir-ulm.de."""
    squeezed = segment.replace(" ", "")
    labels = (name.replace(" ", "") for name in own if len(name) >= _MIN_DOMAIN)
    return any(label in squeezed and len(squeezed) <= 4 * len(label) for label in labels)


def is_name_of_site(title: str, own: set[str]) -> bool:
    """Whether a whole folded title is nothing but the site's name."""
    squeezed = title.replace(" ", "")
    return any(squeezed in (name, f"the{name}", f"{name}news") for name in (name.replace(" ", "") for name in own))


def is_site(segment: str, own: set[str]) -> bool:
    """Whether a folded part of a title is the site's name, or that with an addition (*Example News*)."""
    squeezed = segment.replace(" ", "")
    return any(
        squeezed == name.replace(" ", "")
        or (
            len(name) > 3
            and segment.startswith((f"{name} ", f"the {name}"))
            and len(segment.split()) - len(name.split()) <= _MAX_LABELS
        )
        for name in own
    )


def merge_forms(candidates: list[FieldCandidate[str]]) -> Iterator[FieldCandidate[str]]:
    """Counts forms of one headline together.

    A title that goes on behind a separator where another ends counts for that other; a headline that was cut short
    counts for the whole one; an h1 that holds more than what two others agree on (a label, a counter) counts for them.
    """
    trusted = {candidate.source: candidate.value for candidate in candidates if candidate.source in {"h1", "json-ld"}}
    keys = [fold_title(candidate.value) for candidate in candidates]
    for candidate, key in zip(candidates, keys, strict=True):
        value = candidate.value
        if candidate.source == "h1":
            value = next((part.value for part in candidates if _is_inside(fold_title(part.value), key, keys)), value)
        elif candidate.source not in trusted:
            value = next((head for head in trusted.values() if _goes_on(value, head)), value)
        whole = (longer.value for longer in candidates if _is_cut(value, longer.value))
        yield FieldCandidate(next(whole, value), candidate.source, candidate.weight)


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
