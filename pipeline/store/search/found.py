"""What a search is limited to, and what it comes to, on either database."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from pipeline.search import Any as AnyOf
from pipeline.search import Near, Phrase, Query
from pipeline.store.snippets import BEGIN, END
from pipeline.tables import ArticleRow

NEWEST = 200
"""Matches that are ranked: ten pages of results, and some ten milliseconds."""

MAX_MONTHS = 60
"""Months that the index is asked for by name; a longer time is left to the table."""

SNIPPET_WORDS = 30


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a headline or text, and whether it is what was looked for."""

    text: str
    is_match: bool


@dataclass(frozen=True, slots=True)
class Hit:
    """An article that was found.

    Attributes:
        score: the higher the better; to be compared within one search only.
        title: the headline, in pieces; empty where there is none.
        snippet: the part of the text that matches best, in pieces.
    """

    article_id: int
    url: str
    site: str
    language: str | None
    published_at: datetime | None
    score: float
    title: tuple[Span, ...]
    snippet: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to.

    Attributes:
        hits: the best first.
        matches: articles that were ranked: all that match, or the newest of them.
        is_all: whether nothing else matches; else older articles may match too, which were not looked at.
    """

    hits: Sequence[Hit]
    matches: int
    is_all: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """What beside its words an article must have: a time, with a zone, a site, a language."""

    since: datetime | None
    until: datetime | None
    site: str | None
    language: str | None

    @property
    def facets(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Kinds of facets, each with the values of which one must be there."""
        if self.site is not None:
            yield "s", (self.site,)
        if self.language is not None:
            yield "l", (self.language,)
        # Without an end, a date may lie ahead: pages are wrong about the day, or the zone.
        until = self.until or datetime.now(UTC) + timedelta(days=60)
        if self.since is not None and (months := _months(self.since, until)):
            yield "m", months

    @property
    def where(self) -> str:
        """What the index cannot tell, in SQL, with parameters ``since`` and ``until``."""
        at = "coalesce(a.published_at, a.first_seen_at)"
        since = f" AND {at} >= :since" if self.since else ""
        return since + (f" AND {at} < :until" if self.until else "")

    def bind(self, statement: sa.TextClause) -> sa.TextClause:
        """The statement with the types of its times, which each database has in its own form."""
        type_ = ArticleRow.__table__.c.published_at.type
        given = {name: value for name in ("since", "until") if (value := getattr(self, name)) is not None}
        return statement.bindparams(*(sa.bindparam(name, value, type_) for name, value in given.items()))


def _months(since: datetime, until: datetime) -> tuple[str, ...]:
    """The months that a time reaches into; none where they are too many."""
    first, last = (moment.astimezone(UTC).year * 12 + moment.astimezone(UTC).month - 1 for moment in (since, until))
    months = range(first, last + 1)
    return tuple(f"{month // 12:04d}{month % 12 + 1:02d}" for month in months) if len(months) <= MAX_MONTHS else ()


def spans_of(text: str) -> tuple[Span, ...]:
    """The pieces of a marked text, on one line."""
    spans, is_match = [], False
    for piece in re.split(f"([{BEGIN}{END}])", " ".join(text.split())):
        if piece in (BEGIN, END):
            is_match = piece == BEGIN
        elif piece:
            spans.append(Span(piece, is_match))
    return tuple(spans)


def phrases_of(query: Query, *, wanted: bool = False) -> Iterator[Phrase]:
    """The phrases of a query; those that are wanted, or all."""
    if isinstance(query, Phrase):
        yield query
        return
    parts: Iterable[Query]
    if isinstance(query, Near):
        parts = (query.one, query.other)
    elif isinstance(query, AnyOf):
        parts = query.choices
    else:
        parts = query.wanted if wanted else (*query.wanted, *query.unwanted)
    for part in parts:
        yield from phrases_of(part, wanted=wanted)
