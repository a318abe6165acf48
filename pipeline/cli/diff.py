"""``news diff``: what was edited in an article, in words."""

from dataclasses import asdict
from typing import Any

import click
from rich.text import Text

from pipeline.cli.look import known_of
from pipeline.cli.output import console, json_option, print_json, shown
from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.wording import Words, compare_paragraphs, compare_words, count_words

_STYLES = {"same": "", "removed": "red strike", "added": "green"}
_MARKS = {"same": ("", ""), "removed": ("[-", "-]"), "added": ("{+", "+}")}
"""As git has them: an edit has to be seen in a file, and by who cannot tell red from green."""


@click.command()
@click.argument("url")
@click.option(
    "--from", "first", type=click.IntRange(min=1), help="Number of the earlier revision.  [default: --to - 1]"
)
@click.option("--to", "last", type=click.IntRange(min=1), help="Number of the later revision.  [default: the last]")
@click.option("--whole", is_flag=True, help="Print paragraphs that stayed as they were, too.")
@json_option
@click.pass_obj
def diff(settings: Settings, url: str, first: int | None, last: int | None, whole: bool, as_json: bool) -> None:
    """What was edited in the article of URL between two revisions, in words, headline and text.

    Words that went stand in [-…-], words that came in {+…+}; on a terminal they are red and green, too.

    \b
    Examples:
      news diff https://example.org/2026/11/22/story.html
      news diff --from 1 https://example.org/2026/11/22/story.html
      news diff --json https://example.org/2026/11/22/story.html | jq .words
    """
    found = known_of(settings, url)
    canonical: str = found["url"]
    if not found["revisions"]:
        raise click.ClickException(f"{canonical}: there is no article of it")
    before, after = _chosen(found["revisions"], first, last)
    title = compare_words(before["title"] or "", after["title"] or "")
    paragraphs = compare_paragraphs(before["text"].split("\n\n"), after["text"].split("\n\n"))
    if as_json:
        print_json(_told(canonical, before, after, title, paragraphs))
        return
    out = console()
    out.print(canonical, markup=False, style="bold")
    for mark, row in (("-", before), ("+", after)):
        facts = f"{shown(row['seen_at'])}, {row['changed']}, {row['word_count']} words"
        out.print(f"{mark} revision {row['number']}  {facts}", markup=False)
    _print(title, paragraphs, whole=whole)


def _chosen(revisions: list[dict[str, Any]], first: int | None, last: int | None) -> tuple[dict[str, Any], ...]:
    """The two revisions that are asked for."""
    by_number = {row["number"]: row for row in revisions}
    newest = revisions[-1]["number"]
    later = newest if last is None else last
    earlier = max(later - 1, 1) if first is None else first
    for number in (later, earlier):
        if number not in by_number:
            raise ConfigError(f"there is no revision {number}: there are {', '.join(map(str, by_number))}")
    return by_number[earlier], by_number[later]


def _told(
    url: str, before: dict[str, Any], after: dict[str, Any], title: Words, paragraphs: tuple[Words, ...]
) -> dict[str, Any]:
    names = ("number", "seen_at", "changed", "title", "word_count", "extractor_version")
    changes = (title, *paragraphs)
    return {
        "url": url,
        "from": {name: before[name] for name in names},
        "to": {name: after[name] for name in names},
        "words": {change: count_words(changes, change) for change in ("same", "removed", "added")},
        "title": [asdict(piece) for piece in title],
        "paragraphs": [[asdict(piece) for piece in words] for words in paragraphs],
    }


def _print(title: Words, paragraphs: tuple[Words, ...], *, whole: bool) -> None:
    out = console()
    changes = (title, *paragraphs)
    out.print()
    if whole or _is_edited(title):
        out.print(_line(title, bold=True))
    skipped = 0
    for words in paragraphs:
        if not whole and not _is_edited(words):
            skipped += 1
            continue
        if skipped:
            out.print(f"… {skipped} {'paragraph' if skipped == 1 else 'paragraphs'} unchanged", style="dim")
            skipped = 0
        out.print(_line(words))
    if skipped:
        out.print(f"… {skipped} {'paragraph' if skipped == 1 else 'paragraphs'} unchanged", style="dim")
    out.print(f"\n{count_words(changes, 'removed')} words removed, {count_words(changes, 'added')} added", style="dim")


def _is_edited(words: Words) -> bool:
    return any(piece.change != "same" for piece in words)


def _line(words: Words, *, bold: bool = False) -> Text:
    line = Text(style="bold" if bold else "")
    for piece in words:
        left, right = _MARKS[piece.change]
        line.append(f"{left}{piece.text}{right}", style=_STYLES[piece.change])
    return line
