r"""The form in which texts are indexed and searches are asked: one for both, and for both databases.

Case, accents, vowel signs, widths and what has no width make no difference, nor do spellings of one letter (*ß* and
*ss*, *œ* and *oe*, *ё* and *е*, forms of alef). Scripts without spaces between words have no words to look up, and
Korean joins particles to its words: there every two letters that stand together are a word of the index, as are the
first and the last one of a run by themselves, so that places stay in order and single characters can be found::

    東京都知事 2026  →  東 東京 京都 都知 知事 事 2026

`FOLDING_SQL` says the same to PostgreSQL; a test holds the two together.
"""

import re
import unicodedata
from operator import add
from typing import Final

MAX_CHARACTERS: Final = 200_000
"""Of a text, that are indexed: PostgreSQL's index holds a megabyte for an article at most."""

MAX_FORM: Final = 250_000
"""Characters of the form, for the same reason: pairs take three for one."""

_LETTERS: Final = (
    "\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46\u0e80-\u0eb0\u0eb2\u0eb3\u0ebd-\u0ec6\u0edc-\u0edf\u1000-\u102a\u103f\u1050-\u1055"
    "\u105a-\u105d\u1061\u1065\u1066\u106e-\u1070\u1075-\u1081\u108e\u1780-\u17b3\u17d7\u17dc\u3005-\u3007\u3041-\u3098\u309b-\u309f"
    "\u30a1-\u30fa\u30fc-\u30ff\u3400-\u9fff\uac00-\ud7af\U00020000-\U0003ffff"
)
_SIGNS: Final = (
    "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u102b-\u103e\u1056-\u1059\u105e-\u1060\u1062-\u1064\u1067-\u106d"
    "\u1071-\u1074\u1082-\u108d\u108f\u109a-\u109d\u17b4-\u17d3\u17dd\u3099\u309a"
)
PAIRED: Final = f"[{_LETTERS}][{_SIGNS}]*"
"""A letter of Thai, Lao, Burmese, Khmer, Chinese, Japanese or Korean, with the signs that stand on it, for regular
expressions here and in SQL. PostgreSQL takes a sign that begins a word for none of it."""

# Accents; vowel signs of Hebrew and Arabic, and its stretcher; what has no width.
_IGNORED: Final = (
    "[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u061c\u0640\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff]"
)
# Letters that are written for one another, and digits of Arabic and Persian; an apostrophe that counts as a letter.
_FROM: Final = "ıłđøħŧςٱىةیکہھ\u02bc" + "٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹"
_TO: Final = "ildohtσايهيكهه " + "0123456789" * 2
_PAIRS: Final = {"ß": "ss", "œ": "oe", "æ": "ae", "þ": "th", "ð": "d"}
_ALIKE: Final = str.maketrans(dict(zip(_FROM, _TO, strict=True)) | _PAIRS)
_IGNORED_SIGNS: Final = re.compile(_IGNORED)
_RUN: Final = re.compile(f"(?:{PAIRED})+")
_PAIRED: Final = re.compile(PAIRED)
# What PostgreSQL's parser would take for part of a host name, path, number, compound or tag; else it parts words.
_JOINING: Final = "-./_@:+&<~"


def fold_for_search(text: str) -> str:
    """The text as it is compared in searches, without pairs: what matches in it, and where, is seen in this.

    >>> fold_for_search("Die Straße nach Đà Nẵng, ışık, Ёлка, مُحَمَّد, Ｆｕｌｌ")
    'die strasse nach da nang, isik, елка, محمد, full'
    """
    if text.isascii():
        return text.lower()
    plain = _IGNORED_SIGNS.sub("", unicodedata.normalize("NFKD", text)).lower().translate(_ALIKE)
    return unicodedata.normalize("NFC", plain)


def search_form(text: str) -> str:
    """The words of a text as the index has them, anything between.

    >>> search_form("Im Café: 東京都")
    'im cafe:  東 東京 京都 都 '
    """
    folded = fold_for_search(text[:MAX_CHARACTERS])
    if not folded.isascii() and _PAIRED.search(folded):
        folded = _RUN.sub(_paired, folded)
    return folded[:MAX_FORM]


def _paired(match: re.Match[str]) -> str:
    run = _PAIRED.findall(match[0])
    return f" {run[0]} {' '.join(map(add, run, run[1:]))} {run[-1]} "


def is_single(word: str) -> bool:
    """Whether a word of the index is one letter of such a script, with its signs, and no pair."""
    return _PAIRED.fullmatch(word) is not None


def is_paired(text: str) -> bool:
    """Whether any of a folded text is in a script that is indexed in pairs of characters."""
    return not text.isascii() and _PAIRED.search(text) is not None


def split_search_words(text: str) -> tuple[str, ...]:
    """The words of a folded text or form: runs of letters, digits and marks.

    >>> split_search_words("don't u.s. 東 東京")
    ('don', 't', 'u', 's', '東', '東京')
    """
    return tuple("".join(char if unicodedata.category(char)[0] in "LNM" else " " for char in text).split())


def _folding_sql() -> str:
    """An expression of PostgreSQL for `search_form` of ``value``, where what its parser would join is apart."""
    part, blanks = f"left(value, {MAX_CHARACTERS})", " " * len(_JOINING)
    plain = f"lower(regexp_replace(normalize({part}, NFKD), '{_IGNORED}', '', 'g'))"
    for letter, pair in _PAIRS.items():
        plain = f"replace({plain}, '{letter}', '{pair}')"
    plain = f"normalize(translate({plain}, '{_FROM}{_JOINING}', '{_TO}{blanks}'), NFC)"
    runs = f"regexp_replace({plain}, '((?:{PAIRED})+)', ' \\1 ', 'g')"
    pairs = f"regexp_replace({runs}, '({PAIRED})', '\\1 \\1', 'g')"
    ascii_ = f"lower(translate({part}, '{_JOINING}', '{blanks}'))"
    return f"left(CASE WHEN octet_length(value) = length(value) THEN {ascii_} ELSE {pairs} END, {MAX_FORM})"


FOLDING_SQL: Final = _folding_sql()
