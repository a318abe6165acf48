"""hours and days in which a feed asks not to be asked

Revision: 0018
Follows: 0017
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade():
    comment = "hours (0 to 23, UTC), days (mon to sun) in which the feed is to be left alone (skipHours, skipDays)"
    op.add_column("feed", sa.Column("skips", JSON, nullable=False, server_default=sa.text("'[]'"), comment=comment))


def downgrade():
    op.drop_column("feed", "skips")
