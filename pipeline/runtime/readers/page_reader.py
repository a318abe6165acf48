"""Pages as readers read them."""

from dataclasses import replace
from typing import Any

from pipeline.extract import PageInput, extract_article
from pipeline.model import Article, NoArticle
from pipeline.text.duplicates import compared_text


def read_page(body: bytes, url: str, **options: Any) -> Article | NoArticle:  # noqa: ANN401  # those of extract_article
    """`pipeline.extract.extract_article`, with all that storing an article needs to know and that asks for no SQL.

    One process stores for all: what it need not do is time for all of them.
    """
    outcome = extract_article(PageInput(body, url, **options))
    if isinstance(outcome, Article):
        return replace(outcome, sketch=tuple(sorted(compared_text(outcome.text).sketch)))
    return outcome


def warm_up() -> None:
    """Load what is loaded with the first page, so that processes forked from this one have it and share its memory."""
    text = "The board voted to keep the crane, and a second vote of the members was put off until the next week."
    read_page(
        f"<html lang=en><title>The crane</title><h1>The crane</h1>{f'<p>{text}</p>' * 9}".encode(), "http://localhost/"
    )
