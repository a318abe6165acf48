"""what the text of an article links to, and its pictures

Revision: 0023
Follows: 0022
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

COMMENTS = {
    "links": "what its text links to, each address once: [[URL, words]]; null where it is not known",
    "pictures": "pictures in its text and above it: [[URL, words in their stead]]; null where it is not known",
}


def upgrade():
    kind = sa.JSON().with_variant(JSONB(), "postgresql")
    for name, comment in COMMENTS.items():
        op.add_column("article", sa.Column(name, kind, nullable=True, comment=comment))


def downgrade():
    for name in COMMENTS:
        op.drop_column("article", name)
