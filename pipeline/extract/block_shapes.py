"""What each block of a page is to a reader, as one letter (`pipeline.text.shape`), by the elements around it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pipeline.extract.blocks import Block, Layout
from pipeline.extract.element_roles import HEADINGS
from pipeline.text.shape import ITEMS, NUMBERED_ITEMS

_LISTS: Final = frozenset(("ul", "ol", "dl", "menu", "dir"))
_ITEMS: Final = frozenset(("li", "dd", "dt"))
_FRAMES: Final = frozenset(("article", "main", "body"))
"""A list around one of these is how the page is laid out."""

_LETTERS: Final[Mapping[str, str]] = {
    **{tag: tag[1] for tag in HEADINGS},
    "summary": "h",
    "pre": "c",
    "blockquote": "q",
    "figcaption": "f",
    "caption": "f",
}
_ENGINES_ITEM: Final = "- "


class ShapeReader:
    """Tells letters of the blocks of a page, which are asked for in reading order.

    Of an entry of a list the first block is the item. What else stands in it are paragraphs, so that a list that is
    there for the layout makes no item of everything.
    """

    def __init__(self, layout: Layout) -> None:
        self._nodes = layout.nodes
        self._begun: set[int] = set()

    def read_letter(self, block: Block) -> str:
        """The letter of a block."""
        above = list(self._above(block.node))
        letter = self._choose(block, above)
        self._begun.update(above)
        return letter

    def _choose(self, block: Block, above: Sequence[int]) -> str:
        if block.kind in ("row", "heading"):
            return "r" if block.kind == "row" else _LETTERS.get(self._nodes[block.node].tag, "h")
        for place, node in enumerate(above):
            tag = self._nodes[node].tag
            if letter := _LETTERS.get(tag):
                return letter
            if tag in _ITEMS and node not in self._begun:
                return self._choose_item(above[place:])
        return "p"

    def _choose_item(self, above: Sequence[int]) -> str:
        lists = [tag for node in above if (tag := self._nodes[node].tag) in _LISTS]
        letters = NUMBERED_ITEMS if lists[:1] == ["ol"] else ITEMS
        return letters[max(0, min(len(lists), len(letters)) - 1)]

    def _above(self, node: int) -> Iterator[int]:
        """The element and those that it stands in, from the inside."""
        while node >= 0 and self._nodes[node].tag not in _FRAMES:
            yield node
            node = self._nodes[node].parent


def find_letters(layout: Layout, texts: Sequence[str]) -> list[str]:
    """The letters of texts from another source: those of blocks of the page that say the same.

    Others are paragraphs, but for those with a dash before them, by which trafilatura marks items.
    """
    reader, wanted = ShapeReader(layout), {text.removeprefix(_ENGINES_ITEM) for text in texts}
    letters: dict[str, str] = {}
    for block in layout.blocks:
        if block.text in wanted and block.text not in letters:
            letters[block.text] = reader.read_letter(block)
    return [
        letters.get(text.removeprefix(_ENGINES_ITEM), "i" if text.startswith(_ENGINES_ITEM) else "p") for text in texts
    ]
