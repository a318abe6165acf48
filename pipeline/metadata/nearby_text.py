"""The pieces of text around an element, the nearest first, and what the classes and ids of elements promise."""

import re
from collections.abc import Iterator
from functools import lru_cache

from lxml.etree import _Element

from pipeline.metadata.data_files import load_table

UNREAD_TAGS = frozenset(
    {"script", "style", "noscript", "template", "svg", "select", "iframe", "title", "head", "meta", "rt", "rp", "rtc"}
)
"""Elements whose text no reader sees in the page, or sees above the characters that it is a reading of."""


def texts_below(element: _Element) -> Iterator[tuple[_Element, str]]:
    """The text after the element, in document order, up to the end of the body."""
    node: _Element | None = element
    while node is not None and node.tag != "body":
        yield from _text_behind(node)
        for sibling in node.itersiblings():
            for inner in sibling.iter():
                yield from _text_of(inner)
                if inner is not sibling:
                    yield from _text_behind(inner)
            yield from _text_behind(sibling)
        node = node.getparent()


def texts_above(element: _Element) -> Iterator[tuple[_Element, str]]:
    """The text before the element, in reverse document order."""
    node: _Element | None = element
    while node is not None and node.tag != "body":
        for sibling in node.itersiblings(preceding=True):
            yield from _text_behind(sibling)
            for inner in reversed(list(sibling.iter())):
                if inner is not sibling:
                    yield from _text_behind(inner)
                yield from _text_of(inner)
        node = node.getparent()


def _text_of(element: _Element) -> Iterator[tuple[_Element, str]]:
    if (
        isinstance(element.tag, str)
        and element.tag not in UNREAD_TAGS
        and (line := " ".join((element.text or "").split()))
    ):
        yield element, line


def _text_behind(element: _Element) -> Iterator[tuple[_Element, str]]:
    if line := " ".join((element.tail or "").split()):
        owner = element.getparent()
        if owner is not None:
            yield owner, line


NAMING = ("class", "id", "itemprop", "data-testid")
"""Attributes by which authors of pages name their elements."""

# Parts of such names that tell about layout only: builders call every block a widget, themes say what a page lacks,
# Drupal calls what its front page shows promoted.
_LAYOUT = re.compile(
    r"\b(?:elementor|wp-block|has|no|with|without|under|single|post-template|page-template|node-)-[\w-]*"
)

BYLINE, DATE = 1, 2
"""What `promises_of` may find, added where it is both."""


@lru_cache(maxsize=8192)  # pages of one site, and the elements of one page, share their few hundred names
def promises_of(names: str) -> int:
    """`BYLINE`, `DATE`, their sum, or 0, by one attribute of an element."""
    return BYLINE * names_have("byline", names) + DATE * names_have("date", names)


@lru_cache(maxsize=8192)
def lead_elsewhere(names: str) -> bool:
    """Whether classes and ids mark a comment, a teaser, a menu and the like."""
    return names_have("elsewhere", names) and names_have("elsewhere", _LAYOUT.sub("", f" {names.lower()} "))


def names_have(kind: str, names: str) -> bool:
    """Whether the names hold a fragment of this list of ``elements.toml``."""
    padded = f" {names.lower()} "
    # A loop over tests of fragments takes a tenth of the time of one regular expression with all of them.
    for fragment in load_table("elements")[kind]:  # noqa: SIM110  # any() takes twice the time
        if fragment in padded:
            return True
    return False
