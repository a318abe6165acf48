"""A page as numbers, for the trees that tell articles from other pages (`pipeline.classify.page_types`).

Counted from what was parsed and chosen already; nothing is of one site, and words only where they are labels and parts
of addresses that many sites have. How sure the choice of the body was is left out: it was learned on the same articles.
"""

import math
import re
import tomllib
from collections import Counter
from collections.abc import Sequence
from importlib.resources import files
from typing import Protocol
from urllib.parse import urlsplit

from pipeline.classify.page_facts import PageFacts, ShownBlock
from pipeline.html.structured_data import types_of
from pipeline.model import Metadata
from pipeline.text.words import fold_words

MAX_LINKS, MAX_NODES = 600, 100
"""Links and JSON-LD nodes that are looked at."""

MAX_LABELS, SAMPLE = 10_000, 5_000
"""Characters of short lines, and of the text, in which words are counted."""

SHORT, LONG = 60, 200
"""Characters up to which a block is a label or a line, and from which on it is a paragraph."""

_WORDS = tomllib.loads((files(__package__) / "page_words.toml").read_text("utf-8"))
_PARTS = {word: index for index, words in enumerate(_WORDS["address"].values()) for word in words.split()}
_KINDS = {kind: index for index, kinds in enumerate(_WORDS["declared"].values()) for kind in kinds.split()}
_COUNTED = [[*map(str.strip, phrases.split("|"))] for phrases in _WORDS["phrases"].values()]
_SAID_BY = [words.split() for words in _WORDS["persons"].values()]
_PRICE = re.compile(r"[$€£₹]\s?\d|\d\s?[€£₹]")
_PARTED = re.compile(r" [|–—-] ")
_DATED = re.compile(r"/(?:19|20)\d\d[/-]?[01]?\d")
_LONG_NUMBER = re.compile(r"\d{4,}")
_TAGS = ("img", "input", "button", "time", "article", "li", "pre", "code", "p", "section")

# fmt: off
NAMES: tuple[str, ...] = (
    "depth", "last_length", "last_words", "long_number", "dated", "subdomain",
    *(f"address_of_{name}" for name in _WORDS["address"]),

    *(f"declared_{name}" for name in _WORDS["declared"]),
    "og_article", "og_website", "og_product", "published", "published_sure", "authors", "description", "kind",
    "title_words", "title_parts", "is_declared", "body_of_single", "body_of_shop",

    *(f"tags_{tag}" for tag in _TAGS),
    "links", "links_below", "links_beside", "links_to_author", "links_within",

    "shown_blocks", "shown_text", "shown_linked", "headings", "linked_headings", "short_blocks", "shown_prose",
    "longest", "prices",
    *(f"phrases_of_{name}" for name in _WORDS["phrases"]),
    *(f"told_of_{name}" for name in _WORDS["phrases"]),

    "words", "kept_blocks", "kept_share", "kept_linked", "kept_links", "kept_prose", "kept_longest", "kept_length",
    "kept_headings", "kept_items", "kept_short", "stops", "questions", "commas", "digits",
    "kept_prices", *_WORDS["persons"],

    "text_behind", "text_before", "kept_together", "kept_parents", "kept_upper_parents", "prose_together",
    "prose_parents", "linked_together", "most_children",
)
# fmt: on
"""The numbers of a row, in their order: those of the address, of what is declared, of elements and links, of all that
is shown, of the body, and of the elements that both stand in."""


class PlacedBlock(ShownBlock, Protocol):
    """A block with its links and the place of its element among the nodes."""

    @property
    def links(self) -> int:
        """Number of links in it."""

    @property
    def node(self) -> int:
        """Index of the element that holds it."""


def numbers_of(
    page: PageFacts, metadata: Metadata, shown: Sequence[PlacedBlock], kept: Sequence[bool], parents: Sequence[int]
) -> tuple[float, ...]:
    """The numbers of a page, in the order of `NAMES`.

    ``kept`` says of each shown block whether the body has it, ``parents`` of each node which one stands above it.
    """
    places = [index for index, is_kept in enumerate(kept) if is_kept]
    lengths = [len(block.text) for block in shown]
    return (
        *_of_address(page.url),
        *_of_declared(page, metadata),
        *(math.log1p(len(page.elements[tag])) for tag in _TAGS),
        *_of_links(page),
        *_of_shown(shown, page.text),
        *_of_body(page, [shown[index] for index in places], sum(lengths) or 1),
        *_of_nodes(shown, places, lengths, parents),
    )


def _of_address(url: str) -> list[float]:
    parts = urlsplit(url.lower())
    segments = [segment for segment in parts.path.split("/") if segment]
    last = segments[-1] if segments else ""
    labels = (parts.hostname or "").split(".")[:-2]
    counts = [0.0] * len(_WORDS["address"])
    for segment in (*labels, *segments):
        words = segment.split("-")
        for word in words:
            if (index := _PARTS.get(word)) is not None:
                counts[index] += 1.0 if len(words) == 1 else 0.25
    return [
        len(segments),
        len(last),
        last.count("-") + last.count("_"),
        bool(_LONG_NUMBER.search(parts.path)),
        bool(_DATED.search(parts.path)),
        bool(labels and labels[0] != "www"),
        *counts,
    ]


