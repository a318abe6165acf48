"""What becomes of a page that was asked for: extraction, decision, storing; always one outcome."""

from dataclasses import replace
from urllib.parse import urlsplit

from pipeline.classify import class_of_answer, class_of_refusal
from pipeline.config import Settings
from pipeline.errors import ExtractError, FetchError, SourceError
from pipeline.errors.failure_reasons import find_reason
from pipeline.model import Article, Capture, Cause, Fetched, NoArticle, Page, Response
from pipeline.robots.opt_out import is_refused, merge_signals, signals_of_headers
from pipeline.runtime.context import Database, RunContext
from pipeline.runtime.events import Event
from pipeline.runtime.workers import Workers
from pipeline.schedule.pages import PageUpdate, after_blocked, after_error, after_no_article, after_not_modified
from pipeline.store.articles.learned_boilerplate import load_learned_texts_of_each
from pipeline.store.articles.saving import save_articles_now
from pipeline.store.articles.version_values import Finding
from pipeline.store.frontier.page_outcomes import record_held_pages
from pipeline.urls import canonical_url, site_of


async def finish_page(context: RunContext, page: Page, response: Response, tdm: bool | None = None) -> None:
    """Turn a response into an outcome and store it.

    ``tdm`` is whether the host's tdmrep.json reserves rights at the URL that answered; None where it does not say.
    """
    await _finish(context, page, response, tdm)
    context.forget(response.captures)


async def _finish(context: RunContext, page: Page, response: Response, tdm: bool | None) -> None:
    # Who respects what reserves rights must have read the page to know whether it may be kept at all.
    is_careful = bool(context.settings.respect_opt_out) and response.status != 304
    is_same = not is_careful and await context.keep(response.captures, page_id=page.id)
    if response.status == 304:
        await record_outcome(context, page, after_not_modified(page, context.now(), context.policy))
        return
    judged = await judge_response(context, page, response, tdm)
    if is_careful and not (isinstance(judged, PageUpdate) and judged.reason == "opt_out"):
        is_same = await context.keep(response.captures, page_id=page.id)
    if isinstance(judged, PageUpdate):
        await record_outcome(context, page, judged)
        return
    outcome, fetched = judged
    # The same bytes, read otherwise than before: that was us, and not the publisher.
    cause: Cause = "reclean" if is_same else "publisher"
    finding = Finding(page, outcome, fetched, cause)
    saved = await context.database.write_each(save_articles_now, finding, context.owner, context.now, context.policy)
    facts: dict[str, object] = {
        "bytes": fetched.bytes,
        "words": outcome.word_count,
        "removed": len(outcome.removed),
        "home": saved.url,
    }
    if saved.decision == "new" and page.published_at is not None and context.scope.backfill is None:
        facts["delay"] = round((context.now() - page.published_at).total_seconds(), 1)
    facts |= {"cut": True} if response.is_cut else {}
    facts |= {"class": outcome.page_class} if outcome.page_class != "article" else {}
    context.tally.report(Event("page", page.url, saved.decision or "lost", facts=facts))


async def judge_response(
    context: RunContext,
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
        outcome = await read_article(
            context.settings, context.database, context.workers, page, response, reserved, learned
        )
    except ExtractError as error:
        update = after_error(page, error, context.now(), context.policy)
        return replace(update, status=response.status, opt_out=reserved)
    fetched = replace(response.fetched, opt_out=merge_signals(reserved, outcome.opt_out))
    if is_refused(fetched.opt_out, context.settings.respect_opt_out):
        outcome = NoArticle(outcome.url, "opt_out", f"reserved: {' '.join(fetched.opt_out)}")
    if isinstance(outcome, NoArticle):
        return _after_no_article(context, page, outcome, fetched)
    return outcome, fetched


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

    ``reserved`` are the signals of its headers by which rights are reserved; ``learned`` is as of `judge_response`.

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
        learned = await database.read_each(load_learned_texts_of_each, site_of(url))
    return await workers.extract(response, url, page.published_hint, learned, is_announced=page.is_announced)


def _after_no_article(context: RunContext, page: Page, outcome: NoArticle, fetched: Fetched) -> PageUpdate:
    """What stands in the way of the page is tried again, what says that it is gone counts so; the rest is final."""
    now, policy = context.now(), context.policy
    reason = find_reason(outcome.reason)
    if not (reason.is_temporary or reason.is_gone):
        return after_no_article(page, outcome, fetched, now, policy)
    error = ExtractError(outcome.url, outcome.reason, outcome.message)
    # Validators are not kept: a 304 would say that the wall still stands, and nothing of the page.
    return replace(
        after_error(page, error, now, policy), status=fetched.status, bytes=fetched.bytes, opt_out=fetched.opt_out
    )


async def record_error(context: RunContext, page: Page, error: SourceError) -> None:
    """Store that the fetch or the extraction failed: to be tried again, given up, or gone."""
    captures: tuple[Capture, ...] = ()
    if isinstance(error, FetchError):
        captures = error.captures
        await context.keep(captures, page_id=page.id)
        error = _named(error)
    await record_outcome(context, page, after_error(page, error, context.now(), context.policy))
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
        status=error.status,
        retry_after=error.retry_after,
    )


async def record_blocked(context: RunContext, page: Page, url: str | None = None) -> None:
    """Store that robots.txt forbids the page, or the URL that it leads to."""
    leads_to = url or (page.route.url if page.route else None)
    await record_outcome(context, page, after_blocked(page, leads_to))


async def record_outcome(context: RunContext, page: Page, update: PageUpdate) -> None:
    """Store an outcome that brings no article."""
    held = await context.database.write_each(record_held_pages, (page, update, context.now()), context.owner)
    if not held:
        update = replace(update, outcome="lost", reason="lease_lost")
    facts = {"state": update.state, "status": update.status, "reason": update.reason, "attempts": page.attempts}
    facts |= {"detail": update.detail} if update.detail else {}
    failed = update.outcome in {"retry", "failed", "gone"}
    context.tally.report(Event("page", page.url, update.outcome, failed, facts))
