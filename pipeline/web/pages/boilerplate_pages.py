"""What was learned to be boilerplate of a site, to be kept or dropped."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.errors import ConfigError
from pipeline.store.articles.learned_boilerplate import judge_block, list_blocks
from pipeline.store.connection.engine import write
from pipeline.store.queries.known_lists import BLOCKS, SITES
from pipeline.text.recurrence import Verdict
from pipeline.web.actions import Done, act
from pipeline.web.rendering import render
from pipeline.web.row_lists import answer_list, answer_rows, answer_sql, cut_page, format_links, read_limit
from pipeline.web.web_context import get_context

VERDICTS: Final[dict[str, Verdict | None]] = {"keep": "kept", "drop": "dropped", "undo": None}


def list_judged_sites(request: Request) -> Response:
    """The sites that blocks are counted of, by the alphabet."""
    return answer_list(request, SITES, "boilerplate.html", sort="name")


def list_site_blocks(request: Request) -> Response:
    """The blocks of a site that recur, the most frequent first."""
    site, context, after = request.path_params["site"], get_context(request), request.query_params.get("after", "")
    if (answer := answer_sql(request, lambda: BLOCKS.select({"site": site}, read_limit(request), after))) is not None:
        return answer
    counted = bool(request.query_params.get("all"))
    behind = BLOCKS.read_key(after, BLOCKS.key) if after else None  # articles, key
    with context.reading() as connection:
        blocks = list_blocks(connection, site, counted=counted, limit=read_limit(request) + 1, after=behind)
    shown, following = cut_page(request, [asdict(block) for block in blocks], BLOCKS.key)
    rows = [block | {"key": block["key"].to_bytes(8, signed=True).hex()} for block in shown]
    names = ("key", "state", "text", "words", "articles", "days", "share", "above", "below", "first_seen_at")
    if (answer := answer_rows(request, (*names, "last_seen_at"), rows, following)) is not None:
        return answer
    page: dict[str, Any] = {"formats": format_links(request), "following": following, "is_first": not after}
    return render(request, "blocks.html", site=site, rows=rows, counted=counted, **page)


def judge(request: Request, form: FormData) -> Done:
    """Note that a block is to be kept or dropped, or left to the rule again."""
    site, verdict = request.path_params["site"], str(form.get("verdict", ""))
    name, _, key = verdict.partition(":")
    if name not in VERDICTS:
        raise ConfigError(f"{name!r}: keep, drop or undo")
    try:
        number = int.from_bytes(bytes.fromhex(key[:16]), signed=True)
    except ValueError as error:
        raise ConfigError(f"{key!r} is no block") from error
    judged = write(get_context(request).engine, judge_block, site, number, None, VERDICTS[name], datetime.now(UTC))
    if judged is None:
        raise ConfigError(f"{site} has no such block")
    return Done(f"/boilerplate/{site}", f"Noted. `news reclean --site {site}` applies it to what is stored.")


ROUTES = (
    Route("/boilerplate", list_judged_sites),
    Route("/boilerplate/{site}", list_site_blocks),
    Route("/boilerplate/{site}", act(judge), methods=["POST"]),
)
