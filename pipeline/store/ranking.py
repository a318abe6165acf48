"""Ranks articles by how often and where they have the words of a search, for SQLite.

FTS5 has bm25 itself, but reads the whole list of each word's articles to know how rare it is: with a million articles
that takes longer than all the rest. Here rarity is counted among the matches that are ranked.
"""

import math
import re
import unicodedata
from collections.abc import Sequence

from pipeline.search import Phrase

SATURATION, SLOPE = 1.2, 0.75
"""k1 and b of BM25 (Robertson and Zaragoza, 2009): how soon more of a word counts no more, and what length counts."""

_MARKS = re.compile("[\u0300-\u036f]")


def rank(phrases: Sequence[Phrase], found: Sequence[tuple[str, str]], title_weight: float) -> list[float]:
    """A score for each of these headlines and texts, the higher the better."""
    patterns = [(_pattern(phrase), phrase.in_title) for phrase in phrases]
    counts = [
        [
            _count(pattern, title) * title_weight + (0 if in_title else _count(pattern, text))
            for pattern, in_title in patterns
        ]
        for title, text in ((_folded(title), _folded(text)) for title, text in found)
    ]
    average = sum(len(text) for _, text in found) / len(found) if found else 1.0
    rarities = []
    for place in range(len(patterns)):
        having = sum(row[place] > 0 for row in counts)
        rarities.append(math.log(1 + (len(found) - having + 0.5) / (having + 0.5)) + 0.1)
    return [
        sum(rarity * _saturated(count, len(text) / average) for rarity, count in zip(rarities, row, strict=True))
        for row, (_, text) in zip(counts, found, strict=True)
    ]


def _saturated(count: float, length: float) -> float:
    return count * (SATURATION + 1) / (count + SATURATION * (1 - SLOPE + SLOPE * length))


def _folded(text: str) -> str:
    lowered = text.lower()
    return lowered if lowered.isascii() else _MARKS.sub("", unicodedata.normalize("NFKD", lowered))


def _pattern(phrase: Phrase) -> re.Pattern[str]:
    # It begins with the word itself, which lets the regular expression look for that alone.
    words = r"\W+".join(re.escape(_folded(word)) for word in phrase.words)
    return re.compile(words if phrase.is_prefix else rf"{words}(?!\w)")


def _count(pattern: re.Pattern[str], text: str) -> int:
    return sum(not (match.start() and text[match.start() - 1].isalnum()) for match in pattern.finditer(text))
