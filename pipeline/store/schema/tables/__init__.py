"""The schema: what is stored, in SQLAlchemy's typed declarative form, the same on SQLite and PostgreSQL.

Every comment below is also the column's documentation. The migrations in ``migrations/`` build exactly this;
a test compares them. Nothing here opens a connection.

Four kinds of tables: what is subscribed to (`FeedRow`, `AddressRow`, `SubscriptionRow`, `PollRow`, `EntryRow`), the
frontier, which is the ledger too (`HostRow`, `PageRow`), the archive (`ArticleRow`, `ArticleAuthorRow`,
`ArticleTagRow`, `ArticleCorrectionRow`, `RevisionRow`, `RawRow`), and what was taken out of it (`TakedownRow`).
"""

from pipeline.store.schema.tables.article_tables import (
    REVISION_KINDS,
    ArticleAuthorRow,
    ArticleCorrectionRow,
    ArticleRow,
    ArticleTagRow,
    RevisionRow,
)
from pipeline.store.schema.tables.backfill_tables import UNIT_STATES, BackfillJobRow, BackfillUnitRow
from pipeline.store.schema.tables.change_tables import CHANGE_KINDS, ChangeClockRow, ChangeRow
from pipeline.store.schema.tables.column_types import Json, JsonOrNull, Key, Table, UtcDateTime
from pipeline.store.schema.tables.feed_tables import (
    FEED_SECRETS,
    FEED_STATES,
    POLLED_STATES,
    SUBSCRIPTION_STATES,
    AddressRow,
    EntryRow,
    FeedRow,
    PollRow,
    SubscriptionRow,
)
from pipeline.store.schema.tables.page_tables import (
    PAGE_STATES,
    RAW_KINDS,
    TAKEDOWN_SCOPES,
    HostRow,
    PageRow,
    RawRow,
    TakedownRow,
)
from pipeline.store.schema.tables.story_tables import (
    BLOCK_VERDICTS,
    STORY_ROLES,
    ArticleStoryRow,
    SiteBlockRow,
    SiteRow,
    SketchRow,
)

__all__ = [
    "BLOCK_VERDICTS", "CHANGE_KINDS", "FEED_SECRETS", "FEED_STATES", "PAGE_STATES", "POLLED_STATES", "RAW_KINDS",
    "REVISION_KINDS", "STORY_ROLES", "SUBSCRIPTION_STATES", "TAKEDOWN_SCOPES", "UNIT_STATES", "AddressRow",
    "ArticleAuthorRow", "ArticleCorrectionRow", "ArticleRow", "ArticleStoryRow", "ArticleTagRow", "BackfillJobRow",
    "BackfillUnitRow", "ChangeClockRow", "ChangeRow", "EntryRow", "FeedRow", "HostRow", "Json", "JsonOrNull", "Key",
    "PageRow", "PollRow", "RawRow", "RevisionRow", "SiteBlockRow", "SiteRow", "SketchRow", "SubscriptionRow",
    "Table", "TakedownRow", "UtcDateTime",
]  # fmt: skip
