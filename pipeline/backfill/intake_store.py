"""Storing what a file brought, together with the progress of its unit."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Connection

from pipeline.schedule.pages import PagePolicy
from pipeline.store.articles.bulk_rows import (
    CapturedPage,
    find_announced_urls,
    find_archived_urls,
    store_captured_pages,
)
from pipeline.store.articles.learned_boilerplate import load_learned_blocks
from pipeline.store.backfill.job_units import record_step
from pipeline.store.backfill.job_values import BackfillJob, BackfillUnit, UnitStep
from pipeline.urls import site_of

log = structlog.get_logger("news")


class LeaseLostError(Exception):
    """Another worker has the unit by now."""


def is_fault_of_page(error: Exception) -> bool:
    """Whether an error may come of what is in one page; all others are ours or the database's, and end the run."""
    if isinstance(error, sa.exc.DBAPIError):
        return isinstance(error, sa.exc.DataError | sa.exc.IntegrityError)
    return isinstance(error, ArithmeticError | LookupError | TypeError | ValueError | sa.exc.StatementError)


def store_step(
    connection: Connection,
    job: BackfillJob,
    unit: BackfillUnit,
    owner: str,
    step: UnitStep,
    pages: Sequence[CapturedPage],
    now: datetime,
    policy: PagePolicy,
) -> tuple[Counter[str], list[tuple[str, str]]]:
    """Store pages together with the progress of their unit; returns the counts, and the outcome of each page.

    Raises:
        LeaseLostError: the unit is another worker's by now; nothing is stored.
    """
    outcomes = _take_in(connection, pages, owner, now, policy) if pages else []
    stored = Counter(step.counts) + Counter(outcome for _, outcome in outcomes)
    counts = record_step(connection, job, unit, owner, replace(step, counts=stored), now)
    if "lost" in counts and "lost" not in stored:
        raise LeaseLostError(unit.address)
    return counts, outcomes


def _take_in(
    connection: Connection, pages: Sequence[CapturedPage], owner: str, now: datetime, policy: PagePolicy
) -> list[tuple[str, str]]:
    """Store pages; where one of them cannot be stored each is tried by itself, so that it costs no other."""
    try:
        with connection.begin_nested():
            return store_captured_pages(connection, pages, owner, now, policy)
    except Exception as error:
        if not is_fault_of_page(error):
            raise
        if len(pages) > 1:
            return [outcome for page in pages for outcome in _take_in(connection, [page], owner, now, policy)]
        log.warning("page", url=pages[0].address.url, outcome="unstorable", error=repr(error))
        return [(pages[0].address.url, "unstorable")]


def look_up_pages(connection: Connection, urls: Sequence[str]) -> tuple[set[str], set[str], dict[str, frozenset[str]]]:
    """The pages that the archive has already, those that feeds announced, and by site what was learned for others."""
    had, announced = find_archived_urls(connection, urls), find_announced_urls(connection, urls)
    return had, announced, load_learned_blocks(connection, {site_of(url) for url in urls if url not in had})
