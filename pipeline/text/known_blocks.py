"""The blocks that are known of a site, and which blocks of an article are among them."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from pipeline.model import BodyBlock
from pipeline.text.block_identity import OTHER_WORDS, fold_block, identify_block, is_same, make_body_blocks

COPY = 0.6
"""Share of an article's words, those of long blocks weighing more, that stand in one other: then it is a copy of that,
and counts for nothing."""

_COPY_WORDS = 20

_SETTLED = 3  # articles from which on a block says nothing on who copied whom


class KnownBlock(NamedTuple):
    """A block of the site as it is stored; ``text`` is None where it was seen but once, or is too long."""

    key: int
    bands: tuple[int, ...]
    words: int
    text: str | None
    articles: int
    first_article: int
    last_article: int


class KnownBlocks:
    """The blocks that are known of a site, to be looked up by what stands in an article."""

    def __init__(self, known: Iterable[KnownBlock] = ()) -> None:
        self._by_key: dict[int, KnownBlock] = {}
        self._by_band: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
        for block in known:
            self.put(block)

    def put(self, known: KnownBlock) -> None:
        """Add a block, or what is known of it by now."""
        if known.key not in self._by_key:
            for band in enumerate(known.bands):
                self._by_band[band].append(known.key)
        self._by_key[known.key] = known

    def get(self, key: int) -> KnownBlock | None:
        """The block with this key."""
        return self._by_key.get(key)

    def find(self, block: BodyBlock) -> KnownBlock | None:
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


def _is_variant(block: BodyBlock, known: KnownBlock, bands: int) -> bool:
    if abs(known.words - block.words) > OTHER_WORDS:
        return False
    if known.text is None:
        return bands > 1  # no text to compare: one pair of words proves nothing
    return is_same(fold_block(block.text), fold_block(known.text))


def find_copied_article(blocks: Iterable[tuple[BodyBlock, KnownBlock | None]]) -> int | None:
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
    article = min(shared, key=lambda candidate: (-shared[candidate], candidate))
    return article if shared[article] >= COPY * total else None


def find_learned(blocks: Iterable[BodyBlock], learned: frozenset[str]) -> set[int]:
    """Keys of those blocks that are among the learned texts of their site, or variants of one."""
    if not learned:
        return set()
    keys, by_band = _index(learned)
    recurring: set[int] = set()
    for block in blocks:
        if block.key in keys:
            recurring.add(block.key)
            continue
        candidates = {words for band in enumerate(block.bands) for words in by_band.get(band, ())}
        if candidates and any(is_same(fold_block(block.text), words) for words in candidates):
            recurring.add(block.key)
    return recurring


def find_recurring(
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
    known = {index: identify_block(text) for index, text in enumerate(texts) if keys and kept[index]}
    places = {index for index, identity in known.items() if identity and identity[0] in keys}
    for index in sorted(places, reverse=True):
        below = index + 1
        is_above_text = below < len(texts) and kept[below] and below not in places and kinds[below] != "heading"
        if kinds[index] == "heading" and is_above_text:
            places.discard(index)
    return places if len(places) < sum(kept) else set()


@lru_cache(maxsize=64)
def _index(
    learned: frozenset[str],
) -> tuple[frozenset[int], Mapping[tuple[int, int], Sequence[tuple[str, ...]]]]:
    by_band: dict[tuple[int, int], list[tuple[str, ...]]] = {}
    keys = set()
    for text in sorted(learned):
        for block in make_body_blocks([text], [True]):
            keys.add(block.key)
            for band in enumerate(block.bands):
                by_band.setdefault(band, []).append(fold_block(text))
    return frozenset(keys), by_band
