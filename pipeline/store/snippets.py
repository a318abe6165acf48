"""Marks of what matches, brought from the form of a text that PostgreSQL indexes to the text as it was written.

Its parser takes ``café``, ``U.S.`` or a line of Japanese otherwise than the index does, which is made of texts without
accents and with what parts words taken out. So places are looked for in that form, and shown in the text itself. It is
made here, and not by `news_search_text` in the database: that takes as long as all the rest of a search.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from pipeline.store.fulltext import IGNORED, PARTING, UNSPACED

BEGIN, END = "\x02", "\x03"
"""Around what matches, in what the database returns; no article holds them, or they are taken for marks."""

_IGNORED: Final = re.compile(IGNORED)
_UNSPACED: Final = re.compile(f"({UNSPACED})")
_BLANKS: Final = dict.fromkeys(map(ord, PARTING), " ")


class _Forms(dict[str, str]):
    """Each character as the index has it."""

    def __missing__(self, character: str) -> str:
        plain = _IGNORED.sub("", unicodedata.normalize("NFKD", character)).translate(_BLANKS)
        self[character] = form = _UNSPACED.sub(r" \1 ", plain)
        return form


_FORMS: Final = _Forms()


class IndexForm:
    r"""A text as `news_search_text` has it on PostgreSQL, and the way back.

    >>> form = IndexForm("Im Café U.S. 港")
    >>> form.text
    'Im Cafe U S   港 '
    >>> form.mark("Im \x02Cafe\x03 U S ")
    'Im \x02Café\x03 U.S.'
    """

    def __init__(self, text: str) -> None:
        self._written = text
        self.text = text.translate(_BLANKS) if text.isascii() else "".join(map(_FORMS.__getitem__, text))

    def mark(self, marked: str) -> str:
        """The piece of the text that a piece of this form stands for, with the same marks."""
        parts = re.split(f"[{BEGIN}{END}]", marked)
        begin = self.text.find("".join(parts))
        if begin < 0:  # what looks like a tag of HTML is left out by PostgreSQL
            return marked
        ends = self._ends()
        shown, place = [], bisect_right(ends, begin) if begin else 0
        for number, part in enumerate(parts):
            begin += len(part)
            # A match ends with its last character, and the accents that stand behind it.
            end = max(place, bisect_right(ends, begin) if number % 2 == 0 else _after(ends, begin))
            shown += [self._written[place:end], END if number % 2 else BEGIN]
            place = end
        return "".join(shown[:-1])

    def _ends(self) -> Sequence[int]:
        """Where each character ends in this form."""
        if self._written.isascii():
            return range(1, len(self._written) + 1)
        return list(accumulate(map(len, map(_FORMS.__getitem__, self._written))))


def _after(ends: Sequence[int], place: int) -> int:
    """The end of the character that reaches up to this place, with all behind it that has no length."""
    last = bisect_left(ends, place)
    return bisect_right(ends, ends[last]) if last < len(ends) else len(ends)
