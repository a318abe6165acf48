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


def text_of(element: _Element, limit: int = 1000) -> str:
    """The text inside an element on one line, at most ``limit`` characters, without scripts and styles."""
    parts: list[str] = []
    size = 0
    for part in _texts(element):
        parts.append(str(part))
        size += len(part)
        if size > 4 * limit:
            break
    return " ".join(" ".join(parts).split())[:limit]


_select_texts = etree.XPath(".//text()[not(parent::script or parent::style or parent::noscript or parent::template)]")


def _texts(element: _Element) -> list[str]:
    return cast("list[str]", _select_texts(element))
