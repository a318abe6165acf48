"""What the text of an article links to, and the pictures that stand in it and above it."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from lxml.etree import _Element

from pipeline.extract.blocks import Block, Layout
from pipeline.extract.element_names import bit, own_marks
from pipeline.extract.judgement import JudgedBlock
from pipeline.html.decode import Document
from pipeline.html.xpath import text_of
from pipeline.metadata.page_addresses import absolute_address
from pipeline.model import Reference
from pipeline.urls import canonical_url

MAX_REFERENCES: Final = 300
"""Links and pictures each that are kept of an article: a live blog of a day has as many, lists of links have more."""

MAX_LOOKED_AT: Final = 1_000
"""Elements of links, and of pictures, that are looked at for that."""

MAX_TEXT: Final = 100_000
"""Characters of a paragraph in which the words of its links are looked for."""

MAX_WORDS: Final = 200
"""Characters of a link's words, or of what stands for a picture, that are kept."""

_ICON: Final = 64
"""Pixels up to which a picture is an icon, or there to count readers."""

_BESIDE: Final = frozenset((None, "caption", "byline", "dateline", "title"))
"""Reasons of the blocks before which an article's own pictures stand; None is its text."""

_FOREIGN: Final = (
    *("related", "comment", "newsletter", "share", "author", "advert", "account", "navigation", "footer"),
    *("in_nav", "in_footer"),
)
"""What elements say that hold pictures of something else."""

# Pages that load pictures late have a placeholder as the source until then.
_SOURCES: Final = ("data-src", "data-original", "data-lazy-src", "src")
_SETS: Final = ("data-srcset", "srcset")
# Hosts that may stand as they are; users, other ports and what else is rare are left to absolute_address.
_HOST = r"[A-Za-z0-9][A-Za-z0-9.-]*"
_ROOT = re.compile(rf"(https?:)//{_HOST}(?::\d{{1,4}})?(?=[/?#]|$)")
_WHOLE = re.compile(rf"(?:(?:https?:)?//{_HOST})?/(?!/)[^\s#\\]{{0,1999}}")
_NEXT_SOURCE = re.compile(r",\s+")  # addresses hold commas, too
_NUMBER = re.compile(r"\d{1,6}(?:\.\d{1,3})?")
_DIGITS: Final = 6  # of a width or height; Python reads no number of 5,000


class ArticleReferences(NamedTuple):
    """The links and the pictures of an article, in the order of the page, each address once."""

    links: tuple[Reference, ...]
    pictures: tuple[Reference, ...]


def find_references(
    document: Document, layout: Layout, judged: Sequence[JudgedBlock], url: str, canonical: str
) -> ArticleReferences:
    """What an article refers to: by the blocks of the page that have its text, wherever that was taken from.

    Links to its own addresses, ``url`` and ``canonical``, are left out.
    """
    named = (absolute_address(each.get("href", ""), url) for each in document.elements["base"])
    base = _Base(next(filter(None, named), url))
    reasons = _reasons(layout, judged)
    pairs = list(zip(layout.blocks, reasons, strict=True))
    links = _distinct(_links([block for block, reason in pairs if block.anchors and reason is None], base))
    for own in (url, canonical):
        links.pop(own, None)
    shown = [block for block, reason in pairs if block.pictures and reason in _BESIDE]
    around = _around(layout, reasons) if shown else 0
    return ArticleReferences(_references(links), _references(_distinct(_pictures(layout, shown, around, base))))


def _reasons(layout: Layout, judged: Sequence[JudgedBlock]) -> list[str | None]:
    """For each block why it is not text, None where it is; by what it says where the text is from elsewhere."""
    if judged and judged[0].probability is not None:
        return [block.reason for block in judged]
    told = {block.text: block.reason for block in judged}
    return [told.get(block.text, "outside") for block in layout.blocks]


class _Base:
    """What addresses of a page are relative to. Most begin at the root of the site, or have a host."""

    def __init__(self, url: str) -> None:
        root = _ROOT.match(url)
        self._url, self._root, self._scheme = url, root[0] if root else "", root[1] if root else ""

    def of_page(self, address: str) -> str | None:
        """The canonical URL; None of mailto:, javascript: and what else is none of a page."""
        try:
            if self._root and address[0] == "/" and address[1:2] not in ("/", "\\"):
                return canonical_url(self._root + address)
            return canonical_url(address, self._url)
        except ValueError:
            return None

    def of_picture(self, address: str) -> str | None:
        """The address with scheme and host; None where it can be none."""
        if self._root and _WHOLE.fullmatch(address):
            if address[0] != "/":
                return address
            return (self._scheme if address[1:2] == "/" else self._root) + address
        # Of "//" and something else than a host urljoin makes a path.
        if address[:2] == "//" and not address[2:3].isalnum():
            return None
        return absolute_address(address, self._url)


