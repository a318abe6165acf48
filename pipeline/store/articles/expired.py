"""What may be forgotten after a time: polls, archived responses, former revisions. Entries and pages stay.

An entry that is forgotten while it still stands in its feed would come back as new, so none is.
"""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.orm import aliased

from pipeline.store.schema.tables import FeedRow, PollRow, RawRow, RevisionRow

BATCH = 5000
"""Rows of one transaction: writers wait no longer than for that."""


@dataclass(frozen=True, slots=True)
class RetentionRules:
    """What is to be forgotten; None for nothing of a kind.

    Attributes:
        polls_before: polls before this time, but the last of each feed.
        raw_before: archived responses before this time, but those that have the body of a later one.
        latest_too: also the last good copy of each page, which `news reclean` reads.
        revisions_kept: all but so many of each article, the newest.
        revisions_before: revisions before this time, but the newest of each article.
    """

    polls_before: datetime | None = None
    raw_before: datetime | None = None
    latest_too: bool = False
    revisions_kept: int | None = None
    revisions_before: datetime | None = None


def select_old_polls(rules: RetentionRules) -> sa.Select[int]:
    """Ids of the polls to forget."""
    later = FeedRow.last_polled_at > PollRow.polled_at
    query = sa.select(PollRow.id).join(FeedRow, FeedRow.id == PollRow.feed_id)
    return query.where(PollRow.polled_at < rules.polls_before, later)


def select_old_copies(rules: RetentionRules) -> sa.Select[int]:
    """Ids of the archived responses to remove."""
    revisit, newer = aliased(RawRow), aliased(RawRow)
    needed = sa.exists().where(revisit.refers_to == RawRow.id, revisit.fetched_at >= rules.raw_before, ~revisit.dropped)
    query = sa.select(RawRow.id).where(RawRow.fetched_at < rules.raw_before, ~RawRow.dropped, ~needed)
    if rules.latest_too:
        return query
    # The body of a page that did not change since stands in an older copy than the last one: it stays with that.
    good = newer.status.between(200, 299)
    last = (
        sa.select(sa.func.max(newer.id))
        .where(newer.page_id == RawRow.page_id, good, ~newer.dropped)
        .correlate(RawRow)
        .scalar_subquery()
    )
    body = sa.select(newer.refers_to).where(newer.id == last).scalar_subquery()
    is_latest = sa.or_(RawRow.id == last, RawRow.id == body)
    return query.where(sa.or_(RawRow.page_id.is_(None), ~RawRow.status.between(200, 299), sa.not_(is_latest)))


def select_old_revisions(rules: RetentionRules) -> sa.Select[int]:
    """Ids of the revisions to forget; never the newest of an article."""
    newer = aliased(RevisionRow)
    count = (
        sa.select(sa.func.count())
        .select_from(newer)
        .where(newer.article_id == RevisionRow.article_id, newer.number > RevisionRow.number)
        .correlate(RevisionRow)
        .scalar_subquery()
    )
    where = [count >= max(rules.revisions_kept or 1, 1)]
    if rules.revisions_before is not None:
        where.append(RevisionRow.seen_at < rules.revisions_before)
    return sa.select(RevisionRow.id).where(*where)


def count_expired(connection: Connection, rules: RetentionRules) -> dict[str, int]:
    """How much there is to forget, by kind."""
    counts = {}
    for name, query in _queries(rules).items():
        counts[name] = connection.scalar(sa.select(sa.func.count()).select_from(query.subquery())) or 0
    return counts


def prune_batch(connection: Connection, rules: RetentionRules, kind: str) -> int:
    """Forget some of a kind, the oldest first; 0 once there is nothing more.

    Archived responses are only marked: `pipeline.upkeep.raw_copies.purge_dropped` takes them out of their files.
    """
    query = _queries(rules).get(kind)
    if query is None:
        return 0
    ids = list(connection.scalars(query.order_by(sa.text("1")).limit(BATCH)))
    if kind == "polls":
        connection.execute(sa.delete(PollRow).where(PollRow.id.in_(ids)))
    elif kind == "revisions":
        connection.execute(sa.delete(RevisionRow).where(RevisionRow.id.in_(ids)))
    else:
        connection.execute(sa.update(RawRow).where(RawRow.id.in_(ids)).values(dropped=True))
    return len(ids)


KINDS = ("polls", "revisions", "copies")


def _queries(rules: RetentionRules) -> dict[str, sa.Select[int]]:
    queries = {}
    if rules.polls_before is not None:
        queries["polls"] = select_old_polls(rules)
    if rules.revisions_kept is not None or rules.revisions_before is not None:
        queries["revisions"] = select_old_revisions(rules)
    if rules.raw_before is not None:
        queries["copies"] = select_old_copies(rules)
    return queries
