"""Phrases that mark a paragraph as boilerplate: read from the data files, matched against whole paragraphs.

A file holds one array of phrases per reason, and the same under ``[end]`` for what counts only after the last paragraph
of true text. A phrase is literal text with

    ``*``        any whole words, also none
    ``#``        a number
    ``(a|b)``    one of these; ``(a |b )?`` one of these or none
    ``x?``       the character before it, or none
    ``{name}``   a set from ``sets.toml``, such as the names of social networks

and must match the paragraph from end to end; case, quotation marks, dashes, leading symbols, brackets around the whole
and trailing punctuation (but for the question mark) do not count. `MAX_WORDS` bounds what a star may swallow.
"""

import re
import tomllib
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

MAX_WORDS: Mapping[str, int] = {
    "share": 10,
    "copyright": 22,
    "dateline": 16,
    "related": 14,
    "agency": 16,
    "caption": 45,
    "teaser": 32,
    "comments": 35,
    "app": 35,
    "follow": 35,
    "placeholder": 60,
    "biography": 70,
    "correction": 70,
    "note": 70,
    "subscription": 50,
    "contact": 60,
}
"""Boilerplate is short: a longer paragraph is never matched, whatever it begins with."""

MAX_WORDS_ELSE = 50
MAX_WORDS_ANYWHERE = 60
MAX_WORDS_AT_END = 70
MAX_CHARACTERS = 600
_KEY = 4  # letters by which words are looked up: phrases may cut a word short

_WORD = re.compile(r"\w+")
_BEGINNING = re.compile(rf"(\w{{1,{_KEY}}})\w*")
_LEADING = re.compile(r"[^\w\"'(\[{@#$©ⓒ【]+")
_TRAILING = " .…!:;,»>→›▶|。！：-"
_BRACKETS = {"(": ")", "[": "]"}
_PLAIN = {**dict.fromkeys("‘’‚‛´`ʼ′", "'"), **dict.fromkeys("“”„‟«»″", '"'), **dict.fromkeys("‐‑‒–—―−", "-")}
_TYPOGRAPHIC = re.compile(f"[{''.join(_PLAIN)}]")
# Scripts without spaces between words: what stands in a phrase need not begin a word of the paragraph.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_NUMBER = r"\d[\d.,]*"
_TOKENS = re.compile(r"\{(\w+)\}|(\*)|([()|?])|([^{}*()|?]+)")


@dataclass(frozen=True, slots=True)
class Phrase:
    """One phrase as a regular expression; every match holds a word that begins like one of ``keys``, if any."""

    reason: str
    language: str
    source: str
    pattern: str
    keys: frozenset[str]
    at_end: bool = False


def normalise(text: str) -> str:
    """The text as phrases see it.

    >>> normalise("▶ NOW  WATCH – “Boats”…")
    'now watch - "boats"'
    >>> normalise("(Reuters)")
    'reuters'
    """
    text = " ".join(_folded(text).split())
    if leading := _LEADING.match(text):
        text = text[leading.end() :]
    text = text.rstrip(_TRAILING)
    if text and _BRACKETS.get(text[0]) == text[-1]:
        text = text[1:-1].strip()
    return text


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower().replace("`", "'")
    # str.translate looks at each character in turn: thrice the time of all the rest.
    return _TYPOGRAPHIC.sub(lambda sign: _PLAIN[sign[0]], unicodedata.normalize("NFKC", text).casefold())


def reason_of(paragraph: str, language: str | None = None, *, at_end: bool = False) -> str | None:
    """The reason of the first phrase that covers the paragraph, or None.

    Args:
        paragraph: one paragraph.
        language: ISO 639-1 code of its language; phrases of all languages are tried where it is None.
        at_end: whether it stands after the last paragraph of true text, where more phrases count.
    """
    # No phrase may swallow so many characters or words; most true paragraphs end here, before they are folded.
    if len(paragraph) > MAX_CHARACTERS or paragraph.count(" ") > (MAX_WORDS_AT_END if at_end else MAX_WORDS_ANYWHERE):
        return None
    return _reason_of(paragraph, language[:2] if language else None, at_end)


@lru_cache(maxsize=4096)
def _reason_of(paragraph: str, language: str | None, at_end: bool) -> str | None:
    text = normalise(paragraph)
    words = _BEGINNING.findall(text)
    if not words:
        return None
    by_key, rest, any_of_rest = _index(language, at_end)
    keys = [] if by_key.keys().isdisjoint(words) else dict.fromkeys(words)
    candidates = [phrase for key in keys if key in by_key for phrase in by_key[key]]
    if any_of_rest.fullmatch(text):
        candidates = [*rest, *candidates]
    if at_end:
        # A notice of a correction may begin as other notes do: it is one first of all.
        candidates.sort(key=lambda phrase: phrase.reason != "correction")
    for phrase in candidates:
        limit = MAX_WORDS.get(phrase.reason, MAX_WORDS_ELSE)
        if len(words) <= limit and _compiled(phrase.pattern).fullmatch(text):
            return phrase.reason
    return None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # Compiled when first needed: all of them take half a second, the few of one page's languages nothing.
    return re.compile(pattern)


# One file serves languages that share their phrases.
_FILES = {"nb": "no", "nn": "no", "bs": "hr", "sr": "hr", "sl": "hr", "ms": "id", "ca": "es", "gl": "es"}


def _is_spoken(phrase_language: str, language: str | None) -> bool:
    # English lines stand on pages of every language: they come with the site's software.
    return language is None or phrase_language in (language, "en", _FILES.get(language))


