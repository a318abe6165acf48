"""How a page is written and built, as numbers: the second half of those that trees decide by (`page_numbers`).

Labels and teasers are written otherwise than sentences: more capitals, fewer different words, no full stops. Nothing
here knows a language; the words are those by which templates call their elements.
"""

import math
import re
import tomllib
import zlib
from collections import Counter
from collections.abc import Sequence
from importlib.resources import files
from urllib.parse import urlsplit

from lxml.etree import _Element

from pipeline.classify.page_facts import PageFacts, ShownBlock

MAX_TEXT, MAX_DIFFERENT = 5_000, 500
"""Characters of the text that are looked at, and words of it of which it is asked how many differ."""

MAX_ELEMENTS, MAX_NAMES = 4_000, 120
"""Elements whose class is read, and characters of it."""

FEW_WORDS, USUAL = 80, (0.17, 5.2, 0.53, 0.34, 0.0, 0.49)
"""Words below which a text says little by its letters, and what articles have of each number as a rule: a short report
must not be refused for repeating a word."""

PROSE, DATED_LINE = 80, 80
"""Characters from which on a block is prose, and up to which it is a line that may be a date."""

_WORDS = tomllib.loads((files(__package__) / "page_words.toml").read_text("utf-8"))["names"]
_TEMPLATE_WORDS, _OF_SINGLES, _OF_LISTS = (_WORDS[name].split() for name in ("elements", "single", "list"))
_WORD = re.compile(r"[^\W\d_]+")
_NOT_A_NAME = re.compile(r"[^a-z]+")
_HEADLINE = re.compile(r"[a-z0-9%]+(?:[-_][a-z0-9%]+){3}")
_DATE = re.compile(
    r"\b(?:(?:19|20)\d\d[-./]\d\d?[-./]\d\d?|\d\d?[-./]\d\d?[-./](?:19|20)\d\d"
    r"|\d\d?\.? [^\W\d]{3,10}\.?,? (?:19|20)\d\d|[^\W\d]{3,10}\.? \d\d?(?:st|nd|rd|th)?,? (?:19|20)\d\d)\b"
)
_ENDS = (".", "!", "?", "”", "。", '"', "»", ":")

STYLE_NAMES: tuple[str, ...] = (
    *("capitals", "word_length", "different_words", "quotes", "exclamations", "compressed"),
    *(f"named_{word}" for word in _TEMPLATE_WORDS),
    *("headline_in_address", "body_of_list", "body_of_one", "body_of_page", "nodes_declared", "h1_words"),
    *("choices", "tags_figcaption", "tags_label"),
    *("gaps", "dated_lines", "longest_run", "most_in_one", "heading_length", "kept_ended", "prose_left"),
)
"""The numbers of `style_of`, in their order."""


def style_of(
    page: PageFacts,
    shown: Sequence[ShownBlock],
    kept: Sequence[bool],
    holders: Sequence[int],
    elements: Sequence[_Element],
) -> tuple[float, ...]:
    """The numbers of a page, in the order of `STYLE_NAMES`.

    ``kept`` says of each shown block whether the body has it, ``holders`` which element stands above the one that holds
    it; ``elements`` are those that hold text.
    """
    return (*_of_letters(page.text[:MAX_TEXT]), *_of_names(elements), *_of_page(page), *_of_lines(shown, kept, holders))


def _of_letters(text: str) -> Sequence[float]:
    """How the text is written: capitals, lengths, repetition."""
    words = _WORD.findall(text)
    count = len(words)
    if count < FEW_WORDS:
        return USUAL
    first = [word.lower() for word in words[:MAX_DIFFERENT]]
    encoded = text.encode("utf-8", "replace")
    return [
        sum(word[0].isupper() for word in words) / count,
        sum(map(len, words)) / count,
        len(set(first)) / len(first),
        100 * sum(map(text.count, '"“”„«')) / count,
        100 * text.count("!") / count,
        len(zlib.compress(encoded, 1)) / len(encoded),
    ]


def _of_names(elements: Sequence[_Element]) -> list[float]:
    """How many elements have one of the words of templates in their class."""
    alike = Counter(names for element in elements[:MAX_ELEMENTS] if (names := element.get("class")))
    found = dict.fromkeys(_TEMPLATE_WORDS, 0)
    for names, count in alike.items():
        for word in found.keys() & set(_NOT_A_NAME.split(names[:MAX_NAMES].lower())):
            found[word] += count
    return [math.log1p(count) for count in found.values()]


def _of_page(page: PageFacts) -> list[float]:
    """What address, body element and forms say of the kind of page."""
    names = page.body_names()
    words = {word for name in names for word in _NOT_A_NAME.split(name)}
    last = urlsplit(page.url.lower()).path.rstrip("/").rpartition("/")[2]
    chosen = sum((field.get("type") or "").lower() in ("checkbox", "radio") for field in page.elements["input"][:200])
    return [
        bool(_HEADLINE.search(last)),
        len(words.intersection(_OF_LISTS)),
        len(words.intersection(_OF_SINGLES)),
        any(name == "page" or name.startswith(("page-id", "page-template")) for name in names),
        math.log1p(len(page.structured.nodes)),
        len(page.titles[1].split()) if len(page.titles) > 1 else -1,
        *(math.log1p(count) for count in (chosen, len(page.elements["figcaption"]), len(page.elements["label"]))),
    ]


def _of_lines(shown: Sequence[ShownBlock], kept: Sequence[bool], holders: Sequence[int]) -> list[float]:
    """Where the body has gaps, how long it runs on, and what stands around it."""
    dated = run = longest = headings = lengths = ended = size = left = total = 0
    before, places = -9, 0
    first = last = -1
    together: Counter[int] = Counter()
    for place, (block, is_kept) in enumerate(zip(shown, kept, strict=True)):
        text = block.text
        length = len(text)
        total += length
        if length < DATED_LINE and ("20" in text or "19" in text) and _DATE.search(text):
            dated += 1
        if block.kind == "heading":
            headings += 1
            lengths += length
        if not is_kept:
            left += length if length > 100 and 3 * block.linked < length else 0
            continue
        first, last, places = place if first < 0 else first, place, places + 1
        size += length
        ended += length if text.endswith(_ENDS) else 0
        if length > PROSE:
            together[holders[place]] += 1
            if 5 * block.linked < 2 * length:
                run = run + length if place - before <= 2 else length
                before, longest = place, max(longest, run)
        elif block.kind == "heading":
            run = 0
    return [
        (last - first + 1 - places) / (places or 1),
        math.log1p(dated),
        math.log1p(longest),
        math.log1p(max(together.values(), default=0)),
        lengths / (headings or 1),
        ended / (size or 1),
        left / (total or 1),
    ]
