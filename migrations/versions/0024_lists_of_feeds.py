"""indexes that the entries of a feed are listed by, and that the plots of feeds are summed from

Revision: 0024
Follows: 0023
"""

from pipeline.store.migrations.online import create_index, drop_index

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade():
    create_index("ix_entry_feed_id_first_seen_at", "entry", ["feed_id", "first_seen_at", "id"])
    create_index("ix_poll_feed_id_polled_at_entries", "poll", ["feed_id", "polled_at", "entries_new"])
    drop_index("ix_poll_feed_id_polled_at", "poll")


def downgrade():
    create_index("ix_poll_feed_id_polled_at", "poll", ["feed_id", "polled_at"])
    drop_index("ix_poll_feed_id_polled_at_entries", "poll")
    drop_index("ix_entry_feed_id_first_seen_at", "entry")
