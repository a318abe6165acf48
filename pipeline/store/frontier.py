"""The frontier and the ledger: what is to be fetched, who has claimed it, and what became of it.

A worker leases a host, so that politeness holds however many workers and machines there are, and then claims that
host's feeds and pages one at a time. The claim of a page counts as an attempt before anything is fetched: a page that
kills its worker is given up after so many attempts instead of circling for ever.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.orm import InstrumentedAttribute

from pipeline.errors import SourceError
from pipeline.model import Address, Entry, Page, Validators
from pipeline.pace import Pace
from pipeline.schedule import PageUpdate
from pipeline.store.access import access_of_page
from pipeline.store.barred import BARRED_PAGE, barred_urls, is_open
from pipeline.store.routes import route_of, send_home, strays
from pipeline.store.rows import batches, core, ensure_hosts, insert_into, storable, upsert
from pipeline.tables import POLLED_STATES, ArticleRow, BackfillUnitRow, FeedRow, HostRow, PageRow
from pipeline.urls import host_of

MAX_URL = 2000
"""Longest URL in characters that is stored; PostgreSQL's indexes take 2,704 bytes, and browsers not much more."""

_NONE = Validators()

LEASED = (HostRow, FeedRow, PageRow, BackfillUnitRow)


@dataclass(frozen=True, slots=True)
class Due:
    """How much work is due now and not claimed by anyone."""

    feeds: int
    pages: int
    hosts: int


@dataclass(frozen=True, slots=True)
class Host:
    """A host that a worker has leased."""

    name: str
    next_fetch_at: datetime
    delay: timedelta
    failures: int
    robots: str | None
    robots_fetched_at: datetime | None
    pace: Pace
    tdm: str | None
    tdm_fetched_at: datetime | None


