"""Whether an article that was just extracted is new, revised, unchanged or a duplicate: decided, not written."""

import hashlib
import re
import unicodedata
from typing import NamedTuple

from pipeline.model import Article, Decision

# Soft hyphens, zero-width spaces and joiners, direction marks, byte order marks: layout, not text.
_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")


class Stored(NamedTuple):
    """What the archive holds of an article, as far as deciding needs it."""

    title: str | None
    content_hash: str
    text: str = ""


def normalise(text: str) -> str:
    r"""The text with everything gone that is layout: case, width, white space, invisible characters.

    >>> normalise("Ｎews\u00a0 of\nthe Day")
    'news of the day'
    """
    return " ".join(fold(text).split())


def fold(text: str) -> str:
    """The same with its white space as it is."""
    if text.isascii():
        return text.lower()
    # NFKC once more at the end: folding case can leave decomposed characters behind.
    return unicodedata.normalize("NFKC", _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).casefold())


def content_hash(text: str) -> str:
    """SHA-256 of the normalised text, hexadecimal: equal for texts that differ in layout only."""
    return hashlib.sha256(normalise(text).encode("utf-8", "surrogatepass")).hexdigest()


def decide(stored: Stored | None, article: Article, first_with_same_text: int | None) -> Decision:
    """What storing the article comes to.

    Args:
        stored: what the archive holds for the same page; None when it holds nothing.
        article: what was extracted from the page now.
        first_with_same_text: id of the oldest article of another page with the same content hash, if there is one.

    A page that has an article is never turned into a duplicate: its history is its own. A headline that was not
    found this time is a flaw of the extraction and no edit.
    """
    if stored is None:
        return "new" if first_with_same_text is None else "duplicate"
    if stored.content_hash != article.content_hash:
        return "revised"
    if article.title is not None and normalise(article.title) != normalise(stored.title or ""):
        return "revised"
    return "unchanged"
