"""Paragraphs of an article, told apart from what news sites print between and below them.

A pure function from paragraphs to (kept, removed with the reason of each). Phrases are data, one file per language in
``phrases/``; what no language changes (embedded JSON, copyright signs, repetition) is code.

Two rules keep true text safe: a phrase must cover the whole paragraph, so that a sentence which merely mentions "now
watch" or a newsletter stays; and nothing is removed when nothing would be left.
"""

from collections.abc import Callable, Iterable, Sequence

from pipeline.clean.phrase_patterns import fold_paragraph
from pipeline.clean.phrases import reason_of, shape_of
from pipeline.model import Cleaned, Removed

__all__ = ["Cleaned", "clean", "judge_paragraphs", "reason_of"]

MIN_REPEATED = 60
"""Characters from which on a repeated paragraph is an error of the page; shorter ones may be a refrain or an answer."""

TITLE_REGION = 3
"""The headline is printed again among the first paragraphs; further down the same words are text."""

MAX_KICKER = 6
"""Words of a line above the headline."""


def clean(paragraphs: Sequence[str], *, title: str | None = None, language: str | None = None) -> Cleaned:
    """What of the paragraphs is the article, and what was taken out.

    Args:
        paragraphs: in reading order, as extracted.
        title: the headline, which is not to stand in the text again.
        language: ISO 639-1 code where known; phrases of every language are tried where it is None.

    Cleaning what was cleaned changes nothing.
    """
    stripped = [text for paragraph in paragraphs if (text := paragraph.strip())]
    reasons = judge_paragraphs(stripped, title=title, language=language)
    return Cleaned(
        kept=tuple(text for text, reason in zip(stripped, reasons, strict=True) if not reason),
        removed=tuple(Removed(text, reason) for text, reason in zip(stripped, reasons, strict=True) if reason),
    )


def judge_paragraphs(
    paragraphs: Sequence[str], *, title: str | None = None, language: str | None = None
) -> list[str | None]:
    """For each paragraph the reason to remove it, or None; arguments as for `clean`."""
    texts = [paragraph.strip() for paragraph in paragraphs]
    reasons: list[str | None] = [shape_of(text) or reason_of(text, language) for text in texts]
    for mark in (_repeated_title(title), _repeated, _ending(language), _dangling_heading):
        mark(texts, reasons)
    if all(reasons):
        # a page of nothing but lines such as "Read more" is better shown as it is than as an empty article
        reasons = [reason if reason in ("json", "duplicate") else None for reason in reasons]
    return reasons


_Mark = Callable[[list[str], list[str | None]], None]


def _kept(reasons: list[str | None]) -> Iterable[int]:
    return [index for index, reason in enumerate(reasons) if not reason]


def _repeated_title(title: str | None) -> _Mark:
    wanted = fold_paragraph(title or "")

    def mark(texts: list[str], reasons: list[str | None]) -> None:
        while wanted:
            top = list(_kept(reasons))[:TITLE_REGION]
            position = next(
                (position for position, index in enumerate(top) if fold_paragraph(texts[index]) == wanted), None
            )
            if position is None or not all(_is_kicker(texts[index]) for index in top[:position]):
                return
            for index in top[:position]:
                reasons[index] = "dateline"
            reasons[top[position]] = "title"

    return mark


def _is_kicker(text: str) -> bool:
    """A few words that stand above a headline, and are no sentence: a section, a slug, a place and a day."""
    return len(text.split()) <= MAX_KICKER and not text.endswith((".", "!", "?", "”", "。"))


def _repeated(texts: list[str], reasons: list[str | None]) -> None:
    seen: set[str] = set()
    for index in _kept(reasons):
        if len(texts[index]) < MIN_REPEATED and texts[index].isascii():
            continue  # folding makes other letters longer, never these
        key = fold_paragraph(texts[index])
        if len(key) >= MIN_REPEATED and key in seen:
            reasons[index] = "duplicate"
        seen.add(key)


def _ending(language: str | None) -> _Mark:
    """From the last paragraph upward, as long as there is nothing but notes on who wrote it and how to reach them."""

    def mark(texts: list[str], reasons: list[str | None]) -> None:
        for index in reversed(list(_kept(reasons))):
            reasons[index] = reason_of(texts[index], language, at_end=True)
            if reasons[index] is None:
                break

    return mark


def _dangling_heading(texts: list[str], reasons: list[str | None]) -> None:
    """A label that ends in a colon announces a list; when all that followed is gone, it announces nothing."""
    kept = list(_kept(reasons))
    while kept and kept[-1] + 1 < len(texts) and texts[kept[-1]].endswith(":") and len(texts[kept[-1]]) < MIN_REPEATED:
        reasons[kept.pop()] = "related"
