"""What a search is limited to, and what it comes to, on either database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from pipeline.store.schema.tables import ArticleRow
from pipeline.store.schema.views.dialect_pieces import PIECES

NEWEST = 200
"""Matches that are ranked: ten pages of results, and some ten milliseconds."""

MAX_MONTHS = 60
"""Months that the index is asked for by name; a longer time is left to the table."""


@dataclass(frozen=True, slots=True)
class TextSpan:
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
    title: tuple[TextSpan, ...]
    snippet: tuple[TextSpan, ...]


@dataclass(frozen=True, slots=True)
class SearchResults:
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
class SearchFilters:
    """What the index cannot tell of an article: a time, with a zone, feeds of which one has it, page class, story."""

    since: datetime | None = None
    until: datetime | None = None
    feeds: Sequence[int] | None = None
    page_class: str | None = None
    story: int | None = None

    @property
    def months(self) -> tuple[str, ...]:
        """The months that the time reaches into, as YYYYMM; none where they are too many, or any."""
        # Without an end, a date may lie ahead: pages are wrong about the day, or the zone.
        until = self.until or datetime.now(UTC) + timedelta(days=60)
        if self.since is None:
            return ()
        first, last = (at.astimezone(UTC).year * 12 + at.astimezone(UTC).month - 1 for at in (self.since, until))
        months = range(first, last + 1)
        return tuple(f"{month // 12:04d}{month % 12 + 1:02d}" for month in months) if len(months) <= MAX_MONTHS else ()

    def where(self, dialect: str) -> str:
        """What is asked of an article ``a`` beside the index, in SQL, beginning with AND; empty for nothing."""
        time = "coalesce(a.published_at, a.first_seen_at)"
        parts = [f" AND {time} >= :since" if self.since else "", f" AND {time} < :until" if self.until else ""]
        if self.page_class is not None:
            parts.append(" AND a.page_class = :page_class")
        if self.story is not None:
            parts.append(" AND a.id IN (SELECT m.article_id FROM article_story AS m WHERE m.story_id = :story)")
        if self.feeds is not None:
            parts.append(
                " AND EXISTS (SELECT 1 FROM page AS p JOIN entry AS e ON e.page_id = p.id"  # noqa: S608
                f" WHERE {PIECES[dialect]['home_of_p']} = a.page_id AND e.feed_id IN :feeds)"
            )
        return "".join(parts)

    def bind(self, statement: sa.TextClause) -> sa.TextClause:
        """The statement with what `where` names, times in the form of the database."""
        type_ = ArticleRow.__table__.c.published_at.type
        given = {name: value for name in ("since", "until") if (value := getattr(self, name)) is not None}
        bound = statement.bindparams(*(sa.bindparam(name, value, type_) for name, value in given.items()))
        plain = {name: value for name in ("page_class", "story") if (value := getattr(self, name)) is not None}
        bound = bound.bindparams(**plain)
        if self.feeds is not None:
            bound = bound.bindparams(sa.bindparam("feeds", list(self.feeds), expanding=True))
        return bound
