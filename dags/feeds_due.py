"""Fires when feeds or pages are due and nobody is at them: the event that `ingest_stream` runs by.

It runs in the triggerer, which imports it as ``dags.feeds_due``: the folder above this one has to be on PYTHONPATH
there (docker-compose.yml sees to that). Looking is one indexed query each few seconds, in a thread.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

FRESH = timedelta(seconds=3)
"""What fell due so recently a run that is at work will take yet: it looks each second."""


class FeedsDueTrigger(BaseEventTrigger):
    """Fires when something is due that nobody is at, and not again for a while.

    Args:
        look: seconds between two looks.
        floor: seconds between two events at least: what falls due meanwhile is taken along by the run after.
        late: seconds after which what is due counts although others ingest: they do not keep up, or are dead.
    """

    def __init__(self, look: float = 5.0, floor: float = 30.0, late: float = 60.0) -> None:
        super().__init__()
        self.look, self.floor, self.late = look, floor, late

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """How the triggerer makes it anew."""
        return "dags.feeds_due.FeedsDueTrigger", {"look": self.look, "floor": self.floor, "late": self.late}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look until the end of days; an archive that cannot be read is looked at again."""
        while True:
            try:
                is_due = await asyncio.to_thread(self._is_due)
            except Exception:
                self.log.exception("The archive cannot be read; looking again")
                is_due = False
            if is_due:
                yield TriggerEvent({"at": datetime.now(UTC).isoformat()})
            await asyncio.sleep(self.floor if is_due else self.look)

    def _is_due(self) -> bool:
        from pipeline.config import Settings
        from pipeline.store.connection.engine import open_engine, reading
        from pipeline.store.frontier.due_work import Scope, is_live_work_held
        from pipeline.store.frontier.hosts import next_host_at

        settings, now = Settings.from_env(os.environ), datetime.now(UTC)
        engine = open_engine(settings.database_url)
        try:
            with reading(engine) as connection:
                wait = timedelta(seconds=self.late) if is_live_work_held(connection, now) else FRESH
                scope = Scope(until=now - wait, max_attempts=settings.max_attempts)
                return next_host_at(connection, scope, now, timedelta(0)) is not None
        finally:
            engine.dispose()
