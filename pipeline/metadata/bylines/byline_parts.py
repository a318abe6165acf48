"""A byline parted into names, without what introduces them, follows them or stands between them, and their letters."""

import re
import unicodedata
from collections.abc import Collection, Iterator
from functools import cache, lru_cache

from pipeline.metadata.bylines.east_asian_names import is_east_asian, split_east_asian
from pipeline.metadata.data_files import load_agencies, load_words
from pipeline.metadata.written_dates import parse_written_date
from pipeline.text.character_references import unescape_references
from pipeline.text.months import load_months
from pipeline.text.words import find_words


@lru_cache(maxsize=2048)
def fold_name(text: str) -> str:
    """What two spellings of a name have in common: letters and digits, without case and accents.

    >>> fold_name("JÖRG  Zschoche.") == fold_name("Jorg Zschoche")
    True
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join(find_words(plain))


@cache
def _list(name: str) -> tuple[frozenset[str], tuple[str, ...]]:
    words = load_words(name)
    return words, tuple(word for word in words if not word.isascii() and len(word) > 1)


def has_word(text: str, name: str) -> bool:
    """Whether a word of the text is in this list; words in other scripts than Latin may stand at its end, too."""
    words, endings = _list(name)
    lowered = text.lower()
    return any(word.strip("()[],") in words for word in re.split(r"[\s/-]+", lowered)) or lowered.endswith(endings)


MAX_NAME = 60  # characters; the longest real byline of one person in the corpora seen has 41
MAX_WORDS = 6

_ADDRESS = re.compile(r"\S*(?:https?://|www\.)\S*|\(?\S+@\S+\.\w+\)?|(?<!\w)@\w+", re.IGNORECASE)
_MARKUP = re.compile(r"<[^>]{0,300}>")
_BRACKETS = re.compile(r"\s*[(\[{（【][^)\]}）】]{0,80}[)\]}）】]")
_CUT = re.compile(r"\s(?:[|•·–—]|--?)\s|[|•·／;:\n\t]|\s{3,}|\s*/\s*|、|，|،|\s?・\s?(?=\S+\s)")
_EDGES = " \t\n\r\u200b\u200e\u200f\ufeff,.;:–—-_/|•·*»«\"„“”'’‘`+>→›←↗"
_NUMBER = re.compile(r"(?<!\w)\d{1,4}(?!\w*[A-Za-z])")
_WORD = re.compile(r"[^\W\d_](?:[\w'’.\-]*\w)?\.?", re.UNICODE)


def split_byline(text: str, own: Collection[str] = ()) -> Iterator[str]:
    """The names in one byline, cleaned, roles and places left out."""
    if "<" in text or "&" in text:
        text = " ".join(_MARKUP.sub(" ", unescape_references(text)).split())
    text = _ADDRESS.sub(" ", text[:400])
    if is_east_asian(text):
        yield from filter(None, map(clean_name, split_east_asian(text)))
        return
    text = strip_date(_pictures().sub(" | ", _BRACKETS.sub("", text))).strip(_EDGES)
    if fold_name(text) in own:
        yield text
        return
    text = strip_before(text)
    for piece in _CUT.split(text):
        names = list(_split_commas(strip_before(piece.strip(_EDGES))))
        yield from names


def strip_date(text: str) -> str:
    """The text up to a date.

    >>> strip_date("Ann Lee December 17, 2025"), strip_date("Ann Lee on Thursday, 2 May")
    ('Ann Lee', 'Ann Lee')
    """
    match = _NUMBER.search(text)
    if match is None or not match.start():
        return text
    head = text[: match.start()].rstrip(" ,.|·•–—-(")
    last = head.rpartition(" ")[2]
    if last.lower().rstrip(".") in load_months():
        head = head.removesuffix(last).rstrip(" ,.|·•–—-(")
    return _strip_trailing(head)


def _strip_trailing(text: str) -> str:
    """The text without words at its end that lead to a date or another name: weekdays, *on*, *updated*, *and*."""
    while " " in text:
        head, _, last = text.rpartition(" ")
        if last.lower().strip(".,:") not in load_words("trailing"):
            break
        text = head.rstrip(" ,.|·•–—-(")
    return text


def has_mark(text: str) -> bool:
    """Whether the text ends with what follows names in scripts without spaces: 記者, 기자."""
    return bool(_after().search(text.strip(_EDGES)))


def strip_before(text: str, *, inside: bool = False) -> str:
    """The text without what introduces names: *By*, *Von*, *Par*, *A cura di*.

    Inside a list of names only long words go: *Di*, *Per* and *Av* are first names too.

    >>> strip_before("Ein Gastbeitrag von Eva Roth")
    'Eva Roth'
    """
    while match := _before(4 if inside else 1).match(text):
        rest = text[match.end() :].strip(_EDGES)
        if not rest:
            return text if has_word(text, "newsroom") else rest
        text = rest
    return text


@cache
def _before(shortest: int) -> re.Pattern[str]:
    listed = [word.rstrip(":") for word in load_words("before")]
    words = sorted((re.escape(word) for word in listed if len(word) >= shortest), key=len, reverse=True)
    return re.compile(rf"(?:{'|'.join(words)})(?:\s*:\s*|\s+(?!(?:la|las|los|der|den)\s)|$)", re.IGNORECASE)


@cache
def _pictures() -> re.Pattern[str]:
    """Labels of who took pictures, with the names behind them."""
    words = "|".join(sorted(map(re.escape, load_words("pictures")), key=len, reverse=True))
    begin = r"(?:^|(?<!und)(?<!and)(?<!&)(?<!et)[\s,|/;(])"
    by = r"(?:\s*:\s*|\s+(?:by|von|par|de|di|av|af|door)\s+)"
    return re.compile(rf"{begin}(?:{words}){by}[^,|/;:]*", re.IGNORECASE)


@cache
def _where() -> re.Pattern[str]:
    words = "|".join(sorted(map(re.escape, load_words("where")), key=len, reverse=True))
    return re.compile(rf"\s(?:{words})\s(?=[A-ZÀ-Þ]|the |den |der |die |la |le |el )")


@cache
def _between() -> re.Pattern[str]:
    words = sorted((re.escape(word) for word in load_words("between")), key=len, reverse=True)
    return re.compile(rf"\s+({'|'.join(words)})\s+", re.IGNORECASE)


@cache
def _after() -> re.Pattern[str]:
    words = sorted((re.escape(word) for word in load_words("after")), key=len, reverse=True)
    return re.compile(rf"\s*(?:{'|'.join(words)})$")


def _split_commas(text: str) -> Iterator[str]:
    parts = [
        part
        for part in re.split(r"\s*,\s*(?:(?:and|und|et|y|e|og|och|with|mit|avec|con|com|met)\s)?\s*", text)
        if part.strip(_EDGES)
    ]
    if len(parts) == 2 and all(len(part.split()) == 1 for part in parts) and not _is_known(parts[1]):
        parts = [f"{parts[1]} {parts[0]}"]  # Surname, First name
    for part in parts:
        for name in _split_words(part):
            cleaned = clean_name(name)
            if cleaned:
                yield cleaned


def _is_known(text: str) -> bool:
    return text.lower() in load_agencies() or has_word(text, "roles") or text.isupper()


def _split_words(text: str) -> list[str]:
    """Parts a text at words such as *and*; at short ones only where a whole name stands on both sides."""
    parts = _between().split(text)
    names = [parts[0]]
    for word, name in zip(parts[1::2], parts[2::2], strict=False):
        whole = len(names[-1].split()) >= 2 and len(name.split()) >= 2
        if whole or len(word) > 2 or word == "&" or _is_known(name) or _is_known(names[-1]):
            names.append(name)
        else:
            names[-1] = f"{names[-1]} {word} {name}"
    return names


def clean_name(text: str) -> str | None:
    """One name as it is printed, or None where the text is none."""
    name = _after().sub("", strip_before(" ".join(text.split()).strip(_EDGES), inside=True)).strip(_EDGES)
    name = _strip_trailing(_without_where(name))
    if not name or len(name) > MAX_NAME or len(name.split()) > MAX_WORDS:
        return None
    lowered = name.lower()
    if lowered in load_words("nobody") or all(word in load_words("nobody") for word in lowered.split()):
        return None
    if not any(c.isalpha() for c in name) or _is_date(name):
        return None
    if not _is_shaped(name):
        return None
    is_role = has_word(name, "roles") and (not has_word(name, "newsroom") or " of " in lowered)
    return None if is_role and lowered not in load_agencies() else name


def _without_where(name: str) -> str:
    """A whole name without the place or paper behind it: *Ann Lee in Ghent*, *Bo Chen for The Courant*."""
    match = _where().search(name)
    return name[: match.start()] if match and " " in name[: match.start()] else name


def _is_shaped(name: str) -> bool:
    """Whether a name of several words is no phrase: its words are capitalised but for particles."""
    words = name.split()
    if len(words) < 2 or has_word(name, "newsroom"):
        return True
    plain = [word for word in words if word[:1].islower() and word not in load_words("particles")]
    return not plain and not any(c.isdigit() for c in name)


def _is_date(text: str) -> bool:
    return any(c.isdigit() for c in text) and (parse_written_date(text) is not None or not _WORD.search(text))
