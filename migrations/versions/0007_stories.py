"""Stories: which articles are copies of each other, and the sketches by which copies are found; agencies."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade():
    op.add_column("article", sa.Column("agency", sa.Text(), comment="the news agency that it is from, where known"))
    op.create_table(
        "article_story",
        sa.Column("article_id", KEY, autoincrement=False, nullable=False, comment="the article"),
        sa.Column(
            "story_id",
            KEY,
            comment="the first article of its story, its own id where it is that; null until it is settled anew",
        ),
        sa.Column(
            "role",
            sa.String(16),
            server_default="first",
            nullable=False,
            comment="beside the first article: first, copy (same text), edited, shortened (a third and more is missing) or extended",
        ),
        sa.Column(
            "similarity", sa.Double(), comment="share of the shorter text that also stands in the first's; 1 for a copy"
        ),
        sa.CheckConstraint(
            "role IN ('first', 'copy', 'edited', 'shortened', 'extended')", name="ck_article_story_role"
        ),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name="fk_article_story_article_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["story_id"], ["article.id"], name="fk_article_story_story_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("article_id", name="pk_article_story"),
    )
    op.create_index("ix_article_story_story_id", "article_story", ["story_id"])
    op.create_table(
        "article_sketch",
        sa.Column(
            "hash", sa.BigInteger(), autoincrement=False, nullable=False, comment="of a run of words in its text"
        ),
        sa.Column("article_id", KEY, autoincrement=False, nullable=False, comment="an article that has it"),
        sa.PrimaryKeyConstraint("hash", "article_id", name="pk_article_sketch"),
        sqlite_with_rowid=False,
    )


def downgrade():
    op.drop_table("article_sketch")
    op.drop_table("article_story")
    op.drop_column("article", "agency")