def free(row: type[Any], now: datetime) -> sa.ColumnElement[bool]:
    """Nobody holds a claim on the row, or the claim has run out."""
    return sa.or_(row.leased_until.is_(None), row.leased_until <= now)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a run takes on: the kinds of work, and what was due when the run began.

    Attributes:
        until: work due up to this time is the run's; later retries and revisits are the next run's, so that a run
            always ends.
        max_attempts: claims of a page before it is given up.
        feeds: the ids of the only feeds to poll; None for all.
        backfill: the job whose pages are fetched; None for what is live.
    """

    until: datetime
    max_attempts: int
    poll: bool = True
    crawl: bool = True
    feeds: frozenset[int] | None = None
    backfill: int | None = None

    def has_work(self, now: datetime) -> sa.ColumnElement[bool]:
        """The host has a feed or a page in this scope that nobody holds."""
        work = []
        if self.poll:
            work.append(sa.exists().where(FeedRow.host == HostRow.name, due_feeds(self, now)))
        if self.crawl:
            work.append(sa.exists().where(PageRow.host == HostRow.name, due_pages(self, now)))
        return sa.or_(*work)


def due_feeds(scope: Scope, now: datetime) -> sa.ColumnElement[bool]:
    """The feed is due and free."""
    named = [] if scope.feeds is None else [FeedRow.id.in_(sorted(scope.feeds))]
    return sa.and_(FeedRow.state.in_(POLLED_STATES), FeedRow.next_poll_at <= scope.until, free(FeedRow, now), *named)


def due_pages(scope: Scope, now: datetime) -> sa.ColumnElement[bool]:
    """The page is due and free, and has attempts left."""
    return sa.and_(
        PageRow.backfill_id.is_(None) if scope.backfill is None else PageRow.backfill_id == scope.backfill,
        PageRow.next_fetch_at <= scope.until,
        PageRow.attempts < scope.max_attempts,
        is_open(),
        free(PageRow, now),
    )


def count_due(connection: Connection, scope: Scope, now: datetime) -> Due:
    """What is due: feeds, pages, and the hosts that these are on."""
    feeds = sa.select(FeedRow.host).where(due_feeds(scope, now))
    pages = sa.select(PageRow.host).where(due_pages(scope, now))
    count = sa.select(sa.func.count())
    return Due(
        feeds=connection.scalar(count.select_from(feeds.subquery())) or 0,
        pages=connection.scalar(count.select_from(pages.subquery())) or 0,
        hosts=connection.scalar(count.select_from(feeds.union(pages).subquery())) or 0,
    )


def claim_hosts(
    connection: Connection, scope: Scope, owner: str, now: datetime, lease: timedelta, limit: int
) -> list[Host]:
    """Lease up to ``limit`` hosts that have work and may be asked now, the longest waiting first."""
    rows = (
        connection.execute(
            sa.select(HostRow.__table__)
            .where(HostRow.next_fetch_at <= now, free(HostRow, now), scope.has_work(now))
            .order_by(HostRow.next_fetch_at, HostRow.name)
            .limit(limit)
            .with_for_update(skip_locked=True, of=HostRow.__table__)
        )
        .mappings()
        .all()
    )
    for batch in batches([row["name"] for row in rows]):
        connection.execute(
            sa.update(HostRow).where(HostRow.name.in_(batch)).values(leased_until=now + lease, lease_owner=owner)
        )
    return [_host(row) for row in rows]


def lease_host(connection: Connection, name: str, owner: str, now: datetime, lease: timedelta) -> Host | None:
    """Lease one host, whether it has work or not; None where it may not be asked now, or another worker holds it."""
    ensure_hosts(connection, [name], now)
    done = connection.execute(
        sa.update(HostRow)
        .where(HostRow.name == name, HostRow.next_fetch_at <= now, free(HostRow, now))
        .values(leased_until=now + lease, lease_owner=owner)
    )
    if done.rowcount != 1:
        return None
    return _host(connection.execute(sa.select(HostRow.__table__).where(HostRow.name == name)).mappings().one())


def _host(row: sa.RowMapping) -> Host:
    average = row["response_time"]
    return Host(
        name=row["name"],
        next_fetch_at=row["next_fetch_at"],
        delay=timedelta(seconds=row["delay"]),
        failures=row["failures"],
        robots=row["robots"],
        robots_fetched_at=row["robots_fetched_at"],
        pace=Pace(row["strain"], None if average is None else timedelta(seconds=average)),
        tdm=row["tdm"],
        tdm_fetched_at=row["tdm_fetched_at"],
    )


def next_host_at(connection: Connection, scope: Scope, now: datetime, patience: timedelta) -> datetime | None:
    """When the next host with work may be asked, if that is soon; None where there is nothing to wait for.

    Hosts that another worker holds do not count: that worker does their work.
    """
    return connection.scalar(
        sa.select(sa.func.min(HostRow.next_fetch_at)).where(
            HostRow.next_fetch_at <= now + patience, free(HostRow, now), scope.has_work(now)
        )
    )


def record_robots(
    connection: Connection, host: str, now: datetime, *, text: str, status: int | None, delay: timedelta
) -> None:
    """Keep what robots.txt said, and the pause that it asks for."""
    connection.execute(
        sa.update(HostRow)
        .where(HostRow.name == host)
        .values(
            robots=storable(text),
            robots_status=status,
            robots_fetched_at=now,
            delay=delay.total_seconds(),
            failures=0,
        )
    )


def record_tdm(connection: Connection, host: str, now: datetime, text: str) -> None:
    """Keep what a host's tdmrep.json said."""
    connection.execute(sa.update(HostRow).where(HostRow.name == host).values(tdm=storable(text), tdm_fetched_at=now))


def record_pace(
    connection: Connection, host: str, owner: str, next_fetch_at: datetime, pace: Pace, pause: timedelta
) -> None:
    """Keep what a host bears, for whoever asks it next, even if that is because this worker dies."""
    average = pace.response_time
    connection.execute(
        sa.update(HostRow)
        .where(HostRow.name == host, HostRow.lease_owner == owner)
        .values(
            next_fetch_at=next_fetch_at,
            strain=pace.strain,
            response_time=None if average is None else average.total_seconds(),
            pause=pause.total_seconds(),
        )
    )


def release_host(
    connection: Connection,
    host: str,
    owner: str,
    next_fetch_at: datetime,
    pace: Pace | None = None,
    pause: timedelta = timedelta(0),
) -> None:
    """End the lease of a host; it is asked again from ``next_fetch_at`` on, at its pace where that is known."""
    if pace is not None:
        record_pace(connection, host, owner, next_fetch_at, pace, pause)
    connection.execute(
        sa.update(HostRow)
        .where(HostRow.name == host, HostRow.lease_owner == owner)
        .values(next_fetch_at=next_fetch_at, leased_until=None, lease_owner=None)
    )


