"""indexes that agencies, and the pages of an article, are asked by

Revision: 0016
Follows: 0015
"""

import sqlalchemy as sa
from alembic import op

from pipeline.store.migrations.online import create_index, drop_index

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade():
    create_index("ix_article_agency", "article", ["agency"], where="agency IS NOT NULL")
    # SQLite compares keys by an index of an expression only where that says that it is a number.
    home = "coalesce(alias_of, id)"
    is_sqlite = op.get_context().dialect.name == "sqlite"
    create_index("ix_page_home", "page", [sa.text(f"CAST({home} AS integer)" if is_sqlite else home)])


def downgrade():
    drop_index("ix_page_home", "page")
    drop_index("ix_article_agency", "article")
