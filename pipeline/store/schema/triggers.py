"""Triggers that log what changes in the archive, so that no writer can forget to.

Who asks "what changed since X?" must miss nothing and get nothing twice while others write. Times do not serve,
since transactions commit in another order than they take them, and neither do the numbers of a sequence, for the same
reason. Numbers given at the commit, one transaction after the other, would do, but make all writers wait for each
other's flush to disk. So each change carries the number of its transaction (`xid8`), and readers see only transactions
older than every one still running (`pg_snapshot_xmin`): below that, nothing can commit any more. Writers never wait;
the price is that a long transaction that writes, on any database of the server, holds changes back as long as it runs.
SQLite has one writer at a time: there a plain count is the order of commits.
"""

from typing import Final

from pipeline.store.schema.article_columns import columns_told_by

_UPDATED: Final = columns_told_by("updated")
_DUPLICATE: Final = columns_told_by("duplicate")


def _differs(names: tuple[str, ...], operator: str) -> str:
    return " OR ".join(f"OLD.{name} {operator} NEW.{name}" for name in names)


def _sqlite_trigger(name: str, event: str, kind: str, values: str, when: str = "", source: str = "") -> str:
    # The order of the log is a count; 28 digits wide, as text, since that sorts alike on both databases.
    condition = f"WHEN {when} " if when else ""
    return f"""CREATE TRIGGER {name} AFTER {event} {condition}BEGIN
  INSERT INTO change (cursor, kind, article_id, revision, url, site, changed_at)
  SELECT printf('%028d', 1 + coalesce((SELECT CAST(max(cursor) AS INTEGER) FROM change), 0)), '{kind}',
    {values}, strftime('%Y-%m-%d %H:%M:%f000', 'now') {source};
END"""  # noqa: S608  # our own words


_NEW_ARTICLE, _NEW_STORY = "NEW.id, NULL, NULL, NULL", "NEW.article_id, NULL, NULL, NULL"
_NEW_REVISION: Final = "NEW.article_id, NEW.number, NULL, NULL"
_MOVED: Final = "NEW.story_id IS NOT NULL AND NEW.story_id IS NOT OLD.story_id"
_LEFT, _CAME = "OLD.gone_at IS NULL AND NEW.gone_at IS NOT NULL", "OLD.gone_at IS NOT NULL AND NEW.gone_at IS NULL"
_ARTICLE_OF_PAGE: Final = "FROM article AS a WHERE a.page_id = NEW.id"

SQLITE: Final = {
    name: _sqlite_trigger(name, *spec)
    for name, *spec in (
        ("change_article_new", "INSERT ON article", "new", "NEW.id, 1, NULL, NULL"),
        ("change_article_updated", "UPDATE ON article", "updated", _NEW_ARTICLE, _differs(_UPDATED, "IS NOT")),
        ("change_article_duplicate", "UPDATE ON article", "duplicate", _NEW_ARTICLE, _differs(_DUPLICATE, "IS NOT")),
        ("change_article_deleted", "DELETE ON article", "deleted", "OLD.id, NULL, OLD.url, OLD.site"),
        ("change_revision", "INSERT ON revision", "revised", _NEW_REVISION, "NEW.number > 1"),
        ("change_story_new", "INSERT ON article_story", "story", _NEW_STORY, "NEW.story_id <> NEW.article_id"),
        ("change_story", "UPDATE OF story_id ON article_story", "story", _NEW_STORY, _MOVED),
        ("change_page_gone", "UPDATE OF gone_at ON page", "gone", "a.id, NULL, NULL, NULL", _LEFT, _ARTICLE_OF_PAGE),
        ("change_page_back", "UPDATE OF gone_at ON page", "back", "a.id, NULL, NULL, NULL", _CAME, _ARTICLE_OF_PAGE),
    )
}
"""The statement that makes each trigger on SQLite, by its name."""

TRANSACTION: Final = (
    "(SELECT lpad((pg_current_xact_id()::text::bigint + k.shift)::text, 14, '0') FROM change_clock AS k)"
)
"""The first half of a cursor on PostgreSQL: the number of this transaction."""

SERVER: Final = "SELECT system_identifier::text FROM pg_control_system()"
"""What tells servers apart: a dump that is restored on another one brings numbers that mean nothing there."""

POSTGRESQL_FUNCTIONS: Final = (
    f"""CREATE OR REPLACE FUNCTION news_add_change(kind text, article_id bigint, revision integer, url text, site text)
RETURNS void LANGUAGE sql AS $$
  INSERT INTO change (cursor, kind, article_id, revision, url, site, changed_at)
  VALUES ({TRANSACTION} || lpad(nextval('change_number')::text, 14, '0'), $1, $2, $3, $4, $5, clock_timestamp())
$$""",  # noqa: S608  # our own words
    f"""CREATE OR REPLACE FUNCTION news_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_TABLE_NAME = 'revision' THEN
    PERFORM news_add_change('revised', NEW.article_id, NEW.number, NULL, NULL);
  ELSIF TG_TABLE_NAME = 'article_story' THEN
    PERFORM news_add_change('story', NEW.article_id, NULL, NULL, NULL);
  ELSIF TG_TABLE_NAME = 'page' THEN
    PERFORM news_add_change(CASE WHEN NEW.gone_at IS NULL THEN 'back' ELSE 'gone' END, a.id, NULL, NULL, NULL)
    FROM article AS a WHERE a.page_id = NEW.id;
  ELSIF TG_OP = 'INSERT' THEN
    PERFORM news_add_change('new', NEW.id, 1, NULL, NULL);
  ELSIF TG_OP = 'DELETE' THEN
    PERFORM news_add_change('deleted', OLD.id, NULL, OLD.url, OLD.site);
  ELSE
    IF {_differs(_UPDATED, "IS DISTINCT FROM")} THEN
      PERFORM news_add_change('updated', NEW.id, NULL, NULL, NULL);
    END IF;
    IF {_differs(_DUPLICATE, "IS DISTINCT FROM")} THEN
      PERFORM news_add_change('duplicate', NEW.id, NULL, NULL, NULL);
    END IF;
  END IF;
  RETURN NULL;
END
$$""",
)

POSTGRESQL: Final = {
    "change_article": ("article", "INSERT OR UPDATE OR DELETE", ""),
    "change_revision": ("revision", "INSERT", "NEW.number > 1"),
    "change_story_new": ("article_story", "INSERT", "NEW.story_id <> NEW.article_id"),
    "change_story": (
        "article_story",
        "UPDATE",
        "NEW.story_id IS NOT NULL AND NEW.story_id IS DISTINCT FROM OLD.story_id",
    ),
    "change_page": ("page", "UPDATE", "(OLD.gone_at IS NULL) <> (NEW.gone_at IS NULL)"),
}
"""Table, events and condition of each trigger on PostgreSQL, by its name."""


def postgresql_trigger(name: str) -> str:
    """The statement that makes this trigger on PostgreSQL."""
    table, events, when = POSTGRESQL[name]
    condition = f"WHEN ({when}) " if when else ""
    return (
        f"CREATE TRIGGER {name} AFTER {events} ON {table} FOR EACH ROW {condition}EXECUTE FUNCTION news_note_change()"
    )
