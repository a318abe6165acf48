"""The log of polls, the entries that feeds announce, and what a poll makes of its feed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.health import Answer, FeedUpdate, after_answer, after_failure
from pipeline.hints import announced_period, announced_ttl
from pipeline.model import Entry, Feed, ParsedFeed, Validators
from pipeline.rhythm import PollPolicy, Seen
from pipeline.store.addresses import adopt_address
from pipeline.store.barred import barred_pages
from pipeline.store.frontier import discover, requeue
from pipeline.store.rows import batches, storable, upsert
from pipeline.tables import POLLED_STATES, EntryRow, FeedRow, PollRow
from pipeline.urls import host_of

MAX_CHANGES = 24
"""An entry that was changed so often is flapping: it no longer causes its page to be fetched (lemon24/reader)."""

MAX_GUID = 1000
"""Longest guid in characters that is stored; PostgreSQL's indexes take 2,704 bytes."""

MAX_HUBS = 5
"""WebSub hubs of a feed that are kept: those that name several name two or three."""

MOSTLY = 3 / 4
"""Share of a window that must be new for entries to have been missed; the rest may be pinned to the top for weeks."""


@dataclass(frozen=True, slots=True)
class Poll:
    """One poll of a feed, as it is logged.

    Attributes:
        outcome: ``read``, ``unchanged`` or the reason of the failure.
        began_at: when the run began that polled it; None for a poll by itself.
        chance: from 0 to 1, for what chance decides.
        retry_after: how long the server asks us to wait.
        cache: how long the answer is fresh by its headers.
        target: the address that the feed's own leads to for good, where it does.
    """

    feed: Feed
    polled_at: datetime
    outcome: str
    status: int | None = None
    failed: bool = False
    bytes: int = 0
    duration: timedelta | None = None
    error: str | None = None
    validators: Validators | None = None
    body_hash: str | None = None
    parsed: ParsedFeed | None = None
    began_at: datetime | None = None
    chance: float = 0.5
    retry_after: timedelta | None = None
    cache: timedelta | None = None
    target: str | None = None

    @property
    def is_delta(self) -> bool:
        """Whether the document held new entries alone (226): its size says nothing of the feed's window."""
        return self.status == 226 and self.parsed is not None

    @property
    def ended_at(self) -> datetime:
        """When the last byte had come."""
        return self.polled_at + (self.duration or timedelta(0))


@dataclass(frozen=True, slots=True)
class PollCounts:
    """What a poll brought.

    Attributes:
        new: entries with a guid that is new in this feed.
        fresh: those of them whose page the feed did not announce before under another guid.
        missed: whether entries were missed before this poll.
        state: what the poll makes of the feed.
    """

    seen: int = 0
    new: int = 0
    changed: int = 0
    fresh: int = 0
    missed: bool = False
    rolls: bool = False
    state: str = "active"


def record_poll(connection: Connection, poll: Poll, policy: PollPolicy) -> PollCounts:
    """Store a poll with everything that it brought, in one transaction, and end the claim on the feed.

    New entries put their pages into the frontier; changed ones put them there again. The feed's state, pace and next
    poll follow from it, and so does a new address, once the old one has led there often enough.
    """
    feed = poll.feed
    # Whoever merges another feed into this one waits until we are done, and we for them.
    connection.execute(sa.select(FeedRow.id).where(FeedRow.id == feed.id).with_for_update())
    counts = PollCounts(rolls=feed.rolls)
    if poll.parsed is not None:
        counts = _store_entries(connection, feed, poll.parsed.entries, poll.polled_at)
        if poll.is_delta:  # that it shares no entry with the poll before is the point of it
            counts = replace(counts, missed=False, rolls=feed.rolls)
    update = _decide(poll, counts, policy)
    connection.execute(sa.update(FeedRow).where(FeedRow.id == feed.id).values(_feed_values(poll, counts, update)))
    connection.execute(
        sa.insert(PollRow).values(
            feed_id=feed.id,
            polled_at=poll.polled_at,
            status=poll.status,
            outcome=poll.outcome,
            entries_seen=counts.seen,
            entries_new=counts.new,
            entries_changed=counts.changed,
            entries_skipped=poll.parsed.skipped if poll.parsed else 0,
            missed=counts.missed,
            bytes=poll.bytes,
            duration=poll.duration.total_seconds() if poll.duration is not None else None,
            error=storable(poll.error),
        )
    )
    state = update.state
    if update.adopt is not None:
        state = adopt_address(connection, feed.id, update.adopt, poll.polled_at, "redirect", poll.outcome) or state
    return replace(counts, state=state)


