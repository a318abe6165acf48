"""The index of words, which the database itself keeps in step: FTS5 on SQLite, tsvector with GIN on PostgreSQL.

Both index the same words: runs of letters and digits, without case and accents; PostgreSQL also brings them to their
stem by the language of the article, and parts scripts without spaces into characters. Stop words are kept, so a phrase
is found as it stands. Beside the words stand facets, which let the index itself leave out what a search does not want:
site, language and month, and on PostgreSQL *eras* of article ids, since its index knows no order.
"""

from typing import Final

LANGUAGES: Final = {
    "ar": "arabic",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hu": "hungarian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "nb": "norwegian",
    "nl": "dutch",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sv": "swedish",
    "tr": "turkish",
}
"""Stemmers of PostgreSQL by ISO 639-1, in all versions from 12 on. Articles in other languages keep their words."""

MAX_CHARACTERS: Final = 200_000
"""Of a text, that are indexed on PostgreSQL: a tsvector has at most a megabyte."""

ERAS: Final = (12, 16, 20)
"""Bits of an article's id that its eras leave out: eras of 4,096, 65,536 and 1,048,576 ids."""

_AT = "coalesce({row}.published_at, {row}.first_seen_at)"


def is_in_models(name: str | None, kind: str, _parents: object = None) -> bool:
    """Whether `pipeline.tables` has it: not the index, which has another form on each database."""
    return kind != "table" or not (name or "").startswith("article_search")


# ---------------------------------------------------------------- SQLite

# One token for each facet, since FTS5 parts words at everything that is no letter or digit.
_FACETS = (
    "'sx' || lower(hex({row}.site)) || ' lx' || lower(hex(coalesce({row}.language, '')))"
    f" || ' mx' || strftime('%Y%m', {_AT})"
)


def sqlite_facet(kind: str, value: str) -> str:
    """The token of a facet: kind ``s`` for a site, ``l`` for a language, ``m`` for a month as YYYYMM."""
    return f"mx{value}" if kind == "m" else f"{kind}x{value.encode().hex()}"


def _values(row: str) -> str:
    return f"{row}.id, coalesce({row}.title, ''), {row}.text, {_FACETS.format(row=row)}"


_REMOVE = (
    f"INSERT INTO article_search (article_search, rowid, title, text, facets) VALUES ('delete', {_values('OLD')});"  # noqa: S608
)
_ADD = f"INSERT INTO article_search (rowid, title, text, facets) VALUES ({_values('NEW')});"  # noqa: S608
_INDEXED = ("title", "text", "site", "language", "published_at", "first_seen_at")

SQLITE_SOURCE: Final = (
    "CREATE VIEW IF NOT EXISTS article_search_source AS SELECT a.id AS id, coalesce(a.title, '') AS title,"  # noqa: S608
    f" a.text AS text, {_FACETS.format(row='a')} AS facets FROM article AS a"
)
"""What FTS5 reads texts from: it keeps none of its own."""

SQLITE_INDEX: Final = (
    "CREATE VIRTUAL TABLE article_search USING fts5(title, text, facets, content='article_search_source',"
    " content_rowid='id', tokenize='unicode61 remove_diacritics 2')"
)
SQLITE_REBUILD: Final = "INSERT INTO article_search (article_search) VALUES ('rebuild')"

SQLITE_TRIGGERS: Final = {
    "search_article_new": f"CREATE TRIGGER search_article_new AFTER INSERT ON article BEGIN {_ADD} END",
    "search_article_updated": (
        f"CREATE TRIGGER search_article_updated AFTER UPDATE ON article"
        f" WHEN {' OR '.join(f'OLD.{name} IS NOT NEW.{name}' for name in ('id', *_INDEXED))} BEGIN {_REMOVE} {_ADD} END"
    ),
    "search_article_deleted": f"CREATE TRIGGER search_article_deleted AFTER DELETE ON article BEGIN {_REMOVE} END",
}

# ---------------------------------------------------------------- PostgreSQL


def configuration(language: str | None) -> str:
    """The text search configuration for texts in this language."""
    return f"news_{LANGUAGES[language]}" if language in LANGUAGES else "news_simple"


def postgresql_facet(kind: str, value: str | int) -> str:
    """The lexeme of a facet: ``s`` site, ``l`` language, ``m`` month, ``e12`` and so on for eras."""
    return f"={kind}:{value}"


_KINDS = "asciiword, word, numword, asciihword, hword, numhword, hword_asciipart, hword_part, hword_numpart"


