"""What searches are made of, once they are read, and the words that the index has for them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Union

from pipeline.errors import ConfigError
from pipeline.periods import Period
from pipeline.text.search_form import is_single, search_form, split_search_words


class QueryError(ConfigError):
    """A search that cannot be understood; says where."""


@dataclass(frozen=True, slots=True)
class PhraseTerm:
    """Words one after the other, often just one; of a prefix, the last word is only begun."""

    words: tuple[str, ...]
    is_prefix: bool = False
    in_title: bool = False

    def index_words(self) -> tuple[tuple[str, ...], bool]:
        """The words that the index has for these, and whether the last one is only begun.

        >>> PhraseTerm(("東京都", "2026")).index_words()
        (('東京', '京都', '都', '2026'), False)
        >>> PhraseTerm(("港",)).index_words()
        (('港',), True)
        """
        words = split_search_words(search_form(" ".join(self.words)))
        # What a run begins with may stand within a longer one, and what it ends with, too.
        begin, end = is_single(words[0]), is_single(words[-1])
        inner = words[begin : len(words) - end]
        return (inner, self.is_prefix and not end) if inner else (words[:1], True)


@dataclass(frozen=True, slots=True)
class NearTerm:
    """Two phrases with at most so many words between, in any order."""

    first: PhraseTerm
    second: PhraseTerm
    most: int


@dataclass(frozen=True, slots=True)
class FieldTerm:
    """What an article has beside its words: ``s``, its site, ``l``, its language, ``a``, words of authors' names."""

    kind: str
    value: str
    is_prefix: bool = False

    def index_values(self) -> Iterator[tuple[str, bool]]:
        """What the index has for it, all of which must be there, and whether that is only begun."""
        if self.kind != "a":
            yield self.value, False
            return
        words, is_begun = PhraseTerm(split_search_words(self.value), self.is_prefix).index_words()
        for number, word in enumerate(words, 1):
            yield word, is_begun and number == len(words)


@dataclass(frozen=True, slots=True)
class PeriodTerm:
    """A time that limits the search as a whole."""

    period: Period


@dataclass(frozen=True, slots=True)
class FeedTerm:
    """A feed that limits the search as a whole: its number, its address, or a part of its address or title."""

    name: str


@dataclass(frozen=True, slots=True)
class AllOf:
    """What must be there, at least one, and what must not."""

    wanted: tuple["Query", ...]
    unwanted: tuple["Query", ...] = ()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Of these, at least one."""

    choices: tuple["Query", ...]


Query = Union[PhraseTerm, NearTerm, FieldTerm, PeriodTerm, FeedTerm, AllOf, AnyOf]  # noqa: UP007  # they name each other


def list_terms(query: Query, *, wanted: bool = False) -> Iterator[PhraseTerm | FieldTerm | PeriodTerm | FeedTerm]:
    """The terms of a query; those that are wanted, or all."""
    parts: Iterable[Query]
    if isinstance(query, NearTerm):
        parts = (query.first, query.second)
    elif isinstance(query, AnyOf):
        parts = query.choices
    elif isinstance(query, AllOf):
        parts = query.wanted if wanted else (*query.wanted, *query.unwanted)
    else:
        yield query
        return
    for part in parts:
        yield from list_terms(part, wanted=wanted)


def split_limits(query: Query) -> tuple[Query | None, tuple[PeriodTerm | FeedTerm, ...]]:
    """The query without what limits it as a whole, None where nothing is left, and that."""
    parts = query.wanted if isinstance(query, AllOf) else (query,)
    limits = tuple(part for part in parts if isinstance(part, PeriodTerm | FeedTerm))
    rest = tuple(part for part in parts if not isinstance(part, PeriodTerm | FeedTerm))
    unwanted = query.unwanted if isinstance(query, AllOf) else ()
    if not rest:
        return None, limits
    return (rest[0] if len(rest) == 1 and not unwanted else AllOf(rest, unwanted)), limits
