"""Phrases and shapes that mark a paragraph as boilerplate: read from the data files, matched against whole paragraphs.

How a phrase is written is told in `pipeline.clean.phrase_patterns`.
"""

import re
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from itertools import chain

from pipeline.clean.phrase_patterns import KEY_LENGTH, Phrase, compile_phrase, fold_paragraph
from pipeline.text.words import find_words

MAX_WORDS: Mapping[str, int] = {
    "affiliate": 45,
    "share": 12,
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

SENTENCE_WORDS = 4
"""Words from which on a line that ends in a full stop may be a sentence of the story."""

OWN_WORDS, OWN_SHARE = 3, 0.4
"""Of such a line a phrase must say so many words itself, or this share of them; the rest is left to its stars."""

ADDRESSING = frozenset({"app", "follow", "newsletter", "share", "subscription"})
"""Reasons whose phrases speak to the reader: a call and its object, or a call that opens the line, say enough."""

CALL_WORDS = 14
"""The longest line, in words, in which such a call may stand behind something else, such as a question."""

MAX_WORDS_ELSE = 50
MAX_WORDS_ANYWHERE = 60
MAX_WORDS_AT_END = 70
MAX_CHARACTERS = 600

_SENTENCE_END = re.compile(r"[.。।۔։።][\"'”’»“)\]」』]*\s*$")
# What is said of an author begins with the name; in scripts without capitals any beginning may be one.
_SMALL = "a-zß-öø-ÿа-яёα-ω"
_NAME_FIRST = re.compile(
    rf"\W*(?:[^\W\d_{_SMALL}][\w.'’-]*\W+){{1,2}}(?:[^\W\d_{_SMALL}]|\w{{1,3}} [A-Z])|\W*[\u0590-\uffff]"
)


def reason_of(
    paragraph: str, language: str | None = None, *, at_end: bool = False, among: str | None = None
) -> str | None:
    """The reason of the first phrase that covers the paragraph, or None.

    Phrases of all languages are tried where the language is None; behind the last paragraph of true text more
    count. ``among`` is the only reason that is asked for, None for all.
    """
    # No phrase may swallow so many characters or words; most true paragraphs end here, before they are folded.
    if len(paragraph) > MAX_CHARACTERS or paragraph.count(" ") > (MAX_WORDS_AT_END if at_end else MAX_WORDS_ANYWHERE):
        return None
    return _reason_of(paragraph, language[:2] if language else None, at_end, among)


@lru_cache(maxsize=4096)
def _reason_of(paragraph: str, language: str | None, at_end: bool, among: str | None) -> str | None:
    text = fold_paragraph(paragraph)
    words = [word[:KEY_LENGTH] for word in find_words(text)]
    if not words:
        return None
    by_key, rest, any_of_rest = _index(language, at_end, among)
    keys = [] if by_key.keys().isdisjoint(words) else dict.fromkeys(words)
    candidates = [phrase for key in keys if key in by_key for phrase in by_key[key]]
    if any_of_rest.fullmatch(text):
        candidates = [*rest, *candidates]
    if at_end:
        # A notice of a correction may begin as other notes do: it is one first of all.
        candidates.sort(key=lambda phrase: phrase.reason != "correction")
    for phrase in candidates:
        limit = MAX_WORDS.get(phrase.reason, MAX_WORDS_ELSE)
        if len(words) > limit or not _compiled(phrase.pattern).fullmatch(text):
            continue
        may_be_sentence = len(words) >= SENTENCE_WORDS and _SENTENCE_END.search(paragraph) is not None
        if may_be_sentence and _is_weak(phrase, len(words)):
            continue
        if not _tells_of_person(phrase) or _NAME_FIRST.match(paragraph):
            return phrase.reason
    return None


def _is_weak(phrase: Phrase, words: int) -> bool:
    """Whether a phrase says too little by itself to cover a sentence; what counts at the end has its place to show."""
    if phrase.at_end or not phrase.words:
        return not phrase.words
    if phrase.reason == "caption":
        return phrase.words < 2
    is_first = not phrase.source.startswith("*")
    is_call = phrase.reason in ADDRESSING and (is_first or (phrase.words > 1 and words <= CALL_WORDS))
    return not is_call and phrase.words < min(OWN_WORDS, OWN_SHARE * words)


def _tells_of_person(phrase: Phrase) -> bool:
    return phrase.reason == "biography" and phrase.source.startswith("*")


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # Compiled when first needed: all of them take half a second, the few of one page's languages nothing.
    return re.compile(pattern)


# One file serves languages that share their phrases.
_FILES = {"nb": "no", "nn": "no", "bs": "hr", "sr": "hr", "sl": "hr", "ms": "id", "ca": "es", "gl": "es"}


def _is_spoken(phrase_language: str, language: str | None) -> bool:
    # English lines stand on pages of every language: they come with the site's software.
    return language is None or phrase_language in (language, "en", _FILES.get(language))


def load_phrases() -> tuple[Phrase, ...]:
    """All phrases of all languages, in the order of their files."""
    return tuple(chain.from_iterable(map(_phrases_of, _languages_with_file())))


@cache
def _languages_with_file() -> tuple[str, ...]:
    names = sorted(file.name for file in (files(__package__) / "phrases").iterdir())
    return tuple(name.removesuffix(".toml") for name in names if name.endswith(".toml") and name != "sets.toml")


@cache
def _sets() -> dict[str, list[str]]:
    return tomllib.loads((files(__package__) / "phrases" / "sets.toml").read_text("utf-8"))


@cache  # read when a page of the language comes: all of them take 0.15 s
def _phrases_of(language: str) -> tuple[Phrase, ...]:
    listed = tomllib.loads((files(__package__) / "phrases" / f"{language}.toml").read_text("utf-8"))
    return tuple(
        compile_phrase(line, reason, language, _sets(), at_end=at_end)
        for at_end, lists in ((True, listed.pop("end", {})), (False, listed))
        for reason, lines in lists.items()
        for line in lines
    )


@cache
def languages() -> tuple[str, ...]:
    """Codes of the languages that have phrases of their own, or share those of another."""
    return tuple(sorted({*_languages_with_file(), *_FILES}))


@cache
def _index(
    language: str | None, at_end: bool, among: str | None
) -> tuple[dict[str, list[Phrase]], list[Phrase], re.Pattern[str]]:
    """The phrases that count, by their keys; those that have none; and a pattern for any of the latter."""
    by_key: dict[str, list[Phrase]] = defaultdict(list)
    rest: list[Phrase] = []
    spoken = (_phrases_of(own) for own in _languages_with_file() if _is_spoken(own, language))
    for phrase in chain.from_iterable(spoken):
        if (phrase.at_end and not at_end) or (among and phrase.reason != among):
            continue
        for key in phrase.keys:
            by_key[key].append(phrase)
        if not phrase.keys:
            rest.append(phrase)
    return dict(by_key), rest, re.compile("|".join(dict.fromkeys(phrase.pattern for phrase in rest)))


_JSON = re.compile(r"""^\s*[\[{]\s*["'{\[].*["'\]}\d]\s*[\]}]\s*;?$""", re.DOTALL)
_JSON_KEYS = re.compile(r"""["']@?(?:type|context|id|graph|headline|url)["']\s*:\s*["'{\[]""")
_SCRIPT = re.compile(r"^\s*(?:\(?function\s*\(|window\.\w|document\.\w+\(|googletag\.|\w+\.push\(\s*[\[{])")
_YEAR = r"(?:19|20)\d\d"
_COPYRIGHT = re.compile(
    rf"^\W*(?:copyright\s*)?(?:[©ⓒ]|\(c\)\s*{_YEAR}|copyright\s*(?:by\b|\(c\)|{_YEAR}))", re.IGNORECASE
)
_EMBEDDED = re.compile(r"^pic\.twitter\.com/\S+$|^$")
_NETWORK = r"""(?:facebook|twitter|x|instagram|linkedin|whatsapp|telegram|pinterest|reddit|e-?mail|mail|messenger|
    threads|bluesky|mastodon|xing|flipboard|tiktok|youtube|viber|signal|vkontakte|vk|line|weibo|wechat|pocket|tumblr|
    copy\ link|print|rss|google\ news)"""
# One name alone may be a heading of an article about that network.
_NETWORKS = re.compile(rf"^\W*(?:{_NETWORK}\b\W+){{1,15}}{_NETWORK}\W*$", re.IGNORECASE | re.VERBOSE)
_SYMBOLS_ONLY = re.compile(r"^[^\w(){}\[\]<>$#;=]+$")

MAX_NOTICE = 300
"""Characters; a copyright line that is longer holds something else as well."""


def shape_of(paragraph: str) -> str | None:
    """The reason to remove the paragraph for its form, or None.

    >>> shape_of('{"@type": "NewsArticle", "headline": "x"}')
    'json'
    >>> shape_of("© 2024 The Harbour Post. All rights reserved.")
    'copyright'
    """
    if _JSON.match(paragraph) and _JSON_KEYS.search(paragraph):
        return "json"
    if _SCRIPT.match(paragraph) and ("{" in paragraph or ";" in paragraph):
        return "json"
    if len(paragraph) <= MAX_NOTICE:
        if _COPYRIGHT.match(paragraph):
            return "copyright"
        if _EMBEDDED.match(paragraph):
            return "placeholder"
        if _NETWORKS.match(paragraph):
            return "share"
    return "placeholder" if _SYMBOLS_ONLY.match(paragraph) and len(paragraph) < MAX_NOTICE else None
