"""Where pieces of text stand on the page that they were taken from, to show them in its order."""

import re
from collections.abc import Sequence
from html import unescape
from typing import Final

_UNSEEN: Final = re.compile(r"(?is)<!--.*?(?:-->|\Z)|<(script|style|template)\b[^<>]*>.*?(?:</\1\s*>|\Z)")
"""What no reader sees; to the end of the page where it is not closed, so that each character is looked at once."""

_TAG: Final = re.compile(r"<[^<>]*>")
_SKIPPED: Final = re.compile(r"[\W_]+")

LOOKED_FOR: Final = 80
"""Letters at the begin of a piece by which it is found: later ones may hold links and marks that the page has not."""


def order_by_page(kept: Sequence[str], removed: Sequence[str], page: str) -> list[tuple[bool, int]]:
    """All pieces in the order in which the page has them: whether each was kept, and its index among its kind.

    Both lists are in that order among themselves. What the page does not have follows what is before it in its list;
    removed pieces without a neighbour that is found stand at the end.

    >>> order_by_page(["It closes.", "It opens."], ["Read more"], "<p>It closes.<p>Read <b>more</b><p>It opens.")
    [(True, 0), (False, 0), (True, 1)]
    """
    text = _letters(unescape(_TAG.sub(" ", _UNSEEN.sub(" ", page))))
    places = [(offset, True, index) for index, offset in enumerate(_places(kept, text, 0))]
    places += [(offset, False, index) for index, offset in enumerate(_places(removed, text, len(text) + 1))]
    return [
        (is_kept, index) for _, is_kept, index in sorted(places, key=lambda piece: (piece[0], not piece[1], piece[2]))
    ]


LETTERS_LOOKED_AT: Final = 50_000_000
"""Of a page, for all pieces together: each that does not stand in it is looked for to its end."""


def _places(pieces: Sequence[str], text: str, unknown: int) -> list[int]:
    places: list[int] = []
    at, left = 0, LETTERS_LOOKED_AT
    for piece in pieces:
        wanted = _letters(piece)[:LOOKED_FOR]
        offset = text.find(wanted, at) if wanted and left > 0 else -1
        left -= (len(text) if offset < 0 else offset) - at
        if offset >= 0:
            at = offset + len(wanted)
            places.append(offset)
        else:
            places.append(places[-1] if places else unknown)
    return places


def _letters(text: str) -> str:
    return _SKIPPED.sub("", text).casefold()
