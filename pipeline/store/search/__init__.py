"""Finds articles by their words, ranked, with the place that matches; the same queries on both databases.

Ranking all that matches common words would read a fifth of the archive. So the `NEWEST` that match are ranked, those
stored last: among them headline words and closeness count (BM25 on SQLite, cover density on PostgreSQL), and the newest
comes first where that leaves a choice. Searches with fewer matches rank them all.
"""

from datetime import datetime

from sqlalchemy.engine import Connection

from pipeline.search import parse_query
from pipeline.store.search.found import NEWEST, Found, Hit, Limits, Span
from pipeline.store.search.postgresql import LOOKED_AT, reindex_batch, search_postgresql
from pipeline.store.search.sqlite import rebuild_sqlite, search_sqlite

__all__ = ["LOOKED_AT", "NEWEST", "Found", "Hit", "Span", "rebuild_sqlite", "reindex_batch", "search"]


def search(
    connection: Connection,
    query: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    site: str | None = None,
    language: str | None = None,
    limit: int = 20,
) -> Found:
    """Articles that match, the best first (`pipeline.search` has the language of queries).

    Args:
        connection: to the archive.
        query: what is looked for.
        since: published (or first seen, where nobody says) then or later; with a zone.
        until: and before then.
        site: host name without ``www.``.
        language: ISO 639-1 code; on PostgreSQL words are then brought to their stem in it alone.
        limit: hits at most, `NEWEST` at most.

    Raises:
        QueryError: the query cannot be understood.
    """
    parsed = parse_query(query)
    limits = Limits(since, until, site.lower().removeprefix("www.") if site else None, language)
    most = max(0, min(limit, NEWEST))
    if connection.dialect.name == "postgresql":
        return search_postgresql(connection, parsed, limits, most)
    return search_sqlite(connection, parsed, limits, most)
