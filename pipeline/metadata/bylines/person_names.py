"""Names of bylines, told apart into persons, agencies and newsrooms, and the news agency that an article is from."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.metadata.bylines.byline_parts import MAX_WORDS, fold_name, has_word, split_byline
from pipeline.metadata.bylines.east_asian_names import is_east_asian_name
from pipeline.metadata.data_files import load_agencies, load_words, name_of_agency
from pipeline.text.words import HAN_AND_KANA, HANGUL

Kind = Literal["person", "agency", "newsroom"]

MAX_NAMES = 12  # more are the list of a newsroom or of all commenters

_UNSPACED = re.compile(f"[{HAN_AND_KANA}{HANGUL}]")  # Han, kana, Hangul: no space in a name


@dataclass(frozen=True, slots=True)
class BylineName:
    """A name of a byline and what kind of author it is."""

    text: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class NamedSource:
    """The names of one source.

    Attributes:
        is_led: whether something says that these names signed: a declaration, a link to authors, a word such as *By*.
    """

    source: str
    weight: float
    names: tuple[BylineName, ...]
    is_led: bool = True

    @property
    def has_person(self) -> bool:
        """Whether a person is among them."""
        return any(name.kind == "person" for name in self.names)

    @property
    def is_agency(self) -> bool:
        """Whether only agencies are among them: their stories are rarely signed by more."""
        return bool(self.names) and all(name.kind == "agency" for name in self.names)


def read_names(
    texts: Iterable[str], site_names: Collection[str] = (), *, organisation: bool = False
) -> tuple[BylineName, ...]:
    """The names in bylines, in order, each once.

    Args:
        texts: bylines as declared or printed.
        site_names: what the site and its publisher are called: such a name is the newsroom's.
        organisation: whether the page says that these are no persons.

    >>> [name.text for name in read_names(["By Ann Lee and Bo Chen, Political Editor", "AFP"])]
    ['Ann Lee', 'Bo Chen', 'AFP']
    """
    own = {fold_name(name) for name in site_names} - {""}
    names: dict[str, BylineName] = {}
    for text in texts:
        for part in _without_places(list(split_byline(text, own)), own):
            kind = kind_of_name(part, own, organisation=organisation)
            name = load_agencies().get(part.lower(), part) if kind == "agency" and len(part) <= 5 else part
            names.setdefault(fold_name(name), BylineName(name, kind))
            if len(names) >= MAX_NAMES:
                return tuple(names.values())
    return _without_own(tuple(names.values()), own)


def names_by_kind(names: Collection[BylineName]) -> dict[str, tuple[str, ...]]:
    """The names as the fields of `pipeline.model.Metadata`: ``signed`` has all as printed, ``authors`` the persons.

    An agency has one name in ``agencies``, whatever the byline calls it.
    """
    return {
        "signed": tuple(name.text for name in names),
        "authors": tuple(name.text for name in names if name.kind == "person"),
        "agencies": tuple(dict.fromkeys(name_of_agency(name.text) for name in names if name.kind == "agency")),
        "newsrooms": tuple(name.text for name in names if name.kind == "newsroom"),
    }


def _without_places(parts: list[str], own: Collection[str]) -> list[str]:
    """The parts of one byline without what stands beside whole names: places, handles, roles."""
    if not any(is_full_name(part) and kind_of_name(part, own) == "person" for part in parts):
        return parts
    return [part for part in parts if _may_stand_beside_names(part, own)]


def _may_stand_beside_names(part: str, own: Collection[str]) -> bool:
    kind = kind_of_name(part, own)
    if kind == "newsroom":
        return fold_name(part) in own or not has_word(part, "roles")
    return kind == "agency" or is_full_name(part) or not part.isascii()


def _without_own(names: tuple[BylineName, ...], own: Collection[str]) -> tuple[BylineName, ...]:
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
    if _UNSPACED.search(text):
        return is_east_asian_name(text)
    if words and words[0].lower() in load_agencies() and words[0].isupper():
        return False
    capitals = [word for word in words if word[:1].isupper() or word[:2] in {"d'", "d’"} or not _has_case(word)]
    others = [word for word in words if word not in capitals]
    return (
        2 <= len(words) <= MAX_WORDS and len(capitals) >= 2 and all(word in load_words("particles") for word in others)
    )


def _has_case(word: str) -> bool:
    return word.upper() != word.lower()


def kind_of_name(name: str, own: Collection[str], *, organisation: bool = False) -> Kind:
    """Whether a cleaned name is that of a person, an agency, or a newsroom."""
    lowered, folded = name.lower(), fold_name(name)
    if lowered in load_agencies() or all(part in load_agencies() for part in re.split(r"[/\s]+", lowered)):
        return "agency"
    if organisation or folded in own or folded.replace(" ", "") in {site.replace(" ", "") for site in own}:
        return "newsroom"
    if has_word(name, "newsroom") or re.search(r"\w\.(?:com|org|net|de|at|ch|be|tr|tv|[a-z]{2})$", lowered):
        return "newsroom"
    return "person"


# "BERLIN (dpa) - …", "ROME, Nov 3 (Reuters) — …": in brackets, before the dash that the text begins behind.
_BEGIN = re.compile(r"[^\n(]{0,80}\(([^()\n]{2,40})\)\s*[-\u2010-\u2015]")
_END = re.compile(r"(?:^|[\s.!?\u201d\"'])\(([^()\n]{2,40})\)\s*$")


def agency_of(named: Sequence[str], text: str) -> str | None:
    """The agency that a byline names first, or else the one of the text's dateline or last words; None for none.

    >>> agency_of((), "BERLIN (dpa) - Das Parlament stimmte am Freitag zu.")
    'dpa'
    >>> agency_of((), "The union (AP) said that it would strike.") is None
    True
    """
    if named:
        return named[0]
    known = load_agencies()
    for match in (_BEGIN.match(text), _END.search(text[-120:])):
        parts = re.split(r"\s*[/,]\s*", match[1].strip().lower()) if match else []
        if parts and all(part in known for part in parts):
            return known[parts[0]]
    return None
