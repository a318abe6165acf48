"""Marks of what matches, brought from the form of a text that PostgreSQL indexes to the text as it was written.

Its parser takes ``café``, ``U.S.`` or a line of Japanese otherwise than the index does, which is made of texts without
accents and with what parts words taken out. So places are looked for in that form, and shown in the text itself.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from itertools import accumulate
from typing import Final

from pipeline.store.fulltext import IGNORED, PARTING, UNSPACED

BEGIN, END = "\x02", "\x03"
"""Around what matches, in what the database returns; no article holds them, or they are taken for marks."""

_IGNORED: Final = re.compile(IGNORED)
_UNSPACED: Final = re.compile(f"({UNSPACED})")
_BLANKS: Final = dict.fromkeys(map(ord, PARTING), " ")


def index_form(text: str) -> str:
    """The text as `news_search_text` has it on PostgreSQL.

    >>> index_form("Café U.S. 港区"), index_form("well-known")
    ('Cafe U S   港  区 ', 'well known')
    """
    if text.isascii():
        return text.translate(_BLANKS)
    plain = _IGNORED.sub("", unicodedata.normalize("NFKD", text)).translate(_BLANKS)
    return _UNSPACED.sub(r" \1 ", plain)


class _Lengths(dict[str, int]):
    """How long each character is in the index's form."""

    def __missing__(self, character: str) -> int:
        self[character] = length = len(index_form(character))
        return length


_LENGTHS: Final = _Lengths()


def mark(text: str, marked: str) -> str:
    r"""The piece of the text that is marked in the index's form of it, with the same marks.

    >>> mark("Im Café „Hafen“", "Im \x02Cafe\x03 „Hafen“")
    'Im \x02Café\x03 „Hafen“'
    """
    parts = re.split(f"[{BEGIN}{END}]", marked)
    begin = index_form(text).find("".join(parts))
    if begin < 0:  # what looks like a tag of HTML is left out by PostgreSQL
        return marked
    ends = list(accumulate(map(_LENGTHS.__getitem__, text)))
    shown, place = [], bisect_right(ends, begin) if begin else 0
    for number, part in enumerate(parts):
        begin += len(part)
        # A match ends with its last character, and the accents that stand behind it; the rest is what lies between.
        end = max(place, bisect_right(ends, begin) if number % 2 == 0 else _after(ends, begin))
        shown += [text[place:end], END if number % 2 else BEGIN]
        place = end
    return "".join(shown[:-1])


def _after(ends: list[int], place: int) -> int:
    """The end of the character that reaches up to this place, with all behind it that has no length."""
    last = bisect_left(ends, place)
    return bisect_right(ends, ends[last]) if last < len(ends) else len(ends)
