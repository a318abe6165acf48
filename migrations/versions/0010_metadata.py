"""where each field of an article came from, its captions, and what was corrected

Revision: 0010
Follows: 0009
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

# All with constant defaults: neither database rewrites the table for them.
ARTICLE = (
    ("published_precision", sa.String(8), None, "time, or day where published_at knows but that"),
    ("site_name", sa.Text(), None, "what the site calls itself"),
    ("publisher", sa.Text(), None, "who publishes it, as the page says"),
    ("access", sa.String(16), "'unknown'", "free, metered, paid or unknown, as the page declares"),
    ("kind", sa.Text(), None, "type of article by schema.org, without article: news, opinionnews, blogposting …"),
    ("captions", JSON, "'[]'", "captions of its figures, which are no part of the text"),
    ("corrections", JSON, "'[]'", "notices of corrections and changes, apart from the text"),
    (
        "provenance",
        JSON,
        "'{}'",
        'for each field where it came from: {"title": {"from": …, "sure": 0–1, "others": [[source, value]]}}',
    ),
)
REVISION = (("corrections", JSON, "'[]'", "notices of corrections and changes that it carried"),)


def upgrade() -> None:
    for table, columns in (("article", ARTICLE), ("revision", REVISION)):
        for name, kind, default, comment in columns:
            given = None if default is None else sa.text(default)
            op.add_column(table, sa.Column(name, kind, server_default=given, nullable=default is None, comment=comment))


def downgrade() -> None:
    for table, columns in (("revision", REVISION), ("article", ARTICLE)):
        for name, *_ in reversed(columns):
            op.drop_column(table, name)
