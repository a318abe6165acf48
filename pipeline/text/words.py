"""What a word is, in any script, and how texts are folded before they are compared: the one definition of each.

Scripts without spaces between words (Thai, Lao, Burmese, Khmer, Chinese, Japanese) give no words to split at. There,
each character is a unit that texts are compared by, and two characters count as one word.
"""

import re
import unicodedata
from functools import lru_cache

SOUTH_EAST_ASIAN = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
"""Thai, Lao, Burmese and Khmer, as a range of a regular expression."""

HAN_AND_KANA = "\u3040-\u30ff\u3400-\u9fff"
"""Chinese and Japanese. Han has more planes, of characters that hardly occur."""

HANGUL = "\uac00-\ud7af"
"""Korean has spaces, but joins particles to its words, and none stands within a name."""

UNSPACED_CLASS = f"[{SOUTH_EAST_ASIAN}{HAN_AND_KANA}]"
"""One character of a script without spaces, for regular expressions here and in SQL."""

UNSPACED = re.compile(UNSPACED_CLASS)
CHARACTERS_PER_WORD = 2
"""Of scripts without spaces: the mean length of words in Chinese and Japanese news."""

WORD = re.compile(r"\w+")
_WORDS_ALONE = bytes(sign if WORD.match(chr(sign)) else ord(" ") for sign in range(128)) + bytes(128)
_UNIT = re.compile(rf"{UNSPACED_CLASS}|(?:(?!{UNSPACED_CLASS})\w)+")
# Soft hyphens, zero-width spaces and joiners, direction marks, byte order marks: layout, not text.
_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
# Letters that do not decompose into one of ASCII and a mark.
_LETTERS = str.maketrans({"ı": "i", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "’": " "})

# What only layout and machines see: soft hyphens, zero-width spaces, marks of direction, controls of either set. The
# joiners of Persian, Indic scripts and emoji (U+200C, U+200D) are spelling, and stay.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]"
)
# Characters of Windows' code page under the numbers that they have there, as pages without a declared encoding write.
_WINDOWS = {code: bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0)}


def clean_characters(text: str) -> str:
    r"""The text without characters that no reader sees, its letters composed (NFC).

    >>> clean_characters("Donau\u00addampf\u200bschiff \x93Elbe\x94, Cafe\u0301")
    'Donaudampfschiff “Elbe”, Café'
    """
    if text.isascii() and text.isprintable():
        return text
    if _UNSEEN.search(text):
        text = _UNSEEN.sub(lambda sign: _WINDOWS.get(ord(sign[0]), ""), text)
    return unicodedata.normalize("NFC", text)


def is_unspaced(text: str) -> bool:
    """Whether any of the text is in a script without spaces between words."""
    return not text.isascii() and UNSPACED.search(text) is not None


def begins_unspaced(text: str) -> bool:
    """Whether any of the first forty characters is in a script without spaces between words."""
    return not text.isascii() and UNSPACED.search(text, 0, 40) is not None


def is_mostly_unspaced(text: str) -> bool:
    """Whether most of the text, blanks left out, is in a script without spaces between words.

    >>> is_mostly_unspaced("今日は News"), is_mostly_unspaced("Today: 今日")
    (False, False)
    >>> is_mostly_unspaced("今日は晴れ NHK")
    True
    """
    count = 0 if text.isascii() else len(UNSPACED.findall(text))
    return count > 0 and 2 * count > len("".join(text.split()))


def find_words(text: str) -> list[str]:
    """The words of a text as `WORD` finds them.

    >>> find_words("It's 10:30, in São_Tomé.")
    ['It', 's', '10', '30', 'in', 'São_Tomé']
    """
    if text.isascii():  # a third of the time
        return text.encode().translate(_WORDS_ALONE).decode().split()
    return WORD.findall(text)


def split_units(text: str) -> list[str]:
    """The words of a text as they stand; of scripts without spaces, each character.

    >>> split_units("In 東京 today")
    ['In', '東', '京', 'today']
    """
    return _UNIT.findall(text) if is_unspaced(text) else find_words(text)


def split_words(text: str) -> list[str]:
    """The same in lower case, to compare texts by."""
    return split_units(text.casefold())


@lru_cache(maxsize=8)  # of one page several steps ask
def count_words(text: str) -> int:
    """How many words the text has; two characters of a script without spaces count as one.

    >>> count_words("Two words, 東京都")
    4
    """
    unspaced = 0 if text.isascii() else len(UNSPACED.findall(text))
    if not unspaced:
        return len(find_words(text))
    return len(WORD.findall(UNSPACED.sub(" ", text))) + (unspaced + 1) // CHARACTERS_PER_WORD


@lru_cache(maxsize=8)  # of one page its hash and its sketch ask, and of each block its key and the phrases
def fold(text: str) -> str:
    """The text without what is layout only: case, width and invisible characters; its white space stays."""
    if text.isascii():
        return text.lower()
    # NFKC once more at the end: folding case can leave decomposed characters behind.
    return unicodedata.normalize("NFKC", _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).casefold())


def normalise(text: str) -> str:
    r"""The same with white space as single blanks.

    >>> normalise("Ｎews\u00a0 of\nthe Day")
    'news of the day'
    """
    return " ".join(fold(text).split())


def fold_words(text: str) -> str:
    """The words of the text alone, in lower case and without accents.

    >>> fold_words("Désolé, page introuvable !")
    'desole page introuvable'
    """
    folded = text.casefold()
    if not folded.isascii():
        # Twice: bold and wide letters become plain ones in the first round, of either case, and fold in the second.
        for _ in range(2):
            decomposed = unicodedata.normalize("NFKD", folded.translate(_LETTERS)).casefold()
            folded = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return " ".join(find_words(folded))
