"""The headline as printed: what h1, JSON-LD, OpenGraph, the title element and the feed agree on."""

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from lxml import etree
from lxml.etree import _Element

from pipeline.html.decode import Elements
from pipeline.html.structured_data import Structured
from pipeline.html.xpath import compile_xpath, text_of
from pipeline.metadata.data_files import load_table
from pipeline.metadata.evidence import FieldCandidate, FieldChoice, choose_best
from pipeline.metadata.nearby_text import UNREAD_TAGS
from pipeline.metadata.page_addresses import path_of
from pipeline.metadata.title_parts import (
    MAX_TITLE,
    fold_title,
    is_name_of_site,
    merge_forms,
    split_title,
    strip_site,
    tidy,
)

_PRINTED = 1.3  # the weight of the h1: as much as two that declare another
_MAX_HEADLINES = 30
MIN_SLUG = 6  # characters
_LONG = 3  # words
_FEW_HEADLINES = 2  # a logo and the headline; where there are more, they are those of teasers
_MIN_INSIDE = 15  # characters: shorter headlines occur inside others by chance
_MIN_SHARED = 0.3  # of an h1's words, for it to be about the same as the declared titles
_FRONT_PAGES = frozenset({"", "/", "/index.html", "/index.php", "/home"})
_WHOLE = frozenset({"wbr", "sub", "sup"})
_BLOCKS = frozenset({"br", "p", "div", "li", "ul", "h2", "h3", "small", "section", "figure"})
_lesser_headlines = compile_xpath(
    "//*[@itemprop='headline'] | (//article | //main | //*[@role='main'])//h2 | //h2[contains(@class, 'itle')]"
    " | //*[contains(@class, 'eadline') or contains(@class, 'entry-title')][not(*[3])]"
)


def read_title(
    elements: Elements,
    structured: Structured,
    site_names: Iterable[str] = (),
    sections: Iterable[str] = (),
    hint: str | None = None,
    url: str = "",
) -> FieldChoice[str] | None:
    """The headline, chosen by weighted agreement of all that name one; None only where nothing does.

    A headline that reads like the site's name is taken where nothing else is left.
    """
    headings, logos = _read_headings(elements)
    own = {fold_title(name) for name in (*site_names, *logos)} - {""}
    parts = {fold_title(name) for name in sections} - {""}
    named = list(_candidates(elements, structured, hint))
    others = {key: text for key, text in headings.items() if not is_name_of_site(key, own)}
    if printed := _printed(others, named, path_of(url)):
        named.insert(0, FieldCandidate(printed, "h1", _PRINTED))
    whole = list(_stripped(named, own, parts))
    candidates = [candidate for candidate in whole if not is_name_of_site(fold_title(candidate.value), own)]
    if not candidates:
        candidates = [FieldCandidate(text, "heading", 0.5) for text in _read_lesser(elements, own)][:1]
    if not candidates:
        candidates = [FieldCandidate(text, "h1", 0.5) for text in headings.values()] + whole
    return choose_best(merge_forms(candidates), fold_title)


def _stripped(named: Iterable[FieldCandidate[str]], own: set[str], sections: set[str]) -> Iterator[FieldCandidate[str]]:
    for candidate in named:
        if title := strip_site(tidy(candidate.value), own, sections):
            yield FieldCandidate(title, candidate.source, candidate.weight)


def _candidates(elements: Elements, structured: Structured, hint: str | None) -> Iterator[FieldCandidate[str]]:
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
    yield from (FieldCandidate(value, source, weight) for source, weight, value in meta if value)


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


