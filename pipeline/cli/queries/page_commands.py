"""``news show`` and ``news diff``: all that is known about one URL, and what was edited in its article, in words."""

from dataclasses import asdict
from typing import Any

import click
from rich.text import Text

from pipeline.cli.opening import canonical_argument
from pipeline.cli.options import json_option
from pipeline.cli.output import (
    as_text,
    format_value,
    print_facts,
    print_json,
    print_line,
    print_table,
    print_text,
    write_line,
)
from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.store.connection.engine import open_archive, reading
from pipeline.store.queries.page_record import load_page_record
from pipeline.text.diff import Words, compare_paragraphs, compare_words, count_changed_words
from pipeline.text.markdown import make_markdown


def load_known_page(settings: Settings, url: str) -> dict[str, Any]:
    """Load all that is known about a URL.

    Raises:
        ConfigError: it is no http(s) address.
        ClickException: it was never seen.
    """
    canonical = canonical_argument(url)
    with open_archive(settings) as engine, reading(engine) as connection:
        facts = load_page_record(connection, canonical)
    if facts is None:
        raise click.ClickException(f"{canonical} was never seen")
    return facts


@click.command()
@click.argument("url")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the article, and nothing else, as Markdown.")
@json_option
@click.pass_obj
def show_command(settings: Settings, url: str, as_markdown: bool, as_json: bool) -> None:
    """What is known of URL: its status, the feeds that announced it, the article, its revisions, what was removed.

    \b
    Examples:
      news show https://example.org/2026/11/22/story.html
      news show --json https://example.org/2026/11/22/story.html | jq .article.removed
      news show --markdown https://example.org/2026/11/22/story.html > story.md
    """
    if as_json and as_markdown:
        raise ConfigError("--json and --markdown: choose one")
    facts = load_known_page(settings, url)
    if as_markdown:
        write_line(_markdown(facts), end="")
        return
    if as_json:
        print_json(facts)
        return
    _print_page(facts)
    if facts["article"]:
        _print_article(facts)


def _markdown(facts: dict[str, Any]) -> str:
    if not (article := facts["article"]):
        raise click.ClickException(f"{facts['url']}: there is no article of it")
    return make_markdown(article["text"], article["shape"], article["title"])


def _print_page(facts: dict[str, Any]) -> None:
    page = facts["page"]
    print_line(as_text(facts["url"], "bold"))
    if facts["alias_of"]:
        print_facts({"leads to": facts["alias_of"]}, 10)
    names = ("state", "outcome", "reason", "detail", "status", "attempts")
    print_facts({name: page[name] for name in names if page[name] is not None}, 10)
    times = ("discovered_at", "fetched_at", "next_fetch_at", "gone_at")
    print_facts({_label(name): page[name] for name in times if page[name] is not None}, 11)
    if page["route"] is not None:
        print_facts({"waits at": f"{page['host']}, for {page['route']['url']}"}, 10)
    print_facts({"host": _host(facts["host"])}, 10)
    for alias in facts["aliases"]:
        print_facts({"also at": alias}, 10)
    print_table(
        ("announced by", "first seen", "changes"),
        ((row["feed_title"] or row["feed"], row["first_seen_at"], row["changes"]) for row in facts["announced_by"]),
    )


def _label(column: str) -> str:
    return column.removesuffix("_at").replace("_", " ")


def _host(host: dict[str, Any]) -> str:
    parts = [host["name"], f"{host['pause']:.3g} s between requests"]
    if host["response_time"] is not None:
        parts.append(f"answers in {host['response_time']:.2g} s")
    if host["strain"] > 1:
        parts.append(f"slowed {host['strain']:.3g} times")
    return ", ".join(parts)


