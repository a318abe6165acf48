"""What was taken down, as everything that stores asks for it: neither fetched nor stored nor announced again."""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.schedule.pages import PageUpdate
from pipeline.store.connection.rows import select_among
from pipeline.store.schema.tables import PageRow, TakedownRow
from pipeline.urls import host_of

TAKEN_DOWN = "taken_down"
"""The reason of pages that were taken down; their state is ``blocked``."""

BARRED = PageUpdate(
    state="blocked", outcome="blocked", next_fetch_at=None, reason=TAKEN_DOWN, detail="taken down on request"
)
"""What becomes of a page that leads to what was taken down."""

BARRED_PAGE = {
    "state": BARRED.state,
    "outcome": BARRED.outcome,
    "reason": BARRED.reason,
    "detail": BARRED.detail,
    "next_fetch_at": None,
    "leased_until": None,
    "lease_owner": None,
    "etag": None,
    "last_modified": None,
    "published_at": None,
    "alias_of": None,
}
"""What the row of a page that was taken down says."""


def is_open() -> sa.ColumnElement[bool]:
    """The page was not taken down."""
    return PageRow.reason.is_distinct_from(TAKEN_DOWN)


def barred_urls(connection: Connection, urls: Iterable[str]) -> set[str]:
    """Those of these canonical URLs that were taken down, each by itself or with its site."""
    asked = {url: _sites_of(url) for url in urls}
    if not asked or connection.scalar(sa.select(TakedownRow.id).limit(1)) is None:
        return set()
    sites = sorted({site for names in asked.values() for site in names})
    barred = _targets(connection, "url", sorted(asked)) | _targets(connection, "site", sites)
    return {url for url, names in asked.items() if url in barred or not barred.isdisjoint(names)}


def barred_pages(connection: Connection, page_ids: Iterable[int]) -> set[int]:
    """Those of these pages that were taken down."""
    query = sa.select(PageRow.id).where(~is_open())
    return {row.id for row in select_among(connection, query, PageRow.id, page_ids)}


def _targets(connection: Connection, scope: str, targets: list[str]) -> set[str]:
    query = sa.select(TakedownRow.target).where(TakedownRow.scope == scope)
    return {row.target for row in select_among(connection, query, TakedownRow.target, targets)}


def _sites_of(url: str) -> list[str]:
    """The host and those above it.

    >>> _sites_of("https://a.news.example:8443/1")
    ['a.news.example', 'news.example', 'example']
    """
    words = host_of(url).partition(":")[0].split(".")
    return [".".join(words[start:]) for start in range(len(words))]