def postpone_host(
    connection: Connection, scope: Scope, host: str, now: datetime, next_fetch_at: datetime, error: SourceError
) -> int:
    """Note that a host cannot be asked now: one failed attempt for each of its due pages, without asking for them.

    Pages that have had their attempts are given up. Returns how many pages that is.
    """
    connection.execute(sa.update(HostRow).where(HostRow.name == host).values(failures=HostRow.failures + 1))
    sent_here = strays(connection, PageRow.host == host, due_pages(scope, now))
    connection.execute(
        sa.update(PageRow)
        .where(PageRow.host == host, due_pages(scope, now))
        .values(
            attempts=PageRow.attempts + 1,
            # What was rejected and is looked at again has the reason of this failure now, and no other.
            state=sa.case((PageRow.state.in_(("rejected", "failed", "blocked")), "queued"), else_=PageRow.state),
            outcome="retry",
            reason=error.reason,
            detail=storable(str(error)),
            fetched_at=now,
            next_fetch_at=next_fetch_at,
        )
    )
    given_up = give_up(connection, now, scope.max_attempts, host=host)
    send_home(connection, sent_here)
    return given_up


def give_up(connection: Connection, now: datetime, max_attempts: int, host: str | None = None) -> int:
    """Give up pages that have had all their attempts, such as one that killed its worker each time.

    An article that is stored stays; it is only not looked at again until a feed announces it anew.
    """
    spent = [PageRow.attempts >= max_attempts, PageRow.next_fetch_at.is_not(None), free(PageRow, now)]
    if host is not None:
        spent.append(PageRow.host == host)
    send_home(connection, strays(connection, *spent) if host is None else [])
    done = connection.execute(
        sa.update(PageRow)
        .where(*spent)
        .values(
            state=sa.case((PageRow.state == "queued", "failed"), else_=PageRow.state),
            outcome="failed",
            reason=sa.func.coalesce(PageRow.reason, "worker_died"),
            next_fetch_at=None,
            backfill_id=None,
            leased_until=None,
            lease_owner=None,
        )
    )
    return done.rowcount


def claim_page(
    connection: Connection, scope: Scope, host: str, owner: str, now: datetime, lease: timedelta
) -> Page | None:
    """Claim a page of this host that is due, and count the attempt."""
    row = (
        connection.execute(
            sa.select(
                PageRow.__table__,
                ArticleRow.published_at.label("article_published_at"),
                ArticleRow.first_seen_at.label("article_first_seen_at"),
            )
            .outerjoin(ArticleRow, ArticleRow.page_id == PageRow.id)
            .where(PageRow.host == host, due_pages(scope, now))
            .order_by(PageRow.next_fetch_at, PageRow.id)
            .limit(1)
            .with_for_update(skip_locked=True, of=PageRow.__table__)
        )
        .mappings()
        .first()
    )
    if row is None:
        return None
    connection.execute(
        sa.update(PageRow)
        .where(PageRow.id == row["id"])
        .values(attempts=PageRow.attempts + 1, leased_until=now + lease, lease_owner=owner)
    )
    stored = row["article_first_seen_at"] is not None
    page = Page(
        id=row["id"],
        url=row["url"],
        host=row["host"],
        # "Not modified" must say something: that the article is unchanged, or that there still is none. To what was
        # asked for in vain meanwhile it says nothing.
        validators=Validators(row["etag"], row["last_modified"]) if stored or row["state"] == "rejected" else _NONE,
        attempts=row["attempts"] + 1,
        stored=stored,
        published_at=row["published_at"],
        published_from=row["published_from"],
        article_published_at=row["article_published_at"],
        first_seen_at=row["article_first_seen_at"],
        fetch_url=row["fetch_url"] if row["state"] == "queued" else None,
        route=route_of(row["route"]),
        since=row["fetched_at"] or row["discovered_at"],
    )
    return replace(page, access=access_of_page(connection, page.id, page.host, page.address))


def record_page(connection: Connection, page: Page, owner: str, update: PageUpdate, now: datetime) -> bool:
    """Store what a fetch came to and end the claim. False when the claim was lost to another worker meanwhile."""
    return record_pages(connection, owner, [(page, update, now)]) == 1


def record_pages(connection: Connection, owner: str, updates: Iterable[tuple[Page, PageUpdate, datetime]]) -> int:
    """The same for several pages, each with its time; returns how many of the claims were held still."""
    rows: defaultdict[tuple[str, ...], list[dict[str, object]]] = defaultdict(list)
    for page, update, now in updates:
        values = _recorded(page, update, now)
        rows[tuple(sorted(values))].append(values | {"held_id": page.id, "held_by": owner})
    return sum(
        connection.execute(_RECORD_GONE if "gone_now" in names else _RECORD, rows[names]).rowcount
        for names in sorted(rows)
    )


_RECORD = sa.update(core(PageRow)).where(
    PageRow.id == sa.bindparam("held_id"), PageRow.lease_owner == sa.bindparam("held_by"), is_open()
)
_RECORD_GONE = _RECORD.values(
    gone_at=sa.func.coalesce(PageRow.gone_at, sa.bindparam("gone_now", type_=PageRow.__table__.c.gone_at.type))
)