def _print_article(facts: dict[str, Any]) -> None:
    article = facts["article"]
    print_line()
    print_line(as_text(f"{'title':10s}", "bold"), article["title"])
    names = ("site", "authors", "published_at", "modified_at", "language", "section", "tags", "word_count")
    print_facts({_label(name): article[name] for name in names if article[name]}, 11)
    if facts["duplicate_of"]:
        print_line("duplicate of ", facts["duplicate_of"])
    print_text(f"\n{article['text']}\n")
    if article["removed"]:
        print_table(("removed because", "text"), ((row["reason"], row["text"]) for row in article["removed"]))
    print_table(
        ("revision", "seen", "changed", "by", "words", "title"),
        (
            (row["number"], row["seen_at"], row["changed"], row["cause"], row["word_count"], row["title"])
            for row in facts["revisions"]
        ),
    )


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
def diff_command(settings: Settings, url: str, first: int | None, last: int | None, whole: bool, as_json: bool) -> None:
    """What was edited in the article of URL between two revisions, in words, headline and text.

    Words that went stand in [-…-], words that came in {+…+}; on a terminal they are red and green, too.

    \b
    Examples:
      news diff https://example.org/2026/11/22/story.html
      news diff --from 1 https://example.org/2026/11/22/story.html
      news diff --json https://example.org/2026/11/22/story.html | jq .words
    """
    facts = load_known_page(settings, url)
    canonical: str = facts["url"]
    if not facts["revisions"]:
        raise click.ClickException(f"{canonical}: there is no article of it")
    before, after = _choose_revisions(facts["revisions"], first, last)
    title = compare_words(before["title"] or "", after["title"] or "")
    paragraphs = compare_paragraphs(before["text"].split("\n\n"), after["text"].split("\n\n"))
    if as_json:
        print_json(_diff_as_dict(canonical, before, after, title, paragraphs))
        return
    print_line(as_text(canonical, "bold"))
    for mark, row in (("-", before), ("+", after)):
        change = f"{format_value(row['seen_at'])}, {row['changed']}, {row['word_count']} words"
        print_line(f"{mark} revision {row['number']}  {change}")
    _print(title, paragraphs, whole=whole)


def _choose_revisions(
    revisions: list[dict[str, Any]], first: int | None, last: int | None
) -> tuple[dict[str, Any], ...]:
    by_number = {row["number"]: row for row in revisions}
    newest = revisions[-1]["number"]
    later = newest if last is None else last
    earlier = max(later - 1, 1) if first is None else first
    for number in (later, earlier):
        if number not in by_number:
            raise ConfigError(f"there is no revision {number}: there are {', '.join(map(str, by_number))}")
    return by_number[earlier], by_number[later]


def _diff_as_dict(
    url: str, before: dict[str, Any], after: dict[str, Any], title: Words, paragraphs: tuple[Words, ...]
) -> dict[str, Any]:
    names = ("number", "seen_at", "changed", "title", "word_count", "extractor_version")
    changes = (title, *paragraphs)
    return {
        "url": url,
        "from": {name: before[name] for name in names},
        "to": {name: after[name] for name in names},
        "words": {change: count_changed_words(changes, change) for change in ("same", "removed", "added")},
        "title": [asdict(piece) for piece in title],
        "paragraphs": [[asdict(piece) for piece in words] for words in paragraphs],
    }


def _print(title: Words, paragraphs: tuple[Words, ...], *, whole: bool) -> None:
    changes = (title, *paragraphs)
    print_line()
    if whole or _is_edited(title):
        print_line(_line(title, bold=True))
    skipped = 0
    for words in paragraphs:
        if not whole and not _is_edited(words):
            skipped += 1
            continue
        if skipped:
            print_line(f"… {skipped} {'paragraph' if skipped == 1 else 'paragraphs'} unchanged", style="dim")
            skipped = 0
        print_line(_line(words))
    if skipped:
        print_line(f"… {skipped} {'paragraph' if skipped == 1 else 'paragraphs'} unchanged", style="dim")
    print_line()
    removed, added = (count_changed_words(changes, change) for change in ("removed", "added"))
    print_line(f"{removed} words removed, {added} added", style="dim")


def _is_edited(words: Words) -> bool:
    return any(piece.change != "same" for piece in words)


def _line(words: Words, *, bold: bool = False) -> Text:
    line = Text(style="bold" if bold else "")
    for piece in words:
        left, right = _MARKS[piece.change]
        line.append_text(as_text(f"{left}{piece.text}{right}", _STYLES[piece.change], multiline=True))
    return line
