"""By what a block of text is known again on its site, with other dates and numbers or a word or two that are others.

A block's key is a hash of its folded words, in which numbers and dates are one sign. A variant is found by bands (the
least hashes of its pairs of words: Broder, "On the resemblance and containment of documents", 1997), then compared.
"""

import re
import sys
from array import array
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from zlib import crc32

from pipeline.model import BodyBlock
from pipeline.text.duplicates import compared_text
from pipeline.text.months import load_months
from pipeline.text.words import fold

MAX_CHARACTERS = 600
"""Longer blocks are never learned: no boilerplate was seen that is longer and not cut into paragraphs."""

MAX_BLOCKS = 150
"""Blocks of one article that are counted, half of them from its end: sites print theirs at the two ends."""

MAX_WORDS = 120
"""Words of a block that its key is made of."""

MAX_NUMBERS = 4
"""With more numbers than a date and a phone number have, a block is a table or a report, and its numbers its text."""

FEWEST_WORDS = 2
"""Words beside numbers that a block must have to be counted: a name or a date alone is met anywhere."""

OTHER_WORDS, LIKE = 2, 0.7
"""Words on either side that may be others in the same block, and the share of the longer that is the same then."""

_DIGIT = re.compile(r"\d")
_FACTORS = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F)  # odd: each permutes the numbers of 32 bits


def fold_block(text: str) -> tuple[str, ...]:
    """The words of a block with one sign for each date and number.

    >>> fold_block("Updated 3 March 2026, 14:30: 12 comments")
    ('updated', '#', 'comments')
    """
    words = compared_text(text).words[:MAX_WORDS]
    months = load_months()
    if months.keys().isdisjoint(words) and not _DIGIT.search(fold(text)):
        return words
    folded: list[str] = []
    for word in words:
        sign = "#" if word[0].isdecimal() or word in months else word
        if sign != "#" or folded[-1:] != ["#"]:
            folded.append(sign)
    return tuple(folded) if folded.count("#") <= MAX_NUMBERS else words


def make_body_blocks(texts: Sequence[str], kept: Sequence[bool]) -> tuple[BodyBlock, ...]:
    """The blocks of a body as they are counted; ``kept`` says which of them are text as far as is known by now."""
    last, before, left = len(texts) - 1, 0, sum(kept)
    blocks: dict[int, BodyBlock] = {}
    for index, (text, is_kept) in enumerate(zip(texts, kept, strict=True)):
        left -= is_kept
        above, before = before, before + is_kept
        if MAX_BLOCKS // 2 <= index <= last - MAX_BLOCKS // 2:
            continue
        if identity := identify_block(text):
            key, bands, words = identity
            blocks.setdefault(key, BodyBlock(text, key, bands, words, above, left, is_kept))
    return tuple(blocks.values())


@lru_cache(maxsize=1024)  # boilerplate comes again and again
def identify_block(text: str) -> tuple[int, tuple[int, ...], int] | None:
    """Key, bands and length of a block; None for numbers and single words, which say nothing."""
    words = fold_block(text)
    if len(words) - words.count("#") < FEWEST_WORDS:
        return None
    joined = " ".join(words).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(joined, digest_size=8).digest(), signed=True), _bands(joined.split(b" ")), len(words)


def _bands(words: Sequence[bytes]) -> tuple[int, ...]:
    # Of two words with a blank between: a sum goes on from that of what stands before.
    pairs = array("Q", map(crc32, words[1:] or words, [crc32(b" ", crc32(word)) for word in words]))
    # All are multiplied at once, as one number of so many digits, none of which overflows; half of each is looked at.
    number, size = int.from_bytes(pairs.tobytes(), sys.byteorder), 8 * len(pairs)
    low = 0 if sys.byteorder == "little" else 1
    products = (memoryview((number * factor).to_bytes(size, sys.byteorder)).cast("I")[low::2] for factor in _FACTORS)
    # Signed numbers of 32 bits, for SQL.
    return tuple(min(product) - 2**31 for product in products)


def is_same(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two blocks of folded words are one, with a word or two that are others; whichever comes first."""
    if one == other:
        return True
    common = (Counter(one) & Counter(other)).total()
    longest = max(len(one), len(other))
    return longest - common <= OTHER_WORDS and common >= LIKE * longest
