"""What was edited between two versions of a text, in words.

Paragraphs are compared first and words within those that changed: so a paragraph that was moved or put in
does not make words of all others seem edited, and long texts stay cheap (comparing costs the square of the length).
"""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Change = Literal["same", "removed", "added"]

_WORD: Final = re.compile(r"\s+|\w+(?:[’'\-]\w+)*|[^\w\s]")
"""A word with its apostrophes and hyphens, a sign, or blanks: what may be edited by itself."""

LIKE: Final = 0.4
"""Share of words that two paragraphs have in common from which on they are two versions of one."""

MAX_EXACT: Final = 10_000
"""Words of a paragraph up to which all of them count; above, those that stand everywhere do not: it took too long."""

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
    # Blanks never are what two texts are matched by: they would tear edits of several words apart, and there are many.
    lines = difflib.SequenceMatcher(str.isspace, old, new, autojunk=len(new) > MAX_EXACT)
    pieces: list[Piece] = []
    for kind, i, j, k, m in lines.get_opcodes():
        if kind == "equal":
            pieces.append(Piece("same", "".join(old[i:j])))
            continue
        pieces += [Piece("removed", "".join(old[i:j]))] if i < j else []
        pieces += [Piece("added", "".join(new[k:m]))] if k < m else []
    return tuple(pieces)


def compare_paragraphs(before: Sequence[str], after: Sequence[str]) -> tuple[Words, ...]:
    """The paragraphs of both versions in reading order, each as what became of its words."""
    lines = difflib.SequenceMatcher(None, before, after, autojunk=False)
    found: list[Words] = []
    for kind, i, j, k, m in lines.get_opcodes():
        if kind == "equal":
            found += [(Piece("same", text),) for text in before[i:j]]
        else:
            found += _paired(before[i:j], after[k:m])
    return tuple(found)


def count_words(paragraphs: Sequence[Words], change: Change) -> int:
    """How many words stayed, went or came."""
    texts = (piece.text for words in paragraphs for piece in words if piece.change == change)
    return sum(1 for text in texts for word in _WORD.findall(text) if word[0].isalnum())


def _paired(old: Sequence[str], new: Sequence[str]) -> Iterator[Words]:
    """Versions of one paragraph side by side, in the order of the new text; what has no counterpart went or came."""
    left = list(old) if len(old) * len(new) <= MAX_PAIRS else []
    yield from ((Piece("removed", earlier),) for earlier in old[: len(old) - len(left)])
    for text in new:
        place = next((place for place, earlier in enumerate(left) if _is_like(earlier, text)), None)
        if place is None:
            yield (Piece("added", text),)
            continue
        yield from ((Piece("removed", earlier),) for earlier in left[:place])
        yield compare_words(left[place], text)
        left = left[place + 1 :]
    yield from ((Piece("removed", earlier),) for earlier in left)


def _is_like(before: str, after: str) -> bool:
    match = difflib.SequenceMatcher(None, before.split(), after.split(), autojunk=False)
    # The two bounds cost little, and settle most pairs.
    return match.real_quick_ratio() >= LIKE and match.quick_ratio() >= LIKE and match.ratio() >= LIKE
