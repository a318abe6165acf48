"""What stands around the headline: by-lines and dates as readers see them, without those of teasers and comments."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, islice
from typing import cast

from lxml import etree
from lxml.etree import _Element

from pipeline.decode import Elements, copy_for_engines
from pipeline.metadata.tables import load_table
from pipeline.structured.selection import selector, text_of

# Parts of such names that tell about layout only: builders call every block a widget, themes say what a page lacks,
# Drupal calls what its front page shows promoted.
_LAYOUT = re.compile(
    r"\b(?:elementor|wp-block|has|no|with|without|under|single|post-template|page-template|node-)-[\w-]*"
)
_SIGNS = re.compile(r"[\W_]+")
_ELSEWHERE_TAGS = frozenset({"footer", "nav", "select", "form", "svg"})
_UNREAD_TAGS = frozenset(
    {"script", "style", "noscript", "template", "svg", "select", "iframe", "title", "head", "meta"}
)
LONG_LINE = 100  # characters: a longer text is a sentence that tells of other days
LONG_TEXT = 600  # characters: an element with more holds the article, not its date
SHORT_LINE = 45  # further away from the headline
_CLOSE = 40  # pieces of text from the headline
_MAX_BELOW, _MAX_ABOVE = 90, 15  # pieces of text that are looked at
SHORT_ARTICLE = 500  # characters: a longer one is no teaser
SHORT_ASIDE = 300  # characters: a longer aside is no list of the article's own facts
_other_headings = selector("//h2 | //*[@itemprop='headline'] | //*[contains(@class, 'eadline')]")
_printing_xpath = etree.XPath("//body//*[text()[normalize-space() = $title]]")
_AUTHORS = re.compile(r"/(?:authors?|autor|autoren|auteur|autores|people|profile|by)/|/contributor")
_NAMES = ("class", "id", "itemprop", "data-testid")


@lru_cache(maxsize=8192)  # pages of one site, and the elements of one page, share their few hundred names
def _promises(names: str) -> int:
    """Whether the names of an element promise a by-line (1), a date (2), or both (3)."""
    return _has("byline", names) + 2 * _has("date", names)


@lru_cache(maxsize=8192)
def _is_named_elsewhere(names: str) -> bool:
    return _has("elsewhere", names) and _has("elsewhere", _LAYOUT.sub("", f" {names.lower()} "))


def _has(kind: str, names: str) -> bool:
    padded = f" {names.lower()} "
    # A loop over tests of fragments takes a tenth of the time of one regular expression with all of them.
    for fragment in load_table("elements")[kind]:  # noqa: SIM110  # any() takes twice the time
        if fragment in padded:
            return True
    return False


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A page seen from its headline.

    Attributes:
        tree: the page's root.
        elements: all of the page.
        headline: the element that the headline is printed in; None where none was found.
        around: the headline's element and all that hold it.
        verdicts, promising, near: what has been found out so far, kept because each question is asked many times.
    """

    tree: _Element
    elements: Elements = field(repr=False)
    headline: _Element | None
    around: frozenset[_Element] = field(default_factory=frozenset)
    verdicts: dict[_Element, bool] = field(default_factory=dict, repr=False)
    promising: list[list[_Element]] = field(default_factory=list, repr=False)
    near: list[tuple[_Element, str]] = field(default_factory=list, repr=False)

    def is_elsewhere(self, element: _Element) -> bool:
        """Whether the element lies in a comment, teaser, menu or footer rather than with the article."""
        passed: list[_Element] = []
        node: _Element | None = element
        verdict = False
        while node is not None and node not in self.around and node.tag not in {"body", "html"}:
            known = self.verdicts.get(node)
            if known is not None or self._leads_elsewhere(node):
                verdict = known is not False
                break
            passed.append(node)
            node = node.getparent()
        self.verdicts.update(dict.fromkeys(passed, verdict))
        return verdict

    def _leads_elsewhere(self, node: _Element) -> bool:
        tag = node.tag
        if tag in _ELSEWHERE_TAGS and not (tag == "footer" and self._is_of_article(node)):
            return True
        if tag == "article" and self._is_in_article and len(text_of(node, SHORT_ARTICLE)) < SHORT_ARTICLE:
            return True  # the teaser of another article than that of the headline
        if tag == "aside" and len(text_of(node, SHORT_ASIDE)) == SHORT_ASIDE:
            return True
        if tag == "header" and self.headline is None and not any(a.tag == "article" for a in node.iterancestors()):
            return True
        return _is_named_elsewhere(f"{node.get('class') or ''} {node.get('id') or ''}")

    @staticmethod
    def _is_of_article(footer: _Element) -> bool:
        """Whether this is the footer of one article: it "contains information about its section, such as who wrote it".

        (HTML, 4.3.8.) Sites put it above the text, too.
        """
        article = next(footer.iterancestors("article"), None)
        return article is not None and len(text_of(article, LONG_TEXT)) == LONG_TEXT

    @property
    def _is_in_article(self) -> bool:
        return any(element.tag == "article" for element in self.around)

    def _promising(self, what: int) -> list[_Element]:
        """Elements whose names promise a by-line (0) or a date (1); read once for both."""
        if not self.promising:
            found: tuple[list[_Element], list[_Element]] = ([], [])
            for element in chain.from_iterable(body.iterdescendants("*") for body in self.elements["body"]):
                promised = 0
                for name in _NAMES:
                    if names := element.get(name):
                        promised |= _promises(names)
                if promised & 1:
                    found[0].append(element)
                if promised & 2:
                    found[1].append(element)
            self.promising.extend(found)
        return self.promising[what]

    def without_elsewhere(self) -> _Element:
        """A copy of the page without what lies elsewhere."""
        copy = copy_for_engines(self.tree)
        for element, twin in list(zip(self.tree.iter(), copy.iter(), strict=True)):
            if isinstance(element.tag, str) and element not in self.around and self._leads_elsewhere(element):
                tail = twin.tail
                twin.clear()
                twin.tail = tail
        return copy

    def times(self) -> Iterator[_Element]:
        """The ``time`` elements of the article, in document order."""
        return (element for element in self.all_times() if not self.is_elsewhere(element))

    def all_times(self) -> list[_Element]:
        """The first ``time`` elements of the page, also those of teasers and comments."""
        return self.elements["time"][:60]

    def named_after_dates(self) -> Iterator[_Element]:
        """Elements whose class or id promises a date or a by-line, with little text."""
        for element in (*self._promising(1)[:200], *self._promising(0)[:60]):
            if 5 < len(text_of(element, LONG_TEXT)) < LONG_TEXT and not self.is_elsewhere(element):
                yield element

    def bylines(self) -> Iterator[str]:
        """By-lines as printed, the likeliest first: links to authors, elements named after them."""
        for element in islice(_author_links(self.elements), 20):
            if not self.is_elsewhere(element) and (text := text_of(element, 120)):
                yield text
        boxes = []
        for element in self._promising(0)[:60]:
            if element in self.around or element.tag in _UNREAD_TAGS:
                continue
            text = text_of(element, 200)
            if 3 < len(text) < 160 and not self.is_elsewhere(element):
                if any(_has("box", names) for names in map(element.get, _NAMES) if names):
                    boxes.append(text)
                else:
                    yield text
        yield from (text for text in boxes if len(text) <= SHORT_LINE)

    def texts_near(self) -> list[tuple[_Element, str]]:
        """Pieces of text around the headline with their elements, the nearest first.

        Dates stand below a headline more often than above it: what is above counts as thrice as far.
        """
        if self.headline is None or self.near:
            return self.near
        below = islice(_texts_below(self.headline), _MAX_BELOW)
        above = islice(_texts_above(self.headline), _MAX_ABOVE)
        for place in range(_MAX_BELOW):
            found = [*islice(below, 1), *(islice(above, 1) if place % 3 == 1 else ())]
            longest = LONG_LINE if place < _CLOSE else SHORT_LINE
            self.near.extend(
                (element, text) for element, text in found if len(text) <= longest and not self.is_elsewhere(element)
            )
        return self.near


