"""Failed pages put back into the queue by reason."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.orm import InstrumentedAttribute

from pipeline.errors import ConfigError
from pipeline.errors.failure_reasons import UNREACHED
from pipeline.store.connection.rows import batches
from pipeline.store.frontier.barred import is_open
from pipeline.store.frontier.leases import is_free
from pipeline.store.schema.tables import ArticleRow, FeedRow, HostRow, PageRow

REVIVE_AFTER = timedelta(hours=1)
"""A host that answers again, but not for robots.txt, is not asked for it by each run."""

CLOCK_SKEW = timedelta(minutes=5)
"""Clocks of the machines of one archive may differ by as much."""

REVIVE_EVERY = timedelta(days=1)
REVIVE_FOR = timedelta(days=14)
"""From the discovery of a page on, as long as the host of no feed tells of its."""


def is_of_site(host: sa.ColumnElement[str] | InstrumentedAttribute[str], site: str) -> sa.ColumnElement[bool]:
    """The host, which may have a port, is this one or below it."""
    named = [host == site, host.startswith(f"{site}:", autoescape=True)]
    below = [host.endswith(f".{site}", autoescape=True), host.contains(f".{site}:", autoescape=True)]
    return sa.or_(*named, *below)


def require_known_hosts(connection: Connection, sites: Iterable[str]) -> None:
    """Make sure that the ledger has pages of each of these hosts, or of hosts below them.

    Raises ConfigError: it has none.
    """
    for site in sites:
        pages = sa.select(PageRow.id).where(is_of_site(PageRow.host, site.strip().lower())).limit(1)
        if connection.scalar(pages) is None:
            raise ConfigError(f"no page is of the site {site!r}, or of one below it")


@dataclass(frozen=True, slots=True)
class FailureSelection:
    """Which pages are meant: those with this reason, where given in this state, of this site, so many, or but one."""

    reason: str
    state: str | None = None
    site: str | None = None
    limit: int | None = None
    page_id: int | None = None

    def ids(self, now: datetime) -> sa.Select[int]:
        """The ids of the pages that nobody holds, in the order in which they were discovered."""
        where = [PageRow.reason == self.reason, PageRow.state != "alias", is_open(), is_free(PageRow, now)]
        if self.state is not None:
            where.append(PageRow.state == self.state)
        if self.page_id is not None:
            where.append(PageRow.id == self.page_id)
        if self.site is not None:
            where.append(is_of_site(PageRow.host, self.site.strip().lower()))
        return sa.select(PageRow.id).where(*where).order_by(PageRow.id).limit(self.limit)


def revive_pages(connection: Connection, now: datetime, max_attempts: int) -> int:
    """Put back, with one attempt, pages that were given up since their host was out of reach; returns how many.

    Those whose host has answered since, as the poll of a feed there tells, after an hour; the others once a day, for
    as long as somebody may want their news.
    """
    is_back = sa.and_(
        PageRow.fetched_at <= now - REVIVE_AFTER,
        sa.exists().where(FeedRow.host == PageRow.host, FeedRow.answered_at > PageRow.fetched_at),
    )
    is_young = sa.and_(PageRow.fetched_at <= now - REVIVE_EVERY, PageRow.discovered_at > now - REVIVE_FOR)
    done = connection.execute(
        sa.update(PageRow)
        .where(PageRow.state == "failed", PageRow.reason.in_(sorted(UNREACHED)), is_open(), is_free(PageRow, now))
        .where(sa.or_(is_back, is_young))
        .values(state="queued", next_fetch_at=now, attempts=max_attempts - 1)
    )
    return done.rowcount


def hasten_after_clock(connection: Connection, now: datetime) -> int:
    """Make due now what was polled or fetched at a time that is still to come: the clock was ahead then.

    Else it would wait for what that clock took for the next day. Returns how many feeds and pages that is.
    """
    ahead = now + CLOCK_SKEW
    wait = FeedRow.last_polled_at > ahead
    feeds = connection.execute(sa.update(FeedRow).where(wait).values(next_poll_at=now, last_polled_at=now))
    hosts = HostRow.robots_fetched_at > ahead
    asked = connection.execute(sa.update(HostRow).where(hosts).values(robots_fetched_at=now, next_fetch_at=now))
    if not feeds.rowcount and not asked.rowcount:
        return 0  # nor were pages fetched then: all of them need not be looked at
    pages = connection.execute(
        sa.update(PageRow)
        .where(PageRow.fetched_at > ahead, PageRow.next_fetch_at.is_not(None), is_free(PageRow, now))
        .values(fetched_at=now, next_fetch_at=now)
    )
    return feeds.rowcount + pages.rowcount


def count_failures(connection: Connection, failures: FailureSelection, now: datetime) -> int:
    """How many pages `retry_pages` would put back. Raises ConfigError when no page is of the site."""
    require_known_hosts(connection, [failures.site] if failures.site else [])
    return connection.scalar(sa.select(sa.func.count()).select_from(failures.ids(now).subquery())) or 0


def retry_pages(connection: Connection, failures: FailureSelection, now: datetime) -> int:
    """Make these pages due now, with all their attempts before them; returns how many they are.

    Raises ConfigError: no page is of the site.
    """
    require_known_hosts(connection, [failures.site] if failures.site else [])
    ids = list(connection.scalars(failures.ids(now).with_for_update()))
    has_article = sa.exists().where(ArticleRow.page_id == PageRow.id)
    for batch in batches(ids):
        chosen = sa.update(PageRow).where(PageRow.id.in_(batch))
        connection.execute(chosen.values(next_fetch_at=now, attempts=0, backfill_id=None))
        # Without the validators of an answer that held no article: a 304 to them would say nothing new.
        connection.execute(chosen.where(~has_article).values(state="queued", etag=None, last_modified=None))
    return len(ids)
