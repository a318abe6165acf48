"""The full-text index, which the database itself keeps in step: FTS5 on SQLite, tsvector with GIN on PostgreSQL.

Both index the same words, those of `pipeline.text.search_form`: PostgreSQL makes them by a function of its own, SQLite
calls Python (`pipeline.store.connection.engine` lends it the functions). Stop words are kept, and words are not brought
to a stem, so a phrase is found as it stands. Beside the words stand facets, which let the index itself leave out what a
search does not want: site, language, month and the words of the authors' names, and on PostgreSQL *eras* of article
ids, since its index knows no order.
"""

import json
from typing import Final

from pipeline.text.search_form import FOLDING_SQL, search_form, split_search_words

ERAS: Final = (12, 16, 20)
"""Bits of an article's id that its eras leave out: eras of 4,096, 65,536 and 1,048,576 ids."""

_AT = "coalesce({row}.published_at, {row}.first_seen_at)"
_INDEXED = ("title", "text", "site", "language", "published_at", "first_seen_at", "authors")


def is_in_models(name: str | None, kind: str, _parents: object = None) -> bool:
    """Whether `pipeline.store.schema.tables` has it: not the index, which has another form on each database."""
    return kind != "table" or not (name or "").startswith("article_search")


# ---------------------------------------------------------------- SQLite


def sqlite_facet(kind: str, value: str) -> str:
    """The token of a facet, since FTS5 parts words at everything that is no letter or digit.

    Kinds are ``s`` for a site, ``l`` for a language, ``m`` for a month as YYYYMM, ``a`` for a word of an author's name.
    """
    return f"{kind}x{value.encode().hex() if kind in 'sl' else value}"


def sqlite_facets(site: str, language: str | None, at: str, authors: str) -> str:
    """The facets of an article: of its site, language, time as SQLite has it, and authors as JSON."""
    names = dict.fromkeys(split_search_words(search_form(" \n".join(map(str, json.loads(authors or "[]"))))))
    facets = [("s", site), ("l", language or ""), ("m", at[:7].replace("-", "")), *(("a", name) for name in names)]
    return " ".join(sqlite_facet(kind, value) for kind, value in facets)


def _values(row: str) -> str:
    texts = f"news_search_text(coalesce({row}.title, '')), news_search_text({row}.text)"
    return f"{row}.id, {texts}, news_search_facets({row}.site, {row}.language, {_AT.format(row=row)}, {row}.authors)"


_IS_THERE = "EXISTS (SELECT 1 FROM article_search_docsize AS d WHERE d.id = OLD.id)"
_CHANGED = " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in ("id", *_INDEXED))
_REMOVE = (
    f"INSERT INTO article_search (article_search, rowid, title, text, facets) VALUES ('delete', {_values('OLD')});"  # noqa: S608
)
_ADD = f"INSERT INTO article_search (rowid, title, text, facets) VALUES ({_values('NEW')});"  # noqa: S608

SQLITE_INDEX: Final = (
    "CREATE VIRTUAL TABLE article_search USING fts5(title, text, facets, content='',"
    " tokenize=\"unicode61 remove_diacritics 2 categories 'L* M* N* Co'\")",
    # Pieces of the index are merged in steps from 16 of a size on, at once at 64: see migration 0014.
    "INSERT INTO article_search (article_search, rank) VALUES ('automerge', 16)",
    "INSERT INTO article_search (article_search, rank) VALUES ('crisismerge', 64)",
)

SQLITE_VIEW: Final = (
    "CREATE VIEW IF NOT EXISTS news_search AS SELECT rowid AS article_id, article_search AS words, -rank AS rank"
    " FROM article_search"
)
"""For clients that call no Python: ``WHERE words MATCH '…'`` reaches the index."""

# What is not in the index yet, while that is made, is neither taken out of it nor changed.
SQLITE_TRIGGERS: Final = {
    "search_article_new": f"CREATE TRIGGER search_article_new AFTER INSERT ON article BEGIN {_ADD} END",
    "search_article_updated": (
        f"CREATE TRIGGER search_article_updated AFTER UPDATE ON article WHEN ({_CHANGED}) AND {_IS_THERE}"
        f" BEGIN {_REMOVE} {_ADD} END"
    ),
    "search_article_deleted": (
        f"CREATE TRIGGER search_article_deleted AFTER DELETE ON article WHEN {_IS_THERE} BEGIN {_REMOVE} END"
    ),
}

# ---------------------------------------------------------------- PostgreSQL


