"""A text that blocks of a page are compared with: how much of each it holds, by runs of words."""

from collections.abc import Sequence

Shingles = set[tuple[str, ...]]


def shingles(words: Sequence[str]) -> Shingles:
    """All runs of three words; of fewer words, all of them."""
    if len(words) < 3:
        return {tuple(words)} if words else set()
    return set(zip(words, words[1:], words[2:], strict=False))


class ReferenceText:
    """A text that others are compared with, by its runs of words; false where there is none."""

    def __init__(self, words: Sequence[str]) -> None:
        self._shingles = shingles(words)
        self._words = frozenset(words)

    def __bool__(self) -> bool:
        return bool(self._shingles)

    def share_in(self, words: Sequence[str]) -> float:
        """How much of these words it holds, by their runs."""
        # Most texts have no three words in a row that are known at all: a third of the time of making their runs.
        if len(words) > 2 and b"\1\1\1" not in bytes(map(self._words.__contains__, words)):
            return 0.0
        return overlap(shingles(words), self._shingles)


def overlap(own: Shingles, known: Shingles) -> float:
    """The share of the runs of words that are known."""
    return len(own & known) / len(own) if own else 0.0
