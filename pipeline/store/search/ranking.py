"""Ranks articles by how often and where they have the words of a search, and shows the place that matches.

Neither database is asked for that. FTS5 has bm25 itself, but reads the whole list of each word's articles to know how
rare it is: with a million articles that takes longer than all the rest. PostgreSQL ranks otherwise, and marks what its
parser takes for words, not what the index has. Here rarity is counted among the matches that are ranked, and both
databases give the same order.
"""

import math
import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final

from pipeline.store.search.results import TextSpan
from pipeline.store.search.terms import PhraseTerm
from pipeline.text.search_form import PAIRED, fold_for_search, is_paired

SATURATION, SLOPE = 1.2, 0.75
"""k1 and b of BM25 (Robertson and Zaragoza, 2009): how soon more of a word counts no more, and what length counts."""

TITLE_WEIGHT = 5.0
"""What a word of the headline counts beside one of the text."""

SNIPPET: Final = 200
"""Characters of a text that are shown, about thirty words."""

LEAD: Final = SNIPPET // 4
"""Of them before the first match."""


class PhrasePattern:
    """Finds a phrase in folded texts, as the index has it."""

    def __init__(self, phrase: PhraseTerm) -> None:
        self.in_title = phrase.in_title
        words = [re.findall(f"(?:{PAIRED})+|(?:(?!{PAIRED}).)+", word) for word in phrase.words]
        pattern, last = "", ""
        for parts in words:
            for index, part in enumerate(parts):
                apart = index or is_paired(part) != is_paired(last)
                # It begins with the word itself, which lets the regular expression look for that alone.
                pattern += ((r"[\W_]*" if apart else r"[\W_]+") if last else "") + re.escape(part)
                last = part
        self._is_word = not is_paired(words[0][0])
        is_open = phrase.is_prefix or is_paired(last)
        self._pattern = re.compile(pattern if is_open else rf"{pattern}(?![^\W_])")

    def spans(self, folded: str) -> Iterator[tuple[int, int]]:
        """From where to where it stands."""
        for match in self._pattern.finditer(folded):
            before = folded[match.start() - 1] if match.start() and self._is_word else " "
            if not before.isalnum() or is_paired(before):
                yield match.span()


def rank_hits(patterns: Sequence[PhrasePattern], texts: Sequence[tuple[str, str]]) -> list[float]:
    """A score for each of these headlines and texts, the higher the better."""
    counts = [
        [
            _count(pattern, title) * TITLE_WEIGHT + (0 if pattern.in_title else _count(pattern, text))
            for pattern in patterns
        ]
        for title, text in ((fold_for_search(title), fold_for_search(text)) for title, text in texts)
    ]
    average = max(1.0, sum(len(text) for _, text in texts) / max(1, len(texts)))
    rarities = []
    for index in range(len(patterns)):
        having = sum(row[index] > 0 for row in counts)
        rarities.append(math.log(1 + (len(texts) - having + 0.5) / (having + 0.5)) + 0.1)
    return [
        sum(rarity * _saturated(count, len(text) / average) for rarity, count in zip(rarities, row, strict=True))
        for row, (_, text) in zip(counts, texts, strict=True)
    ]


def _count(pattern: PhrasePattern, folded: str) -> int:
    return sum(1 for _ in pattern.spans(folded))


def _saturated(count: float, length: float) -> float:
    return count * (SATURATION + 1) / (count + SATURATION * (1 - SLOPE + SLOPE * length))


def mark_title(patterns: Sequence[PhrasePattern], title: str) -> tuple[TextSpan, ...]:
    """The headline in pieces, on one line."""
    return _pieces(title, [(begin, end) for begin, end, _ in _marks(patterns, title)], 0, len(title))


def mark_snippet(patterns: Sequence[PhrasePattern], text: str) -> tuple[TextSpan, ...]:
    """The part of the text that has most of what was looked for, in pieces, on one line."""
    marks = _marks([pattern for pattern in patterns if not pattern.in_title], text)
    best = _densest(marks)
    begin = best - LEAD if best > LEAD else 0
    if begin and (blank := re.search(r"\s\S", text[begin:best])):
        begin += blank.end() - 1
    end = min(len(text), begin + SNIPPET)
    if end < len(text) and (blank := re.search(r"\s\S*\Z", text[best + SNIPPET // 2 : end])):
        end = best + SNIPPET // 2 + blank.start()
    return _pieces(text, [(first, last) for first, last, _ in marks], begin, end)


def _densest(marks: Sequence[tuple[int, int, int]]) -> int:
    """Where the first snippet begins to match that shows most of the patterns; 0 without any."""
    best, most, ahead = 0, 0, 0
    near = Counter[int]()
    for begin, _, which in marks:
        while ahead < len(marks) and marks[ahead][0] < begin + SNIPPET - LEAD:
            near[marks[ahead][2]] += 1
            ahead += 1
        if len(near) > most:
            best, most = begin, len(near)
        near[which] -= 1
        if not near[which]:
            del near[which]
    return best


def _pieces(text: str, marks: Sequence[tuple[int, int]], begin: int, end: int) -> tuple[TextSpan, ...]:
    spans, at = [(f"{'…' if begin else ''}", False)], begin
    for first, last in marks:
        if at <= first < end:
            spans += [(text[at:first], False), (text[first:last], True)]
            at = last
    spans += [(text[at:end], False), ("…" if end < len(text) else "", False)]
    joined: list[tuple[str, bool]] = []
    for piece, is_match in spans:
        shown = re.sub(r"\s+", " ", piece)
        if joined and not is_match and not joined[-1][1]:
            joined[-1] = (joined[-1][0] + shown, False)
        elif shown:
            joined.append((shown, is_match))
    return tuple(TextSpan(piece, is_match) for piece, is_match in joined if piece)


class _Forms(dict[str, str]):
    """Each character as it is folded."""

    def __missing__(self, character: str) -> str:
        self[character] = form = fold_for_search(character)
        return form


_FORMS: Final = _Forms()


def _marks(patterns: Sequence[PhrasePattern], text: str) -> list[tuple[int, int, int]]:
    """From where to where in the text as it was written which of the patterns matches, in order, apart."""
    forms = list(text.lower() if text.isascii() else map(_FORMS.__getitem__, text))
    folded, ends = "".join(forms), list(accumulate(map(len, forms)))
    ordered = sorted(
        # A match ends with its last character, and the accents that stand behind it.
        (bisect_right(ends, begin), bisect_right(ends, ends[bisect_left(ends, end)]), which)
        for which, pattern in enumerate(patterns)
        for begin, end in pattern.spans(folded)
    )
    marks: list[tuple[int, int, int]] = []
    for mark in ordered:
        if not marks or mark[0] >= marks[-1][1]:
            marks.append(mark)
    return marks
