"""A task that is begun in a group that has just failed."""

import asyncio
from contextlib import suppress

import pytest

from pipeline.runtime.stop import start_task


class AwayError(Exception):
    pass


async def fail():
    raise AwayError


async def begin_late(group, by):
    """Let the group fail, and begin a task before its cancellation arrives, as who just had an answer does."""
    group.create_task(fail())
    with suppress(asyncio.CancelledError):
        await asyncio.sleep(3600)
    started = asyncio.sleep(0)
    try:
        by(group, started)
    finally:
        started.close()


def failures(by):
    async def run():
        async with asyncio.TaskGroup() as group:
            await begin_late(group, by)

    with pytest.raises(ExceptionGroup) as caught:
        asyncio.run(run())
    return [type(error) for error in caught.value.exceptions]


def test_a_group_that_failed_of_one_thing_fails_of_nothing_else():
    assert failures(start_task) == [AwayError]
    assert failures(asyncio.TaskGroup.create_task) == [AwayError, RuntimeError]  # what it is for
