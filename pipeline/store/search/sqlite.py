"""Searches in FTS5."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.store.schema.fulltext import sqlite_facet
from pipeline.store.search.results import NEWEST, SearchFilters
from pipeline.store.search.terms import AllOf, AnyOf, FieldTerm, NearTerm, PhraseTerm, Query

_WORDS = "{title text}"


def newest_in_sqlite(connection: Connection, query: Query, limits: SearchFilters) -> tuple[Sequence[int], bool]:
    """The ids of the newest articles that match, `NEWEST` at most, and whether these are all."""
    where = limits.where("sqlite")
    statement = limits.bind(
        sa.text(
            "SELECT s.rowid FROM article_search AS s"  # noqa: S608  # our own words
            f"{' CROSS JOIN article AS a ON a.id = s.rowid' if where else ''}"
            f" WHERE article_search MATCH :match{where} ORDER BY s.rowid DESC LIMIT {NEWEST}"
        )
    )
    ids = connection.scalars(statement, {"match": build_match(query, limits.months)}).all()
    return ids, len(ids) < NEWEST


def match_in_sqlite(query: Query, limits: SearchFilters) -> tuple[str, dict[str, Any]]:
    """The condition on ``article_search AS s`` of all articles that match, and its parameters."""
    return "s.rowid = a.id AND article_search MATCH :match", {"match": build_match(query, limits.months)}


def build_match(query: Query, months: Sequence[str] = ()) -> str:
    """The query as FTS5 has it; words are always quoted, and hold letters and digits only."""
    match = _fts5(query)
    if months:
        match = f"({match}) AND facets : ({' OR '.join(sqlite_facet('m', month) for month in months)})"
    return match


def _fts5(query: Query) -> str:
    if isinstance(query, PhraseTerm):
        return f"{'title' if query.in_title else _WORDS} : {_quoted(query)}"
    if isinstance(query, NearTerm):
        columns = "title" if query.first.in_title or query.second.in_title else _WORDS
        return f"{columns} : NEAR({_quoted(query.first)} {_quoted(query.second)}, {query.most})"
    if isinstance(query, FieldTerm):
        tokens = [f'"{sqlite_facet(query.kind, value)}"{"*" * begun}' for value, begun in query.index_values()]
        return f"facets : ({' AND '.join(tokens)})"
    if isinstance(query, AnyOf):
        return "(" + " OR ".join(map(_fts5, query.choices)) + ")"
    assert isinstance(query, AllOf)  # noqa: S101  # limits of the whole are taken out before
    match = "(" + " AND ".join(map(_fts5, query.wanted)) + ")"
    for part in query.unwanted:
        match = f"({match} NOT {_fts5(part)})"
    return match


def _quoted(phrase: PhraseTerm) -> str:
    words, is_begun = phrase.index_words()
    return f'"{" ".join(words)}"{"*" * is_begun}'