def _decide(poll: Poll, counts: PollCounts, policy: PollPolicy) -> FeedUpdate:
    feed = poll.feed
    if poll.failed:
        said = poll.outcome, poll.status, poll.retry_after
        return after_failure(feed, *said, poll.ended_at, poll.chance, policy.retry_step)
    answer = Answer(
        seen=Seen(
            elapsed=poll.polled_at - feed.answered_at if feed.answered_at else None,
            new=counts.fresh,
            window=feed.window if poll.is_delta else counts.seen,
            missed=counts.missed,
        ),
        cache=poll.cache,
        ttl=announced_ttl(poll.parsed.hints) if poll.parsed else feed.ttl,
        period=announced_period(poll.parsed.hints) if poll.parsed else feed.period,
        target=poll.target,
    )
    return after_answer(feed, answer, poll.began_at or poll.polled_at, poll.ended_at, policy, poll.chance)


def _feed_values(poll: Poll, counts: PollCounts, update: FeedUpdate) -> dict[str, object]:
    limit = update.rhythm.limit
    values: dict[str, object] = {
        # Who paused the feed meanwhile has the last word.
        "state": sa.case((FeedRow.state.in_(POLLED_STATES), update.state), else_=FeedRow.state),
        "last_polled_at": poll.polled_at,
        "last_outcome": poll.outcome,
        "last_error": storable(poll.error),
        "interval": update.rhythm.interval.total_seconds(),
        "rate": update.rhythm.rate,
        "longest_interval": limit.total_seconds() if limit else None,
        "next_poll_at": update.next_poll_at,
        "failures": update.failures,
        "strain": update.strain,
        "missing_since": update.missing_since,
        "target_url": update.target,
        "redirects": update.redirects,
        "leased_until": None,
        "lease_owner": None,
    }
    if poll.feed.route is not None:
        values |= {"route": None, "host": host_of(poll.feed.url)}  # the next poll begins at the address again
    if update.state == "gone" and poll.feed.state != "gone":
        values["rediscover_at"] = poll.polled_at
    if not poll.failed:
        values |= {"answered_at": poll.polled_at, "rediscover_at": None}
    if counts.new:
        values["news_at"] = poll.polled_at
    if poll.validators is not None:
        values |= {"etag": storable(poll.validators.etag), "last_modified": storable(poll.validators.last_modified)}
    if poll.body_hash is not None:
        values["body_hash"] = poll.body_hash
    if poll.parsed is None:
        return values
    said = _said(poll.parsed, counts)
    if poll.is_delta:
        # What it does not repeat still holds.
        untold = {"window", "rolls", *(() if poll.parsed.hub_urls else ("further_hubs",))}
        said = {name: value for name, value in said.items() if value is not None and name not in untold}
    return values | said


def _said(parsed: ParsedFeed, counts: PollCounts) -> dict[str, object]:
    """What the document says of the feed."""
    ttl, period = announced_ttl(parsed.hints), announced_period(parsed.hints)
    hubs = storable(list(parsed.hub_urls[:MAX_HUBS]))
    values: dict[str, object] = {
        "window": counts.seen,
        "rolls": counts.rolls,
        "ttl": ttl.total_seconds() if ttl else None,
        "update_period": period.total_seconds() if period else None,
        "hub_url": next(iter(hubs), None),
        "further_hubs": hubs[1:],
        "topic_url": storable(parsed.self_url),
    }
    # What the subscriber gave stands; what the feed says of itself fills the gaps.
    for name in ("title", "site_url", "language"):
        values[name] = sa.func.coalesce(getattr(FeedRow, name), storable(getattr(parsed, name)))
    return values


