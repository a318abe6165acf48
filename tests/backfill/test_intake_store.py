"""Storing what a file brought: one page that cannot be stored costs no other."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from pipeline.backfill.intake_store import is_fault_of_page, store_step
from pipeline.model import Address
from pipeline.schedule.pages import PagePolicy, PageUpdate
from pipeline.store.articles.bulk_rows import CapturedPage
from pipeline.store.backfill.job_units import claim_unit
from pipeline.store.backfill.job_values import BackfillRequest, UnitStep
from pipeline.store.backfill.jobs import open_job
from pipeline.store.connection.engine import reading, write
from pipeline.store.schema.tables import BackfillUnitRow, PageRow

AT = datetime(2026, 3, 5, 10, tzinfo=UTC)
UPDATE = PageUpdate("rejected", "rejected", None, "no_article")
POLICY = PagePolicy(5, timedelta(minutes=5), ())
LEASE = timedelta(minutes=5)


def captured(number, update=UPDATE):
    return CapturedPage(Address(f"http://a.example/{number}", AT, "capture"), AT, update)


def test_a_page_that_cannot_be_stored_costs_no_other(engine):
    job = write(engine, open_job, BackfillRequest("warc", ("a.warc.gz",)), [("file", "a.warc.gz")], AT)
    unit = write(engine, claim_unit, job.id, "me", AT, LEASE, ())
    pages = [captured(1), captured(2, object()), captured(3)]
    counts, outcomes = write(engine, store_step, job, unit, "me", UnitStep("queued", 7), pages, AT, POLICY)
    assert [outcome for _, outcome in outcomes] == ["rejected", "unstorable", "rejected"]
    assert counts["unstorable"] == 1
    with reading(engine) as connection:
        assert connection.scalars(sa.select(PageRow.url).order_by(PageRow.url)).all() == [
            "http://a.example/1",
            "http://a.example/3",
        ]
        assert connection.scalar(sa.select(BackfillUnitRow.position)) == 7


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OverflowError("date value out of range"), True),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"), True),
        (sa.exc.DataError("", {}, Exception("\\u0000")), True),
        (sa.exc.StatementError("a time without a zone", "", {}, ValueError()), True),
        (sa.exc.OperationalError("", {}, Exception("disk is full")), False),
        (sa.exc.ProgrammingError("", {}, Exception("no such column")), False),
        (OSError("disk is full"), False),
        (MemoryError(), False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_the_database_or_the_disk_does_is_no_fault_of_a_page(error, expected):
    assert is_fault_of_page(error) is expected
