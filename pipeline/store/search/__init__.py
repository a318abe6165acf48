"""Finds articles by their words, ranked, with the place that matches; the same queries on both databases.

Ranking all that matches common words would read a fifth of the archive. So the `NEWEST` that match are ranked, those
stored last: among them headline words and rarity count (BM25), and the newest comes first where that leaves a choice.
Searches with fewer matches rank them all.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.store.schema.tables import ArticleRow
from pipeline.store.search.index_build import require_full_index
from pipeline.store.search.limits import read_search
from pipeline.store.search.postgresql import LOOKED_AT, newest_in_postgresql
from pipeline.store.search.ranking import PhrasePattern, mark_snippet, mark_title, rank_hits
from pipeline.store.search.results import NEWEST, Hit, SearchResults, TextSpan
from pipeline.store.search.sqlite import newest_in_sqlite
from pipeline.store.search.terms import PhraseTerm, list_terms

__all__ = ["LOOKED_AT", "NEWEST", "Hit", "SearchResults", "TextSpan", "search_articles"]

SHOWN = 50_000
"""Characters of a text that are ranked by, and that the place that matches is looked for in."""


def search_articles(
    connection: Connection,
    query: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    site: str | None = None,
    language: str | None = None,
    page_class: str | None = None,
    story: int | None = None,
    limit: int = 20,
) -> SearchResults:
    """Articles that match, the best first (`pipeline.store.search.query` has the language of queries).

    Args:
        connection: to the archive.
        query: what is looked for.
        since: published (or first seen, where nobody says) then or later; with a zone.
        until: and before then.
        site: host name without ``www.``.
        language: ISO 639-1 code.
        page_class: article, paywall, live_blog …
        story: number of the story that it is to belong to.
        limit: hits at most, `NEWEST` at most.

    Raises:
        QueryError: the query cannot be understood.
        ConfigError: there never was an article of a site, there is no such feed, or the index is not filled.
    """
    asked, limits = read_search(connection, query, since=since, until=until, site=site, language=language)
    limits = replace(limits, page_class=page_class, story=story)
    require_full_index(connection)
    newest = newest_in_postgresql if connection.dialect.name == "postgresql" else newest_in_sqlite
    ids, is_all = newest(connection, asked, limits)
    patterns = [PhrasePattern(term) for term in list_terms(asked, wanted=True) if isinstance(term, PhraseTerm)]
    return SearchResults(_best(connection, ids, patterns, max(0, min(limit, NEWEST))), len(ids), is_all)


def _best(connection: Connection, ids: Sequence[int], patterns: Sequence[PhrasePattern], most: int) -> list[Hit]:
    columns = (ArticleRow.id, ArticleRow.url, ArticleRow.site, ArticleRow.language, ArticleRow.published_at)
    texts = (
        sa.func.coalesce(ArticleRow.title, "").label("title"),
        sa.func.substr(ArticleRow.text, 1, SHOWN).label("text"),
    )
    rows = connection.execute(sa.select(*columns, *texts).where(ArticleRow.id.in_(ids))).all() if most else []
    scores = rank_hits(patterns, [(row.title, row.text) for row in rows])
    best = sorted(zip(scores, rows, strict=True), key=lambda pair: (-pair[0], -pair[1].id))[:most]
    return [
        Hit(
            *(row.id, row.url, row.site, row.language, row.published_at),
            *(round(score, 4), mark_title(patterns, row.title), mark_snippet(patterns, row.text)),
        )
        for score, row in best
    ]
