"""One article: its text with what was removed from it in place, and all that is known of it beside; its revisions."""

from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.store.queries.article_record import load_article_record, load_revisions
from pipeline.text.diff import compare_paragraphs, compare_words
from pipeline.text.removed_places import order_by_page
from pipeline.text.shape import iterate_blocks
from pipeline.web.pages.raw_copy import load_page_text
from pipeline.web.pages.reader_marks import list_marks
from pipeline.web.rendering import render
from pipeline.web.row_lists import answer_rows
from pipeline.web.web_context import get_context


@dataclass(frozen=True, slots=True)
class ShownPiece:
    """A paragraph with its kind and level, or what was removed and why; ``number`` names it among these or those."""

    text: str
    number: int
    reason: str | None = None
    kind: str | None = None
    level: int | None = None


def require_article(request: Request) -> dict[str, Any]:
    """What is known of the article that the path names. Raises HTTPException: there is none."""
    article_id = request.path_params["article_id"]
    with get_context(request).reading() as connection:
        record = load_article_record(connection, article_id) if article_id < 2**63 else None
    if record is None:
        raise HTTPException(404)
    return record


def show_article(request: Request) -> Response:
    """The page of an article; as JSON and CSV its row of v_article."""
    record = require_article(request)
    article = record["article"]
    if (answer := answer_rows(request, tuple(article), [article])) is not None:
        return answer
    page = load_page_text(request, record)
    pieces = arrange(record, page or "")
    marks = list_marks(request, article["url"])
    return render(request, "article.html", **record, pieces=pieces, has_page=page is not None, marks=marks)


def arrange(record: dict[str, Any], page: str) -> list[ShownPiece]:
    """The paragraphs of an article and what was removed, in the order of its page as far as that is known."""
    article, removed = record["article"], record["removed"]
    kept = list(iterate_blocks(article["text"], article["shape"]))
    return [
        ShownPiece(kept[at].text, at, None, kept[at].kind, kept[at].level)
        if is_kept
        else ShownPiece(removed[at]["text"], at, removed[at]["reason"])
        for is_kept, at in order_by_page([block.text for block in kept], [row["text"] for row in removed], page)
    ]


def show_revision(request: Request) -> Response:
    """What a revision changed in the one before, or between any two, with ``from``."""
    number = request.path_params["number"]
    earlier = request.query_params.get("from", str(number - 1))
    if not earlier.isdecimal() or len(earlier) > 9 or number >= 2**31:
        raise HTTPException(404)
    record = require_article(request)
    with get_context(request).reading() as connection:
        revisions = load_revisions(connection, record["article"]["article_id"], int(earlier), number)
    if not revisions:
        raise HTTPException(404)
    before, after = revisions[0], revisions[-1]
    return render(
        request,
        "revision.html",
        article=record["article"],
        before=before,
        after=after,
        headline=compare_words(before["title"] or "", after["title"] or ""),
        paragraphs=compare_paragraphs(before["text"].split("\n\n"), after["text"].split("\n\n")),
    )


ROUTES = (
    Route("/articles/{article_id:int}", show_article),
    Route("/articles/{article_id:int}/revisions/{number:int}", show_revision),
)
