"""What is due: the scope of a run, and the conditions for a feed or a page to be taken up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.store.frontier.barred import is_open
from pipeline.store.frontier.leases import is_free
from pipeline.store.schema.tables import POLLED_STATES, FeedRow, HostRow, PageRow

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DueWork:
    """How much work is due now and not claimed by anyone."""

    feeds: int
    pages: int
    hosts: int


@dataclass(frozen=True, slots=True)
class Scope:
    """What a run takes on: the kinds of work, and what was due when the run began.

    Attributes:
        until: work due up to this time is the run's; later retries and revisits are the next run's, so that a run
            always ends.
        max_attempts: claims of a page before it is given up.
        feeds: the ids of the only feeds to poll; None for all.
        backfill: the job whose pages are fetched; None for what is live.
        is_endless: whether the run goes on with a later ``until`` after this one.
    """

    until: datetime
    max_attempts: int
    poll: bool = True
    crawl: bool = True
    feeds: frozenset[int] | None = None
    backfill: int | None = None
    is_endless: bool = False

    def has_work(self, now: datetime) -> sa.ColumnElement[bool]:
        """The host has a feed or a page in this scope that nobody holds."""
        work = []
        if self.poll:
            work.append(sa.exists().where(FeedRow.host == HostRow.name, is_feed_due(self, now)))
        if self.crawl:
            work.append(sa.exists().where(PageRow.host == HostRow.name, is_page_due(self, now)))
        return sa.or_(*work)


@dataclass(frozen=True, slots=True)
class HostShare:
    """How much of what is due on a host is to be claimed at most."""

    host: str
    limit: int


Claim = Callable[[Connection, Scope, str, str, datetime, timedelta, int], list[T]]
"""`claim_feeds` or `claim_pages`: what is due of a host, for an owner, from a time on for so long, at most so much."""


def claim_each(
    connection: Connection,
    shares: Sequence[HostShare],
    claim: Claim[T],
    scope: Scope,
    owner: str,
    clock: Callable[[], datetime],
    lease: timedelta,
) -> list[list[T]]:
    """What is claimed of each of several hosts, in their order."""
    now = clock()
    return [claim(connection, scope, share.host, owner, now, lease, share.limit) for share in shares]


def is_feed_due(scope: Scope, now: datetime) -> sa.ColumnElement[bool]:
    """The feed is due and free."""
    named = [] if scope.feeds is None else [FeedRow.id.in_(sorted(scope.feeds))]
    return sa.and_(FeedRow.state.in_(POLLED_STATES), FeedRow.next_poll_at <= scope.until, is_free(FeedRow, now), *named)


def is_page_due(scope: Scope, now: datetime) -> sa.ColumnElement[bool]:
    """The page is due and free, and has attempts left."""
    return sa.and_(
        PageRow.backfill_id.is_(None) if scope.backfill is None else PageRow.backfill_id == scope.backfill,
        PageRow.next_fetch_at <= scope.until,
        PageRow.attempts < scope.max_attempts,
        is_open(),
        is_free(PageRow, now),
    )


def is_live_work_held(connection: Connection, now: datetime) -> bool:
    """Whether any worker holds a feed, or a page that is no backfill's; or held one when it died."""
    held = sa.or_(
        sa.exists().where(FeedRow.leased_until > now),
        sa.exists().where(PageRow.leased_until > now, PageRow.backfill_id.is_(None)),
    )
    return bool(connection.scalar(sa.select(held)))


def count_due(connection: Connection, scope: Scope, now: datetime) -> DueWork:
    """What is due: feeds, pages, and the hosts that these are on."""
    feeds = sa.select(FeedRow.host).where(is_feed_due(scope, now))
    pages = sa.select(PageRow.host).where(is_page_due(scope, now))
    count = sa.select(sa.func.count())
    return DueWork(
        feeds=connection.scalar(count.select_from(feeds.subquery())) or 0,
        pages=connection.scalar(count.select_from(pages.subquery())) or 0,
        hosts=connection.scalar(count.select_from(feeds.union(pages).subquery())) or 0,
    )


def load_queue(connection: Connection, scope: Scope, now: datetime) -> dict[str, float]:
    """What waits: due feeds and pages, for how many seconds the oldest has, and feeds that fail or are gone."""
    due = count_due(connection, scope, now)
    oldest = [
        connection.scalar(sa.select(sa.func.min(FeedRow.next_poll_at)).where(is_feed_due(scope, now))),
        connection.scalar(sa.select(sa.func.min(PageRow.next_fetch_at)).where(is_page_due(scope, now))),
    ]
    failing = sa.select(sa.func.count()).select_from(FeedRow).where(FeedRow.state.in_(("failing", "gone")))
    return {
        "due_feeds": due.feeds,
        "due_pages": due.pages,
        "oldest_due": max((now - at).total_seconds() if at else 0.0 for at in oldest),
        "failing_feeds": connection.scalar(failing) or 0,
    }


def scope_parameters(*, is_backfill: bool) -> tuple[Scope, datetime]:
    """A scope and a time made of parameters: conditions on them are parts of statements that are made only once.

    The parameters are ``until``, ``max_attempts``, ``now``, and ``backfill`` for the pages of a backfill.
    """
    until, attempts, backfill, now = (_parameter(name) for name in ("until", "max_attempts", "backfill", "now"))
    return Scope(until, attempts, backfill=backfill if is_backfill else None), now


def _parameter(name: str) -> Any:  # noqa: ANN401  # what stands for a value of any type
    return sa.bindparam(name)
