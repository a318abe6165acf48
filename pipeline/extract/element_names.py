"""What the names of an element, its tag and its attributes say of what it holds, as a mask of groups.

The names are data (``element_names.toml``), in many languages; nothing here knows a site.
"""

import re
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

from lxml.etree import _Element

MAX_NAMES = 400
"""Characters of an element's names that are looked at: beyond are utility classes by the hundred."""

MAX_STEM = 24
"""Letters of the longest stem."""

_NAMED = frozenset(
    ("class", "id", "role", "itemprop", "data-testid", "data-component", "data-type", "data-qa", "data-module")
)
_HIDING = frozenset(("hidden", "aria-hidden", "style"))
_WORDS = re.compile(r"[A-Z]*[a-z]+|[A-Z]+|[0-9]+")  # those of camelCase, too
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_BY_TAG = {
    "aside": "in_aside",
    "nav": "in_nav",
    "footer": "in_footer",
    "header": "in_header",
    "form": "in_form",
    "figure": "in_figure",
    "article": "in_article",
    "main": "in_main",
    **dict.fromkeys(("ul", "ol", "dl", "menu"), "in_list"),
    "table": "in_table",
    "blockquote": "in_quote",
    **dict.fromkeys(("figcaption", "caption"), "in_caption"),
    **dict.fromkeys(("button", "label"), "in_control"),
}
# Their order is that of the bits, after those of the groups of names.
_TAG_MARKS = (
    *("in_aside", "in_nav", "in_footer", "in_header", "in_form", "in_figure", "in_article", "in_main", "in_list"),
    *("in_table", "in_quote", "is_hidden", "in_link", "in_caption", "in_control"),
)


@cache
def mark_names() -> tuple[str, ...]:
    """The groups of names and the kinds of elements; a mark's bit in a mask is its place here."""
    return (*_groups(), *_TAG_MARKS)


@cache
def _groups() -> dict[str, list[str]]:
    return tomllib.loads((files(__package__) / "element_names.toml").read_text("utf-8"))


class _Stems(NamedTuple):
    """Stems that begin alike, with their masks, and whether they must end a word as well."""

    stems: tuple[str, ...]
    marked: tuple[tuple[str, int, bool], ...]


@cache
def _stems() -> Mapping[str, _Stems]:
    """Stems by their first three letters; those of two letters stand with all that begin with these, too."""
    masks: dict[tuple[str, bool], int] = defaultdict(int)
    for index, stems in enumerate(_groups().values()):
        for stem in stems:
            masks[stem.rstrip("$").replace("-", ""), stem.endswith("$")] |= 1 << index
    by_head: dict[str, list[tuple[str, int, bool]]] = defaultdict(list)
    for (stem, is_whole), mask in masks.items():
        if 2 <= len(stem) <= MAX_STEM:
            by_head[stem[:3]].append((stem, mask, is_whole))
    grouped = {head: (*marked, *by_head.get(head[:2] * (len(head) > 2), ())) for head, marked in by_head.items()}
    return {head: _Stems(tuple(stem for stem, _, _ in marked), marked) for head, marked in grouped.items()}


@cache
def bit(name: str) -> int:
    """The bit of a group or of a kind of ancestor."""
    return 1 << mark_names().index(name)


@lru_cache(maxsize=1 << 14)
def _marks_of_one(name: str) -> int:
    words = _WORDS.findall(name)
    if not name.islower():
        words = [word.lower() for word in words]
    stems = _stems()
    mask = 0
    for first, word in enumerate(words):
        head = word[:3] if len(word) > 2 else "".join(words[first : first + 3])[:3]
        # Most words of most names begin otherwise than stems do, and need no closer look.
        if head in stems or word in stems:
            joined = "".join(words[first : first + 3])
            known = stems.get(head) or stems[word]
            if joined.startswith(known.stems):
                ends = (len(word), len("".join(words[first : first + 2])), len(joined))
                for stem, marks, is_whole in known.marked:
                    if joined.startswith(stem) and (not is_whole or len(stem) in ends):
                        mask |= marks
    return mask


@lru_cache(maxsize=1 << 14)
def marks_of(names: str) -> int:
    """What the names say, as a mask of the groups.

    >>> bool(marks_of("c-newsletterSignup") & bit("newsletter"))
    True
    """
    mask = 0
    for name in names[:MAX_NAMES].split():
        mask |= _marks_of_one(name)
    return mask


def own_marks(element: _Element) -> int:
    """What the element says of itself, without its ancestors."""
    mask = _tag_bits().get(element.tag, 0)
    for name, value in element.items():
        if name in _NAMED:
            mask |= marks_of(value)
        elif name in _HIDING and (name == "hidden" or value == "true" or _HIDDEN_STYLE.search(str(value))):
            mask |= bit("is_hidden")
    return mask


@cache
def _tag_bits() -> dict[object, int]:
    return {tag: bit(name) for tag, name in _BY_TAG.items()}
