"""The fields of searches: what may stand behind ``site:``, ``author:``, ``published:`` and the like."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from pipeline.periods import period_of, read_period
from pipeline.store.search.terms import FeedTerm, FieldTerm, PeriodTerm, Query, QueryError
from pipeline.text.search_form import fold_for_search, split_search_words
from pipeline.urls import without_www

_FIELD: Final = re.compile(r"(?!https?:)([a-z_]+):(?!\d)(.*)", re.IGNORECASE | re.DOTALL)
_ELSEWHERE: Final = {"by", "tag", "section", "url", "inurl", "intitle", "text", "body", "date"}
"""What other searches have as fields: refused even where what follows stands apart."""


def check_word(word: str, *, is_followed: bool) -> None:
    """Refuse what means something in other searches, and would be looked for as other words here.

    Raises:
        QueryError: it says what would be right.
    """
    if "*" in word.rstrip("*"):
        raise QueryError(f"{word}: a star stands at the end of a word, for those that begin so: harb*")
    field = _FIELD.fullmatch(word)
    if field and (field[2] or is_followed or field[1].lower() in _ELSEWHERE):
        raise QueryError(
            f"{word}: the fields are title:, site:, author:, language:, feed:, after:, before: and published:;"
            f' to find the words, write "{field[1]} {field[2] or "…"}"'
        )


def read_field(name: str, value: str) -> Query:
    """What a field of `FIELDS` with this value asks for.

    Raises:
        QueryError: it is no value for this field; the message says what would be.
    """
    try:
        return FIELDS[name](value)
    except ValueError as error:
        raise QueryError(f"{name}:{value}: {error}; times are written so: 2026, 2026-11 or 2026-11-03") from error


def _site(value: str) -> Query:
    return FieldTerm("s", without_www(value.lower()))


def _language(value: str) -> Query:
    if not re.fullmatch(r"[a-z]{2,3}(?:-[a-z]+)?", value.lower()):
        raise QueryError(f"language:{value}: languages are known by their ISO 639-1 code, such as language:de")
    return FieldTerm("l", value.lower())


def _author(value: str) -> Query:
    words = split_search_words(fold_for_search(value.rstrip("*")))
    if not words or "*" in value.rstrip("*"):
        raise QueryError(f'author:{value}: a name stands here, whole or begun: author:ruiz, author:"ada rui"*')
    return FieldTerm("a", " ".join(words), value.endswith("*"))


def _since(value: str) -> Query:
    return PeriodTerm(read_period(value, None))


def _until(value: str) -> Query:
    return PeriodTerm(read_period(None, value))


def _within(value: str) -> Query:
    if not (written := re.fullmatch(r"(\d{4})(?:-(\d\d?))?(?:-(\d\d?))?", value)):
        raise ValueError(f"{value!r} is no day, month or year, such as 2026-03")
    return PeriodTerm(period_of(*(int(part) for part in written.groups() if part)))


FIELDS: Final[Mapping[str, Callable[[str], Query]]] = {
    "site": _site,
    "author": _author,
    "language": _language,
    "lang": _language,
    "feed": FeedTerm,
    "after": _since,
    "since": _since,
    "before": _until,
    "until": _until,
    "published": _within,
}
"""All but ``title``, which is followed by words as any."""
