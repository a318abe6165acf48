"""What fetches came to, written into the ledger; pages that have had all their attempts."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.errors import SourceError
from pipeline.model import Page
from pipeline.schedule.pages import PageUpdate
from pipeline.store.connection.rows import core, storable
from pipeline.store.frontier.barred import is_open
from pipeline.store.frontier.due_work import Scope, is_page_due
from pipeline.store.frontier.leases import is_free
from pipeline.store.frontier.routes import find_strayed_pages, send_pages_home
from pipeline.store.schema.tables import HostRow, PageRow
from pipeline.urls import host_of


def postpone_host(
    connection: Connection, scope: Scope, host: str, now: datetime, next_fetch_at: datetime, error: SourceError
) -> int:
    """Note that a host cannot be asked now: one failed attempt for each of its due pages, without asking for them.

    Pages that have had their attempts are given up. Returns how many pages that is.
    """
    connection.execute(sa.update(HostRow).where(HostRow.name == host).values(failures=HostRow.failures + 1))
    sent_here = find_strayed_pages(connection, PageRow.host == host, is_page_due(scope, now))
    connection.execute(
        sa.update(PageRow)
        .where(PageRow.host == host, is_page_due(scope, now))
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
    given_up = give_up_pages(connection, now, scope.max_attempts, host=host)
    send_pages_home(connection, sent_here)
    return given_up


def spare_page(connection: Connection, scope: Scope, page: Page, owner: str, now: datetime, error: SourceError) -> None:
    """Give back a page that failed of our side: it stays due, and no attempt counts; so do the others of its host."""
    connection.execute(
        sa.update(PageRow)
        .where(PageRow.id == page.id, PageRow.lease_owner == owner)
        .values(
            attempts=sa.case((PageRow.attempts > 0, PageRow.attempts - 1), else_=0),
            leased_until=None,
            lease_owner=None,
        )
    )
    connection.execute(
        sa.update(PageRow)
        .where(PageRow.host == page.host, PageRow.state == "queued", is_page_due(scope, now))
        .values(outcome="retry", reason=error.reason, detail=storable(str(error)))
    )


def give_up_pages(connection: Connection, now: datetime, max_attempts: int, host: str | None = None) -> int:
    """Give up pages that have had all their attempts, such as one that killed its worker each time.

    An article that is stored stays; it is only not looked at again until a feed announces it again.
    """
    spent = [PageRow.attempts >= max_attempts, PageRow.next_fetch_at.is_not(None), is_free(PageRow, now)]
    if host is not None:
        spent.append(PageRow.host == host)
    send_pages_home(connection, find_strayed_pages(connection, *spent) if host is None else [])
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


def record_held_pages(
    connection: Connection, updates: Sequence[tuple[Page, PageUpdate, datetime]], owner: str
) -> list[bool]:
    """The same; returns of each whether its claim was held still."""
    if record_pages(connection, owner, updates) == len(updates):
        return [True] * len(updates)
    if len(updates) == 1:
        return [False]
    raise LookupError("one of these pages is not held: each is to be recorded by itself")


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
