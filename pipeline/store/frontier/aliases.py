"""URLs that turn out to be another URL of an article that is stored."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.model import Page
from pipeline.schedule import PageUpdate
from pipeline.store.frontier import record_page
from pipeline.tables import ArticleRow, PageRow
from pipeline.urls import canonical_url


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