def _configurations() -> list[str]:
    made = [
        "CREATE TEXT SEARCH CONFIGURATION news_simple (COPY = pg_catalog.simple)",
    ]
    for name in sorted(set(LANGUAGES.values())):
        made += [
            f"CREATE TEXT SEARCH DICTIONARY news_{name} (TEMPLATE = snowball, LANGUAGE = '{name}')",
            f"CREATE TEXT SEARCH CONFIGURATION news_{name} (COPY = pg_catalog.simple)",
            f"ALTER TEXT SEARCH CONFIGURATION news_{name} ALTER MAPPING FOR {_KINDS} WITH news_{name}",
        ]
    return made


IGNORED: Final = "[\u0300-\u036f\u00ad\u200b-\u200f]"
"""Accents, and what has no width."""

UNSPACED: Final = "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]"
# What the parser would take for a part of a host name, path, number or compound; it parts words at the rest by itself.
PARTING: Final = "-./_@:"
_CASES = " ".join(f"WHEN '{code}' THEN '{configuration(code)}'::regconfig" for code in LANGUAGES)
_ERAS = ", ".join(f"'{postgresql_facet(f'e{bits}', '')}' || (id >> {bits})" for bits in ERAS)

POSTGRESQL: Final = (
    *_configurations(),
    # What parts words for readers shall part them for the parser too, which knows host names, paths and hyphens.
    f"""CREATE FUNCTION news_search_text(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN octet_length(value) = length(value)
    THEN translate(value, '{PARTING}', '{" " * len(PARTING)}')
    ELSE regexp_replace(
      translate(regexp_replace(normalize(value, NFKD), '{IGNORED}', '', 'g'),
        '{PARTING}', '{" " * len(PARTING)}'),
      '({UNSPACED})', ' \\1 ', 'g')
    END
$$""",
    f"""CREATE FUNCTION news_search_configuration(language text) RETURNS regconfig LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE language {_CASES} ELSE 'news_simple'::regconfig END $$""",
    f"""CREATE FUNCTION news_search_words(
  id bigint, title text, content text, site text, language text, at timestamptz) RETURNS tsvector
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT setweight(
      to_tsvector(news_search_configuration(language), news_search_text(left(coalesce(title, ''), 2000))), 'A')
    || to_tsvector(news_search_configuration(language), news_search_text(left(content, {MAX_CHARACTERS})))
    || array_to_tsvector(ARRAY['=s:' || site, '=l:' || coalesce(language, ''),
      '=m:' || to_char(at AT TIME ZONE 'UTC', 'YYYYMM'), {_ERAS}])
$$""",
    f"""CREATE FUNCTION news_index_article() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND ({" AND ".join(f"OLD.{name} IS NOT DISTINCT FROM NEW.{name}" for name in _INDEXED)}) THEN
    RETURN NULL;
  END IF;
  INSERT INTO article_search (article_id, words)
  VALUES (NEW.id, news_search_words(NEW.id, NEW.title, NEW.text, NEW.site, NEW.language, {_AT.format(row="NEW")}))
  ON CONFLICT (article_id) DO UPDATE SET words = excluded.words;
  RETURN NULL;
END
$$""",  # noqa: S608  # our own words
    "CREATE TRIGGER search_article AFTER INSERT OR UPDATE ON article"
    " FOR EACH ROW EXECUTE FUNCTION news_index_article()",
)
"""What makes the index on PostgreSQL, beside the table; deleted articles leave it by their foreign key."""

POSTGRESQL_DROP: Final = (
    "DROP TRIGGER search_article ON article",
    "DROP FUNCTION news_index_article()",
    "DROP FUNCTION news_search_words(bigint, text, text, text, text, timestamptz)",
    "DROP FUNCTION news_search_configuration(text)",
    "DROP FUNCTION news_search_text(text)",
    *(f"DROP TEXT SEARCH CONFIGURATION news_{name}" for name in ("simple", *sorted(set(LANGUAGES.values())))),
    *(f"DROP TEXT SEARCH DICTIONARY news_{name}" for name in sorted(set(LANGUAGES.values()))),
)

POSTGRESQL_BATCH: Final = f"""
INSERT INTO article_search (article_id, words)
SELECT a.id, news_search_words(a.id, a.title, a.text, a.site, a.language, {_AT.format(row="a")}) FROM article AS a
WHERE a.id > :after AND a.id <= :last ON CONFLICT (article_id) DO UPDATE SET words = excluded.words
"""  # noqa: S608  # our own words
"""Indexes articles between two ids, those that are indexed too."""
