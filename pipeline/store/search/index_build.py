"""The full-text index: whether it holds all articles, and how it is filled, in steps, while others work."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.errors import ConfigError
from pipeline.store.schema.fulltext import index_missing_sql, missing_sql
from pipeline.store.schema.tables import ArticleRow


def require_full_index(connection: Connection) -> None:
    """Make sure that the index holds all articles: it is filled from the newest on, so that the oldest tells.

    Raises:
        ConfigError: it does not; the message says what to run.
    """
    oldest = sa.select(sa.func.min(ArticleRow.id)).scalar_subquery()
    if connection.scalar(
        sa.text(missing_sql(connection.dialect.name, "1") + " AND a.id = :oldest"),
        {"oldest": connection.scalar(sa.select(oldest))},
    ):
        raise ConfigError("the full-text index does not hold all articles yet; run: news db upgrade")


def count_unindexed(connection: Connection) -> int:
    """How many articles are not in the index."""
    return connection.scalar(sa.text(missing_sql(connection.dialect.name, "count(*)"))) or 0


def index_missing(connection: Connection, below: int | None, batch: int) -> tuple[int | None, int]:
    """Index the newest articles below this id that are not in the index, so many at most.

    Returns the id to go on below, None where no article is left, and how many it were.
    """
    dialect = connection.dialect.name
    bound = "" if below is None else " AND a.id < :below"
    ids = missing_sql(dialect, "a.id") + f"{bound} ORDER BY a.id DESC LIMIT :batch"
    span = sa.text(f"SELECT min(m.id), max(m.id), count(*) FROM ({ids}) AS m")  # noqa: S608  # our own words
    first, last, count = connection.execute(span, {"batch": batch} | ({} if below is None else {"below": below})).one()
    if not count:
        return None, 0
    connection.execute(sa.text(index_missing_sql(dialect)), {"first": first, "last": last})
    return first, count


def clear_index(connection: Connection) -> None:
    """Take all articles out of the index; searches are refused until it is filled again."""
    is_sqlite = connection.dialect.name == "sqlite"
    connection.exec_driver_sql(
        "INSERT INTO article_search (article_search) VALUES ('delete-all')" if is_sqlite else "TRUNCATE article_search"
    )
