"""What becomes of pages that cannot be had for good, when a feed carried their text: articles, marked as such."""

import asyncio

from pipeline.extract.announced import article_of_announcement
from pipeline.ingest.context import Context
from pipeline.ingest.events import Event
from pipeline.model import Announcement
from pipeline.rights import is_refused
from pipeline.store.announced import lost_announcements, save_announced

BATCH = 50
"""Announcements that are held in memory at once: each may have 100,000 characters."""


async def take_from_feeds(context: Context) -> None:
    """Store what feeds carried of pages that were given up, here or by a run before; blocked pages stay blocked."""
    after = 0
    while found := await context.database.read(lost_announcements, context.now(), after, BATCH):
        for announcement in found:
            await _take(context, announcement)
        after = found[-1].page_id


async def _take(context: Context, announcement: Announcement) -> None:
    if is_refused(announcement.opt_out, context.settings.respect_opt_out):
        return
    article = await asyncio.to_thread(article_of_announcement, announcement)
    if article is None:
        return
    decision = await context.database.write(save_announced, announcement, article, context.now(), context.policy)
    if decision is not None:
        facts = {"source": "feed", "reason": announcement.reason, "words": article.word_count}
        context.tally.report(Event("page", announcement.url, decision, facts=facts))
