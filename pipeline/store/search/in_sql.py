"""Searches within statements of SQL: ``news_search('harbour board')`` stands for the articles that match, as a table.

PostgreSQL has a function of this name itself (`pipeline.store.schema.fulltext`), which understands less. SQLite has
none that give tables, so what runs a statement puts the search in its place, on both databases.
"""

import re
from typing import Final

from pipeline.store.search.query import parse_query
from pipeline.store.search.sqlite import build_match
from pipeline.store.search.terms import FeedTerm, PeriodTerm, Query, QueryError, list_terms
from pipeline.store.search.tsquery import build_tsquery

_CALL: Final = re.compile(r"\bnews_search\s*\(\s*'((?:[^']|'')*)'\s*\)", re.IGNORECASE)


def put_searches(statement: str, dialect: str) -> str:
    """The statement with a query for each search in it, whose rows have ``article_id`` and ``rank``, the best highest.

    >>> print(put_searches("SELECT count(*) FROM news_search('harbour')", "sqlite"))
    SELECT count(*) FROM (SELECT article_id, rank FROM news_search WHERE words MATCH '{title text} : "harbour"')

    Raises:
        QueryError: a search cannot be understood, or limits times or feeds, which is for the statement to do.
    """

    def put(call: re.Match[str]) -> str:
        query = check_search(call[1].replace("''", "'"))
        if dialect == "sqlite":
            match = build_match(query).replace("'", "''")
            return f"(SELECT article_id, rank FROM news_search WHERE words MATCH '{match}')"  # noqa: S608
        words = "CAST('" + build_tsquery(query).replace("'", "''") + "' AS tsquery)"
        rank = f"ts_rank_cd('{{0.2,0.2,0.4,1.0}}', s.words, {words}, 1)"
        return f"(SELECT s.article_id, {rank} AS rank FROM article_search AS s WHERE s.words @@ {words})"  # noqa: S608

    return _CALL.sub(put, statement)


def check_search(text: str) -> Query:
    """The search as a statement can have it. Raises QueryError: as `put_searches` does."""
    query = parse_query(text)
    if any(isinstance(term, PeriodTerm | FeedTerm) for term in list_terms(query)):
        raise QueryError("times and feed: are for the statement to limit here: WHERE published_at >= '2026-11-01'")
    return query
