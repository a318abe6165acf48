"""how many new entries of a poll no page stands for

Revision: 0015
Follows: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade():
    comment = "new entries that no page stands for: without a link, or with one that cannot be fetched or stored"
    column = sa.Column(
        "entries_without_page", sa.Integer(), nullable=False, server_default=sa.text("0"), comment=comment
    )
    op.add_column("poll", column)


def downgrade():
    op.drop_column("poll", "entries_without_page")
