"""Indexes of articles: copies alone, sites with the time that their newest are asked by, pages with their articles."""

import sqlalchemy as sa

from pipeline.store.migrations.online import create_index, drop_index

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade():
    create_index("ix_article_copies", "article", ["duplicate_of"], where="duplicate_of IS NOT NULL")
    create_index("ix_article_site_at", "article", ["site", sa.text("coalesce(published_at, first_seen_at)")])
    create_index("ix_article_page_id_id", "article", ["page_id", "id"])
    drop_index("ix_article_duplicate_of", "article")


def downgrade():
    create_index("ix_article_duplicate_of", "article", ["duplicate_of"])
    drop_index("ix_article_page_id_id", "article")
    drop_index("ix_article_site_at", "article")
    drop_index("ix_article_copies", "article")
