"""what each paragraph of a text is: heading, item, quotation …

Revision: 0020
Follows: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

COMMENT = "one letter for each paragraph of the text: p paragraph, 1 to 6 heading, i item … (docs/schema.md)"


def upgrade():
    for table in ("article", "revision"):
        op.add_column(table, sa.Column("shape", sa.Text(), nullable=True, comment=COMMENT))


def downgrade():
    for table in ("revision", "article"):
        op.drop_column(table, "shape")
