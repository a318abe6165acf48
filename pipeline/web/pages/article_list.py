"""The list of articles, and the search in it."""

from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.errors import ConfigError
from pipeline.periods import read_period
from pipeline.store.queries.known_lists import ARTICLES
from pipeline.store.search import NEWEST, Hit, search_articles
from pipeline.store.search.in_sql import check_search
from pipeline.web.rendering import render
from pipeline.web.row_lists import answer_list, answer_rows, answer_sql, format_links, read_limit
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
    if (answer := answer_sql(request, lambda: _select(query, given, limit))) is not None:
        return answer
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
    values: dict[str, Any] = {
        "query": query,
        "given": given,
        "found": result,
        "formats": format_links(request),
        "classes": CLASSES,
    }
    return render(request, "search.html", **values)


def _select(query: str, given: dict[str, str], limit: int) -> sa.Select[Any]:
    """The same search as a statement for `news sql`, which ranks all that matches.

    Raises QueryError: it cannot be understood, or limits times or feeds in its words.
    """
    check_search(query)
    articles = ARTICLES.table.c
    matches = sa.func.news_search(query).table_valued("article_id", "rank", name="s")
    names = (articles[name] for name in ("article_id", "published_at", "site", "language", "title", "url"))
    statement = sa.select(*names, matches.c.rank).join(matches, matches.c.article_id == articles.article_id)
    for name in ("site", "language", "page_class", "story"):
        if given[name]:
            statement = statement.where(ARTICLES.filters[name](ARTICLES.table, given[name]))
    since, until = _period(given)
    at = sa.func.coalesce(articles.published_at, articles.first_seen_at, type_=articles.published_at.type)
    statement = statement if since is None else statement.where(at >= since)
    statement = statement if until is None else statement.where(at < until)
    return statement.order_by(matches.c.rank.desc(), articles.article_id.desc()).limit(limit)


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
