"""What the rules of sites are written in: selectors of elements, and sources of fields."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from cssselect import HTMLTranslator, SelectorError
from lxml import etree
from lxml.etree import _Element

from pipeline.html.structured_data import Structured
from pipeline.html.xpath import text_of

MAX_TEXT = 1000
"""Characters of a field that are read."""

_MAX_VALUES = 50
_KINDS = ("json-ld", "meta", "css", "xpath")


@dataclass(frozen=True, slots=True)
class Selector:
    """A compiled selector; equal where its text is."""

    text: str
    xpath: etree.XPath = field(compare=False, repr=False)

    def select(self, tree: _Element) -> list[_Element]:
        """The elements that it names, in document order; none where the page makes it fail."""
        try:
            elements = self.xpath(tree)
        except etree.XPathError:
            return []
        return [each for each in elements if isinstance(each, _Element)] if isinstance(elements, list) else []


def select_elements(selectors: Iterable[Selector], tree: _Element) -> frozenset[_Element]:
    """The elements that any of the selectors names."""
    return frozenset(element for selector in selectors for element in selector.select(tree))


@dataclass(frozen=True, slots=True)
class FieldSource:
    """Where a field stands.

    Attributes:
        text: as written in the rule.
        kind: json-ld, meta, css or xpath.
        name: the key or name; empty for the others.
        attribute: the attribute that holds the value; empty for the element's text.
    """

    text: str
    kind: str
    name: str = ""
    attribute: str = ""
    selector: Selector | None = None

    def read(self, tree: _Element, structured: Structured) -> tuple[str, ...]:
        """The values as written, without those that are empty."""
        values: Iterator[str]
        if self.selector is not None:
            values = (
                (element.get(self.attribute) or "") if self.attribute else text_of(element, MAX_TEXT)
                for element in self.selector.select(tree)[:_MAX_VALUES]
            )
        elif self.kind == "meta":
            values = iter(structured.meta.get(self.name.lower(), ()))
        else:
            values = _inside(next((node for node in structured.articles if _has(node, self.name)), {}), self.name)
        return tuple(text for value in values if (text := " ".join(value.split())[:MAX_TEXT]))


def compile_selector(text: str) -> Selector:
    """The selector of a text. Raises ValueError when it is neither CSS nor XPath."""
    try:
        if text.startswith("xpath:"):
            return Selector(text, etree.XPath(text.removeprefix("xpath:")))
        return Selector(text, etree.XPath(HTMLTranslator().css_to_xpath(text)))
    except (SelectorError, etree.XPathError) as error:
        raise ValueError(f"{text!r} is no selector: {error}") from error


def compile_source(text: str) -> FieldSource:
    """The source of a text. Raises ValueError when it is none."""
    kind, colon, rest = text.partition(":")
    if kind not in _KINDS or not colon or not rest.strip():
        raise ValueError(f"{text!r} should begin with one of {', '.join(f'{known}:' for known in _KINDS)}")
    if kind in ("json-ld", "meta"):
        return FieldSource(text, kind, name=rest.strip())
    path, _, attribute = rest.strip().partition(" @")
    return FieldSource(
        text,
        kind,
        attribute=attribute.strip(),
        selector=compile_selector(path if kind == "css" else f"xpath:{path}"),
    )


def _has(node: dict[str, Any], name: str) -> bool:
    return next(_inside(node, name), None) is not None


def _inside(value: Any, path: str) -> Iterator[str]:  # noqa: ANN401  # whatever stands in JSON-LD
    """The texts at a path of keys; lists are gone through."""
    if isinstance(value, list):
        for each in value:
            yield from _inside(each, path)
    elif not path and isinstance(value, str):
        if value.strip():
            yield value
    elif path and isinstance(value, dict):
        key, _, rest = path.partition(".")
        yield from _inside(value.get(key), rest)