def _texts_below(headline: _Element) -> Iterator[tuple[_Element, str]]:
    node: _Element | None = headline
    while node is not None and node.tag != "body":
        yield from _text_behind(node)
        for sibling in node.itersiblings():
            for inner in sibling.iter():
                yield from _text_of(inner)
                if inner is not sibling:
                    yield from _text_behind(inner)
            yield from _text_behind(sibling)
        node = node.getparent()


def _texts_above(headline: _Element) -> Iterator[tuple[_Element, str]]:
    """The same backwards."""
    node: _Element | None = headline
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
        and element.tag not in _UNREAD_TAGS
        and (line := " ".join((element.text or "").split()))
    ):
        yield element, line


def _text_behind(element: _Element) -> Iterator[tuple[_Element, str]]:
    if line := " ".join((element.tail or "").split()):
        owner = element.getparent()
        if owner is not None:
            yield owner, line


def _author_links(elements: Elements) -> Iterator[_Element]:
    """Links to authors, by what they say or by their address, and those of addresses."""
    addresses = {link for address in elements["address"] for link in address.iter("a")}
    for link in elements["a"]:
        if (
            _AUTHORS.search(link.get("href") or "")
            or " author " in f" {link.get('rel') or ''} "
            or link in addresses
        ):  # fmt: skip
            yield link


def look_around(tree: _Element, elements: Elements, title: str | None) -> Surroundings:
    """The page seen from the element that prints this title (from the h1 that is most like it where none does)."""
    key = _letters(title or "")
    headings = elements["h1"][:30]
    for element in _possible_headlines(tree, headings) if key else ():
        if _letters(text_of(element, 500)) == key:
            return _from(tree, elements, element)
    for element in headings:
        if key and key in _letters(text_of(element, 500)):
            return _from(tree, elements, element)
    for element in _printing(tree, title)[:1] if title else ():
        return _from(tree, elements, element)
    closest = max(headings, key=lambda element: _shared(text_of(element, 500), title or ""), default=None)
    return Surroundings(tree, elements, None) if closest is None else _from(tree, elements, closest)


def _possible_headlines(tree: _Element, headings: list[_Element]) -> Iterator[_Element]:
    yield from headings
    yield from _other_headings(tree)[:60]


def _shared(one: str, other: str) -> int:
    return len(set(one.casefold().split()) & set(other.casefold().split()))


def _from(tree: _Element, elements: Elements, headline: _Element) -> Surroundings:
    return Surroundings(tree, elements, headline, frozenset([headline, *headline.iterancestors()]))


def _letters(text: str) -> str:
    return _SIGNS.sub("", text.casefold())


def _printing(tree: _Element, title: str) -> list[_Element]:
    """The elements whose own text is the title."""
    return [
        element
        for element in cast("list[_Element]", _printing_xpath(tree, title=title))
        if element.tag not in _UNREAD_TAGS
    ]
