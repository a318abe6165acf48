"""How many articles match a search, by month, site, language or feed: all of them, not the newest alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.store.schema.views.dialect_pieces import PIECES
from pipeline.store.search.index_build import require_full_index
from pipeline.store.search.limits import read_search
from pipeline.store.search.postgresql import match_in_postgresql
from pipeline.store.search.sqlite import match_in_sqlite

CountBy = Literal["month", "site", "language", "feed"]

_AT: Final = "coalesce(a.published_at, a.first_seen_at)"
_KEYS: Final[Mapping[str, Mapping[str, str]]] = {
    "sqlite": {"month": f"substr({_AT}, 1, 7)"},
    "postgresql": {"month": f"to_char({_AT} AT TIME ZONE 'UTC', 'YYYY-MM')"},
}


@dataclass(frozen=True, slots=True)
class MatchCounts:
    """How many articles match.

    Attributes:
        total: in all.
        counts: of each month (``2026-11``, of publication or, where nobody says, of first sight), site, language or
            address of a feed, in order, and None for those of none at last. An article of several feeds counts for
            each.
    """

    total: int
    counts: Sequence[tuple[str | None, int]]


def count_matches(
    connection: Connection,
    query: str,
    by: CountBy,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    site: str | None = None,
    language: str | None = None,
) -> MatchCounts:
    """How many articles match the search, and how they are spread; arguments are those of `search_articles`.

    It looks at each article that matches: of common words in a large archive that takes a while.

    Raises:
        QueryError: the query cannot be understood.
        ConfigError: there never was an article of a site, there is no such feed, or the index is not filled.
    """
    asked, limits = read_search(connection, query, since=since, until=until, site=site, language=language)
    require_full_index(connection)
    dialect = connection.dialect.name
    condition, given = (match_in_sqlite if dialect == "sqlite" else match_in_postgresql)(asked, limits)
    # Pages that lead to an article are as good as its own, and most of these are in no feed.
    feeds = (
        f" JOIN page AS p ON {PIECES[dialect]['home_of_p']} = a.page_id"
        " JOIN entry AS n ON n.page_id = p.id JOIN feed AS f ON f.id = n.feed_id"
    )

    def ask(key: str, joined: str = "") -> list[tuple[str | None, int]]:
        statement = (
            f"SELECT {key}, count(DISTINCT a.id) FROM article_search AS s CROSS JOIN article AS a{joined}"  # noqa: S608
            f" WHERE {condition}{limits.where(dialect)} GROUP BY 1 ORDER BY 1 NULLS LAST"
        )
        return [(row[0], row[1]) for row in connection.execute(limits.bind(sa.text(statement)), given)]

    if by != "feed":
        counts = ask(_KEYS[dialect].get(by, f"a.{by}"))
        return MatchCounts(sum(count for _, count in counts), counts)
    total, announced = (sum(count for _, count in ask("'all'", joined)) for joined in ("", feeds))
    return MatchCounts(total, [*ask("f.url", feeds), *([(None, total - announced)] if total > announced else [])])
