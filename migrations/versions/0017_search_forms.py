"""the index of words anew: every language, the same words on both databases

It is left empty: `news db upgrade` fills it after the migrations, in steps. A downgrade makes and fills the former
index on SQLite, whose triggers could store nothing without it; on PostgreSQL the functions of the version before are not
made again, so that version stores, and does not search.

Revision: 0017
Follows: 0016
"""

from alembic import op

from pipeline.store.schema import fulltext

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# Of 0009 on PostgreSQL, as it was before: a configuration and a dictionary for each stemmer.
FORMER_STEMMERS = """DO $$
DECLARE old record;
BEGIN
  FOR old IN SELECT cfgname AS name FROM pg_ts_config
    WHERE cfgnamespace = current_schema()::regnamespace AND cfgname LIKE 'news\\_%' LOOP
    EXECUTE format('DROP TEXT SEARCH CONFIGURATION %I', old.name);
  END LOOP;
  FOR old IN SELECT dictname AS name FROM pg_ts_dict
    WHERE dictnamespace = current_schema()::regnamespace AND dictname LIKE 'news\\_%' LOOP
    EXECUTE format('DROP TEXT SEARCH DICTIONARY %I', old.name);
  END LOOP;
END $$"""

SOURCE = """CREATE VIEW article_search_source AS SELECT a.id AS id, coalesce(a.title, '') AS title, a.text AS text,
  'sx' || lower(hex(a.site)) || ' lx' || lower(hex(coalesce(a.language, '')))
  || ' mx' || strftime('%Y%m', coalesce(a.published_at, a.first_seen_at)) AS facets FROM article AS a"""

# Its views and triggers are made by that version's own `news db upgrade`; a view would stand in the way of migrations.
FORMER_INDEX = (
    "DROP TABLE article_search",
    "CREATE VIRTUAL TABLE article_search USING fts5(title, text, facets, content='article_search_source',"
    " content_rowid='id', tokenize='unicode61 remove_diacritics 2')",
    "INSERT INTO article_search (article_search, rank) VALUES ('automerge', 16)",
    "INSERT INTO article_search (article_search, rank) VALUES ('crisismerge', 64)",
    SOURCE,
    "INSERT INTO article_search (article_search) VALUES ('rebuild')",
    "DROP VIEW article_search_source",
)


def upgrade():
    if op.get_context().dialect.name == "sqlite":
        run("DROP TABLE article_search", *fulltext.SQLITE_INDEX)
        return
    run(
        *fulltext.POSTGRESQL_DROP,
        "DROP FUNCTION IF EXISTS news_search_words(bigint, text, text, text, text, timestamptz)",
        "DROP FUNCTION IF EXISTS news_search_configuration(text)",
        FORMER_STEMMERS.replace("%", "%%"),
        "TRUNCATE article_search",
        *(statement.replace("%", "%%") for statement in fulltext.POSTGRESQL),
    )


def downgrade():
    if op.get_context().dialect.name == "sqlite":
        run(*FORMER_INDEX)
    else:
        run(*fulltext.POSTGRESQL_DROP, "TRUNCATE article_search")


def run(*statements):
    # Not through op.execute, which takes a colon for a parameter.
    for statement in statements:
        op.get_bind().exec_driver_sql(statement)
