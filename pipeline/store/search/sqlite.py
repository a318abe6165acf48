"""Searches in FTS5."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.search import Any as AnyOf
from pipeline.search import Near, Phrase, Query
from pipeline.store.fulltext import SQLITE_REBUILD, sqlite_facet
from pipeline.store.ranking import rank
from pipeline.store.search.found import NEWEST, SNIPPET_WORDS, Found, Hit, Limits, phrases_of, spans_of
from pipeline.store.snippets import BEGIN, END
from pipeline.tables import ArticleRow

TITLE_WEIGHT = 5.0
"""What a word of the headline counts beside one of the text."""


def search_sqlite(connection: Connection, parsed: Query, limits: Limits, most: int) -> Found:
    """The best articles that match; so many at most."""
    match = f"{{title text}} : ({_fts5(parsed)})"
    for kind, values in limits.facets:
        match = f"({match}) AND facets : ({' OR '.join(sqlite_facet(kind, value) for value in values)})"
    found = connection.execute(
        limits.bind(
            sa.text(
                "SELECT s.rowid, coalesce(a.title, ''), a.text FROM article_search AS s"  # noqa: S608  # our own words
                " CROSS JOIN article AS a ON a.id = s.rowid"
                f" WHERE article_search MATCH :match{limits.where} ORDER BY s.rowid DESC LIMIT {NEWEST}"
            )
        ),
        {"match": match},
    ).all()
    ranks = rank(list(phrases_of(parsed, wanted=True)), [(title, text) for _, title, text in found], TITLE_WEIGHT)
    every = [(row[0], score) for row, score in zip(found, ranks, strict=True)]
    scores = sorted(every, key=lambda pair: (-pair[1], -pair[0]))[:most]
    statement = sa.text(
        "SELECT highlight(article_search, 0, :begin, :end), snippet(article_search, 1, :begin, :end, '…', :words)"
        " FROM article_search WHERE article_search MATCH :match AND rowid = :id"
    )
    given = {"match": f"{{title text}} : ({_fts5(parsed)})", "begin": BEGIN, "end": END, "words": SNIPPET_WORDS}
    marked = {id_: tuple(connection.execute(statement, given | {"id": id_}).one()) for id_, _ in scores}
    return Found(_hits(connection, scores, marked), len(found), len(found) < NEWEST)


def _fts5(query: Query) -> str:
    """The query as FTS5 has it; words are always quoted, and hold letters and digits only."""
    if isinstance(query, Phrase):
        found = f'"{" ".join(query.words)}"{"*" if query.is_prefix else ""}'
        return f"title : {found}" if query.in_title else found
    if isinstance(query, Near):
        pair = [f'"{" ".join(phrase.words)}"' for phrase in (query.one, query.other)]
        title = "title : " if query.one.in_title or query.other.in_title else ""
        return f"{title}NEAR({' '.join(pair)}, {query.most})"
    if isinstance(query, AnyOf):
        return "(" + " OR ".join(_fts5(choice) for choice in query.choices) + ")"
    found = "(" + " AND ".join(_fts5(part) for part in query.wanted) + ")"
    for part in query.unwanted:
        found = f"({found} NOT {_fts5(part)})"
    return found


def _hits(
    connection: Connection, scores: Sequence[tuple[int, float]], marked: Mapping[int, tuple[str, str]]
) -> list[Hit]:
    columns = (ArticleRow.id, ArticleRow.url, ArticleRow.site, ArticleRow.language, ArticleRow.published_at)
    rows = connection.execute(sa.select(*columns).where(ArticleRow.id.in_([article_id for article_id, _ in scores])))
    found = {row.id: row for row in rows}
    return [
        Hit(*found[article_id], round(score, 4), *(spans_of(text) for text in marked.get(article_id, ("", ""))))
        for article_id, score in scores
        if article_id in found
    ]


def rebuild_sqlite(connection: Connection) -> None:
    """Make the index of SQLite anew, in one transaction."""
    connection.exec_driver_sql(SQLITE_REBUILD)
