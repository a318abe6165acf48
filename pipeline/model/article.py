"""Articles as extracted from a page, and their metadata with where each value was found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

Decision = Literal["new", "revised", "unchanged", "duplicate"]
"""What storing an article came to (`pipeline.text.duplicates.decide_version`)."""

Cause = Literal["publisher", "reclean"]
"""Who changed an article: its publisher, or we, by reading the same page otherwise."""


@dataclass(frozen=True)
class Removed:
    """A paragraph that cleaning took out, and why (one word to group by).

    Without slots: two dozen come with each article from another process, and with slots each is packed by Python code.
    """

    text: str
    reason: str


class BodyBlock(NamedTuple):
    """A block of a body as it is counted over the articles of a site (`pipeline.text.recurrence`).

    A tuple, since some sixty come with each article from another process: they are packed in half the time.

    Attributes:
        text: as it stands there.
        key: 64 bits of a hash of its folded words, signed.
        bands: hashes of pairs of its words, of which variants of a block share some.
        words: how many it has.
        above, below: paragraphs of text before and after it.
        kept: whether it is text itself.
    """

    text: str
    key: int
    bands: tuple[int, ...]
    words: int
    above: int
    below: int
    kept: bool


class Reference(NamedTuple):
    """What an article links to, or a picture of it: an absolute URL, with the words of the link or of ``alt``."""

    url: str
    text: str


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Paragraphs after cleaning, in reading order."""

    kept: tuple[str, ...]
    removed: tuple[Removed, ...] = ()


@dataclass(frozen=True, slots=True)
class Article:
    """A cleaned article with its metadata, as extracted from one page.

    Attributes:
        url: canonical URL: what the page says of itself where it may be believed, else where it was found.
        site: host name without ``www.``, to group by.
        text: paragraphs joined by a blank line.
        authors: persons' names, in order.
        language: ISO 639-1 code.
        content_hash: SHA-256 of the normalised text (`pipeline.text.duplicates.content_hash`), hexadecimal.
        extractor: name of what made the text; with its version, what `re-extraction` goes by.
        published_from: what says ``published_at`` (`Provenance.source`).
        page_class: ``article``, or what else was stored as one (`pipeline.classify.CLASSES`).
        source: ``page``, or ``feed`` where the page cannot be had and the feed carried the text.
        agency: the news agency that it is from, where known.
        opt_out: signals by which the page reserves rights (`pipeline.robots.opt_out.SIGNALS`).
        published_precision: whether the time of ``published_at`` is known, or only its day.
        kind: type of article by schema.org, as of `Metadata`.
        captions: of its figures, which are no part of the text.
        corrections: what the publisher says of errors and changes, which is no part of the text either.
        provenance: for each field, as JSON: ``from`` (`Provenance.source`), ``sure`` (confidence), and ``others``, what
            other sources say: pairs of source and value; for ``authors`` also ``kinds``: ``person``, ``agency`` or
            ``newsroom`` for each; for times the ``offset`` from UTC that the publisher gives, or its country has.
        shape: what each paragraph of the text is, one letter for each (`pipeline.text.shape`); None where that is not
            known, as of what a feed carried.
        links: in its text, each address once, canonical; None where they are not known, as of what a feed carried.
        pictures: within the text and above it, likewise.
        blocks: of its body before cleaning, to be counted; nothing of them is stored with the article.
        sketch: of its text (`pipeline.text.duplicates.Words.sketch`), where that was made already.
    """

    url: str
    site: str
    title: str | None
    text: str
    content_hash: str
    word_count: int
    extractor: str
    extractor_version: str
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    published_at: datetime | None = None
    modified_at: datetime | None = None
    language: str | None = None
    section: str | None = None
    description: str | None = None
    image: str | None = None
    removed: tuple[Removed, ...] = ()
    page_class: str = "article"
    source: str = "page"
    opt_out: tuple[str, ...] = ()
    agency: str | None = None
    published_from: str | None = None
    published_precision: str | None = None
    site_name: str | None = None
    publisher: str | None = None
    access: str = "unknown"
    kind: str | None = None
    captions: tuple[str, ...] = ()
    corrections: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    shape: str | None = None
    links: tuple[Reference, ...] | None = None
    pictures: tuple[Reference, ...] | None = None
    blocks: tuple[BodyBlock, ...] = field(default=(), repr=False)
    sketch: tuple[int, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class NoArticle:
    """A page that was read and holds no article; ``opt_out`` as of `Article`."""

    url: str
    reason: str
    message: str = ""
    title: str | None = None
    removed: tuple[Removed, ...] = field(default=())
    opt_out: tuple[str, ...] = ()


Precision = Literal["day", "time"]

Access = Literal["free", "metered", "paid", "unknown"]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a value was found and how sure it is.

    Attributes:
        source: what said it, such as ``json-ld``, ``og:title``, ``h1`` or ``url``; several that agree are joined by
            ``+``.
        confidence: from 0 to 1; what to sort by, no probability.
        alternatives: what other sources say, where they disagree: (source, value), the surest first.
    """

    source: str
    confidence: float
    alternatives: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a page says of its article (`pipeline.metadata.read_metadata`).

    Attributes:
        title: the headline as printed, without the site's name.
        signed: who the byline names, in order: persons, newsrooms and agencies.
        authors: the persons of it.
        agencies: the news agencies of it, under one name each.
        newsrooms: what is neither: desks, the paper itself.
        published_at: in the zone that the page gives it in; midnight UTC where only the day is known.
        published_precision: whether the time of ``published_at`` is known, or only its day.
        language: ISO 639-1 code.
        url: canonical URL, absolute; the page's own URL where it names no other one that can be believed.
        kind: type of article by schema.org, in lower case without ``article``: ``news``, ``opinionnews``,
            ``blogposting``.
        provenance: for each field that has a value, where it came from.
    """

    url: str
    title: str | None = None
    signed: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    agencies: tuple[str, ...] = ()
    newsrooms: tuple[str, ...] = ()
    published_at: datetime | None = None
    published_precision: Precision | None = None
    modified_at: datetime | None = None
    modified_precision: Precision | None = None
    language: str | None = None
    section: str | None = None
    tags: tuple[str, ...] = ()
    description: str | None = None
    image: str | None = None
    site_name: str | None = None
    publisher: str | None = None
    access: Access = "unknown"
    kind: str | None = None
    provenance: Mapping[str, Provenance] = field(default_factory=dict)
