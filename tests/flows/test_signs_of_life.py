"""A run whose signs of life have ended ends with them: others would take up what it still does."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from pipeline.config import Settings
from pipeline.errors import first_of
from pipeline.ingest.work_loop import renewing_leases
from pipeline.runtime.events import Tally
from pipeline.runtime.run import open_run
from pipeline.runtime.stop import Stop
from pipeline.store.connection.engine import open_engine
from pipeline.store.frontier.due_work import Scope


@pytest.fixture
def within(tmp_path):
    """Does work while leases are renewed in a database of this name, ten times a second."""

    def run(url, work):
        settings = Settings(database_url=url, lease=timedelta(seconds=0.3), archive_url="off", jobs=1)
        engine, scope = open_engine(url), Scope(until=datetime.now(UTC), max_attempts=5)

        async def renew():
            async with (
                open_run(replace(settings), engine, scope, Tally(), Stop()) as context,
                renewing_leases(context),
            ):
                await work()

        try:
            asyncio.run(renew())
        finally:
            engine.dispose()

    return run


def test_what_ends_the_signs_of_life_ends_the_run_and_is_told(within, tmp_path):
    async def work():
        await asyncio.sleep(60)  # which it does only where nothing ends it

    with pytest.raises(ExceptionGroup) as caught:
        within(f"sqlite:///{tmp_path / 'without-tables.db'}", work)
    assert isinstance(first_of(caught.value), sa.exc.OperationalError)


def test_they_end_with_the_work(within, sqlite_url):
    async def work():
        await asyncio.sleep(0.3)

    within(sqlite_url, work)
