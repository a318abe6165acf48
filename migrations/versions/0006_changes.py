"""The log of changes, for readers who ask what changed since they last asked. Triggers fill it (pipeline.store.migrations.contract)."""

import sqlalchemy as sa
from alembic import op

from pipeline.store.schema.tables import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KINDS = "'new', 'revised', 'updated', 'duplicate', 'story', 'gone', 'back', 'deleted'"


def upgrade():
    op.create_table(
        "change",
        sa.Column(
            "cursor",
            sa.String(28),
            nullable=False,
            comment="place in the order of changes: 14 digits of the transaction (0 on SQLite), 14 of the change itself",
        ),
        sa.Column(
            "kind",
            sa.String(16),
            nullable=False,
            comment="new, revised (text or title), updated (other fields), duplicate (a copy of another article, or no longer one), story (belongs to another one), gone (the page went), back (it returned), deleted (taken down)",
        ),
        sa.Column("article_id", sa.BigInteger(), nullable=False, comment="the article; when deleted, its former id"),
        sa.Column("revision", sa.Integer(), comment="number of the revision, of the kinds new and revised"),
        sa.Column("url", sa.Text(), comment="canonical URL that it had; only of kind deleted"),
        sa.Column("site", sa.Text(), comment="site that it was of; only of kind deleted"),
        sa.Column(
            "changed_at", UtcDateTime(), nullable=False, comment="when the change was written, by the database's clock"
        ),
        sa.CheckConstraint(f"kind IN ({KINDS})", name="ck_change_kind"),
        sa.PrimaryKeyConstraint("cursor", name="pk_change"),
    )
    op.create_index("ix_change_article_id", "change", ["article_id"])
    op.create_index("ix_change_changed_at", "change", ["changed_at"])
    op.create_table(
        "change_clock",
        sa.Column("id", KEY, nullable=False),
        sa.Column(
            "shift",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="what is added to the server's transaction numbers",
        ),
        sa.Column("server", sa.String(40), comment="the server that the shift is for: its system identifier"),
        sa.PrimaryKeyConstraint("id", name="pk_change_clock"),
    )
    op.execute("INSERT INTO change_clock (id, shift) VALUES (1, 0)")
    if op.get_context().dialect.name == "postgresql":
        op.execute("CREATE SEQUENCE change_number")


def downgrade():
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP SEQUENCE change_number")
    op.drop_table("change_clock")
    op.drop_table("change")
