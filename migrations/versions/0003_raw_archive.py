"""Where raw copies stand, what was taken down, and whether a revision is the publisher's or ours."""

import sqlalchemy as sa
from alembic import op

from pipeline.store.schema.tables import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade():
    op.create_table(
        "raw",
        sa.Column("id", KEY, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False, comment="page, or feed for a document that was polled"),
        sa.Column("page_id", KEY, comment="the page that was asked for; null for a feed"),
        sa.Column("feed_id", KEY, comment="the feed that was polled"),
        sa.Column("url", sa.Text(), nullable=False, comment="address that gave this answer, as requested"),
        sa.Column(
            "status", sa.Integer(), nullable=False, comment="HTTP status; those of redirects on the way have rows too"
        ),
        sa.Column("fetched_at", UtcDateTime(), nullable=False, comment="when it was fetched"),
        sa.Column("file", sa.String(200), nullable=False, comment="name of the WARC file below the archive's address"),
        sa.Column("file_offset", sa.BigInteger(), nullable=False, comment="first byte of the record in the file"),
        sa.Column("file_length", sa.Integer(), nullable=False, comment="bytes of the record in the file, compressed"),
        sa.Column("record_id", sa.String(36), nullable=False, comment="the record's WARC-Record-ID: a UUID"),
        sa.Column("digest", sa.String(48), nullable=False, comment="WARC-Payload-Digest: of the body as it was sent"),
        sa.Column("refers_to", KEY, comment="the earlier row that has the body, where this is a revisit record"),
        sa.Column(
            "cleaned_by",
            sa.String(40),
            comment="the unfinished run of `news reclean` that is done with it, to be gone on with",
        ),
        sa.Column(
            "dropped",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="whether the record is to be taken out of its file",
        ),
        sa.CheckConstraint("kind IN ('page', 'feed')", name="ck_raw_kind"),
        sa.ForeignKeyConstraint(["page_id"], ["page.id"], name="fk_raw_page_id"),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name="fk_raw_feed_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["refers_to"], ["raw.id"], name="fk_raw_refers_to"),
        sa.PrimaryKeyConstraint("id", name="pk_raw"),
    )
    for column in ("page_id", "feed_id", "fetched_at", "refers_to"):
        op.create_index(f"ix_raw_{column}", "raw", [column])
    op.create_index("ix_raw_file_file_offset", "raw", ["file", "file_offset"])
    op.create_index(
        "ix_raw_dropped", "raw", ["file"], sqlite_where=sa.text("dropped"), postgresql_where=sa.text("dropped")
    )
    op.create_table(
        "takedown",
        sa.Column("id", KEY, nullable=False),
        sa.Column("scope", sa.String(16), nullable=False, comment="url, or site for a host name and those below it"),
        sa.Column("target", sa.Text(), nullable=False, comment="the canonical URL or the host name"),
        sa.Column("note", sa.Text(), comment="why, in the words of whoever did it"),
        sa.Column("taken_down_at", UtcDateTime(), nullable=False, comment="when it was done"),
        sa.CheckConstraint("scope IN ('url', 'site')", name="ck_takedown_scope"),
        sa.PrimaryKeyConstraint("id", name="pk_takedown"),
        sa.UniqueConstraint("target", "scope", name="uq_takedown_target_scope"),
    )
    op.add_column(
        "revision",
        sa.Column(
            "cause",
            sa.String(16),
            server_default="publisher",
            nullable=False,
            comment="who changed it: publisher, or reclean where our rules read the same page otherwise",
        ),
    )


def downgrade():
    op.drop_column("revision", "cause")
    for table in ("takedown", "raw"):
        op.drop_table(table)
