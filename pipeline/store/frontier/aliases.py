"""URLs that turn out to be another URL of an article that is stored."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.model import NEWS_SOURCES, Page
from pipeline.schedule.pages import PageUpdate
from pipeline.store.frontier.page_outcomes import record_page
from pipeline.store.schema.tables import ArticleRow, EntryRow, PageRow
from pipeline.urls import canonical_url


def was_announced() -> sa.ColumnElement[bool]:
    """In a query of pages: whether a feed or a news sitemap announced the page, its home or another alias of that."""
    family, home = PageRow.__table__.alias(), sa.func.coalesce(PageRow.alias_of, PageRow.id)
    return sa.exists().where(
        sa.or_(family.c.id == home, family.c.alias_of == home),
        sa.or_(family.c.published_from.in_(sorted(NEWS_SOURCES)), sa.exists().where(EntryRow.page_id == family.c.id)),
    )


def settle_page(connection: Connection, page: Page, owner: str, target: str, now: datetime) -> str | None:
    """Make a page that leads to an article which is stored an alias of it; returns the article's URL.

    None where there is no such article, or the page has one itself: that one never moves.
    """
    if page.stored:
        return None
    try:
        url = canonical_url(target)
    except ValueError:
        return None
    there = sa.select(sa.func.coalesce(PageRow.alias_of, PageRow.id)).where(PageRow.url == url).scalar_subquery()
    home = connection.execute(
        sa.select(PageRow.id, PageRow.url)
        .join(ArticleRow, ArticleRow.page_id == PageRow.id)
        .where(PageRow.id == there, PageRow.state == "stored", PageRow.id != page.id)
    ).first()
    if home is None:
        return None
    update = PageUpdate(state="alias", outcome="unchanged", next_fetch_at=None, detail=f"leads to {target}")
    if not record_page(connection, page, owner, update, now):
        return None
    leads_here = sa.or_(PageRow.id == page.id, PageRow.alias_of == page.id)
    connection.execute(sa.update(PageRow).where(leads_here).values(alias_of=home.id))
    return str(home.url)
