"""What pages that are no articles call themselves: the words of ``phrases.toml``, and how text is compared."""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files

_WORD = re.compile(r"\w+")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_SEPARATORS = re.compile(r"[|·•»«›:–—]|\s-\s|\s/\s")
_NUMBER = re.compile(r"\d+(?: \d+)*")
# Letters that do not decompose into one of ASCII and a mark.
_LETTERS = str.maketrans({"ı": "i", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "’": " "})


def fold(text: str) -> str:
    """The words of the text, in lower case and without accents.

    >>> fold("Désolé, page introuvable !")
    'desole page introuvable'
    """
    folded = text.casefold()
    if not folded.isascii():
        # Twice: bold and wide letters become plain ones in the first round, of either case, and fold in the second.
        for _ in range(2):
            decomposed = unicodedata.normalize("NFKD", folded.translate(_LETTERS)).casefold()
            folded = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return " ".join(_WORD.findall(folded))


def count_words(text: str) -> int:
    """How many words the text has; in scripts without spaces two characters count as one."""
    unspaced = 0 if text.isascii() else len(_UNSPACED.findall(text))
    return len(_WORD.findall(_UNSPACED.sub(" ", text) if unspaced else text)) + unspaced // 2


@cache
def phrases(kind: str, name: str) -> frozenset[str]:
    """One list of the data file, folded."""
    return frozenset(map(fold, _table()[kind].get(name, ())))


@cache
def _table() -> Mapping[str, Mapping[str, list[str]]]:
    return tomllib.loads((files("pipeline.classify") / "phrases.toml").read_text(encoding="utf-8"))


def named(kind: str, titles: Iterable[str]) -> str | None:
    """The first title of which a piece says, in all its words, that the page is of this kind."""
    known, noise = phrases(kind, "titles"), phrases(kind, "noise")
    for title in titles:
        for piece in _pieces(title):
            words = piece.split()
            left = " ".join(word for word in words if word not in noise)
            if piece in known or left in known or (not left and "404" in words):
                return title
    return None


def _pieces(title: str) -> Iterator[str]:
    # The whole too: separators may stand within what is compared with.
    yield fold(title)
    yield from filter(None, map(fold, _SEPARATORS.split(title)))


def said(kind: str, name: str, lines: Sequence[str]) -> str | None:
    """The first of the folded lines that holds one of the phrases."""
    # All lines at once: no phrase goes over the end of one, and a search for each takes thrice the time.
    text = _NUMBER.sub("#", "\n".join(lines))
    found = _pattern(kind, name).search(text)
    return lines[text.count("\n", 0, found.start())] if found else None


@cache
def _pattern(kind: str, name: str) -> re.Pattern[str]:
    listed = sorted(_table()[kind][name], key=len, reverse=True)
    spaced = (" ".join(re.findall(r"\w+|#", fold(part) if "#" not in part else part)) for part in listed)
    parts: tuple[list[str], list[str]] = ([], [])
    for phrase in spaced:
        parts[bool(_UNSPACED.search(phrase))].append(re.escape(phrase))
    bounded, anywhere = map("|".join, parts)  # scripts without spaces have no word boundaries to look for
    # The boundary stands before all the phrases, not in each: most places of a text are none.
    return re.compile(rf"(?<!\w)(?:{bounded})(?!\w)" + (f"|{anywhere}" if anywhere else ""))
