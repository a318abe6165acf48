"""A phrase of the data files as a regular expression, and the form in which paragraphs are compared with it.

A file holds one array of phrases per reason, and the same under ``[end]`` for what counts only after the last paragraph
of true text. A phrase is literal text with

    ``*``        any whole words, also none
    ``#``        a number
    ``(a|b)``    one of these; ``(a |b )?`` one of these or none
    ``x?``       the character before it, or none
    ``{name}``   a set from ``sets.toml``, such as the names of social networks

and must match the paragraph from end to end; case, quotation marks, dashes, leading symbols, brackets around the whole
and trailing punctuation (but for the question mark) do not count.
`pipeline.clean.phrases.MAX_WORDS` bounds what a star may swallow.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from pipeline.text.words import HAN_AND_KANA, HANGUL, SOUTH_EAST_ASIAN, WORD

KEY_LENGTH = 4  # letters by which words are looked up: phrases may cut a word short

_LEADING = re.compile(r"[^\w\"'(\[{@#$©ⓒ【]+")
_TRAILING = " .…!:;,»>→›▶|。！：-"
MAX_LABEL = 30
"""Characters of what may be a label, or a label with a count in brackets."""

_COUNT = re.compile(r" \(\d[\d.,]*\)$")
_BRACKETS = {"(": ")", "[": "]"}
_PLAIN = {**dict.fromkeys("‘’‚‛´`ʼ′", "'"), **dict.fromkeys("“”„‟«»″", '"'), **dict.fromkeys("‐‑‒–—―−", "-")}
_TYPOGRAPHIC = re.compile(f"[{''.join(_PLAIN)}]")
# What stands in a phrase of these scripts need not begin a word of the paragraph.
_JOINED = re.compile(f"[{SOUTH_EAST_ASIAN}{HAN_AND_KANA}{HANGUL}]")
_NUMBER = r"\d[\d.,]*"
_TOKENS = re.compile(r"\{(\w+)\}|(\*)|([()|?])|([^{}*()|?]+)")


@dataclass(frozen=True, slots=True)
class Phrase:
    """One phrase as a regular expression; every match holds a word that begins like one of ``keys``, if any.

    ``words`` is how many words of its own every match has, beside what its stars stand for.
    """

    reason: str
    language: str
    source: str
    pattern: str
    keys: frozenset[str]
    at_end: bool = False
    words: int = 0


@lru_cache(maxsize=1024)  # phrases, repetitions and headlines ask for the same ones
def fold_paragraph(text: str) -> str:
    """The text as phrases see it.

    >>> fold_paragraph("▶ NOW  WATCH – “Boats”…")
    'now watch - "boats"'
    >>> fold_paragraph("(Reuters)")
    'reuters'
    """
    text = " ".join(_folded(text).split())
    if leading := _LEADING.match(text):
        text = text[leading.end() :]
    if "|" in text[:MAX_LABEL]:
        text = text.replace(" | ", ": ", 1)  # a label, whichever sign parts it from what it labels
    if text.endswith(")") and len(text) <= MAX_LABEL:
        text = _COUNT.sub("", text)
    text = text.rstrip(_TRAILING)
    if text and _BRACKETS.get(text[0]) == text[-1]:
        text = text[1:-1].strip()
    return text


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower().replace("`", "'")
    # str.translate looks at each character in turn: thrice the time of all the rest.
    return _TYPOGRAPHIC.sub(lambda sign: _PLAIN[sign[0]], unicodedata.normalize("NFKC", text).casefold())


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
    if not _JOINED.search(folded):
        pattern = re.sub(r"\.\*(?=\w|\(\?:)(?!\(\?:\\ )", r".*\\b", pattern)
        pattern = re.sub(r"(?<=[\w)])\.\*", r"(?:\\b.*)?", pattern)
    return Phrase(reason, language, line, pattern, _keys(folded), at_end, _count_own_words(folded))


def _count_own_words(phrase: str) -> int:
    """The fewest words that any match has beside those of its stars; an alternative counts as its shortest."""
    phrase, previous = re.sub(r"\{\w+\}", " set ", phrase), ""
    while previous != phrase:
        previous = phrase
        phrase = re.sub(r"\([^()]*\)\?", " ", phrase)
        phrase = re.sub(r"\(([^()]*)\)", lambda group: f" {min(group[1].split('|'), key=_count_words)} ", phrase)
    return _count_words(phrase)


def _count_words(phrase: str) -> int:
    # In scripts without spaces a phrase is looked for anywhere: two of its characters tell as much as a word.
    joined = len(_JOINED.findall(phrase))
    return len(WORD.findall(_JOINED.sub(" ", phrase))) + phrase.count("@") + joined // 2


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
    return sum(2 if len(key) < KEY_LENGTH else key in _COMMON for key in clause)


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
    words = WORD.findall(alternative)
    if not words or _JOINED.search(alternative):
        return ""
    whole = words[:-1] if cut else words
    long = [word for word in words if len(word) >= KEY_LENGTH]
    return max(whole + long, key=len, default="")[:KEY_LENGTH]
