"""What becomes of a page that was asked for: extraction, decision, storing; always one outcome."""

from dataclasses import replace
from urllib.parse import urlsplit

from pipeline.classify import GONE, TEMPORARY, class_of_answer, class_of_refusal
from pipeline.config import Settings
from pipeline.errors import ExtractError, FetchError, SourceError
from pipeline.ingest.context import Context, Database
from pipeline.ingest.events import Event
from pipeline.model import Article, Capture, Cause, Fetched, NoArticle, Page, Response
from pipeline.rights import is_refused, merged, signals_of_headers
from pipeline.schedule import (
    PageUpdate,
    after_blocked,
    after_error,
    after_no_article,
    after_not_modified,
)
from pipeline.store.articles import save_article
from pipeline.store.boilerplate import learned_texts
from pipeline.store.frontier import record_page
from pipeline.urls import canonical_url, site_of
from pipeline.workers import Workers


async def finish_page(context: Context, page: Page, response: Response, tdm: bool | None = None) -> None:
    """Turn a response into an outcome and store it.

    ``tdm`` is whether the host's tdmrep.json reserves rights at the URL that answered; None where it does not say.
    """
    await _finish(context, page, response, tdm)
    context.forget(response.captures)


async def _finish(context: Context, page: Page, response: Response, tdm: bool | None) -> None:
    # Who respects what reserves rights must have read the page to know whether it may be kept at all.
    is_careful = bool(context.settings.respect_opt_out) and response.status != 304
    is_same = not is_careful and await context.keep(response.captures, page_id=page.id)
    if response.status == 304:
        await record(context, page, after_not_modified(page, context.now(), context.policy))
        return
    came_to = await read_page(context, page, response, tdm)
    if is_careful and not (isinstance(came_to, PageUpdate) and came_to.reason == "opt_out"):
        is_same = await context.keep(response.captures, page_id=page.id)
    if isinstance(came_to, PageUpdate):
        await record(context, page, came_to)
        return
    found, fetched = came_to
    # The same bytes, read otherwise than before: that was us, and not the publisher.
    cause: Cause = "reclean" if is_same else "publisher"
    saved = await context.database.write(
        save_article, page, context.owner, found, fetched, context.now(), context.policy, cause
    )
    facts = {"words": found.word_count, "removed": len(found.removed), "home": saved.url}
    facts |= {"class": found.page_class} if found.page_class != "article" else {}
    context.tally.report(Event("page", page.url, saved.decision or "lost", facts=facts))


async def read_page(
    context: Context,
    page: Page,
    response: Response,
    tdm: bool | None = None,
    learned: frozenset[str] | None = None,
) -> tuple[Article, Fetched] | PageUpdate:
    """The article that the response holds, to be stored; or else what becomes of the page.

    ``learned`` is what recurs on its site; None where that is to be asked for.
    """
    reserved = signals_of_headers(response.headers, context.settings.user_agent, tdm)
    try:
        found = await read_article(
            context.settings, context.database, context.workers, page, response, reserved, learned
        )
    except ExtractError as error:
        update = after_error(page, error, context.now(), context.policy)
        return replace(update, status=response.status, opt_out=reserved)
    fetched = replace(response.fetched, opt_out=merged(reserved, found.opt_out))
    if is_refused(fetched.opt_out, context.settings.respect_opt_out):
        found = NoArticle(found.url, "opt_out", f"reserved: {' '.join(fetched.opt_out)}")
    if isinstance(found, NoArticle):
        return _after_no_article(context, page, found, fetched)
    return found, fetched


async def read_article(
    settings: Settings,
    database: Database,
    workers: Workers,
    page: Page,
    response: Response,
    reserved: tuple[str, ...],
    learned: frozenset[str] | None = None,
) -> Article | NoArticle:
    """The article in a good answer of a page, or why there is none.

    ``reserved`` are the signals of its headers by which rights are reserved; ``learned`` is as of `read_page`.

    Raises:
        ExtractError: no parser survives it.
    """
    # An archive's copy is the page, whatever the archive calls it.
    url = page.url if page.fetch_url else canonical_url(response.url)
    if is_refused(reserved, settings.respect_opt_out):
        return NoArticle(url, "opt_out")  # not even read
    if known := class_of_answer(response):
        return NoArticle(url, known.page_class, known.evidence)
    if urlsplit(url).path == "/" and urlsplit(page.url).path != "/":
        # Sites that take an article down often send its readers to the front page.
        return NoArticle(url, "front_page", f"redirected to {url}")
    if learned is None:
        learned = await database.read(learned_texts, site_of(url))
    return await workers.extract(response, url, page.published_hint, learned)


def _after_no_article(context: Context, page: Page, found: NoArticle, fetched: Fetched) -> PageUpdate:
    """What stands in the way of the page is tried again, what says that it is gone counts so; the rest is final."""
    now, policy = context.now(), context.policy
    if found.reason not in TEMPORARY | GONE:
        return after_no_article(page, found, fetched, now, policy)
    error = ExtractError(found.url, found.reason, found.message, temporary=found.reason in TEMPORARY)
    # Validators are not kept: a 304 would say that the wall still stands, and nothing of the page.
    return replace(
        after_error(page, error, now, policy), status=fetched.status, bytes=fetched.bytes, opt_out=fetched.opt_out
    )


async def record_error(context: Context, page: Page, error: SourceError) -> None:
    """Store that the fetch or the extraction failed: to be tried again, given up, or gone."""
    captures: tuple[Capture, ...] = ()
    if isinstance(error, FetchError):
        captures = error.captures
        await context.keep(captures, page_id=page.id)
        error = _named(error)
    await record(context, page, after_error(page, error, context.now(), context.policy))
    context.forget(captures)


def _named(error: FetchError) -> FetchError:
    """The error with its cause for a reason, where the answer of a bot wall tells more than its status."""
    verdict = class_of_refusal(error.status, error.headers, error.body)
    if verdict is None:
        return error
    return FetchError(
        error.url,
        verdict.page_class,
        verdict.evidence,
        temporary=True,
        status=error.status,
        retry_after=error.retry_after,
    )


async def record_blocked(context: Context, page: Page, url: str | None = None) -> None:
    """Store that robots.txt forbids the page, or the URL that it leads to."""
    leads_to = url or (page.route.url if page.route else None)
    await record(context, page, after_blocked(page, leads_to))


async def record(context: Context, page: Page, update: PageUpdate) -> None:
    """Store an outcome that brings no article."""
    held = await context.database.write(record_page, page, context.owner, update, context.now())
    if not held:
        update = replace(update, outcome="lost", reason="lease_lost")
    facts = {"state": update.state, "status": update.status, "reason": update.reason, "attempts": page.attempts}
    facts |= {"detail": update.detail} if update.detail else {}
    failed = update.outcome in {"retry", "failed", "gone"}
    context.tally.report(Event("page", page.url, update.outcome, failed, facts))
