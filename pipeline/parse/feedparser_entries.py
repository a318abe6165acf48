"""Entries as feedparser reads them, and the facts in which the tree of the document corrects it.

feedparser reads every document that is well-formed. It loses entries where one is not, and gets some facts wrong
where it is: an extension's element overrules the format's own, authors are not inherited, dates in many languages
and zones are not understood, and the first link may lead to no page. Those come from the elements themselves
(`pipeline.parse.entries`).
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import feedparser

from pipeline.parse.elements import Element, name_of
from pipeline.parse.fields import Fields, distinct_names
from pipeline.parse.plain import Kind, plain_paragraphs, plain_text

_KINDS: dict[str, Kind] = {"application/xhtml+xml": "xhtml", "text/plain": "text"}
_NO_TEXT = ("image/", "audio/", "video/", "application/octet")
_SINGLE = frozenset({"title", "description", "summary", "guid", "id", "pubdate", "published", "updated"})

MAX_ELEMENTS = 500
"""Directly in one entry."""

MAX_TAGS = 5_000
"""Categories and keywords in the whole document, wherever they stand: feedparser compares each with all before it."""

MAX_ATTRIBUTES = 200
"""Of any element: feedparser looks each up among all of them."""

_TAGS = frozenset({"category", "subject", "keywords", "tags"})


def parse_entries(markup: str, elements: Sequence[Element]) -> list[dict[str, Any]] | None:
    """The entries of well-formed markup, one for each of their elements.

    None where feedparser gives up, finds another number of them, or would take too long.
    """
    if not elements or any(len(element) > MAX_ELEMENTS for element in elements) or _is_flood(elements[0]):
        return None
    try:
        # A stream, because feedparser takes bytes for the name of a file first. No address either: it would resolve
        # guids such as "4711" against it. And no sanitising: all markup is taken out later.
        parsed = feedparser.parse(
            io.BytesIO(markup.encode()),
            response_headers={"content-type": "application/xml; charset=utf-8"},
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except Exception:  # noqa: BLE001  # hostile markup makes feedparser raise what it likes
        return None
    return list(parsed.entries) if len(parsed.entries) == len(elements) else None


def _is_flood(element: Element) -> bool:
    """Whether the document that the element stands in has too many tags, or too many attributes in one place."""
    parts = list(element.getroottree().iter("{*}*"))
    listing = (part for part in parts if name_of(part).rpartition(":")[2] in _TAGS)
    texts = ("".join((part.text or "", *(child.tail or "" for child in part))) for part in listing)
    return sum(text.count(",") + 1 for text in texts) > MAX_TAGS or any(
        len(part.attrib) > MAX_ATTRIBUTES for part in parts
    )


def correct_fields(raw: dict[str, Any], element: Element, own: Fields) -> Fields:
    """What feedparser read of an entry, with the facts of its element where those are better."""
    if _is_contested(element):
        return own
    # dict.get, because feedparser's own gives "summary" for "description".
    labels = (str(tag.get("label") or tag.get("term") or "") for tag in dict.get(raw, "tags") or ())
    return replace(
        own,
        title=_plain(raw, "title") or own.title,
        summary=_plain(raw, "summary") or own.summary,
        contents=tuple(filter(None, _contents(raw))) or own.contents,
        tags=distinct_names(plain_text(label) for label in labels) or own.tags,
    )


def _is_contested(element: Element) -> bool:
    """Whether several elements say one thing: feedparser takes the last, whichever it is."""
    names = [name_of(child).rpartition(":")[2] for child in element]
    return any(names.count(name) > 1 for name in _SINGLE) or any(
        name_of(child).startswith("media:") for child in element
    )


def _plain(raw: dict[str, Any], key: str) -> str:
    detail = dict.get(raw, f"{key}_detail") or {}
    return plain_text(str(dict.get(raw, key) or ""), _KINDS.get(detail.get("type") or "", "html"))


def _contents(raw: dict[str, Any]) -> Iterator[str]:
    for content in dict.get(raw, "content") or ():
        if not str(content.get("type") or "").startswith(_NO_TEXT):
            yield plain_paragraphs(str(content.get("value") or ""), _KINDS.get(content.get("type") or "", "html"))
