"""What becomes of a page that was asked for: extraction, decision, storing; always one outcome."""

from dataclasses import replace
from urllib.parse import urlsplit

from pipeline.errors import ExtractError, SourceError
from pipeline.ingest.context import Context
from pipeline.ingest.events import Event
from pipeline.model import Article, NoArticle, Page, Response
from pipeline.schedule import (
    PageUpdate,
    after_blocked,
    after_error,
    after_no_article,
    after_not_modified,
)
from pipeline.store.articles import save_article
from pipeline.store.frontier import record_page
from pipeline.urls import canonical_url

HTML_TYPES = frozenset({"", "text/html", "application/xhtml+xml", "application/xml", "text/xml", "text/plain"})
"""Media types that hold HTML in the wild, some of them by a wrong label; the parser has the last word."""


async def finish_page(context: Context, page: Page, response: Response) -> None:
    """Turn a response into an outcome and store it."""
    if response.status == 304:
        await record(context, page, after_not_modified(page, context.now(), context.policy))
        return
    try:
        found = await _read(context, page, response)
    except ExtractError as error:
        await record_error(context, page, error)
        return
    now = context.now()
    if isinstance(found, NoArticle):
        await record(context, page, after_no_article(page, found, response.fetched, now, context.policy))
        return
    saved = await context.database.write(
        save_article, page, context.owner, found, response.fetched, now, context.policy
    )
    facts = {"words": found.word_count, "removed": len(found.removed), "home": saved.url}
    context.tally.report(Event("page", page.url, saved.decision or "lost", facts=facts))


async def _read(context: Context, page: Page, response: Response) -> Article | NoArticle:
    url = canonical_url(response.url)
    if response.content_type not in HTML_TYPES:
        return NoArticle(url, "content_type", f"{response.content_type} is no HTML")
    if urlsplit(url).path == "/" and urlsplit(page.url).path != "/":
        # Sites that take an article down often send its readers to the front page.
        return NoArticle(url, "front_page", f"redirected to {url}")
    return await context.workers.extract(response, url, page.published_at)


async def record_error(context: Context, page: Page, error: SourceError) -> None:
    """Store that the fetch or the extraction failed: to be tried again, given up, or gone."""
    await record(context, page, after_error(page, error, context.now(), context.policy))


async def record_blocked(context: Context, page: Page) -> None:
    """Store that robots.txt forbids the page."""
    await record(context, page, after_blocked(page))


async def record(context: Context, page: Page, update: PageUpdate) -> None:
    """Store an outcome that brings no article."""
    held = await context.database.write(record_page, page, context.owner, update, context.now())
    if not held:
        update = replace(update, outcome="lost", reason="lease_lost")
    facts = {"state": update.state, "status": update.status, "reason": update.reason, "attempts": page.attempts}
    facts |= {"detail": update.detail} if update.detail else {}
    failed = update.outcome in {"retry", "failed", "gone"}
    context.tally.report(Event("page", page.url, update.outcome, failed, facts))
