"""notices of corrections, a row each, with when they were first seen

Revision: 0013
Follows: 0012
"""

import sqlalchemy as sa
from alembic import op

from pipeline.store.migrations.online import BATCH

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# What revisions carried, each notice at the first of them; then what stands beside an article without a revision of
# its own, of which only the time of its last change is known. Each article is filled once, however often this runs.
FILL = (
    "INSERT INTO article_correction (article_id, revision, notice, seen_at)"
    " SELECT r.article_id, min(r.number), n.value, min(r.seen_at) FROM revision AS r {each_of_r}"
    " WHERE r.article_id > :after AND r.article_id <= :last AND r.corrections <> {none}"
    " AND NOT EXISTS (SELECT 1 FROM article_correction AS k WHERE k.article_id = r.article_id AND k.notice = n.value)"
    " GROUP BY r.article_id, n.value ORDER BY 1, 2",
    "INSERT INTO article_correction (article_id, revision, notice, seen_at)"
    " SELECT a.id, (SELECT max(r.number) FROM revision AS r WHERE r.article_id = a.id), n.value, a.updated_at"
    " FROM article AS a {each_of_a}"
    " WHERE a.id > :after AND a.id <= :last AND a.corrections <> {none}"
    " AND NOT EXISTS (SELECT 1 FROM article_correction AS k WHERE k.article_id = a.id AND k.notice = n.value)",
)
PIECES = {
    "postgresql": {
        "each_of_r": "CROSS JOIN LATERAL jsonb_array_elements_text(r.corrections) AS n(value)",
        "each_of_a": "CROSS JOIN LATERAL jsonb_array_elements_text(a.corrections) AS n(value)",
        "none": "CAST('[]' AS jsonb)",
    },
    "sqlite": {
        "each_of_r": "CROSS JOIN json_each(r.corrections) AS n",
        "each_of_a": "CROSS JOIN json_each(a.corrections) AS n",
        "none": "'[]'",
    },
}


def upgrade():
    op.create_table(
        "article_correction",
        sa.Column("id", KEY, nullable=False),
        sa.Column("article_id", KEY, nullable=False, comment="the article"),
        sa.Column(
            "revision", sa.Integer(), nullable=False, comment="number of the revision that it first stood beside"
        ),
        sa.Column("notice", sa.Text(), nullable=False, comment="what the publisher says of the error or change"),
        sa.Column(
            "seen_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="when the page was fetched that first had it",
        ),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name="fk_article_correction_article_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_article_correction"),
        if_not_exists=True,
    )
    for column in ("article_id", "seen_at"):
        op.create_index(f"ix_article_correction_{column}", "article_correction", [column], if_not_exists=True)
    context = op.get_context()
    if context.dialect.name != "postgresql":
        fill(op.get_bind())
        return
    # The reference to article holds up writers until it is committed: the rows come after that.
    with context.autocommit_block():
        fill(op.get_bind())


def fill(connection):
    pieces = PIECES[connection.dialect.name]
    newest = connection.scalar(sa.text("SELECT max(id) FROM article")) or 0
    for after in range(0, newest, BATCH):
        for statement in FILL:
            connection.execute(sa.text(statement.format(**pieces)), {"after": after, "last": after + BATCH})


def downgrade():
    op.drop_table("article_correction")
