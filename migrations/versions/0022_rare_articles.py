"""indexes that articles of a language, and of a rare page class, are listed by

Revision: 0022
Follows: 0021
"""

import sqlalchemy as sa

from pipeline.store.migrations.online import create_index, drop_index

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade():
    create_index("ix_article_known_language", "article", [sa.text("coalesce(language, '')"), "id"])
    create_index("ix_article_rare_class", "article", ["page_class", "id"], where="page_class <> 'article'")


def downgrade():
    drop_index("ix_article_rare_class", "article")
    drop_index("ix_article_known_language", "article")
