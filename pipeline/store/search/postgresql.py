"""Searches in tsvectors with GIN."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.search import Query
from pipeline.store.fulltext import ERAS, LANGUAGES, POSTGRESQL_BATCH, configuration, postgresql_facet
from pipeline.store.rows import batches
from pipeline.store.search.found import NEWEST, SNIPPET_WORDS, Found, Hit, Limits, Span, phrases_of, spans_of
from pipeline.store.search.tsquery import Words, quoted, tsquery
from pipeline.store.snippets import BEGIN, END, IndexForm
from pipeline.tables import ArticleRow

LOOKED_AT = 10_000
"""Articles with all the words that PostgreSQL looks at, the newest, for words that stand as a phrase or near each other
wants them: half a second. Its index does not know where words stand."""

WEIGHTS = [0.2, 0.2, 0.4, 1.0]
"""Of words by their label, D to A: those of the headline, A, count five times what those of the text do, D."""

WINDOWS = tuple((bits, count) for bits in ERAS for count in (2, 8))
"""Eras that PostgreSQL looks in before it looks everywhere, the last two or eight of each length."""


def search_postgresql(connection: Connection, parsed: Query, limits: Limits, most: int) -> Found:
    """The best articles that match; so many at most."""
    words = _words(connection, parsed, limits.language)
    plain, coarse = (words.in_any(parsed, limits.language, coarse=coarse) for coarse in (False, True))
    facets = "".join(
        f" & ({' | '.join(quoted(postgresql_facet(kind, value)) for value in values)})"
        for kind, values in limits.facets
    )
    matches = [f"({form}){facets}" for form in coarse]
    with _planned_for_few(connection) as last:
        exact = None if plain == coarse else " | ".join(f"({form})" for form in plain)
        newest, is_all = _newest(connection, matches, exact, limits, last)
        # Within an article, its own language's stems count, and they are what is marked.
        written, stemmed = tsquery(parsed, words.written), words.by_language(parsed)
        given = {"weights": WEIGHTS, "ids": newest, "most": most, "written": written}
        given |= {"languages": list(stemmed), "stemmed": list(stemmed.values())}
        rows = connection.execute(_BEST, given).all()
        marked = list(_marked(connection, rows, [stemmed.get(row.language, written) for row in rows]))
    hits = [
        Hit(row.id, row.url, row.site, row.language, row.published_at, round(row.score, 4), title, snippet)
        for row, (title, snippet) in zip(rows, marked, strict=True)
    ]
    return Found(hits, len(newest), is_all)


_BEST = sa.text(
    "SELECT a.id, a.url, a.site, a.language, a.published_at, b.score,"
    " coalesce(a.title, '') AS title, left(a.text, 50000) AS text FROM ("
    "SELECT s.article_id, ts_rank_cd(CAST(:weights AS real[]), s.words,"
    " coalesce(q.stemmed, CAST(:written AS tsquery)), 1) AS score"
    " FROM article_search AS s JOIN article AS l ON l.id = s.article_id"
    " LEFT JOIN unnest(CAST(:languages AS text[]), CAST(CAST(:stemmed AS text[]) AS tsquery[]))"
    " AS q(language, stemmed) ON q.language = l.language"
    " WHERE s.article_id = ANY(:ids) ORDER BY score DESC, s.article_id DESC LIMIT :most"
    ") AS b JOIN article AS a ON a.id = b.article_id ORDER BY b.score DESC, a.id DESC"
).columns(published_at=ArticleRow.__table__.c.published_at.type)

_MARKED = sa.text(
    "SELECT ts_headline(news_search_configuration(x.language), x.title, x.query, :whole),"
    " ts_headline(news_search_configuration(x.language), x.text, x.query, :part)"
    " FROM unnest(CAST(:titles AS text[]), CAST(:texts AS text[]), CAST(:languages AS text[]),"
    " CAST(CAST(:queries AS text[]) AS tsquery[])) WITH ORDINALITY AS x(title, text, language, query, place)"
    " ORDER BY x.place"
)


def _marked(
    connection: Connection, rows: Sequence[sa.Row[Any]], queries: Sequence[str]
) -> Iterator[tuple[tuple[Span, ...], tuple[Span, ...]]]:
    """Headline and snippet of each of these articles, with what its query looks for marked."""
    titles, texts = [IndexForm(row.title) for row in rows], [IndexForm(row.text) for row in rows]
    given = {
        "queries": [query.replace(":A", "").replace(":*A", ":*") for query in queries],
        "titles": [title.text for title in titles],
        "texts": [text.text for text in texts],
        "languages": [row.language for row in rows],
        "whole": f"StartSel={BEGIN}, StopSel={END}, HighlightAll=true",
        "part": f"StartSel={BEGIN}, StopSel={END}, MaxWords={SNIPPET_WORDS}, MinWords={SNIPPET_WORDS // 2}",
    }
    for title, text, found in zip(titles, texts, connection.execute(_MARKED, given).all(), strict=True):
        yield spans_of(title.mark(found[0])), spans_of(text.mark(found[1]))


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
    connection: Connection, matches: Sequence[str], plain: str | None, limits: Limits, last: int
) -> tuple[list[int], bool]:
    """The ids of the newest articles that match, and whether these are all that do.

    GIN brings all that have the words (one of ``matches``), in no order; eras are words of the index, so those stored
    last are asked for first, then older ones, in steps that grow by how few there are, then all. Where words stand, it
    does not know: who has them as they are wanted (``plain``) is seen by looking at each, from the newest on.
    """
    join = "JOIN article AS a ON a.id = s.article_id" if limits.where else ""
    has_words = " OR ".join(f"words @@ CAST(:match{place} AS tsquery)" for place in range(len(matches)))
    statement = limits.bind(
        sa.text(
            "SELECT s.newest FROM (SELECT article_id, article_id + 0 AS newest FROM article_search"  # noqa: S608
            f" WHERE ({has_words}) AND article_id + 0 < :below ORDER BY newest DESC OFFSET 0) AS s"
            f" {join} WHERE true{limits.where} ORDER BY s.newest DESC LIMIT :wanted"
        )
    )
    found: list[int] = []
    below, looked_at = last + 1, 0
    for bits, count in (*WINDOWS, (last.bit_length(), 1)):
        first = (last >> bits) - count + 1
        here, done = last + 1 - (first << bits), last + 1 - below
        if first > 0 and bits > ERAS[0] and (looked_at + 1) * here < NEWEST * done:
            continue  # it holds too few, by what the newest ones held
        eras = [quoted(postgresql_facet(f"e{bits}", era)) for era in range(first, first + count)]
        window = f" & ({' | '.join(eras)})" if first > 0 else ""
        wanted = NEWEST - len(found) if plain is None else LOOKED_AT - looked_at
        given = {f"match{place}": f"{match}{window}" for place, match in enumerate(matches)}
        ids = list(connection.scalars(statement, given | {"below": below, "wanted": wanted}))
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


def _words(connection: Connection, parsed: Query, language: str | None) -> Words:
    """Each word as the index may have it, by the stemmers of the language or of all; in some scripts, characters."""
    words = sorted({word for phrase in phrases_of(parsed) for word in phrase.words})
    named = [code for code in LANGUAGES if language in (None, code)]
    rows = connection.execute(
        sa.text(
            "SELECT w.word, c.name, array_agg(u.lexeme ORDER BY p) AS lexemes"
            " FROM unnest(CAST(:words AS text[])) AS w(word)"
            " CROSS JOIN unnest(CAST(:configurations AS text[])) AS c(name) CROSS JOIN LATERAL"
            " unnest(to_tsvector(CAST(c.name AS regconfig), news_search_text(w.word))) AS u(lexeme, positions, weights)"
            " CROSS JOIN LATERAL unnest(u.positions) AS p GROUP BY w.word, c.name"
        ),
        {"words": words, "configurations": sorted({configuration(code) for code in (*named, None)})},
    )
    found: dict[str, dict[str, tuple[str, ...]]] = defaultdict(lambda: {word: (word,) for word in words})
    for row in rows:
        found[row.name][row.word] = tuple(row.lexemes)
    return Words(found[configuration(None)], {code: found[configuration(code)] for code in named})


def reindex_batch(connection: Connection, after: int, last: int) -> None:
    """Index the articles of PostgreSQL with ids between, the second included, those that are indexed too."""
    connection.execute(sa.text(POSTGRESQL_BATCH), {"after": after, "last": last})
