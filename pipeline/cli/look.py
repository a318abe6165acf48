"""``news status``, ``news show``, ``news explain``, ``news config``: looking without touching."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click

from pipeline.cli.output import console, json_option, print_counts, print_json, print_table, shown
from pipeline.cli.retry import print_reasons
from pipeline.config import Settings, unknown_variables
from pipeline.errors import ConfigError
from pipeline.store import report
from pipeline.store.engine import open_engine, reading
from pipeline.store.migrate import require_current
from pipeline.urls import canonical_url


@click.command()
@click.option("--why", is_flag=True, help="Every state and reason of pages, with an example and what to do.")
@json_option
@click.pass_obj
def status(settings: Settings, why: bool, as_json: bool) -> None:
    """Feeds, frontier, failures by reason, and articles.

    \b
    Examples:
      news status
      news status --why
      news status --json | jq .pages
    """
    engine = open_engine(settings.database_url)
    require_current(engine)
    if why:
        with reading(engine) as connection:
            reasons = report.reasons(connection)
        print_reasons(reasons, as_json=as_json)
        return
    with reading(engine) as connection:
        found = report.status(connection, datetime.now(UTC))
    if as_json:
        print_json(found)
        return
    print_counts("feeds", found["feeds"])
    print_counts("polls", found["polls_of_the_last_day"])
    if found["gaps_of_the_last_week"]["polls"]:
        print_counts("missed", found["gaps_of_the_last_week"])
    hosts = found["hosts"]
    if hosts["claimed"] or hosts["slowed"] or hosts["waiting"]:
        print_counts("hosts", hosts)
    print_counts("pages", found["pages"] | {"due": found["pages_due"], "claimed": found["pages_claimed"]})
    print_counts("articles", found["articles"])
    if found["reasons"]:
        console().print()
        print_table(
            ("pages", "state", "reason"), ((row["pages"], row["state"], row["reason"]) for row in found["reasons"])
        )


def known_of(settings: Settings, url: str) -> dict[str, Any]:
    """All that is known of a URL.

    Raises:
        ConfigError: it is none.
        ClickException: it was never seen.
    """
    engine = open_engine(settings.database_url)
    require_current(engine)
    try:
        canonical = canonical_url(url)
    except ValueError as error:
        raise ConfigError(f"{url!r}: {error}") from error
    with reading(engine) as connection:
        found = report.show(connection, canonical)
    if found is None:
        raise click.ClickException(f"{canonical} was never seen")
    return found


@click.command()
@click.argument("url")
@json_option
@click.pass_obj
def show(settings: Settings, url: str, as_json: bool) -> None:
    """What is known of URL: its status, the feeds that announced it, the article, its revisions, what was removed.

    \b
    Examples:
      news show https://example.org/2026/11/22/story.html
      news show --json https://example.org/2026/11/22/story.html | jq .article.removed
    """
    found = known_of(settings, url)
    if as_json:
        print_json(found)
        return
    _print_page(found)
    if found["article"]:
        _print_article(found)


def _print_page(found: dict[str, Any]) -> None:
    page, out = found["page"], console()
    out.print(f"[bold]{found['url']}[/bold]", markup=True)
    if found["alias_of"]:
        out.print(f"leads to  {found['alias_of']}")
    for name in ("state", "outcome", "reason", "detail", "status", "attempts"):
        if page[name] is not None:
            out.print(f"{name:10s}{page[name]}", markup=False)
    for name in ("discovered_at", "fetched_at", "next_fetch_at", "gone_at"):
        if page[name] is not None:
            out.print(f"{name.removesuffix('_at').replace('_', ' '):11s}{shown(page[name])}")
    if page["route"] is not None:
        out.print(f"waits at  {page['host']}, for {page['route']['url']}", markup=False)
    out.print(f"host      {_host(found['host'])}", markup=False)
    for alias in found["aliases"]:
        out.print(f"also at   {alias}", markup=False)
    print_table(
        ("announced by", "first seen", "changes"),
        ((row["feed_title"] or row["feed"], row["first_seen_at"], row["changes"]) for row in found["announced_by"]),
    )


def _host(host: dict[str, Any]) -> str:
    told = [host["name"], f"{host['pause']:.3g} s between requests"]
    if host["response_time"] is not None:
        told.append(f"answers in {host['response_time']:.2g} s")
    if host["strain"] > 1:
        told.append(f"slowed {host['strain']:.3g} times")
    return ", ".join(told)


def _print_article(found: dict[str, Any]) -> None:
    article, out = found["article"], console()
    out.print(f"\n[bold]{'title':10s}[/bold]", end="")
    out.print(str(article["title"]), markup=False)
    for name in ("site", "authors", "published_at", "modified_at", "language", "section", "tags", "word_count"):
        if article[name]:
            out.print(f"{name.removesuffix('_at').replace('_', ' '):11s}{shown(article[name])}", markup=False)
    if found["duplicate_of"]:
        out.print(f"duplicate of {found['duplicate_of']}", markup=False)
    out.print(f"\n{article['text']}\n", markup=False)
    if article["removed"]:
        print_table(("removed because", "text"), ((row["reason"], row["text"]) for row in article["removed"]))
    print_table(
        ("revision", "seen", "changed", "by", "words", "title"),
        (
            (row["number"], row["seen_at"], row["changed"], row["cause"], row["word_count"], row["title"])
            for row in found["revisions"]
        ),
    )


@click.command()
@json_option
@click.pass_obj
def config(settings: Settings, as_json: bool) -> None:
    """The settings with where they come from; passwords are masked.

    \b
    Examples:
      news config
      NEWS_LEASE=60 news config --json
    """
    rows = settings.described(os.environ)
    if as_json:
        names = ("variable", "value", "source", "explanation")
        print_json([dict(zip(names, row, strict=True)) for row in rows])
    else:
        print_table(("variable", "value", "source", "explanation"), rows)
    _warn_of_unknown(unknown_variables(os.environ))


def _warn_of_unknown(names: Sequence[str]) -> None:
    for name in names:
        click.echo(f"warning: {name} is set, and is no setting", err=True)