@cache
def phrases() -> tuple[Phrase, ...]:
    """All phrases of all languages, in the order of their files."""
    folder = files(__package__) / "phrases"
    sets = tomllib.loads((folder / "sets.toml").read_text("utf-8"))
    found: list[Phrase] = []
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".toml") or file.name == "sets.toml":
            continue
        told = tomllib.loads(file.read_text("utf-8"))
        for at_end, lists in ((True, told.pop("end", {})), (False, told)):
            for reason, lines in lists.items():
                language = file.name.removesuffix(".toml")
                found.extend(compile_phrase(line, reason, language, sets, at_end=at_end) for line in lines)
    return tuple(found)


@cache
def languages() -> tuple[str, ...]:
    """Codes of the languages that have phrases of their own, or share those of another."""
    return tuple(sorted({phrase.language for phrase in phrases()} | set(_FILES)))


@cache
def _index(language: str | None, at_end: bool) -> tuple[dict[str, list[Phrase]], list[Phrase], re.Pattern[str]]:
    """The phrases that count, by their keys; those that have none; and a pattern for any of the latter."""
    by_key: dict[str, list[Phrase]] = defaultdict(list)
    rest: list[Phrase] = []
    for phrase in phrases():
        if not _is_spoken(phrase.language, language) or (phrase.at_end and not at_end):
            continue
        for key in phrase.keys:
            by_key[key].append(phrase)
        if not phrase.keys:
            rest.append(phrase)
    return dict(by_key), rest, re.compile("|".join(dict.fromkeys(phrase.pattern for phrase in rest)))


def compile_phrase(
    line: str, reason: str, language: str, sets: Mapping[str, list[str]], *, at_end: bool = False
) -> Phrase:
    """A phrase from its written form.

    Raises:
        KeyError: the phrase names a set that there is not.
        ValueError: the phrase holds no word, ends in punctuation that is never there to match, or is unbalanced.
    """
    folded = _folded(line)
    if folded != folded.rstrip(_TRAILING):
        raise ValueError(f"phrase ends in punctuation, which is cut off before matching: {line!r}")
    pattern, depth = "", 0
    for name, star, sign, literal in _TOKENS.findall(folded):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if name:
            pattern += "(?:" + "|".join(re.escape(member.casefold()) for member in sets[name]) + ")"
        else:
            pattern += (
                ".*" if star else "(?:" if sign == "(" else sign or _NUMBER.join(map(re.escape, literal.split("#")))
            )
    if depth or not re.sub(r"[*\s()|?]", "", folded):
        raise ValueError(f"phrase matches everything, or its brackets do not match: {line!r}")
    # the space beside a star belongs to what the star stands for
    pattern = re.sub(r"\\ \.\*$", r"(?:\\ .*)?", pattern.replace(r".*\ ", r"(?:.*\ )?"))
    if not _UNSPACED.search(folded):
        pattern = re.sub(r"\.\*(?=\w|\(\?:)(?!\(\?:\\ )", r".*\\b", pattern)
        pattern = re.sub(r"(?<=[\w)])\.\*", r"(?:\\b.*)?", pattern)
    return Phrase(reason, language, line, pattern, _keys(folded), at_end)


def _keys(phrase: str) -> frozenset[str]:
    """Beginnings of words of which every match holds at least one; empty where that cannot be told."""
    flat = _without_options(phrase)
    clauses = [
        frozenset(_key(alternative, cut=_is_cut(flat, group.end())) for alternative in group.group(1).split("|"))
        for group in re.finditer(r"(?<![\w)])\(([^()*?]+)\)", flat)
    ]
    outside = re.sub(r"\([^()]*\)", lambda group: "\0" * len(group.group()), flat)
    clauses += [
        frozenset([_key(word.group(), cut=_is_cut(outside, word.end()))])
        for word in re.finditer(r"(?<![\w\0])\w+(?!\?)", outside)
    ]
    usable = [clause for clause in clauses if clause and "" not in clause]
    return min(usable, key=lambda clause: (_commonness(clause), len(clause)), default=frozenset())


# Beginnings of the commonest words: a phrase that is looked up by one of these is looked at in every other paragraph.
# fmt: off
_COMMON = frozenset((
    "this", "that", "with", "from", "your", "have", "more", "been", "they", "will", "were", "what", "when", "here",
    "nach", "über", "auch", "eine", "dies", "dans", "pour", "avec", "para", "como", "este", "esta", "dell", "voor",
    "deze", "meer", "niet", "från", "till", "jest", "stor", "news", "arti",
))
# fmt: on


def _commonness(clause: frozenset[str]) -> int:
    return sum(2 if len(key) < _KEY else key in _COMMON for key in clause)


def _without_options(phrase: str) -> str:
    """The phrase with everything optional and everything nested replaced by a star."""
    phrase, previous = re.sub(r"\{\w+\}", "*", phrase), ""
    while previous != phrase:
        previous = phrase
        phrase = re.sub(r"\([^()]*\)\?", "*", phrase)
        phrase = re.sub(r"\([^()]*\([^()]*\)[^()]*\)", "*", phrase)
    return phrase


def _is_cut(phrase: str, end: int) -> bool:
    """Whether what follows this place may continue the word that ends here; a star cannot."""
    return end < len(phrase) and (phrase[end].isalnum() or phrase[end] in "(\0?")


def _key(alternative: str, *, cut: bool) -> str:
    words = _WORD.findall(alternative)
    if not words or _UNSPACED.search(alternative):
        return ""
    whole = words[:-1] if cut else words
    long = [word for word in words if len(word) >= _KEY]
    return max(whole + long, key=len, default="")[:_KEY]
