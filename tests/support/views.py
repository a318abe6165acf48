"""Rows of the views, and the stories that some of them need."""

import sqlalchemy as sa

from pipeline.store.connection.engine import reading
from pipeline.store.schema.views import VIEWS


def settle_stories(engine):
    """File the articles under their stories, where that has not been done as they came."""
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO article_story (article_id, story_id, role, similarity) SELECT id, coalesce(duplicate_of, id),"
            " CASE WHEN duplicate_of IS NULL THEN 'first' ELSE 'copy' END, 1 FROM article AS a"
            " WHERE NOT EXISTS (SELECT 1 FROM article_story AS s WHERE s.article_id = a.id)"
        )


def rows(engine, name, *columns, order=None):
    view = next(view for view in VIEWS if view.name == name).table
    query = sa.select(*(view.c[column] for column in columns)).order_by(view.c[order or columns[0]])
    with reading(engine) as connection:
        return [tuple(row) for row in connection.execute(query)]
