"""The index of words: FTS5 on SQLite, filled here; tsvector with GIN on PostgreSQL, filled by `news db reindex`."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

from pipeline.store import fulltext

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade():
    if op.get_context().dialect.name == "sqlite":
        run(fulltext.SQLITE_SOURCE, fulltext.SQLITE_INDEX, fulltext.SQLITE_REBUILD)
        return
    op.create_table(
        "article_search",
        sa.Column("article_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="the article"),
        sa.Column(
            "words", TSVECTOR(), nullable=False, comment="words of headline (weight A) and text, and facets (=…)"
        ),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name="fk_article_search_article_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("article_id", name="pk_article_search"),
        comment="what `news search` looks in; kept in step by a trigger of article",
    )
    op.create_index("ix_article_search_words", "article_search", ["words"], postgresql_using="gin")
    run(*fulltext.POSTGRESQL)


def downgrade():
    if op.get_context().dialect.name == "sqlite":
        run("DROP TABLE article_search", "DROP VIEW IF EXISTS article_search_source")
        return
    run(*fulltext.POSTGRESQL_DROP)
    op.drop_table("article_search")


def run(*statements):
    # Not through op.execute, which takes a colon for a parameter.
    for statement in statements:
        op.get_bind().exec_driver_sql(statement)
