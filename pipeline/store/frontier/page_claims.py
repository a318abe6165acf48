"""Pages that a worker claims, one attempt each, counted before anything is fetched."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.model import Page, Validators
from pipeline.store.connection.rows import core
from pipeline.store.frontier.aliases import was_announced
from pipeline.store.frontier.due_work import Scope, is_page_due, scope_parameters
from pipeline.store.frontier.routes import route_of
from pipeline.store.frontier.stored_credentials import load_page_credentials
from pipeline.store.schema.tables import ArticleRow, PageRow

_NO_VALIDATORS = Validators()


def claim_pages(
    connection: Connection, scope: Scope, host: str, owner: str, now: datetime, lease: timedelta, limit: int
) -> list[Page]:
    """Claim up to ``limit`` pages of this host that are due, the longest waiting first, and count an attempt of each.

    Three statements, however many pages: what was claimed and not asked for is given back
    (`pipeline.store.frontier.leases.give_back`).
    """
    values = {"until": scope.until, "max_attempts": scope.max_attempts, "backfill": scope.backfill, "now": now}
    rows = (
        connection.execute(_due(scope.backfill is not None), values | {"host": host, "limit": limit}).mappings().all()
    )
    if not rows:
        return []
    ids = [row["id"] for row in rows]
    connection.execute(_CLAIM, {"ids": ids, "until": now + lease, "owner": owner})
    pages = [_claimed_page(row) for row in rows]
    access = load_page_credentials(connection, host, pages)
    return [replace(page, access=access[page.id]) if page.id in access else page for page in pages]


@cache
def _due(is_backfill: bool) -> sa.Select[Any]:
    """The statement of what is claimed; building it for each claim would take longer than running it."""
    return (
        sa.select(
            PageRow.__table__,
            ArticleRow.published_at.label("article_published_at"),
            ArticleRow.first_seen_at.label("article_first_seen_at"),
            was_announced().label("has_entry"),
        )
        .outerjoin(ArticleRow, ArticleRow.page_id == PageRow.id)
        .where(PageRow.host == sa.bindparam("host"), is_page_due(*scope_parameters(is_backfill=is_backfill)))
        .order_by(PageRow.next_fetch_at, PageRow.id)
        .limit(sa.bindparam("limit", type_=sa.Integer))
        .with_for_update(skip_locked=True, of=PageRow.__table__)
    )


_CLAIM = (
    sa.update(core(PageRow))
    .where(PageRow.id.in_(sa.bindparam("ids", expanding=True)))
    .values(attempts=PageRow.attempts + 1, leased_until=sa.bindparam("until"), lease_owner=sa.bindparam("owner"))
)


def _claimed_page(row: sa.RowMapping) -> Page:
    is_stored = row["article_first_seen_at"] is not None
    # "Not modified" must say something: that the article is unchanged, or that there still is none. To what was asked
    # for in vain meanwhile it says nothing.
    is_conditional = is_stored or row["state"] == "rejected"
    return Page(
        id=row["id"],
        url=row["url"],
        host=row["host"],
        validators=Validators(row["etag"], row["last_modified"]) if is_conditional else _NO_VALIDATORS,
        attempts=row["attempts"] + 1,
        stored=is_stored,
        published_at=row["published_at"],
        published_from=row["published_from"],
        article_published_at=row["article_published_at"],
        first_seen_at=row["article_first_seen_at"],
        fetch_url=row["fetch_url"] if row["state"] == "queued" else None,
        route=route_of(row["route"]),
        since=row["fetched_at"] or row["discovered_at"],
        has_entry=bool(row["has_entry"]),
    )
