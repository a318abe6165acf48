"""What becomes of pages that cannot be had for good, when a feed carried their text: articles, marked as such."""

import asyncio

from pipeline.model import Announcement
from pipeline.robots.opt_out import is_refused
from pipeline.runtime.context import RunContext
from pipeline.runtime.events import Event
from pipeline.store.articles.announced_articles import find_lost_announcements, save_announced_article

BATCH = 50
"""Announcements that are held in memory at once: each may have 100,000 characters."""


async def take_from_feeds(context: RunContext) -> None:
    """Store what feeds carried of pages that were given up, here or by a run before; blocked pages stay blocked."""
    after = 0
    while announcements := await context.database.read(find_lost_announcements, context.now(), after, BATCH):
        for announcement in announcements:
            await _take(context, announcement)
        after = announcements[-1].page_id


async def _take(context: RunContext, announcement: Announcement) -> None:
    if is_refused(announcement.opt_out, context.settings.respect_opt_out):
        return
    from pipeline.extract.announced_text import article_of_announcement  # a second to import, and seldom needed

    article = await asyncio.to_thread(article_of_announcement, announcement)
    if article is None:
        return
    decision = await context.database.write(
        save_announced_article, announcement, article, context.now(), context.policy
    )
    if decision is not None:
        facts = {"source": "feed", "reason": announcement.reason, "words": article.word_count}
        context.tally.report(Event("page", announcement.url, decision, facts=facts))