def _printed(headings: dict[str, str], named: list[FieldCandidate[str]], path: str) -> str | None:
    """The h1 that is the headline: one that others repeat; else that which shares most words with them.

    Where the page has one or two, a single shared word is enough: headlines are often printed otherwise than they are
    declared. None is needed where the address has the words, or where all that is declared is a title element: some
    sites have the same one on all their pages.
    """
    labels = {label for candidate in named if candidate.source == "title" for label in _labels(candidate.value, named)}
    texts = {key: text for key, text in headings.items() if key not in labels}
    keys = [fold_title(tidy(candidate.value)) for candidate in named]
    for key, text in texts.items():
        if any(key == title or (len(key) > _MIN_INSIDE and key in title) for title in keys):
            return text
    words = set(" ".join(keys).split())
    shared = [(len(words & set(key.split())) / (1 + len(key.split())), text) for key, text in texts.items()]
    share, best = max(shared, default=(0.0, ""), key=lambda pair: pair[0])
    if share >= _MIN_SHARED or (len(texts) <= _FEW_HEADLINES and (share > 0 or not words)):
        return best
    is_static = {candidate.source for candidate in named} <= {"title", "feed"}
    return next((text for key, text in texts.items() if _is_in_path(key, path) or (is_static and _is_long(key))), None)


def _labels(title: str, named: list[FieldCandidate[str]]) -> list[str]:
    """The parts of a title behind its first that no other source repeats: sections, which some pages print as h1."""
    others = " ".join(fold_title(tidy(candidate.value)) for candidate in named if candidate.source != "title")
    parts = [fold_title(part) for part in split_title(tidy(title))]
    return [part for part in parts if part not in others] if others and any(part in others for part in parts) else []


def _is_in_path(key: str, path: str) -> bool:
    """Whether the last step of the address has the heading's words."""
    slug = path.rstrip("/").rpartition("/")[2]
    return len(key) >= MIN_SLUG and key.replace(" ", "") in fold_title(slug).replace(" ", "").replace("_", "")


def _is_long(key: str) -> bool:
    """Whether a heading is no label: three words, or as much in a script without spaces."""
    return len(key.split()) >= _LONG or (not key.isascii() and len(key) >= 3 * _LONG)


def _read_headings(elements: Elements) -> tuple[dict[str, str], list[str]]:
    """The h1 elements by their folded texts; apart from them those that link to the front page: the site's name."""
    texts: dict[str, str] = {}
    logos: list[str] = []
    for element in elements["h1"][:_MAX_HEADLINES]:
        text = heading_text(element)
        if text and _is_logo(element, text):
            logos.append(text)
        elif text:
            texts.setdefault(fold_title(text), text)
    return texts, logos


def _is_logo(heading: _Element, text: str) -> bool:
    links = [
        *heading.iter("a"),
        *(parent for parent in [heading.getparent()] if parent is not None and parent.tag == "a"),
    ]
    for link in links[:3]:
        try:
            path = urlsplit((link.get("href") or "x").strip()).path
        except ValueError:
            continue
        if path in _FRONT_PAGES and not (link.get("href") or "").startswith(("#", "?")):
            return len(text_of(link, MAX_TITLE)) >= len(text) - 3
    return False


def _read_lesser(elements: Elements, own: set[str]) -> Iterator[str]:
    """Headings of lower rank that the markup calls headlines, and the first one of the article."""
    for root in elements["html"][:1]:
        for element in _lesser_headlines(root)[:_MAX_HEADLINES]:
            text = heading_text(element)
            if len(text) >= _MIN_INSIDE and not is_name_of_site(fold_title(text), own):
                yield text


def heading_text(heading: _Element) -> str:
    """The text of a heading on one line, its words whole.

    Inline elements part no words: initials, emphasis, ``wbr``. Only where a capital or a digit follows upon a letter
    at the edge of one, a label ends.
    """
    text = ""
    for event, element in etree.iterwalk(heading, events=("start", "end")):
        is_start, tag = event == "start", element.tag
        if element is heading and not is_start:
            break
        piece = (element.text if is_start and tag not in UNREAD_TAGS else None if is_start else element.tail) or ""
        if tag in _BLOCKS or _is_gap(text, piece, is_whole=tag in _WHOLE):
            piece = f" {piece}"
        text += piece
    return tidy(text)


def _is_gap(before: str, after: str, *, is_whole: bool) -> bool:
    """Whether words end between two pieces of text that nothing parts."""
    if is_whole or not before or not after:
        return False
    return (
        before[-1].isalnum() and after[0].isalnum() and (after[0].isupper() or after[0].isdigit()) and len(before) > 1
    )