def postgresql_facet(kind: str, value: str | int) -> str:
    """The lexeme of a facet: ``s`` site, ``l`` language, ``m`` month, ``a`` author, ``e12`` and so on for eras."""
    return f"={kind}:{value}"


_ERAS = ", ".join(f"'{postgresql_facet(f'e{bits}', '')}' || (id >> {bits})" for bits in ERAS)

_WORDS = f"news_search_words(NEW.id, NEW.title, NEW.text, NEW.site, NEW.language, {_AT.format(row='NEW')}, NEW.authors)"

POSTGRESQL: Final = (
    f"CREATE FUNCTION news_search_text(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$\n"
    f"  SELECT {FOLDING_SQL}\n$$",
    f"""CREATE FUNCTION news_search_words(id bigint, title text, content text, site text, language text,
  at timestamptz, authors jsonb) RETURNS tsvector LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT setweight(to_tsvector('pg_catalog.simple', news_search_text(coalesce(title, ''))), 'A')
    || to_tsvector('pg_catalog.simple', news_search_text(content))
    || array_to_tsvector(ARRAY['=s:' || site, '=l:' || coalesce(language, ''),
      '=m:' || to_char(at AT TIME ZONE 'UTC', 'YYYYMM'), {_ERAS}]
      || ARRAY(SELECT '=a:' || w.lexeme FROM unnest(to_tsvector('pg_catalog.simple',
        news_search_text((SELECT string_agg(n, E' \\n') FROM jsonb_array_elements_text(authors) AS n)))) AS w))
$$""",  # noqa: S608  # our own words
    f"""CREATE FUNCTION news_index_article() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND ({" AND ".join(f"OLD.{name} IS NOT DISTINCT FROM NEW.{name}" for name in _INDEXED)}) THEN
    RETURN NULL;
  END IF;
  IF TG_OP = 'UPDATE' THEN
    -- What is not in the index yet is left to whoever fills it: of two that add the same row, one would fail.
    UPDATE article_search AS s SET words = {_WORDS} WHERE s.article_id = NEW.id;
  ELSE
    INSERT INTO article_search (article_id, words) VALUES (NEW.id, {_WORDS});
  END IF;
  RETURN NULL;
END
$$""",  # noqa: S608  # our own words
    "CREATE TRIGGER search_article AFTER INSERT OR UPDATE ON article"
    " FOR EACH ROW EXECUTE FUNCTION news_index_article()",
)
"""What makes the index on PostgreSQL, beside the table; deleted articles leave it by their foreign key."""

POSTGRESQL_DROP: Final = (
    "DROP TRIGGER IF EXISTS search_article ON article",
    "DROP FUNCTION IF EXISTS news_index_article()",
    "DROP FUNCTION IF EXISTS news_search_words(bigint, text, text, text, text, timestamptz, jsonb)",
    "DROP FUNCTION IF EXISTS news_search(text)",
    "DROP FUNCTION IF EXISTS news_search_query(text)",
    "DROP FUNCTION IF EXISTS news_search_text(text)",
)

# ---------------------------------------------------------------- what is not indexed yet

_NEW_ROWS: Final = {
    "sqlite": f"INSERT INTO article_search (rowid, title, text, facets) SELECT {_values('a')} FROM article AS a",  # noqa: S608
    "postgresql": "INSERT INTO article_search (article_id, words) SELECT a.id, news_search_words("  # noqa: S608
    f"a.id, a.title, a.text, a.site, a.language, {_AT.format(row='a')}, a.authors) FROM article AS a",
}
_NOT_THERE: Final = {
    "sqlite": "NOT EXISTS (SELECT 1 FROM article_search_docsize AS d WHERE d.id = a.id)",
    "postgresql": "NOT EXISTS (SELECT 1 FROM article_search AS d WHERE d.article_id = a.id)",
}


def missing_sql(dialect: str, what: str) -> str:
    """The query for ``what`` of articles ``a`` that are not in the index."""
    return f"SELECT {what} FROM article AS a WHERE {_NOT_THERE[dialect]}"  # noqa: S608  # our own words


def index_missing_sql(dialect: str) -> str:
    """The statement that indexes the articles of ids from ``first`` to ``last`` that are not in the index."""
    new = f"{_NEW_ROWS[dialect]} WHERE a.id BETWEEN :first AND :last AND {_NOT_THERE[dialect]} ORDER BY a.id"
    # An article that is being changed is waited for and read as it is then; another filler may be at the same ones.
    return new if dialect == "sqlite" else f"{new} FOR SHARE OF a ON CONFLICT DO NOTHING"
