"""Names of by-lines: parted, cleaned, and told apart into persons, agencies and newsrooms."""

import html
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from pipeline.metadata.moments import parse_moment
from pipeline.metadata.tables import load_agencies, load_months, load_words

Kind = Literal["person", "agency", "newsroom"]

MAX_NAME = 60  # characters; the longest real by-line of one person in the corpora seen has 41
MAX_WORDS = 6
MAX_NAMES = 12  # more are the list of a newsroom or of all commenters

_ADDRESS = re.compile(r"\S*(?:https?://|www\.)\S*|\(?\S+@\S+\.\w+\)?|(?<!\w)@\w+", re.IGNORECASE)
_MARKUP = re.compile(r"<[^>]{0,300}>")
_BRACKETS = re.compile(r"\s*[(\[{（【][^)\]}）】]{0,80}[)\]}）】]")
_CUT = re.compile(r"\s(?:[|•·–—]|--?)\s|[|•·／;:\n\t]|\s{3,}|\s*/\s*|、|，|،|\s?・\s?(?=\S+\s)")
_EDGES = " \t\n\r\u200b\u200e\u200f\ufeff,.;:–—-_/|•·*»«\"„“”'’‘`+>"
_NUMBER = re.compile(r"(?<!\w)\d{1,4}(?!\w*[A-Za-z])")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")  # Han, kana, Hangul: no space in a name
_WORD = re.compile(r"[^\W\d_](?:[\w'’.\-]*\w)?\.?", re.UNICODE)


@dataclass(frozen=True, slots=True)
class Name:
    """A name of a by-line and what kind of author it is."""

    text: str
    kind: Kind


def read_names(
    texts: Iterable[str], site_names: Collection[str] = (), *, organisation: bool = False
) -> tuple[Name, ...]:
    """The names in by-lines, in order, each once.

    Args:
        texts: by-lines as declared or printed.
        site_names: what the site and its publisher are called: such a name is the newsroom's.
        organisation: whether the page says that these are no persons.

    >>> [name.text for name in read_names(["By Ann Lee and Bo Chen, Political Editor", "AFP"])]
    ['Ann Lee', 'Bo Chen', 'AFP']
    """
    own = {fold_name(name) for name in site_names} - {""}
    found: dict[str, Name] = {}
    for text in texts:
        for part in _without_places(list(split_byline(text, own)), own):
            kind = kind_of(part, own, organisation=organisation)
            name = load_agencies().get(part.lower(), part) if kind == "agency" and len(part) <= 5 else part
            found.setdefault(fold_name(name), Name(name, kind))
            if len(found) >= MAX_NAMES:
                return tuple(found.values())
    return _without_own(tuple(found.values()), own)


def _without_places(parts: list[str], own: Collection[str]) -> list[str]:
    """The parts of one by-line without what stands beside whole names: places, handles, roles."""
    if not any(is_full_name(part) and kind_of(part, own) == "person" for part in parts):
        return parts
    return [part for part in parts if _may_stand_beside_names(part, own)]


def _may_stand_beside_names(part: str, own: Collection[str]) -> bool:
    kind = kind_of(part, own)
    if kind == "newsroom":
        return fold_name(part) in own or not _has_word(part, "roles")
    return kind == "agency" or is_full_name(part) or not part.isascii()


def _without_own(names: tuple[Name, ...], own: Collection[str]) -> tuple[Name, ...]:
    """The names without the site's own where persons signed: it publishes, they wrote."""
    if not any(name.kind == "person" for name in names):
        return names
    squeezed = {site.replace(" ", "") for site in own}
    return tuple(
        name for name in names if name.kind != "newsroom" or fold_name(name.text).replace(" ", "") not in squeezed
    )


def is_full_name(text: str) -> bool:
    """Whether a text has the form of a person's first and last name, in scripts that tell.

    >>> is_full_name("Ludwig van der Berg"), is_full_name("Frankfurt"), is_full_name("read this")
    (True, False, False)
    """
    words = text.split()
    if _UNSPACED.search(text) or (words and words[0].lower() in load_agencies() and words[0].isupper()):
        return False
    capitals = [word for word in words if word[:1].isupper() or word[:2] in {"d'", "d’"} or not _has_case(word)]
    others = [word for word in words if word not in capitals]
    return (
        2 <= len(words) <= MAX_WORDS and len(capitals) >= 2 and all(word in load_words("particles") for word in others)
    )


def _has_case(word: str) -> bool:
    return word.upper() != word.lower()


