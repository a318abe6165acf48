"""What is looked at to tell the class of a page, gathered once."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Protocol
from urllib.parse import urlsplit

from lxml.etree import _Element

from pipeline.html.decode import Document, Elements
from pipeline.html.structured_data import ARTICLE_TYPES, Structured, types_of
from pipeline.model import Access
from pipeline.text.words import count_words, fold_words

MAX_LINES = 2_000
"""Blocks of a page whose words are compared with phrases; the longest pages have ten times as many."""

MAX_LINE = 400
"""Characters of a block that still is a line, as against a paragraph."""

_DIGIT = re.compile(r"\d")
_DATES = ("article:published_time", "article:modified_time", "article:section", "og:article:published_time")
_ARTICLE = 3  # `ARTICLE_TYPES` of this weight and above are articles


class ShownBlock(Protocol):
    """A run of text of the page, as `pipeline.extract.blocks` has it."""

    @property
    def text(self) -> str:
        """What it says."""

    @property
    def kind(self) -> str:
        """What it is: ``heading``, ``paragraph`` and so on."""

    @property
    def linked(self) -> int:
        """Characters of it that are links."""


@dataclass(frozen=True, slots=True)
class PageFacts:
    """A page as the rules see it.

    Attributes:
        url: the address that answered.
        source: the document, decoded.
        structured: what the page declares of itself.
        access: who may read it, by what it declares.
        shown: all that a reader sees, menus and footers too.
        words: of the text that was extracted.
        titles: the page's title and first headings.
        is_declared: whether the page says that it is an article.
    """

    url: str
    source: str
    tree: _Element
    elements: Elements
    structured: Structured
    access: Access
    shown: Sequence[ShownBlock]
    text: str
    words: int
    titles: tuple[str, ...]
    is_declared: bool
    folded: list[str] = field(default_factory=list, repr=False)

    @property
    def path(self) -> str:
        """The path of the address."""
        return urlsplit(self.url).path

    def shows_more_than(self, words: int) -> bool:
        """Whether a reader sees more than so many words in all; the rest is not counted."""
        counts = accumulate(count_words(block.text) for block in self.shown)
        return any(count > words for count in counts)

    def lines(self) -> Sequence[str]:
        """The short blocks, folded; once for all rules that ask."""
        if not self.folded:
            self.folded.extend(
                fold_words(block.text) for block in self.shown[:MAX_LINES] if len(block.text) <= MAX_LINE
            )
        return self.folded

    def numbered_lines(self) -> Sequence[str]:
        """Those of the short blocks that hold a number."""
        shown = (block.text for block in self.shown[:MAX_LINES] if len(block.text) <= MAX_LINE)
        return [fold_words(text) for text in shown if _DIGIT.search(text)]

    def teasers(self) -> int:
        """Headings that lead elsewhere: what front pages are made of."""
        return sum(
            block.kind == "heading" and block.linked > 0.8 * len(block.text) and len(block.text) > 20
            for block in self.shown
        )

    def linked_share(self) -> float:
        """How much of the extracted text is links, from 0 to 1."""
        kept = set(self.text.split("\n\n"))
        lengths = [(len(block.text), block.linked) for block in self.shown if block.text in kept]
        return sum(linked for _, linked in lengths) / max(sum(length for length, _ in lengths), 1)

    def body_names(self) -> frozenset[str]:
        """The classes of the body element, which content systems tell the kind of page in."""
        bodies = self.elements["body"]
        return frozenset(name for body in bodies for name in (body.get("class") or "").lower().split()[:200])

    def has_password(self) -> bool:
        """Whether it asks for a password."""
        return any((field.get("type") or "").lower() == "password" for field in self.tree.iter("input"))


def gather_page_facts(
    url: str,
    document: Document,
    structured: Structured,
    shown: Sequence[ShownBlock],
    text: str,
    access: Access = "unknown",
) -> PageFacts:
    """Gather what there is to see of a page.

    ``text`` is what was extracted of it, empty where nothing was.
    """
    titles = [" ".join("".join(map(str, element.itertext())).split()) for element in _titles(document.elements)]
    return PageFacts(
        url=url,
        source=document.text,
        tree=document.tree,
        elements=document.elements,
        structured=structured,
        access=access,
        shown=shown,
        text=text,
        words=count_words(text),
        titles=tuple(title for title in titles if 0 < len(title) <= MAX_LINE),
        is_declared=_is_declared(structured),
    )


def _titles(elements: Elements) -> Iterator[_Element]:
    for name, most in (("title", 1), ("h1", 2)):
        printed = (element for element in elements[name] if next(element.iterancestors("svg"), None) is None)
        yield from (element for _, element in zip(range(most), printed, strict=False))


def _is_declared(structured: Structured) -> bool:
    kinds = (kind for node in structured.articles for kind in types_of(node))
    return (
        any(ARTICLE_TYPES.get(kind, 0) >= _ARTICLE for kind in kinds)
        or structured.first_meta(*_DATES) is not None
        or bool(re.search("article|news|blog", (structured.first_meta("og:type") or "").lower()))
        or any(structured.microdata.get(name) for name in ("datepublished", "articlebody"))
    )
