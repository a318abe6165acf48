"""What the demonstration found in its archive: read by plain SQL, printed, and compared with what has to be there."""

import difflib
import json
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any, Self

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from examples.newsroom.expectations import expected_files

SIGNS = {"-": "−", "+": "+"}
SHOWN_ARTICLES = 3
SHOWN_LINES = 8

COUNTS = {
    "feeds": "SELECT count(*) FROM feed",
    "polls": "SELECT count(*) FROM poll",
    "entries": "SELECT count(*) FROM entry",
    "pages": "SELECT count(*) FROM page",
    "articles": "SELECT count(*) FROM article",
    "duplicates": "SELECT count(*) FROM article WHERE duplicate_of IS NOT NULL",
    "revisions": "SELECT count(*) FROM revision",
}

LOOK_FURTHER = {
    "What each site brought": (
        "SELECT site, count(*) AS articles, sum(word_count) AS words FROM article GROUP BY site ORDER BY articles DESC"
    ),
    "Why a page is no article": (
        "SELECT state, reason, count(*) AS pages, min(url) AS example FROM page"
        " WHERE state NOT IN ('stored', 'alias') GROUP BY state, reason"
    ),
    "What was stripped, by reason": (
        "SELECT json_extract(r.value, '$.reason') AS reason, count(*) AS paragraphs"
        " FROM article, json_each(article.removed) AS r GROUP BY reason ORDER BY paragraphs DESC"
    ),
    "What was edited after publication": (
        "SELECT a.url, r.number, r.changed, r.seen_at FROM revision AS r JOIN article AS a ON a.id = r.article_id"
        " WHERE r.number > 1"
    ),
}
"""Questions that the report answers, and prints the SQL of."""


@dataclass(frozen=True, slots=True)
class Archive:
    """The archive at one moment: how many of each thing, its articles by URL, and its revisions."""

    counts: dict[str, int]
    articles: dict[str, dict[str, Any]]
    revisions: tuple[dict[str, Any], ...]
    last_poll: int

    @property
    def feeds(self) -> int:
        """How many feeds are subscribed to."""
        return self.counts["feeds"]

    @classmethod
    def read(cls, database: Path) -> Self:
        """Read it all; it is a sample."""
        counts = {name: row_of(database, sql)[0] for name, sql in COUNTS.items()}
        articles = {row["url"]: dict(row) for row in rows_of(database, "SELECT * FROM article ORDER BY id")}
        revisions = rows_of(
            database,
            "SELECT r.*, a.url FROM revision AS r JOIN article AS a ON a.id = r.article_id ORDER BY r.id",
        )
        last_poll = row_of(database, "SELECT coalesce(max(id), 0) FROM poll")[0]
        return cls(counts, articles, tuple(map(dict, revisions)), last_poll)


def rows_of(database: Path, sql: str, *given: object) -> list[sqlite3.Row]:
    """What a question in SQL is answered with."""
    with closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        return connection.execute(sql, given).fetchall()


def row_of(database: Path, sql: str, *given: object) -> Any:  # noqa: ANN401  # a row of whatever was asked for
    """The one row of the answer."""
    return rows_of(database, sql, *given)[0]


def published(edition: int) -> tuple[dict[str, Any], list[str]]:
    """What the newsroom published by URL, as it stands in the edition, and the URLs of what was edited by then."""
    files = expected_files()
    later = {expected["url"]: expected for name, expected in files.items() if name.endswith(".edition-2.json")}
    first = {expected["url"]: expected for name, expected in files.items() if not name.endswith(".edition-2.json")}
    return (first | later, sorted(later)) if edition > 1 else (first, [])


def check(before: Archive, after: Archive, edition: int) -> list[str]:
    """What is not as the newsroom's sources say that it has to be; empty when all is well."""
    current, edited = published(edition)
    wrong = [f"there is no article of {url}" for url in current if url not in after.articles]
    wrong += [f"there is an article of {url}, which is none" for url in after.articles if url not in current]
    revised = sorted(row["url"] for row in after.revisions if row["number"] > 1)
    if revised != edited:
        wrong.append(f"revised are {revised or 'none'}, and should be {edited or 'none'}")
    if edition > 1:
        wrong += [
            f"{name}: {before.counts[name]} before, {after.counts[name]} after"
            for name in ("feeds", "entries", "pages", "articles", "duplicates")
            if before.counts[name] != after.counts[name]
        ]
    return wrong


def print_report(out: Console, database: Path, before: Archive, after: Archive, edition: int) -> None:
    """Print what came of the run."""
    out.print()
    print_counts(out, before, after, edition)
    print_polls(out, database, before)
    if edition == 1:
        print_articles(out, after)
    else:
        print_revisions(out, after)
    print_questions(out, database)
    print_next_steps(out, database, edition)