def _store_entries(connection: Connection, feed: Feed, entries: Sequence[Entry], now: datetime) -> PollCounts:
    announced = {storable(entry.guid)[:MAX_GUID]: entry for entry in reversed(entries)}
    known: dict[str, sa.RowMapping] = {}
    for batch in batches(list(announced)):
        rows = connection.execute(
            sa.select(EntryRow.id, EntryRow.guid, EntryRow.hash, EntryRow.changes, EntryRow.first_seen_at).where(
                EntryRow.feed_id == feed.id, EntryRow.guid.in_(batch)
            )
        ).mappings()
        known |= {row["guid"]: row for row in rows}
    new = [guid for guid in announced if guid not in known]
    changed = [guid for guid, row in known.items() if row["hash"] != announced[guid].hash]
    pages = discover(connection, [announced[guid] for guid in (*new, *changed)], now, feed.due_at)
    barred = barred_pages(connection, pages.values())
    # What was taken down is not let in again by what announces it; its guid and hash are, so that it is nothing new.
    announced = {
        guid: Entry(guid, entry.url, hash=entry.hash) if pages.get(entry.url or "") in barred else entry
        for guid, entry in announced.items()
    }
    again = _announced_before(connection, feed, [pages[url] for guid in new if (url := announced[guid].url) in pages])
    fresh = [guid for guid in new if pages.get(announced[guid].url or "") not in again]
    _insert_entries(connection, feed, {guid: announced[guid] for guid in new}, pages, now)
    _change_entries(connection, feed, {guid: (announced[guid], known[guid]) for guid in changed}, pages, now)
    counts = PollCounts(seen=len(announced), new=len(new), changed=len(changed), fresh=len(fresh))
    is_newest_there = any(row["first_seen_at"] == feed.news_at for row in known.values())
    return replace(
        counts,
        missed=feed.rolls and not again and not is_newest_there and _is_mostly_new(counts),
        # Not only did new ones come: so many that some of the last document must have gone.
        rolls=feed.rolls or (bool(known) and bool(fresh) and feed.window + len(fresh) > len(announced)),
    )


def _is_mostly_new(counts: PollCounts) -> bool:
    # A feed of one entry shows another one each time; nothing can be told from that.
    return counts.seen > 1 and counts.fresh >= MOSTLY * counts.seen


def _announced_before(connection: Connection, feed: Feed, pages: Sequence[int]) -> set[int]:
    """Which of these pages this feed has announced under another guid: feeds that change all their guids do that."""
    found: set[int] = set()
    for batch in batches(sorted(set(pages))):
        query = sa.select(EntryRow.page_id).where(EntryRow.feed_id == feed.id, EntryRow.page_id.in_(batch))
        found |= {page for page in connection.scalars(query) if page is not None}
    return found


def _insert_entries(
    connection: Connection, feed: Feed, entries: dict[str, Entry], pages: dict[str, int], now: datetime
) -> None:
    rows = [
        _announced(entry, pages, now) | {"feed_id": feed.id, "guid": guid, "changes": 0, "first_seen_at": now}
        for guid, entry in sorted(entries.items())
    ]
    for batch in batches(rows):
        connection.execute(upsert(connection, EntryRow).values(batch).on_conflict_do_nothing())


def _change_entries(
    connection: Connection,
    feed: Feed,
    entries: dict[str, tuple[Entry, sa.RowMapping]],
    pages: dict[str, int],
    now: datetime,
) -> None:
    for entry, row in entries.values():
        connection.execute(
            sa.update(EntryRow)
            .where(EntryRow.id == row["id"])
            .values(_announced(entry, pages, now) | {"changes": EntryRow.changes + 1})
        )
    again = [
        pages[entry.url]
        for entry, row in entries.values()
        if row["changes"] < MAX_CHANGES and entry.url is not None and entry.url in pages
    ]
    requeue(connection, again, feed.due_at)


def _announced(entry: Entry, pages: dict[str, int], now: datetime) -> dict[str, object]:
    return {
        "page_id": pages.get(entry.url) if entry.url else None,
        "title": storable(entry.title),
        "summary": storable(entry.summary),
        "content": storable(entry.content),
        "authors": storable(list(entry.authors)),
        "tags": storable(list(entry.tags)),
        "published_at": entry.published_at,
        "updated_at": entry.updated_at,
        "is_future": entry.is_future,
        "hash": entry.hash,
        "last_seen_at": now,
    }
