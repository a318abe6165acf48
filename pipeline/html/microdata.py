"""Microdata: the properties of the item that is the page's article."""

from collections.abc import Mapping

from lxml.etree import _Element

from pipeline.html.decode import Elements
from pipeline.html.xpath import compile_xpath, text_of

ARTICLE_WORDS = ("article", "posting", "blogpost", "report", "review", "recipe")
MAX_PROPERTIES = 400  # per page: comment threads and shops repeat theirs thousands of times
_FROM_ATTRIBUTE = {"meta": "content", "a": "href", "link": "href", "img": "src", "time": "datetime", "data": "value"}
_with_property = compile_xpath(".//*[@itemprop]")
_LONG = frozenset({"articlebody", "text", "reviewbody", "comment"})  # left to what extracts text


def read_microdata(elements: Elements) -> Mapping[str, tuple[str, ...]]:
    """The properties of the first article item, names in lower case; empty where there is none."""
    # A third of the time of the XPath expression for the same.
    items = [element for element in elements["*"] if element.get("itemtype") is not None]
    for item in items[:200]:
        kind = (item.get("itemtype") or "").lower().rstrip("/").rsplit("/", 1)[-1]
        if any(word in kind for word in ARTICLE_WORDS) and not _is_in_list(item):
            properties = _properties(item)
            if "headline" in properties or "datepublished" in properties or "author" in properties:
                return properties
    return {}


def _is_in_list(item: _Element) -> bool:
    """Whether like items stand beside it: then it is a teaser of a list."""
    parent = item.getparent()
    if parent is None:
        return False
    kind = item.get("itemtype")
    return sum(other.get("itemtype") == kind for other in parent) > 1


def _properties(item: _Element) -> dict[str, tuple[str, ...]]:
    properties: dict[str, tuple[str, ...]] = {}
    for element in _with_property(item)[:MAX_PROPERTIES]:
        owner = _owner(element)
        for name in (element.get("itemprop") or "").lower().split():
            if name in _LONG or owner is not item:
                continue
            value = _item_name(element) if element.get("itemscope") is not None else property_value(element)
            if value:
                properties[name] = (*properties.get(name, ()), value)
    return properties


def _owner(element: _Element) -> _Element | None:
    """The item that the element's property belongs to: the nearest ancestor with ``itemscope``."""
    for ancestor in element.iterancestors():
        if ancestor.get("itemscope") is not None or ancestor.get("itemtype"):
            return ancestor
    return None


def _item_name(item: _Element) -> str:
    """What stands for an item within an item: its name, or its address."""
    for name in ("name", "url"):
        for element in _with_property(item):
            if name in (element.get("itemprop") or "").lower().split():
                return property_value(element)
    return text_of(item, 300)


def property_value(element: _Element) -> str:
    """The value of a property: the attribute that its element carries it in, else the text."""
    for attribute in ("content", _FROM_ATTRIBUTE.get(str(element.tag), "")):
        value = element.get(attribute) if attribute else None
        if value and value.strip():
            if attribute == "href" and (text := text_of(element)):
                return text
            return str(value).strip()
    return text_of(element)
