"""the pages of a state and a reason in their order: PostgreSQL takes them for few and sorted all of them

Revision: 0025
Follows: 0024
"""

from pipeline.store.migrations.online import create_index, drop_index

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade():
    create_index("ix_page_state_reason_id", "page", ["state", "reason", "id"])
    drop_index("ix_page_state_reason", "page")


def downgrade():
    create_index("ix_page_state_reason", "page", ["state", "reason"])
    drop_index("ix_page_state_reason_id", "page")