def _of_declared(page: PageFacts, metadata: Metadata) -> list[float]:
    structured = page.structured
    declared = [0.0] * len(_WORDS["declared"])
    for node in structured.nodes[:MAX_NODES]:
        for kind in types_of(node):
            if (index := _KINDS.get(kind)) is not None:
                declared[index] = min(declared[index] + 1, 20)
    og = (structured.first_meta("og:type") or "").lower()
    published = metadata.provenance.get("published_at")
    names = " ".join(page.body_names())
    return [
        *declared,
        "article" in og,
        "website" in og,
        "product" in og or "ebay" in og,
        metadata.published_at is not None,
        published.confidence if published else 0.0,
        min(len(metadata.signed), 4),
        math.log1p(len(metadata.description or "")),
        2.0 if metadata.kind and "news" in metadata.kind else bool(metadata.kind),
        len(fold_words(metadata.title or "").split()),
        len(_PARTED.findall(page.titles[0])) if page.titles else 0,
        page.is_declared,
        "single" in names or "postid" in names or "article" in names,
        "product" in names or "shop" in names or "woocommerce" in names or "collection" in names,
    ]


def _of_links(page: PageFacts) -> list[float]:
    """Links: all, those to what stands below this page's address or beside it, to authors, and within the page."""
    parts = urlsplit(page.url)
    path, host = parts.path.rstrip("/"), parts.hostname or ""
    above = path.rpartition("/")[0]
    links = [link.get("href") or "" for link in page.elements["a"][:MAX_LINKS]]
    paths = {("/" + link.partition(host)[2].lstrip("/") if host and host in link else link) for link in links}
    below = sum(link.startswith(path + "/") and len(link) > len(path) + 2 for link in paths) if path else 0
    beside = sum(link.startswith(above + "/") for link in paths) - below if above else 0
    joined = "\n".join(links)
    return [math.log1p(count) for count in (len(links), below, beside, joined.count("/author"), joined.count("#"))]


def _of_shown(shown: Sequence[PlacedBlock], body: str) -> list[float]:
    total = linked = longest = prose = headings = titles = short = 0
    labels = []
    for block in shown:
        text = block.text
        length = len(text)
        total += length
        linked += block.linked
        if block.kind == "heading":
            headings += 1
            titles += 2 * block.linked > length
        elif length > LONG and 3 * block.linked < length:
            prose += length
            longest = max(longest, length)
        if length < SHORT:
            short += length < 40
            labels.append(text)
    lines, beginning = "\n".join(labels)[:MAX_LABELS].lower(), body[:SAMPLE].lower()
    return [
        math.log1p(len(shown)),
        math.log1p(total),
        linked / (total or 1),
        math.log1p(headings),
        math.log1p(titles),
        short / (len(shown) or 1),
        prose / (total or 1),
        math.log1p(longest),
        math.log1p(len(_PRICE.findall(lines))),
        *(math.log1p(sum(map(lines.count, phrases))) for phrases in _COUNTED),
        *(math.log1p(sum(map(beginning.count, phrases))) for phrases in _COUNTED),
    ]


def _of_body(page: PageFacts, blocks: Sequence[PlacedBlock], total: int) -> list[float]:
    lengths = [len(block.text) for block in blocks]
    count, size = len(blocks) or 1, sum(lengths) or 1
    sample = page.text[:SAMPLE]
    words = sample.count(" ") + 1
    counts = Counter(sample.lower().split())
    return [
        math.log1p(page.words),
        math.log1p(len(blocks)),
        size / total,
        sum(block.linked for block in blocks) / size,
        sum(block.links for block in blocks) / count,
        sum(length for length in lengths if length > 150) / size,
        math.log1p(max(lengths, default=0)),
        math.log1p(size / count),
        sum(block.kind == "heading" for block in blocks) / count,
        sum(len(block.text) for block in blocks if block.kind in ("item", "row", "cell")) / size,
        sum(length < SHORT for length in lengths) / count,
        *(100 * sample.count(sign) / words for sign in ".?,"),
        sum(map(sample.count, "0123456789")) / (len(sample) or 1),
        100 * sum(map(sample.count, "$€£₹")) / words,
        *(100 * sum(map(counts.__getitem__, listed)) / words for listed in _SAID_BY),
    ]


def _of_nodes(
    shown: Sequence[PlacedBlock], places: Sequence[int], lengths: Sequence[int], parents: Sequence[int]
) -> list[float]:
    """How much stands before and behind the body, and how many elements hold it: each teaser has one of its own."""
    kept: Counter[int] = Counter()
    prose: Counter[int] = Counter()
    linked: Counter[int] = Counter()
    for index in places:
        kept[parents[shown[index].node]] += lengths[index]
    for block, length in zip(shown, lengths, strict=True):
        if length > 100 and 3 * block.linked < length:
            prose[parents[block.node]] += length
        elif length > 25 and 2 * block.linked > length:
            linked[parents[max(parents[block.node], 0)]] += 1
    children = Counter(parents)
    return [
        math.log1p(sum(lengths[places[-1] + 1 :]) if places else 0),
        math.log1p(sum(lengths[: places[0]]) if places else 0),
        max(kept.values(), default=0) / (sum(kept.values()) or 1),
        len(kept) / (len(places) or 1),
        len({parents[max(parent, 0)] for parent in kept}) / (len(places) or 1),
        max(prose.values(), default=0) / (sum(prose.values()) or 1),
        math.log1p(len(prose)),
        math.log1p(max(linked.values(), default=0)),
        math.log1p(max(children.values(), default=0)),
    ]