def _recorded(page: Page, update: PageUpdate, now: datetime) -> dict[str, object]:
    values: dict[str, object] = {"route": None, "host": host_of(page.home)} if page.route else {}
    values |= {
        "state": update.state,
        "outcome": update.outcome,
        "next_fetch_at": update.next_fetch_at,
        "fetched_at": now,
        "leased_until": None,
        "lease_owner": None,
    }
    if not update.keeps_reason:
        values |= {"reason": update.reason, "detail": storable(update.detail)}
    if update.state != "queued":
        values["backfill_id"] = None  # what is to be looked at again is looked at with the rest
    if page.fetch_url is not None and update.state not in {"queued", "failed"}:
        values["host"] = host_of(page.url)  # from now on it is asked for where it is
    if update.status is not None:
        values["status"] = update.status
    if update.bytes is not None:
        values["bytes"] = update.bytes
    if update.opt_out is not None:
        values["opt_out"] = " ".join(update.opt_out)
    if robots := _robots_verdict(update):
        values["robots"] = robots
    if update.succeeded:
        values["attempts"] = 0
    if update.validators is not None:
        values |= {"etag": storable(update.validators.etag), "last_modified": storable(update.validators.last_modified)}
    if update.gone:
        values["gone_now"] = now
    elif update.status is not None and update.status < 400:
        values["gone_at"] = None
    return values


def _robots_verdict(update: PageUpdate) -> str | None:
    """What robots.txt must have said for a fetch to end like this; None where it was not asked."""
    if update.outcome == "blocked":
        return "forbidden"
    if update.reason == "robots_unreachable":
        return "unreachable"
    return "allowed" if update.status is not None else None


def discover(connection: Connection, entries: Iterable[Entry], now: datetime, due_at: datetime) -> dict[str, int]:
    """Put the pages of these entries into the frontier; returns the ids of all, also of those there already.

    Those that wait in the queue of a backfill come to the front: they are today's.
    """
    addresses = [Address(entry.url, entry.published_at, "feed") for entry in entries if entry.url is not None]
    ids, _ = put(connection, addresses, now, due_at)
    for batch in batches(sorted(ids.values())):
        waiting = PageRow.backfill_id.is_not(None), PageRow.fetch_url.is_(None)
        connection.execute(sa.update(PageRow).where(PageRow.id.in_(batch), *waiting).values(backfill_id=None))
    return ids


def put(
    connection: Connection, addresses: Iterable[Address], now: datetime, due_at: datetime, backfill: int | None = None
) -> tuple[dict[str, int], set[str]]:
    """Put pages into the frontier, in the queue of a backfill where one is given.

    Returns the ids of all, also of those there already, and the URLs of those that are new.
    """
    wanted = {one.url: one for one in addresses if len(one.url) <= MAX_URL and storable(one.url) == one.url}
    places = {place for url, one in wanted.items() for place in (url, one.fetch_url) if place is not None}
    ensure_hosts(connection, map(host_of, places), now)
    ids: dict[str, int] = {}
    new: set[str] = set()
    barred = barred_urls(connection, wanted)
    for batch in batches(sorted(wanted)):
        rows = [
            {
                "url": url,
                "host": host_of(wanted[url].fetch_url or url),
                "state": "queued",
                "attempts": 0,
                "next_fetch_at": due_at,
                "published_at": wanted[url].published_at,
                "published_from": wanted[url].published_from if wanted[url].published_at else None,
                "discovered_at": now,
                "backfill_id": backfill,
                "fetch_url": storable(wanted[url].fetch_url),
            }
            for url in batch
            if url not in barred
        ]
        if rows:
            new |= set(connection.scalars(_put(connection.dialect.name), rows))
        for url in barred.intersection(batch):  # the ledger says why there is no article
            page = {"url": url, "host": host_of(url), "attempts": 0, "discovered_at": now} | BARRED_PAGE
            connection.execute(upsert(connection, PageRow).values(page).on_conflict_do_nothing())
        ids |= dict(connection.execute(_IDS, {"urls": batch}).all())
    return ids, new


@cache
def _put(dialect: str) -> Any:  # noqa: ANN401  # either dialect's Insert
    return insert_into(dialect, PageRow).on_conflict_do_nothing().returning(PageRow.url)


_IDS = sa.select(PageRow.url, PageRow.id).where(PageRow.url.in_(sa.bindparam("urls", expanding=True)))


