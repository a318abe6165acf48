"""what page_class may hold: types of pages, too

Revision: 0019
Follows: 0018
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

BEFORE = "article, paywall (only the beginning of it) or live_blog"
NOW = "article, paywall (only the beginning of it), live_blog, or a type that is stored (docs/reasons.md)"


def upgrade():
    _comment(NOW)


def downgrade():
    _comment(BEFORE)


def _comment(text):
    if op.get_bind().dialect.name == "postgresql":  # SQLite keeps none
        op.execute(f"COMMENT ON COLUMN article.page_class IS '{text}'")