def print_counts(out: Console, before: Archive, after: Archive, edition: int) -> None:
    """How many there are of each thing; in a second run, before and after."""
    heading(out, "What is in the archive" if edition == 1 else "Run again: nothing is stored twice")
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for name in ("before", "after") if edition > 1 else ("",):
        table.add_column(name, justify="right")
    for name, count in after.counts.items():
        cells = [str(before.counts[name]), str(count)] if edition > 1 else [str(count)]
        table.add_row(name, *cells)
    out.print(table)
    texts = {url: expected["paragraphs"] for url, expected in published(edition)[0].items()}
    same = sum(after.articles[url]["text"].split("\n\n") == texts[url] for url in texts.keys() & after.articles.keys())
    out.print(f"{same} of {len(texts)} texts are, to the letter, what their sites published.", soft_wrap=True)


def print_polls(out: Console, database: Path, before: Archive) -> None:
    """What this run's polls came to."""
    polls = rows_of(
        database,
        "SELECT outcome, coalesce(status, '–') AS status, count(*) AS polls, sum(entries_new) AS new,"
        " sum(entries_changed) AS changed FROM poll WHERE id > ? GROUP BY 1, 2 ORDER BY polls DESC",
        before.last_poll,
    )
    heading(out, "What the feeds said")
    print_rows(out, polls)


def print_articles(out: Console, after: Archive) -> None:
    """A few articles, with what was stripped from them: those that most was stripped from, one for each site."""
    heading(out, "A few articles, and what was stripped from their pages")
    chosen: dict[str, dict[str, Any]] = {}
    for article in sorted(after.articles.values(), key=lambda article: -len(json.loads(article["removed"]))):
        chosen.setdefault(article["site"], article)
    for article in list(chosen.values())[:SHOWN_ARTICLES]:
        print_article(out, article)


def print_article(out: Console, article: dict[str, Any]) -> None:
    """One article in short."""
    published_at = (article["published_at"] or "")[:16]
    facts = [article["site"], article["language"], published_at, f"{article['word_count']} words"]
    out.print(f"[bold]{escape(article['title'])}[/bold]", soft_wrap=True)
    out.print(" · ".join(str(fact) for fact in facts if fact), style="dim", soft_wrap=True)
    out.print(Padding(Text(shorten(article["text"], 160, placeholder=" …")), (0, 0, 0, 2)))
    removed = json.loads(article["removed"])
    for part in removed[:SHOWN_LINES]:
        line = Text("  − ", style="red")
        line.append(shorten(part["text"], 84, placeholder=" …"), style="red")
        line.append(f"  {part['reason']}", style="dim")
        out.print(line, soft_wrap=True)
    if len(removed) > SHOWN_LINES:
        out.print(f"    and {len(removed) - SHOWN_LINES} more", style="dim")
    out.print()


def print_revisions(out: Console, after: Archive) -> None:
    """What was edited, as a diff of paragraphs."""
    heading(out, "What was edited since the first run")
    versions = {(row["url"], row["number"]): row for row in after.revisions}
    for (url, number), row in versions.items():
        if number == 1:
            continue
        earlier = versions[url, number - 1]
        out.print(f"[bold]{escape(row['title'])}[/bold]", soft_wrap=True)
        out.print(
            f"{url} · revision {number} ({row['changed']}), seen {row['seen_at'][:16]} UTC", style="dim", soft_wrap=True
        )
        for line in difflib.unified_diff(paragraphs(earlier), paragraphs(row), lineterm="", n=0):
            if not line.startswith(("---", "+++", "@@")):
                style = "green" if line.startswith("+") else "red"
                out.print(Padding(Text(f"{SIGNS[line[0]]} {line[1:]}", style=style), (0, 0, 0, 2)))
        out.print()


def paragraphs(revision: dict[str, Any]) -> list[str]:
    """Title and text of a revision, one line for each paragraph."""
    return [revision["title"], *revision["text"].split("\n\n")]


def print_questions(out: Console, database: Path) -> None:
    """A few questions in SQL, each with its answer."""
    for title, sql in LOOK_FURTHER.items():
        rows = rows_of(database, sql)
        if rows:
            heading(out, title)
            out.print(f"{sql};", style="cyan", markup=False, soft_wrap=True)
            print_rows(out, rows)


def print_next_steps(out: Console, database: Path, edition: int) -> None:
    """Where to go from here."""
    database_path = database.relative_to(Path.cwd()) if database.is_relative_to(Path.cwd()) else database
    heading(out, "Look further")
    out.print(f"NEWS_DATABASE_URL=sqlite:///{database_path} .venv/bin/news status", soft_wrap=True)
    if shutil.which("sqlite3"):
        out.print(f"sqlite3 -box {database_path}", soft_wrap=True)
    outlook = "the newsroom has been edited meanwhile" if edition == 1 else "nothing may change any more"
    out.print(f"make demo      again: {outlook};  rm -r {database_path.parent}      to begin anew", soft_wrap=True)


def print_rows(out: Console, rows: Iterable[sqlite3.Row]) -> None:
    """Rows of an answer under their columns' names."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, row in enumerate(rows):
        if not number:
            for name, value in zip(row.keys(), row, strict=True):
                table.add_column(name, justify="right" if isinstance(value, int) else "left", overflow="fold")
        table.add_row(*("–" if value is None else escape(str(value)) for value in row))
    out.print(table)


def heading(out: Console, text: str) -> None:
    """A heading with an empty line before it."""
    out.print(f"\n[bold]{text}[/bold]")
