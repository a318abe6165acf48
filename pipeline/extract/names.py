"""What the names of an element, its tag and its attributes say of what it holds, as a mask of groups.

The names are data (``names.toml``), in many languages; nothing here knows a site.
"""

import re
import tomllib
from collections import defaultdict
from functools import cache, lru_cache
from importlib.resources import files

from lxml.etree import _Element

MAX_NAMES = 400
"""Characters of an element's names that are looked at: beyond are utility classes by the hundred."""

MAX_STEM = 24
"""Letters of the longest stem."""

_NAMED = frozenset(
    ("class", "id", "role", "itemprop", "data-testid", "data-component", "data-type", "data-qa", "data-module")
)
_HIDING = frozenset(("hidden", "aria-hidden", "style"))
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORDS = re.compile(r"[a-z]+|[0-9]+")
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
    return tomllib.loads((files(__package__) / "names.toml").read_text("utf-8"))


@cache
def _stems() -> tuple[dict[str, int], dict[str, int]]:
    """Stems that may begin a word, and stems that must end one as well, each with its mask."""
    begin: dict[str, int] = defaultdict(int)
    whole: dict[str, int] = defaultdict(int)
    for index, stems in enumerate(_groups().values()):
        for stem in stems:
            (whole if stem.endswith("$") else begin)[stem.rstrip("$").replace("-", "")] |= 1 << index
    return dict(begin), dict(whole)


@cache
def bit(name: str) -> int:
    """The bit of a group or of a kind of ancestor."""
    return 1 << mark_names().index(name)


@cache
def _heads() -> frozenset[str]:
    """How stems begin: most words of most names begin otherwise, and need no closer look."""
    return frozenset(stem[:3] for stems in _stems() for stem in stems)


@lru_cache(maxsize=1 << 14)
def _marks_of_one(name: str) -> int:
    words = _WORDS.findall(_CAMEL.sub("-", name).lower())
    mask = 0
    for first, word in enumerate(words):
        joined = word + "".join(words[first + 1 : first + 3])
        if word in _heads() or joined[:3] in _heads():
            mask |= _marks_at(joined, len(word), len(word) + len("".join(words[first + 1 : first + 2])))
    return mask


@lru_cache(maxsize=1 << 14)
def _marks_at(joined: str, *ends: int) -> int:
    begin, whole = _stems()
    mask = 0
    for length in range(2, min(len(joined), MAX_STEM) + 1):
        stem = joined[:length]
        mask |= begin.get(stem, 0)
        if length in ends or length == len(joined):
            mask |= whole.get(stem, 0)
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
            mask |= marks_of(str(value))
        elif name in _HIDING and (name == "hidden" or value == "true" or _HIDDEN_STYLE.search(str(value))):
            mask |= bit("is_hidden")
    return mask


@cache
def _tag_bits() -> dict[object, int]:
    return {tag: bit(name) for tag, name in _BY_TAG.items()}
