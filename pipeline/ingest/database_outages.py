"""A service outlives its database: what it does is begun again once the database is back."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from sqlalchemy.exc import DBAPIError

from pipeline.errors import first_of
from pipeline.runtime.stop import Stop

log = structlog.get_logger("news")

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before the work goes on, doubled each time: the first follow upon the patience of the settings."""

STEADY = 300.0
"""Seconds after which work that went well makes the next pause a first one."""


async def survive_outages(
    work: Callable[[], Awaitable[None]], stop: Stop, say_away: Callable[[], None] = lambda: None
) -> None:
    """Do the work until the run is told to end; where the database goes away, say so, wait, and begin it again.

    Raises ExceptionGroup: of anything else that the work raises.
    """
    pause, clock = FIRST_PAUSE, asyncio.get_running_loop().time
    while not stop.is_asked:
        began = clock()
        try:
            await work()
        except* DBAPIError as errors:
            log.warning("database", outcome="away", error=str(first_of(errors)), again_in=pause)
            say_away()
        pause = FIRST_PAUSE if clock() - began > STEADY else pause
        await stop.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)
