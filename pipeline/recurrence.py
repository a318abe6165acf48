"""Which blocks of text recur over different articles of one site, and which of those are boilerplate.

Pure decisions on values; `pipeline.store.boilerplate` keeps the counts. A block is known by a key: a hash of its folded
words, in which numbers and dates are one sign. A variant in which one or two words are others is found by bands (the
least hashes of its pairs of words: Broder, "On the resemblance and containment of documents", 1997), then compared.

What recurs is not boilerplate yet. A wire story may be printed twice and a story under two addresses (`copied_from`); a
series has its standfirst, and a topic its paragraph of background. These recur in few of a site's articles, or on one
day, or at the top alone, and boilerplate does not (`is_boilerplate`).
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from hashlib import blake2b
from typing import Literal, NamedTuple
from zlib import crc32

from pipeline.dedup.likeness import words_of
from pipeline.metadata.tables import load_months
from pipeline.model import BodyBlock

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

FEW_WORDS = 4
"""Below that, a block may be a line of a table, an answer, a refrain: it has to stand in most articles."""

FEWEST = 5
"""Articles in which a block stands before it is looked at."""

SPAN = 12
"""Articles of the site that a block's share is taken of at least, however close together it was seen."""

_TIERS = ((5, 3, 0.12), (6, 2, 0.25), (8, 1, 0.33), (20, 1, 0.2))
"""(articles, days, share of the site's articles meanwhile): any of them makes a block boilerplate. The fewer days, the
more it takes: all of a day's articles on one event may have its background in common."""

_AT_TOP, _TOP_SHARE = 1.0, 0.35
"""Mean place up to which a block is at the top, and the share it needs there: the standfirst of a series has less."""

_SHORT_SHARE = 0.5

COPY = 0.6
"""Share of an article's words, those of long blocks weighing more, that stand in one other: then it is a copy of that,
and counts for nothing."""

_COPY_WORDS = 20
_SETTLED = 3  # articles from which on a block says nothing on who copied whom
_MASK = 0xFFFFFFFF
_FACTORS = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F)  # odd: each permutes the numbers of 32 bits
_DAYS = 63  # bits of a signed number in SQL

Verdict = Literal["kept", "dropped"]


@dataclass(frozen=True, slots=True)
class Count:
    """What was counted of a block on its site.

    Attributes:
        articles: different articles that it stood in, copies left out.
        days: days on which those were published, one bit each (`day_bit`).
        span: articles of the site from the first to the last of them, both included.
        above: mean number of paragraphs of text before it in an article.
        words: its length.
    """

    articles: int
    days: int
    span: int
    above: float
    words: int

    @property
    def share(self) -> float:
        """Of the site's articles while it was in use."""
        return self.articles / max(self.span, SPAN)


class Known(NamedTuple):
    """A block of the site as it is stored; ``text`` is None where it was seen but once, or is too long."""

    key: int
    bands: tuple[int, ...]
    words: int
    text: str | None
    articles: int
    first_article: int
    last_article: int


def is_boilerplate(count: Count, verdict: Verdict | None = None) -> bool:
    """Whether a block that recurs so is boilerplate; what the user said of it comes first."""
    if verdict is not None:
        return verdict == "dropped"
    least = 0.0
    if count.above <= _AT_TOP:
        least = _TOP_SHARE
    if count.words < FEW_WORDS:
        least = _SHORT_SHARE
    return count.share >= least and any(
        count.articles >= articles and days_of(count.days) >= days and count.share >= share
        for articles, days, share in _TIERS
    )


def day_bit(day: date) -> int:
    """The bit that stands for a day.

    Days 63 apart share one, so that days may be taken for fewer, never for more, than they are.
    """
    return 1 << day.toordinal() % _DAYS


def days_of(bits: int) -> int:
    """How many days these bits stand for, 63 at most.

    >>> days_of(day_bit(date(2026, 11, 1)) | day_bit(date(2026, 11, 2)))
    2
    """
    return bits.bit_count()


def folded(text: str) -> tuple[str, ...]:
    """The words of a block with one sign for each date and number.

    >>> folded("Updated 3 March 2026, 14:30: 12 comments")
    ('updated', '#', 'comments')
    """
    words = words_of(text).words[:MAX_WORDS]
    months = load_months()
    found: list[str] = []
    for word in words:
        sign = "#" if word[0].isdecimal() or word in months else word
        if sign != "#" or found[-1:] != ["#"]:
            found.append(sign)
    return tuple(found) if found.count("#") <= MAX_NUMBERS else words


def body_blocks(texts: Sequence[str], kept: Sequence[bool]) -> tuple[BodyBlock, ...]:
    """The blocks of a body as they are counted; ``kept`` says which of them are text as far as is known by now."""
    last, before, left = len(texts) - 1, 0, sum(kept)
    found: dict[int, BodyBlock] = {}
    for place, (text, is_kept) in enumerate(zip(texts, kept, strict=True)):
        left -= is_kept
        above, before = before, before + is_kept
        if MAX_BLOCKS // 2 <= place <= last - MAX_BLOCKS // 2:
            continue
        if identity := _identity(text):
            key, bands, words = identity
            found.setdefault(key, BodyBlock(text, key, bands, words, above, left, is_kept))
    return tuple(found.values())


