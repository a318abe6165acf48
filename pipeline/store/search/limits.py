"""What a search is limited to: by its own fields, by what the caller adds, and as the archive knows it."""

from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.errors import ConfigError
from pipeline.store.queries.page_record import require_known_sites
from pipeline.store.schema.tables import AddressRow, FeedRow
from pipeline.store.search.query import parse_query
from pipeline.store.search.query_fields import read_field
from pipeline.store.search.results import SearchFilters
from pipeline.store.search.terms import AllOf, FeedTerm, FieldTerm, Query, list_terms, split_limits
from pipeline.text.search_form import fold_for_search


def read_search(
    connection: Connection,
    query: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    site: str | None = None,
    language: str | None = None,
) -> tuple[Query, SearchFilters]:
    """What the index is asked for, and what the articles' rows are asked for beside that.

    Raises:
        QueryError: the query, or what it is limited to, cannot be understood.
        ConfigError: there never was an article of a site, or there is no such feed.
    """
    asked, given = split_limits(parse_query(query))
    assert asked is not None  # noqa: S101  # else it was refused
    added = [read_field(name, value) for name, value in (("site", site), ("language", language)) if value]
    if added:
        asked = AllOf((asked, *added))
    sites = (term.value for term in list_terms(asked) if isinstance(term, FieldTerm) and term.kind == "s")
    require_known_sites(connection, sites)
    limits = SearchFilters(since, until)
    for limit in given:
        if isinstance(limit, FeedTerm):
            feeds = match_feeds(connection, limit.name)
            limits = replace(limits, feeds=[feed for feed in feeds if limits.feeds is None or feed in limits.feeds])
        else:
            begins = [at for at in (limits.since, limit.period.since) if at]
            ends = [at for at in (limits.until, limit.period.until) if at]
            limits = replace(limits, since=max(begins, default=None), until=min(ends, default=None))
    return asked, limits


def match_feeds(connection: Connection, name: str) -> list[int]:
    """The numbers of the feeds that are meant: by number, address, or a part of either address or title.

    Raises:
        ConfigError: there is none.
    """
    exact = (
        sa.select(FeedRow.id)
        .where(FeedRow.url == name)
        .union(
            sa.select(AddressRow.feed_id).where(AddressRow.url == name),
            sa.select(FeedRow.id).where(FeedRow.id == (int(name) if name.isdecimal() and len(name) < 18 else -1)),
        )
    )
    ids = list(connection.scalars(exact))
    if not ids:
        part = fold_for_search(name)
        rows = connection.execute(sa.select(FeedRow.id, FeedRow.url, FeedRow.title).order_by(FeedRow.id))
        ids = [id_ for id_, url, title in rows if part in fold_for_search(url) or part in fold_for_search(title or "")]
    if not ids:
        raise ConfigError(f"no feed is {name!r}, by number, address or title; news feeds list shows them")
    return ids
