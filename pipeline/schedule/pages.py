"""When something is due again, and what a page's row becomes: pure decisions, the clock passed in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.errors import FetchError, SourceError
from pipeline.errors.failure_reasons import find_reason
from pipeline.model import Decision, Fetched, NoArticle, Page, Validators

MAX_BACKOFF = timedelta(hours=24)
"""A source that fails is asked at least this often: 404 and DNS failures do recover (Media Cloud)."""

CUT_SHORT = "the answer broke off before the end that was announced, but is complete in itself"
"""What is told of a page or feed that was taken all the same."""


@dataclass(frozen=True, slots=True)
class PagePolicy:
    """The settings that the decisions on pages need."""

    max_attempts: int
    retry_delay: timedelta
    revisits: tuple[timedelta, ...]


@dataclass(frozen=True, slots=True)
class PageUpdate:
    """What the row of a page becomes after a fetch.

    Attributes:
        state: the new state of the ledger (`pipeline.store.schema.tables.PAGE_STATES`).
        reason: why the state is what it is; None where nothing is wrong.
        next_fetch_at: when the page is due again; None for never by itself.
        succeeded: whether the server gave what we came for; sets the count of attempts back.
        gone: whether the server says that the page is no more.
        validators: for the next conditional GET; None keeps those there are.
        opt_out: signals of the answer that reserve rights; None where there was no answer to read them in.
        keeps_reason: whether the reason and the detail of before still hold.
    """

    state: str
    outcome: str
    next_fetch_at: datetime | None
    reason: str | None = None
    detail: str | None = None
    status: int | None = None
    succeeded: bool = True
    gone: bool = False
    validators: Validators | None = None
    bytes: int | None = None
    opt_out: tuple[str, ...] | None = None
    keeps_reason: bool = False


def page_retry_pause(failures: int, first: timedelta) -> timedelta:
    """The pause after so many failures in a row: doubled each time, a day at most.

    >>> [str(page_retry_pause(n, timedelta(minutes=5))) for n in (1, 2, 3, 20)]
    ['0:05:00', '0:10:00', '0:20:00', '1 day, 0:00:00']
    """
    doubled: int = 2 ** min(max(failures, 1) - 1, 20)
    return min(first * doubled, MAX_BACKOFF)


def next_retry_at(now: datetime, attempts: int, delay: timedelta, retry_after: timedelta | None = None) -> datetime:
    """When a page that failed is due again; a server that names a time is taken at its word (RFC 9110, 10.2.3)."""
    return now + (retry_after if retry_after is not None else page_retry_pause(attempts, delay))


def next_revisit_at(
    published_at: datetime | None, first_seen_at: datetime | None, now: datetime, revisits: Sequence[timedelta]
) -> datetime | None:
    """The first revisit time after publication that is still to come; None when all have passed.

    A page that gives no date, or one later than we saw it, counts as published when it was first seen.
    """
    seen = first_seen_at or now
    since = min(published_at or seen, seen)
    return min((since + pause for pause in revisits if since + pause > now), default=None)


def after_article(
    decision: Decision,
    fetched: Fetched,
    published_at: datetime | None,
    first_seen_at: datetime,
    now: datetime,
    policy: PagePolicy,
) -> PageUpdate:
    """The page holds an article, which was stored or stood there already; the reason is of one that was cut short."""
    return PageUpdate(
        state="stored",
        outcome=decision,
        next_fetch_at=next_revisit_at(published_at, first_seen_at, now, policy.revisits),
        reason="cut_short" if fetched.is_cut else None,
        detail=CUT_SHORT if fetched.is_cut else None,
        status=fetched.status,
        validators=fetched.validators,
        bytes=fetched.bytes,
        opt_out=fetched.opt_out,
    )


def after_not_modified(page: Page, now: datetime, policy: PagePolicy) -> PageUpdate:
    """The server says that nothing has changed since the last answer (304): what was wrong with it still is.

    Of pages without an article only those are asked for conditionally that were rejected (`claim_pages`).
    """
    return PageUpdate(
        state="stored" if page.stored else "rejected",
        outcome="not_modified",
        next_fetch_at=_next_look(page, now, policy),
        status=304,
        keeps_reason=not page.stored,
    )


def after_no_article(page: Page, outcome: NoArticle, fetched: Fetched, now: datetime, policy: PagePolicy) -> PageUpdate:
    """The page was had, and holds no article (any more: then what is stored stays as it is)."""
    return PageUpdate(
        state="stored" if page.stored else "rejected",
        outcome="rejected",
        next_fetch_at=_next_look(page, now, policy),
        reason=outcome.reason,
        detail=outcome.message or None,
        status=fetched.status,
        # Those of the article must not be lost: a 304 to these would say that the article is there unchanged.
        validators=None if page.stored else fetched.validators,
        bytes=fetched.bytes,
        opt_out=fetched.opt_out,
    )


def _next_look(page: Page, now: datetime, policy: PagePolicy) -> datetime | None:
    published_at = page.article_published_at or page.published_at
    return next_revisit_at(published_at, page.first_seen_at, now, policy.revisits) if page.stored else None


def after_blocked(page: Page, leads_to: str | None = None) -> PageUpdate:
    """robots.txt forbids the page; it is looked at again only when a feed announces it again."""
    return PageUpdate(
        state="stored" if page.stored else "blocked",
        outcome="blocked",
        next_fetch_at=None,
        reason="robots",
        detail=f"robots.txt forbids {leads_to}, where it leads" if leads_to else "robots.txt forbids this URL",
    )


def after_error(page: Page, error: SourceError, now: datetime, policy: PagePolicy) -> PageUpdate:
    """The fetch or the extraction failed: try again, or give up; an article that is stored is never lost."""
    status = error.status if isinstance(error, FetchError) else None
    retry_after = error.retry_after if isinstance(error, FetchError) else None
    gone = page.stored and find_reason(error.reason).is_gone
    retry = error.temporary and page.attempts < policy.max_attempts
    if gone:
        state, due = "gone", None
    elif retry:
        state = "stored" if page.stored else "queued"
        due = next_retry_at(now, page.attempts, policy.retry_delay, retry_after)
    else:
        state = "stored" if page.stored else "failed"
        due = _next_look(page, now, policy)
    return PageUpdate(
        state=state,
        outcome="gone" if gone else "retry" if retry else "failed",
        next_fetch_at=due,
        reason=error.reason,
        detail=str(error),
        status=status,
        succeeded=page.stored and not retry,
        gone=gone,
    )
