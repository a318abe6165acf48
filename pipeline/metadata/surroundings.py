"""What stands around the headline: by-lines and dates as readers see them, without those of teasers and comments."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from lxml.etree import _Element

from pipeline.structured.selection import selector, text_of

# Words of classes and ids below which nothing tells about the article itself.
_ELSEWHERE = re.compile(
    r"comment|related|teaser|recommend|side-?bar|widget|footer|most-?read|latest|popular|trending|newsletter|promo|carousel"
    r"|breaking|ticker|next-?post|prev(?:ious)?-|more-?(?:news|stories|articles|posts)|read-?more|also-?like|similar|disqus"
    r"|reply|review-?list|archive|menu|nav(?:bar|igation|-)|weather|masthead|kommentar|komentar|leserbrief"
    r"|(?:^|\s)(?:site|page|main)-?header(?:$|\s)",
    re.IGNORECASE,
)
# Parts of such names that tell about layout only: builders call every block a widget, themes say what a page lacks.
_LAYOUT = re.compile(
    r"\b(?:elementor|wp-block|has|no|with|without|under|single|post-template|page-template)-[\w-]*", re.IGNORECASE
)
_ELSEWHERE_TAGS = frozenset({"footer", "nav", "aside", "select", "form", "svg"})
_UNREAD_TAGS = frozenset(
    {"script", "style", "noscript", "template", "svg", "select", "iframe", "title", "head", "meta"}
)
_NO_BYLINE = re.compile(
    r"bio\b|about|box|avatar|image|img|photo|picture|social|follow|more|link-list|description|desc\b|job|role|title\b"
    r"|position|twitter",
    re.IGNORECASE,
)
_headings = selector("//h1")
_other_headings = selector("//h2 | //*[@itemprop='headline'] | //*[contains(@class, 'eadline')]")
_times = selector("//time")
_rel_author = selector("//a[contains(concat(' ', @rel, ' '), ' author ')] | //address//a")


def _containing(attributes: str, fragments: str, *exact: str) -> str:
    """An XPath to elements with one of these fragments in one of these attributes.

    XPath 1.0 cannot fold case: the fragments leave out the letter that may be a capital.
    """
    tests = [f"contains(@{name}, '{part}')" for name in attributes.split() for part in fragments.split()]
    return f"//*[{' or '.join([*tests, *exact])}]"


_with_byline = selector(
    _containing(
        "class id data-testid",
        "yline uthor utor auteur eporter riter ontributor BYLINE",
        "@itemprop='author'",
        "@property='author'",
    )
)
_with_date = selector(
    _containing(
        "class",
        "date Date ime ublish osted datum fecha meta Meta yline",
        "contains(@id, 'date')",
        "@itemprop='datePublished'",
    )
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A page seen from its headline.

    Attributes:
        tree: the page's root.
        headline: the element that the headline is printed in; None where none was found.
        around: the headline's element and all that hold it.
    """

    tree: _Element
    headline: _Element | None
    around: frozenset[_Element] = field(default_factory=frozenset)

    def is_elsewhere(self, element: _Element) -> bool:
        """Whether the element lies in a comment, teaser, menu or footer rather than with the article."""
        node: _Element | None = element
        in_article = False
        while node is not None and node not in self.around and node.tag not in {"body", "html"}:
            if node.tag in _ELSEWHERE_TAGS or (node.tag == "header" and not in_article and self.headline is None):
                return True
            if node.tag == "article":
                in_article = True
            names = f"{node.get('class') or ''} {node.get('id') or ''}"
            if len(names) > 1 and _ELSEWHERE.search(_LAYOUT.sub("", names)):
                return True
            node = node.getparent()
        return in_article and self._is_in_article

    @property
    def _is_in_article(self) -> bool:
        return any(element.tag == "article" for element in self.around)

    def times(self) -> Iterator[_Element]:
        """The ``time`` elements of the article, in document order."""
        return (element for element in _times(self.tree)[:60] if not self.is_elsewhere(element))

    def named_after_dates(self) -> Iterator[_Element]:
        """Elements whose class or id promises a date, with little text."""
        for element in _with_date(self.tree)[:200]:
            if 5 < len(text_of(element, 200)) < 160 and not self.is_elsewhere(element):
                yield element

    def bylines(self) -> Iterator[str]:
        """By-lines as printed, the likeliest first."""
        for element in _rel_author(self.tree)[:10]:
            if not self.is_elsewhere(element) and (text := text_of(element, 120)):
                yield text
        for element in _with_byline(self.tree)[:60]:
            names = f"{element.get('class') or ''} {element.get('id') or ''}"
            if element in self.around or element.tag in _UNREAD_TAGS or _NO_BYLINE.search(names):
                continue
            text = text_of(element, 200)
            if 3 < len(text) < 160 and not self.is_elsewhere(element):
                yield text

    def texts_near(self, after: int = 40, before: int = 12) -> Iterator[tuple[_Element, str]]:
        """Pieces of text below the headline, then those above it, each with its element, the nearest first."""
        if self.headline is None:
            return
        for is_after, limit in ((True, after), (False, before)):
            for element, text in islice(self._texts(self.headline, is_after=is_after), limit):
                if not self.is_elsewhere(element):
                    yield element, text

    def _texts(self, start: _Element, *, is_after: bool) -> Iterator[tuple[_Element, str]]:
        node: _Element | None = start
        while node is not None and node.tag != "body":
            parent = node.getparent()
            for sibling in node.itersiblings(preceding=not is_after):
                inside = _texts_in(sibling)
                yield from inside if is_after else reversed(list(inside))
            node = parent


def _texts_in(element: _Element) -> Iterator[tuple[_Element, str]]:
    for inner in element.iter():
        if not isinstance(inner.tag, str) or inner.tag in _UNREAD_TAGS:
            continue
        for text, owner in ((inner.text, inner), (inner.tail if inner is not element else None, inner.getparent())):
            if text and owner is not None and (stripped := " ".join(text.split())):
                yield owner, stripped


def look_around(tree: _Element, title: str | None) -> Surroundings:
    """The page seen from the element that prints this title (from its only h1 where none does)."""
    key = _letters(title or "")
    headings = _headings(tree)[:30]
    for element in (*headings, *_other_headings(tree)[:60]):
        if key and _letters(text_of(element, 500)) == key:
            return _from(tree, element)
    for element in headings:
        if key and key in _letters(text_of(element, 500)):
            return _from(tree, element)
    return _from(tree, headings[0]) if len(headings) == 1 else Surroundings(tree, None)


def _from(tree: _Element, headline: _Element) -> Surroundings:
    return Surroundings(tree, headline, frozenset([headline, *headline.iterancestors()]))


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
