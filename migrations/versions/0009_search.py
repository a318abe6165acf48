"""The index of words: FTS5 on SQLite, tsvector with GIN on PostgreSQL; 0017 makes what keeps it in step."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

from pipeline.store.schema import fulltext

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade():
    if op.get_context().dialect.name == "sqlite":
        for statement in fulltext.SQLITE_INDEX:
            op.get_bind().exec_driver_sql(statement)
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


def downgrade():
    op.drop_table("article_search")