@lru_cache(maxsize=2048)
def fold_name(text: str) -> str:
    """What two spellings of a name have in common: letters and digits, without case and accents.

    >>> fold_name("JÖRG  Zschoche.") == fold_name("Jorg Zschoche")
    True
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join(re.findall(r"\w+", plain))


def split_byline(text: str, own: Collection[str] = ()) -> Iterator[str]:
    """The names in one by-line, cleaned, roles and places left out."""
    text = " ".join(_MARKUP.sub(" ", html.unescape(text)).split()) if "<" in text or "&" in text else text
    text = without_date(_BRACKETS.sub("", _ADDRESS.sub(" ", text[:400]))).strip(_EDGES)
    if fold_name(text) in own:
        yield text
        return
    text = strip_before(text)
    for piece in _CUT.split(text):
        names = list(_split_commas(strip_before(piece.strip(_EDGES))))
        yield from names


def without_date(text: str) -> str:
    """The text up to a date.

    >>> without_date("Ann Lee December 17, 2025")
    'Ann Lee'
    """
    match = _NUMBER.search(text)
    if match is None or not match.start():
        return text
    head = text[: match.start()].rstrip(" ,.|·•–—-(")
    last = head.rpartition(" ")[2]
    if last.lower().rstrip(".") in load_months():
        head = head.removesuffix(last).rstrip(" ,.|·•–—-(")
    return head


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
            return rest
        text = rest
    return text


@cache
def _before(shortest: int) -> re.Pattern[str]:
    listed = [word.rstrip(":") for word in load_words("before")]
    words = sorted((re.escape(word) for word in listed if len(word) >= shortest), key=len, reverse=True)
    return re.compile(rf"(?:{'|'.join(words)})(?:\s*:\s*|\s+(?!(?:la|las|los|der|den)\s)|$)", re.IGNORECASE)


@cache
def _between() -> re.Pattern[str]:
    words = sorted((re.escape(word) for word in load_words("between")), key=len, reverse=True)
    return re.compile(rf"\s+({'|'.join(words)})\s+", re.IGNORECASE)


@cache
def _after() -> re.Pattern[str]:
    words = sorted((re.escape(word) for word in load_words("after")), key=len, reverse=True)
    return re.compile(rf"\s*(?:{'|'.join(words)})$")


def _split_commas(text: str) -> Iterator[str]:
    parts = [part for part in re.split(r"\s*,\s*(?:and\s|und\s|et\s|y\s)?\s*", text) if part.strip(_EDGES)]
    if len(parts) == 2 and all(len(part.split()) == 1 for part in parts) and not _is_known(parts[1]):
        parts = [f"{parts[1]} {parts[0]}"]  # Surname, First name
    for part in parts:
        for name in _split_words(part):
            cleaned = clean_name(name)
            if cleaned:
                yield cleaned


def _is_known(text: str) -> bool:
    return text.lower() in load_agencies() or _has_word(text, "roles") or text.isupper()


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
    if not name or len(name) > MAX_NAME or len(name.split()) > MAX_WORDS:
        return None
    lowered = name.lower()
    if lowered in load_words("nobody") or all(word in load_words("nobody") for word in lowered.split()):
        return None
    if not any(c.isalpha() for c in name) or _is_date(name):
        return None
    if not _is_shaped(name):
        return None
    is_role = _has_word(name, "roles") and (not _has_word(name, "newsroom") or " of " in lowered)
    return None if is_role and lowered not in load_agencies() else name


def _is_shaped(name: str) -> bool:
    """Whether a name of several words is no phrase: its words are capitalised but for particles."""
    words = name.split()
    if len(words) < 2 or _has_word(name, "newsroom"):
        return True
    plain = [word for word in words if word[:1].islower() and word not in load_words("particles")]
    return not plain and not any(c.isdigit() for c in name)


def _is_date(text: str) -> bool:
    return any(c.isdigit() for c in text) and (parse_moment(text) is not None or not _WORD.search(text))


@cache
def _list(name: str) -> tuple[frozenset[str], tuple[str, ...]]:
    words = load_words(name)
    return words, tuple(word for word in words if not word.isascii() and len(word) > 1)


def _has_word(text: str, name: str) -> bool:
    words, endings = _list(name)
    lowered = text.lower()
    return any(word.strip("()[],") in words for word in re.split(r"[\s/-]+", lowered)) or lowered.endswith(endings)


def kind_of(name: str, own: Collection[str], *, organisation: bool = False) -> Kind:
    """Whether a cleaned name is that of a person, an agency, or a newsroom."""
    lowered, folded = name.lower(), fold_name(name)
    if lowered in load_agencies() or all(part in load_agencies() for part in re.split(r"[/\s]+", lowered)):
        return "agency"
    if organisation or folded in own or folded.replace(" ", "") in {site.replace(" ", "") for site in own}:
        return "newsroom"
    if _has_word(name, "newsroom") or re.search(r"\w\.(?:com|org|net|de|at|ch|be|tr|tv|[a-z]{2})$", lowered):
        return "newsroom"
    return "person"
