"""Marks of readers: what was wrongly removed, what should go, which field is wrong; kept as pins of `news gate`."""

import asyncio
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.routing import Route

from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.model import Response
from pipeline.runtime.workers import Workers
from pipeline.store.queries.article_record import load_article_record
from pipeline.upkeep.pinned_pages import PinnedPage, ReaderMark, answer_of, apply_mark, describe_page, find_pin
from pipeline.web.actions import Done, act
from pipeline.web.pages.raw_copy import find_page_copy, page_text
from pipeline.web.web_context import get_context

_MARKING: Final = threading.Lock()
"""Held from reading a pin to writing it: of two marks at once neither is lost."""

FIELDS: Final = ("title", "authors", "published_at")
"""What can be marked as wrong beside the text."""


def list_marks(request: Request, url: str) -> list[dict[str, Any]]:
    """The marks that an article has, the oldest first."""
    pin = find_pin(Path(get_context(request).settings.gate_dir), url)
    if not pin.answer.is_file():
        return []
    try:
        return list(pin.load()[0].get("marks", []))
    except ConfigError:
        return []  # a file that somebody broke is `news gate run`'s to tell


def load_marked(request: Request) -> dict[str, Any]:
    """What is known of the article of a form. Raises ConfigError: it is not there any more."""
    article_id = request.path_params["article_id"]
    with get_context(request).reading() as connection:
        record = load_article_record(connection, article_id) if article_id < 2**63 else None
    if record is None:
        raise ConfigError("the article is not there any more")
    return record


def mark_article(request: Request, form: FormData) -> Done:
    """Take a mark into the pin of an article's page, which is pinned as it is read now where it is not yet."""
    context, article_id, record = get_context(request), request.path_params["article_id"], load_marked(request)
    response = find_page_copy(request, record)
    if response is None:
        raise ConfigError("no archived response of the page is kept (NEWS_ARCHIVE_URL), so that it cannot be pinned")
    mark = _read_mark(form, record)
    pin = find_pin(Path(context.settings.gate_dir), record["article"]["url"])
    with _MARKING:
        is_new = not pin.answer.is_file()
        about = _pin_now(context.settings, response, record["article"]["url"]) if is_new else pin.load()[0]
        if not is_new and not about.get("marks"):
            about["unmarked"] = about["expected"]  # what somebody pinned before, to come back to
        pin.save(apply_mark(about, mark, page_text(response), datetime.now(UTC)), response.body if is_new else None)
    return Done(f"/articles/{article_id}", "Marked. `news gate run` stays shut until it comes out so.")


def forget_marks(request: Request, _form: FormData) -> Done:
    """Take all marks of an article back: its page is pinned no more, where marks pinned it."""
    context, article_id = get_context(request), request.path_params["article_id"]
    pin = find_pin(Path(context.settings.gate_dir), load_marked(request)["article"]["url"])
    with _MARKING:
        if pin.answer.is_file():
            _unpin(pin)
    return Done(f"/articles/{article_id}", "The marks are taken back.")


def _unpin(pin: PinnedPage) -> None:
    about, _ = pin.load()
    if not about.get("marks"):
        return  # pinned by somebody else; or the form was sent twice
    before = about.get("unmarked")
    if before is None:
        pin.answer.unlink()
        pin.page.unlink()
        return
    kept = {name: value for name, value in about.items() if name not in {"marks", "wrong", "unmarked"}}
    pin.save(kept | {"expected": before})


def _read_mark(form: FormData, record: dict[str, Any]) -> ReaderMark:
    """The mark of a button: drop:NUMBER or keep:NUMBER of a paragraph, or the name of a field.

    Raises ConfigError: there is no such paragraph any more, or no such mark.
    """
    kind, _, number = str(form.get("mark", "")).partition(":")
    if form.get("content_hash") != record["article"]["content_hash"]:
        raise ConfigError("the article has changed meanwhile: load it again")
    if kind in FIELDS:
        return ReaderMark(kind, str(record["article"][kind] or ""), str(form.get(kind, "")).strip())
    texts = record["article"]["text"].split("\n\n") if kind == "drop" else [row["text"] for row in record["removed"]]
    if kind not in {"drop", "keep"} or not number.isdecimal() or not int(number) < len(texts):
        raise ConfigError("there is no such paragraph")
    return ReaderMark(kind, texts[int(number)])


def _pin_now(settings: Settings, response: Response, url: str) -> dict[str, Any]:
    """A pin of what comes out of the page now, read in a process of its own."""

    async def read() -> dict[str, Any]:
        async with Workers(1, settings.extract_timeout, **settings.reading_options) as workers:
            return answer_of(await workers.extract(response, url, None))

    return describe_page(response) | {"url": url, "expected": asyncio.run(read())}


ROUTES = (
    Route("/articles/{article_id:int}/marks", act(mark_article), methods=["POST"]),
    Route("/articles/{article_id:int}/marks/forget", act(forget_marks), methods=["POST"]),
)
