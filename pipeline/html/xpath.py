"""XPath expressions that select elements, compiled once."""

from collections.abc import Callable
from typing import cast

from lxml import etree
from lxml.etree import _Element

from pipeline.text.words import clean_characters


def compile_xpath(path: str) -> Callable[[_Element], list[_Element]]:
    """A function from an element to those that ``path`` selects from it, in document order."""
    compiled = etree.XPath(path)

    def select(element: _Element) -> list[_Element]:
        return cast("list[_Element]", compiled(element))

    return select


_UNREAD = frozenset({"script", "style", "noscript", "template", "rt", "rp", "rtc"})
_FORMATTING = frozenset(
    {"wbr", "b", "strong", "i", "em", "mark", "u", "s", "sub", "sup", "font", "ruby", "rb", "rt", "rp", "rtc", "bdi"}
)
"""Elements that part no words: what stands right before and after one is written together."""


def text_of(element: _Element, limit: int = 1000) -> str:
    """The text inside an element on one line, at most ``limit`` characters, without scripts, styles and readings."""
    if not len(element):
        text = element.text if isinstance(element.tag, str) and element.tag not in _UNREAD else None
        return clean_characters(" ".join((text or "").split())[:limit])
    parts: list[str] = []
    _collect(element, parts, 4 * limit)  # white space counts too, and is taken out below
    return clean_characters(" ".join("".join(parts).split())[:limit])


def _collect(element: _Element, parts: list[str], left: int) -> int:
    """Add the text inside an element in its order; returns how many characters may follow."""
    if text := element.text:
        parts.append(text)
        left -= len(text)
    for child in element:
        if left < 0:
            break
        tag, tail = child.tag, child.tail
        gap = "" if tag in _FORMATTING else " "
        parts.append(gap)
        if isinstance(tag, str) and tag not in _UNREAD:
            left = _collect(child, parts, left)
        # A letter by itself before the rest of its word is an initial.
        is_initial = tag == "span" and tail and tail[0].islower() and len((child.text or "").strip()) == 1
        parts.append("" if is_initial else gap)
        if tail:
            parts.append(tail)
            left -= len(tail)
    return left
