"""All that the archive knows of one URL, and the sites that it knows."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.errors import ConfigError
from pipeline.store.feeds.subscriptions import list_announcing_feeds
from pipeline.store.schema.tables import ArticleRow, ChangeRow, HostRow, PageRow, RevisionRow


def load_page_record(connection: Connection, url: str) -> dict[str, Any] | None:
    """Everything that is known of a canonical URL: ledger, feeds, article, revisions; None for one never seen."""
    asked = connection.execute(sa.select(PageRow.__table__).where(PageRow.url == url)).mappings().first()
    if asked is None:
        return None
    page = asked
    if asked["alias_of"] is not None:
        page = connection.execute(sa.select(PageRow.__table__).where(PageRow.id == asked["alias_of"])).mappings().one()
    article = (
        connection.execute(sa.select(ArticleRow.__table__).where(ArticleRow.page_id == page["id"])).mappings().first()
    )
    return {
        "url": url,
        "page": dict(page),
        "host": _host(connection, page["host"]),
        "alias_of": page["url"] if page is not asked else None,
        "aliases": list(connection.scalars(sa.select(PageRow.url).where(PageRow.alias_of == page["id"]))),
        "announced_by": [dict(row) for row in list_announcing_feeds(connection, page["id"])],
        "article": dict(article) if article else None,
        "duplicate_of": _url_of(connection, article["duplicate_of"]) if article else None,
        "revisions": _revisions(connection, article["id"]) if article else [],
    }


def _host(connection: Connection, name: str) -> dict[str, Any]:
    columns = (
        HostRow.name,
        HostRow.pause,
        HostRow.delay,
        HostRow.strain,
        HostRow.response_time,
        HostRow.next_fetch_at,
        HostRow.robots_status,
        HostRow.robots_fetched_at,
        HostRow.tdm_fetched_at,
    )
    return dict(connection.execute(sa.select(*columns).where(HostRow.name == name)).mappings().one())


def _url_of(connection: Connection, article_id: int | None) -> str | None:
    return connection.scalar(sa.select(ArticleRow.url).where(ArticleRow.id == article_id)) if article_id else None


def _revisions(connection: Connection, article_id: int) -> list[dict[str, Any]]:
    rows = connection.execute(
        sa.select(RevisionRow.__table__).where(RevisionRow.article_id == article_id).order_by(RevisionRow.number)
    )
    return [dict(row) for row in rows.mappings()]


def require_known_sites(connection: Connection, sites: Iterable[str]) -> None:
    """Make sure that there are, or were, articles of each of these sites.

    Raises ConfigError: there never was one; names the sites that are most like it.
    """
    for site in sites:
        present = sa.select(sa.exists().where(ArticleRow.site == site))
        taken_down = sa.select(sa.exists().where(ChangeRow.kind == "deleted", ChangeRow.site == site))
        if not connection.scalar(present) and not connection.scalar(taken_down):
            known = list(connection.scalars(sa.select(ArticleRow.site).distinct().order_by(ArticleRow.site)))
            raise ConfigError(f"no article is of the site {site!r}{_suggest(site, known)}")


def _suggest(site: str, known: list[str]) -> str:
    related = [name for name in known if name.endswith(f".{site}") or site.endswith(f".{name}")]
    similar = list(dict.fromkeys([*related, *get_close_matches(site, known, n=3)]))[:3]
    return f"; did you mean {' or '.join(similar)}?" if similar else ""