@lru_cache(maxsize=1024)  # boilerplate comes again and again
def _identity(text: str) -> tuple[int, tuple[int, ...], int] | None:
    """Key, bands and length of a block; None for numbers and single words, which say nothing."""
    words = folded(text)
    if sum(word != "#" for word in words) < FEWEST_WORDS:
        return None
    digest = blake2b(" ".join(words).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, signed=True), _bands(words), len(words)


def _bands(words: Sequence[str]) -> tuple[int, ...]:
    pairs = [
        crc32(f"{one} {other}".encode("utf-8", "surrogatepass"))
        for one, other in zip(words, words[1:] or words, strict=False)
    ]
    # Signed numbers of 32 bits, for SQL.
    return tuple(min(pair * factor & _MASK for pair in pairs) - 2**31 for factor in _FACTORS)


def is_same(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two blocks of folded words are one, with a word or two that are others; whichever comes first."""
    if one == other:
        return True
    common = (Counter(one) & Counter(other)).total()
    longest = max(len(one), len(other))
    return longest - common <= OTHER_WORDS and common >= LIKE * longest


class KnownBlocks:
    """The blocks that are known of a site, to be looked up by what stands in an article."""

    def __init__(self, known: Iterable[Known] = ()) -> None:
        self._by_key: dict[int, Known] = {}
        self._by_band: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
        for one in known:
            self.put(one)

    def put(self, known: Known) -> None:
        """Add a block, or what is known of it by now."""
        if known.key not in self._by_key:
            for band in enumerate(known.bands):
                self._by_band[band].append(known.key)
        self._by_key[known.key] = known

    def get(self, key: int) -> Known | None:
        """The block with this key."""
        return self._by_key.get(key)

    def find(self, block: BodyBlock) -> Known | None:
        """The block, or a variant of it where the very same is not known; None for neither."""
        if same := self._by_key.get(block.key):
            return same
        bands: Counter[int] = Counter()
        for band in enumerate(block.bands):
            if band in self._by_band:  # which is so of few blocks
                bands.update(self._by_band[band])
        if not bands:
            return None
        like = [
            (known.articles, bands[known.key], -known.key)
            for known in map(self._by_key.__getitem__, bands)
            if _is_variant(block, known, bands[known.key])
        ]
        return self._by_key[-max(like)[2]] if like else None


def _is_variant(block: BodyBlock, known: Known, bands: int) -> bool:
    if abs(known.words - block.words) > OTHER_WORDS:
        return False
    if known.text is None:
        return bands > 1  # no text to compare: one pair of words proves nothing
    return is_same(folded(block.text), folded(known.text))


def copied_from(blocks: Iterable[tuple[BodyBlock, Known | None]]) -> int | None:
    """The article that most of these blocks' words were seen in; None where the text is its own."""
    total, shared = 0, defaultdict[int, int](int)
    for block, known in blocks:
        if not block.kept or (known and known.articles >= _SETTLED):
            continue
        weight = block.words**2  # what sites print is short, and may be as many words as the text of a short article
        total += weight
        for article in {known.first_article, known.last_article} if known else ():
            shared[article] += weight
    if total < _COPY_WORDS**2 or not shared:
        return None
    article = min(shared, key=lambda one: (-shared[one], one))
    return article if shared[article] >= COPY * total else None


def find_learned(blocks: Iterable[BodyBlock], learned: frozenset[str]) -> set[int]:
    """Keys of those blocks that are among the learned texts of their site, or variants of one."""
    if not learned:
        return set()
    keys, by_band = _index(learned)
    found: set[int] = set()
    for block in blocks:
        if block.key in keys:
            found.add(block.key)
            continue
        candidates = {words for band in enumerate(block.bands) for words in by_band.get(band, ())}
        if candidates and any(is_same(folded(block.text), words) for words in candidates):
            found.add(block.key)
    return found


def recurring_places(
    blocks: Collection[BodyBlock],
    texts: Sequence[str],
    kinds: Sequence[str],
    kept: Sequence[bool],
    learned: frozenset[str],
) -> set[int]:
    """Places of the texts to be removed, since they are learned boilerplate; none where nothing would be left.

    A heading goes only with what it is the heading of: *What we know* may stand above true text in any article.
    """
    keys = find_learned(blocks, learned)
    known = {place: _identity(text) for place, text in enumerate(texts) if keys and kept[place]}
    places = {place for place, identity in known.items() if identity and identity[0] in keys}
    for place in sorted(places, reverse=True):
        below = place + 1
        is_above_text = below < len(texts) and kept[below] and below not in places and kinds[below] != "heading"
        if kinds[place] == "heading" and is_above_text:
            places.discard(place)
    return places if len(places) < sum(kept) else set()


@lru_cache(maxsize=64)
def _index(
    learned: frozenset[str],
) -> tuple[frozenset[int], Mapping[tuple[int, int], Sequence[tuple[str, ...]]]]:
    by_band: dict[tuple[int, int], list[tuple[str, ...]]] = {}
    keys = set()
    for text in sorted(learned):
        for block in body_blocks([text], [True]):
            keys.add(block.key)
            for band in enumerate(block.bands):
                by_band.setdefault(band, []).append(folded(text))
    return frozenset(keys), by_band
