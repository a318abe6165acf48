"""what a feed is asked with, all of its hubs, and whom its entries name

Revision: 0004
Follows: 0003
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

# All with constant defaults: neither database rewrites the table for them.
COLUMNS = {
    "feed": (
        ("further_hubs", JSON, "'[]'", "further WebSub hubs, in the order of the announcement"),
        ("headers", JSON, "'{}'", "request headers of the user's; their values are secrets"),
        ("cookies", JSON, "'{}'", "cookies of the user's; their values are secrets"),
        ("user_agent", sa.Text(), None, "sent in place of NEWS_USER_AGENT; a secret"),
        ("auth", sa.Text(), None, "user:password of Basic authentication, in clear; a secret"),
        ("access_origin", sa.Text(), None, "scheme, host and port that these four are for: nobody else is sent them"),
        (
            "access_pages",
            sa.Boolean(),
            "false",
            "whether they are sent for pages there too, and not for the feed alone",
        ),
    ),
    "entry": (
        ("authors", JSON, "'[]'", "authors as announced"),
        ("tags", JSON, "'[]'", "tags and categories as announced"),
    ),
}


def upgrade() -> None:
    for table, columns in COLUMNS.items():
        for name, kind, default, comment in columns:
            given = None if default is None else sa.text(default)
            op.add_column(table, sa.Column(name, kind, server_default=given, nullable=default is None, comment=comment))


def downgrade() -> None:
    for table, columns in COLUMNS.items():
        for name, *_ in reversed(columns):
            op.drop_column(table, name)
