"""What a run that was killed had fetched already: read from the raw archive instead of being asked for again.

An answer is kept as it came before anything is made of it. Where its page is still waiting, its reader was killed in
between.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from pipeline.archive.place import Place
from pipeline.archive.read import read_record, response_of
from pipeline.backfill.desk import Desk
from pipeline.errors import ArchiveError
from pipeline.ingest.keep import open_place
from pipeline.ingest.pages import finish_page
from pipeline.model import Page, Response, Validators
from pipeline.store.takeup import claim_kept, kept_unread

AT_ONCE = 200
"""Answers of one look; there are rarely more than were under way at once."""


async def take_up(desk: Desk) -> None:
    """Finish the pages of the job that were fetched before and not stored."""
    context = desk.context
    # What a host reserves beside its pages is known only once it is asked.
    place = open_place(context.settings) if not context.settings.respect_opt_out else None
    if place is None:
        return
    rows = await context.database.read(kept_unread, desk.job.id, desk.now, AT_ONCE)
    async with asyncio.TaskGroup() as tasks:
        for row in rows:
            await context.slots.acquire()
            task = tasks.create_task(_finish(desk, place, row))
            task.add_done_callback(lambda _: context.slots.release())


async def _finish(desk: Desk, place: Place, row: Mapping[str, Any]) -> None:
    context = desk.context
    try:
        response = await asyncio.to_thread(_read, place, row, context.settings.max_bytes)
    except (ArchiveError, ValueError):
        return  # it is fetched, as if it had never been
    lease = context.settings.lease
    if await context.database.write(claim_kept, row["page_id"], context.owner, desk.now, lease):
        page = Page(
            id=row["page_id"],
            url=row["page_url"],
            host=row["host"],
            validators=Validators(),
            attempts=row["attempts"],
            published_at=row["published_at"],
            published_from=row["published_from"],
            fetch_url=row["fetch_url"],
        )
        await finish_page(context, page, response)


def _read(place: Place, row: Mapping[str, Any], max_bytes: int) -> Response:
    with place.open(row["file"]) as stream:
        stream.seek(row["file_offset"])
        data = stream.read(row["file_length"])
    return response_of(read_record(data, row["record_id"]), max_bytes)
