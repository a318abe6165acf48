"""Backfill jobs and their units of work."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.schema.tables.column_types import Key, Table, check_words, filled_column

UNIT_STATES = ("queued", "done", "failed")


class BackfillJobRow(Table):
    """One call of a backfill: what was asked for. Its units say how far it is."""

    __tablename__ = "backfill_job"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    key: Mapped[str | None] = mapped_column(
        String(64),
        unique=True,
        comment="hash of what was asked for: the same again goes on; null once finished, so that it may be asked anew",
    )
    source: Mapped[str] = mapped_column(
        String(16), comment="sitemap, warc, ccnews, wayback, feed, html, or verify (holes that were queued)"
    )
    targets: Mapped[list[Any]] = mapped_column(comment="sites, addresses or files, as given")
    since: Mapped[datetime | None] = mapped_column(comment="begin of the range; null for none")
    until: Mapped[datetime | None] = mapped_column(comment="end of the range, itself outside; null for none")
    options: Mapped[dict[str, Any]] = mapped_column(comment="the other options: sites, languages, limit …")
    created_at: Mapped[datetime] = mapped_column(comment="when it was first asked for")
    finished_at: Mapped[datetime | None] = mapped_column(comment="when its last unit and page were done")


class BackfillUnitRow(Table):
    """A part of a backfill job that is done by itself: a sitemap, a page of an index, a file."""

    __tablename__ = "backfill_unit"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("backfill_job.id", ondelete="CASCADE"), comment="the job")
    kind: Mapped[str] = mapped_column(String(16), comment="site, sitemap, month, file, query, feed or folder")
    address: Mapped[str] = mapped_column(comment="its URL or path")
    depth: Mapped[int] = filled_column(0, comment="indexes above it")
    state: Mapped[str] = filled_column(
        "queued", String(16), comment="queued (not yet, or in part), done, failed (given up)"
    )
    position: Mapped[int] = filled_column(
        0, BigInteger, comment="how much of it is done: the byte of a file, the number of a page or line"
    )
    cursor: Mapped[str | None] = mapped_column(comment="what to ask for next, where a server says so")
    counts: Mapped[dict[str, Any]] = mapped_column(comment="what it came to so far: numbers by outcome")
    attempts: Mapped[int] = filled_column(0, comment="claims since it last got on; a claim counts before it reads")
    due_at: Mapped[datetime] = mapped_column(comment="not before this time")
    reason: Mapped[str | None] = mapped_column(String(40), comment="what went wrong last, one word to group by")
    detail: Mapped[str | None] = mapped_column(comment="the reason in words")
    leased_until: Mapped[datetime | None] = mapped_column(comment="the claim on this unit ends then")
    lease_owner: Mapped[str | None] = mapped_column(comment="the worker that holds the claim")

    __table_args__ = (
        UniqueConstraint("job_id", "address"),
        Index("ix_backfill_unit_job_id_state_due_at", "job_id", "state", "due_at"),
        check_words("state", UNIT_STATES),
    )
