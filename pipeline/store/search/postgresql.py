"""Searches in tsvectors with GIN."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.store.connection.rows import batches
from pipeline.store.schema.fulltext import ERAS, postgresql_facet
from pipeline.store.search.results import NEWEST, SearchFilters
from pipeline.store.search.terms import Query
from pipeline.store.search.tsquery import build_tsquery, quote_lexeme

LOOKED_AT = 10_000
"""Articles with all the words that PostgreSQL looks at, the newest, for words that stand as a phrase or near each other
wants them: half a second. Its index does not know where words stand."""

WINDOWS = tuple((bits, count) for bits in ERAS for count in (2, 8))
"""Eras that PostgreSQL looks in before it looks everywhere, the last two or eight of each length."""


def newest_in_postgresql(connection: Connection, query: Query, limits: SearchFilters) -> tuple[Sequence[int], bool]:
    """The ids of the newest articles that match, `NEWEST` at most, and whether these are all.

    Where it took too long to look at more of them, fewer are given, and not all.
    """
    plain, coarse = build_tsquery(query), build_tsquery(query, coarse=True)
    with _planned_for_few(connection) as last:
        return _newest(connection, coarse + _months(limits), None if plain == coarse else plain, limits, last)


def match_in_postgresql(query: Query, limits: SearchFilters) -> tuple[str, dict[str, Any]]:
    """The condition on ``article_search AS s`` of all articles that match, and its parameters."""
    condition = "s.article_id = a.id AND s.words @@ CAST(:match AS tsquery)"
    return condition, {"match": build_tsquery(query) + _months(limits)}


def _months(limits: SearchFilters) -> str:
    names = [quote_lexeme(postgresql_facet("m", month)) for month in limits.months]
    return f" & ({' | '.join(names)})" if names else ""


@contextmanager
def _planned_for_few(connection: Connection) -> Iterator[int]:
    """Let the planner use the index however common it takes the words to be; gives the newest id in the index.

    Its settings are as before afterwards.
    """
    nested = connection.begin_nested()
    off = ", ".join(f"set_config('{name}', 'off', true)" for name in ("jit", "enable_seqscan", "enable_indexscan"))
    last = connection.scalar(sa.text(f"SELECT max(article_id), {off} FROM article_search"))  # noqa: S608
    try:
        yield last or 0
    finally:
        nested.rollback()


def _newest(
    connection: Connection, match: str, plain: str | None, limits: SearchFilters, last: int
) -> tuple[list[int], bool]:
    """The ids of the newest articles that match, and whether these are all that do.

    GIN brings all that have the words (``match``), in no order; eras are words of the index, so those stored
    last are asked for first, then older ones, in steps that grow by how few there are, then all. Where words stand, it
    does not know: who has them as they are wanted (``plain``) is seen by looking at each, from the newest on.
    """
    where = limits.where("postgresql")
    join = "JOIN article AS a ON a.id = s.newest" if where else ""
    statement = limits.bind(
        sa.text(
            "SELECT s.newest FROM (SELECT article_id, article_id + 0 AS newest FROM article_search"  # noqa: S608
            " WHERE words @@ CAST(:match AS tsquery) AND article_id + 0 < :below ORDER BY newest DESC OFFSET 0) AS s"
            f" {join} WHERE true{where} ORDER BY s.newest DESC LIMIT :wanted"
        )
    )
    matching: list[int] = []
    below, looked_at = last + 1, 0
    for bits, count in (*WINDOWS, (last.bit_length(), 1)):
        first = (last >> bits) - count + 1
        here, done = last + 1 - (first << bits), last + 1 - below
        if first > 0 and bits > ERAS[0] and (looked_at + 1) * here < NEWEST * done:
            continue  # it holds too few, by what the newest ones held
        eras = [quote_lexeme(postgresql_facet(f"e{bits}", era)) for era in range(first, first + count)]
        window = f" & ({' | '.join(eras)})" if first > 0 else ""
        wanted = NEWEST - len(matching) if plain is None else LOOKED_AT - looked_at
        given = {"match": f"{match}{window}", "below": below, "wanted": wanted}
        ids = list(connection.scalars(statement, given))
        matching += ids if plain is None else _as_wanted(connection, ids, plain, NEWEST - len(matching))
        below, looked_at = first << bits, looked_at + len(ids)
        if len(matching) == NEWEST or looked_at >= LOOKED_AT:
            return matching, False
        if first <= 0:
            break
    return matching, True


def _as_wanted(connection: Connection, ids: Sequence[int], plain: str, most: int) -> list[int]:
    """Those of these articles that match a query which says where words stand; so many of the first ones."""
    statement = sa.text(
        "SELECT s.article_id FROM (SELECT article_id, words FROM article_search WHERE article_id = ANY(:ids) OFFSET 0)"
        " AS s WHERE s.words @@ CAST(:plain AS tsquery) ORDER BY s.article_id DESC"
    )
    kept: list[int] = []
    for batch in batches(ids):
        kept += connection.scalars(statement, {"ids": list(batch), "plain": plain})
        if len(kept) >= most:
            break
    return kept[:most]