def requeue(connection: Connection, page_ids: Sequence[int], due_at: datetime) -> None:
    """Make pages due again since a feed announced a change; what leads elsewhere makes its target due."""
    for batch in batches(sorted(set(page_ids))):
        targets = sa.select(sa.func.coalesce(PageRow.alias_of, PageRow.id)).where(PageRow.id.in_(batch))
        connection.execute(
            sa.update(PageRow)
            .where(PageRow.id.in_(targets.scalar_subquery()), PageRow.state != "queued", is_open())
            .values(next_fetch_at=due_at, attempts=0)
        )


def of_site(host: sa.ColumnElement[str] | InstrumentedAttribute[str], site: str) -> sa.ColumnElement[bool]:
    """The host, which may have a port, is this one or below it."""
    named = [host == site, host.startswith(f"{site}:", autoescape=True)]
    below = [host.endswith(f".{site}", autoescape=True), host.contains(f".{site}:", autoescape=True)]
    return sa.or_(*named, *below)


@dataclass(frozen=True, slots=True)
class Failures:
    """Which pages are meant: those with this reason, and where given in this state, of this site, so many at most."""

    reason: str
    state: str | None = None
    site: str | None = None
    limit: int | None = None

    def ids(self, now: datetime) -> sa.Select[int]:
        """The ids of the pages that nobody holds, in the order in which they were discovered."""
        where = [PageRow.reason == self.reason, PageRow.state != "alias", is_open(), free(PageRow, now)]
        if self.state is not None:
            where.append(PageRow.state == self.state)
        if self.site is not None:
            where.append(of_site(PageRow.host, self.site.strip().lower()))
        return sa.select(PageRow.id).where(*where).order_by(PageRow.id).limit(self.limit)


def count_failures(connection: Connection, failures: Failures, now: datetime) -> int:
    """How many pages `retry_pages` would put back."""
    return connection.scalar(sa.select(sa.func.count()).select_from(failures.ids(now).subquery())) or 0


def retry_pages(connection: Connection, failures: Failures, now: datetime) -> int:
    """Make these pages due now, with all their attempts before them; returns how many they are."""
    ids = list(connection.scalars(failures.ids(now).with_for_update()))
    has_article = sa.exists().where(ArticleRow.page_id == PageRow.id)
    for batch in batches(ids):
        chosen = sa.update(PageRow).where(PageRow.id.in_(batch))
        connection.execute(chosen.values(next_fetch_at=now, attempts=0, backfill_id=None))
        # Without the validators of an answer that held no article: a 304 to them would say nothing new.
        connection.execute(chosen.where(~has_article).values(state="queued", etag=None, last_modified=None))
    return len(ids)


def give_back(connection: Connection, row: type[FeedRow] | type[PageRow], key: int, owner: str) -> None:
    """End a claim of which nothing came: what it was for is due as before, and the claim does not count."""
    values: dict[str, object] = {"leased_until": None, "lease_owner": None}
    if row is PageRow:
        values["attempts"] = sa.case((PageRow.attempts > 0, PageRow.attempts - 1), else_=0)
    connection.execute(sa.update(row).where(row.id == key, row.lease_owner == owner).values(values))


def renew_leases(connection: Connection, owner: str, now: datetime, lease: timedelta) -> None:
    """Make everything that this worker has claimed last longer: its sign of life."""
    for row in LEASED:
        connection.execute(sa.update(row).where(row.lease_owner == owner).values(leased_until=now + lease))


def release_leases(connection: Connection, owner: str, *, count_attempt: bool) -> int:
    """End all claims of a worker that stops, or that is known to be dead; returns how many pages it held.

    A worker that stops on purpose takes its attempts back; one that died has used them up.
    """
    pages = 0
    for row in LEASED:
        values: dict[str, object] = {"leased_until": None, "lease_owner": None}
        if row in {PageRow, BackfillUnitRow} and not count_attempt:
            values["attempts"] = sa.case((row.attempts > 0, row.attempts - 1), else_=0)
        done = connection.execute(sa.update(row).where(row.lease_owner == owner).values(values))
        pages = done.rowcount if row is PageRow else pages
    return pages


def release_dead(connection: Connection, is_dead: Callable[[str], bool]) -> list[str]:
    """End the claims of workers that are known to be dead, without waiting for their leases to run out."""
    owners: set[str] = set()
    for row in LEASED:
        owners |= set(connection.scalars(sa.select(row.lease_owner).where(row.lease_owner.is_not(None)).distinct()))
    dead = sorted(owner for owner in owners if is_dead(owner))
    for owner in dead:
        release_leases(connection, owner, count_attempt=True)
    return dead
