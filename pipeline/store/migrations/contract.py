"""Makes what the schema has besides tables: the views that readers rely on, and the triggers that log changes.

Their definitions are code (`pipeline.store.schema.views`, `pipeline.store.schema.triggers`), not migrations: views
are taken away before
migrations run, so that none stands in the way of a change of its tables, and made again after them.
"""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from pipeline.errors import ConfigError
from pipeline.store.schema import fulltext, triggers
from pipeline.store.schema.search_function import POSTGRESQL_SEARCH
from pipeline.store.schema.views import AS_OF, DEFINITION, VERSION, VIEWS

ADOPT: Final = 5_000
"""Articles of one transaction where the log of changes begins on a filled database: well below a second each."""

_DEPENDENT: Final = "2BP01"
"""SQLSTATE dependent_objects_still_exist."""


def is_current(connection: Connection) -> bool:
    """Whether the database has the views of this version, and its clock is that of this server."""
    if "v_contract" not in sa.inspect(connection).get_view_names():
        return False
    row = connection.execute(sa.text("SELECT version, definition FROM v_contract")).one()
    return tuple(row) == (VERSION, DEFINITION) and not _is_moved(connection)


def drop_views(connection: Connection) -> Sequence[str]:
    """Take the views away; returns the statements that give others their rights on them again.

    On SQLite the triggers go too: it cannot rename a table that a trigger names.

    Raises:
        ConfigError: views of the user's own are made of ours.
    """
    if connection.dialect.name == "sqlite":
        drop_triggers(connection)
    grants = _grants(connection)
    try:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("DROP FUNCTION IF EXISTS v_article_as_of(timestamptz)")
        for view in reversed(VIEWS):
            connection.exec_driver_sql(f"DROP VIEW IF EXISTS {view.name}")
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != _DEPENDENT:
            raise
        raise ConfigError(
            f"views of your own stand on ours: drop them, and make them again after: {error.orig}"
        ) from error
    return grants


def drop_triggers(connection: Connection) -> None:
    """Take the triggers away: no change is logged from then on."""
    if connection.dialect.name == "sqlite":
        for name in (*triggers.SQLITE, *fulltext.SQLITE_TRIGGERS):
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
        for view in ("article_search_source", "news_search"):  # the first is of versions before 0017
            connection.exec_driver_sql(f"DROP VIEW IF EXISTS {view}")
        return
    tables = set(sa.inspect(connection).get_table_names())
    for name, (table, _, _) in triggers.POSTGRESQL.items():
        if table in tables:
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name} ON {table}")
    connection.exec_driver_sql("DROP FUNCTION IF EXISTS news_note_change()")
    connection.exec_driver_sql("DROP FUNCTION IF EXISTS news_add_change(text, bigint, integer, text, text)")


def make_contract(connection: Connection, grants: Sequence[str] = ()) -> None:
    """Make views and triggers as this version defines them, on a database at its schema, whatever is there."""
    kept = [*grants, *drop_views(connection)]
    for view in VIEWS:
        connection.exec_driver_sql(f"CREATE VIEW {view.name} AS {view.query(connection.dialect.name)}")
    if connection.dialect.name == "postgresql":
        for statement in (AS_OF, *POSTGRESQL_SEARCH):
            connection.exec_driver_sql(statement.replace("%", "%%"))
        _comment(connection)
        _make_triggers(connection)
        _move_clock(connection)
    else:
        for statement in (*triggers.SQLITE.values(), fulltext.SQLITE_VIEW, *fulltext.SQLITE_TRIGGERS.values()):
            connection.exec_driver_sql(statement)
    for statement in kept:
        connection.exec_driver_sql(statement)


