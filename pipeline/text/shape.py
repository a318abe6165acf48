"""The shape of a text: what each of its paragraphs is, one letter for each."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

LETTERS: Final[Mapping[str, tuple[str, int | None]]] = {
    "p": ("paragraph", None),
    **{str(level): ("heading", level) for level in range(1, 7)},
    "h": ("heading", None),
    **{letter: ("item", level) for level, letter in enumerate("ijk", start=1)},
    **{letter: ("item", level) for level, letter in enumerate("IJK", start=1)},
    "q": ("quote", None),
    "r": ("row", None),
    "c": ("code", None),
    "f": ("caption", None),
}
"""Kind and level of a paragraph by its letter. An item's level is how deep its list is nested, three for all beyond,
and its letter is a capital where the list is numbered; a heading without a level is that of something to unfold."""

ITEMS, NUMBERED_ITEMS = "ijk", "IJK"


class TextBlock(NamedTuple):
    """A paragraph of a text with its kind and level; both are None where its shape is not known."""

    kind: str | None
    level: int | None
    text: str


def iterate_blocks(text: str, shape: str | None) -> Iterator[TextBlock]:
    r"""The paragraphs of a text, in order, by its shape.

    >>> [block.kind for block in iterate_blocks("Tides\n\nThey come and go.", "2p")]
    ['heading', 'paragraph']
    """
    letters = shape or ""
    for index, paragraph in enumerate(text.split("\n\n")):
        kind, level = LETTERS.get(letters[index : index + 1], (None, None))
        yield TextBlock(kind, level, paragraph)
