"""A text with its shape as Markdown (CommonMark, tables of GitHub's)."""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final

from pipeline.text.shape import NUMBERED_ITEMS, TextBlock, iterate_blocks

PLAIN_HEADING: Final = 3
"""The level of a heading that has none."""

_MEANT = re.compile(r"[\\`*_\[<~]|&(?=#?\w+;)")
_AT_START = re.compile(r"\A(?:(?:#{1,6}|[-+])(?=\s|\Z)|>|(?:=+|[-:|][-:| ]*)\Z)")
_NUMBER = re.compile(r"\A(\d{1,9})(?=[.)](?:\s|\Z))")
_TICKS = re.compile(r"`+")
_CLOSING = re.compile(r"#+\Z")
_BREAK = "\\\n"


def make_markdown(text: str, shape: str | None, title: str | None = None) -> str:
    r"""The text in Markdown, under its headline where one is given.

    What a reader sees is the text, character for character: what would be markup is escaped. Where the shape is not
    known, all are paragraphs.

    >>> make_markdown("Tides\n\nHigh: *6:10*", "2i")
    '## Tides\n\n- High: \\*6:10\\*\n'
    """
    headline = [_heading(TextBlock("heading", 1, title))] if title else []
    letters = (shape or "").ljust(text.count("\n\n") + 1, "p")
    pairs = zip(iterate_blocks(text, letters), letters, strict=False)
    groups = (_group(kind, list(group)) for kind, group in groupby(pairs, key=lambda pair: pair[0].kind))
    return "\n\n".join([*headline, *(part for group in groups for part in group)]) + "\n"


def _group(kind: str | None, group: list[tuple[TextBlock, str]]) -> Iterable[str]:
    """Paragraphs in a row of the same kind, as what stands between empty lines."""
    blocks = [block for block, _ in group]
    if kind == "item":
        return ["\n".join(_items(group))]
    if kind == "quote":
        return ["\n>\n".join(_indented(block.text, "> ", "> ") for block in blocks)]
    if kind == "row" and any(" | " in block.text for block in blocks):
        return ["\n".join(_table(blocks))]
    return map(_PARTS.get(kind or "", _paragraph), blocks)


def _items(group: list[tuple[TextBlock, str]]) -> Iterator[str]:
    """The entries of a list; one that is deeper than there is a list for stands as deep as it can."""
    counts: list[int] = []
    widths: list[int] = []
    for block, letter in group:
        depth = min(block.level or 1, len(counts) + 1)
        del counts[depth:], widths[depth - 1 :]
        counts += [0] * (depth - len(counts))
        counts[-1] = counts[-1] + 1 if letter in NUMBERED_ITEMS else 0
        marker = f"{counts[-1]}. " if counts[-1] else "- "
        indent = " " * sum(widths)
        widths.append(len(marker))
        yield _indented(block.text, indent + marker, indent + " " * len(marker))


def _table(blocks: list[TextBlock]) -> Iterator[str]:
    """The rows of a table; the first one is its head, since there is none without."""
    rows = [[_inline(cell).replace("|", "\\|") for cell in block.text.split(" | ")] for block in blocks]
    width = max(map(len, rows))
    for index, row in enumerate(rows):
        yield f"| {' | '.join(row + [''] * (width - len(row)))} |"
        if index == 0:
            yield "|" + " --- |" * width


def _heading(block: TextBlock) -> str:
    text = _CLOSING.sub(r"\\\g<0>", _inline(block.text))
    return f"{'#' * (block.level or PLAIN_HEADING)} {text}"


def _code(block: TextBlock) -> str:
    fence = "`" * max(3, 1 + max(map(len, _TICKS.findall(block.text)), default=0))
    return f"{fence}\n{block.text}\n{fence}"


def _caption(block: TextBlock) -> str:
    return f"*{_BREAK.join(_lines(block.text))}*"


def _paragraph(block: TextBlock) -> str:
    return _BREAK.join(_lines(block.text))


_PARTS = {"heading": _heading, "code": _code, "caption": _caption}


def _indented(text: str, first: str, others: str) -> str:
    return first + f"{_BREAK}{others}".join(_lines(text))


def _lines(text: str) -> Iterator[str]:
    for line in filter(None, map(str.strip, text.splitlines())):
        yield _NUMBER.sub(r"\1\\", _AT_START.sub(r"\\\g<0>", _escape(line)))


def _inline(text: str) -> str:
    """In one line."""
    return _escape(" ".join(text.split()))


def _escape(text: str) -> str:
    return _MEANT.sub(r"\\\g<0>", text)
