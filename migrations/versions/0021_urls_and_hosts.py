"""indexes that articles are asked by their URL by, and pages by their host

Revision: 0021
Follows: 0020
"""

from pipeline.store.migrations.online import create_index, drop_index

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade():
    create_index("ix_article_url", "article", ["url"])
    create_index("ix_page_host", "page", ["host"])


def downgrade():
    drop_index("ix_page_host", "page")
    drop_index("ix_article_url", "article")
