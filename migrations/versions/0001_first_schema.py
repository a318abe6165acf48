"""first schema

Revision: 0001
Follows: none
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "host",
        sa.Column(
            "name",
            sa.String(length=320),
            nullable=False,
            comment="authority in lower case: host, and port where not the default",
        ),
        sa.Column(
            "next_fetch_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="no request to this host before this time",
        ),
        sa.Column(
            "delay",
            sa.Double(),
            server_default=sa.text("0"),
            nullable=False,
            comment="seconds between requests that the host asks for (crawl-delay)",
        ),
        sa.Column(
            "failures",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="robots.txt fetches in a row that failed",
        ),
        sa.Column("robots", sa.Text(), nullable=True, comment="the last robots.txt; empty where there is none"),
        sa.Column("robots_status", sa.Integer(), nullable=True, comment="HTTP status of the last robots.txt"),
        sa.Column(
            "robots_fetched_at", sa.DateTime(timezone=True), nullable=True, comment="when robots.txt was last read"
        ),
        sa.Column(
            "leased_until", sa.DateTime(timezone=True), nullable=True, comment="the claim on this host ends then"
        ),
        sa.Column("lease_owner", sa.Text(), nullable=True, comment="the worker that holds the claim"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_host")),
    )
    with op.batch_alter_table("host", schema=None) as batch_op:
        batch_op.create_index("ix_host_next_fetch_at", ["next_fetch_at"], unique=False)

    op.create_table(
        "feed",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("url", sa.Text(), nullable=False, comment="address as subscribed; fetched literally"),
        sa.Column("host", sa.String(length=320), nullable=False, comment="server of the address"),
        sa.Column("title", sa.Text(), nullable=True, comment="title: the subscriber's if given, else the feed's own"),
        sa.Column("site_url", sa.Text(), nullable=True, comment="the page that the feed belongs to"),
        sa.Column(
            "tags",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            server_default=sa.text("'[]'"),
            nullable=False,
            comment="folders and labels",
        ),
        sa.Column("language", sa.Text(), nullable=True, comment="language that the feed declares"),
        sa.Column(
            "state",
            sa.String(length=16),
            server_default=sa.text("'active'"),
            nullable=False,
            comment="active (its last poll was answered), failing (it was not), gone (404 or 410 for long; asked rarely), moved (merged into the feed in moved_to), paused (by the user)",
        ),
        sa.Column("etag", sa.Text(), nullable=True, comment="validator for the next conditional GET"),
        sa.Column("last_modified", sa.Text(), nullable=True, comment="validator for the next conditional GET"),
        sa.Column(
            "body_hash", sa.String(length=64), nullable=True, comment="SHA-256 of the last document that was read"
        ),
        sa.Column("hub_url", sa.Text(), nullable=True, comment="WebSub hub that the feed announces"),
        sa.Column("topic_url", sa.Text(), nullable=True, comment="the feed's own name at the hub, where it gives one"),
        sa.Column(
            "moved_to",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
            comment="the feed that this one was merged into",
        ),
        sa.Column(
            "interval",
            sa.Double(),
            nullable=False,
            comment="seconds between two polls; adapted to what the feed publishes",
        ),
        sa.Column("rate", sa.Double(), nullable=True, comment="new entries a day, a moving average"),
        sa.Column(
            "longest_interval",
            sa.Double(),
            nullable=True,
            comment="seconds after which entries might fall out of the feed unseen; null where there is no such danger",
        ),
        sa.Column(
            "ttl", sa.Double(), nullable=True, comment="seconds for which the feed says that it may be kept (ttl)"
        ),
        sa.Column(
            "update_period", sa.Double(), nullable=True, comment="seconds between two updates by the feed's word (sy:)"
        ),
        sa.Column("next_poll_at", sa.DateTime(timezone=True), nullable=False, comment="due from this time on"),
        sa.Column(
            "failures", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="failed polls in a row"
        ),
        sa.Column(
            "strain",
            sa.Double(),
            server_default=sa.text("0"),
            nullable=False,
            comment="weight of these failures: hard 1, soft 1/2, temporary 1/4 each",
        ),
        sa.Column(
            "missing_since", sa.DateTime(timezone=True), nullable=True, comment="since when the server says 404 or 410"
        ),
        sa.Column(
            "rediscover_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="for a feed that has gone: when its site is to be searched for another address",
        ),
        sa.Column(
            "target_url", sa.Text(), nullable=True, comment="where the address leads to for good (301, 308), if it does"
        ),
        sa.Column(
            "redirects",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="answered polls in a row that led there; after some it is adopted",
        ),
        sa.Column(
            "window",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="entries in the last document that was read",
        ),
        sa.Column(
            "rolls",
            sa.Boolean(),
            server_default=sa.text("(false)"),
            nullable=False,
            comment="whether old entries fall out as new ones come",
        ),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True, comment="last poll that was answered"),
        sa.Column("news_at", sa.DateTime(timezone=True), nullable=True, comment="last poll that brought new entries"),
        sa.Column("last_polled_at", sa.DateTime(timezone=True), nullable=True, comment="when it was last polled"),
        sa.Column("last_outcome", sa.String(length=40), nullable=True, comment="outcome of the last poll"),
        sa.Column("last_error", sa.Text(), nullable=True, comment="what went wrong in the last poll"),
        sa.Column(
            "leased_until", sa.DateTime(timezone=True), nullable=True, comment="the claim on this feed ends then"
        ),
        sa.Column("lease_owner", sa.Text(), nullable=True, comment="the worker that holds the claim"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, comment="when it was subscribed to"),
        sa.CheckConstraint("state IN ('active', 'failing', 'gone', 'moved', 'paused')", name=op.f("ck_feed_state")),
        sa.ForeignKeyConstraint(["host"], ["host.name"], name=op.f("fk_feed_host")),
        sa.ForeignKeyConstraint(["moved_to"], ["feed.id"], name=op.f("fk_feed_moved_to"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed")),
        sa.UniqueConstraint("url", name=op.f("uq_feed_url")),
    )
    with op.batch_alter_table("feed", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_feed_host"), ["host"], unique=False)
        batch_op.create_index(batch_op.f("ix_feed_moved_to"), ["moved_to"], unique=False)
        batch_op.create_index(batch_op.f("ix_feed_next_poll_at"), ["next_poll_at"], unique=False)

    op.create_table(
        "page",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("url", sa.Text(), nullable=False, comment="canonical URL"),
        sa.Column("host", sa.String(length=320), nullable=False, comment="server of the URL"),
        sa.Column(
            "state",
            sa.String(length=16),
            server_default=sa.text("'queued'"),
            nullable=False,
            comment="queued (not yet fetched with success), stored (article in the archive), alias (another URL of the page in alias_of), rejected (holds no article), failed (given up), blocked (robots.txt), gone (404 or 410)",
        ),
        sa.Column(
            "outcome",
            sa.String(length=40),
            nullable=True,
            comment="what the last fetch came to: new, revised, unchanged, duplicate, not_modified, error",
        ),
        sa.Column(
            "reason", sa.String(length=40), nullable=True, comment="why the state is what it is, one word to group by"
        ),
        sa.Column("detail", sa.Text(), nullable=True, comment="the reason in words"),
        sa.Column(
            "attempts",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="claims since the last success; a claim counts before it fetches",
        ),
        sa.Column(
            "next_fetch_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="due from this time on, for the first fetch, a retry or a revisit; null: never again by itself",
        ),
        sa.Column(
            "leased_until", sa.DateTime(timezone=True), nullable=True, comment="the claim on this page ends then"
        ),
        sa.Column("lease_owner", sa.Text(), nullable=True, comment="the worker that holds the claim"),
        sa.Column("status", sa.Integer(), nullable=True, comment="HTTP status of the last answer"),
        sa.Column("etag", sa.Text(), nullable=True, comment="validator for the next conditional GET"),
        sa.Column("last_modified", sa.Text(), nullable=True, comment="validator for the next conditional GET"),
        sa.Column("bytes", sa.Integer(), nullable=True, comment="size of the last body after decompression"),
        sa.Column(
            "robots",
            sa.String(length=16),
            nullable=True,
            comment="what robots.txt said at the last fetch: allowed, forbidden or unreachable",
        ),
        sa.Column(
            "opt_out",
            sa.Text(),
            nullable=True,
            comment="signals of the last answer that reserve rights, separated by blanks: noai, noarchive, noimageai, tdm; empty for none, null before the first answer",
        ),
        sa.Column(
            "published_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="publication as announced by the first feed",
        ),
        sa.Column("discovered_at", sa.DateTime(timezone=True), nullable=False, comment="when the URL was first seen"),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True, comment="when it was last asked for"),
        sa.Column(
            "gone_at", sa.DateTime(timezone=True), nullable=True, comment="since when the server says that it has gone"
        ),
        sa.Column(
            "alias_of",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
            comment="the page that this URL leads to (redirect or rel=canonical)",
        ),
        sa.CheckConstraint(
            "state IN ('queued', 'stored', 'alias', 'rejected', 'failed', 'blocked', 'gone')",
            name=op.f("ck_page_state"),
        ),
        sa.ForeignKeyConstraint(["alias_of"], ["page.id"], name=op.f("fk_page_alias_of")),
        sa.ForeignKeyConstraint(["host"], ["host.name"], name=op.f("fk_page_host")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_page")),
        sa.UniqueConstraint("url", name=op.f("uq_page_url")),
    )
    with op.batch_alter_table("page", schema=None) as batch_op:
        batch_op.create_index("ix_page_alias_of", ["alias_of"], unique=False)
        batch_op.create_index(
            "ix_page_due",
            ["host", "next_fetch_at"],
            unique=False,
            sqlite_where=sa.text("next_fetch_at IS NOT NULL"),
            postgresql_where=sa.text("next_fetch_at IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_page_leased_until",
            ["leased_until"],
            unique=False,
            sqlite_where=sa.text("leased_until IS NOT NULL"),
            postgresql_where=sa.text("leased_until IS NOT NULL"),
        )
        batch_op.create_index("ix_page_state_reason", ["state", "reason"], unique=False)

    op.create_table(
        "address",
        sa.Column("url", sa.Text(), nullable=False, comment="the former address"),
        sa.Column("feed_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, comment="the feed"),
        sa.Column(
            "reason", sa.String(length=40), nullable=False, comment="redirect (301 or 308), merged or rediscovered"
        ),
        sa.Column("detail", sa.Text(), nullable=True, comment="what the change of address rests on"),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=False, comment="when the feed took another address"),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name=op.f("fk_address_feed_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("url", name=op.f("pk_address")),
    )
    with op.batch_alter_table("address", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_address_feed_id"), ["feed_id"], unique=False)

    op.create_table(
        "article",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "page_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="the page that it is on",
        ),
        sa.Column("url", sa.Text(), nullable=False, comment="canonical URL"),
        sa.Column("site", sa.Text(), nullable=False, comment="host name without www., to group by"),
        sa.Column("title", sa.Text(), nullable=True, comment="headline"),
        sa.Column("text", sa.Text(), nullable=False, comment="cleaned text, paragraphs joined by a blank line"),
        sa.Column(
            "authors",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
            comment="names in order (article_author has a row for each)",
        ),
        sa.Column(
            "tags",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
            comment="as the page has them (article_tag has a row for each)",
        ),
        sa.Column(
            "published_at", sa.DateTime(timezone=True), nullable=True, comment="publication, as the page or feed says"
        ),
        sa.Column("modified_at", sa.DateTime(timezone=True), nullable=True, comment="last change, as the page says"),
        sa.Column("language", sa.String(length=16), nullable=True, comment="ISO 639-1"),
        sa.Column("section", sa.Text(), nullable=True, comment="section or desk"),
        sa.Column("description", sa.Text(), nullable=True, comment="the page's own summary"),
        sa.Column("image", sa.Text(), nullable=True, comment="URL of the main picture"),
        sa.Column("word_count", sa.Integer(), nullable=False, comment="words in the text"),
        sa.Column("content_hash", sa.String(length=64), nullable=False, comment="SHA-256 of the normalised text"),
        sa.Column(
            "duplicate_of",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
            comment="the first article with the same text; null for the first itself",
        ),
        sa.Column(
            "removed",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
            comment='what cleaning took out: [{"text": …, "reason": …}]',
        ),
        sa.Column("extractor", sa.String(length=40), nullable=False, comment="what made the text"),
        sa.Column("extractor_version", sa.String(length=40), nullable=False, comment="its version"),
        sa.Column(
            "page_class",
            sa.String(length=16),
            server_default="article",
            nullable=False,
            comment="article, paywall (only the beginning of it) or live_blog",
        ),
        sa.Column(
            "source",
            sa.String(length=16),
            server_default="page",
            nullable=False,
            comment="page, or feed where the page cannot be had and the feed carried the text",
        ),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False, comment="when it was first stored"),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, comment="when anything of it last changed"),
        sa.ForeignKeyConstraint(["duplicate_of"], ["article.id"], name=op.f("fk_article_duplicate_of")),
        sa.ForeignKeyConstraint(["page_id"], ["page.id"], name=op.f("fk_article_page_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article")),
        sa.UniqueConstraint("page_id", name=op.f("uq_article_page_id")),
    )
    with op.batch_alter_table("article", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_article_content_hash"), ["content_hash"], unique=False)
        batch_op.create_index(batch_op.f("ix_article_duplicate_of"), ["duplicate_of"], unique=False)
        batch_op.create_index(batch_op.f("ix_article_first_seen_at"), ["first_seen_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_article_published_at"), ["published_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_article_site"), ["site"], unique=False)
        batch_op.create_index(batch_op.f("ix_article_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("feed_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, comment="the feed"),
        sa.Column("guid", sa.Text(), nullable=False, comment="the entry's identity within the feed"),
        sa.Column(
            "page_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
            comment="the page announced; null where the entry has no usable link",
        ),
        sa.Column("title", sa.Text(), nullable=True, comment="title as announced"),
        sa.Column("summary", sa.Text(), nullable=True, comment="summary as announced, plain text"),
        sa.Column(
            "content",
            sa.Text(),
            nullable=True,
            comment="full text as announced, paragraphs joined by a blank line; stands in for a page that cannot be had",
        ),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True, comment="publication as announced"),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True, comment="last change as announced"),
        sa.Column(
            "is_future",
            sa.Boolean(),
            server_default=sa.text("(false)"),
            nullable=False,
            comment="whether it was dated ahead of the poll that stored it",
        ),
        sa.Column("hash", sa.String(length=64), nullable=False, comment="of what was announced, to notice a change"),
        sa.Column(
            "changes",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="how often the announcement was changed",
        ),
        sa.Column(
            "first_seen_at", sa.DateTime(timezone=True), nullable=False, comment="poll in which it first appeared"
        ),
        sa.Column(
            "last_seen_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="last poll in which it stood with a new or changed content",
        ),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name=op.f("fk_entry_feed_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["page_id"], ["page.id"], name=op.f("fk_entry_page_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry")),
        sa.UniqueConstraint("feed_id", "guid", name=op.f("uq_entry_feed_id_guid")),
    )
    with op.batch_alter_table("entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_entry_page_id"), ["page_id"], unique=False)

    op.create_table(
        "poll",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "feed_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, comment="the feed polled"
        ),
        sa.Column("polled_at", sa.DateTime(timezone=True), nullable=False, comment="when the request began"),
        sa.Column("status", sa.Integer(), nullable=True, comment="HTTP status; null when there was no answer"),
        sa.Column(
            "outcome", sa.String(length=40), nullable=False, comment="read, unchanged, or the reason of the failure"
        ),
        sa.Column("entries_seen", sa.Integer(), nullable=False, comment="entries in the document"),
        sa.Column("entries_new", sa.Integer(), nullable=False, comment="entries never seen before in this feed"),
        sa.Column("entries_changed", sa.Integer(), nullable=False, comment="entries announced otherwise than before"),
        sa.Column("entries_skipped", sa.Integer(), nullable=False, comment="entries that could not be used"),
        sa.Column(
            "missed",
            sa.Boolean(),
            server_default=sa.text("(false)"),
            nullable=False,
            comment="whether entries were missed before this poll: it shares none with the poll before, and the feed rolls",
        ),
        sa.Column("bytes", sa.Integer(), nullable=False, comment="size of the document after decompression"),
        sa.Column("duration", sa.Double(), nullable=True, comment="seconds from request to last byte"),
        sa.Column("error", sa.Text(), nullable=True, comment="what went wrong, or what was malformed"),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name=op.f("fk_poll_feed_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_poll")),
    )
    with op.batch_alter_table("poll", schema=None) as batch_op:
        batch_op.create_index("ix_poll_feed_id_polled_at", ["feed_id", "polled_at"], unique=False)
        batch_op.create_index(
            "ix_poll_missed",
            ["polled_at"],
            unique=False,
            sqlite_where=sa.text("missed"),
            postgresql_where=sa.text("missed"),
        )

    op.create_table(
        "subscription",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "feed_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
            comment="the feed to poll at a push; null for one that is being ended",
        ),
        sa.Column("hub_url", sa.Text(), nullable=False, comment="the hub"),
        sa.Column("topic_url", sa.Text(), nullable=False, comment="what is subscribed to, as asked of the hub"),
        sa.Column("token", sa.String(length=64), nullable=False, comment="last part of the callback URL; a secret too"),
        sa.Column("secret", sa.String(length=128), nullable=False, comment="key of the signatures of pushes"),
        sa.Column(
            "state",
            sa.String(length=16),
            server_default=sa.text("'pending'"),
            nullable=False,
            comment="pending (asked for), active (verified), denied (the hub refuses), leaving (being ended)",
        ),
        sa.Column(
            "attempts",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="requests to the hub since it last verified one",
        ),
        sa.Column(
            "next_request_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="when the hub is to be asked (again), or the lease to be renewed",
        ),
        sa.Column(
            "verified_at", sa.DateTime(timezone=True), nullable=True, comment="when the hub last verified the intent"
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True, comment="end of the lease"),
        sa.Column(
            "pushes", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="pushes with a good signature"
        ),
        sa.Column(
            "pushes_refused",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="pushes ignored for a bad signature or none",
        ),
        sa.Column("last_push_at", sa.DateTime(timezone=True), nullable=True, comment="when the last good push came"),
        sa.Column("last_error", sa.Text(), nullable=True, comment="what the hub last refused, or what went wrong"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, comment="when it was first wanted"),
        sa.CheckConstraint("state IN ('pending', 'active', 'denied', 'leaving')", name=op.f("ck_subscription_state")),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name=op.f("fk_subscription_feed_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
        sa.UniqueConstraint("feed_id", name=op.f("uq_subscription_feed_id")),
        sa.UniqueConstraint("token", name=op.f("uq_subscription_token")),
    )
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_subscription_next_request_at"), ["next_request_at"], unique=False)

    op.create_table(
        "article_author",
        sa.Column("article_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False, comment="place in the by-line, from 0"),
        sa.Column("name", sa.Text(), nullable=False, comment="the person's name"),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name=op.f("fk_article_author_article_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("article_id", "position", name=op.f("pk_article_author")),
    )
    with op.batch_alter_table("article_author", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_article_author_name"), ["name"], unique=False)

    op.create_table(
        "article_tag",
        sa.Column("article_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False, comment="as the page or the feed has it"),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name=op.f("fk_article_tag_article_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("article_id", "tag", name=op.f("pk_article_tag")),
    )
    with op.batch_alter_table("article_tag", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_article_tag_tag"), ["tag"], unique=False)

    op.create_table(
        "revision",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "article_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, comment="the article"
        ),
        sa.Column("number", sa.Integer(), nullable=False, comment="1 for what was first stored"),
        sa.Column("changed", sa.String(length=16), nullable=False, comment="first, title, text or both"),
        sa.Column("title", sa.Text(), nullable=True, comment="headline as of this revision"),
        sa.Column("text", sa.Text(), nullable=False, comment="cleaned text as of this revision"),
        sa.Column("word_count", sa.Integer(), nullable=False, comment="words in the text"),
        sa.Column("content_hash", sa.String(length=64), nullable=False, comment="SHA-256 of the normalised text"),
        sa.Column(
            "removed",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
            comment="what cleaning took out then",
        ),
        sa.Column("extractor", sa.String(length=40), nullable=False, comment="what made the text"),
        sa.Column("extractor_version", sa.String(length=40), nullable=False, comment="its version"),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False, comment="when this revision was fetched"),
        sa.CheckConstraint("changed IN ('first', 'title', 'text', 'both')", name=op.f("ck_revision_changed")),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name=op.f("fk_revision_article_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revision")),
        sa.UniqueConstraint("article_id", "number", name=op.f("uq_revision_article_id_number")),
    )
    with op.batch_alter_table("revision", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_revision_seen_at"), ["seen_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("revision", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_revision_seen_at"))

    op.drop_table("revision")
    with op.batch_alter_table("article_tag", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_article_tag_tag"))

    op.drop_table("article_tag")
    with op.batch_alter_table("article_author", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_article_author_name"))

    op.drop_table("article_author")
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_subscription_next_request_at"))

    op.drop_table("subscription")
    with op.batch_alter_table("poll", schema=None) as batch_op:
        batch_op.drop_index("ix_poll_missed", sqlite_where=sa.text("missed"), postgresql_where=sa.text("missed"))
        batch_op.drop_index("ix_poll_feed_id_polled_at")

    op.drop_table("poll")
    with op.batch_alter_table("entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_entry_page_id"))

    op.drop_table("entry")
    with op.batch_alter_table("article", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_article_updated_at"))
        batch_op.drop_index(batch_op.f("ix_article_site"))
        batch_op.drop_index(batch_op.f("ix_article_published_at"))
        batch_op.drop_index(batch_op.f("ix_article_first_seen_at"))
        batch_op.drop_index(batch_op.f("ix_article_duplicate_of"))
        batch_op.drop_index(batch_op.f("ix_article_content_hash"))

    op.drop_table("article")
    with op.batch_alter_table("address", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_address_feed_id"))

    op.drop_table("address")
    with op.batch_alter_table("page", schema=None) as batch_op:
        batch_op.drop_index("ix_page_state_reason")
        batch_op.drop_index(
            "ix_page_leased_until",
            sqlite_where=sa.text("leased_until IS NOT NULL"),
            postgresql_where=sa.text("leased_until IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_page_due",
            sqlite_where=sa.text("next_fetch_at IS NOT NULL"),
            postgresql_where=sa.text("next_fetch_at IS NOT NULL"),
        )
        batch_op.drop_index("ix_page_alias_of")

    op.drop_table("page")
    with op.batch_alter_table("feed", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_feed_next_poll_at"))
        batch_op.drop_index(batch_op.f("ix_feed_moved_to"))
        batch_op.drop_index(batch_op.f("ix_feed_host"))

    op.drop_table("feed")
    with op.batch_alter_table("host", schema=None) as batch_op:
        batch_op.drop_index("ix_host_next_fetch_at")

    op.drop_table("host")
