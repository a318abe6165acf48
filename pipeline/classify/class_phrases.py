"""What pages that are no articles call themselves: the words of ``class_phrases.toml``, and how text is compared."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files

from pipeline.text.words import fold_words, is_unspaced

_SEPARATORS = re.compile(r"[|·•»«›:–—]|\s-\s|\s/\s")
_NUMBER = re.compile(r"\d+(?: \d+)*")


@cache
def class_phrases(kind: str, name: str) -> frozenset[str]:
    """One list of the data file, folded."""
    return frozenset(map(fold_words, _table()[kind].get(name, ())))


@cache
def _table() -> Mapping[str, Mapping[str, list[str]]]:
    return tomllib.loads((files("pipeline.classify") / "class_phrases.toml").read_text(encoding="utf-8"))


def find_title(kind: str, titles: Iterable[str]) -> str | None:
    """The first title of which a piece says, in all its words, that the page is of this kind."""
    known, noise = class_phrases(kind, "titles"), class_phrases(kind, "noise")
    for title in titles:
        for piece in _pieces(title):
            words = piece.split()
            left = " ".join(word for word in words if word not in noise)
            if piece in known or left in known or (not left and "404" in words):
                return title
    return None


def _pieces(title: str) -> Iterator[str]:
    # The whole too: separators may stand within what is compared with.
    yield fold_words(title)
    yield from filter(None, map(fold_words, _SEPARATORS.split(title)))


def find_line(kind: str, name: str, lines: Sequence[str]) -> str | None:
    """The first of the folded lines that holds one of the phrases."""
    # All lines at once: no phrase goes over the end of one, and a search for each takes thrice the time.
    text = _NUMBER.sub("#", "\n".join(lines))
    match = _pattern(kind, name).search(text)
    return lines[text.count("\n", 0, match.start())] if match else None


@cache
def _pattern(kind: str, name: str) -> re.Pattern[str]:
    listed = sorted(_table()[kind][name], key=len, reverse=True)
    spaced = (" ".join(re.findall(r"\w+|#", fold_words(part) if "#" not in part else part)) for part in listed)
    parts: tuple[list[str], list[str]] = ([], [])
    for phrase in spaced:
        parts[is_unspaced(phrase)].append(re.escape(phrase))
    bounded, anywhere = map("|".join, parts)  # scripts without spaces have no word boundaries to look for
    # The boundary stands before all the phrases, not in each: most places of a text are none.
    return re.compile(rf"(?<!\w)(?:{bounded})(?!\w)" + (f"|{anywhere}" if anywhere else ""))
