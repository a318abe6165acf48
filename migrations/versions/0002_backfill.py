"""Backfill jobs and units; pages that wait behind what is live, and who says when they were published."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from pipeline.store.schema.tables import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade():
    op.create_table(
        "backfill_job",
        sa.Column("id", KEY, nullable=False),
        sa.Column(
            "key",
            sa.String(64),
            comment="hash of what was asked for: the same again goes on; null once finished, so that it may be asked anew",
        ),
        sa.Column(
            "source",
            sa.String(16),
            nullable=False,
            comment="sitemap, warc, ccnews, wayback, feed, html, or verify (holes that were queued)",
        ),
        sa.Column("targets", JSON, nullable=False, comment="sites, addresses or files, as given"),
        sa.Column("since", UtcDateTime(), comment="begin of the range; null for none"),
        sa.Column("until", UtcDateTime(), comment="end of the range, itself outside; null for none"),
        sa.Column("options", JSON, nullable=False, comment="the other options: sites, languages, limit …"),
        sa.Column("created_at", UtcDateTime(), nullable=False, comment="when it was first asked for"),
        sa.Column("finished_at", UtcDateTime(), comment="when its last unit and page were done"),
        sa.PrimaryKeyConstraint("id", name="pk_backfill_job"),
        sa.UniqueConstraint("key", name="uq_backfill_job_key"),
    )
    op.create_table(
        "backfill_unit",
        sa.Column("id", KEY, nullable=False),
        sa.Column("job_id", KEY, nullable=False, comment="the job"),
        sa.Column("kind", sa.String(16), nullable=False, comment="site, sitemap, month, file, query, feed or folder"),
        sa.Column("address", sa.Text(), nullable=False, comment="its URL or path"),
        sa.Column("depth", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="indexes above it"),
        sa.Column(
            "state",
            sa.String(16),
            server_default=sa.text("'queued'"),
            nullable=False,
            comment="queued (not yet, or in part), done, failed (given up)",
        ),
        sa.Column(
            "position",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="how much of it is done: the byte of a file, the number of a page or line",
        ),
        sa.Column("cursor", sa.Text(), comment="what to ask for next, where a server says so"),
        sa.Column("counts", JSON, nullable=False, comment="what it came to so far: numbers by outcome"),
        sa.Column(
            "attempts",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="claims since it last got on; a claim counts before it reads",
        ),
        sa.Column("due_at", UtcDateTime(), nullable=False, comment="not before this time"),
        sa.Column("reason", sa.String(40), comment="what went wrong last, one word to group by"),
        sa.Column("detail", sa.Text(), comment="the reason in words"),
        sa.Column("leased_until", UtcDateTime(), comment="the claim on this unit ends then"),
        sa.Column("lease_owner", sa.Text(), comment="the worker that holds the claim"),
        sa.CheckConstraint("state IN ('queued', 'done', 'failed')", name="ck_backfill_unit_state"),
        sa.ForeignKeyConstraint(["job_id"], ["backfill_job.id"], name="fk_backfill_unit_job_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_backfill_unit"),
        sa.UniqueConstraint("job_id", "address", name="uq_backfill_unit_job_id_address"),
    )
    op.create_index("ix_backfill_unit_job_id_state_due_at", "backfill_unit", ["job_id", "state", "due_at"])
    op.add_column(
        "page",
        sa.Column(
            "published_from",
            sa.String(40),
            comment="who says published_at: feed, news_sitemap, lastmod, url, index or capture; null for a feed of before",
        ),
    )
    op.add_column(
        "page",
        sa.Column(
            "backfill_id", KEY, comment="the backfill job in whose queue it waits, behind what is live; null for none"
        ),
    )
    op.add_column(
        "page",
        sa.Column(
            "fetch_url",
            sa.Text(),
            comment="an archive's copy that a backfill fetches, or has fetched, instead of the URL",
        ),
    )
    op.add_column(
        "article",
        sa.Column(
            "published_from",
            sa.String(40),
            comment="what says published_at: json-ld, url … of the page, or what announced it (page.published_from)",
        ),
    )
    _replace_due(["backfill_id", "host", "next_fetch_at"])


def downgrade():
    _replace_due(["host", "next_fetch_at"])
    op.drop_column("article", "published_from")
    for column in ("fetch_url", "backfill_id", "published_from"):
        op.drop_column("page", column)
    op.drop_index("ix_backfill_unit_job_id_state_due_at", "backfill_unit")
    op.drop_table("backfill_unit")
    op.drop_table("backfill_job")


def _replace_due(columns):
    """The index of what is due, with other columns; the table may be large, and is in use."""
    is_due = sa.text("next_fetch_at IS NOT NULL")
    context = op.get_context()
    if context.dialect.name == "postgresql":
        with context.autocommit_block():
            op.drop_index("ix_page_due_new", "page", if_exists=True)  # what a build that was broken off has left
            op.create_index("ix_page_due_new", "page", columns, postgresql_where=is_due, postgresql_concurrently=True)
            op.drop_index("ix_page_due", "page", postgresql_concurrently=True, if_exists=True)
            op.execute("ALTER INDEX ix_page_due_new RENAME TO ix_page_due")
    else:
        op.drop_index("ix_page_due", "page")
        op.create_index("ix_page_due", "page", columns, sqlite_where=is_due)
