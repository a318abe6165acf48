"""What stands around the headline: by-lines and dates as readers see them."""

import re
from collections.abc import Iterator

from lxml.etree import _Element

from pipeline.structured.selection import selector, text_of

# An element below one of these tells nothing about the article itself.
_ELSEWHERE = re.compile(
    r"comment|related|teaser|recommend|sidebar|side-bar|widget|footer|most-?read|latest|popular|trending|newsletter|promo"
    r"|carousel|breaking|ticker|next-?post|prev|more-?(?:news|stories|articles|posts)|read-?more|also-?like|similar|disqus"
    r"|reply|review-?list|archive|menu|nav(?:bar|igation|-)|weather|masthead|kommentar|komentar|leserbrief|auch-interessant",
    re.IGNORECASE,
)
_ELSEWHERE_TAGS = frozenset({"footer", "nav", "aside", "select", "form", "svg"})
_BYLINE = re.compile(
    r"by-?line|author|autor|auteur|\bauteurs?\b|writer|contributor|firma|signature|reporter|journalist", re.IGNORECASE
)
_NO_BYLINE = re.compile(
    r"bio\b|about|box|avatar|image|img|photo|picture|social|follow|more|link-list|description|desc\b|related|comment|job|role|title\b|position|twitter",
    re.IGNORECASE,
)
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


def is_elsewhere(element: _Element, *, within: int = 12) -> bool:
    """Whether the element lies in a comment, teaser, menu or footer rather than in the article."""
    node: _Element | None = element
    for _ in range(within):
        if node is None or node.tag in {"body", "html", "article", "main"}:
            return False
        if node.tag in _ELSEWHERE_TAGS:
            return True
        names = f"{node.get('class') or ''} {node.get('id') or ''}"
        if len(names) > 1 and _ELSEWHERE.search(names):
            return True
        node = node.getparent()
    return False


def time_elements(tree: _Element) -> Iterator[_Element]:
    """The ``time`` elements of the article, in document order."""
    for element in _times(tree)[:60]:
        if not is_elsewhere(element):
            yield element


def dated_snippets(tree: _Element) -> Iterator[_Element]:
    """Elements whose class or id promises a date, with little text."""
    for element in _with_date(tree)[:200]:
        if 5 < len(text_of(element, 200)) < 160 and not is_elsewhere(element):
            yield element


def byline_texts(tree: _Element) -> Iterator[str]:
    """By-lines as printed, the likeliest first."""
    for element in _rel_author(tree)[:10]:
        if not is_elsewhere(element) and (text := text_of(element, 120)):
            yield text
    for element in _with_byline(tree)[:60]:
        names = f"{element.get('class') or ''} {element.get('id') or ''}"
        if (
            _NO_BYLINE.search(names)
            or is_elsewhere(element)
            or element.tag in {"script", "style", "meta", "link", "body", "html"}
        ):
            continue
        text = text_of(element, 200)
        if 3 < len(text) < 160:
            yield text


def texts_after(headline: _Element, limit: int = 40) -> Iterator[str]:
    """The pieces of text that follow the headline, in document order."""
    count = 0
    node: _Element | None = headline
    while node is not None and node.tag != "body" and count < limit:
        for sibling in node.itersiblings():
            for inner in sibling.iter():
                if not isinstance(inner.tag, str) or inner.tag in {"script", "style", "noscript", "template"}:
                    continue
                for text in (inner.text, inner.tail):
                    if text and (stripped := text.strip()):
                        yield stripped
                        count += 1
                if count >= limit:
                    return
        node = node.getparent()
