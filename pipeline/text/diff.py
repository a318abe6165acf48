"""What was edited between two versions of a text, in words.

Paragraphs are compared first and words within those that changed: so a paragraph that was moved or put in
does not make words of all others seem edited, and long texts stay cheap (comparing costs the square of the length).
"""

import difflib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Literal

from pipeline.text.words import count_words

Change = Literal["same", "removed", "added"]

_WORD: Final = re.compile(r"(?:\w+(?:[’'\-]\w+)*|[^\w\s])\s*|\s+")
"""A word with its apostrophes and hyphens, or a sign, and the blanks behind it: what may be edited by itself."""

LIKE: Final = 0.4
"""Share of words that two paragraphs have in common from which on they are two versions of one."""

MAX_STEPS: Final = 2_000_000
"""Pairs of equal words up to which two paragraphs are compared: a second or two. Beyond, the one went and the other
came as a whole."""

MAX_PAIRS: Final = 40_000
"""Pairs of edited paragraphs that are looked at for versions of one another: about a second."""

Words = tuple["Piece", ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of words that stayed, went or came."""

    change: Change
    text: str


def compare_words(before: str, after: str) -> Words:
    """What became of the words of a paragraph or headline.

    >>> [(piece.change, piece.text) for piece in compare_words("The old port", "The new port")]
    [('same', 'The '), ('removed', 'old'), ('added', 'new'), ('same', ' port')]
    """
    old, new = _WORD.findall(before), _WORD.findall(after)
    # Blanks are not what two texts are matched by: they would tear edits of several words apart.
    matched, matching = [word.rstrip() for word in old], [word.rstrip() for word in new]
    if _count_steps(matched, matching) > MAX_STEPS:
        return Piece("removed", before), Piece("added", after)
    lines = difflib.SequenceMatcher(None, matched, matching, autojunk=False)
    pieces: list[Piece] = []
    for kind, i, j, k, m in lines.get_opcodes():
        if kind == "equal":
            for earlier, later in zip(old[i:j], new[k:m], strict=True):
                pieces += _compare_ends(earlier, later, len(earlier.rstrip()))
        else:
            removed, added = "".join(old[i:j]), "".join(new[k:m])
            pieces += _compare_ends(removed, added, 0)
    return tuple(
        Piece(change, "".join(piece.text for piece in run))
        for change, run in groupby(pieces, key=lambda piece: piece.change)
    )


def _compare_ends(before: str, after: str, same: int) -> Iterator[Piece]:
    """What became of the characters behind the first ``same``; blanks that both end with stayed."""
    blanks = after[len(after.rstrip()) :]
    kept = len(blanks) if before.endswith(blanks) and before[same:] and after[same:] else 0
    stretches: tuple[tuple[Change, str], ...] = (
        ("same", before[:same]),
        ("removed", before[same : len(before) - kept]),
        ("added", after[same : len(after) - kept]),
        ("same", blanks[:kept]),
    )
    yield from (Piece(change, text) for change, text in stretches if text)


def compare_paragraphs(before: Sequence[str], after: Sequence[str]) -> tuple[Words, ...]:
    """The paragraphs of both versions in reading order, each as what became of its words."""
    lines = difflib.SequenceMatcher(None, before, after, autojunk=_count_steps(before, after) > MAX_STEPS)
    pieces: list[Words] = []
    for kind, i, j, k, m in lines.get_opcodes():
        if kind == "equal":
            pieces += [(Piece("same", text),) for text in before[i:j]]
        else:
            pieces += _paired(before[i:j], after[k:m])
    return tuple(pieces)


def count_changed_words(paragraphs: Sequence[Words], change: Change) -> int:
    """How many words stayed, went or came."""
    texts = (piece.text for words in paragraphs for piece in words if piece.change == change)
    return sum(map(count_words, texts))


def _paired(old: Sequence[str], new: Sequence[str]) -> Iterator[Words]:
    """Versions of one paragraph side by side, in the order of the new text; what has no counterpart went or came."""
    left = list(old) if len(old) * len(new) <= MAX_PAIRS else []
    yield from ((Piece("removed", earlier),) for earlier in old[: len(old) - len(left)])
    for text in new:
        index = next((index for index, earlier in enumerate(left) if _is_like(earlier, text)), None)
        if index is None:
            yield (Piece("added", text),)
            continue
        yield from ((Piece("removed", earlier),) for earlier in left[:index])
        yield compare_words(left[index], text)
        left = left[index + 1 :]
    yield from ((Piece("removed", earlier),) for earlier in left)


def _is_like(before: str, after: str) -> bool:
    old, new = before.split(), after.split()
    match = difflib.SequenceMatcher(None, old, new, autojunk=False)
    # The two bounds cost little, and settle most pairs.
    if match.real_quick_ratio() < LIKE or match.quick_ratio() < LIKE:
        return False
    return _count_steps(old, new) > MAX_STEPS or match.ratio() >= LIKE


def _count_steps(before: Sequence[str], after: Sequence[str]) -> int:
    """Pairs of equal words: what one look for the longest common run costs."""
    counts = Counter(after)
    return sum(counts[word] for word in before)
