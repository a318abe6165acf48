"""XPath expressions that select elements, compiled once."""

from collections.abc import Callable
from typing import cast

from lxml import etree
from lxml.etree import _Element


def selector(path: str) -> Callable[[_Element], list[_Element]]:
    """A function from an element to those that ``path`` selects from it, in document order."""
    compiled = etree.XPath(path)

    def select(element: _Element) -> list[_Element]:
        return cast("list[_Element]", compiled(element))

    return select


_UNREAD = frozenset({"script", "style", "noscript", "template"})


def text_of(element: _Element, limit: int = 1000) -> str:
    """The text inside an element on one line, at most ``limit`` characters, without scripts and styles."""
    if not len(element):
        text = element.text if isinstance(element.tag, str) and element.tag not in _UNREAD else None
        return " ".join((text or "").split())[:limit]
    parts: list[str] = []
    size = 0
    for inner in element.iter():
        text = inner.text if isinstance(inner.tag, str) and inner.tag not in _UNREAD else None
        for part in (text, inner.tail if inner is not element else None):
            if part:
                parts.append(part)
                size += len(part)
        if size > 4 * limit:  # white space counts too, and is taken out below
            break
    return " ".join(" ".join(parts).split())[:limit]