def log_earlier_articles(connection: Connection, after: int = 0, limit: int = ADOPT) -> int | None:
    """Log articles, with their revisions, that were stored when there was no log yet; None where none is left.

    Returns the id to go on ``after``. Other writers may be at work: triggers log what they do.
    """
    last = "(SELECT coalesce(CAST(max(cursor) AS integer), 0) FROM change)"
    number = f"printf('%028d', {last} + row_number() OVER (ORDER BY s.article_id, s.revision))"
    if connection.dialect.name == "postgresql":
        number = f"{triggers.TRANSACTION} || lpad(nextval('change_number')::text, 14, '0')"
    new, revised = (
        f"NOT EXISTS (SELECT 1 FROM change AS c WHERE c.kind = {kind})"  # noqa: S608  # our own words
        for kind in ("'new' AND c.article_id = a.id", "'revised' AND c.article_id = a.id AND c.revision = r.number")
    )
    upto = connection.scalar(
        sa.text(
            "SELECT max(id) FROM (SELECT a.id FROM article AS a WHERE a.id > :after"  # noqa: S608  # our own words
            f" AND {new} ORDER BY a.id LIMIT :limit) AS b"
        ),
        {"after": after, "limit": limit},
    )
    if upto is None:
        return None
    connection.execute(
        sa.text(
            "INSERT INTO change (cursor, kind, article_id, revision, changed_at)"  # noqa: S608  # our own words
            f" SELECT {number}, s.kind, s.article_id, s.revision, s.changed_at FROM ("
            "  SELECT 'new' AS kind, a.id AS article_id, 1 AS revision, a.first_seen_at AS changed_at"
            "  FROM article AS a WHERE a.id > :after AND a.id <= :upto"
            f" AND {new}"
            "  UNION ALL SELECT 'revised', a.id, r.number, r.seen_at"
            "  FROM article AS a JOIN revision AS r ON r.article_id = a.id AND r.number > 1"
            f" WHERE a.id > :after AND a.id <= :upto AND {revised} ORDER BY 2, 3) AS s"
        ),
        {"after": after, "upto": upto},
    )
    return int(upto)


def _make_triggers(connection: Connection) -> None:
    for statement in triggers.POSTGRESQL_FUNCTIONS:
        connection.exec_driver_sql(statement)
    there = set(connection.scalars(sa.text("SELECT tgname FROM pg_trigger WHERE tgname LIKE 'change%'")))
    for name in triggers.POSTGRESQL:
        # A trigger that is there is left alone: making it again would stop all writers for a moment.
        if name not in there:
            connection.exec_driver_sql(triggers.postgresql_trigger(name))


def _grants(connection: Connection) -> list[str]:
    """The statements that grant on our views what is granted on them now."""
    if connection.dialect.name != "postgresql":
        return []
    rows = connection.execute(
        sa.text(
            "SELECT c.relname, x.privilege_type, CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(r.rolname) END"
            " FROM pg_class AS c, aclexplode(c.relacl) AS x LEFT JOIN pg_roles AS r ON r.oid = x.grantee"
            " WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY(:names)"
            " AND x.grantee <> c.relowner"
        ),
        {"names": [view.name for view in VIEWS]},
    )
    return [f"GRANT {privilege} ON {name} TO {grantee}" for name, privilege, grantee in rows]


def _comment(connection: Connection) -> None:
    for view in VIEWS:
        connection.exec_driver_sql(f"COMMENT ON VIEW {view.name} IS {_quoted(view.comment)}")
        for column in view.columns:
            connection.exec_driver_sql(f"COMMENT ON COLUMN {view.name}.{column.name} IS {_quoted(column.comment)}")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''").replace("%", "%%") + "'"


def _is_moved(connection: Connection) -> bool:
    """Whether the database was moved to another server, whose transactions have other numbers."""
    if connection.dialect.name != "postgresql":
        return False
    here = connection.scalar(sa.text(triggers.SERVER))
    return bool(connection.scalar(sa.text("SELECT server FROM change_clock")) != here)


def _move_clock(connection: Connection) -> None:
    """On another server than before, let the numbers of transactions go on after the last one that was logged."""
    if not _is_moved(connection):
        return
    connection.execute(
        sa.text(
            "UPDATE change_clock SET server = :server, shift = CASE WHEN server IS NULL THEN 0 ELSE 1"
            " + (SELECT coalesce(CAST(left(max(cursor), 14) AS bigint), 0) FROM change)"
            " - CAST(CAST(pg_current_xact_id() AS text) AS bigint) END"
        ),
        {"server": connection.scalar(sa.text(triggers.SERVER))},
    )
