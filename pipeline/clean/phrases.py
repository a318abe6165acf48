"""Phrases that mark a paragraph as boilerplate: read from the data files, matched against whole paragraphs.

A file holds one array of phrases per reason. A phrase is literal text with

    ``*``        any text, also none
    ``(a|b)``    one of these; ``(a |b )?`` one of these or none
    ``{name}``   a set from ``sets.toml``, such as the names of social networks

and must match the paragraph from end to end; case, quotation marks, dashes, leading symbols and trailing punctuation
(but for the question mark) do not count. A phrase that ends in ``*`` may run on: `MAX_WORDS` bounds it.
"""

import re
import tomllib
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

MAX_WORDS = 60
"""Boilerplate is short: a longer paragraph is never matched, whatever it begins with."""

_WORD = re.compile(r"\w+")
_LEADING = re.compile(r"^[^\w\"'(\[{@#]+")
_TRAILING = re.compile(r"[\s.…!:;,»>→›▶|。！：-]+$")
_TRANSLATE = str.maketrans(
    {**dict.fromkeys("‘’‚‛´`ʼ′", "'"), **dict.fromkeys("“”„‟«»″", '"'), **dict.fromkeys("‐‑‒–—―−", "-")}
)
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_TOKENS = re.compile(r"\{(\w+)\}|(\*)|([()|?])|([^{}*()|?]+)")


@dataclass(frozen=True, slots=True)
class Phrase:
    """One phrase, compiled; ``anchor`` is a word that every match contains, where there is one."""

    reason: str
    language: str
    source: str
    pattern: re.Pattern[str]
    anchor: str | None


def normalise(text: str) -> str:
    """The text as phrases see it.

    >>> normalise("▶ NOW  WATCH – “Boats”…")
    'now watch - "boats"'
    """
    text = " ".join(unicodedata.normalize("NFKC", text).casefold().translate(_TRANSLATE).split())
    return _TRAILING.sub("", _LEADING.sub("", text))


def reason_of(paragraph: str, language: str | None = None) -> str | None:
    """The reason of the first phrase that covers the paragraph, or None."""
    text = normalise(paragraph)
    words = _WORD.findall(text)
    if not words or len(words) > MAX_WORDS:
        return None
    by_anchor, rest = _index()
    for candidates in [rest, *(by_anchor[word] for word in dict.fromkeys(words) if word in by_anchor)]:
        for phrase in candidates:
            if _is_spoken(phrase.language, language) and phrase.pattern.fullmatch(text):
                return phrase.reason
    return None


def _is_spoken(phrase_language: str, language: str | None) -> bool:
    # English lines stand on pages of every language: they come with the site's software
    return language is None or phrase_language in (language[:2], "en")


@cache
def phrases() -> tuple[Phrase, ...]:
    """All phrases of all languages, in the order of their files."""
    folder = files(__package__) / "phrases"
    sets = tomllib.loads((folder / "sets.toml").read_text("utf-8"))
    found: list[Phrase] = []
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".toml") or file.name == "sets.toml":
            continue
        language = file.name.removesuffix(".toml")
        for reason, lines in tomllib.loads(file.read_text("utf-8")).items():
            found.extend(compile_phrase(line, reason, language, sets) for line in lines)
    return tuple(found)


@cache
def _index() -> tuple[dict[str, list[Phrase]], list[Phrase]]:
    by_anchor: dict[str, list[Phrase]] = defaultdict(list)
    rest: list[Phrase] = []
    for phrase in phrases():
        (by_anchor[phrase.anchor] if phrase.anchor else rest).append(phrase)
    return dict(by_anchor), rest


def compile_phrase(line: str, reason: str, language: str, sets: dict[str, list[str]]) -> Phrase:
    """A phrase from its written form.

    Raises:
        KeyError: the phrase names a set that there is not.
        ValueError: the phrase holds no word, ends in punctuation that is never there to match, or is unbalanced.
    """
    folded = unicodedata.normalize("NFKC", line).casefold().translate(_TRANSLATE)
    if _TRAILING.search(folded):
        raise ValueError(f"phrase ends in punctuation, which is cut off before matching: {line!r}")
    pattern, depth, literals = "", 0, ""
    for name, star, sign, literal in _TOKENS.findall(folded):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if name:
            pattern += "(?:" + "|".join(re.escape(member.casefold()) for member in sets[name]) + ")"
        else:
            pattern += ".*" if star else "(?:" if sign == "(" else sign or re.escape(literal)
        literals += literal if literal and not depth else "*"
    if not _WORD.search(literals + "".join(_WORD.findall(folded))) or depth:
        raise ValueError(f"phrase matches everything, or its brackets do not match: {line!r}")
    # the space beside a star belongs to what the star stands for
    pattern = re.sub(r"\\ \.\*$", r"(?:\\ .*)?", pattern.replace(r".*\ ", r"(?:.*\ )?"))
    return Phrase(reason, language, line, re.compile(pattern), _anchor(literals))


def _anchor(literals: str) -> str | None:
    """The longest word that every match holds as a whole: no star touches it, and its script parts words by spaces."""
    words = re.findall(r"(?<![\w*])\w+(?![\w*])", literals)
    return max((word for word in words if not _UNSPACED.search(word)), key=len, default=None)
