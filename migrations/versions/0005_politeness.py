"""What a host bears, what its tdmrep.json says, and where redirects to another host lead.

Columns are only added, those that may not be null with a constant default: no table is written anew for it.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from pipeline.store.schema.tables import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
HOST = "server of the {}; that of route while there is one"
ROUTE = "where a redirect to another host leads, until that has been asked: url, hops so far"
OWNERS = {"feed": "address", "page": "URL"}


def upgrade():
    op.add_column(
        "host",
        sa.Column(
            "pause",
            sa.Double(),
            server_default=sa.text("0"),
            nullable=False,
            comment="seconds that were last left between requests: NEWS_HOST_DELAY or delay at least, longer for slow ones",
        ),
    )
    op.add_column(
        "host",
        sa.Column(
            "strain",
            sa.Double(),
            server_default=sa.text("1"),
            nullable=False,
            comment="factor that the pause is widened by: doubled by each 429, 503, time-out; good answers lower it to 1",
        ),
    )
    op.add_column(
        "host", sa.Column("response_time", sa.Double(), comment="seconds that an answer takes, a moving average")
    )
    op.add_column(
        "host", sa.Column("tdm", sa.Text(), comment="the last /.well-known/tdmrep.json; empty where there is none")
    )
    op.add_column("host", sa.Column("tdm_fetched_at", UtcDateTime(), comment="when that was last asked for"))
    for table, owner in OWNERS.items():
        op.add_column(table, sa.Column("route", JSON, comment=ROUTE))
        _comment(table, HOST.format(owner))


def downgrade():
    for table, owner in OWNERS.items():
        _comment(table, f"server of the {owner}")
        op.drop_column(table, "route")
    for column in ("tdm_fetched_at", "tdm", "response_time", "strain", "pause"):
        op.drop_column("host", column)


def _comment(table, comment):
    if op.get_context().dialect.name == "postgresql":  # SQLite keeps none, and would copy the table for it
        op.alter_column(table, "host", existing_type=sa.String(320), existing_nullable=False, comment=comment)
