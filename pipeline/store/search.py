"""Finds articles by their words, ranked, with the place that matches; the same queries on both databases.

Ranking all that matches common words would read a fifth of the archive. So the `NEWEST` that match are ranked, those
stored last: among them headline words and closeness count (BM25 on SQLite, cover density on PostgreSQL), and the newest
comes first where that leaves a choice. Searches with fewer matches rank them all.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.search import Any as AnyOf
from pipeline.search import Near, Phrase, Query, parse_query
from pipeline.store.fulltext import (
    ERAS,
    LANGUAGES,
    POSTGRESQL_BATCH,
    SQLITE_REBUILD,
    configuration,
    postgresql_facet,
    sqlite_facet,
)
from pipeline.store.ranking import rank
from pipeline.store.rows import batches
from pipeline.store.snippets import BEGIN, END, IndexForm
from pipeline.tables import ArticleRow

NEWEST = 200
"""Matches that are ranked: ten pages of results, and some ten milliseconds."""

LOOKED_AT = 10_000
"""Articles with all the words that PostgreSQL looks at, the newest, for words that stand as a phrase or near each other
wants them: half a second. Its index does not know where words stand."""

MAX_MONTHS = 60
"""Months that the index is asked for by name; a longer time is left to the table."""

WINDOWS = tuple((bits, count) for bits in ERAS for count in (2, 8))
"""Eras that PostgreSQL looks in before it looks everywhere, the last two or eight of each length."""

TITLE_WEIGHT = 5.0
"""What a word of the headline counts beside one of the text."""

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
class _Limits:
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
    limits = _Limits(since, until, site.lower().removeprefix("www.") if site else None, language)
    most = max(0, min(limit, NEWEST))
    if connection.dialect.name == "postgresql":
        return _search_postgresql(connection, parsed, limits, most)
    return _search_sqlite(connection, parsed, limits, most)


def _months(since: datetime, until: datetime) -> tuple[str, ...]:
    """The months that a time reaches into; none where they are too many."""
    first, last = (moment.astimezone(UTC).year * 12 + moment.astimezone(UTC).month - 1 for moment in (since, until))
    months = range(first, last + 1)
    return tuple(f"{month // 12:04d}{month % 12 + 1:02d}" for month in months) if len(months) <= MAX_MONTHS else ()


def _hits(
    connection: Connection, scores: Sequence[tuple[int, float]], marked: Mapping[int, tuple[str, str]]
) -> list[Hit]:
    columns = (ArticleRow.id, ArticleRow.url, ArticleRow.site, ArticleRow.language, ArticleRow.published_at)
    rows = connection.execute(sa.select(*columns).where(ArticleRow.id.in_([article_id for article_id, _ in scores])))
    found = {row.id: row for row in rows}
    return [
        Hit(*found[article_id], round(score, 4), *(_spans(text) for text in marked.get(article_id, ("", ""))))
        for article_id, score in scores
        if article_id in found
    ]


def _spans(text: str) -> tuple[Span, ...]:
    """The pieces of a marked text, on one line."""
    spans, is_match = [], False
    for piece in re.split(f"([{BEGIN}{END}])", " ".join(text.split())):
        if piece in (BEGIN, END):
            is_match = piece == BEGIN
        elif piece:
            spans.append(Span(piece, is_match))
    return tuple(spans)


# ---------------------------------------------------------------- SQLite


def _search_sqlite(connection: Connection, parsed: Query, limits: _Limits, most: int) -> Found:
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
    ranks = rank(list(_phrases(parsed, wanted=True)), [(title, text) for _, title, text in found], TITLE_WEIGHT)
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


# ---------------------------------------------------------------- PostgreSQL


def _search_postgresql(connection: Connection, parsed: Query, limits: _Limits, most: int) -> Found:
    stems = _stems(connection, parsed, limits.language)
    plain = _tsquery(parsed, stems)
    coarse = _tsquery(parsed, stems, coarse=True)
    match = f"({coarse})"
    for kind, values in limits.facets:
        match += f" & ({' | '.join(_quoted(postgresql_facet(kind, value)) for value in values)})"
    with _planned_for_few(connection) as last:
        newest, is_all = _newest(connection, match, None if plain == coarse else plain, limits, last)
        given = {"weights": [0.2, 0.2, 0.4, 1.0], "query": plain, "ids": newest, "most": most}
        rows = connection.execute(_BEST, given).all()
        marked = list(_marked(connection, rows, plain.replace(":A", "")))
    hits = [
        Hit(row.id, row.url, row.site, row.language, row.published_at, round(row.score, 4), title, snippet)
        for row, (title, snippet) in zip(rows, marked, strict=True)
    ]
    return Found(hits, len(newest), is_all)


_BEST = sa.text(
    "SELECT a.id, a.url, a.site, a.language, a.published_at, b.score,"
    " coalesce(a.title, '') AS title, left(a.text, 50000) AS text FROM ("
    "SELECT article_id, ts_rank_cd(CAST(:weights AS real[]), words, CAST(:query AS tsquery), 1) AS score"
    " FROM article_search WHERE article_id = ANY(:ids) ORDER BY score DESC, article_id DESC LIMIT :most"
    ") AS b JOIN article AS a ON a.id = b.article_id ORDER BY b.score DESC, a.id DESC"
).columns(published_at=ArticleRow.__table__.c.published_at.type)

_MARKED = sa.text(
    "SELECT ts_headline(news_search_configuration(x.language), x.title, CAST(:words AS tsquery), :whole),"
    " ts_headline(news_search_configuration(x.language), x.text, CAST(:words AS tsquery), :part)"
    " FROM unnest(CAST(:titles AS text[]), CAST(:texts AS text[]), CAST(:languages AS text[]))"
    " WITH ORDINALITY AS x(title, text, language, place) ORDER BY x.place"
)


def _marked(
    connection: Connection, rows: Sequence[sa.Row[Any]], words: str
) -> Iterator[tuple[tuple[Span, ...], tuple[Span, ...]]]:
    """Headline and snippet of each of these articles."""
    titles, texts = [IndexForm(row.title) for row in rows], [IndexForm(row.text) for row in rows]
    given = {
        "words": words,
        "titles": [title.text for title in titles],
        "texts": [text.text for text in texts],
        "languages": [row.language for row in rows],
        "whole": f"StartSel={BEGIN}, StopSel={END}, HighlightAll=true",
        "part": f"StartSel={BEGIN}, StopSel={END}, MaxWords={SNIPPET_WORDS}, MinWords={SNIPPET_WORDS // 2}",
    }
    for title, text, found in zip(titles, texts, connection.execute(_MARKED, given).all(), strict=True):
        yield _spans(title.mark(found[0])), _spans(text.mark(found[1]))


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
    connection: Connection, match: str, plain: str | None, limits: _Limits, last: int
) -> tuple[list[int], bool]:
    """The ids of the newest articles that match, and whether these are all that do.

    GIN brings all that have the words (``match``), in no order; eras are words of the index, so those stored last are
    asked for first, then older ones, then all. Where words stand, it does not know: who has them as they are wanted
    (``plain``) is seen by looking at each, from the newest on.
    """
    join = "JOIN article AS a ON a.id = s.article_id" if limits.where else ""
    statement = limits.bind(
        sa.text(
            "SELECT s.newest FROM (SELECT article_id, article_id + 0 AS newest FROM article_search"  # noqa: S608
            " WHERE words @@ CAST(:match AS tsquery) AND article_id + 0 < :below ORDER BY newest DESC OFFSET 0) AS s"
            f" {join} WHERE true{limits.where} ORDER BY s.newest DESC LIMIT :wanted"
        )
    )
    found: list[int] = []
    below, looked_at = last + 1, 0
    for bits, count in (*WINDOWS, (last.bit_length(), 1)):
        first = (last >> bits) - count + 1
        eras = [_quoted(postgresql_facet(f"e{bits}", era)) for era in range(first, first + count)]
        window = f"{match} & ({' | '.join(eras)})" if first > 0 else match
        wanted = NEWEST - len(found) if plain is None else LOOKED_AT - looked_at
        ids = list(connection.scalars(statement, {"match": window, "below": below, "wanted": wanted}))
        found += ids if plain is None else _as_wanted(connection, ids, plain, NEWEST - len(found))
        below, looked_at = first << bits, looked_at + len(ids)
        if len(found) == NEWEST or looked_at >= LOOKED_AT:
            return found, False
        if first <= 0:
            break
    return found, True


def _as_wanted(connection: Connection, ids: Sequence[int], plain: str, most: int) -> list[int]:
    """Those of these articles that match a query which says where words stand; so many of the first ones."""
    statement = sa.text(
        "SELECT s.article_id FROM (SELECT article_id, words FROM article_search WHERE article_id = ANY(:ids) OFFSET 0)"
        " AS s WHERE s.words @@ CAST(:plain AS tsquery) ORDER BY s.article_id DESC"
    )
    found: list[int] = []
    for batch in batches(ids):
        found += connection.scalars(statement, {"ids": list(batch), "plain": plain})
        if len(found) >= most:
            break
    return found[:most]


def _stems(connection: Connection, parsed: Query, language: str | None) -> Mapping[str, Sequence[tuple[str, ...]]]:
    """Each word as the index may have it, by the stemmers of the language or of all; in some scripts, characters."""
    words = sorted({word for phrase in _phrases(parsed) for word in phrase.words})
    named = {configuration(language)} if language else {configuration(code) for code in (*LANGUAGES, None)}
    rows = connection.execute(
        sa.text(
            "SELECT w.word, c.name, array_agg(u.lexeme ORDER BY p) AS lexemes"
            " FROM unnest(CAST(:words AS text[])) AS w(word)"
            " CROSS JOIN unnest(CAST(:configurations AS text[])) AS c(name) CROSS JOIN LATERAL"
            " unnest(to_tsvector(CAST(c.name AS regconfig), news_search_text(w.word))) AS u(lexeme, positions, weights)"
            " CROSS JOIN LATERAL unnest(u.positions) AS p GROUP BY w.word, c.name"
        ),
        {"words": words, "configurations": sorted(named | {"news_simple"})},
    )
    found: dict[str, dict[tuple[str, ...], None]] = {word: {} for word in words}
    for row in rows:
        found[row.word][tuple(row.lexemes)] = None
    return {word: list(forms) or [(word,)] for word, forms in found.items()}


def _phrases(query: Query, *, wanted: bool = False) -> Iterator[Phrase]:
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
        yield from _phrases(part, wanted=wanted)


def _quoted(lexeme: str) -> str:
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


def _tsquery(query: Query, stems: Mapping[str, Sequence[tuple[str, ...]]], *, coarse: bool = False) -> str:
    """The query as PostgreSQL has it, of lexemes, each quoted; a coarse one leaves out where words stand."""
    part = partial(_tsquery, stems=stems, coarse=coarse)
    if isinstance(query, Phrase):
        weight = "A" if query.in_title and not coarse else ""
        next_to = " & " if coarse else " <-> "
        last = len(query.words) - 1
        words = [
            _word(stems[word], weight, next_to, is_prefix=query.is_prefix and place == last)
            for place, word in enumerate(query.words)
        ]
        return "(" + next_to.join(words) + ")"
    if isinstance(query, Near):
        one, other = part(query.one), part(query.other)
        steps = range(1, query.most + 2)
        near = [f"{one} & {other}"] if coarse else (f"{one} <{n}> {other} | {other} <{n}> {one}" for n in steps)
        return "(" + " | ".join(near) + ")"
    if isinstance(query, AnyOf):
        return "(" + " | ".join(map(part, query.choices)) + ")"
    unwanted = [part(choice) for choice in query.unwanted]
    if coarse:
        # Who has the words of a phrase may still not have the phrase.
        unwanted = [
            found for found, choice in zip(unwanted, query.unwanted, strict=True) if found == _tsquery(choice, stems)
        ]
    return "(" + " & ".join([*map(part, query.wanted), *(f"!{found}" for found in unwanted)]) + ")"


def _word(forms: Sequence[tuple[str, ...]], weight: str, next_to: str, *, is_prefix: bool) -> str:
    label = ("*" if is_prefix else "") + weight
    mark = f":{label}" if label else ""
    return "(" + " | ".join("(" + next_to.join(_quoted(part) + mark for part in form) + ")" for form in forms) + ")"


# ---------------------------------------------------------------- upkeep


def rebuild_sqlite(connection: Connection) -> None:
    """Make the index of SQLite anew, in one transaction."""
    connection.exec_driver_sql(SQLITE_REBUILD)


def reindex_batch(connection: Connection, after: int, last: int) -> None:
    """Index the articles of PostgreSQL with ids between, the second included, those that are indexed too."""
    connection.execute(sa.text(POSTGRESQL_BATCH), {"after": after, "last": last})
