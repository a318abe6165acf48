"""Indexes that the views need: pages by source and day, and the copies of stories."""

import sqlalchemy as sa
from alembic import op

from pipeline.store.migrations.online import create_index, drop_index

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# The host without port and leading www., and the UTC day, in the words of the views.
EXPRESSIONS = {
    "postgresql": (
        r"regexp_replace(split_part(host, ':', 1), '^www\.(?=.*\.)', '')",
        "(CAST(timezone('UTC', discovered_at) AS date))",
    ),
    "sqlite": (
        "CASE WHEN substr(host, 1, instr(host || ':', ':') - 1) LIKE 'www.%.%'"
        " THEN substr(substr(host, 1, instr(host || ':', ':') - 1), 5)"
        " ELSE substr(host, 1, instr(host || ':', ':') - 1) END",
        "substr(discovered_at, 1, 10)",
    ),
}


def upgrade():
    expressions = [sa.text(expression.replace(":", r"\:")) for expression in EXPRESSIONS[op.get_context().dialect.name]]
    create_index("ix_page_source_day", "page", expressions)
    create_index("ix_article_story_copies", "article_story", ["story_id"], where="story_id <> article_id")


def downgrade():
    drop_index("ix_article_story_copies", "article_story")
    drop_index("ix_page_source_day", "page")