def _distinct(found: Iterator[tuple[str, str]]) -> dict[str, str]:
    """Addresses with their words, those of the first that has any."""
    distinct: dict[str, str] = {}
    for address, words in found:
        distinct[address] = distinct.get(address) or words
        if len(distinct) > MAX_REFERENCES:
            break
    return distinct


def _references(found: dict[str, str]) -> tuple[Reference, ...]:
    return tuple(Reference(address, words[:MAX_WORDS]) for address, words in found.items())[:MAX_REFERENCES]


def _links(blocks: Sequence[Block], base: _Base) -> Iterator[tuple[str, str]]:
    texts = ((block, "".join(block.text[:MAX_TEXT].split())) for block in blocks)
    pairs = ((anchor, text) for block, text in texts for anchor in block.anchors)
    for anchor, text in islice(pairs, MAX_LOOKED_AT):
        address = anchor.get("href", "")
        # What leads to a place on the page itself leads nowhere.
        if not address or address.startswith("#"):
            continue
        words = text_of(anchor)
        # Buttons before a paragraph have no words of it. Where blanks stand depends on the elements in between.
        if words and "".join(words.split()) in text and (target := base.of_page(address)):
            yield target, words


def _around(layout: Layout, reasons: list[str | None]) -> int:
    """What the elements say that stand around the first and the last of the text: nothing of a single picture."""
    if None not in reasons:
        return 0
    first, last = reasons.index(None), len(reasons) - 1 - reasons[::-1].index(None)
    first_node, last_node = (layout.nodes[layout.blocks[index].node] for index in (first, last))
    return first_node.inherited & last_node.inherited


def _pictures(layout: Layout, blocks: Sequence[Block], around: int, base: _Base) -> Iterator[tuple[str, str]]:
    foreign = sum(map(bit, _FOREIGN)) & ~around
    own = (block for block in blocks if not layout.nodes[block.picture].inherited & foreign)
    pairs = ((element, layout.elements[block.picture]) for block in own for element in block.pictures)
    for element, holder in islice(pairs, MAX_LOOKED_AT):
        source = None if _is_foreign(element, holder, foreign) else _source_of(element)
        if source and (address := base.of_picture(source)):
            yield address, " ".join((_image_of(element).get("alt") or "").split())


def _is_foreign(element: _Element, holder: _Element, foreign: int) -> bool:
    """Whether an element says so that a picture stands in and no text: of those the layout knows nothing."""
    above = element.getparent()
    while above is not None and above is not holder and above.tag != "figure":
        if own_marks(above) & foreign:
            return True
        above = above.getparent()
    return False


def _image_of(element: _Element) -> _Element:
    image = element.find(".//img") if element.tag == "picture" else None
    return element if image is None else image


def _source_of(element: _Element) -> str | None:
    """Where a picture is; None of an icon, of what the page holds itself, and of videos and frames."""
    if element.tag in ("video", "iframe"):
        return None
    image = _image_of(element)
    told = {str(name): str(value) for name, value in image.items()}
    for side in ("width", "height"):
        size = told.get(side, "").removesuffix("px")
        if len(size) <= _DIGITS and size.isascii() and size.isdigit() and int(size) <= _ICON:
            return None
    for name in _SOURCES:
        if (source := told.get(name, "").strip()) and not source.startswith("data:"):
            return source
    sets = (each.get(name) for each in (image, *element.iter("source")) for name in _SETS)
    return next((_largest_of(listed) for listed in sets if listed), None)


def _largest_of(listed: str) -> str | None:
    """The address in a ``srcset`` that has the largest width or density.

    >>> _largest_of("/a,w_300.jpg 300w, /a,w_900.jpg 900w, /a.jpg")
    '/a,w_900.jpg'
    """
    best, most = None, -1.0
    for each in _NEXT_SOURCE.split(listed.strip()):
        address, _, size = each.strip().partition(" ")
        number = _NUMBER.match(size.strip())
        width = float(number[0]) if number else 0.0
        if width > most and not address.startswith("data:"):
            best, most = address, width
    return best
