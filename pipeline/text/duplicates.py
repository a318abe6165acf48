"""Whether an article is new, revised, unchanged or a copy, and whether two texts are copies, perhaps edited or cut.

A *run* is a few words in a row. A text's sketch is a sample of its runs that is chosen by their hashes, so that texts
that share much share some of it (Broder, "On the resemblance and containment of documents", 1997; sampling modulo a
power of two keeps containment as well as resemblance: a text cut to half has a finer sample, which includes its part of
the other's). Texts that share any of their sketches are compared word by word.

All of it depends on the two texts and their sites alone, never on what else there is or came first.
"""

import hashlib
import math
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import blake2b
from itertools import accumulate, chain, compress, count
from typing import NamedTuple

from pipeline.model import Article, Decision
from pipeline.text.words import find_words, fold, is_mostly_unspaced, normalise, split_units

SAMPLE = 16
"""Runs in the sketch of a text: from so many to twice as many. With 15 % of the words of one copy changed and half of
another one cut away, they still share four or five on average."""

SPACED = (5, 3)
"""Words in the runs of a sketch and of a comparison: five are rarely shared by chance, and outlive edits."""

TELLING = 22
"""Characters of a run of words for a sketch: shorter ones are made of the words that hold any text together."""

UNSPACED = (8, 5)
"""The same in characters, for scripts without spaces, where a word has about two."""

ENOUGH = 0.5
"""The share of the shorter text that must stand in the other: two copies that were both edited in 15 % of their words
come to 0.58; a follow-up that repeats the background of a story, to less than half."""

ENOUGH_IF_CUT = 0.7
"""The same where one has less than three quarters of the other's length: a follow-up is like a part of a story sooner
than like the whole."""

ENOUGH_AT_HOME = 0.7
"""The same on one site: there, paragraphs are used again, and no agency stands between."""

CUT, SHORTEST = 0.75, 0.3
"""Length of the shorter text beside the longer: below which it counts as cut, and below which they are not compared. A
digest that holds many stories is none of them."""

FEWEST = 20
"""Words that must be shared, where the texts are not equal: below that, it may be a phrase that everybody uses."""

FEW_NUMBERS, OF_NUMBERS, SIGMAS = 8, 0.5, 4.5
"""Reports on stocks, weather or matches repeat their words, with other numbers in between. From eight numbers on, half
the share of the words must be shared of them, and no less than chance explains (in standard deviations)."""


@dataclass(frozen=True)
class ComparedText:
    """A text as comparing needs it.

    Attributes:
        words: folded; of scripts without spaces, each character.
        site: where it stands.
        is_unspaced: whether most of it is in such a script.
    """

    words: tuple[str, ...]
    site: str
    is_unspaced: bool

    @cached_property
    def sketch(self) -> frozenset[int]:
        """64-bit hashes of some of its runs, signed as SQL has them; a few words make but one."""
        words, length = self.words, (UNSPACED if self.is_unspaced else SPACED)[0]
        if not words:
            return frozenset()
        joined, ends = " ".join(words), [*accumulate(map(len, words), lambda end, size: end + size + 1)]
        # of each run of words, which parts of all of them it is
        every = list(zip([0, *(end + 1 for end in ends)], ends[length - 1 :] or ends[-1:], strict=False))
        telling = every if self.is_unspaced else [run for run in every if run[1] - run[0] >= TELLING] or every
        mask = (1 << max(0, (len(telling) // SAMPLE).bit_length() - 1)) - 1
        if joined.isascii():
            plain = joined.encode()
            encoded = [plain[start:end] for start, end in telling]
        else:
            encoded = [joined[start:end].encode("utf-8", "surrogatepass") for start, end in telling]
        # A cheap hash chooses, a wide one is kept: of a hundred million, 32 bits would meet by chance all the time.
        chosen = {run for run in encoded if not zlib.crc32(run) & mask}
        return frozenset(int.from_bytes(blake2b(run, digest_size=8).digest(), signed=True) for run in chosen)


def compared_text(text: str, site: str = "") -> ComparedText:
    """The words of a text that stands on this site."""
    folded = fold(text)
    if is_mostly_unspaced(folded):
        return ComparedText(tuple(split_units(folded)), site, is_unspaced=True)
    return ComparedText(tuple(chain.from_iterable(map(_words_of, folded.split("\n\n")))), site, is_unspaced=False)


@lru_cache(maxsize=256)  # paragraphs are compared by themselves, and then as parts of their text
def _words_of(folded: str) -> list[str]:
    return find_words(folded)


def _in_rows(words: tuple[str, ...], length: int) -> Iterable[tuple[str, ...]]:
    """Its runs of so many words, in order; all of them where there are fewer."""
    return zip(*(words[at:] for at in range(length)), strict=False) if len(words) > length else [words]


def likeness(one: ComparedText, other: ComparedText) -> float:
    """The share of the shorter text that stands in the longer, by runs of words; from 0 to 1, 1 for equal texts.

    The same whichever comes first.
    """
    return _shared(one, other)[0]


def are_copies(one: ComparedText, other: ComparedText) -> bool:
    """Whether one is a copy of the other, edited or cut perhaps; the same whichever comes first."""
    if one.words == other.words:
        return bool(one.words)
    shorter, longer = sorted((len(one.words), len(other.words)))
    if shorter < SHORTEST * longer:
        return False
    share, words, numbers, of_numbers = _shared(one, other)
    is_home = one.site and one.site == other.site
    enough = max(ENOUGH, ENOUGH_AT_HOME if is_home else 0, ENOUGH_IF_CUT if shorter < CUT * longer else 0)
    if words < FEWEST or share < enough:
        return False
    if numbers < FEW_NUMBERS or share == 1:
        return True
    deviation = math.sqrt(share * (1 - share) / numbers)
    return of_numbers >= max(OF_NUMBERS * share, share - SIGMAS * deviation)


def _shared(one: ComparedText, other: ComparedText) -> tuple[float, int, int, float]:
    """Of the shorter text the share that is shared, in how many words; its numbers, and the share of them."""
    if one.words == other.words:
        return 1.0, len(one.words), 0, 1.0
    if one.is_unspaced != other.is_unspaced or not one.words or not other.words:
        return 0.0, 0, 0, 0.0
    short, long = (pair.words for pair in sorted((one, other), key=lambda text: (len(text.words), text.words)))
    length = (UNSPACED if one.is_unspaced else SPACED)[1]
    common = set(_in_rows(short, length)).intersection(_in_rows(long, length))
    covered = bytearray(len(short))
    for at in compress(count(), map(common.__contains__, _in_rows(short, length))):
        covered[at : at + length] = b"\1" * min(length, len(short) - at)
    are_numbers = [word[0].isdigit() for word in short]
    numbers, shared = sum(are_numbers), sum(covered)
    of_numbers = sum(compress(covered, are_numbers)) / numbers if numbers else 1.0
    return shared / len(short), shared, numbers, of_numbers


class StoredState(NamedTuple):
    """What the archive holds of an article, as far as deciding needs it."""

    title: str | None
    content_hash: str
    text: str = ""


def content_hash(text: str) -> str:
    """SHA-256 of the normalised text, hexadecimal: equal for texts that differ in layout only."""
    return hashlib.sha256(normalise(text).encode("utf-8", "surrogatepass")).hexdigest()


def decide_version(stored: StoredState | None, article: Article, first_with_same_text: int | None) -> Decision:
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
