"""Blocks of text that recur over the articles of a site."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "site",
        sa.Column("name", sa.Text(), nullable=False, comment="as in article.site"),
        sa.Column("articles", sa.Integer(), nullable=False, comment="articles whose blocks were counted"),
        sa.PrimaryKeyConstraint("name", name="pk_site"),
    )
    big, number, when = sa.BigInteger(), sa.Integer(), sa.DateTime(timezone=True)
    op.create_table(
        "site_block",
        sa.Column("site", sa.Text(), nullable=False, comment="as in article.site"),
        sa.Column(
            "key",
            big,
            autoincrement=False,
            nullable=False,
            comment="hash of its folded words: numbers and dates are one",
        ),
        sa.Column("band_1", number, nullable=False, comment="hash of a pair of its words, by which variants are found"),
        sa.Column("band_2", number, nullable=False, comment="another"),
        sa.Column("band_3", number, nullable=False, comment="another"),
        sa.Column("band_4", number, nullable=False, comment="another"),
        sa.Column("words", number, nullable=False, comment="words in it"),
        sa.Column("sample", sa.Text(), comment="its text; null where it was seen but once, or is too long"),
        sa.Column("articles", number, nullable=False, comment="different articles that it stood in, copies left out"),
        sa.Column(
            "days",
            big,
            nullable=False,
            comment="days on which those were published, a bit each (days since year 1, modulo 63)",
        ),
        sa.Column("first_number", number, nullable=False, comment="site.articles when it was first seen"),
        sa.Column("last_number", number, nullable=False, comment="site.articles when it was last seen"),
        sa.Column("first_article", big, nullable=False, comment="the article that it was first seen in"),
        sa.Column("last_article", big, nullable=False, comment="the article that it was last seen in"),
        sa.Column("above", number, nullable=False, comment="sum over articles of the paragraphs of text before it"),
        sa.Column("below", number, nullable=False, comment="sum over articles of the paragraphs of text after it"),
        sa.Column("first_seen_at", when, nullable=False, comment="when it was first seen"),
        sa.Column("last_seen_at", when, nullable=False, comment="when it was last seen"),
        sa.Column(
            "verdict",
            sa.String(16),
            comment="what the user said: kept (it is text) or dropped; null where the rule decides",
        ),
        sa.CheckConstraint("verdict IN ('kept', 'dropped')", name="ck_site_block_verdict"),
        sa.PrimaryKeyConstraint("site", "key", name="pk_site_block"),
        sqlite_with_rowid=False,
    )
    recurring = sa.text("articles >= 5 OR verdict IS NOT NULL")
    op.create_index(
        "ix_site_block_recurring", "site_block", ["site"], sqlite_where=recurring, postgresql_where=recurring
    )


def downgrade():
    op.drop_table("site_block")
    op.drop_table("site")
