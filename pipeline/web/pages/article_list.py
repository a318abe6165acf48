"""The list of articles, and the search in it."""

from datetime import datetime
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.errors import ConfigError
from pipeline.periods import read_period
from pipeline.store.queries.known_lists import ARTICLES
from pipeline.store.search import NEWEST, Hit, search_articles
from pipeline.web.rendering import render
from pipeline.web.row_lists import answer_list, answer_rows, format_links, read_limit
from pipeline.web.web_context import get_context

CLASSES: Final = ("article", "paywall", "live_blog", "gallery", "recipe", "video")


def list_articles(request: Request) -> Response:
    """Articles as they came, the newest first, or those that a search finds, the best first."""
    if query := request.query_params.get("q", "").strip():
        return _search(request, query)
    return answer_list(request, ARTICLES, "articles.html", classes=CLASSES)


def _search(request: Request, query: str) -> Response:
    given = {name: request.query_params.get(name, "").strip() for name in ARTICLES.filters}
    period, story = _period(given), given["story"]
    if story and not (story.isdecimal() and len(story) < 19):
        raise ConfigError(f"story: {story!r} is no number")
    limit = min(read_limit(request), NEWEST)
    with get_context(request).reading() as connection:
        result = search_articles(
            connection,
            query,
            since=period[0],
            until=period[1],
            site=given["site"] or None,
            language=given["language"] or None,
            page_class=given["page_class"] or None,
            story=int(story) if story else None,
            limit=limit,
        )
    rows = [_as_row(hit) for hit in result.hits]
    names = ("article_id", "score", "published_at", "site", "language", "title", "snippet", "url")
    if (answer := answer_rows(request, names, rows)) is not None:
        return answer
    links = format_links(request, ("csv", "json"))
    return render(request, "search.html", query=query, given=given, found=result, formats=links, classes=CLASSES)


def _period(given: dict[str, str]) -> tuple[datetime | None, datetime | None]:
    try:
        period = read_period(given["since"] or None, given["until"] or None)
    except ValueError as error:
        raise HTTPException(400, str(error)) from error
    return period.since, period.until


def _as_row(hit: Hit) -> dict[str, Any]:
    names = ("article_id", "score", "published_at", "site", "language", "url")
    texts = {name: "".join(span.text for span in getattr(hit, name)) for name in ("title", "snippet")}
    return {name: getattr(hit, name) for name in names} | texts


ROUTES = (Route("/articles", list_articles),)
