"""What stands around the headline: bylines and dates as readers see them, without those of teasers and comments."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import cast

from lxml import etree
from lxml.etree import _Element

from pipeline.html.decode import Elements, copy_for_engines
from pipeline.html.xpath import compile_xpath, text_of
from pipeline.metadata.nearby_text import (
    BYLINE,
    DATE,
    NAMING,
    UNREAD_TAGS,
    lead_elsewhere,
    names_have,
    promises_of,
    texts_above,
    texts_below,
)

_SIGNS = re.compile(r"[\W_]+")
_ELSEWHERE_TAGS = frozenset({"footer", "nav", "select", "form", "svg"})
LONG_LINE = 100  # characters: a longer text is a sentence that tells of other days
LONG_TEXT = 600  # characters: an element with more holds the article, not its date
SHORT_LINE = 45  # further away from the headline
_CLOSE = 40  # pieces of text from the headline
_MAX_BELOW, _MAX_ABOVE = 90, 15  # pieces of text that are looked at
SHORT_ARTICLE = 500  # characters: a longer one is no teaser
SHORT_ASIDE = 300  # characters: a longer aside is no list of the article's own facts
_other_headings = compile_xpath("//h2 | //*[@itemprop='headline'] | //*[contains(@class, 'eadline')]")
_printing_xpath = etree.XPath("//body//*[text()[normalize-space() = $title]]")
_RDFA_DATE = re.compile(r"dc:date|dc:created|dc:issued|datePublished|dateCreated|published_time")
_AUTHORS = re.compile(r"/(?:authors?|autor|autoren|auteur|autores|people|profile|by)/|/contributor")


@dataclass(frozen=True, slots=True)
class HeadlineContext:
    """A page seen from its headline.

    Attributes:
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
        return lead_elsewhere(f"{node.get('class') or ''} {node.get('id') or ''}")

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
        """Elements whose names promise a byline (0) or a date (1); both are gathered at the first question."""
        if not self.promising:
            bylines: list[_Element] = []
            dates: list[_Element] = []
            for element in chain.from_iterable(body.iterdescendants("*") for body in self.elements["body"]):
                promised = 0
                for name, names in element.items():  # a third of the time of asking for each of the four
                    if name in NAMING and names:
                        promised |= promises_of(str(names))
                if promised & BYLINE:
                    bylines.append(element)
                if promised & DATE:
                    dates.append(element)
            self.promising.extend((bylines, dates))
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
        """Elements whose class or id promises a date or a byline, with little text."""
        for element in (*self._promising(1)[:200], *self._promising(0)[:60]):
            if 5 < len(text_of(element, LONG_TEXT)) < LONG_TEXT and not self.is_elsewhere(element):
                yield element

    def with_rdfa_dates(self) -> Iterator[_Element]:
        """Elements whose RDFa property is a date of publication (``dc:date``, ``schema:datePublished``)."""
        for element in self.elements["*"]:
            names = element.get("property")
            if names and element.tag != "meta" and _RDFA_DATE.search(names) and not self.is_elsewhere(element):
                yield element

    def labelled_anywhere(self) -> Iterator[tuple[_Element, str]]:
        """Short elements named after dates, with their text, also those of menus, boxes and footers."""
        for element in self._promising(1)[:200]:
            text = text_of(element, LONG_LINE)
            if 5 < len(text) < LONG_LINE and not any(
                holder.tag in {"nav", "footer"} for holder in element.iterancestors()
            ):
                yield element, text

    def author_links(self) -> Iterator[_Element]:
        """Links to authors."""
        for element in islice(_author_links(self.elements), 20):
            if not self.is_elsewhere(element) and text_of(element, 120):
                yield element

    def paragraphs(self) -> list[_Element]:
        """The paragraphs of the page, in document order."""
        return self.elements["p"]

    def byline_elements(self) -> Iterator[tuple[_Element, str]]:
        """Elements named after bylines, with their text; boxes about authors last."""
        boxes = []
        for element in self._promising(0)[:60]:
            if element in self.around or element.tag in UNREAD_TAGS:
                continue
            text = text_of(element, 200)
            if 3 < len(text) < 160 and not self.is_elsewhere(element):
                if any(names_have("box", names) for names in map(element.get, NAMING) if names):
                    boxes.append((element, text))
                else:
                    yield element, text
        yield from ((element, text) for element, text in boxes if len(text) <= SHORT_LINE)

    def texts_near(self) -> list[tuple[_Element, str]]:
        """Pieces of text around the headline with their elements, the nearest first.

        Dates stand below a headline more often than above it: what is above counts as thrice as far.
        """
        if self.headline is None or self.near:
            return self.near
        below = islice(texts_below(self.headline), _MAX_BELOW)
        above = islice(texts_above(self.headline), _MAX_ABOVE)
        for distance in range(_MAX_BELOW):
            pieces = [*islice(below, 1), *(islice(above, 1) if distance % 3 == 1 else ())]
            longest = LONG_LINE if distance < _CLOSE else SHORT_LINE
            self.near.extend(
                (element, text) for element, text in pieces if len(text) <= longest and not self.is_elsewhere(element)
            )
        return self.near


def _author_links(elements: Elements) -> Iterator[_Element]:
    """Links to authors, by what they say or by their address, and those in ``address`` elements."""
    addresses = {link for address in elements["address"] for link in address.iter("a")}
    for link in elements["a"]:
        if (
            _AUTHORS.search(link.get("href") or "")
            or " author " in f" {link.get('rel') or ''} "
            or link in addresses
        ):  # fmt: skip
            yield link


def find_headline_context(tree: _Element, elements: Elements, title: str | None) -> HeadlineContext:
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
    words = set((title or "").casefold().split())
    closest = max(headings, key=lambda h1: len(words & set(text_of(h1, 500).casefold().split())), default=None)
    return HeadlineContext(tree, elements, None) if closest is None else _from(tree, elements, closest)


def _possible_headlines(tree: _Element, headings: list[_Element]) -> Iterator[_Element]:
    yield from headings
    yield from _other_headings(tree)[:60]


def _from(tree: _Element, elements: Elements, headline: _Element) -> HeadlineContext:
    return HeadlineContext(tree, elements, headline, frozenset([headline, *headline.iterancestors()]))


def _letters(text: str) -> str:
    return _SIGNS.sub("", text.casefold())


def _printing(tree: _Element, title: str) -> list[_Element]:
    return [
        element
        for element in cast("list[_Element]", _printing_xpath(tree, title=title))
        if element.tag not in UNREAD_TAGS
    ]
