"""Lines of the body that only say who wrote it and when: the metadata has that, the text is better without.

What a by-line looks like differs from language to language; who signed is known by now, and a line that holds
little else is a by-line in all of them.
"""

import re
from collections.abc import Sequence

MAX_WORDS_BESIDE = 2
"""Words beside the names and numbers of a by-line: "By", "Von unserem", "Words by"."""

MAX_WORDS_DATED = 10
"""The same where a date or a reading time stands in the line, as above the text: "Published", "à", "min de lecture"."""

PROSE = 25
"""Words of a line from which on the text has begun."""

_WORD = re.compile(r"\w+")


def byline_marks(texts: Sequence[str], signed: Sequence[str]) -> list[bool]:
    """Which of these paragraphs are by-lines of an article that these names have signed.

    >>> byline_marks(["By Ada Ruiz", "Ada Ruiz met nobody there."], ["Ada Ruiz"])
    [True, False]
    """
    names = [re.compile(r"\b" + re.escape(name.casefold()) + r"\b") for name in signed if len(name) > 3]
    begun = False
    marks = []
    for text in texts:
        words = _WORD.findall(text)
        begun = begun or len(words) >= PROSE
        marks.append(bool(names) and len(words) < PROSE and _is_byline(text.casefold(), names, above=not begun))
    return marks


def _is_byline(text: str, names: Sequence[re.Pattern[str]], *, above: bool) -> bool:
    rest = text
    for name in names:
        rest = name.sub(" ", rest)
    if rest == text:
        return False
    words = _WORD.findall(rest)
    beside = [word for word in words if not any(char.isdigit() for char in word)]
    if len(beside) < len(words) and above:
        return len(beside) <= MAX_WORDS_DATED
    return len(beside) <= MAX_WORDS_BESIDE and not text.rstrip().endswith((".", "!", "?", "”", "“", '"', "»"))
