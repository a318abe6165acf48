"""Polls as they are logged, and what a poll makes of its feed."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.http.freshness import announced_period, announced_ttl
from pipeline.model import Feed, ParsedFeed, Validators
from pipeline.schedule.feed_state import FeedUpdate, PollAnswer, after_answer, after_failure
from pipeline.schedule.feeds import PollFacts, PollPolicy
from pipeline.store.connection.rows import core, storable
from pipeline.store.feeds.feed_addresses import adopt_address
from pipeline.store.feeds.feed_entries import PollCounts, store_entries
from pipeline.store.schema.tables import POLLED_STATES, FeedRow, PollRow
from pipeline.urls import host_of

MAX_HUBS = 5
"""WebSub hubs of a feed that are kept: those that name several name two or three."""


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


def record_polls(connection: Connection, polls: Sequence[Poll], policy: PollPolicy) -> list[PollCounts]:
    """Store polls of different feeds with everything that they brought, and end the claims on the feeds.

    New entries put their pages into the frontier; changed ones put them there again. The feed's state, pace and next
    poll follow from it, and so does a new address, once the old one has led there often enough. A poll that brought
    nothing takes a row of a statement for all.
    """
    if connection.dialect.name == "postgresql":  # merging another feed into one of these waits until we are done
        connection.execute(_LOCK, {"ids": [poll.feed.id for poll in polls]})
    counts = _store_documents(connection, polls)
    updates = [_decide(poll, counted, policy) for poll, counted in zip(polls, counts, strict=True)]
    feeds: defaultdict[tuple[str, ...], list[dict[str, object]]] = defaultdict(list)
    for poll, counted, update in zip(polls, counts, updates, strict=True):
        values = _feed_values(poll, counted, update)
        row = {f"new_{name}": value for name, value in values.items()}
        feeds[tuple(sorted(values))].append(row | {"polled_id": poll.feed.id})
    for names, rows in sorted(feeds.items()):
        connection.execute(_feed_update(names), sorted(rows, key=itemgetter("polled_id")))
    connection.execute(_LOG, [_log_row(poll, counted) for poll, counted in zip(polls, counts, strict=True)])
    states = [
        (
            update.adopt
            and adopt_address(connection, poll.feed.id, update.adopt, poll.polled_at, "redirect", poll.outcome)
        )
        or update.state
        for poll, update in zip(polls, updates, strict=True)
    ]
    return [replace(counted, state=state) for counted, state in zip(counts, states, strict=True)]


_LOCK = sa.select(FeedRow.id).where(FeedRow.id.in_(sa.bindparam("ids", expanding=True))).order_by(FeedRow.id)
_LOCK = _LOCK.with_for_update()
_LOG = sa.insert(core(PollRow))


def _store_documents(connection: Connection, polls: Sequence[Poll]) -> list[PollCounts]:
    documents = [(poll.feed, poll.parsed.entries, poll.polled_at) for poll in polls if poll.parsed is not None]
    stored = iter(store_entries(connection, documents)) if documents else iter(())
    counts = [PollCounts(rolls=poll.feed.rolls) if poll.parsed is None else next(stored) for poll in polls]
    return [
        # That a delta shares no entry with the poll before is the point of it.
        replace(counted, missed=False, rolls=poll.feed.rolls) if poll.is_delta else counted
        for poll, counted in zip(polls, counts, strict=True)
    ]


def _log_row(poll: Poll, counts: PollCounts) -> dict[str, object]:
    return {
        "feed_id": poll.feed.id,
        "polled_at": poll.polled_at,
        "status": poll.status,
        "outcome": poll.outcome,
        "entries_seen": counts.seen,
        "entries_new": counts.new,
        "entries_changed": counts.changed,
        "entries_skipped": poll.parsed.skipped if poll.parsed else 0,
        "entries_without_page": counts.without_page,
        "missed": counts.missed,
        "bytes": poll.bytes,
        "duration": poll.duration.total_seconds() if poll.duration is not None else None,
        "error": storable(poll.error),
    }


_GIVEN = ("title", "site_url", "language")
"""What the subscriber gave of these stands; what the feed says of itself fills the gaps."""


@cache
def _feed_update(names: tuple[str, ...]) -> sa.Update:
    """The statement that sets these columns of a feed to the parameters ``new_…``; made once for each set of them."""
    columns = core(FeedRow).columns
    values: dict[str, sa.ColumnElement[Any]] = {
        name: sa.bindparam(f"new_{name}", type_=columns[name].type) for name in names
    }
    # Who paused the feed meanwhile has the last word. (IN cannot be part of a statement for several rows.)
    is_polled = sa.or_(*(FeedRow.state == state for state in POLLED_STATES))
    values["state"] = sa.case((is_polled, values["state"]), else_=FeedRow.state)
    values |= {name: sa.func.coalesce(columns[name], values[name]) for name in _GIVEN if name in values}
    return sa.update(core(FeedRow)).where(FeedRow.id == sa.bindparam("polled_id")).values(values)


def _decide(poll: Poll, counts: PollCounts, policy: PollPolicy) -> FeedUpdate:
    feed = poll.feed
    if poll.failed:
        failure = poll.outcome, poll.status, poll.retry_after
        return after_failure(feed, *failure, poll.ended_at, poll.chance, policy.retry_step)
    answer = PollAnswer(
        seen=PollFacts(
            elapsed=poll.polled_at - feed.answered_at if feed.answered_at else None,
            new=counts.fresh,
            window=feed.window if poll.is_delta else counts.seen,
            missed=counts.missed,
            is_cheap=_is_conditional(poll),
            dated=tuple(entry.published_at for entry in poll.parsed.entries if entry.published_at)
            if poll.parsed and not feed.answered_at
            else (),
            at=poll.polled_at,
        ),
        cache=poll.cache,
        ttl=announced_ttl(poll.parsed.hints) if poll.parsed else feed.ttl,
        period=announced_period(poll.parsed.hints) if poll.parsed else feed.period,
        skips=poll.parsed.hints.skips if poll.parsed else feed.skips,
        target=poll.target,
    )
    return after_answer(feed, answer, poll.began_at or poll.polled_at, poll.ended_at, policy, poll.chance)


def _is_conditional(poll: Poll) -> bool:
    """Whether the next poll can ask for what has changed since this one."""
    validators = poll.validators or poll.feed.validators
    return bool(validators.etag or validators.last_modified)


def _feed_values(poll: Poll, counts: PollCounts, update: FeedUpdate) -> dict[str, object]:
    limit = update.rhythm.limit
    values: dict[str, object] = {
        "state": update.state,
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
    document = _said(poll.parsed, counts)
    if poll.is_delta:
        # What it does not repeat still holds.
        untold = {"window", "rolls", "skips", *(() if poll.parsed.hub_urls else ("further_hubs",))}
        document = {name: value for name, value in document.items() if value is not None and name not in untold}
    return values | document


def _said(parsed: ParsedFeed, counts: PollCounts) -> dict[str, object]:
    ttl, period = announced_ttl(parsed.hints), announced_period(parsed.hints)
    hubs = storable(list(parsed.hub_urls[:MAX_HUBS]))
    values: dict[str, object] = {
        "window": counts.seen,
        "rolls": counts.rolls,
        "ttl": ttl.total_seconds() if ttl else None,
        "update_period": period.total_seconds() if period else None,
        "skips": list(parsed.hints.skips),
        "hub_url": next(iter(hubs), None),
        "further_hubs": hubs[1:],
        "topic_url": storable(parsed.self_url),
    }
    return values | {name: storable(getattr(parsed, name)) for name in _GIVEN}
