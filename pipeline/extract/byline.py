"""Lines of the body that only say who wrote it and when: the metadata has that, the text is better without.

What a byline looks like differs from language to language; who signed is known by now, and a line that holds
little else is a byline in all of them.
"""

import re
from collections.abc import Sequence

MAX_WORDS_BESIDE = 2
"""Words beside the names and numbers of a byline: "By", "Von unserem", "Words by"."""

MAX_WORDS_DATED = 10
"""The same where a date or a reading time stands in the line, as above the text: "Published", "à", "min de lecture"."""

PROSE = 25
"""Words of a line from which on the text has begun."""

_WORD = re.compile(r"\w+")
_ADDRESS = re.compile(r"(?<!\S)@*[^\s@]++@\S+\.\w+")
_PROSE = re.compile(rf"(?:\W*+\w++){{{PROSE}}}")


def mark_bylines(texts: Sequence[str], signed: Sequence[str]) -> list[bool]:
    """Which of these paragraphs are bylines of an article that these names have signed.

    >>> mark_bylines(["By Ada Ruiz", "Ada Ruiz met nobody there."], ["Ada Ruiz"])
    [True, False]
    """
    names = [name.casefold() for name in signed if len(name) > 3]
    if not names:
        return [False] * len(texts)
    begun = False
    marks = []
    for text in texts:
        is_prose = _PROSE.match(text) is not None
        begun = begun or is_prose
        marks.append(not is_prose and _is_byline(text.casefold(), names, above=not begun))
    return marks


def _is_byline(text: str, names: Sequence[str], *, above: bool) -> bool:
    rest = text = _ADDRESS.sub(" ", text)
    for name in names:
        if name in rest:
            rest = re.sub(rf"\b{re.escape(name)}\b", " ", rest)
    if rest == text:
        return False
    words = _WORD.findall(rest)
    beside = [word for word in words if not any(char.isdigit() for char in word)]
    if len(beside) < len(words) and above:
        return len(beside) <= MAX_WORDS_DATED
    return len(beside) <= MAX_WORDS_BESIDE and not text.rstrip().endswith((".", "!", "?", "”", "“", '"', "»"))
