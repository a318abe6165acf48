"""Articles that only a feed has: what it carried stands in for a page that cannot be had."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.model import Announcement, Article, Decision
from pipeline.schedule.pages import PagePolicy, next_revisit_at
from pipeline.store.articles.saving import insert_article
from pipeline.store.frontier.leases import is_free
from pipeline.store.schema.tables import ArticleRow, EntryRow, FeedRow, PageRow

HIDDEN = ("script_shell", "login", "no_text", "too_short")
"""Reasons to reject a page behind which there may be an article all the same."""

WITHDRAWN = ("http_410", "http_451", "opt_out")
"""Reasons of a page that its publisher took back: what the feed carried is taken back too."""

MIN_CHARACTERS = 300
"""Shorter contents cannot hold an article; in Japanese this is a short one."""


def find_lost_announcements(connection: Connection, now: datetime, after: int, limit: int) -> list[Announcement]:
    """Contents of feeds for pages that cannot be had and have no article, in the order of the pages.

    Those of pages with an id above ``after``, so many pages at most; of each the longest content that a feed
    carried. Claims that have run out count for nothing.
    """
    failed = sa.and_(PageRow.state == "failed", sa.func.coalesce(PageRow.reason, "").not_in(WITHDRAWN))
    rejected = sa.and_(PageRow.state == "rejected", PageRow.reason.in_(HIDDEN))
    length = sa.func.length(EntryRow.content)
    chosen = (
        sa.select(PageRow.id)
        .where(PageRow.id > after, sa.or_(failed, rejected), is_free(PageRow, now))
        .where(~sa.exists().where(ArticleRow.page_id == PageRow.id))
        .where(sa.exists().where(EntryRow.page_id == PageRow.id, length >= MIN_CHARACTERS))
        .order_by(PageRow.id)
        .limit(limit)
    )
    query = (
        sa.select(*_CARRIED)
        .join(EntryRow, EntryRow.page_id == PageRow.id)
        .join(FeedRow, FeedRow.id == EntryRow.feed_id)
    )
    query = query.where(PageRow.id.in_(chosen), length >= MIN_CHARACTERS)
    announcements: dict[int, Announcement] = {}
    for row in connection.execute(query.order_by(PageRow.id, length.desc(), EntryRow.id)).mappings():
        announcements.setdefault(row["page_id"], _announcement(row))
    return list(announcements.values())


_CARRIED = (
    *(PageRow.id.label("page_id"), PageRow.url, PageRow.reason, PageRow.opt_out),
    *(EntryRow.content, EntryRow.title, EntryRow.summary, EntryRow.published_at, EntryRow.authors, EntryRow.tags),
    *(FeedRow.language, FeedRow.title.label("feed_title")),
)


def _announcement(row: sa.RowMapping) -> Announcement:
    values = dict(row) | {
        "reason": row["reason"] or "",
        "opt_out": tuple((row["opt_out"] or "").split()),
        "authors": tuple(row["authors"]),
        "tags": tuple(row["tags"]),
        "language": (row["language"] or "").partition("-")[0].lower() or None,
    }
    return Announcement(**values)


def save_announced_article(
    connection: Connection, announcement: Announcement, article: Article, now: datetime, policy: PagePolicy
) -> Decision | None:
    """Store the article for a page that cannot be had; the page keeps its reason, and is revisited like any other.

    None where the page has been had meanwhile, or is being tried again.
    """
    held = connection.scalar(
        sa.select(PageRow.id)
        .where(PageRow.id == announcement.page_id, PageRow.state.in_(("failed", "rejected")), is_free(PageRow, now))
        .with_for_update()
    )
    if held is None:
        return None
    decision = insert_article(connection, held, article, now)
    if decision is None:
        return None
    due = next_revisit_at(article.published_at, now, now, policy.revisits)
    connection.execute(
        sa.update(PageRow)
        .where(PageRow.id == held)
        .values(state="stored", outcome=decision, attempts=0, next_fetch_at=due, etag=None, last_modified=None)
    )
    return decision
