"""The ledger: why a page is not in the archive, by reason with what to do, and asking again."""

from datetime import UTC, datetime

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.errors import ConfigError
from pipeline.errors.failure_reasons import find_reason
from pipeline.store.connection.engine import write
from pipeline.store.frontier.retries import FailureSelection, retry_pages
from pipeline.store.queries.known_lists import LEDGER
from pipeline.store.queries.ledger_reasons import MOST, list_reasons, select_reasons
from pipeline.store.schema.tables import PAGE_STATES
from pipeline.web.actions import Done, act
from pipeline.web.rendering import render
from pipeline.web.row_lists import answer_list, answer_rows, answer_sql, format_links
from pipeline.web.web_context import get_context


def list_ledger(request: Request) -> Response:
    """Pages with what became of them, the newest first."""
    reason = request.query_params.get("reason", "").strip()
    advice = find_reason(reason).advice if reason else ""
    return answer_list(request, LEDGER, "ledger.html", states=PAGE_STATES, advice=advice)


def show_reasons(request: Request) -> Response:
    """Each state and reason with how many pages have it, and what one can do."""
    if (answer := answer_sql(request, select_reasons)) is not None:
        return answer
    with get_context(request).reading() as connection:
        rows = [row | {"advice": find_reason(row["reason"]).advice} for row in list_reasons(connection)]
    if (answer := answer_rows(request, ("state", "reason", "pages", "advice"), rows)) is not None:
        return answer
    return render(request, "reasons.html", rows=rows, most=MOST, formats=format_links(request))


def retry(request: Request, form: FormData) -> Done:
    """Put pages that failed for a reason back into the frontier, all or one."""
    reason, state, site = (str(form.get(name, "")).strip() for name in ("reason", "state", "site"))
    page_id, limit = str(form.get("page_id", "")), str(form.get("limit", ""))
    if not reason or not all(text == "" or (text.isdecimal() and len(text) < 19) for text in (page_id, limit)):
        raise ConfigError("say which pages: a reason, and perhaps how many")
    failures = FailureSelection(
        reason,
        state if state in PAGE_STATES else None,
        site or None,
        int(limit) if limit else None,
        int(page_id) if page_id else None,
    )
    pages = write(get_context(request).engine, retry_pages, failures, datetime.now(UTC))
    return Done("/ledger?state=queued", f"{pages} pages are due now, as if never tried.")


ROUTES = (
    Route("/ledger", list_ledger),
    Route("/ledger/reasons", show_reasons),
    Route("/ledger/retry", act(retry), methods=["POST"]),
)
